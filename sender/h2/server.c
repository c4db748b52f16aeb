#include "sender/h2/server.h"
#include "sender/base/check.h"
#include "sender/h2/server_state.h"

#include <stdlib.h>

struct h2_server *
h2_server_open(const struct h2_server_settings *settings, const struct h2_server_events *events,
               void *context)
{
    check(settings->streams_max > 0 && events->on_request != NULL);
    check(settings->window_size <= INT32_MAX);
    struct h2_server *server = check_alloc(1, sizeof(*server));
    server->magic = H2_SERVER_MAGIC;
    server->events = *events;
    server->context = context;
    server->body_size_max = settings->body_size_max;
    server->stream_id_max = INT32_MAX;
    uint32_t window = settings->window_size == 0 ? H2_STREAM_WINDOW : settings->window_size;
    nghttp2_session_callbacks *callbacks = h2_server_callbacks();
    h2_session_open(&server->session,
                    &(struct h2_session_settings){.server = true,
                                                  .callbacks = callbacks,
                                                  .context = server,
                                                  .streams_max = settings->streams_max,
                                                  .stream_window = window});
    nghttp2_session_callbacks_del(callbacks);
    return server;
}

void
h2_server_close(struct h2_server *server)
{
    if (server == NULL)
        return;
    check_magic(server, H2_SERVER_MAGIC);
    check(!server->reporting);
    h2_session_close(&server->session);
    while (server->all != NULL) {
        struct h2_server_stream *stream = server->all;
        server->all = stream->next_all;
        h2_server_stream_free(stream);
    }
    server->magic = 0;
    free(server);
}

struct h2_server_stream *
h2_server_take_stream(struct h2_server *server, int32_t stream_id)
{
    struct h2_server_stream *stream = server->free;
    if (stream != NULL) {
        server->free = stream->next;
    } else {
        stream = h2_server_stream_make();
        stream->next_all = server->all;
        server->all = stream;
    }
    h2_server_stream_reset(stream, stream_id);
    return stream;
}

static void
give_stream(struct h2_server *server, struct h2_server_stream *stream)
{
    check(!stream->is_due);
    stream->id = 0;
    stream->next = server->free;
    server->free = stream;
}

/* Tells what happened to one stream: its request first, then its end. */
static void
report_stream(struct h2_server *server, struct h2_server_stream *stream)
{
    if (stream->request_due && !stream->dropped)
        server->events.on_request(server->context, &stream->request);
    stream->request_due = false;
    if (!stream->end_due)
        return;
    if (server->events.on_stream_end != NULL)
        server->events.on_stream_end(server->context, stream->id, stream->error_code);
    give_stream(server, stream);
}

static void
report(struct h2_server *server)
{
    check(!server->reporting && !server->session.inside);
    server->reporting = true;
    while (server->due_first != NULL) {
        struct h2_server_stream *stream = server->due_first;
        server->due_first = stream->next;
        if (server->due_first == NULL)
            server->due_last = NULL;
        stream->next = NULL;
        stream->is_due = false;
        report_stream(server, stream);
    }
    server->reporting = false;
}

static enum h2_error
state_of(const struct h2_server *server)
{
    if (server->session.broken || server->session.violated)
        return H2_PROTOCOL;
    if (nghttp2_session_want_read(server->session.nghttp2) == 0 &&
        !h2_session_wants_output(&server->session))
        return H2_ENDED;
    return H2_OK;
}

enum h2_error
h2_server_receive(struct h2_server *server, const char *data, size_t size)
{
    check_magic(server, H2_SERVER_MAGIC);
    check(!server->reporting);
    h2_session_feed(&server->session, data, size);
    report(server);
    return state_of(server);
}

enum h2_error
h2_server_output(struct h2_server *server, struct buffer *out)
{
    check_magic(server, H2_SERVER_MAGIC);
    check(!server->reporting);
    h2_session_fill(&server->session, out);
    report(server);
    return state_of(server);
}

bool
h2_server_wants_output(const struct h2_server *server)
{
    check_magic(server, H2_SERVER_MAGIC);
    return h2_session_wants_output(&server->session);
}

/* NULL: not known, gone, or not to be served. */
static struct h2_server_stream *
find_stream(const struct h2_server *server, int32_t stream_id)
{
    check_magic(server, H2_SERVER_MAGIC);
    if (server->session.broken)
        return NULL;
    struct h2_server_stream *stream =
        nghttp2_session_get_stream_user_data(server->session.nghttp2, stream_id);
    if (stream == NULL || stream->dropped)
        return NULL;
    check_magic(stream, H2_SERVER_STREAM_MAGIC);
    return stream;
}

