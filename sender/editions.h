/*
 * editions - a worker's own: from which edition of each business's catalogue it renders.
 *
 * A worker takes a newer edition when it next renders, and keeps the older ones until their last
 * delivery has ended. So a message is rendered, written and told of by one version, and nothing
 * between two messages waits. Of one thread.
 */
#ifndef FACTEUR_SENDER_EDITIONS_H
#define FACTEUR_SENDER_EDITIONS_H

#include "sender/catalogue_feed.h"

/* One edition as this worker uses it. */
struct edition_use {
    struct edition *edition;
    uint32_t deliveries; /* that were rendered from it and have not ended */
    bool newest;         /* of its business, as far as this worker has looked */
    struct editions *editions;
    struct edition_use *next; /* of all that this worker uses */
};

struct editions;

struct editions *editions_open(struct catalogue_feed *feed, uint32_t business_count);
/* Deliveries that were claimed and never sent may still count: they end with the worker. */
void editions_close(struct editions *editions); /* NULL is allowed */

/* The newest of a business, counted for one more delivery. */
struct edition_use *editions_take(struct editions *editions, uint32_t business);
void editions_give(struct edition_use *use); /* when that delivery has ended */

#endif
