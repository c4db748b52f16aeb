/*
 * features - what the model sees of a reading: hashed words, pairs of words, and pieces of four
 * letters, each once; and a few facts about the whole.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_FEATURES_H
#define FACTEUR_TEMPLATES_POLICY_FEATURES_H

#include "templates/policy/reading.h"

enum {
    FEATURES_BITS = 18, /* of an index */
    FEATURES_MAX = 4 * READING_SIZE,
    FEATURES_TABLE = 32768, /* seen ones: a power of two, more than FEATURES_MAX */
};

struct features {
    uint32_t count;
    uint32_t index[FEATURES_MAX];
    uint16_t first[FEATURES_MAX]; /* the symbols that it was first seen at */
    uint16_t last[FEATURES_MAX];
    uint32_t table[FEATURES_TABLE];
    uint32_t table_size; /* in use for this text */
};

/* Of the symbols `from` … `to` - 1; `whole`: also the facts about all of the reading. */
void features_take(const struct reading *reading, uint32_t from, uint32_t to, bool whole,
                   struct features *features);

#endif
