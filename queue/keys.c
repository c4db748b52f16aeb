#include "queue/keys.h"
#include "sender/base/check.h"

#include <stdio.h>
#include <string.h>

static bool
is_letter_or_digit(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool
keys_name_is_good(struct span name)
{
    if (name.size == 0 || name.size > KEYS_NAME_MAX || !is_letter_or_digit(name.data[0]))
        return false;
    for (size_t i = 1; i < name.size; i++)
        if (!is_letter_or_digit(name.data[i]) && name.data[i] != '-')
            return false;
    return true;
}

static bool
read_name(struct span name, const char *what, char out[KEYS_NAME_MAX + 1], struct error_text *error)
{
    if (!keys_name_is_good(name)) {
        int shown = name.size > 64 ? 64 : (int)name.size;
        error_set(error,
                  "\"%.*s\" is not the name of %s: 1 to %d small letters, digits and dashes, "
                  "not a dash first",
                  shown, name.data, what, KEYS_NAME_MAX);
        return false;
    }
    memcpy(out, name.data, name.size);
    out[name.size] = '\0';
    return true;
}

bool
keys_read(struct span text, struct account_keys *keys, struct error_text *error)
{
    struct span account = text;
    struct span business = span_split(&account, '/');
    if (account.data == NULL) {
        int shown = text.size > 64 ? 64 : (int)text.size;
        error_set(error, "\"%.*s\" is not BUSINESS/ACCOUNT, as in acme/fr", shown, text.data);
        return false;
    }
    if (!read_name(business, "a business", keys->business_name, error) ||
        !read_name(account, "an account", keys->account_name, error))
        return false;
    (void)snprintf(keys->business, sizeof(keys->business), "facteur:{%s}", keys->business_name);
    (void)snprintf(keys->account, sizeof(keys->account), "facteur:{%s}:%s", keys->business_name,
                   keys->account_name);
    return true;
}

struct span
keys_of(const struct account_keys *keys, const char *name, char *out, size_t size)
{
    struct buffer buffer;
    buffer_init(&buffer, out, size);
    buffer_put_text(&buffer, keys->account);
    buffer_put_char(&buffer, ':');
    buffer_put_text(&buffer, name);
    check(!buffer.overflow);
    return buffer_span(&buffer);
}

/* Half of a stream's id: any 64-bit number. */
static bool
is_stamp(struct span digits)
{
    static const char largest[] = "18446744073709551615";
    if (digits.size == 0 || digits.size >= sizeof(largest))
        return false;
    for (size_t i = 0; i < digits.size; i++)
        if (digits.data[i] < '0' || digits.data[i] > '9')
            return false;
    return digits.size < sizeof(largest) - 1 || memcmp(digits.data, largest, digits.size) <= 0;
}

bool
keys_member_is_good(struct span member)
{
    if (member.size > QUEUE_MEMBER_MAX)
        return false;
    if (member.size > 0 && (member.data[0] == 'u' || member.data[0] == 'r')) {
        member.data++;
        member.size--;
    }
    struct span number = member;
    struct span entry = span_split(&number, '/');
    struct span sequence = entry;
    struct span ms = span_split(&sequence, '-');
    uint64_t n;
    if (!is_stamp(ms) || !is_stamp(sequence))
        return false;
    return number.data == NULL || (number.size <= 2 && number.data[0] != '0' &&
                                   span_to_u64(number, &n) && n >= 1 && n <= QUEUE_BULK_MAX);
}

bool
keys_grant_is_good(struct span grant)
{
    if (grant.size <= QUEUE_HOLDER_SIZE + 1 || grant.size > QUEUE_GRANT_MAX ||
        grant.data[QUEUE_HOLDER_SIZE] != '.')
        return false;
    for (size_t i = 0; i < grant.size; i++) {
        char c = grant.data[i];
        bool is_digit = c >= '0' && c <= '9';
        bool is_hex = is_digit || (c >= 'a' && c <= 'f');
        if (i != QUEUE_HOLDER_SIZE && !(i < QUEUE_HOLDER_SIZE ? is_hex : is_digit))
            return false;
    }
    return true;
}
