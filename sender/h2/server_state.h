/*
 * server_state - what server.c and server_callbacks.c share, and nobody else.
 */
#ifndef FACTEUR_SENDER_H2_SERVER_STATE_H
#define FACTEUR_SENDER_H2_SERVER_STATE_H

#include "sender/h2/server.h"
#include "sender/h2/server_stream.h"
#include "sender/h2/session.h"

#define H2_SERVER_MAGIC 0x6832736572766572u

struct h2_server {
    uint64_t magic;
    struct h2_session session;
    struct h2_server_events events;
    void *context; /* of events */
    size_t body_size_max;
    struct h2_server_stream *all;       /* owned, by next_all */
    struct h2_server_stream *free;      /* by next */
    struct h2_server_stream *due_first; /* with events to report, by next */
    struct h2_server_stream *due_last;
    int32_t stream_id_seen; /* the last request begun */
    int32_t stream_id_max;  /* streams above it are dropped; INT32_MAX until our GOAWAY */
    size_t block_size;      /* bytes so far of the header block being received */
    bool reporting;         /* inside on_request or on_stream_end */
};

/* The nghttp2 callbacks of a server; the caller deletes it. */
nghttp2_session_callbacks *h2_server_callbacks(void);

/* Reads the response's body; it may be still to come. */
ssize_t h2_server_read_response(nghttp2_session *nghttp2, int32_t stream_id, uint8_t *data,
                                size_t size, uint32_t *flags, nghttp2_data_source *source,
                                void *context);

/* A stream for a new request: a used one, or a new one. */
struct h2_server_stream *h2_server_take_stream(struct h2_server *server, int32_t stream_id);

#endif
