/* MULTI, EXEC, DISCARD, WATCH, UNWATCH. */
#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

static void
forget_watches(struct store_client *client)
{
    struct store_transaction *transaction = &client->transaction;
    if (transaction->watched.count > 0)
        client->store->watching_count--;
    store_list_free(&transaction->watched);
    transaction->is_overtaken = false;
    transaction->expires_ms = 0;
}

void
store_transaction_forget(struct store_client *client)
{
    forget_watches(client);
    store_bytes_free(&client->transaction.queue);
    client->transaction = (struct store_transaction){0};
}

static bool
is_watched(const struct store_client *client, struct span key)
{
    for (uint32_t i = 0; i < client->transaction.watched.count; i++)
        if (span_equal(store_list_at(&client->transaction.watched, i), key))
            return true;
    return false;
}

void
store_client_touch(struct store *store, struct span key)
{
    if (store->watching_count == 0)
        return;
    for (struct store_client *client = store->clients; client != NULL; client = client->next)
        if (is_watched(client, key))
            client->transaction.is_overtaken = true;
}

/* Redis looks at watched keys that are there; a missing one is not changed by a flush. */
void
store_client_touch_all(struct store *store)
{
    if (store->watching_count == 0)
        return;
    for (struct store_client *client = store->clients; client != NULL; client = client->next)
        for (uint32_t i = 0; i < client->transaction.watched.count; i++)
            if (store_keys_find(&store->keys, store_list_at(&client->transaction.watched, i),
                                store_now_ms(store)) != NULL)
                client->transaction.is_overtaken = true;
}

static bool
has_no_connection(const struct store_request *request)
{
    if (request->client != NULL)
        return false;
    store_reply_error(request->reply, "ERR this command needs a connection");
    return true;
}

void
store_multi(struct store_request *request)
{
    if (has_no_connection(request))
        return;
    if (request->client->transaction.is_open) {
        store_reply_error(request->reply, "ERR MULTI calls can not be nested");
        return;
    }
    request->client->transaction.is_open = true;
    store_reply_ok(request->reply);
}

void
store_discard(struct store_request *request)
{
    if (has_no_connection(request))
        return;
    if (!request->client->transaction.is_open) {
        store_reply_error(request->reply, "ERR DISCARD without MULTI");
        return;
    }
    store_transaction_forget(request->client);
    store_reply_ok(request->reply);
}

void
store_watch(struct store_request *request)
{
    struct store *store = request->store;
    if (has_no_connection(request))
        return;
    struct store_transaction *transaction = &request->client->transaction;
    if (transaction->is_open) {
        store_reply_error(request->reply, "ERR WATCH inside MULTI is not allowed");
        return;
    }
    for (size_t i = 1; i < request->count; i++) {
        const struct store_value *value =
            store_keys_find(&store->keys, request->words[i], store_now_ms(store));
        if (transaction->watched.count == 0)
            store->watching_count++;
        store_list_insert(&transaction->watched, transaction->watched.count, request->words[i]);
        if (value != NULL && value->expires_ms > 0 &&
            (transaction->expires_ms == 0 || value->expires_ms < transaction->expires_ms))
            transaction->expires_ms = value->expires_ms;
    }
    store_reply_ok(request->reply);
}

void
store_unwatch(struct store_request *request)
{
    if (has_no_connection(request))
        return;
    forget_watches(request->client);
    store_reply_ok(request->reply);
}

/* Does what was queued. The queue is taken out first: the commands may end the connection. */
static void
do_queue(struct store_request *request)
{
    struct store_reader reader = {0};
    struct error_text error;
    size_t count;
    struct store_transaction *transaction = &request->client->transaction;
    store_reply_array(request->reply, transaction->count);
    store_reader_add(&reader, transaction->queue.data, transaction->queue.size);
    store_transaction_forget(request->client);
    while (store_reader_next(&reader, &count, &error) == STORE_READER_ONE) {
        struct store_request step = {.store = request->store,
                                     .client = request->client,
                                     .words = reader.words,
                                     .count = count,
                                     .reply = request->reply};
        const struct store_command *command = store_command_find(reader.words, count);
        check(command != NULL);
        store_command_run(command, &step);
    }
    store_reader_free(&reader);
}

void
store_exec(struct store_request *request)
{
    if (has_no_connection(request))
        return;
    struct store_transaction *transaction = &request->client->transaction;
    if (!transaction->is_open) {
        store_reply_error(request->reply, "ERR EXEC without MULTI");
        return;
    }
    bool is_overtaken =
        transaction->is_overtaken ||
        (transaction->expires_ms > 0 && transaction->expires_ms < store_now_ms(request->store));
    if (transaction->is_refused)
        store_reply_error(request->reply,
                          "EXECABORT Transaction discarded because of previous errors.");
    else if (is_overtaken)
        store_reply_nil_array(request->reply);
    else {
        do_queue(request);
        return;
    }
    store_transaction_forget(request->client);
}
