/*
 * DUMP and RESTORE: a value as the commands that make it, in RESP, each with a dot for its key. Not
 * Redis' format, but as good for what they are used for: is it the same as before, put it back.
 */
#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

#include <inttypes.h>
#include <stdio.h>

static void
begin(struct store_bytes *dump, const char *command, size_t more)
{
    store_reply_array(dump, 2 + more);
    store_reply_text(dump, span_of(command));
    store_reply_text(dump, SPAN("."));
}

static void
dump_dict(struct store_bytes *dump, const struct store_dict *dict, bool is_hash)
{
    uint32_t position = 0;
    for (const struct store_entry *entry; (entry = store_dict_next(dict, &position, 0)) != NULL;) {
        begin(dump, is_hash ? "HSET" : "SADD", is_hash ? 2 : 1);
        store_reply_text(dump, store_text_span(entry->name));
        if (is_hash)
            store_reply_text(dump, store_text_span(entry->text));
    }
}

static void
dump_ranking(struct store_bytes *dump, const struct store_ranking *ranking)
{
    for (uint32_t i = 0; i < store_ranking_count(ranking); i++) {
        begin(dump, "ZADD", 2);
        store_reply_double(dump, ranking->sorted[i].score);
        store_reply_text(dump, store_text_span(ranking->sorted[i].member));
    }
}

static void
put_id(struct store_bytes *dump, struct store_id id)
{
    char text[48];
    snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64, id.ms, id.sequence);
    store_reply_text(dump, span_of(text));
}

/* An empty one is made by an entry that is deleted at once. */
static void
dump_stream(struct store_bytes *dump, const struct store_stream *stream)
{
    if (stream->count == 0) {
        begin(dump, "XADD", 3);
        put_id(dump, stream->last);
        store_reply_text(dump, SPAN(""));
        store_reply_text(dump, SPAN(""));
        begin(dump, "XDEL", 1);
        put_id(dump, stream->last);
    }
    for (const struct store_stream_entry *entry = store_stream_from(stream, STORE_ID_MIN);
         entry != NULL; entry = store_stream_next(stream, entry)) {
        struct span fields = store_text_span(entry->fields);
        size_t at = 0;
        struct store_reply_head head = store_reply_read_head(fields, &at);
        begin(dump, "XADD", 1 + (size_t)head.number);
        put_id(dump, entry->id);
        store_bytes_put(dump, fields.data + at, fields.size - at);
    }
    begin(dump, "XSETID", 1);
    put_id(dump, stream->last);
}

static void
dump_value(struct store_bytes *dump, const struct store_value *value)
{
    switch (value->type) {
    case STORE_STRING:
        begin(dump, "SET", 1);
        store_reply_text(dump, store_text_span(value->text));
        break;
    case STORE_LIST:
        for (uint32_t i = 0; i < value->list.count; i++) {
            begin(dump, "RPUSH", 1);
            store_reply_text(dump, store_list_at(&value->list, i));
        }
        break;
    case STORE_HASH:
    case STORE_SET:
        dump_dict(dump, &value->dict, value->type == STORE_HASH);
        break;
    case STORE_RANKING:
        dump_ranking(dump, &value->ranking);
        break;
    case STORE_STREAM:
        dump_stream(dump, &value->stream);
        break;
    }
}

void
store_dump(struct store_request *request)
{
    struct store *store = request->store;
    const struct store_value *value =
        store_keys_find(&store->keys, request->words[1], store_now_ms(store));
    struct store_bytes dump = {0};
    if (value == NULL) {
        store_reply_nil(request->reply);
        return;
    }
    dump_value(&dump, value);
    store_reply_text(request->reply, store_bytes_span(&dump));
    store_bytes_free(&dump);
}

enum { WORDS_MAX = 4096 };

/* Does one command of a dump, for the key that is restored. */
static void
replay(struct store_request *request, struct span dump, size_t *at)
{
    struct span words[WORDS_MAX];
    struct store_bytes ignored = {0};
    struct store_reply_head head = store_reply_read_head(dump, at);
    check(head.type == '*' && head.number >= 2 && head.number <= WORDS_MAX);
    for (int64_t i = 0; i < head.number; i++)
        words[i] = store_reply_read_head(dump, at).text;
    words[1] = request->words[1];
    struct store_request step = {
        .store = request->store, .words = words, .count = (size_t)head.number, .reply = &ignored};
    const struct store_command *command = store_command_find(words, step.count);
    check(command != NULL);
    command->run(&step);
    store_bytes_free(&ignored);
}

/* RESTORE key 0 DUMP [REPLACE]. The dump must be one of this program's. */
void
store_restore(struct store_request *request)
{
    struct store *store = request->store;
    bool replaces = store_request_is(request, 4, "REPLACE");
    if (request->count > 5 || (request->count == 5 && !replaces) ||
        !store_request_is(request, 2, "0")) {
        store_request_syntax(request);
        return;
    }
    if (store_keys_find(&store->keys, request->words[1], store_now_ms(store)) != NULL &&
        !replaces) {
        store_reply_error(request->reply, "BUSYKEY Target key name already exists.");
        return;
    }
    (void)store_keys_remove(&store->keys, request->words[1]);
    for (size_t at = 0; at < request->words[3].size;)
        replay(request, request->words[3], &at);
    store_request_changed(request, 1);
    store_reply_ok(request->reply);
}
