/*
 * chaos_producer - writes the generator's notifications as a producer would that never gives up:
 * when Redis is lost before it has answered, the write is repeated. Each has an id, so a repeated
 * one is at most a duplicate.
 *
 * Never waits: what it does follows from its turns and from the loop's callbacks.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_PRODUCER_H
#define FACTEUR_LOADTEST_CHAOS_PRODUCER_H

#include "loadtest/load_options.h"

struct chaos_producer;

struct chaos_producer_settings {
    const struct load_options *options;
    const struct generator *generator; /* with templates */
    struct loop *loop;
    struct audit *audit; /* told which member each became, and what was written twice */
};

/* All borrowed. Ended by close. */
struct chaos_producer *chaos_producer_open(const struct chaos_producer_settings *settings);
void chaos_producer_close(struct chaos_producer *producer);

/*
 * One turn: writes on towards notification `goal` (not included), what is to be repeated first.
 * `where`: Redis' address, or NULL while nobody should try to connect.
 */
void chaos_producer_turn(struct chaos_producer *producer, const char *where, uint64_t goal);

uint64_t chaos_producer_written(const struct chaos_producer *producer);  /* confirmed */
uint64_t chaos_producer_repeated(const struct chaos_producer *producer); /* writes done again */

#endif
