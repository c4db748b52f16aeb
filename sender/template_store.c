#include "sender/template_store.h"

#include "sender/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- reading -------------------------------------------------------------------------------- */

static void
hash_key(const struct account_keys *keys, char *out, size_t size)
{
    (void)snprintf(out, size, "%s:templates", keys->business);
}

static bool
say_refused(struct redis_sync *sync, const struct reply *reply, const char *what,
            struct error_text *error)
{
    if (reply == NULL)
        error_set(error, "%s: the connection to Redis was lost: %s", what,
                  redis_sync_trouble(sync));
    else
        error_set(error, "%s: Redis: %.*s", what,
                  reply->text.size > 200 ? 200 : (int)reply->text.size,
                  reply->text.size == 0 ? "" : reply->text.data);
    return false;
}

/* The reply lives until the next command, and reading changes it: so it is copied. */
static struct span
keep(struct template_store *store, struct buffer *memory, struct span text)
{
    char *copy = memory->data + memory->size;
    buffer_put_span(memory, text);
    check(!memory->overflow);
    store->size += text.size;
    return (struct span){copy, text.size};
}

static void
take_pairs(struct template_store *store, const struct reply *reply,
           const struct stored_complaints *complaints)
{
    struct buffer memory;
    size_t size = 0;
    for (size_t i = 0; i < reply->count; i++)
        size += reply->elements[i]->text.size;
    store->memory = check_alloc(1, size + 1);
    store->stored = check_alloc(reply->count / 2 + 1, sizeof(*store->stored));
    buffer_init(&memory, store->memory, size + 1);
    for (size_t i = 0; i + 1 < reply->count; i += 2) {
        struct error_text bad;
        struct span field = keep(store, &memory, reply->elements[i]->text);
        struct span value = keep(store, &memory, reply->elements[i + 1]->text);
        if (span_equal(field, SPAN(STORED_COUNTER)))
            (void)span_to_u64(value, &store->number);
        else if (!stored_read(field, value, &store->stored[store->count], &bad))
            complaints->on_bad(complaints->context, &bad);
        store->count += store->stored[store->count].name.size > 0 ? 1 : 0;
    }
}

static int
by_name(const void *a, const void *b)
{
    const struct stored_template *x = a;
    const struct stored_template *y = b;
    size_t size = x->name.size < y->name.size ? x->name.size : y->name.size;
    int order = memcmp(x->name.data, y->name.data, size);
    if (order == 0 && x->name.size != y->name.size)
        order = x->name.size < y->name.size ? -1 : 1;
    if (order != 0)
        return order;
    size = x->language.size < y->language.size ? x->language.size : y->language.size;
    order = memcmp(x->language.data, y->language.data, size);
    return order != 0 ? order : (int)x->language.size - (int)y->language.size;
}

bool
template_store_read(struct redis_sync *sync, const struct account_keys *keys, bool watch,
                    const struct stored_complaints *complaints, struct template_store *store,
                    struct error_text *error)
{
    char key[KEYS_BASE_MAX + 16];
    *store = (struct template_store){0};
    hash_key(keys, key, sizeof(key));
    const struct reply *reply = watch ? redis_sync_words(sync, "WATCH", key, NULL) : NULL;
    if (watch && (reply == NULL || reply->type == REPLY_ERROR))
        return say_refused(sync, reply, key, error);
    reply = redis_sync_words(sync, "HGETALL", key, NULL);
    if (reply == NULL || reply->type != REPLY_ARRAY)
        return say_refused(sync, reply, key, error);
    take_pairs(store, reply, complaints);
    qsort(store->stored, store->count, sizeof(*store->stored), by_name);
    return true;
}

void
template_store_close(struct template_store *store)
{
    free(store->stored);
    free(store->memory);
    *store = (struct template_store){0};
}

const struct stored_template *
template_store_find(const struct template_store *store, struct span name, struct span language)
{
    for (uint32_t i = 0; i < store->count; i++)
        if (span_equal(store->stored[i].name, name) &&
            span_equal(store->stored[i].language, language))
            return &store->stored[i];
    return NULL;
}

/* ---- changing ------------------------------------------------------------------------------- */

struct change {
    struct session *session;
    const char *hash;
    const char *log;
    const struct template_store *store;
    const struct stored_template *to;
    uint64_t number; /* after it */
    char *memory;    /* STORED_VALUE_MAX */
};

/* "QUEUED", or an error that makes EXEC refuse everything. */
static void
ignore(void *context, const struct reply *reply)
{
    (void)context;
    (void)reply;
}

static const char *
action_of(const struct stored_template *before, const struct stored_template *after)
{
    if (after->json.size == 0)
        return "remove";
    return before == NULL || before->json.size == 0 ? "add" : "change";
}

