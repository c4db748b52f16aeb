/*
 * variants - texts made of texts, as they come in life and from people who hide: two notifications
 * in one, an offer behind a notification, letters disguised.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_TRAIN_VARIANTS_H
#define FACTEUR_TEMPLATES_POLICY_TRAIN_VARIANTS_H

#include "sender/base/bytes.h"
#include "sender/base/random.h"

/* `a` and `b` in this order, with a space, a line, or a sentence's end between them. */
void variants_join(struct span a, struct span b, struct random *random, struct buffer *out);

/* With some of its letters disguised: look-alikes, digits, characters of no width, drawn apart. */
void variants_disguise(struct span text, struct random *random, struct buffer *out);

/* In capitals (ASCII letters only). */
void variants_shout(struct span text, struct buffer *out);

#endif
