/*
 * measure - how well a model parts promotional texts from notifications.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_TRAIN_MEASURE_H
#define FACTEUR_TEMPLATES_POLICY_TRAIN_MEASURE_H

#include "templates/policy/train/learner.h"

/* Reads label<TAB>language<TAB>source<TAB>text and prints to standard output. False: no file. */
bool measure_file(const struct learner *learner, const char *path);

#endif
