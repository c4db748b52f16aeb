/*
 * redis_client - a Redis connection that comes back: link + session + reconnect with backoff.
 *
 * Of several places the first is taken that is a master and has read its files; which one that is
 * is asked on every connection, so a failover needs no more than an address that leads to both.
 *
 * Commands are written into the session at any time while `redis_client_is_ready()`; they leave at
 * the end of the turn. When the connection is lost every waiting callback gets NULL, and the owner
 * is told when it is ready again. What a lost command did is unknown: the owner's calls are made
 * so that a repetition is harmless (queue/README.md, the token of a settle).
 */
#ifndef FACTEUR_SENDER_REDIS_CLIENT_H
#define FACTEUR_SENDER_REDIS_CLIENT_H

#include "queue/session.h"
#include "sender/base/random.h"
#include "sender/io/link.h"
#include "sender/redis_address.h"

struct redis_client;

struct redis_client_events {
    void (*on_ready)(void *context); /* connected (again); AUTH, if any, is under way or done */
    /* After every callback got NULL. Also when nobody could be reached: once for each try of all
     * places, with the cause at each. */
    void (*on_lost)(void *context, const char *reason);
};

struct redis_client_settings {
    const struct redis_address *address; /* borrowed */
    struct tls_context *tls;             /* borrowed; needed if redis_address_wants_tls() */
    size_t output_size;                  /* see session_settings */
    size_t arena_size;
    uint32_t waiting_max;
    uint64_t seed;
    uint64_t silence_us;     /* commands wait and nothing came for so long: lost. 0: never */
    uint64_t backoff_max_us; /* between two tries; 0: 5 s */
    bool master_only;        /* ask who it is; a replica, or one that still loads, is no use */
    bool once;               /* do not reconnect: for the command line's verbs */
};

enum { REDIS_CLIENT_TIMERS = LINK_TIMERS + 2 }; /* for loop_settings.timers_max */

struct redis_client *redis_client_open(struct loop *loop,
                                       const struct redis_client_settings *settings,
                                       const struct redis_client_events *events, void *context);
bool redis_client_is_ready(const struct redis_client *client);
struct session *redis_client_session(struct redis_client *client);
void redis_client_flush(struct redis_client *client); /* after writing commands */
const char *
redis_client_trouble(const struct redis_client *client); /* why it is not ready; or "" */

/* Of `master_only`: who it is, as redis_info says; kept until another one is ready. "": unknown. */
const char *redis_client_identity(const struct redis_client *client);
/* Where it is connected, or tries next. Static until it is asked again. */
const char *redis_client_place(struct redis_client *client);

/* When the last byte came from any of them, monotonic; 0: none ever. */
uint64_t redis_client_heard_us(const struct redis_client *client);

/* Gives this connection up for `reason`: the next place is tried first. For one that has become a
 * replica. From a callback, too. */
void redis_client_leave(struct redis_client *client, const char *reason);

/* Ends the connection; turn the loop until closed, then free. No callback comes after close. */
void redis_client_close(struct redis_client *client);
bool redis_client_is_closed(const struct redis_client *client);
void redis_client_free(struct redis_client *client);

#endif
