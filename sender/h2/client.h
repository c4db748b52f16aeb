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
 * One thread, no clock, no allocation per exchange once warm (nghttp2 takes from a pool of ours).
 */
#ifndef FACTEUR_SENDER_H2_CLIENT_H
#define FACTEUR_SENDER_H2_CLIENT_H

#include "sender/base/bytes.h"

struct h2_client;

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
    bool handed_out;          /* its HEADERS left h2_client_output(): from here it may be lost */
    bool cancelled;
    struct span body;         /* borrowed from the owner until on_end */
    size_t body_sent;
    int status;               /* HTTP status, 0 before the response's headers */
    bool complete;            /* END_STREAM was received */
    bool truncated;           /* the response's body was larger than `response` has room for */
    struct buffer response;   /* the response's body; memory is the owner's, set before start */
    uint32_t retry_after_s;   /* Retry-After in seconds, 0 if absent or a date */
    struct h2_exchange *next; /* the client's list */
    struct h2_exchange *previous;
};

struct h2_request {
    struct span method;        /* "POST" */
    struct span path;          /* borrowed until on_end, as is the rest */
    struct span authorization; /* whole header value, "Bearer …"; never indexed; empty: none */
    struct span content_type;  /* empty: none */
    struct span body;          /* may be empty */
};

struct h2_client_settings {
    struct span authority;     /* host[:port]; copied */
    struct span user_agent;    /* copied */
    uint32_t exchanges_max;    /* most at once, whatever the peer allows */
};

struct h2_client_events {
    /* Exactly once for each started exchange. Starting another from here is allowed. */
    void (*on_end)(void *context, struct h2_exchange *exchange, enum h2_end end);
    void (*on_pong)(void *context); /* a PING of ours was answered */
};

enum h2_error {
    H2_OK,
    H2_PROTOCOL, /* the peer broke the protocol: lose the connection */
    H2_ENDED,    /* GOAWAY and nothing left under way: close the connection */
};

struct h2_client *h2_client_open(const struct h2_client_settings *settings,
                                 const struct h2_client_events *events, void *context);

/* How many more exchanges may start now: the peer's MAX_CONCURRENT_STREAMS (100 until its SETTINGS
 * came), our own maximum, stream ids left; 0 after GOAWAY. */
uint32_t h2_client_room(const struct h2_client *client);
uint32_t h2_client_active(const struct h2_client *client);
bool h2_client_is_ready(const struct h2_client *client); /* the peer's SETTINGS came */
bool h2_client_is_going_away(const struct h2_client *client);

/* `h2_client_room()` must be above 0. Fills the exchange's fields except `response`. */
void h2_client_start(struct h2_client *client, struct h2_exchange *exchange,
                     const struct h2_request *request);

/* Gives up on an exchange (time-out): RST_STREAM(CANCEL). on_end follows at once, before return:
 * H2_NOT_PROCESSED if it was never handed out, else H2_LOST. */
void h2_client_cancel(struct h2_client *client, struct h2_exchange *exchange);

enum h2_error h2_client_receive(struct h2_client *client, const char *data, size_t size);
/* Writes frames into `out` while they fit whole or in part; what remains comes with the next call. */
enum h2_error h2_client_output(struct h2_client *client, struct buffer *out);
bool h2_client_wants_output(const struct h2_client *client);

void h2_client_ping(struct h2_client *client);

/* The connection is gone: every exchange under way ends (not processed, or lost). */
void h2_client_lose(struct h2_client *client);
void h2_client_close(struct h2_client *client); /* nothing may be under way */

#endif
