/*
 * emulator_latency - how long an answer takes: a constant, a range, or log-normal about a median.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_LATENCY_H
#define FACTEUR_LOADTEST_EMULATOR_LATENCY_H

#include "sender/base/random.h"
#include "sender/base/bytes.h"

enum emulator_latency_kind {
    EMULATOR_LATENCY_NONE,
    EMULATOR_LATENCY_UNIFORM, /* from low_us to high_us, both included */
    EMULATOR_LATENCY_MEDIAN,  /* log-normal about low_us, sigma 0.5: p99 is 3.2 times the median */
};

struct emulator_latency {
    enum emulator_latency_kind kind;
    uint64_t low_us;
    uint64_t high_us;
};

enum { EMULATOR_LATENCY_MAX_US = 60 * 1000 * 1000 }; /* also of one draw */

/* "0", "50ms", "25ms-75ms", "1.5s", "800us", "median:350ms". False: see error. */
bool emulator_latency_read(struct span text, struct emulator_latency *latency,
                           struct error_text *error);

uint64_t emulator_latency_draw(const struct emulator_latency *latency, struct random *random);

#endif
