/*
 * run - one seed, from its first notice to its audit.
 *
 *   busy      producers write, faults happen
 *   calm      no more faults; time goes on until everything has its outcome
 *   receipts  whatever Meta took and was not told is told
 *   drain     every process is ended by SIGTERM
 *   audit     nothing lost, nothing twice, charged once, nothing left
 */
#ifndef FACTEUR_TESTS_SIMULATION_RUN_H
#define FACTEUR_TESTS_SIMULATION_RUN_H

#include "tests/simulation/fairness.h"
#include "tests/simulation/graph.h"
#include "tests/simulation/house.h"
#include "tests/simulation/mishaps.h"
#include "tests/simulation/notices.h"
#include "tests/simulation/webhooks.h"
#include "tests/simulation/redis.h"

struct run {
    struct world world;
    struct redis redis;
    struct graph graph;
    struct house house;
    struct notices notices;
    struct webhooks webhooks;
    struct mishaps mishaps;
    struct fairness fairness;
};

struct run_settings {
    uint64_t seed;
    bool tells;
    struct sender *sender; /* house_build_sender(), with NOTICES_ACCOUNTS */
    struct sender *crowd;  /* with NOTICES_ACCOUNTS_FAIR, for runs about fairness */
    uint32_t backlog;      /* 0: the seed decides; else: a run about fairness with so many */
    const struct store_mark *begin; /* of every run's Redis: the library is loaded */
};

struct run_result {
    uint32_t faults; /* broken beliefs */
    uint64_t digest; /* of all that happened: the same in a replay */
    uint32_t notices;
    uint32_t accepted;  /* by Meta */
    uint32_t possible;  /* sent twice, and flagged */
    uint32_t forgotten; /* Redis took and forgot them: nothing is asked of these */
    uint32_t doubled;   /* sent twice because Redis forgot the first, and so did a dead worker */
    uint64_t simulated_us;
};

void run_seed(const struct run_settings *settings, struct run_result *result);

#endif
