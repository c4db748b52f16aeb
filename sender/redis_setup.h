/*
 * redis_setup - is this Redis fit to carry the queue, and does it have our function library?
 */
#ifndef FACTEUR_SENDER_REDIS_SETUP_H
#define FACTEUR_SENDER_REDIS_SETUP_H

#include "sender/redis_sync.h"
#include "sender/sender.h"

/* Redis 7.0 or newer, and the library in our version: loaded if it is missing or older, refused if
 * it is newer (an older facteur must not take over). False with cause and remedy in `error`. */
bool redis_setup_library(struct redis_sync *sync, struct error_text *error);

/* A setting's value, or empty when CONFIG is not allowed. Valid until the next command. */
struct span redis_setup_config(struct redis_sync *sync, const char *name);
/* Compares "1.2.10" and "1.3.0" number by number: below, at or above 0. */
int redis_setup_order(struct span a, struct span b);

/* Logs a warning for each setting that could lose notifications: eviction, no or lazy AOF. */
void redis_setup_warn(struct redis_sync *sync);

/* Fetches, or makes, each business's key for the HMAC of recipients. */
bool redis_setup_secrets(struct redis_sync *sync, struct sender *sender, struct error_text *error);

#endif
