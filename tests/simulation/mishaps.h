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

/* What Redis forgot: all that was written from the mark to the crash. */
struct forgotten {
    uint64_t from_us;
    uint64_t to_us;
};

enum { FORGOTTEN_MAX = 8 };

struct mishaps {
    struct run *run;
    struct mishap *first;    /* what is still to happen */
    struct store_mark *mark; /* Redis will forget what comes after; NULL: it forgets nothing */
    uint64_t mark_us;
    struct forgotten forgotten[FORGOTTEN_MAX];
    uint32_t forgotten_count;
};

void mishaps_open(struct mishaps *mishaps, struct run *run);
void mishaps_close(struct mishaps *mishaps);
/* May an attempt of then have been made again, unflagged and without its charge? Redis forgot its
 * grant, and the worker that knew of it had ended, or did not come back in time to say so. */
bool mishaps_excuse(const struct mishaps *mishaps, uint64_t at_us);
void mishaps_resume(struct mishaps *mishaps); /* every account, by an operator */
/* The busy time is over: what was begun is ended by hand (paused accounts, bad tokens, clocks). */
void mishaps_mend(struct mishaps *mishaps);

#endif
