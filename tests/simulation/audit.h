/*
 * audit - after a run: is everything told once, in one place, charged once, and nothing left?
 *
 * It reads Redis key by key and event by event, and compares it with what the producers wrote and
 * with Meta's truth. Each broken belief is a fault of the world's, told with the seed.
 */
#ifndef FACTEUR_TESTS_SIMULATION_AUDIT_H
#define FACTEUR_TESTS_SIMULATION_AUDIT_H

#include "tests/simulation/run.h"

/* Nothing is under way: what Redis holds is final, but for what waits for time or a receipt. */
bool audit_is_quiet(struct run *run);

/* The workers still run and nothing is under way: every slot, hold, grant and exchange is free. */
bool audit_is_at_rest(struct run *run); /* so it is */
void audit_workers(struct run *run);    /* so it must be */

void audit_tell(const struct run *run); /* into the story: what the workers hold */

/* All processes have ended and every receipt was told. */
void audit_run(struct run *run, struct run_result *result);

#endif
