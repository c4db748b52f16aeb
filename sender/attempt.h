/*
 * attempt - what follows from how an attempt ended, decided here and nowhere else.
 *
 *   accepted     leaves, and is charged
 *   failed       leaves; or is kept in dead, if it can be mended at Meta's
 *   later        a throttle, a stop, the pair limit, or provably not processed: when Meta (or the
 *                rule for it) says, at no attempt's cost. Else by the schedule of its class, and
 *                when that is used up it is dead
 *   uncertain    waits for its receipt
 *
 * And whom the answer holds up besides: the pair, the account, or nobody.
 */
#ifndef FACTEUR_SENDER_ATTEMPT_H
#define FACTEUR_SENDER_ATTEMPT_H

#include "sender/delivery.h"

/* Of one whose exchange ended (delivery->end). The response's memory is needed until it returns. */
enum step_next attempt_judge(struct delivery *delivery);

/* Is its recipient held up by Meta's pair limit? Then it goes to later, in a slot behind the others
 * to the same recipient, and this is true. */
bool attempt_waits_for_pair(struct delivery *delivery);

/* It is being sent: the next to its recipient may have to keep its distance. */
void attempt_begin(struct delivery *delivery);

#endif
