/*
 * mishaps - what goes wrong in a run, and when: kills, stops, restarts, troubles, jumping clocks,
 * operators. Drawn at the beginning from the weather; each happens once.
 */
#ifndef FACTEUR_TESTS_SIMULATION_MISHAPS_H
#define FACTEUR_TESTS_SIMULATION_MISHAPS_H

#include "tests/simulation/house.h"
#include "tests/simulation/notices.h"
#include "tests/simulation/redis.h"

struct run;
struct mishap;

struct mishaps {
    struct run *run;
    struct mishap *first; /* what is still to happen */
};

void mishaps_open(struct mishaps *mishaps, struct run *run);
void mishaps_close(struct mishaps *mishaps);
void mishaps_resume(struct mishaps *mishaps); /* every account, by an operator */
/* The busy time is over: what was begun is ended by hand (paused accounts, bad tokens, clocks). */
void mishaps_mend(struct mishaps *mishaps);

#endif
