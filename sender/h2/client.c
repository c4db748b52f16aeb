#include "sender/h2/client.h"
#include "sender/base/check.h"
#include "sender/h2/client_state.h"

#include <stdlib.h>
#include <string.h>

enum { REQUEST_HEADERS_MAX = 8 };

static void
list_append(struct h2_exchange_list *list, struct h2_exchange *exchange)
{
    exchange->next = NULL;
    exchange->previous = list->last;
    if (list->last != NULL)
        list->last->next = exchange;
    else
        list->first = exchange;
    list->last = exchange;
}

static void
list_remove(struct h2_exchange_list *list, struct h2_exchange *exchange)
{
    if (exchange->previous != NULL)
        exchange->previous->next = exchange->next;
    else
        list->first = exchange->next;
    if (exchange->next != NULL)
        exchange->next->previous = exchange->previous;
    else
        list->last = exchange->previous;
    exchange->next = NULL;
    exchange->previous = NULL;
}

struct h2_client *
h2_client_open(const struct h2_client_settings *settings, const struct h2_client_events *events,
               void *context)
{
    check(settings->exchanges_max > 0 && settings->authority.size > 0);
    check(events->on_end != NULL);
    struct h2_client *client = check_alloc(1, sizeof(*client));
    client->magic = H2_CLIENT_MAGIC;
    client->events = *events;
    client->context = context;
    client->exchanges_max = settings->exchanges_max;

    struct buffer names;
    size_t names_size = settings->authority.size + settings->user_agent.size;
    client->names = check_alloc(1, names_size);
    buffer_init(&names, client->names, names_size);
    buffer_put_span(&names, settings->authority);
    buffer_put_span(&names, settings->user_agent);
    client->authority = (struct span){.data = client->names, .size = settings->authority.size};
    client->user_agent = (struct span){.data = client->names + settings->authority.size,
                                       .size = settings->user_agent.size};

    nghttp2_session_callbacks *callbacks = h2_client_callbacks();
    h2_session_open(&client->session,
                    &(struct h2_session_settings){.callbacks = callbacks,
                                                  .context = client,
                                                  .streams_max = settings->exchanges_max,
                                                  .stream_window = H2_STREAM_WINDOW});
    nghttp2_session_callbacks_del(callbacks);
    return client;
}

void
h2_client_close(struct h2_client *client)
{
    if (client == NULL)
        return;
    check_magic(client, H2_CLIENT_MAGIC);
    check(!client->reporting);
    check(client->active == 0);
    h2_session_close(&client->session);
    free(client->names);
    client->magic = 0;
    free(client);
}

static bool
is_usable(const struct h2_client *client)
{
    return !client->session.broken && !client->session.violated && !client->lost;
}

/* Client ids are odd, 1 … 2^31 - 1; some may be given to exchanges that wait in nghttp2. */
static uint32_t
stream_ids_left(const struct h2_client *client)
{
    uint32_t next = nghttp2_session_get_next_stream_id(client->session.nghttp2);
    return next > INT32_MAX ? 0 : (INT32_MAX - next) / 2 + 1;
}

bool
h2_client_is_ready(const struct h2_client *client)
{
    return client->ready;
}

bool
h2_client_is_going_away(const struct h2_client *client)
{
    return client->going_away || stream_ids_left(client) == 0;
}

uint32_t
h2_client_active(const struct h2_client *client)
{
    return client->active;
}

uint32_t
h2_client_room(const struct h2_client *client)
{
    check_magic(client, H2_CLIENT_MAGIC);
    if (!is_usable(client) || client->going_away)
        return 0;
    uint32_t limit = nghttp2_session_get_remote_settings(client->session.nghttp2,
                                                         NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS);
    if (limit > client->exchanges_max)
        limit = client->exchanges_max;
    if (client->active >= limit)
        return 0;
    uint32_t room = limit - client->active;
    uint32_t ids = stream_ids_left(client);
    return room < ids ? room : ids;
}

