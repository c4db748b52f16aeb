#include "tests/simulation/store_request.h"

#include "sender/base/check.h"
#include "tests/simulation/store_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

bool
store_read_i64(struct span text, int64_t *number)
{
    bool is_negative = text.size > 0 && text.data[0] == '-';
    size_t at = is_negative ? 1 : 0;
    uint64_t sum = 0;
    if (text.size == 1 && text.data[0] == '0') {
        *number = 0;
        return true;
    }
    if (text.size == at || text.size > 20 || text.data[at] == '0')
        return false;
    for (; at < text.size; at++) {
        if (text.data[at] < '0' || text.data[at] > '9' || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(text.data[at] - '0'), &sum))
            return false;
    }
    if (sum > (uint64_t)INT64_MAX + (is_negative ? 1 : 0))
        return false;
    *number = (int64_t)(is_negative ? 0 - sum : sum);
    return true;
}

bool
store_read_double(struct span text, double *number)
{
    char copy[256];
    char *end;
    if (text.size == 0 || text.size >= sizeof(copy) || memchr(text.data, 0, text.size) != NULL ||
        strchr(" \t\n\v\f\r", text.data[0]) != NULL)
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    *number = strtod(copy, &end);
    return *end == '\0' && !isnan(*number);
}

bool
store_is_word(struct span text, const char *word)
{
    return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

/* One [class]; *pattern stands behind the bracket and is moved behind the closing one. */
static bool
is_in_class(struct span *pattern, char c)
{
    size_t at = 0;
    bool is_not = pattern->size > 0 && pattern->data[0] == '^';
    bool found = false;
    for (at = is_not ? 1 : 0; at < pattern->size && pattern->data[at] != ']'; at++) {
        char low = pattern->data[at];
        char high = low;
        if (at + 2 < pattern->size && pattern->data[at + 1] == '-') {
            high = pattern->data[at + 2];
            at += 2;
        }
        found = found || (c >= low && c <= high);
    }
    at = at < pattern->size ? at + 1 : at;
    *pattern = (struct span){.data = pattern->data + at, .size = pattern->size - at};
    return found != is_not;
}

static struct span
without_first(struct span text)
{
    return (struct span){.data = text.data + 1, .size = text.size - 1};
}

bool
store_is_match(struct span pattern, struct span text)
{
    while (pattern.size > 0) {
        char p = pattern.data[0];
        pattern = without_first(pattern);
        if (p == '*') {
            for (; text.size > 0; text = without_first(text))
                if (store_is_match(pattern, text))
                    return true;
            continue;
        }
        if (text.size == 0)
            return false;
        if (p == '[' && !is_in_class(&pattern, text.data[0]))
            return false;
        if (p == '\\' && pattern.size > 0) {
            p = pattern.data[0];
            pattern = without_first(pattern);
            if (p != text.data[0])
                return false;
        } else if (p != '[' && p != '?' && p != text.data[0]) {
            return false;
        }
        text = without_first(text);
    }
    return text.size == 0;
}

bool
store_request_i64(const struct store_request *request, size_t index, int64_t *number)
{
    if (store_read_i64(request->words[index], number))
        return true;
    store_reply_error(request->reply, "ERR value is not an integer or out of range");
    return false;
}

bool
store_request_double(const struct store_request *request, size_t index, double *number)
{
    if (store_read_double(request->words[index], number))
        return true;
    store_reply_error(request->reply, "ERR value is not a valid float");
    return false;
}

bool
store_request_is(const struct store_request *request, size_t index, const char *word)
{
    return index < request->count && store_is_word(request->words[index], word);
}

void
store_request_syntax(const struct store_request *request)
{
    store_reply_error(request->reply, "ERR syntax error");
}

void
store_request_arity(const struct store_request *request)
{
    char name[64];
    size_t size = request->words[0].size < sizeof(name) ? request->words[0].size : sizeof(name) - 1;
    for (size_t i = 0; i < size; i++) {
        char c = request->words[0].data[i];
        name[i] = (char)(c >= 'A' && c <= 'Z' ? c + 32 : c);
    }
    store_reply_error(request->reply, "ERR wrong number of arguments for '%.*s' command", (int)size,
                      name);
}

static bool
has_type(const struct store_request *request, const struct store_value *value, enum store_type type)
{
    if (value == NULL || value->type == type)
        return true;
    store_reply_error(request->reply,
                      "WRONGTYPE Operation against a key holding the wrong kind of value");
    return false;
}

bool
store_request_find(const struct store_request *request, size_t index, enum store_type type,
                   struct store_value **value)
{
    struct store *store = request->store;
    *value = store_keys_find(&store->keys, request->words[index], store_now_ms(store));
    return has_type(request, *value, type);
}

bool
store_request_edit(const struct store_request *request, size_t index, enum store_type type,
                   struct store_value **value)
{
    struct store *store = request->store;
    if (!store_request_find(request, index, type, value))
        return false;
    if (*value != NULL)
        *value = store_keys_write(&store->keys, request->words[index], store_now_ms(store));
    return true;
}

bool
store_request_open(const struct store_request *request, size_t index, enum store_type type,
                   struct store_value **value)
{
    if (!store_request_edit(request, index, type, value))
        return false;
    if (*value == NULL) {
        *value = store_value_new(type);
        store_keys_put(&request->store->keys, request->words[index], *value);
    }
    return true;
}

void
store_request_changed(const struct store_request *request, size_t index)
{
    struct store *store = request->store;
    struct span name = request->words[index];
    const struct store_value *value = store_keys_find(&store->keys, name, store_now_ms(store));
    if (value != NULL && store_value_is_empty(value))
        (void)store_keys_remove(&store->keys, name);
    store_client_touch(store, name);
}

bool
store_request_cursor(const struct store_request *request, size_t index)
{
    struct span text = request->words[index];
    size_t at = text.size > 0 && (text.data[0] == '-' || text.data[0] == '+') ? 1 : 0;
    while (at < text.size && at < 20 && text.data[at] >= '0' && text.data[at] <= '9')
        at++;
    if (at == text.size)
        return true;
    store_reply_error(request->reply, "ERR invalid cursor");
    return false;
}

bool
store_request_scan(const struct store_request *request, size_t first, struct span *pattern)
{
    int64_t number;
    *pattern = SPAN("*");
    for (size_t i = first; i < request->count; i += 2) {
        bool has_value = i + 1 < request->count;
        if (has_value && store_request_is(request, i, "COUNT")) {
            if (!store_request_i64(request, i + 1, &number))
                return false;
            has_value = number > 0;
        } else if (has_value && store_request_is(request, i, "MATCH")) {
            *pattern = request->words[i + 1];
        } else {
            has_value = false;
        }
        if (!has_value) {
            store_request_syntax(request);
            return false;
        }
    }
    return true;
}

void
store_request_scanned(const struct store_request *request, struct store_bytes *found, size_t count)
{
    store_reply_array(request->reply, 2);
    store_reply_text(request->reply, SPAN("0"));
    store_reply_array(request->reply, count);
    store_bytes_put(request->reply, found->data, found->size);
    store_bytes_free(found);
}
