/*
 * slots - a worker's deliveries, the lists they stand in, and what they hold. All taken at start.
 *
 * Who holds what, from when until when:
 *
 *   slot (delivery)   claims take it for a member of a reply; slots_give() when Redis has said what
 *                     it did with its outcome, or when the worker was fenced before it was sent
 *   batch             pinned by the claim's callback while it runs, and by each delivery until its
 *                     bytes are in its slot (step_read), or with the slot if they do not fit
 *   claim_hold        one a part of a claim's reply; counts its deliveries. After the last it
 * stands in account->finished until a settle that names it was answered grant_hold        from
 * grants_ask() on; counts its members, the last one settled frees it exchange memory   from the
 * start of an exchange to the end of its on_end, large bodies too edition           from the render
 * until the slot is given back grant_call, settle_call   until their reply; a lost grant call keeps
 * its place, because its repetition must be the same
 *
 * A delivery stands in exactly one list (ready, sending, settling, a grant_call, a settle_call, or
 * free), or none while its exchange is under way or one of its steps runs.
 */
#ifndef FACTEUR_SENDER_SLOTS_H
#define FACTEUR_SENDER_SLOTS_H

#include "sender/worker.h"

void slots_open(struct worker *worker);
void slots_close(struct worker *worker);

/* A free one, or NULL. */
struct delivery *slots_take(struct worker *worker);
/* It must be in no list, and hold neither claim, grant nor exchange memory. */
void slots_give(struct delivery *delivery);
/* The batch is free again when the last pin is gone. */
void slots_unpin(struct worker *worker, struct batch *batch);

void list_push(struct delivery_list *list, struct delivery *delivery);
struct delivery *list_pop(struct delivery_list *list);

#endif
