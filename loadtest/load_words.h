/*
 * load_words - what stands in a notification's parameters: names, orders, carriers, dates, halls,
 * and the offers that some producers smuggle in.
 *
 * Invented for this tool. Values hold what real ones hold: accents, quotes, backslashes, emoji, so
 * that escaping is exercised; none of them has a line break, which Meta refuses in parameters.
 */
#ifndef FACTEUR_LOADTEST_LOAD_WORDS_H
#define FACTEUR_LOADTEST_LOAD_WORDS_H

#include "sender/base/bytes.h"
#include "sender/base/random.h"

enum load_word {
    LOAD_WORD_NAME,
    LOAD_WORD_ORDER,
    LOAD_WORD_CARRIER,
    LOAD_WORD_DATE,
    LOAD_WORD_TIME,
    LOAD_WORD_EVENT,
    LOAD_WORD_VENUE,
    LOAD_WORD_SEAT,
    LOAD_WORD_CITY,
    LOAD_WORD_COUNT, /* a small number */
    LOAD_WORD_KINDS
};

enum load_language { LOAD_FR, LOAD_EN, LOAD_ES, LOAD_LANGUAGES };

/* By the first two letters; false if it is none of ours. */
bool load_language_of(struct span code, enum load_language *language);
const char *load_language_code(enum load_language language); /* "fr" … static */

/* What a variable stands for, guessed from its name (of named ones), from its example (of numbered
 * ones), and last from its place in the text. */
enum load_word load_word_guess(struct span name, struct span example, uint32_t index);

void load_word_put(struct random *random, enum load_word word, enum load_language language,
                   struct buffer *out);

/* An offer, as a marketing person would put it behind a harmless value: "– 30 % sur tout …". */
void load_offer_put(struct random *random, enum load_language language, struct buffer *out);

#endif
