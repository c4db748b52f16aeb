/*
 * retry - when an attempt that failed for a while is made again. A pure rule: time and chance are
 * arguments, so a schedule is a table test.
 */
#ifndef FACTEUR_SENDER_RULES_RETRY_H
#define FACTEUR_SENDER_RULES_RETRY_H

#include "sender/base/bytes.h"

enum { RETRY_STEPS_MAX = 16 };

/* "5s, 30s, 2m, 10m*3, 1h*6": waits before attempt 2, 3, …; after the last the notification is
 * dead. Units: ms, s, m, h, d. "none": no second attempt. */
struct retry_schedule {
    uint32_t count; /* waits in all, repetitions included */
    uint32_t step_count;
    uint64_t wait_ms[RETRY_STEPS_MAX];
    uint32_t repeat[RETRY_STEPS_MAX];
};

/* False with a sentence in `error` that names the part: unit missing, zero, more than 30 days … */
bool retry_schedule_read(struct span text, struct retry_schedule *schedule,
                         struct error_text *error);

/*
 * The wait after `attempts` attempts (>= 1), in ms, with jitter of up to ±10 % from `chance`
 * (0 <= chance < 1). False: the attempts are used up.
 */
bool retry_wait_ms(const struct retry_schedule *schedule, uint32_t attempts, double chance,
                   uint64_t *wait_ms);

/* What a throttled account waits after `throttles` (>= 0) earlier ones in a row: a second, and
 * twice as long each time, 64 s at most. */
uint64_t retry_throttle_wait_ms(uint32_t throttles);

/* Meta's rule for its pair limit: 4^X seconds, X being how many times in a row it was met before,
 * an hour at most. */
uint64_t retry_pair_wait_ms(uint32_t throttles);

/* The wait that a server asked for with Retry-After, as seconds (0: none) or as a date in Unix
 * seconds (0: none): an hour at most, 0 if it asked for none or the date is over. */
uint64_t retry_asked_wait_ms(uint32_t after_s, uint64_t at_s, uint64_t now_ms);

#endif
