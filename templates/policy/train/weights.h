/*
 * weights - the model as it is shipped: small integers in a text file, with where they come from.
 *
 *     # comments: provenance
 *     bias SCALED
 *     unit MILLIONTHS           what one step of a weight is worth
 *     PLACE HEX…                64 weights of one byte each (two's complement); rows of zeros are
 * left out
 */
#ifndef FACTEUR_TEMPLATES_POLICY_TRAIN_WEIGHTS_H
#define FACTEUR_TEMPLATES_POLICY_TRAIN_WEIGHTS_H

#include "templates/policy/train/corpus.h"
#include "templates/policy/train/learner.h"

/* False: the file cannot be written (said on standard error). */
bool weights_write(const struct learner *learner, const struct corpus *corpus, const char *path);

#endif
