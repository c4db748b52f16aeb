/*
 * chaos_redis - one redis-server of ours, in a folder of its own, that can be killed as a process
 * dies, or as a machine without power does: with the end of its log lost.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_REDIS_H
#define FACTEUR_LOADTEST_CHAOS_REDIS_H

#include "loadtest/chaos_child.h"
#include "loadtest/chaos_history.h"

struct chaos_redis_settings {
    const char *append;  /* appendfsync */
    bool keeps_one_log;  /* never rewritten: cut_power() can find its end */
    uint16_t port;       /* of loopback, for a replica; 0: none */
    uint16_t replica_of; /* the master's port; 0: it is a master */
};

struct chaos_redis {
    struct chaos_child child;
    char folder[128];
    char where[160];          /* "unix:/…" */
    struct chaos_history log; /* bytes of its append-only file */
};

/* Names folder and socket, "…/redis-0" and "…/redis-0.sock", and makes the folder. */
bool chaos_redis_init(struct chaos_redis *redis, const char *house, uint32_t number,
                      struct error_text *error);
/* Starts it on what its folder holds. */
bool chaos_redis_start(struct chaos_redis *redis, const struct chaos_redis_settings *settings,
                       struct error_text *error);
/* Its folder is empty again: it is not running. */
bool chaos_redis_empty(struct chaos_redis *redis, struct error_text *error);

/* Looks how long its log is; now and then, while it runs. */
void chaos_redis_note(struct chaos_redis *redis, uint64_t now_us);
/* kill -9, and its log loses what was written since then: it never came to the disk. */
void chaos_redis_cut_power(struct chaos_redis *redis, uint64_t since_us);

#endif
