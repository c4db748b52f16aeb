#include "sender/base/check.h"
#include "sender/cost/phone_table_state.h"

#include <string.h>

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

static bool
are_digits(uint64_t eight)
{
    const uint64_t high = 0xf0f0f0f0f0f0f0f0;
    const uint64_t digits = 0x3030303030303030;
    return (eight & high) == digits && ((eight + 0x0606060606060606) & high) == digits;
}

/* Eight to fifteen digits behind a '+' or not, as nearly all numbers are: by eight from both ends.
 * False: it is something else, and nothing of it counts. */
static bool
take_digits(struct span text, struct phone *phone)
{
    size_t from = text.size > 0 && text.data[0] == '+' ? 1 : 0;
    size_t count = text.size - from;
    uint64_t first;
    uint64_t last;
    if (count < 8 || count > PHONE_DIGITS_MAX)
        return false;
    memcpy(&first, text.data + from, 8);
    memcpy(&last, text.data + text.size - 8, 8);
    if (!are_digits(first) || !are_digits(last))
        return false;
    memcpy(phone->e164 + 1, &first, 8);
    memcpy(phone->e164 + 1 + count - 8, &last, 8);
    phone->e164[0] = '+';
    phone->e164_size = (uint8_t)(count + 1);
    return true;
}

/* The same one by one, for all that is something else: which of all the reasons is it? */
static enum phone_reason
read_plain_digits(struct span text, struct phone *phone)
{
    size_t from = text.size > 0 && text.data[0] == '+' ? 1 : 0;
    size_t count = text.size - from;
    for (size_t i = 0; i < count; i++) {
        char c = text.data[from + i];
        if (c < '0' || c > '9')
            return PHONE_BAD_CHARACTER;
        if (i < PHONE_DIGITS_MAX)
            phone->e164[i + 1] = c;
    }
    if (count > PHONE_DIGITS_MAX)
        return PHONE_TOO_LONG;
    phone->e164[0] = '+';
    phone->e164_size = (uint8_t)(count + 1);
    return count == 0 ? PHONE_EMPTY : PHONE_GOOD;
}

static void
find_country(const struct phone_table *table, enum phone_reason reason, struct phone *phone)
{
    const char *digits = phone->e164 + 1;
    size_t count = phone->e164_size - 1u;
    phone->status = PHONE_INVALID;
    phone->reason = reason;
    if (reason == PHONE_GOOD && digits[0] == '0')
        phone->reason = count > 1 && digits[1] == '0' ? PHONE_INTERNATIONAL_00 : PHONE_NATIONAL;
    else if (reason == PHONE_GOOD)
        phone_table_find(table, digits, count, phone);
    if (phone->status == PHONE_INVALID) {
        memset(phone->e164, 0, sizeof(phone->e164));
        phone->e164_size = 0;
    }
}

void
phone_read_by(const struct phone_table *table, struct span text, struct phone *phone)
{
    *phone = (struct phone){0};
    enum phone_reason reason = take_digits(text, phone) ? PHONE_GOOD : read_digits(text, phone);
    find_country(table, reason, phone);
}

void
phone_read(struct span text, struct phone *phone)
{
    phone_read_by(phone_table_builtin(), text, phone);
}

void
phone_read_plain(const struct phone_table *table, struct span text, struct phone *phone)
{
    *phone = (struct phone){0};
    enum phone_reason reason =
        take_digits(text, phone) ? PHONE_GOOD : read_plain_digits(text, phone);
    find_country(table, reason, phone);
}

static void
refuse(struct phone *phone, enum phone_reason reason)
{
    *phone = (struct phone){.status = PHONE_INVALID, .reason = reason};
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

/* How many digits, from `*at` on, a form of this number has that the others have not. */
static size_t
find_extra(const char *digits, size_t count, size_t *at)
{
    *at = 2;
    if (memcmp(digits, "521", 3) == 0 && count == 13)
        return 1;
    if (memcmp(digits, "549", 3) == 0 && count == 13)
        return 1;
    *at = 4;
    return memcmp(digits, "55", 2) == 0 && count == 13 && digits[4] == '9' && digits[5] >= '6';
}

size_t
phone_fold(const struct phone *phone, char digits[PHONE_FOLDED_MAX + 1])
{
    check(phone->status != PHONE_INVALID);
    size_t count = phone->e164_size == 0 ? 0 : phone->e164_size - 1u;
    memcpy(digits, phone->e164 + (count > 0), count + 1);
    size_t at;
    if (count < 3)
        return count;
    size_t extra = find_extra(digits, count, &at);
    memmove(digits + at, digits + at + extra, count + 1 - at - extra);
    return count - extra;
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
        return "too short for its country: write + and all digits, calling code first";
    case PHONE_TOO_LONG:
        return "too long: write + and the digits, calling code first, without an extension";
    case PHONE_BAD_LENGTH:
        return "no number of its country has so many digits";
    case PHONE_UNKNOWN_CODE:
        return "begins with a calling code that no country has: write + and the country's calling "
               "code first";
    case PHONE_NO_COUNTRY:
        return "its calling code belongs to no country (freephone, satellites, networks): it has "
               "no price";
    case PHONE_UNASSIGNED:
        return "its country's numbering plan has no such range";
    }
    return "unknown reason";
}

const char *
phone_status_text(enum phone_status status)
{
    switch (status) {
    case PHONE_VALID:
        return "valid";
    case PHONE_LEGACY:
        return "legacy";
    case PHONE_UNLISTED:
        return "unlisted";
    case PHONE_INVALID:
        return "invalid";
    }
    return "unknown status";
}
