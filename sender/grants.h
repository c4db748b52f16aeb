/*
 * grants - one atomic call for a batch: what may be on the wire, at which price, once each.
 */
#ifndef FACTEUR_SENDER_GRANTS_H
#define FACTEUR_SENDER_GRANTS_H

#include "sender/worker.h"

/* Writes grants for what is ready, as far as the accounts' pace and the channel's capacity go. */
void grants_ask_ready(struct worker *worker);

/* Writes again the calls whose replies were lost, and those that had no room. A grant repeated
 * under its name is the same grant. */
void grants_ask_lost(struct worker *worker);

/* The worker was fenced, or will declare what it has: calls whose replies were lost are not written
 * again. */
void grants_forget(struct worker *worker);

/* True while a call waits for its reply. */
bool grants_under_way(const struct worker *worker);

/* A member of the grant was settled: the hold goes when the last is. */
void grants_release(struct delivery *delivery);

#endif
