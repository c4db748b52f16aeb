/*
 * grants - one atomic call for a batch: what may be on the wire, at which price, once each.
 */
#ifndef FACTEUR_SENDER_GRANTS_H
#define FACTEUR_SENDER_GRANTS_H

#include "sender/worker.h"

/* Writes grants for what is ready of this account, at most `room` members. Returns how many. */
uint32_t grants_ask(struct account *account, uint32_t room);

/* Writes again the calls whose replies were lost, and those that had no room. A grant repeated
 * under its name is the same grant. */
void grants_ask_lost(struct worker *worker);

/* The worker was fenced: calls whose replies were lost are not written again. */
void grants_forget(struct worker *worker);

/* A member of the grant was settled: the hold goes when the last is. */
void grants_release(struct delivery *delivery);

#endif
