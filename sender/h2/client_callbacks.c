/* What nghttp2 calls while it is fed and drained. Nothing in here calls the owner. */
#include "sender/base/check.h"
#include "sender/h2/client_state.h"
#include "sender/h2/http_date.h"

#include <string.h>

static struct h2_client *
client_of(void *context)
{
    struct h2_client *client = context;
    check_magic(client, H2_CLIENT_MAGIC);
    return client;
}

/* NULL: the stream is not ours any more (answered early, cancelled), or never was. */
static struct h2_exchange *
exchange_of(const struct h2_client *client, int32_t stream_id)
{
    struct h2_exchange *exchange =
        nghttp2_session_get_stream_user_data(client->session.nghttp2, stream_id);
    if (exchange != NULL) {
        check_magic(exchange, H2_EXCHANGE_MAGIC);
        check(exchange->client == client && !exchange->ended);
    }
    return exchange;
}

/* From here on the peer may see the request: only its own word can take that back. */
static int
on_frame_leaving(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *context)
{
    (void)nghttp2;
    struct h2_client *client = client_of(context);
    h2_session_note_frame(&client->session, frame);
    if (frame->hd.type == NGHTTP2_HEADERS) {
        struct h2_exchange *exchange = exchange_of(client, frame->hd.stream_id);
        check(exchange != NULL);
        exchange->handed_out = true;
    }
    return 0;
}

ssize_t
h2_client_read_body(nghttp2_session *nghttp2, int32_t stream_id, uint8_t *data, size_t size,
                    uint32_t *flags, nghttp2_data_source *source, void *context)
{
    (void)nghttp2;
    (void)source;
    struct h2_exchange *exchange = exchange_of(client_of(context), stream_id);
    if (exchange == NULL) /* its owner took the body back; a reset is on its way */
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    size_t left = exchange->body.size - exchange->body_sent;
    size_t part = left < size ? left : size;
    if (part > 0)
        memcpy(data, exchange->body.data + exchange->body_sent, part);
    exchange->body_sent += part;
    if (part == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)part;
}

/* We said ENABLE_PUSH 0 before any request, so no honest server pushes; until our SETTINGS are
 * acknowledged nghttp2 itself would only cancel what is pushed. */
static int
on_frame_begin(nghttp2_session *nghttp2, const nghttp2_frame_hd *frame, void *context)
{
    if (frame->type == NGHTTP2_PUSH_PROMISE)
        h2_session_note(&client_of(context)->session,
                        nghttp2_session_terminate_session(nghttp2, NGHTTP2_PROTOCOL_ERROR));
    return 0;
}

static int
on_block_begin(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *context)
{
    (void)nghttp2;
    struct h2_client *client = client_of(context);
    struct h2_exchange *exchange = exchange_of(client, frame->hd.stream_id);
    client->block_owner = exchange;
    client->block_size = 0;
    if (exchange != NULL) {
        client->block_is_trailer = exchange->status != 0;
        exchange->begun = true;
    }
    return 0;
}

/* The three digits of :status. False: no status that an answer can have. */
static bool
read_status(struct h2_exchange *exchange, struct span value)
{
    uint64_t status;
    if (value.size != 3 || !span_to_u64(value, &status) || status < 100)
        return false;
    if (status >= 200) /* a 1xx is news of an answer to come */
        exchange->status = (int)status;
    return true;
}

static void
read_retry_after(struct h2_exchange *exchange, struct span value)
{
    uint64_t seconds;
    if (span_to_u64(value, &seconds))
        exchange->retry_after_s = seconds < UINT32_MAX ? (uint32_t)seconds : UINT32_MAX;
    else
        (void)http_date_read(value, &exchange->retry_at_s);
}

