/*
 * redis_client - a Redis connection that comes back: link + session + reconnect with backoff.
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

struct redis_address {
    char unix_path[108]; /* or "" */
    char host[256];
    uint16_t port;
    bool tls;
    char user[64];      /* "" for none */
    char password[256]; /* never printed */
    char ca_file[256];  /* "" for the system's store */
};

/* "unix:/path", "/path", "tcp://host:port", "redis://…", "rediss://host:port"; an IPv6 address in
 * brackets. No user and password: ps would show them. False: see error, which repeats no secret. */
bool redis_address_read(const char *text, struct redis_address *address, struct error_text *error);

struct redis_client;

struct redis_client_events {
    void (*on_ready)(void *context); /* connected (again); AUTH, if any, is under way */
    void (*on_lost)(void *context, const char *reason); /* after every callback got NULL */
};

struct redis_client_settings {
    const struct redis_address *address; /* borrowed */
    struct tls_context *tls;             /* borrowed; needed if address->tls */
    size_t output_size;                  /* see session_settings */
    size_t arena_size;
    uint32_t waiting_max;
    uint64_t seed;
    bool once; /* do not reconnect: for the command line's verbs */
};

struct redis_client *redis_client_open(struct loop *loop,
                                       const struct redis_client_settings *settings,
                                       const struct redis_client_events *events, void *context);
bool redis_client_is_ready(const struct redis_client *client);
struct session *redis_client_session(struct redis_client *client);
void redis_client_flush(struct redis_client *client); /* after writing commands */
const char *
redis_client_trouble(const struct redis_client *client); /* why it is not ready; or "" */

/* Ends the connection; turn the loop until closed, then free. No callback comes after close. */
void redis_client_close(struct redis_client *client);
bool redis_client_is_closed(const struct redis_client *client);
void redis_client_free(struct redis_client *client);

#endif
