/*
 * claims - what a worker takes from the streams: asks, and makes deliveries of the answer.
 */
#ifndef FACTEUR_SENDER_CLAIMS_H
#define FACTEUR_SENDER_CLAIMS_H

#include "sender/worker.h"

/* Asks for as many members as there are free slots, if that is worth a call. True if it asked. */
bool claims_ask(struct account *account);

/* A delivery of this hold was settled, or dropped when the worker was fenced. */
void claims_release(struct delivery *delivery);

/* Asks again for the claim whose reply was lost, or that had no room, under the same name. */
void claims_ask_lost(struct account *account);
/* The worker was fenced: a claim whose reply was lost is not asked again. */
void claims_forget(struct account *account);

#endif
