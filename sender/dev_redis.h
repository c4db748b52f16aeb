/*
 * dev_redis - a private Redis for --dev: unix socket and AOF always, in a state folder.
 */
#ifndef FACTEUR_SENDER_DEV_REDIS_H
#define FACTEUR_SENDER_DEV_REDIS_H

#include "sender/redis_client.h"

#include <sys/types.h>

struct dev_redis {
    char folder[80]; /* short, because a socket's path has at most 107 bytes */
    pid_t pid;       /* 0: it was running already and is not ours to stop */
};

/* The state folder: `given`, or $XDG_STATE_HOME/facteur, or ~/.local/state/facteur. */
bool dev_redis_folder(const char *given, char *folder, size_t size, struct error_text *error);

/* The address of the private Redis in that folder, whether it runs or not. */
void dev_redis_address(const char *folder, struct redis_address *address);

/* Starts redis-server in the folder (made if it is missing) unless one answers there already. */
bool dev_redis_start(struct dev_redis *redis, const char *folder, struct error_text *error);

/* Stops it by its pid, if we started it: it writes its files and ends. */
void dev_redis_stop(struct dev_redis *redis);

#endif
