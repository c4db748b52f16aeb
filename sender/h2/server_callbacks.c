/* What nghttp2 calls while it is fed and drained. Of the owner only on_headers is called here. */
#include "sender/base/check.h"
#include "sender/h2/server_state.h"

static struct h2_server *
server_of(void *context)
{
    struct h2_server *server = context;
    check_magic(server, H2_SERVER_MAGIC);
    return server;
}

/* NULL: a stream above our GOAWAY, which nobody serves. */
static struct h2_server_stream *
stream_of(const struct h2_server *server, int32_t stream_id)
{
    struct h2_server_stream *stream =
        nghttp2_session_get_stream_user_data(server->session.nghttp2, stream_id);
    if (stream != NULL) {
        check_magic(stream, H2_SERVER_STREAM_MAGIC);
        check(stream->id == stream_id);
    }
    return stream;
}

static void
append_due(struct h2_server *server, struct h2_server_stream *stream)
{
    if (stream->is_due)
        return;
    stream->is_due = true;
    stream->next = NULL;
    if (server->due_last != NULL)
        server->due_last->next = stream;
    else
        server->due_first = stream;
    server->due_last = stream;
}

static int
on_frame_leaving(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *context)
{
    (void)nghttp2;
    h2_session_note_frame(&server_of(context)->session, frame);
    return 0;
}

ssize_t
h2_server_read_response(nghttp2_session *nghttp2, int32_t stream_id, uint8_t *data, size_t size,
                        uint32_t *flags, nghttp2_data_source *source, void *context)
{
    (void)nghttp2;
    (void)source;
    struct h2_server_stream *stream = stream_of(server_of(context), stream_id);
    check(stream != NULL);
    size_t part = h2_server_stream_take_response(stream, data, size);
    bool is_empty = stream->response_sent == stream->response.size;
    if (is_empty && stream->response_end)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    else if (part == 0)
        return NGHTTP2_ERR_DEFERRED; /* until h2_server_data() */
    return (ssize_t)part;
}

static int
on_block_begin(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *context)
{
    struct h2_server *server = server_of(context);
    server->block_size = 0;
    int32_t stream_id = frame->hd.stream_id;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST || stream_id > server->stream_id_max)
        return 0;
    server->stream_id_seen = stream_id;
    struct h2_server_stream *stream = h2_server_take_stream(server, stream_id);
    check(nghttp2_session_set_stream_user_data(nghttp2, stream_id, stream) == 0);
    return 0;
}

static int
on_header(nghttp2_session *nghttp2, const nghttp2_frame *frame, const uint8_t *name,
          size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *context)
{
    (void)flags;
    struct h2_server *server = server_of(context);
    struct h2_server_stream *stream = stream_of(server, frame->hd.stream_id);
    struct span key = {.data = (const char *)name, .size = name_size};
    struct span text = {.data = (const char *)value, .size = value_size};
    server->block_size += name_size + value_size + 32;
    bool fits = server->block_size <= H2_HEADER_LIST_SIZE_MAX;
    if (fits && stream != NULL && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        fits = h2_server_stream_keep_header(stream, key, text);
    if (fits)
        return 0;
    h2_session_note(&server->session,
                    nghttp2_submit_rst_stream(nghttp2, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
                                              NGHTTP2_ENHANCE_YOUR_CALM));
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static int
on_data(nghttp2_session *nghttp2, uint8_t flags, int32_t stream_id, const uint8_t *data,
        size_t size, void *context)
{
    (void)nghttp2;
    (void)flags;
    struct h2_server *server = server_of(context);
    struct h2_server_stream *stream = stream_of(server, stream_id);
    if (stream != NULL && !stream->dropped)
        h2_server_stream_keep_body(stream, (struct span){(const char *)data, size},
                                   server->body_size_max);
    return 0;
}

static void
on_request_headers(struct h2_server *server, struct h2_server_stream *stream)
{
    if (server->events.on_headers == NULL || stream->dropped ||
        server->events.on_headers(server->context, stream->id))
        return;
    stream->dropped = true;
    h2_session_note(&server->session,
                    nghttp2_submit_rst_stream(server->session.nghttp2, NGHTTP2_FLAG_NONE,
                                              stream->id, NGHTTP2_REFUSED_STREAM));
}

static int
on_frame(nghttp2_session *nghttp2, const nghttp2_frame *frame, void *context)
{
    (void)nghttp2;
    struct h2_server *server = server_of(context);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct h2_server_stream *stream = stream_of(server, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        on_request_headers(server, stream);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0 && !stream->dropped) {
        stream->request_due = true;
        append_due(server, stream);
    }
    return 0;
}

static int
on_stream_close(nghttp2_session *nghttp2, int32_t stream_id, uint32_t error_code, void *context)
{
    (void)nghttp2;
    struct h2_server *server = server_of(context);
    struct h2_server_stream *stream = stream_of(server, stream_id);
    if (stream == NULL)
        return 0;
    stream->end_due = true;
    stream->error_code = error_code;
    append_due(server, stream);
    return 0;
}

nghttp2_session_callbacks *
h2_server_callbacks(void)
{
    nghttp2_session_callbacks *callbacks;
    check(nghttp2_session_callbacks_new(&callbacks) == 0);
    nghttp2_session_callbacks_set_before_frame_send_callback(callbacks, on_frame_leaving);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_block_begin);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    return callbacks;
}
