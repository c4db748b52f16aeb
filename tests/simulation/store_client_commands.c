/* Commands about connections, transactions, and XREAD, which may block one. */
#include "sender/base/check.h"
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

#include <stdlib.h>

/* Functions are not let in here; store_call() is told so. */
static bool
needs_connection(const struct store_request *request)
{
    if (request->client != NULL)
        return false;
    store_reply_error(request->reply, "ERR this command needs a connection");
    return true;
}

/* ---- CLIENT --------------------------------------------------------------------------------- */

void
store_client_id_command(struct store_request *request)
{
    if (!needs_connection(request))
        store_reply_i64(request->reply, request->client->id);
}

void
store_client_setname(struct store_request *request)
{
    struct span name = request->words[2];
    if (needs_connection(request))
        return;
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] < '!' || name.data[i] > '~') {
            store_reply_error(request->reply, "ERR Client names cannot contain spaces, newlines or "
                                              "special characters.");
            return;
        }
    }
    store_text_drop(request->client->name);
    request->client->name = name.size == 0 ? NULL : store_text_new(name);
    store_reply_ok(request->reply);
}

void
store_client_getname(struct store_request *request)
{
    if (needs_connection(request))
        return;
    if (request->client->name == NULL)
        store_reply_nil(request->reply);
    else
        store_reply_text(request->reply, store_text_span(request->client->name));
}

/* CLIENT KILL ID n [SKIPME yes|no]: the connection that sends it is spared unless told. */
void
store_client_kill(struct store_request *request)
{
    int64_t id = 0;
    bool spares_self = true;
    if (request->count == 3) { /* the old form, by address: nobody has one */
        store_reply_error(request->reply, "ERR No such client");
        return;
    }
    for (size_t i = 2; i < request->count; i += 2) {
        bool has_value = i + 1 < request->count;
        if (has_value && store_request_is(request, i, "ID")) {
            if (!store_read_i64(request->words[i + 1], &id) || id < 1) {
                store_reply_error(request->reply, "ERR client-id should be greater than 0");
                return;
            }
        } else if (has_value && store_request_is(request, i, "SKIPME") &&
                   (store_request_is(request, i + 1, "YES") ||
                    store_request_is(request, i + 1, "NO"))) {
            spares_self = store_request_is(request, i + 1, "YES");
        } else {
            store_request_syntax(request);
            return;
        }
    }
    struct store_client *client = store_client_find(request->store, id);
    bool is_spared = client == NULL || (client == request->client && spares_self);
    store_reply_i64(request->reply, is_spared ? 0 : 1);
    if (client != NULL && client == request->client)
        client->is_ending = !is_spared;
    else if (client != NULL)
        store_client_close(client);
}

void
store_client_unblock(struct store_request *request)
{
    int64_t id;
    bool with_error = store_request_is(request, 3, "ERROR");
    if (request->count > 4 ||
        (request->count == 4 && !with_error && !store_request_is(request, 3, "TIMEOUT"))) {
        store_reply_error(request->reply, "ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR");
        return;
    }
    if (!store_request_i64(request, 2, &id))
        return;
    struct store_client *client = store_client_find(request->store, id);
    if (client == NULL || !client->blockade.is_on) {
        store_reply_i64(request->reply, 0);
        return;
    }
    if (with_error)
        store_reply_error(&client->reply, "UNBLOCKED client unblocked via CLIENT UNBLOCK");
    else
        store_reply_nil_array(&client->reply);
    store_client_unblock_now(client);
    store_reply_i64(request->reply, 1);
}

void
store_quit(struct store_request *request)
{
    if (needs_connection(request))
        return;
    request->client->is_ending = true;
    store_reply_ok(request->reply);
}

/* ---- XREAD ---------------------------------------------------------------------------------- */

enum { BLOCKED_COUNT = 1000 }; /* what Redis gives at most, after blocking without COUNT */

struct xread {
    bool blocks;
    uint64_t until_us; /* 0: for ever */
    uint64_t count;    /* 0: all */
    size_t keys;       /* word of the first key */
    size_t key_count;
    struct store_id *after; /* owned */
};

