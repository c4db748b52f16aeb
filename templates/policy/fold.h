/*
 * fold - a text as the rules read it: 32 symbols, with the way back to the producer's bytes.
 *
 * One pass undoes what hides words: case, accents, full-width and mathematical letters, look-alikes
 * from other alphabets, characters of no width, digits in place of letters ("pr0m0"), letters
 * drawn apart ("f r e e", "S.A.L.E"). Numbers, percentages and amounts of money become one symbol
 * each, so that a rule says "% off" and means 5 as well as 50. The last two repairs are only made
 * where they give a word that some rule knows, so that references such as "CMD-1042" stay what
 * they are. Invalid UTF-8 counts as space.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_FOLD_H
#define FACTEUR_TEMPLATES_POLICY_FOLD_H

#include "sender/base/bytes.h"

/* 0 … 25 are the letters a … z. */
enum fold_symbol {
    FOLD_SPACE = 26,            /* any run of what parts words within a sentence */
    FOLD_PERCENT,               /* "50 %", and a % alone */
    FOLD_AMOUNT,                /* "€ 12.50", "12 euros", and a currency sign alone */
    FOLD_NUMBER,                /* "1 250", and a variable {{…}} */
    FOLD_MINUS_PERCENT,         /* "-50 %" */
    FOLD_N_FOR_M,               /* "2x1" */
    FOLD_IN_RULES,              /* the symbols up to here may stand in a rule's term */
    FOLD_BREAK = FOLD_IN_RULES, /* the end of a sentence */
    FOLD_OTHER,                 /* a letter of an alphabet that no rule is written in */
};

enum fold_mark {
    FOLD_HIDDEN = 1, /* this letter had to be repaired: what it is part of was disguised */
    FOLD_LINE = 2,   /* a space that was a line break */
};

enum {
    FOLD_CHUNK = 2048, /* bytes folded at once */
    FOLD_SIZE = 2 * FOLD_CHUNK + 64
};

struct fold {
    uint32_t size;
    uint32_t words;             /* of two letters and more */
    uint32_t capital_words;     /* of four capitals and more */
    uint32_t exclamations;      /* the longest run of them */
    uint8_t symbols[FOLD_SIZE]; /* enum fold_symbol */
    uint8_t marks[FOLD_SIZE];   /* enum fold_mark */
    uint16_t starts[FOLD_SIZE]; /* the bytes each symbol stands for: from … */
    uint16_t ends[FOLD_SIZE];   /* … to before this one */
};

/* Folds `text`, of at most FOLD_CHUNK bytes. No allocation; time is linear in the size. */
void fold_text(struct span text, struct fold *fold);

static inline bool
fold_is_letter(uint8_t symbol)
{
    return symbol < FOLD_SPACE || symbol == FOLD_OTHER;
}

#endif
