/*
 * learner - a linear model of hashed features, by logistic regression (AdaGrad, one example at a
 * time). Seeded and single-threaded: the same examples give the same weights to the bit.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_TRAIN_LEARNER_H
#define FACTEUR_TEMPLATES_POLICY_TRAIN_LEARNER_H

#include "sender/base/random.h"
#include "templates/policy/train/examples.h"

struct learner {
    float *weights; /* 2^FEATURES_BITS */
    float *squares; /* of all gradients so far */
    double bias;
    double bias_squares;
};

struct learner_settings {
    uint32_t rounds; /* over all examples */
    float rate;
    float decay; /* of a weight, each time that its feature is seen */
};

void learner_open(struct learner *learner);
void learner_close(struct learner *learner);
void learner_run(struct learner *learner, const struct examples *examples,
                 const struct learner_settings *settings, struct random *random);

/* The sum of the weights over the root of their number, and the bias: above 0 is promotional. */
double learner_margin(const struct learner *learner, const uint32_t *indexes, uint32_t count);

#endif
