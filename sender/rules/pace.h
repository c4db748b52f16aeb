/*
 * pace - how many exchanges per second an account may start: a bucket of tokens. A pure rule: time
 * is an argument.
 *
 * Written "80/s", "10/m", "1/6s", with ",burst=45" for what may start at once. Without a burst a
 * tenth of a second's worth, at least one: smooth, no bursts at the borders of seconds.
 */
#ifndef FACTEUR_SENDER_RULES_PACE_H
#define FACTEUR_SENDER_RULES_PACE_H

#include "sender/base/bytes.h"

struct pace {
    uint64_t count;     /* so many … ; 0: no limit */
    uint64_t period_us; /* … in so long */
    uint64_t burst;     /* tokens that a full bucket holds, >= 1 */
};

/* False with a sentence in `error`: no number, zero, negative, no unit, more than a million a
 * second. */
bool pace_read(struct span text, struct pace *pace, struct error_text *error);

struct pace_bucket {
    struct pace pace;
    uint64_t filled_us; /* the time at which the bucket was last empty, or as if */
};

/* Shares the pace among `workers`: each has its part of the rate. Starts full. */
void pace_bucket_init(struct pace_bucket *bucket, const struct pace *pace, uint32_t workers,
                      uint64_t now_us);

/* How many may start now: UINT32_MAX without a limit. */
uint32_t pace_room(const struct pace_bucket *bucket, uint64_t now_us);
void pace_take(struct pace_bucket *bucket, uint32_t count, uint64_t now_us);
/* When `count` may start at once (at most a bucket full is waited for); `now_us` if they may now.
 */
uint64_t pace_next_us(const struct pace_bucket *bucket, uint32_t count, uint64_t now_us);
/* How long until so many may have started, one behind the other; 0 without a limit. */
uint64_t pace_wait_us(const struct pace_bucket *bucket, uint32_t count, uint64_t now_us);
/* What is worth waiting for: half a bucket, so that starts come in small batches. >= 1. */
uint32_t pace_worth(const struct pace_bucket *bucket);

#endif
