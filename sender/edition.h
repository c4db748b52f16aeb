/*
 * edition - the catalogue of one business at one moment, with its request forms; never changed.
 *
 * A change makes a new edition. Whoever uses one holds it: the feed the newest, each worker those
 * that deliveries of it still need. The last to give it back frees it. Any thread.
 */
#ifndef FACTEUR_SENDER_EDITION_H
#define FACTEUR_SENDER_EDITION_H

#include "sender/graph/request.h"
#include "templates/catalogue.h"

struct edition;

/* Takes the catalogue over and makes a form for each template. The caller holds it. */
struct edition *edition_open(struct catalogue *catalogue);
void edition_take(struct edition *edition);
void edition_give(struct edition *edition); /* NULL is allowed */

const struct catalogue *edition_catalogue(const struct edition *edition);
/* `template` must be of this edition's catalogue. */
const struct request_form *edition_form(const struct edition *edition,
                                        const struct template *template);

#endif
