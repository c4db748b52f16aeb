/*
 * store_ranking - members with a score each, sorted by score and then by bytes: Redis' sorted set.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_RANKING_H
#define FACTEUR_TESTS_SIMULATION_STORE_RANKING_H

#include "tests/simulation/store_dict.h"

struct store_ranked {
    double score;
    struct store_text *member; /* held */
};

struct store_ranking {
    struct store_dict scores;    /* member → score */
    struct store_ranked *sorted; /* owned; as many as scores.count */
    uint32_t capacity;           /* of sorted */
};

void store_ranking_free(struct store_ranking *ranking);
struct store_ranking store_ranking_copy(const struct store_ranking *ranking);
uint32_t store_ranking_count(const struct store_ranking *ranking);
bool store_ranking_score(const struct store_ranking *ranking, struct span member, double *score);
/* True: the member was not there before. */
bool store_ranking_set(struct store_ranking *ranking, struct span member, double score);
bool store_ranking_remove(struct store_ranking *ranking, struct span member); /* false: not there */
/* The place of the first member with at least this score, or (`above`) with a higher one. */
uint32_t store_ranking_place(const struct store_ranking *ranking, double score, bool above);

#endif