/* Every value is borrowed until on_end, so nghttp2 need not copy it before it is serialised. */
static nghttp2_nv
header(const char *name, struct span value)
{
    return (nghttp2_nv){.name = (uint8_t *)name,
                        .value = (uint8_t *)value.data,
                        .namelen = strlen(name),
                        .valuelen = value.size,
                        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

/* `digits` holds content-length's value; it lives only until nghttp2 has copied it. */
static size_t
list_headers(const struct h2_client *client, const struct h2_request *request,
             struct buffer *digits, nghttp2_nv headers[REQUEST_HEADERS_MAX])
{
    size_t count = 0;
    headers[count++] = header(":method", request->method);
    headers[count++] = header(":scheme", SPAN("https"));
    headers[count++] = header(":authority", client->authority);
    headers[count++] = header(":path", request->path);
    if (client->user_agent.size > 0)
        headers[count++] = header("user-agent", client->user_agent);
    if (request->authorization.size > 0) {
        headers[count] = header("authorization", request->authorization);
        headers[count++].flags |= NGHTTP2_NV_FLAG_NO_INDEX; /* a secret: indexed nowhere */
    }
    if (request->content_type.size > 0)
        headers[count++] = header("content-type", request->content_type);
    if (request->body.size > 0) {
        buffer_put_u64(digits, request->body.size);
        headers[count] = header("content-length", buffer_span(digits));
        headers[count++].flags &= (uint8_t)~NGHTTP2_NV_FLAG_NO_COPY_VALUE;
    }
    check(count <= REQUEST_HEADERS_MAX);
    return count;
}

void
h2_client_start(struct h2_client *client, struct h2_exchange *exchange,
                const struct h2_request *request)
{
    check_magic(client, H2_CLIENT_MAGIC);
    check(!client->session.inside);
    check(h2_client_room(client) > 0);
    *exchange = (struct h2_exchange){.magic = H2_EXCHANGE_MAGIC,
                                     .client = client,
                                     .body = request->body,
                                     .response = exchange->response};
    list_append(&client->running, exchange);
    client->active++;

    char digit_memory[20];
    struct buffer digits;
    buffer_init(&digits, digit_memory, sizeof(digit_memory));
    nghttp2_nv headers[REQUEST_HEADERS_MAX];
    size_t header_count = list_headers(client, request, &digits, headers);
    nghttp2_data_provider body = {.read_callback = h2_client_read_body};
    int32_t stream_id = nghttp2_submit_request(client->session.nghttp2, NULL, headers, header_count,
                                               request->body.size > 0 ? &body : NULL, exchange);
    if (stream_id < 0) { /* out of memory: this connection is finished, and this never left */
        client->session.broken = true;
        h2_client_finish(client, exchange, H2_NOT_PROCESSED);
        return;
    }
    exchange->stream_id = stream_id;
}

void
h2_client_finish(struct h2_client *client, struct h2_exchange *exchange, enum h2_end end)
{
    check(exchange->client == client && !exchange->ended);
    check(end == H2_ANSWERED ? exchange->complete : !exchange->complete);
    check(end != H2_LOST || exchange->handed_out);
    list_remove(&client->running, exchange);
    exchange->ended = true;
    exchange->end = end;
    if (client->block_owner == exchange)
        client->block_owner = NULL;
    list_append(&client->ended, exchange);
}

void
h2_client_abandon(struct h2_client *client, struct h2_exchange *exchange)
{
    if (client->session.broken)
        return;
    nghttp2_session *nghttp2 = client->session.nghttp2;
    check(nghttp2_session_set_stream_user_data(nghttp2, exchange->stream_id, NULL) == 0);
    h2_session_note(
        &client->session,
        nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, exchange->stream_id, NGHTTP2_CANCEL));
}

/* What can be said when nothing more will be heard. */
static enum h2_end
end_by_now(const struct h2_exchange *exchange)
{
    if (exchange->complete)
        return H2_ANSWERED;
    return exchange->handed_out ? H2_LOST : H2_NOT_PROCESSED;
}

/* Calls on_end for one exchange, which is the owner's again from then on. */
static void
give_back(struct h2_client *client, struct h2_exchange *exchange)
{
    check_magic(exchange, H2_EXCHANGE_MAGIC);
    check(exchange->client == client && exchange->ended);
    list_remove(&client->ended, exchange);
    check(client->active > 0);
    client->active--;
    exchange->client = NULL;
    bool outer = client->reporting; /* on_end may cancel another, whose on_end comes inside */
    client->reporting = true;
    client->events.on_end(client->context, exchange, exchange->end);
    client->reporting = outer;
}

static void
report(struct h2_client *client)
{
    check(!client->session.inside);
    while (client->pongs_due > 0) {
        client->pongs_due--;
        client->reporting = true;
        if (client->events.on_pong != NULL)
            client->events.on_pong(client->context);
        client->reporting = false;
    }
    while (client->ended.first != NULL)
        give_back(client, client->ended.first);
}

/* Ends what cannot start any more: nghttp2 would tell only when it next has room to send them. */
static void
end_unsent(struct h2_client *client)
{
    struct h2_exchange *next;
    for (struct h2_exchange *exchange = client->running.first; exchange != NULL; exchange = next) {
        next = exchange->next;
        if (exchange->handed_out)
            continue;
        h2_client_abandon(client, exchange);
        h2_client_finish(client, exchange, H2_NOT_PROCESSED);
    }
}

/* nghttp2 does not tell that it is about to send a GOAWAY for a violation, but it says no to new
 * requests, for which there is no other reason left here. */
static void
detect_violation(struct h2_client *client)
{
    if (!client->session.broken && !client->going_away && stream_ids_left(client) > 0 &&
        nghttp2_session_check_request_allowed(client->session.nghttp2) == 0)
        client->session.violated = true;
}

static enum h2_error
state_of(const struct h2_client *client)
{
    if (client->session.broken || client->session.violated)
        return H2_PROTOCOL;
    if (client->lost || (client->active == 0 && h2_client_is_going_away(client)))
        return H2_ENDED;
    return H2_OK;
}

enum h2_error
h2_client_receive(struct h2_client *client, const char *data, size_t size)
{
    check_magic(client, H2_CLIENT_MAGIC);
    check(!client->reporting);
    if (!client->lost) {
        h2_session_feed(&client->session, data, size);
        detect_violation(client);
        if (client->going_away)
            end_unsent(client);
    }
    report(client);
    return state_of(client);
}

enum h2_error
h2_client_output(struct h2_client *client, struct buffer *out)
{
    check_magic(client, H2_CLIENT_MAGIC);
    check(!client->reporting);
    if (!client->lost)
        h2_session_fill(&client->session, out);
    report(client);
    return state_of(client);
}

bool
h2_client_wants_output(const struct h2_client *client)
{
    check_magic(client, H2_CLIENT_MAGIC);
    return !client->lost &&
           (client->ended.first != NULL || h2_session_wants_output(&client->session));
}

void
h2_client_cancel(struct h2_client *client, struct h2_exchange *exchange)
{
    check_magic(client, H2_CLIENT_MAGIC);
    check_magic(exchange, H2_EXCHANGE_MAGIC);
    check(exchange->client == client);
    check(!client->session.inside);
    exchange->cancelled = true;
    if (!exchange->ended) {
        h2_client_abandon(client, exchange);
        h2_client_finish(client, exchange, end_by_now(exchange));
    }
    give_back(client, exchange);
}

void
h2_client_ping(struct h2_client *client)
{
    check_magic(client, H2_CLIENT_MAGIC);
    if (!is_usable(client))
        return;
    uint64_t number = ++client->pings_sent;
    uint8_t opaque[8];
    memcpy(opaque, &number, sizeof(number));
    h2_session_note(&client->session,
                    nghttp2_submit_ping(client->session.nghttp2, NGHTTP2_FLAG_NONE, opaque));
}

void
h2_client_lose(struct h2_client *client)
{
    check_magic(client, H2_CLIENT_MAGIC);
    check(!client->session.inside);
    client->lost = true; /* nghttp2 is never run again, for its streams still name the exchanges */
    client->pongs_due = 0;
    while (client->running.first != NULL) {
        struct h2_exchange *exchange = client->running.first;
        h2_client_finish(client, exchange, end_by_now(exchange));
    }
    report(client);
}

const struct h2_memory_use *
h2_client_memory(const struct h2_client *client)
{
    check_magic(client, H2_CLIENT_MAGIC);
    return &client->session.memory.use;
}

const char *
h2_error_text(enum h2_error error)
{
    switch (error) {
    case H2_OK:
        return "good";
    case H2_PROTOCOL:
        return "the peer broke the HTTP/2 protocol, or asked for more memory than it may";
    case H2_ENDED:
        return "the connection has ended in good order";
    }
    return "unknown HTTP/2 error";
}

const char *
h2_end_text(enum h2_end end)
{
    switch (end) {
    case H2_ANSWERED:
        return "answered";
    case H2_NOT_PROCESSED:
        return "not processed";
    case H2_LOST:
        return "lost";
    }
    return "unknown end";
}
