/*
 * exchanges - what is granted leaves for the Graph API, and what came of it is judged.
 */
#ifndef FACTEUR_SENDER_EXCHANGES_H
#define FACTEUR_SENDER_EXCHANGES_H

#include "sender/worker.h"

/* The worker's channel, and the memory of as many exchanges as it can have under way. */
void exchanges_open(struct worker *worker);
void exchanges_close(struct worker *worker); /* the channel must be closed */

/* Starts what is granted while there is room, in rounds over the accounts; wants more room if some
 * is left over. What has waited too long is ended or given back instead. */
void exchanges_send(struct worker *worker);

#endif
