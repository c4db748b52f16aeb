/*
 * chaos_fault - does the faults of the plan, and undoes them when their time is over.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_FAULT_H
#define FACTEUR_LOADTEST_CHAOS_FAULT_H

#include "loadtest/chaos.h"

/* Waits for its instant, with turns, and does it. */
void chaos_fault_do(struct chaos *chaos, const struct chaos_fault *fault);

/* Starts a sender, in so many milliseconds. */
void chaos_fault_start_sender(struct chaos *chaos, uint32_t number, uint64_t wait_ms);

/* Undoes what is due at `now_us`. */
void chaos_fault_undo(struct chaos *chaos, uint64_t now_us);
bool chaos_fault_is_over(const struct chaos *chaos); /* everything is undone */

#endif
