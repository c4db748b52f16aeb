#include "sender/h2/session.h"
#include "sender/base/check.h"

#include <string.h>

/* nghttp2's own state and HPACK tables, then what a stream with its frames costs at most. */
enum { MEMORY_OF_SESSION = 2 * 1024 * 1024, MEMORY_OF_STREAM = 4 * 1024 };

static void *
on_malloc(size_t size, void *context)
{
    return h2_memory_take(context, size);
}

static void
on_free(void *data, void *context)
{
    h2_memory_give(context, data);
}

static void *
on_calloc(size_t count, size_t size, void *context)
{
    size_t whole;
    if (__builtin_mul_overflow(count, size, &whole))
        return NULL;
    void *data = h2_memory_take(context, whole);
    if (data != NULL)
        memset(data, 0, whole);
    return data;
}

static void *
on_realloc(void *data, size_t size, void *context)
{
    return h2_memory_resize(context, data, size);
}

static nghttp2_option *
make_options(void)
{
    nghttp2_option *option;
    check(nghttp2_option_new(&option) == 0);
    nghttp2_option_set_no_closed_streams(option,
                                         1); /* no priority tree: nothing to keep them for */
    nghttp2_option_set_peer_max_concurrent_streams(option, 100);
    nghttp2_option_set_max_reserved_remote_streams(option, 0); /* pushes are off */
    nghttp2_option_set_max_settings(option, H2_SETTINGS_MAX);
    nghttp2_option_set_max_outbound_ack(option, H2_ACKS_MAX);
    /* Some releases count a frame again each time a part of its 9-byte header is fed to them. */
    nghttp2_option_set_max_continuations(option, 9 * H2_CONTINUATIONS_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, H2_RESETS_BURST, H2_RESETS_RATE);
    return option;
}

static void
submit_settings(struct h2_session *session, const struct h2_session_settings *settings)
{
    nghttp2_settings_entry entries[] = {
        {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings->stream_window},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, H2_HEADER_LIST_SIZE_MAX},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
        /* A client says that it takes no pushes, a server how many requests it takes. */
        {settings->server ? NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS : NGHTTP2_SETTINGS_ENABLE_PUSH,
         settings->server ? settings->streams_max : 0},
    };
    check(nghttp2_submit_settings(session->nghttp2, NGHTTP2_FLAG_NONE, entries,
                                  sizeof(entries) / sizeof(entries[0])) == 0);
    check(nghttp2_session_set_local_window_size(session->nghttp2, NGHTTP2_FLAG_NONE, 0,
                                                H2_CONNECTION_WINDOW) == 0);
}

void
h2_session_open(struct h2_session *session, const struct h2_session_settings *settings)
{
    *session = (struct h2_session){0};
    h2_memory_open(&session->memory,
                   MEMORY_OF_SESSION + (uint64_t)settings->streams_max * MEMORY_OF_STREAM);
    nghttp2_mem memory = {.mem_user_data = &session->memory,
                          .malloc = on_malloc,
                          .free = on_free,
                          .calloc = on_calloc,
                          .realloc = on_realloc};
    nghttp2_option *option = make_options();
    int result = settings->server
                     ? nghttp2_session_server_new3(&session->nghttp2, settings->callbacks,
                                                   settings->context, option, &memory)
                     : nghttp2_session_client_new3(&session->nghttp2, settings->callbacks,
                                                   settings->context, option, &memory);
    nghttp2_option_del(option);
    check(result == 0);
    submit_settings(session, settings);
}

void
h2_session_close(struct h2_session *session)
{
    check(!session->inside);
    nghttp2_session_del(session->nghttp2);
    session->nghttp2 = NULL;
    h2_memory_close(&session->memory);
}

void
h2_session_feed(struct h2_session *session, const char *data, size_t size)
{
    check(!session->inside);
    if (session->broken || size == 0)
        return;
    session->inside = true;
    ssize_t taken = nghttp2_session_mem_recv(session->nghttp2, (const uint8_t *)data, size);
    session->inside = false;
    if (taken != (ssize_t)size)
        session->broken = true;
}

/* Asks nghttp2 for its next frame. False: there is none now. */
static bool
next_frame(struct h2_session *session)
{
    const uint8_t *data;
    session->inside = true;
    ssize_t size = nghttp2_session_mem_send(session->nghttp2, &data);
    session->inside = false;
    if (size < 0)
        session->broken = true;
    if (size <= 0)
        return false;
    session->rest = (struct span){.data = (const char *)data, .size = (size_t)size};
    return true;
}

void
h2_session_fill(struct h2_session *session, struct buffer *out)
{
    check(!session->inside);
    while (!session->broken && buffer_room(out) > 0) {
        if (session->rest.size == 0 && !next_frame(session))
            return;
        size_t room = buffer_room(out);
        size_t part = session->rest.size < room ? session->rest.size : room;
        buffer_put(out, session->rest.data, part);
        session->rest.data += part;
        session->rest.size -= part;
    }
}

bool
h2_session_wants_output(const struct h2_session *session)
{
    return !session->broken &&
           (session->rest.size > 0 || nghttp2_session_want_write(session->nghttp2) != 0);
}

void
h2_session_note(struct h2_session *session, int result)
{
    if (result < 0 && nghttp2_is_fatal(result))
        session->broken = true;
}

void
h2_session_note_frame(struct h2_session *session, const nghttp2_frame *frame)
{
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR)
        session->violated = true;
}
