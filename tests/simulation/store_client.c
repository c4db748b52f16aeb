#include "tests/simulation/store_client.h"

#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

#include <stdlib.h>
#include <string.h>

struct store_client *
store_connect(struct store *store)
{
    struct store_client *client = check_alloc(1, sizeof(*client));
    struct store_client **last = &store->clients;
    client->magic = STORE_CLIENT_MAGIC;
    client->store = store;
    client->id = ++store->client_ids;
    client->is_open = true;
    while (*last != NULL)
        last = &(*last)->next;
    *last = client;
    return client;
}

void
store_client_close(struct store_client *client)
{
    client->is_open = false;
    store_transaction_forget(client);
    if (client->blockade.is_on)
        store_client_unblock_now(client);
    client->is_resumed = false;
}

void
store_client_crash_all(struct store *store)
{
    for (struct store_client *client = store->clients; client != NULL; client = client->next) {
        store_client_close(client);
        client->reply.size = 0;
        client->taken = 0;
    }
}

void
store_disconnect(struct store_client *client)
{
    check_magic(client, STORE_CLIENT_MAGIC);
    struct store_client **at = &client->store->clients;
    store_client_close(client);
    while (*at != client)
        at = &(*at)->next;
    *at = client->next;
    store_text_drop(client->name);
    store_reader_free(&client->reader);
    store_bytes_free(&client->reply);
    store_bytes_free(&client->transaction.queue);
    client->magic = 0;
    free(client);
}

struct store_client *
store_client_find(struct store *store, int64_t id)
{
    for (struct store_client *client = store->clients; client != NULL; client = client->next)
        if (client->is_open && client->id == id)
            return client;
    return NULL;
}

int64_t
store_client_id(const struct store_client *client)
{
    return client->id;
}

bool
store_client_is_open(const struct store_client *client)
{
    return client->is_open;
}

bool
store_client_is_blocked(const struct store_client *client)
{
    return client->blockade.is_on;
}

size_t
store_client_pending(const struct store_client *client)
{
    return client->reply.size - client->taken;
}

void
store_client_take(struct store_client *client, struct buffer *out)
{
    check_magic(client, STORE_CLIENT_MAGIC);
    size_t size = store_client_pending(client);
    size = size < buffer_room(out) ? size : buffer_room(out);
    buffer_put(out, client->reply.data + client->taken, size);
    client->taken += size;
    if (client->taken == client->reply.size) {
        client->reply.size = 0;
        client->taken = 0;
    }
}

/* ---- one request ---------------------------------------------------------------------------- */

/* What EXEC is judged by: what its commands do. */
static uint32_t
flags_of_exec(const struct store_transaction *transaction, uint32_t flags)
{
    uint32_t answered = STORE_COMMAND_LOADING | STORE_COMMAND_STALE;
    uint32_t effect = STORE_COMMAND_WRITE | STORE_COMMAND_DENY_OOM;
    if (transaction->count == 0)
        return flags;
    return (flags & ~answered) | (flags & answered & transaction->flags_all) |
           (transaction->flags_any & effect);
}

/* NULL: refused, and the refusal was answered. */
static const struct store_command *
admit(struct store_client *client, const struct store_request *request, uint32_t *flags)
{
    const struct store_command *command = store_command_find(request->words, request->count);
    bool in_multi = client->transaction.is_open;
    if (!store_command_is_sound(command, request))
        return NULL;
    *flags = store_command_flags(command, request);
    uint32_t judged = *flags;
    if (command->run == store_exec)
        judged = flags_of_exec(&client->transaction, *flags);
    else if (in_multi && (*flags & STORE_COMMAND_NOW) == 0)
        judged |= STORE_COMMAND_DENY_OOM; /* a queue takes memory */
    const char *trouble = store_command_trouble(request->store, judged);
    if (trouble == NULL)
        return command;
    store_reply_error(request->reply, "%s", trouble);
    return NULL;
}

static void
queue_command(struct store_transaction *transaction, const struct store_request *request,
              uint32_t flags)
{
    store_reply_array(&transaction->queue, request->count);
    for (size_t i = 0; i < request->count; i++)
        store_reply_text(&transaction->queue, request->words[i]);
    transaction->flags_any |= flags;
    transaction->flags_all = transaction->count == 0 ? flags : transaction->flags_all & flags;
    transaction->count++;
    store_reply_status(request->reply, "QUEUED");
}

/* A transaction does not outlive an EXEC that was refused: `at` is where the refusal begins. */
static void
refuse_exec(struct store_client *client, size_t at)
{
    struct span said = {.data = client->reply.data + at + 1, .size = client->reply.size - at - 1};
    if (span_starts(said, SPAN("ERR ")))
        said = (struct span){.data = said.data + 4, .size = said.size - 4};
    struct store_text *reason = store_text_new(said);
    client->reply.size = at;
    store_reply_error(&client->reply, "EXECABORT Transaction discarded because of: %.*s",
                      SPAN_ARG(store_text_span(reason)));
    store_text_drop(reason);
    store_transaction_forget(client);
}

