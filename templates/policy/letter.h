/*
 * letter - one character of a text as the model reads it: folded, in any script.
 *
 * The table is made at build time from ICU's data (generate/letter_table.c): compatibility forms
 * (full width, mathematical, circled …), case, accents, and the letters of other scripts that look
 * like Latin ones, each undone.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_LETTER_H
#define FACTEUR_TEMPLATES_POLICY_LETTER_H

#include <stdint.h>

enum letter_class {
    LETTER_SPACE,  /* parts words: spaces, most punctuation */
    LETTER_BREAK,  /* ends a sentence: line ends, ! ? … and a full stop before a space */
    LETTER_HIDDEN, /* has no width of its own: dropped, a sign of hiding within a word */
    LETTER_MARK,   /* an accent: dropped */
    LETTER_WORD,   /* a letter, or a mark that is one (vowel signs of Indic scripts) */
    LETTER_IDEO,   /* a letter of a script that does not part words */
    LETTER_DIGIT,
    LETTER_MONEY, /* a currency sign */
    LETTER_PERCENT,
    LETTER_PICTURE, /* an emoji or another pictogram */
};

enum { LETTER_FOLDED_MAX = 4 };

struct letter {
    uint8_t class;
    uint8_t size;  /* bytes in the text, at least 1; what is not UTF-8 is a space of one byte */
    uint8_t count; /* of folded; 0 where the class has none */
    uint8_t look_alike; /* 1: another script's letter that stands here for a Latin one */
    uint8_t upper;      /* 1: a capital */
    uint32_t folded[LETTER_FOLDED_MAX]; /* code points; of a digit '0' … '9' */
};

/* The character at `data[at]`; `at` < `size`. */
void letter_at(const uint8_t *data, uint32_t size, uint32_t at, struct letter *letter);

#endif
