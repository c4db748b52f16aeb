/*
 * settlement - one atomic call for a batch of outcomes: ack, charge, event, or back to wait.
 *
 * Outcomes stay in memory until Redis has said what it did with them. A settle whose reply was lost
 * is written again; the token (grant, member) makes the repetition harmless.
 */
#ifndef FACTEUR_SENDER_SETTLEMENT_H
#define FACTEUR_SENDER_SETTLEMENT_H

#include "sender/worker.h"

/* Writes a settle for each account, in turn, that has outcomes or finished claims, unless one of
 * its settles is under way. Nothing while Redis is not there. */
void settlement_write_all(struct worker *worker);

/* The memory that a worker needs to write settles; the worker frees it. */
struct writing;
struct writing *settlement_memory(void);

#endif
