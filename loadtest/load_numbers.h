/*
 * load_numbers - mobile numbers that could be real, of a hundred countries.
 *
 * A table of our own, not the sender's: a mistake in the sender's reading of numbers must show up
 * in the audit instead of cancelling out. Each pattern lies wholly inside a range that the
 * country's numbering plan gives to mobiles, so every number drawn from it is valid.
 */
#ifndef FACTEUR_LOADTEST_LOAD_NUMBERS_H
#define FACTEUR_LOADTEST_LOAD_NUMBERS_H

#include "sender/base/random.h"

enum {
    LOAD_NUMBER_PATTERNS_MAX = 4,
    LOAD_NUMBER_SIZE = 17, /* "+", 15 digits, NUL */
};

struct load_country {
    char code[3];     /* ISO 3166 alpha-2 */
    char language[3]; /* which of fr, en, es its customers are written to in */
    uint16_t calling_code;
    uint16_t weight; /* share of all recipients, relative to the others' */
    const char
        *patterns[LOAD_NUMBER_PATTERNS_MAX]; /* digits with the calling code; # is any digit */
};

/* The heaviest first. Index 0 .. load_country_count() - 1. */
const struct load_country *load_country_at(uint32_t index);
uint32_t load_country_count(void);

/* One of the first `countries` (at least 1, at most load_country_count()), by weight. */
const struct load_country *load_country_draw(struct random *random, uint32_t countries);

/* A number of that country, E.164 with "+", NUL-terminated. */
void load_number_draw(struct random *random, const struct load_country *country,
                      char number[LOAD_NUMBER_SIZE]);

#endif