static bool
write_field(const struct change *change)
{
    char field[STORED_FIELD_MAX + 1];
    struct buffer name;
    struct buffer value;
    buffer_init(&name, field, sizeof(field));
    buffer_init(&value, change->memory, STORED_VALUE_MAX);
    stored_put_field(change->to, &name);
    stored_put_value(change->to, &value);
    check(!name.overflow && !value.overflow); /* lengths of who, why and file were judged */
    const struct span parts[] = {SPAN("HSET"), span_of(change->hash), buffer_span(&name),
                                 buffer_span(&value)};
    return session_command(change->session, parts, 4, ignore, NULL);
}

static bool
write_log(const struct change *change)
{
    const struct stored_template *to = change->to;
    const struct stored_template *before =
        template_store_find(change->store, to->name, to->language);
    const struct span parts[] = {SPAN("XADD"),
                                 span_of(change->log),
                                 SPAN("*"),
                                 SPAN("action"),
                                 span_of(action_of(before, to)),
                                 SPAN("template"),
                                 to->name,
                                 SPAN("lang"),
                                 to->language,
                                 SPAN("before"),
                                 before == NULL ? (struct span){"", 0} : before->version,
                                 SPAN("after"),
                                 to->version.size == 0 ? (struct span){"", 0} : to->version,
                                 SPAN("who"),
                                 to->who,
                                 SPAN("why"),
                                 to->why};
    size_t count = sizeof(parts) / sizeof(parts[0]);
    session_begin(change->session, count + 4);
    for (size_t i = 0; i < count; i++)
        session_part(change->session, parts[i]);
    session_part(change->session, SPAN("at"));
    session_part_u64(change->session, to->at_ms);
    session_part(change->session, SPAN("number"));
    session_part_u64(change->session, change->number);
    return session_end(change->session, ignore, NULL);
}

static bool
write_all(struct change *change, const struct stored_template *changes, uint32_t count)
{
    const struct span begin[] = {SPAN("MULTI")};
    const struct span step[] = {SPAN("HINCRBY"), span_of(change->hash), SPAN(STORED_COUNTER),
                                SPAN("1")};
    bool good = session_command(change->session, begin, 1, ignore, NULL);
    for (uint32_t i = 0; good && i < count; i++) {
        change->to = &changes[i];
        good = write_field(change) && write_log(change);
    }
    return good && session_command(change->session, step, 4, ignore, NULL);
}

static bool
fits(const struct template_store *store, const struct stored_template *changes, uint32_t count,
     struct error_text *error)
{
    size_t size = store->size;
    uint32_t fields = store->count;
    for (uint32_t i = 0; i < count; i++) {
        size += changes[i].json.size + STORED_FIELD_MAX + 256;
        fields += template_store_find(store, changes[i].name, changes[i].language) == NULL ? 1 : 0;
    }
    if (size <= STORE_SIZE_MAX && fields <= 2 * CATALOGUE_TEMPLATES_MAX)
        return true;
    error_set(error,
              "the catalogue would have %zu bytes in %u templates: at most %d bytes; remove "
              "what is not used",
              size, fields, STORE_SIZE_MAX);
    return false;
}

enum template_store_answer
template_store_change(struct redis_sync *sync, const struct account_keys *keys,
                      const struct template_store *store, const struct stored_template *changes,
                      uint32_t count, uint64_t *number, struct error_text *error)
{
    char hash[KEYS_BASE_MAX + 16];
    char log[KEYS_BASE_MAX + 24];
    hash_key(keys, hash, sizeof(hash));
    (void)snprintf(log, sizeof(log), "%s:log", hash);
    check(count > 0 && count <= STORE_CHANGES_MAX);
    if (!fits(store, changes, count, error))
        return TEMPLATE_STORE_FAILED;
    struct change change = {
        .session = redis_sync_session(sync),
        .hash = hash,
        .log = log,
        .store = store,
        .number = store->number + 1,
        .memory = check_alloc(1, STORED_VALUE_MAX),
    };
    bool good = write_all(&change, changes, count);
    free(change.memory);
    if (!good) {
        error_set(error, "too many templates at once: add them in several calls");
        return TEMPLATE_STORE_FAILED;
    }
    const struct reply *reply = redis_sync_words(sync, "EXEC", NULL);
    if (reply != NULL && reply->type == REPLY_NIL)
        return TEMPLATE_STORE_CHANGED;
    if (reply == NULL || reply->type != REPLY_ARRAY) {
        (void)say_refused(sync, reply, hash, error);
        return TEMPLATE_STORE_FAILED;
    }
    *number = change.number;
    return TEMPLATE_STORE_DONE;
}
