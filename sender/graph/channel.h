/*
 * channel - a worker's connections to the Graph API: which one takes the next exchange.
 *
 * Connections are filled in order, a further one is opened only when the open ones have no room
 * (few connections with many streams cost less CPU than many with few). A connection that failed,
 * or ended soon without a single answer, is tried again after a backoff with jitter; one that was
 * silent is trusted again only after a PING came back; GOAWAY lets it finish what it has. A request
 * that takes too long is cancelled.
 *
 * The channel never sends anything twice: how an exchange ended is told, what follows is decided
 * by others. One thread, that of its loop.
 */
#ifndef FACTEUR_SENDER_GRAPH_CHANNEL_H
#define FACTEUR_SENDER_GRAPH_CHANNEL_H

#include "sender/base/random.h"
#include "sender/h2/client.h"
#include "sender/io/link.h"

enum { CHANNEL_CONNECTIONS_MAX = 64 };

struct channel;

struct channel_exchange {
    struct h2_exchange h2;
    void *owner;
    uint64_t deadline_us;
    struct channel_exchange *next; /* by deadline: one time-out for all, so it is a queue */
    struct channel_exchange *previous;
};

struct channel_settings {
    struct link_address address; /* of the Graph API */
    struct tls_context *tls;     /* borrowed; NULL only for tests in clear */
    struct span authority;       /* host[:port] */
    struct span user_agent;
    uint32_t connections_max; /* <= CHANNEL_CONNECTIONS_MAX */
    uint32_t exchanges_max;   /* most at once on one connection */
    uint64_t connect_timeout_us;
    uint64_t request_timeout_us;
    uint64_t idle_us; /* silent for longer: a PING before it is trusted */
    uint64_t ping_timeout_us;
    uint64_t seed; /* of the jitter */
};

struct channel_events {
    void (*on_end)(void *context, struct channel_exchange *exchange, enum h2_end end);
    /* There may be room now that was not there before. */
    void (*on_room)(void *context);
};

struct channel *channel_open(struct loop *loop, const struct channel_settings *settings,
                             const struct channel_events *events, void *context);

/* How many exchanges may start now. */
uint32_t channel_room(const struct channel *channel);
uint32_t channel_active(const struct channel *channel);
/* The most that could be under way if every connection were open: what is worth preparing. */
uint32_t channel_capacity(const struct channel *channel);

/* There is something to send and no room: opens a connection if there may be one more. */
void channel_want(struct channel *channel);

/* channel_room() must be above 0. `exchange->h2.response` and `owner` are set by the caller. */
void channel_start(struct channel *channel, struct channel_exchange *exchange,
                   const struct h2_request *request);

/* Why no connection can be had, in words; "" if one can or nobody asked yet. */
const char *channel_trouble(const struct channel *channel);

/* No new connections. What is under way goes on until channel_close(). */
void channel_drain(struct channel *channel);

/* Ends every exchange (not processed, or lost) and all connections. Turn the loop until
 * channel_is_closed(), then free it with channel_free(). */
void channel_close(struct channel *channel);
bool channel_is_closed(const struct channel *channel);
void channel_free(struct channel *channel);

struct channel_counters {
    uint64_t connections_opened;
    uint64_t connections_failed;
    uint64_t exchanges_started;
    uint64_t time_outs;
};
const struct channel_counters *channel_counters(const struct channel *channel);

#endif
