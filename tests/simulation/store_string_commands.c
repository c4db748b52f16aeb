/* Commands of strings. */
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

static void
put_string(const struct store_request *request, struct span name, struct span text,
           uint64_t expires_ms)
{
    struct store_value *value = store_value_new(STORE_STRING);
    value->text = store_text_new(text);
    value->expires_ms = expires_ms;
    store_keys_put(&request->store->keys, name, value);
}

void
store_get(struct store_request *request)
{
    struct store_value *value;
    if (!store_request_find(request, 1, STORE_STRING, &value))
        return;
    if (value == NULL)
        store_reply_nil(request->reply);
    else
        store_reply_text(request->reply, store_text_span(value->text));
}

/* A key of another type is told as if it were not there. */
void
store_mget(struct store_request *request)
{
    struct store *store = request->store;
    store_reply_array(request->reply, request->count - 1);
    for (size_t i = 1; i < request->count; i++) {
        const struct store_value *value =
            store_keys_find(&store->keys, request->words[i], store_now_ms(store));
        if (value == NULL || value->type != STORE_STRING)
            store_reply_nil(request->reply);
        else
            store_reply_text(request->reply, store_text_span(value->text));
    }
}

struct set_options {
    bool only_new;   /* NX */
    bool only_known; /* XX */
    bool keeps_time; /* KEEPTTL */
    uint64_t expires_ms;
};

/* EX, PX, EXAT and PXAT with their number. False: an error was answered. */
static bool
read_expiry(const struct store_request *request, size_t at, struct set_options *options)
{
    bool is_seconds = store_request_is(request, at, "EX") || store_request_is(request, at, "EXAT");
    bool is_from_now = store_request_is(request, at, "EX") || store_request_is(request, at, "PX");
    int64_t number;
    if (!store_request_i64(request, at + 1, &number))
        return false;
    if (number <= 0 || (is_seconds && number > INT64_MAX / 1000)) {
        store_reply_error(request->reply, "ERR invalid expire time in 'set' command");
        return false;
    }
    number = is_seconds ? number * 1000 : number;
    if (is_from_now &&
        __builtin_add_overflow(number, (int64_t)store_now_ms(request->store), &number)) {
        store_reply_error(request->reply, "ERR invalid expire time in 'set' command");
        return false;
    }
    options->expires_ms = (uint64_t)number;
    return true;
}

static bool
is_expiry(const struct store_request *request, size_t at)
{
    return at + 1 < request->count &&
           (store_request_is(request, at, "PX") || store_request_is(request, at, "EX") ||
            store_request_is(request, at, "PXAT") || store_request_is(request, at, "EXAT"));
}

/* GET is not known. Redis looks at the syntax of all before it reads the number of one. */
static bool
read_set_options(const struct store_request *request, struct set_options *options)
{
    size_t expiry = 0;
    *options = (struct set_options){0};
    for (size_t i = 3; i < request->count; i++) {
        bool good = true;
        if (store_request_is(request, i, "NX"))
            good = options->only_new = !options->only_known;
        else if (store_request_is(request, i, "XX"))
            good = options->only_known = !options->only_new;
        else if (store_request_is(request, i, "KEEPTTL"))
            good = options->keeps_time = expiry == 0;
        else if (is_expiry(request, i) && expiry == 0 && !options->keeps_time)
            expiry = i++;
        else
            good = false;
        if (!good) {
            store_request_syntax(request);
            return false;
        }
    }
    return expiry == 0 || read_expiry(request, expiry, options);
}

void
store_set(struct store_request *request)
{
    struct store *store = request->store;
    struct set_options options;
    if (!read_set_options(request, &options))
        return;
    const struct store_value *before =
        store_keys_find(&store->keys, request->words[1], store_now_ms(store));
    if ((options.only_new && before != NULL) || (options.only_known && before == NULL)) {
        store_reply_nil(request->reply);
        return;
    }
    if (options.keeps_time && before != NULL)
        options.expires_ms = before->expires_ms;
    put_string(request, request->words[1], request->words[2], options.expires_ms);
    store_request_changed(request, 1);
    store_reply_ok(request->reply);
}

void
store_strlen(struct store_request *request)
{
    struct store_value *value;
    if (store_request_find(request, 1, STORE_STRING, &value))
        store_reply_i64(request->reply, value == NULL ? 0 : value->text->size);
}

static void
add(struct store_request *request, int64_t step)
{
    struct store_value *value;
    int64_t number = 0;
    struct store_bytes digits = {0};
    if (!store_request_find(request, 1, STORE_STRING, &value))
        return;
    if (value != NULL && !store_read_i64(store_text_span(value->text), &number)) {
        store_reply_error(request->reply, "ERR value is not an integer or out of range");
        return;
    }
    if (__builtin_add_overflow(number, step, &number)) {
        store_reply_error(request->reply, "ERR increment or decrement would overflow");
        return;
    }
    store_bytes_put_i64(&digits, number);
    put_string(request, request->words[1], store_bytes_span(&digits),
               value == NULL ? 0 : value->expires_ms);
    store_bytes_free(&digits);
    store_request_changed(request, 1);
    store_reply_i64(request->reply, number);
}

void
store_incr(struct store_request *request)
{
    add(request, 1);
}

void
store_incrby(struct store_request *request)
{
    int64_t step;
    if (store_request_i64(request, 2, &step))
        add(request, step);
}