static nghttp2_nv
header(struct span name, struct span value)
{
    return (nghttp2_nv){.name = (uint8_t *)name.data,
                        .value = (uint8_t *)value.data,
                        .namelen = name.size,
                        .valuelen = value.size,
                        .flags = NGHTTP2_NV_FLAG_NONE};
}

struct response {
    int status;
    const struct field *headers;
    size_t header_count;
    bool has_body;
};

static void
submit(struct h2_server *server, int32_t stream_id, const struct response *response)
{
    check(response->status >= 200 && response->status <= 999);
    check(response->header_count <= H2_SERVER_HEADERS_MAX);
    char status_memory[4];
    struct buffer status;
    buffer_init(&status, status_memory, sizeof(status_memory));
    buffer_put_u64(&status, (uint64_t)response->status);

    nghttp2_nv headers[1 + H2_SERVER_HEADERS_MAX];
    size_t count = 0;
    headers[count++] = header(SPAN(":status"), buffer_span(&status));
    for (size_t i = 0; i < response->header_count; i++)
        headers[count++] = header(response->headers[i].name, response->headers[i].value);

    nghttp2_data_provider body = {.read_callback = h2_server_read_response};
    h2_session_note(&server->session,
                    nghttp2_submit_response(server->session.nghttp2, stream_id, headers, count,
                                            response->has_body ? &body : NULL));
}

void
h2_server_respond(struct h2_server *server, int32_t stream_id, int status,
                  const struct field *headers, size_t header_count, struct span body)
{
    struct h2_server_stream *stream = find_stream(server, stream_id);
    if (stream == NULL || stream->answered)
        return;
    stream->answered = true;
    stream->response_end = true;
    h2_server_stream_put_response(stream, body);
    submit(server, stream_id,
           &(struct response){.status = status,
                              .headers = headers,
                              .header_count = header_count,
                              .has_body = body.size > 0});
}

void
h2_server_begin(struct h2_server *server, int32_t stream_id, int status,
                const struct field *headers, size_t header_count)
{
    struct h2_server_stream *stream = find_stream(server, stream_id);
    if (stream == NULL || stream->answered)
        return;
    stream->answered = true;
    submit(
        server, stream_id,
        &(struct response){
            .status = status, .headers = headers, .header_count = header_count, .has_body = true});
}

void
h2_server_data(struct h2_server *server, int32_t stream_id, struct span data, bool end)
{
    struct h2_server_stream *stream = find_stream(server, stream_id);
    if (stream == NULL || stream->response_end)
        return;
    check(stream->answered);
    h2_server_stream_put_response(stream, data);
    stream->response_end = end;
    /* Not deferred (yet): nghttp2 says INVALID_ARGUMENT, and will ask for the data by itself. */
    h2_session_note(&server->session,
                    nghttp2_session_resume_data(server->session.nghttp2, stream_id));
}

void
h2_server_reset(struct h2_server *server, int32_t stream_id, uint32_t error_code)
{
    if (find_stream(server, stream_id) == NULL)
        return;
    h2_session_note(&server->session,
                    nghttp2_submit_rst_stream(server->session.nghttp2, NGHTTP2_FLAG_NONE, stream_id,
                                              error_code));
}

void
h2_server_goaway(struct h2_server *server, int32_t last_stream_id)
{
    check_magic(server, H2_SERVER_MAGIC);
    if (server->session.broken)
        return;
    int32_t last = server->stream_id_seen;
    if (last_stream_id >= 0 && last_stream_id < last)
        last = last_stream_id;
    if (last > 0 && last % 2 == 0) /* a client's ids are odd */
        last--;
    if (last > server->stream_id_max) /* a second GOAWAY must not say more than the first */
        last = server->stream_id_max;
    server->stream_id_max = last;
    for (struct h2_server_stream *stream = server->all; stream != NULL; stream = stream->next_all)
        if (stream->id > last)
            stream->dropped = true;
    h2_session_note(&server->session,
                    nghttp2_submit_goaway(server->session.nghttp2, NGHTTP2_FLAG_NONE, last,
                                          NGHTTP2_NO_ERROR, NULL, 0));
}

const struct h2_memory_use *
h2_server_memory(const struct h2_server *server)
{
    check_magic(server, H2_SERVER_MAGIC);
    return &server->session.memory.use;
}
