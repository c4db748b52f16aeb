/*
 * client - the sending side of one HTTP/2 connection, without a socket: bytes in, bytes out.
 *
 * Wraps nghttp2. The one thing it adds is the truth about an exchange that had no answer: *not
 * processed* (free to send again) or *lost* (the peer may have acted on it).
 *
 *   not processed   its frames never left h2_client_output(); or the peer closed it with
 *                   REFUSED_STREAM; or its stream is above GOAWAY's last id
 *   lost            anything else: reset, cut answer, time-out, connection lost after its HEADERS
 *                   were handed out. Never sent again blindly.
 *
 * An answer counts when its END_STREAM arrived, not before, even if all the bytes of its body seem
 * to be there. 1xx responses are not answers; trailers are tolerated. A complete answer stays an
 * answer whatever follows: reset, GOAWAY, lost connection, cancel.
 *
 * The peer is not trusted with memory or time: header blocks, CONTINUATION, SETTINGS and PING are
 * bounded (session.h), and all of nghttp2's memory comes from a bounded pool (memory.h). Beyond a
 * bound the exchange is reset, or the connection is told H2_PROTOCOL.
 *
 * on_end and on_pong are called at the end of h2_client_receive(), h2_client_output(),
 * h2_client_cancel() and h2_client_lose(), never from inside nghttp2. From inside of them every
 * function may be called except receive, output and close.
 *
 * One thread, no clock, no allocation per exchange once warm (nghttp2 takes from a pool of ours).
 */
#ifndef FACTEUR_SENDER_H2_CLIENT_H
#define FACTEUR_SENDER_H2_CLIENT_H

#include "sender/base/bytes.h"

struct h2_client;
struct h2_memory_use; /* memory.h */

enum h2_end {
    H2_ANSWERED,      /* a complete response: status and whole body */
    H2_NOT_PROCESSED, /* provably not processed */
    H2_LOST,          /* nobody knows */
};

/* Embedded in its owner. Everything in it is the client's between h2_client_start() and on_end. */
struct h2_exchange {
    uint64_t magic;
    struct h2_client *client; /* NULL when not under way */
    int32_t stream_id;
    bool handed_out; /* its HEADERS left h2_client_output(): from here it may be lost */
    bool cancelled;  /* by h2_client_cancel() */
    bool begun;      /* some header block of a response arrived, a 1xx's too */
    bool ended;      /* on_end is due; `end` is decided */
    enum h2_end end;
    struct span body; /* borrowed from the owner until on_end */
    size_t body_sent;
    int status;               /* HTTP status, 0 before the response's headers */
    bool complete;            /* END_STREAM was received */
    bool truncated;           /* the response's body was larger than `response` has room for */
    struct buffer response;   /* the response's body; memory is the owner's, set before start */
    uint32_t retry_after_s;   /* Retry-After in seconds (at most UINT32_MAX), 0: absent or a date */
    uint64_t retry_at_s;      /* Retry-After as a date, in Unix seconds, 0: absent or a number */
    struct h2_exchange *next; /* the client's list */
    struct h2_exchange *previous;
};

struct h2_request {
    struct span method;        /* "POST" */
    struct span path;          /* borrowed until on_end, as are all of these */
    struct span authorization; /* whole header value, "Bearer …"; never indexed; empty: none */
    struct span content_type;  /* empty: none */
    struct span body;          /* may be empty: then no content-length is sent */
};

struct h2_client_settings {
    struct span authority;  /* host[:port]; copied */
    struct span user_agent; /* copied */
    uint32_t exchanges_max; /* most at once, whatever the peer allows */
};

struct h2_client_events {
    /* Exactly once for each started exchange, which is the owner's again: it may be started anew
     * from here, or given back. Others may be started or cancelled from here too. */
    void (*on_end)(void *context, struct h2_exchange *exchange, enum h2_end end);
    void (*on_pong)(void *context); /* a PING of ours was answered; may be NULL */
};

enum h2_error {
    H2_OK,
    H2_PROTOCOL, /* the peer broke the protocol: lose the connection */
    H2_ENDED,    /* GOAWAY and nothing left under way: close the connection */
};

/* Queues the connection preface. The client is ended with h2_client_close(). */
struct h2_client *h2_client_open(const struct h2_client_settings *settings,
                                 const struct h2_client_events *events, void *context);

/* How many more exchanges may start now: the peer's MAX_CONCURRENT_STREAMS (100 until its SETTINGS
 * came), our own maximum, stream ids left; 0 after GOAWAY, after H2_PROTOCOL, and once lost. */
uint32_t h2_client_room(const struct h2_client *client);
uint32_t h2_client_active(const struct h2_client *client); /* started, and on_end not called yet */
bool h2_client_is_ready(const struct h2_client *client);   /* the peer's SETTINGS came */
/* GOAWAY came, or the stream ids ran out: no more exchanges may start, those under way go on. */
bool h2_client_is_going_away(const struct h2_client *client);

/* `h2_client_room()` must be above 0. Fills the exchange's fields except `response`, which is added
 * to as it is. The exchange must stay where it is until on_end. */
void h2_client_start(struct h2_client *client, struct h2_exchange *exchange,
                     const struct h2_request *request);

/* Gives up on an exchange (time-out): RST_STREAM(CANCEL). on_end follows at once, before return:
 * H2_NOT_PROCESSED if it was never handed out, else H2_LOST. Only one whose end was already decided
 * (it waits for its on_end while another's is being called) keeps that end. */
void h2_client_cancel(struct h2_client *client, struct h2_exchange *exchange);

/* Takes all of `data`, which is copied as far as needed. After H2_PROTOCOL one h2_client_output()
 * may still fetch a GOAWAY that names the error; then h2_client_lose() decides what was under way.
 * Some errors show only in the next h2_client_output(). After H2_ENDED: close. */
enum h2_error h2_client_receive(struct h2_client *client, const char *data, size_t size);

/* Writes frames into `out` while they fit whole or in part; what remains comes with the next call.
 */
enum h2_error h2_client_output(struct h2_client *client, struct buffer *out);
bool h2_client_wants_output(const struct h2_client *client);

/* Queues a PING; each is answered by one on_pong. A PING's answer that nobody asked for is ignored.
 */
void h2_client_ping(struct h2_client *client);

/* The connection is gone: every exchange under way ends (not processed, or lost). Nothing may be
 * started afterwards; receive takes nothing and output gives nothing. A second time does nothing.
 */
void h2_client_lose(struct h2_client *client);

/* Nothing may be under way. Not from inside on_end or on_pong. NULL is allowed. */
void h2_client_close(struct h2_client *client);

/* What the connection's memory came to; valid until closed. */
const struct h2_memory_use *h2_client_memory(const struct h2_client *client);

const char *h2_error_text(enum h2_error error); /* static, never NULL */
const char *h2_end_text(enum h2_end end);       /* static, never NULL */

#endif
