/*
 * chaos_history - what a growing number was some time ago: a ring of samples of the last seconds.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_HISTORY_H
#define FACTEUR_LOADTEST_CHAOS_HISTORY_H

#include <stddef.h>
#include <stdint.h>

enum {
    CHAOS_SAMPLES = 256,
    CHAOS_SAMPLE_EVERY_US = 20000, /* at most: so the ring reaches back five seconds */
};

struct chaos_history {
    struct chaos_sample {
        uint64_t at_us;
        uint64_t value;
    } samples[CHAOS_SAMPLES];
    uint64_t count; /* ever taken */
};

void chaos_history_forget(struct chaos_history *history);
/* Takes a sample, unless the last one is too young. Time never goes back. */
void chaos_history_note(struct chaos_history *history, uint64_t now_us, uint64_t value);
/* The last sample that was taken at `at_us` or before; the oldest kept if none was; 0 if there is
 * none at all. */
uint64_t chaos_history_at(const struct chaos_history *history, uint64_t at_us);

#endif