static void
do_request(struct store_client *client, size_t count)
{
    uint32_t flags;
    struct store_request request = {.store = client->store,
                                    .client = client,
                                    .words = client->reader.words,
                                    .count = count,
                                    .reply = &client->reply,
                                    .may_block = true};
    size_t before = client->reply.size;
    const struct store_command *command = admit(client, &request, &flags);
    if (command == NULL && store_is_word(request.words[0], "EXEC"))
        refuse_exec(client, before);
    else if (command == NULL)
        client->transaction.is_refused = client->transaction.is_open;
    else if (client->transaction.is_open && (flags & STORE_COMMAND_NOW) == 0)
        queue_command(&client->transaction, &request, flags);
    else
        store_command_run(command, &request);
}

/* Does what it has sent, until there is no more or a command blocks. */
static void
go_on(struct store_client *client)
{
    struct error_text error;
    size_t count;
    while (client->is_open && !client->blockade.is_on) {
        enum store_reader_state state = store_reader_next(&client->reader, &count, &error);
        if (state == STORE_READER_MORE)
            return;
        if (state == STORE_READER_BAD) {
            store_reply_error(&client->reply, "ERR %s", error.text);
            store_client_close(client);
            return;
        }
        do_request(client, count);
        if (client->is_ending)
            store_client_close(client);
        store_client_serve(client->store);
    }
}

void
store_client_feed(struct store_client *client, const char *data, size_t size)
{
    check_magic(client, STORE_CLIENT_MAGIC);
    if (!client->is_open)
        return;
    store_reader_add(&client->reader, data, size);
    go_on(client);
}

/* ---- being blocked -------------------------------------------------------------------------- */

void
store_client_block(struct store_client *client, const struct store_blockade *blockade)
{
    check(!client->blockade.is_on);
    client->blockade = *blockade;
    client->blockade.is_on = true;
    client->store->blocked_count++;
}

void
store_client_unblock_now(struct store_client *client)
{
    check(client->blockade.is_on && client->store->blocked_count > 0);
    store_list_free(&client->blockade.keys);
    free(client->blockade.after);
    client->blockade = (struct store_blockade){0};
    client->store->blocked_count--;
    client->is_resumed = true;
}

void
store_client_stream_grew(struct store *store, struct span key)
{
    if (store->blocked_count == 0)
        return;
    for (uint32_t i = 0; i < store->ready.count; i++)
        if (span_equal(store_list_at(&store->ready, i), key))
            return;
    store_list_insert(&store->ready, store->ready.count, key);
}

/* What came behind the id it waits behind; nothing at all, if it was deleted in the same step. */
static void
answer_blocked(struct store_client *client, struct span key, const struct store_stream *stream)
{
    struct store_blockade *blockade = &client->blockade;
    for (uint32_t i = 0; i < blockade->keys.count; i++) {
        struct store_stream_range range = {
            .first = blockade->after[i], .last = STORE_ID_MAX, .at_most = blockade->at_most};
        if (!span_equal(store_list_at(&blockade->keys, i), key) ||
            store_id_compare(stream->last, range.first) <= 0)
            continue;
        (void)store_id_next(&range.first);
        store_reply_array(&client->reply, 1);
        store_reply_array(&client->reply, 2);
        store_reply_text(&client->reply, key);
        store_stream_tell(stream, &range, &client->reply);
        store_client_unblock_now(client);
        return;
    }
}

static void
serve_key(struct store *store, struct span key)
{
    const struct store_value *value = store_keys_find(&store->keys, key, store_now_ms(store));
    if (value == NULL || value->type != STORE_STREAM)
        return;
    for (struct store_client *client = store->clients; client != NULL; client = client->next)
        if (client->blockade.is_on)
            answer_blocked(client, key, &value->stream);
}

static struct store_client *
find_resumed(struct store *store)
{
    for (struct store_client *client = store->clients; client != NULL; client = client->next)
        if (client->is_resumed)
            return client;
    return NULL;
}

void
store_client_serve(struct store *store)
{
    struct store_client *client = NULL;
    if (store->is_serving)
        return;
    store->is_serving = true;
    do {
        while (store->ready.count > 0) {
            struct store_text *key = store_text_hold(store->ready.items[store->ready.first]);
            store_list_remove(&store->ready, 0);
            serve_key(store, store_text_span(key));
            store_text_drop(key);
        }
        client = find_resumed(store);
        if (client != NULL) {
            client->is_resumed = false;
            go_on(client);
        }
    } while (client != NULL || store->ready.count > 0);
    store->is_serving = false;
}
