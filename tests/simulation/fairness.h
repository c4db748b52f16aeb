/*
 * fairness - of runs in which one account has a huge backlog and throttled answers: how many of its
 * exchanges pass while another account's message waits.
 *
 * Counted in exchanges, not by the clock: a batch is what may be granted to one account at a time.
 */
#ifndef FACTEUR_TESTS_SIMULATION_FAIRNESS_H
#define FACTEUR_TESTS_SIMULATION_FAIRNESS_H

#include "tests/simulation/notices.h"

enum {
    FAIR_BACKLOG = 400, /* the first notices of such a run: all of account 0, all at once */
    FAIR_OTHERS = 40,   /* of the other accounts, one by one */
    FAIR_TURN = 8,      /* an account's turn at the least: sender/turns.c with small limits */
};

struct fairness {
    struct world *world;
    struct notices *notices;
    uint32_t big;                            /* exchanges of account 0 that Meta has read */
    uint32_t longest;                        /* of them, while one of another account's waited */
    uint32_t number;                         /* which one that was */
    uint32_t waiting[NOTICES_ACCOUNTS_FAIR]; /* written and not read */
    uint32_t measured;
};

void fairness_open(struct fairness *fairness, struct world *world, struct notices *notices);
void fairness_written(struct fairness *fairness, struct notice *notice);
void fairness_read(struct fairness *fairness, uint32_t account, uint32_t number);
/* `capacity`: exchanges that may be under way at once. A batch is what may be granted before a
 * newcomer is: twice that; and as many may leave while Redis is asked for it. */
void fairness_judge(const struct fairness *fairness, uint32_t capacity);

#endif
