#include "sender/cost/phone.h"

#include <string.h>

/* A digit string as a walk: children by digit (0: none), and what ends here. */
struct phone_node {
    uint16_t child[10];
    uint16_t entry; /* first of phone_entries */
    uint8_t entry_count;
};

struct phone_entry {
    char country[3];
    uint16_t calling_code;
    uint16_t lengths; /* bit n: numbers of n digits in all */
};

#include "sender/cost/phone_table.inc"

enum { PHONE_SCOPED_ID_MAX = 128 };

/* What people, contact cards and word processors put between digits. */
static bool
is_filler(uint32_t c)
{
    return c == ' ' || c == '.' || c == '-' || c == '(' || c == ')' || c == 0xa0 || c == 0x202f ||
           (c >= 0x2000 && c <= 0x200b) || /* spaces by width, zero width */
           (c >= 0x2010 && c <= 0x2015) || /* hyphens and dashes */
           c == 0x200e || c == 0x200f || c == 0x061c || (c >= 0x202a && c <= 0x202e) || /* bidi */
           (c >= 0x2066 && c <= 0x2069) || c == 0x2060 || c == 0xfeff;
}

/* The character at `*at`, in two or three bytes of UTF-8 (no filler has more), which is stepped
 * over; 0 if it is something else. */
static uint32_t
next_wide(struct span text, size_t *at)
{
    const unsigned char *p = (const unsigned char *)text.data + *at;
    size_t left = text.size - *at;
    if (left >= 2 && p[0] >= 0xc2 && p[0] <= 0xdf && (p[1] & 0xc0) == 0x80) {
        *at += 2;
        return (uint32_t)(p[0] & 0x1f) << 6 | (p[1] & 0x3f);
    }
    if (left >= 3 && (p[0] & 0xf0) == 0xe0 && (p[1] & 0xc0) == 0x80 && (p[2] & 0xc0) == 0x80) {
        *at += 3;
        uint32_t c = (uint32_t)(p[0] & 0x0f) << 12 | (uint32_t)(p[1] & 0x3f) << 6 | (p[2] & 0x3f);
        return c >= 0x800 ? c : 0; /* no over-long forms */
    }
    return 0;
}

/* Copies the digits behind a '+' into phone->e164. */
static enum phone_reason
read_digits(struct span text, struct phone *phone)
{
    bool plus = false;
    size_t count = 0;
    size_t at = 0;
    while (at < text.size) {
        unsigned char c = (unsigned char)text.data[at];
        if (c >= '0' && c <= '9') {
            if (count == PHONE_DIGITS_MAX)
                return PHONE_TOO_LONG;
            phone->e164[++count] = (char)c;
            at++;
        } else if (c == '+' && !plus && count == 0) {
            plus = true;
            at++;
        } else if (c < 0x80 ? !is_filler(c) : !is_filler(next_wide(text, &at))) {
            return PHONE_BAD_CHARACTER;
        } else if (c < 0x80) {
            at++;
        }
    }
    phone->e164[0] = '+';
    phone->e164[count + 1] = '\0';
    phone->e164_size = (uint8_t)(count + 1);
    return count == 0 ? PHONE_EMPTY : PHONE_GOOD;
}

/*
 * Walks down while there are digits. The deepest entry that has this length wins; the deepest of
 * any length, and in it the main country (it comes first), speaks for a length nobody has.
 */
static const struct phone_entry *
find_entry(const char *digits, size_t count, bool *fits)
{
    const struct phone_entry *best = NULL;
    const struct phone_entry *near = NULL;
    const struct phone_node *node = &phone_nodes[0];
    for (size_t i = 0; i < count; i++) {
        uint16_t child = node->child[digits[i] - '0'];
        if (child == 0)
            break;
        node = &phone_nodes[child];
        if (node->entry_count == 0)
            continue;
        near = &phone_entries[node->entry];
        for (uint32_t n = 0; n < node->entry_count; n++)
            if ((near[n].lengths >> count & 1) != 0)
                best = &near[n];
    }
    *fits = best != NULL;
    return best != NULL ? best : near;
}

