/*
 * client_state - what client.c and client_callbacks.c share, and nobody else (tests aside).
 *
 * An exchange is in one of two lists: `running`, or `ended`, where it waits for its on_end. It
 * moves once, by h2_client_finish(), which may happen inside nghttp2; on_end is called later,
 * outside of it.
 */
#ifndef FACTEUR_SENDER_H2_CLIENT_STATE_H
#define FACTEUR_SENDER_H2_CLIENT_STATE_H

#include "sender/h2/session.h"

#define H2_CLIENT_MAGIC   0x6832636c69656e74u
#define H2_EXCHANGE_MAGIC 0x6832657863686e67u

struct h2_exchange_list {
    struct h2_exchange *first;
    struct h2_exchange *last;
};

struct h2_client {
    uint64_t magic;
    struct h2_session session;
    struct h2_client_events events;
    void *context; /* of events */
    char *names;   /* owned: authority and user agent, one after the other */
    struct span authority;
    struct span user_agent;
    uint32_t exchanges_max;
    uint32_t active; /* exchanges in both lists */
    struct h2_exchange_list running;
    struct h2_exchange_list ended;

    /* The header block being received. */
    struct h2_exchange *block_owner; /* NULL: nobody waits for it */
    size_t block_size;               /* bytes so far, 32 added a field */
    bool block_is_trailer;

    uint64_t pings_sent;
    uint64_t pings_answered;
    uint64_t pongs_due; /* on_pong calls to make */

    bool ready;      /* the peer's SETTINGS came */
    bool going_away; /* the peer's GOAWAY came */
    bool lost;       /* h2_client_lose() was called */
    bool reporting;  /* inside on_end or on_pong */
};

/* The nghttp2 callbacks of a client; the caller deletes it. */
nghttp2_session_callbacks *h2_client_callbacks(void);

/* Reads the request's body from the exchange that is the stream's user data. */
ssize_t h2_client_read_body(nghttp2_session *nghttp2, int32_t stream_id, uint8_t *data, size_t size,
                            uint32_t *flags, nghttp2_data_source *source, void *context);

/* Decides how an exchange that is running ended, and queues its on_end. */
void h2_client_finish(struct h2_client *client, struct h2_exchange *exchange, enum h2_end end);

/* Resets the stream of an exchange that is running; nghttp2 forgets the exchange. */
void h2_client_abandon(struct h2_client *client, struct h2_exchange *exchange);

#endif
