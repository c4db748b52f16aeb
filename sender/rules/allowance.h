/*
 * allowance - how many of an account may be under way at once: as many as there is room for, until
 * Meta says that it is too much. A pure rule.
 *
 * Meta counts messages a second and does not say how many it takes. What it refuses comes back and
 * is claimed, granted and settled again, in the other accounts' time. So when a throttle's pause is
 * over few go first: an eighth of what was accepted since the throttle before, at least eight. What
 * is accepted then lets more go, twice as many with each answer's time, up to half of what was too
 * much, and from there one more at a time.
 */
#ifndef FACTEUR_SENDER_RULES_ALLOWANCE_H
#define FACTEUR_SENDER_RULES_ALLOWANCE_H

#include <stdint.h>

enum {
    ALLOWANCE_LEAST = 8,    /* one of which no answer comes must not be all there is */
    ALLOWANCE_MOST = 16384, /* from here on it is no limit any more */
};

struct allowance {
    uint32_t size;     /* how many; 0: no limit */
    uint32_t goal;     /* up to here it doubles */
    uint32_t progress; /* accepted since it last grew, above the goal */
    uint32_t accepted; /* since the last cut */
};

/* How many may be under way; UINT32_MAX without a limit. */
uint32_t allowance_size(const struct allowance *allowance);
/* Meta accepted one. */
void allowance_grow(struct allowance *allowance);
/* Meta has too much; so many were under way. */
void allowance_cut(struct allowance *allowance, uint32_t under_way);

#endif
