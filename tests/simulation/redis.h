/*
 * redis - the Redis of the world: the store behind wires, its restarts, troubles and clock.
 */
#ifndef FACTEUR_TESTS_SIMULATION_REDIS_H
#define FACTEUR_TESTS_SIMULATION_REDIS_H

#include "tests/simulation/net.h"
#include "tests/simulation/store.h"

struct redis_connection;

enum { REDIS_PLACES = 2 };

struct redis {
    struct world *world;
    struct net_server places[REDIS_PLACES]; /* "redis.test", "replica.test" */
    uint32_t master;                        /* which of them it is; the other one refuses */
    bool down;
    struct store *store;
    struct redis_connection *connections;
    int64_t wrong_us;      /* its clock */
    struct timer back;     /* it comes back, or its trouble ends */
    uint64_t forgotten_us; /* world time from which the last crash forgot; 0: none did */
};

/* `begin`: a store with nothing but the function library. */
void redis_open(struct redis *redis, struct world *world, const struct store_mark *begin);
void redis_close(struct redis *redis);

/* For producers, operators, webhooks and the audit: done at once. NULL while it is away. */
const struct reply *redis_call(struct redis *redis, const struct span *words, size_t count);
const struct reply *redis_words(struct redis *redis, const char *word, ...)
    __attribute__((sentinel));
bool redis_is_up(const struct redis *redis);

/* It dies and is back after `down_us`, perhaps at the other place; `mark`: it forgets what came
 * after. */
void redis_crash(struct redis *redis, uint64_t down_us, const struct store_mark *mark);
void redis_trouble(struct redis *redis, enum store_trouble trouble, uint64_t for_us);
void redis_mend(struct redis *redis); /* it is up and well, and its clock is right */
void redis_jump(struct redis *redis, int64_t by_us);
uint32_t redis_connections(const struct redis *redis);

#endif
