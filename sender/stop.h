/*
 * stop - an account that Meta lets send nothing until somebody mends it: a bad token, a payment
 * that is due, a number that is not registered.
 *
 * Redis is told once, so that no worker sends for it any more; its queue is kept, and what was on
 * its way goes back to wait at no attempt's cost. It goes on when an operator resumes it, or when a
 * worker comes with another token: a worker that finds its account stopped says under which token
 * it would send, unless Meta has refused that very token.
 *
 * The token itself is never told: only a keyed hash of it, and no words of Meta's that hold it.
 */
#ifndef FACTEUR_SENDER_STOP_H
#define FACTEUR_SENDER_STOP_H

#include "sender/worker.h"

void stop_open(struct worker *worker);
void stop_close(struct worker *worker);

/* Meta said so. Returns words for the member that goes back, valid until the account's next stop.
 */
struct span stop_by_meta(struct account *account, const struct verdict *verdict);

/* Redis said so, to a claim or a grant. */
void stop_by_redis(struct account *account);

/* Redis gave a claim of it: it is stopped no more. */
void stop_is_over(struct account *account);

/* Meta accepted something of it. */
void stop_forget(struct account *account);

/* Once a turn, before what goes back to wait is settled: tells what Redis has not been told yet. */
void stop_tell(struct worker *worker);

#endif
