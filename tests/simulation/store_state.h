/*
 * store_state - what a store is made of, for its own files. Everybody else sees store.h.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_STATE_H
#define FACTEUR_TESTS_SIMULATION_STORE_STATE_H

#include "sender/base/random.h"
#include "tests/simulation/store.h"
#include "tests/simulation/store_client.h"
#include "tests/simulation/store_function.h"
#include "tests/simulation/store_keys.h"

#define STORE_MAGIC 0x73746f72u

/* As INFO, FUNCTION and Lua tell it. */
#define STORE_VERSION        "7.0.15"
#define STORE_VERSION_NUMBER 0x0007000f

struct store {
    uint32_t magic;
    bool in_order;        /* store_settings */
    struct random random; /* run ids */
    uint64_t shuffle;     /* order of what is scattered; 0: as it came */
    uint64_t now_us;
    uint64_t started_us; /* when this process began */
    struct store_keys keys;
    struct store_functions functions;
    struct store_client *clients; /* in the order in which they came */
    int64_t client_ids;           /* the last one given by this process */
    uint32_t blocked_count;       /* clients inside XREAD BLOCK */
    uint32_t watching_count;      /* clients with a WATCH */
    struct store_list ready;      /* streams that got something, for who is blocked */
    bool is_serving;              /* a command is under way: the end of it looks at `ready` */
    char run_id[41];
    char replication_id[41];
    enum store_trouble trouble;
    uint64_t memory_used;
    uint64_t memory_max;
    uint64_t commands;
    struct store_bytes call_reply; /* of store_call() */
    struct arena call_arena;
};

static inline uint64_t
store_now_ms(const struct store *store)
{
    return store->now_us / 1000;
}

#endif
