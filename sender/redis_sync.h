/*
 * redis_sync - Redis for the command line's verbs: one command, wait, its reply.
 *
 * The same link and session as the workers', turned by hand. Not for the workers.
 */
#ifndef FACTEUR_SENDER_REDIS_SYNC_H
#define FACTEUR_SENDER_REDIS_SYNC_H

#include "sender/redis_client.h"

struct redis_sync;

/* Connects, and says in `error` why not: "cannot reach Redis at …: …". NULL on failure. */
struct redis_sync *redis_sync_open(const struct redis_address *address, struct error_text *error);
void redis_sync_close(struct redis_sync *sync);

/* One command. The reply stays valid until the next call. NULL when the connection was lost; see
 * redis_sync_trouble(). An error of Redis' is a reply of type REPLY_ERROR. */
const struct reply *redis_sync_command(struct redis_sync *sync, const struct span *parts,
                                       size_t count);
/* "XLEN key" … from NUL-terminated words, the last one NULL. */
const struct reply *redis_sync_words(struct redis_sync *sync, ...) __attribute__((sentinel));

/* For pipelines: the session to write into, and waiting until no command is without a reply.
 * False when the connection was lost. */
struct session *redis_sync_session(struct redis_sync *sync);
bool redis_sync_drain(struct redis_sync *sync, uint32_t waiting_max);

const char *redis_sync_trouble(const struct redis_sync *sync);

#endif