static bool
read_block(const struct store_request *request, size_t at, struct xread *xread)
{
    int64_t ms;
    if (request->in_function) {
        store_reply_error(request->reply,
                          "ERR %.*s command is not allowed with BLOCK option from scripts",
                          SPAN_ARG(request->words[0]));
        return false;
    }
    if (!store_read_i64(request->words[at], &ms)) {
        store_reply_error(request->reply, "ERR timeout is not an integer or out of range");
        return false;
    }
    if (ms < 0) {
        store_reply_error(request->reply, "ERR timeout is negative");
        return false;
    }
    xread->blocks = true;
    xread->until_us = ms == 0 ? 0 : request->store->now_us + (uint64_t)ms * 1000;
    return true;
}

static bool
read_xread_options(const struct store_request *request, struct xread *xread)
{
    int64_t count;
    for (size_t i = 1; i + 1 < request->count; i += 2) {
        if (store_request_is(request, i, "BLOCK")) {
            if (!read_block(request, i + 1, xread))
                return false;
        } else if (store_request_is(request, i, "COUNT")) {
            if (!store_request_i64(request, i + 1, &count))
                return false;
            xread->count = count < 0 ? 0 : (uint64_t)count;
        } else if (store_request_is(request, i, "STREAMS")) {
            xread->keys = i + 1;
            xread->key_count = (request->count - xread->keys) / 2;
            if ((request->count - xread->keys) % 2 == 0)
                return true;
            store_reply_error(request->reply,
                              "ERR Unbalanced XREAD list of streams: for each stream key an ID or "
                              "'$' must be specified.");
            return false;
        } else {
            break;
        }
    }
    store_request_syntax(request);
    return false;
}

static bool
read_xread_ids(const struct store_request *request, struct xread *xread)
{
    xread->after = check_alloc(xread->key_count, sizeof(*xread->after));
    for (size_t i = 0; i < xread->key_count; i++) {
        struct store_value *value;
        size_t at = xread->keys + xread->key_count + i;
        if (!store_request_find(request, xread->keys + i, STORE_STREAM, &value))
            return false;
        if (store_request_is(request, at, "$")) {
            xread->after[i] = value == NULL ? STORE_ID_MIN : value->stream.last;
        } else if (!store_id_read(request->words[at], 0, &xread->after[i], NULL)) {
            store_reply_error(request->reply,
                              "ERR Invalid stream ID specified as stream command argument");
            return false;
        }
    }
    return true;
}

/* How many streams have something, each told into `found`. */
static size_t
find_news(const struct store_request *request, const struct xread *xread, struct store_bytes *found)
{
    size_t count = 0;
    for (size_t i = 0; i < xread->key_count; i++) {
        struct store_value *value;
        struct store_stream_range range = {.first = xread->after[i],
                                           .last = STORE_ID_MAX,
                                           .at_most =
                                               xread->count == 0 ? UINT64_MAX : xread->count};
        if (!store_request_find(request, xread->keys + i, STORE_STREAM, &value) || value == NULL ||
            !store_id_next(&range.first) || store_stream_from(&value->stream, range.first) == NULL)
            continue;
        store_reply_array(found, 2);
        store_reply_text(found, request->words[xread->keys + i]);
        store_stream_tell(&value->stream, &range, found);
        count++;
    }
    return count;
}

static void
block(const struct store_request *request, struct xread *xread)
{
    struct store_blockade blockade = {.after = xread->after,
                                      .at_most = xread->count == 0 ? BLOCKED_COUNT : xread->count,
                                      .until_us = xread->until_us};
    for (size_t i = 0; i < xread->key_count; i++)
        store_list_insert(&blockade.keys, (uint32_t)i, request->words[xread->keys + i]);
    store_client_block(request->client, &blockade);
    xread->after = NULL;
}

void
store_xread(struct store_request *request)
{
    struct xread xread = {0};
    if (read_xread_options(request, &xread) && read_xread_ids(request, &xread)) {
        struct store_bytes found = {0};
        size_t count = find_news(request, &xread, &found);
        if (count > 0) {
            store_reply_array(request->reply, count);
            store_bytes_put(request->reply, found.data, found.size);
        } else if (xread.blocks && request->may_block) {
            block(request, &xread);
        } else {
            store_reply_nil_array(request->reply);
        }
        store_bytes_free(&found);
    }
    free(xread.after);
}
