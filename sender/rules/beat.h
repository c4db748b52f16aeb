/*
 * beat - how long another worker's beat has stood still, by our own watching.
 *
 * A worker is dead when its beat has not grown for a whole lease of looks of ours. Only our own
 * monotonic clock counts, and a gap between two looks counts as half a lease at most: so no jump of
 * a clock, and no stop of ours, declares anybody dead.
 */
#ifndef FACTEUR_SENDER_RULES_BEAT_H
#define FACTEUR_SENDER_RULES_BEAT_H

#include <stdbool.h>
#include <stdint.h>

struct beat_watch {
    uint64_t beat;
    uint64_t still_us;  /* how long we have seen it stand still */
    uint64_t looked_us; /* when we last looked */
    bool looked;        /* at all */
};

/* One look, at `now_us`, which never goes back. True if it has stood still for `lease_us`; it then
 * takes another whole lease until it says so again. */
bool beat_look(struct beat_watch *watch, uint64_t beat, uint64_t now_us, uint64_t lease_us);

#endif
