/*
 * model - what was learnt of promotional texts: one small weight for each feature, summed up.
 *
 * The weights are templates/policy/model.txt, made by facteur-policy-train from our own corpus.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_MODEL_H
#define FACTEUR_TEMPLATES_POLICY_MODEL_H

#include "templates/policy/features.h"

/* Above 0: more like advertising than like a notification. 0 where there are no features. */
float model_margin(const struct features *features);

/* The words that speak most for advertising: symbols *first … *last of the reading. False: none
 * does. For explanations: it goes over all features once more. */
bool model_find_words(const struct reading *reading, const struct features *features,
                      uint32_t *first, uint32_t *last);

#endif
