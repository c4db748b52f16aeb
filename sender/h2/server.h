/*
 * server - the receiving side of one HTTP/2 connection, without a socket. The emulator's half.
 *
 * A request is given to the owner when it is complete (END_STREAM). Responses may be written whole
 * or piece by piece, cut, or not at all, because the emulator plays a server on a bad day.
 */
#ifndef FACTEUR_SENDER_H2_SERVER_H
#define FACTEUR_SENDER_H2_SERVER_H

#include "sender/h2/client.h" /* enum h2_error */

struct h2_server;

/* Kept of one request's method, path, authorization and content type together; and most headers
 * of one response, beside :status. */
enum { H2_SERVER_HEAD_SIZE_MAX = 4096, H2_SERVER_HEADERS_MAX = 32 };

struct h2_server_request {
    int32_t stream_id;
    struct span method;
    struct span path;
    struct span authorization; /* empty if absent */
    struct span content_type;
    struct span body; /* all spans: valid during on_request only */
    bool too_large;   /* the body was larger than body_size_max; `body` is its beginning */
};

struct h2_server_settings {
    uint32_t streams_max;   /* SETTINGS_MAX_CONCURRENT_STREAMS */
    uint32_t window_size;   /* our receive window per stream, bytes; 0: 1 MiB */
    uint32_t body_size_max; /* bytes kept of a request's body */
};

struct h2_server_events {
    /* A complete request, at END_STREAM. Answer now or later by its stream_id, or never. */
    void (*on_request)(void *context, const struct h2_server_request *request);
    /* HEADERS arrived, before the body: return false to refuse the stream (REFUSED_STREAM), which
     * then never becomes a request. NULL: all are welcome. */
    bool (*on_headers)(void *context, int32_t stream_id);
    /* The stream ended, by an answer or by a reset (`error_code` of HTTP/2; 0 is good), or because
     * it is above our GOAWAY's last id (REFUSED_STREAM). After on_request if there was one; the
     * stream_id is unknown from here on. May be NULL. */
    void (*on_stream_end)(void *context, int32_t stream_id, uint32_t error_code);
};

struct h2_server *h2_server_open(const struct h2_server_settings *settings,
                                 const struct h2_server_events *events, void *context);
void h2_server_close(struct h2_server *server); /* NULL is allowed */

/* H2_ENDED: a GOAWAY went or came, no stream is open and nothing waits to leave. */
enum h2_error h2_server_receive(struct h2_server *server, const char *data, size_t size);
enum h2_error h2_server_output(struct h2_server *server, struct buffer *out);
bool h2_server_wants_output(const struct h2_server *server);

/* Headers beside :status (200 … 999); names in lower case. All is copied. An unknown stream, and
 * one that has its answer already, is ignored. The request need not be complete: then it is an
 * early answer, and h2_server_reset() with 0 (NO_ERROR) stops the rest of the body. */
void h2_server_respond(struct h2_server *server, int32_t stream_id, int status,
                       const struct field *headers, size_t header_count, struct span body);

/* The same in pieces: begin, then data as often as wanted, the last with `end`. Data after the end
 * is ignored. */
void h2_server_begin(struct h2_server *server, int32_t stream_id, int status,
                     const struct field *headers, size_t header_count);
void h2_server_data(struct h2_server *server, int32_t stream_id, struct span data, bool end);

/* RST_STREAM at once, before what is still to be sent on the stream. */
void h2_server_reset(struct h2_server *server, int32_t stream_id, uint32_t error_code);
/* GOAWAY with NO_ERROR; `last_stream_id` -1: the last one seen, which is also the most it can be.
 * Streams above it are not processed: from this call on none of them becomes a request or is
 * answered. No new ones are taken; the others go on. To go below a stream that became a request
 * already is to lie to the client, which is free to send it again. */
void h2_server_goaway(struct h2_server *server, int32_t last_stream_id);

/* What nghttp2's part of the connection's memory came to (memory.h); valid until closed. */
const struct h2_memory_use *h2_server_memory(const struct h2_server *server);

#endif
