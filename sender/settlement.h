/*
 * settlement - one atomic call for a batch of outcomes: ack, charge, event, or back to wait.
 *
 * Outcomes stay in memory until Redis has said what it did with them. A settle whose reply was lost
 * is written again; the token (grant, member) makes the repetition harmless.
 */
#ifndef FACTEUR_SENDER_SETTLEMENT_H
#define FACTEUR_SENDER_SETTLEMENT_H

#include "sender/worker.h"

/* Writes one settle for what has an outcome, and for finished claims, unless one is under way. */
void settlement_write(struct account *account);

/* The memory that a worker needs to write settles; the worker frees it. */
struct writing;
struct writing *settlement_memory(void);

#endif
