/* Commands of hashes. */
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

static struct span
field_of(const struct store_value *hash, struct span field, bool *found)
{
    const struct store_entry *entry = hash == NULL ? NULL : store_dict_find(&hash->dict, field);
    *found = entry != NULL;
    return entry == NULL ? (struct span){0} : store_text_span(entry->text);
}

static void
answer_field(const struct store_request *request, const struct store_value *hash, struct span field)
{
    bool found;
    struct span value = field_of(hash, field, &found);
    if (found)
        store_reply_text(request->reply, value);
    else
        store_reply_nil(request->reply);
}

void
store_hget(struct store_request *request)
{
    struct store_value *hash;
    if (store_request_find(request, 1, STORE_HASH, &hash))
        answer_field(request, hash, request->words[2]);
}

void
store_hmget(struct store_request *request)
{
    struct store_value *hash;
    if (!store_request_find(request, 1, STORE_HASH, &hash))
        return;
    store_reply_array(request->reply, request->count - 2);
    for (size_t i = 2; i < request->count; i++)
        answer_field(request, hash, request->words[i]);
}

void
store_hset(struct store_request *request)
{
    struct store_value *hash;
    int64_t added = 0;
    if (request->count % 2 == 1) {
        store_request_arity(request);
        return;
    }
    if (!store_request_open(request, 1, STORE_HASH, &hash))
        return;
    for (size_t i = 2; i < request->count; i += 2)
        added += store_value_set_field(hash, request->words[i], request->words[i + 1]) ? 1 : 0;
    store_request_changed(request, 1);
    store_reply_i64(request->reply, added);
}

void
store_hdel(struct store_request *request)
{
    struct store_value *hash;
    int64_t removed = 0;
    if (!store_request_edit(request, 1, STORE_HASH, &hash))
        return;
    for (size_t i = 2; i < request->count && hash != NULL; i++) {
        struct store_entry *entry = store_dict_find(&hash->dict, request->words[i]);
        if (entry != NULL) {
            store_value_remove_field(hash, entry);
            removed++;
        }
    }
    if (removed > 0)
        store_request_changed(request, 1);
    store_reply_i64(request->reply, removed);
}

/* Names, values or both, in the order in which this hash is told. */
static void
tell_all(const struct store_request *request, bool names, bool values)
{
    struct store_value *hash;
    uint32_t position = 0;
    if (!store_request_find(request, 1, STORE_HASH, &hash))
        return;
    uint32_t count = hash == NULL ? 0 : hash->dict.count;
    store_reply_array(request->reply, (size_t)count * (names && values ? 2 : 1));
    if (hash == NULL)
        return;
    uint64_t shuffle = hash->is_scattered ? request->store->shuffle : 0;
    for (const struct store_entry *entry;
         (entry = store_dict_next(&hash->dict, &position, shuffle)) != NULL;) {
        if (names)
            store_reply_text(request->reply, store_text_span(entry->name));
        if (values)
            store_reply_text(request->reply, store_text_span(entry->text));
    }
}

void
store_hgetall(struct store_request *request)
{
    tell_all(request, true, true);
}

void
store_hkeys(struct store_request *request)
{
    tell_all(request, true, false);
}

void
store_hvals(struct store_request *request)
{
    tell_all(request, false, true);
}

void
store_hlen(struct store_request *request)
{
    struct store_value *hash;
    if (store_request_find(request, 1, STORE_HASH, &hash))
        store_reply_i64(request->reply, hash == NULL ? 0 : hash->dict.count);
}

void
store_hexists(struct store_request *request)
{
    struct store_value *hash;
    bool found;
    if (!store_request_find(request, 1, STORE_HASH, &hash))
        return;
    (void)field_of(hash, request->words[2], &found);
    store_reply_i64(request->reply, found ? 1 : 0);
}

void
store_hstrlen(struct store_request *request)
{
    struct store_value *hash;
    bool found;
    if (store_request_find(request, 1, STORE_HASH, &hash))
        store_reply_i64(request->reply, (int64_t)field_of(hash, request->words[2], &found).size);
}

void
store_hsetnx(struct store_request *request)
{
    struct store_value *hash;
    bool found;
    if (!store_request_open(request, 1, STORE_HASH, &hash))
        return;
    (void)field_of(hash, request->words[2], &found);
    if (!found) {
        (void)store_value_set_field(hash, request->words[2], request->words[3]);
        store_request_changed(request, 1);
    }
    store_reply_i64(request->reply, found ? 0 : 1);
}

void
store_hincrby(struct store_request *request)
{
    struct store_value *hash;
    struct store_bytes digits = {0};
    int64_t step;
    int64_t number = 0;
    bool found;
    if (!store_request_i64(request, 3, &step) || !store_request_find(request, 1, STORE_HASH, &hash))
        return;
    struct span value = field_of(hash, request->words[2], &found);
    if (found && !store_read_i64(value, &number)) {
        store_reply_error(request->reply, "ERR hash value is not an integer");
        return;
    }
    if (__builtin_add_overflow(number, step, &number)) {
        store_reply_error(request->reply, "ERR increment or decrement would overflow");
        return;
    }
    if (!store_request_open(request, 1, STORE_HASH, &hash))
        return;
    store_bytes_put_i64(&digits, number);
    (void)store_value_set_field(hash, request->words[2], store_bytes_span(&digits));
    store_bytes_free(&digits);
    store_request_changed(request, 1);
    store_reply_i64(request->reply, number);
}

/* All at once, as Redis itself does with small ones; MATCH is heeded. */
void
store_hscan(struct store_request *request)
{
    struct store_value *hash;
    uint32_t position = 0;
    struct span pattern;
    if (!store_request_cursor(request, 2) || !store_request_find(request, 1, STORE_HASH, &hash) ||
        (hash != NULL && !store_request_scan(request, 3, &pattern)))
        return;
    struct store_bytes found = {0};
    size_t count = 0;
    for (const struct store_entry *entry;
         hash != NULL && (entry = store_dict_next(&hash->dict, &position, 0)) != NULL;) {
        if (!store_is_match(pattern, store_text_span(entry->name)))
            continue;
        store_reply_text(&found, store_text_span(entry->name));
        store_reply_text(&found, store_text_span(entry->text));
        count += 2;
    }
    store_request_scanned(request, &found, count);
}
