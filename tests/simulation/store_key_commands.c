/* Commands of keys of any type: are they there, what are they, when do they go. */
#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

static struct store_value *
find_any(const struct store_request *request, size_t index)
{
    struct store *store = request->store;
    return store_keys_find(&store->keys, request->words[index], store_now_ms(store));
}

void
store_del(struct store_request *request)
{
    int64_t removed = 0;
    for (size_t i = 1; i < request->count; i++) {
        if (find_any(request, i) == NULL)
            continue;
        (void)store_keys_remove(&request->store->keys, request->words[i]);
        store_request_changed(request, i);
        removed++;
    }
    store_reply_i64(request->reply, removed);
}

void
store_exists(struct store_request *request)
{
    int64_t found = 0;
    for (size_t i = 1; i < request->count; i++)
        found += find_any(request, i) != NULL ? 1 : 0;
    store_reply_i64(request->reply, found);
}

void
store_type(struct store_request *request)
{
    const struct store_value *value = find_any(request, 1);
    store_reply_status(request->reply, value == NULL ? "none" : store_type_name(value->type));
}

/* ---- expiry --------------------------------------------------------------------------------- */

static bool
refuse_time(const struct store_request *request, const char *name)
{
    store_reply_error(request->reply, "ERR invalid expire time in '%s' command", name);
    return false;
}

/* NX, XX, GT and LT are not known. */
static void
expire(struct store_request *request, const char *name, int64_t unit, int64_t from)
{
    struct store *store = request->store;
    int64_t when;
    if (request->count > 3) {
        store_reply_error(request->reply, "ERR Unsupported option %.*s",
                          SPAN_ARG(request->words[3]));
        return;
    }
    if (!store_request_i64(request, 2, &when))
        return;
    if (__builtin_mul_overflow(when, unit, &when) || __builtin_add_overflow(when, from, &when)) {
        (void)refuse_time(request, name);
        return;
    }
    struct store_value *value =
        store_keys_write(&store->keys, request->words[1], store_now_ms(store));
    if (value == NULL) {
        store_reply_i64(request->reply, 0);
        return;
    }
    if (when <= (int64_t)store_now_ms(store))
        (void)store_keys_remove(&store->keys, request->words[1]);
    else
        value->expires_ms = (uint64_t)when;
    store_request_changed(request, 1);
    store_reply_i64(request->reply, 1);
}

void
store_pexpire(struct store_request *request)
{
    expire(request, "pexpire", 1, (int64_t)store_now_ms(request->store));
}

void
store_expire(struct store_request *request)
{
    expire(request, "expire", 1000, (int64_t)store_now_ms(request->store));
}

void
store_pexpireat(struct store_request *request)
{
    expire(request, "pexpireat", 1, 0);
}

void
store_persist(struct store_request *request)
{
    struct store *store = request->store;
    struct store_value *value =
        store_keys_write(&store->keys, request->words[1], store_now_ms(store));
    bool had = value != NULL && value->expires_ms > 0;
    if (had) {
        value->expires_ms = 0;
        store_request_changed(request, 1);
    }
    store_reply_i64(request->reply, had ? 1 : 0);
}

/* Milliseconds left (or, absolute, when), -1 of a key that stays, -2 of none. */
static int64_t
time_of(const struct store_request *request, bool is_absolute)
{
    const struct store_value *value = find_any(request, 1);
    if (value == NULL)
        return -2;
    if (value->expires_ms == 0)
        return -1;
    int64_t left = (int64_t)value->expires_ms - (int64_t)store_now_ms(request->store);
    return is_absolute ? (int64_t)value->expires_ms : left < 0 ? 0 : left;
}

void
store_pttl(struct store_request *request)
{
    store_reply_i64(request->reply, time_of(request, false));
}

void
store_ttl(struct store_request *request)
{
    int64_t left = time_of(request, false);
    store_reply_i64(request->reply, left < 0 ? left : (left + 500) / 1000);
}

void
store_pexpiretime(struct store_request *request)
{
    store_reply_i64(request->reply, time_of(request, true));
}

/* ---- all keys ------------------------------------------------------------------------------- */

static bool
is_living(const struct store_request *request, const struct store_entry *entry)
{
    return entry->value->expires_ms == 0 ||
           entry->value->expires_ms >= store_now_ms(request->store);
}

/* The names that match, one behind the other in `found`. How many. */
static size_t
find_names(const struct store_request *request, struct span pattern, struct store_bytes *found)
{
    uint32_t position = 0;
    size_t count = 0;
    for (const struct store_entry *entry;
         (entry = store_dict_next(&request->store->keys.dict, &position,
                                  request->store->shuffle)) != NULL;) {
        if (!is_living(request, entry) || !store_is_match(pattern, store_text_span(entry->name)))
            continue;
        store_reply_text(found, store_text_span(entry->name));
        count++;
    }
    return count;
}

void
store_keys_command(struct store_request *request)
{
    struct store_bytes found = {0};
    size_t count = find_names(request, request->words[1], &found);
    store_reply_array(request->reply, count);
    store_bytes_put(request->reply, found.data, found.size);
    store_bytes_free(&found);
}

void
store_scan(struct store_request *request)
{
    struct span pattern;
    struct store_bytes found = {0};
    if (!store_request_cursor(request, 1) || !store_request_scan(request, 2, &pattern))
        return;
    size_t count = find_names(request, pattern, &found);
    store_request_scanned(request, &found, count);
}

void
store_dbsize(struct store_request *request)
{
    store_reply_i64(request->reply, request->store->keys.dict.count);
}

void
store_flushall(struct store_request *request)
{
    if (request->count > 1 && !store_request_is(request, 1, "SYNC") &&
        !store_request_is(request, 1, "ASYNC")) {
        store_request_syntax(request);
        return;
    }
    store_client_touch_all(request->store);
    store_keys_free(&request->store->keys);
    store_reply_ok(request->reply);
}
