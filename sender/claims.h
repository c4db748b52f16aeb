/*
 * claims - what a worker takes from the streams: asks, and makes deliveries of the answer.
 */
#ifndef FACTEUR_SENDER_CLAIMS_H
#define FACTEUR_SENDER_CLAIMS_H

#include "sender/worker.h"

/* Asks for the accounts that want more, in turn, as far as there are free slots. */
void claims_ask_more(struct worker *worker);

/* A hold for a claim that was not asked for as one: a declaration's. Nobody stands in it yet. */
struct claim_hold *claims_hold(struct account *account, struct span name);
/* All claims are given back, by a declaration: no delivery has a hold any more. */
void claims_let_go(struct worker *worker);

/* A delivery of this hold was settled, or dropped when the worker was fenced. */
void claims_release(struct delivery *delivery);

/* Asks again for the claims whose replies were lost, or that had no room, under the same names. */
void claims_ask_lost(struct worker *worker);
/* The worker was fenced: a claim whose reply was lost is not asked again. */
void claims_forget(struct account *account);

#endif
