/*
 * terms - the words and phrases of all rules, in one trie made at build time from terms.inc.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_TERMS_H
#define FACTEUR_TEMPLATES_POLICY_TERMS_H

#include "templates/policy/fold.h"
#include "templates/policy/rules.h"

enum terms_language {
    TERMS_EN = 1,
    TERMS_FR = 2,
    TERMS_ES = 4,
    TERMS_ALL = 7,
};

struct term {
    uint8_t rule;      /* enum rule */
    uint8_t languages; /* enum terms_language: texts in these are looked at */
    uint8_t weight;    /* hundredths of a score */
    bool prefix;       /* "discount*": the word may go on */
};

/*
 * The longest term that starts at symbol `at`, which begins a word, in one of `languages`; NULL if
 * there is none. `*end` is the first symbol after it, or after the word that a prefix is part of.
 */
const struct term *terms_match(const struct fold *fold, uint32_t at, uint8_t languages,
                               uint32_t *end);

/* The longest beginning of `letters` that is a word of some term; 0 if there is none. */
uint32_t terms_longest_word(const uint8_t *letters, uint32_t size);

#endif
