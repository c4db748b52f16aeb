/*
 * pairs - which pairs of account and recipient Meta has put off, and until when. A pure rule: time
 * is an argument.
 *
 * Meta takes one message in six seconds of a pair; a burst of more borrows from the time after it.
 * Who goes over it gets an error (131056) and must keep still for 4^X seconds (retry.h). Until then
 * others to the same recipient are put off as well, each to a slot of its own, six seconds after
 * the one before; and from then on the pair goes at that pace, until it was still for a while. A
 * pair that was never put off is not held up, and costs nothing.
 *
 * Bounded: as many pairs as PAIRS_MAX; of more the one that would be free first is forgotten,
 * whose next message then finds out for itself.
 */
#ifndef FACTEUR_SENDER_RULES_PAIRS_H
#define FACTEUR_SENDER_RULES_PAIRS_H

#include <stdbool.h>
#include <stdint.h>

enum { PAIRS_MAX = 4096 };

struct pair {
    uint64_t key;        /* of account and recipient: a hash; 0: an empty place */
    uint64_t held_us;    /* until then, for it was refused */
    uint64_t distant_us; /* likewise, for one was sent a moment ago */
    uint64_t slot_us;    /* of the last one that was put off */
};

struct pairs {
    struct pair pairs[PAIRS_MAX];
    uint64_t busy_until_us; /* no pair is held or paced after this */
};

/* The pair was refused: nothing more of it for `wait_us`. */
void pairs_throttle(struct pairs *pairs, uint64_t key, uint64_t wait_us, uint64_t now_us);

/* 0: it may be sent now. Otherwise it is to be put off for so many microseconds, and has taken a
 * slot. */
uint64_t pairs_wait_us(struct pairs *pairs, uint64_t key, uint64_t now_us);

/* One of the pair is being sent: if it was refused not long ago, the next one keeps its distance.
 */
void pairs_note_sent(struct pairs *pairs, uint64_t key, uint64_t now_us);

/* False: none is held, so there is no need to work out a key. */
bool pairs_are_busy(const struct pairs *pairs, uint64_t now_us);

#endif
