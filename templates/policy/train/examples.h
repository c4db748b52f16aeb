/*
 * examples - what the model learns from: features of texts, each with its label and weight.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_TRAIN_EXAMPLES_H
#define FACTEUR_TEMPLATES_POLICY_TRAIN_EXAMPLES_H

#include "sender/base/bytes.h"
#include "templates/policy/features.h"

struct example {
    size_t first; /* in `indexes` */
    uint32_t count;
    float weight;
    bool promotional;
};

struct examples {
    struct example *list;
    uint32_t count;
    uint32_t capacity;
    uint32_t *indexes; /* of features, of all examples */
    size_t index_count;
    size_t index_capacity;
    struct reading *reading;   /* scratch */
    struct features *features; /* scratch */
};

void examples_open(struct examples *examples);
void examples_close(struct examples *examples);

/* Reads the text as the policy will and adds it. Texts of more than a chunk are cut. */
void examples_add(struct examples *examples, struct span text, bool promotional, float weight);

#endif