static enum phone_reason
find_country(struct phone *phone)
{
    const char *digits = phone->e164 + 1;
    size_t count = phone->e164_size - 1u;
    if (digits[0] == '0')
        return count > 1 && digits[1] == '0' ? PHONE_INTERNATIONAL_00 : PHONE_NATIONAL;
    bool fits;
    const struct phone_entry *entry = find_entry(digits, count, &fits);
    if (entry == NULL)
        return count < PHONE_DIGITS_MIN ? PHONE_TOO_SHORT : PHONE_UNKNOWN_CODE;
    if (count < PHONE_DIGITS_MIN)
        return PHONE_TOO_SHORT;
    memcpy(phone->country, entry->country, sizeof(phone->country));
    phone->calling_code = entry->calling_code;
    return fits ? PHONE_GOOD : PHONE_UNASSIGNED;
}

static void
refuse(struct phone *phone, enum phone_reason reason)
{
    *phone = (struct phone){.status = PHONE_INVALID, .reason = reason};
}

void
phone_read(struct span text, struct phone *phone)
{
    *phone = (struct phone){0};
    enum phone_reason reason = read_digits(text, phone);
    if (reason == PHONE_GOOD)
        reason = find_country(phone);
    if (reason == PHONE_GOOD || reason == PHONE_UNASSIGNED) {
        phone->status = reason == PHONE_GOOD ? PHONE_VALID : PHONE_UNLISTED;
        phone->reason = reason;
        return;
    }
    refuse(phone, reason);
}

static bool
is_capital(char c)
{
    return c >= 'A' && c <= 'Z';
}

static bool
is_alphanumeric(char c)
{
    return is_capital(c) || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
phone_read_scoped_id(struct span text, struct phone *phone)
{
    if (text.size == 0) {
        refuse(phone, PHONE_EMPTY);
        return false;
    }
    refuse(phone, PHONE_BAD_CHARACTER);
    if (text.size < 4 || !is_capital(text.data[0]) || !is_capital(text.data[1]) ||
        text.data[2] != '.')
        return false;
    if (text.size > 3 + PHONE_SCOPED_ID_MAX) {
        phone->reason = PHONE_TOO_LONG;
        return false;
    }
    for (size_t i = 3; i < text.size; i++)
        if (!is_alphanumeric(text.data[i]))
            return false;
    *phone = (struct phone){.status = PHONE_VALID, .reason = PHONE_GOOD};
    memcpy(phone->country, text.data, 2);
    return true;
}

const char *
phone_reason_text(enum phone_reason reason)
{
    switch (reason) {
    case PHONE_GOOD:
        return "good";
    case PHONE_EMPTY:
        return "empty: write + and the digits";
    case PHONE_BAD_CHARACTER:
        return "has a character that is neither a digit, a + in front, nor one of \" .-()\"";
    case PHONE_INTERNATIONAL_00:
        return "begins with 00: write + instead of 00";
    case PHONE_NATIONAL:
        return "begins with 0, as numbers are dialled inside a country: write + and the country's "
               "calling code, usually without the 0";
    case PHONE_TOO_SHORT:
        return "too short for any country: write + and all digits, calling code first";
    case PHONE_TOO_LONG:
        return "too long: an international number has at most 15 digits";
    case PHONE_UNKNOWN_CODE:
        return "begins with a calling code that no country has: write + and the country's calling "
               "code first";
    case PHONE_UNASSIGNED:
        return "no such length or range in this country's numbering plan";
    }
    return "unknown reason";
}

const char *
phone_status_text(enum phone_status status)
{
    switch (status) {
    case PHONE_VALID:
        return "valid";
    case PHONE_UNLISTED:
        return "unlisted";
    case PHONE_INVALID:
        return "invalid";
    }
    return "unknown status";
}
