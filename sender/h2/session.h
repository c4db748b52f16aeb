/*
 * session - what client and server share: an nghttp2 session on its own memory, fed and drained.
 *
 * Private to this folder. nghttp2 hands out one frame at a time and keeps its memory until the next
 * is asked for; h2_session_fill() packs frames into the caller's buffer and remembers the rest of
 * the frame that did not fit, so that a frame is asked for only when at least one of its bytes has
 * room: a frame that nghttp2 has serialised has begun to leave.
 */
#ifndef FACTEUR_SENDER_H2_SESSION_H
#define FACTEUR_SENDER_H2_SESSION_H

#include "sender/base/bytes.h"
#include "sender/h2/client.h" /* enum h2_error */
#include "sender/h2/memory.h"

#include <nghttp2/nghttp2.h>

/* Bounds on what a peer may make us do or keep; all of them end a stream or the connection. */
enum {
    H2_HEADER_LIST_SIZE_MAX =
        32 * 1024,                /* bytes of one header block, 32 added a field (RFC 9113) */
    H2_CONTINUATIONS_MAX = 4,     /* frames after one HEADERS: 4 × 16 KiB hold the above */
    H2_SETTINGS_MAX = 32,         /* entries in one SETTINGS frame */
    H2_ACKS_MAX = 256,            /* answers to PING and SETTINGS waiting to leave */
    H2_RESETS_BURST = 100 * 1000, /* RST_STREAM a server takes at once, and … */
    H2_RESETS_RATE = 10 * 1000,   /* … each second; nghttp2 reads the clock for this */
};

/* What we are ready to receive before we say more: one stream, and the whole connection. */
enum { H2_STREAM_WINDOW = 1024 * 1024, H2_CONNECTION_WINDOW = 16 * 1024 * 1024 };

struct h2_session {
    nghttp2_session *nghttp2; /* owned */
    struct h2_memory memory;  /* nghttp2's; the address must not change */
    struct span rest;         /* of the frame in progress: nghttp2's memory, until its next frame */
    bool broken;   /* nghttp2 gave up (memory, callback): nothing more may be asked of it */
    bool violated; /* the peer broke the protocol: our GOAWAY left or is about to */
    bool inside;   /* nghttp2 is running: it may not be fed, drained or closed */
};

struct h2_session_settings {
    bool server;
    nghttp2_session_callbacks *callbacks; /* copied */
    void *context;                        /* user_data of every callback */
    uint32_t streams_max;                 /* at once; bounds the memory */
    uint32_t stream_window;               /* bytes */
};

/* Aborts if the very first memory cannot be had. Settings and windows are queued for output. */
void h2_session_open(struct h2_session *session, const struct h2_session_settings *settings);
void h2_session_close(struct h2_session *session);

/* Runs the callbacks. Afterwards `broken` or `violated` tell whether the peer is still a peer. */
void h2_session_feed(struct h2_session *session, const char *data, size_t size);
void h2_session_fill(struct h2_session *session, struct buffer *out); /* runs the callbacks too */
bool h2_session_wants_output(const struct h2_session *session);

/* Of what nghttp2_submit_*() returned: memory that ran out ends the connection. */
void h2_session_note(struct h2_session *session, int result);

/* Every session's before_frame_send: sees our own GOAWAY with an error go. */
void h2_session_note_frame(struct h2_session *session, const nghttp2_frame *frame);

#endif
