/*
 * receipts - Meta's webhooks, played into facteur_receipt: early, late, twice, in any order.
 */
#ifndef FACTEUR_TESTS_SIMULATION_RECEIPTS_H
#define FACTEUR_TESTS_SIMULATION_RECEIPTS_H

#include "tests/simulation/graph.h"
#include "tests/simulation/redis.h"

struct receipts {
    struct world *world;
    struct redis *redis;
    struct graph *graph;
    struct receipt_on_its_way *first;
    uint32_t known; /* answered so */
    uint32_t done;
};

void receipts_open(struct receipts *receipts, struct world *world, struct redis *redis,
                   struct graph *graph);
void receipts_close(struct receipts *receipts);

/* For graph->on_taken: this attempt's receipt is on its way. */
void receipts_send(struct receipts *receipts, uint32_t attempt, uint64_t answer_us);
/* Whatever has not been told is told now. False: Redis is away. */
bool receipts_tell_all(struct receipts *receipts);

#endif
