/*
 * pause - an account that waits, alone: throttled or stopped by Meta, or paused by an operator.
 *
 * While it waits nothing of it is claimed, granted or sent, and it costs no attempt.
 */
#ifndef FACTEUR_SENDER_PAUSE_H
#define FACTEUR_SENDER_PAUSE_H

#include "sender/worker.h"

bool pause_is_on(const struct account *account);

/* Meta will have none of it for a while: its Retry-After (an hour at most), else a second and twice
 * as long each time. A throttle during a pause is of the same storm. Returns when to try this one
 * again, in milliseconds from now. */
uint64_t pause_throttle(struct account *account, const struct verdict *verdict);

/* Nothing of it for so long; a pause that is on already is not cut short. */
void pause_begin(struct account *account, enum pause_cause cause, uint64_t wait_ms);

#define PAUSE_UNTIL_RUNG UINT64_MAX /* milliseconds: until pause_look_again() */

/* An operator said so: nothing new is taken until the bell rings for it. */
void pause_by_operator(struct account *account);

/* The bell rang for it, or it is its turn to be looked at: if it waits for that, it asks again. */
void pause_look_again(struct account *account);

/* When a pause begins, what is not on the wire goes back to later, so that it holds neither grants
 * nor slots. This is for what becomes ready or granted while it is on: ready, if it is to make room
 * for others; granted, always. */
bool pause_frees_slots(const struct account *account);
enum step_next pause_put_back(struct delivery *delivery); /* to later, until the pause is over */
/* How long that is, in milliseconds, spread over a tenth; 0 if it is not known: what waits is then
 * due when the account goes on. */
uint64_t pause_wait_ms(const struct account *account);

#endif
