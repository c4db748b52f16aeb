/*
 * share - whose turn it is: deficit round robin over those who want something of which there is not
 * enough for all (slots, grants, streams). A pure rule; what it gives is counted, so it needs no
 * clock.
 *
 * Whoever wants something stands in the ring. A turn is worth `quantum` units; what is taken is
 * paid from it, and who took more than that (a bulk entry is taken whole) passes until its turns
 * have made up for it. So between two turns of one, each other takes a quantum at most, and one
 * batch more if it could not know beforehand: that is how long a newcomer waits for somebody with a
 * million. Who wants nothing is not in the ring, and costs nothing.
 */
#ifndef FACTEUR_SENDER_RULES_SHARE_H
#define FACTEUR_SENDER_RULES_SHARE_H

#include <stdbool.h>
#include <stdint.h>

/* Embedded in who takes part, one for each ring; zero at start. container_of finds the owner. */
struct share_turn {
    struct share_turn *next; /* NULL: not in the ring */
    struct share_turn *previous;
    int64_t credit; /* units it may take before the next one's turn; below 0: it owes them */
};

struct share {
    struct share_turn *first; /* whose turn it is; NULL: nobody wants anything */
    uint32_t count;           /* in the ring */
    uint32_t quantum;         /* units of a turn, > 0 */
};

void share_init(struct share *share, uint32_t quantum);

/* It wants something: last in the ring, or where it stands already. Credit of before is forgotten,
 * a debt is not. */
void share_join(struct share *share, struct share_turn *turn);
/* It wants nothing, or must wait for something of its own. Allowed when it is not in the ring. */
void share_leave(struct share *share, struct share_turn *turn);
bool share_has(const struct share_turn *turn);

/* Whose turn it is; it keeps its place until share_pass() or share_leave(), or until it has paid
 * for all of its turn. NULL: nobody wants anything. */
struct share_turn *share_first(struct share *share);
/* What the first may take now, > 0: all there is (UINT32_MAX) if it is alone. */
uint32_t share_credit(const struct share *share);
/* It took so many units. If that was its turn, the next one's begins. May be paid late, out of the
 * ring too. */
void share_pay(struct share *share, struct share_turn *turn, uint32_t units);
/* The first cannot take anything now but wants to: the next one's turn begins, nothing is owed. */
void share_pass(struct share *share);

#endif
