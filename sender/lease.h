/*
 * lease - a worker is alive as long as its beat grows: telling so, and seeing who does not.
 *
 * A worker announces its holder, then renews its beat four times a lease. It counts its own lease
 * from before it asked, and stops sending at half of it. Another worker's beat that stands still
 * for a whole lease *of our own watching* (looks that are at most half a lease apart) is fenced,
 * and what it held is cleaned up. So no jump of a clock ends a lease: Redis' clock is not asked,
 * and a stop of ours shows as one look.
 */
#ifndef FACTEUR_SENDER_LEASE_H
#define FACTEUR_SENDER_LEASE_H

#include "sender/worker.h"

/* A new name, and its announcement in every business. Also after the worker was fenced. */
void lease_begin(struct worker *worker);

/* Asks for a renewal everywhere; reads the others' beats from the replies. Starts the next. */
void lease_beat(struct worker *worker);

/* The connection was lost: what was asked has no answer. */
void lease_lost(struct worker *worker);

/* True while this worker may start exchanges of that business. */
bool lease_holds(const struct worker *worker, uint32_t business);

/* One delivery that is not ours any more: its slot is free, Redis is told nothing. */
void lease_drop(struct delivery *delivery);

/* Drops everything that was not sent: the others have it now. Then a new name. */
void lease_start_over(struct worker *worker);

/* Gives back what was claimed, and says goodbye. `on_left` through worker->done. */
void lease_leave(struct worker *worker);

#endif
