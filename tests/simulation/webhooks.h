/*
 * webhooks - Meta's webhooks, played into facteur_receipt: early, late, twice, in any order.
 */
#ifndef FACTEUR_TESTS_SIMULATION_WEBHOOKS_H
#define FACTEUR_TESTS_SIMULATION_WEBHOOKS_H

#include "tests/simulation/graph.h"
#include "tests/simulation/redis.h"

struct webhooks {
    struct world *world;
    struct redis *redis;
    struct graph *graph;
    struct receipt_on_its_way *first;
    uint32_t known; /* answered so */
    uint32_t done;
};

void webhooks_open(struct webhooks *webhooks, struct world *world, struct redis *redis,
                   struct graph *graph);
void webhooks_close(struct webhooks *webhooks);

/* For graph->on_taken: this attempt's receipt is on its way. */
void webhooks_send(struct webhooks *webhooks, uint32_t attempt, uint64_t answer_us);
/* Everything is told now, again if it was told before. False: Redis is away. */
bool webhooks_tell_all(struct webhooks *webhooks);
/* What was never told: of requests that were in the net for long. Likewise. */
bool webhooks_tell_rest(struct webhooks *webhooks);

#endif
