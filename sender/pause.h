/*
 * pause - an account that waits, alone: throttled or stopped by Meta, or paused by an operator.
 *
 * While it waits nothing of it is claimed, granted or sent, and it costs no attempt.
 */
#ifndef FACTEUR_SENDER_PAUSE_H
#define FACTEUR_SENDER_PAUSE_H

#include "sender/worker.h"

bool pause_is_on(const struct account *account);

/* Meta will have none of it for a while: its Retry-After (an hour at most), a minute for an account
 * that must be mended first, else a second and twice as long each time. A throttle during a pause
 * is of the same storm. Returns when to try this one again, in milliseconds from now. */
uint64_t pause_throttle(struct account *account, const struct verdict *verdict);

/* Once a turn: what was granted goes back to wait. What was not goes back too, if it is for long
 * and there are other accounts: their slots are not to wait with it. */
void pause_hold_back(struct account *account);

/* What is not on the wire goes to later, and nothing new is taken until it asks again, in a second.
 */
void pause_by_operator(struct account *account);

#endif
