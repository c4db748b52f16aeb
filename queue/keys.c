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
