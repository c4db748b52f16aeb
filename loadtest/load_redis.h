/*
 * load_redis - one connection to Redis for a tool: waits for a reply where that is simplest, or
 * takes a callback where waiting would be slow (filling, following).
 *
 * All connections of a program share its loop, so while one waits the others' callbacks go on.
 */
#ifndef FACTEUR_LOADTEST_LOAD_REDIS_H
#define FACTEUR_LOADTEST_LOAD_REDIS_H

#include "queue/session.h"
#include "sender/io/link.h"

enum {
    LOAD_REDIS_WAITING_MAX = 1024,     /* commands without a reply */
    LOAD_REDIS_OUTPUT_SIZE = 8 << 20,  /* bytes of commands not sent yet */
    LOAD_REDIS_REPLY_SIZE = 128 << 20, /* bytes of one reply, in all; pages are far smaller */
    LOAD_REDIS_PART_MAX = 24,          /* parts of one load_redis_ask() */
};

struct load_redis {
    struct loop *loop; /* borrowed */
    struct link *link; /* NULL once closed */
    struct session *session;
    bool open;
    bool ended;
    char where[128];           /* as the user wrote it, for errors */
    struct error_text lost;    /* why it ended */
    const struct reply *reply; /* of the question under way */
    bool answered;
    struct arena held; /* keeps that reply until the next question */
};

/*
 * `where` is unix:/path, tcp://host:port or host:port. Waits until connected. False with a sentence
 * in `error`; load_redis_close() is then not needed. The struct may not move afterwards.
 */
bool load_redis_open(struct load_redis *redis, struct loop *loop, const char *where,
                     struct error_text *error);
void load_redis_close(struct load_redis *redis);

/*
 * Sends one command (its parts are NULL-terminated strings, NULL ends them) and waits for the
 * reply, which stays valid until the next question on this connection. NULL with a sentence in
 * `error` when the connection is lost or Redis answers with an error.
 */
const struct reply *load_redis_ask(struct load_redis *redis, const char *const *parts,
                                   struct error_text *error);

/* Whether the address can be read at all, for options; it is not resolved. */
bool load_redis_read_address(const char *where, struct link_address *address, char host[128]);

#endif