static int
on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, const uint8_t *name,
          size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *context)
{
    (void)flags;
    struct h2_client *client = client_of(context);
    struct h2_exchange *exchange = client->block_owner;
    client->block_size += name_size + value_size + 32;
    if (client->block_size > H2_HEADER_LIST_SIZE_MAX) {
        h2_session_note(&client->session,
                        nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                                  NGHTTP2_ENHANCE_YOUR_CALM));
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    }
    if (exchange == NULL || client->block_is_trailer)
        return 0;

    struct span key = {.data = (const char *)name, .size = name_size};
    struct span text = {.data = (const char *)value, .size = value_size};
    if (span_equal(key, SPAN(":status")))
        return read_status(exchange, text) ? 0 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    if (exchange->status != 0 && span_equal(key, SPAN("retry-after")))
        read_retry_after(exchange, text);
    return 0;
}

static int
on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t stream_id, const uint8_t *data,
        size_t size, void *context)
{
    (void)nghttp2;
    (void)flags;
    struct h2_exchange *exchange = exchange_of(client_of(context), stream_id);
    if (exchange == NULL)
        return 0;
    size_t room = buffer_room(&exchange->response);
    if (size > room)
        exchange->truncated = true;
    buffer_put(&exchange->response, data, size < room ? size : room);
    return 0;
}

/*
 * END_STREAM. When our side of the stream is closed too, nghttp2 closes it right after and
 * on_stream_close() ends the exchange. A server that answers without waiting for our body may never
 * open its window for the rest: then the answer counts at once, and we take the body back.
 */
static void
on_answer_complete(struct h2_client *client, int32_t stream_id)
{
    struct h2_exchange *exchange = exchange_of(client, stream_id);
    if (exchange == NULL || exchange->status == 0)
        return;
    exchange->complete = true;
    if (nghttp2_session_get_stream_local_close(client->session.nghttp2, stream_id) != 1) {
        h2_client_abandon(client, exchange);
        h2_client_finish(client, exchange, H2_ANSWERED);
    }
}

/* Our PINGs carry their number, so an acknowledgement that nobody asked for is told apart. */
static void
on_ping_answer(struct h2_client *client, const uint8_t *opaque)
{
    uint64_t number;
    memcpy(&number, opaque, sizeof(number));
    if (number <= client->pings_answered || number > client->pings_sent)
        return;
    client->pongs_due += number - client->pings_answered;
    client->pings_answered = number;
}

static int
on_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *context)
{
    (void)nghttp2;
    struct h2_client *client = client_of(context);
    bool is_ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    switch (frame->hd.type) {
    case NGHTTP2_DATA:
    case NGHTTP2_HEADERS:
        if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0)
            on_answer_complete(client, frame->hd.stream_id);
        break;
    case NGHTTP2_SETTINGS:
        if (!is_ack)
            client->ready = true;
        break;
    case NGHTTP2_PING:
        if (is_ack)
            on_ping_answer(client, frame->ping.opaque_data);
        break;
    case NGHTTP2_GOAWAY:
        client->going_away = true;
        break;
    default: /* frame types are open-ended: the rest is nghttp2's business */
        break;
    }
    return 0;
}

/*
 * Important: this is where "not processed" is said of something that left us. REFUSED_STREAM is
 * what the peer wrote in RST_STREAM, or what nghttp2 says of streams above GOAWAY's last id and of
 * requests it never sent. A peer that had begun to answer contradicts itself: then nobody knows.
 */
static enum h2_end
end_of_stream(const struct h2_exchange *exchange, uint32_t error_code)
{
    if (exchange->complete)
        return H2_ANSWERED;
    if (!exchange->handed_out)
        return H2_NOT_PROCESSED;
    if (error_code == NGHTTP2_REFUSED_STREAM && !exchange->begun)
        return H2_NOT_PROCESSED;
    return H2_LOST;
}

static int
on_stream_close(nghttp2_session *nghttp2, int32_t stream_id, uint32_t error_code, void *context)
{
    (void)nghttp2;
    struct h2_client *client = client_of(context);
    struct h2_exchange *exchange = exchange_of(client, stream_id);
    if (exchange != NULL)
        h2_client_finish(client, exchange, end_of_stream(exchange, error_code));
    return 0;
}

nghttp2_session_callbacks *
h2_client_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;
    check(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, on_frame_leaving);
    nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_frame_begin);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_block_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    return callbacks;
}
