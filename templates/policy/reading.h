/*
 * reading - a text as the model reads it: folded letters of any script, with the way back to the
 * producer's bytes.
 *
 * Numbers, amounts of money, percentages, links and addresses are one symbol each, so that no
 * order number and no price is a feature. Letters that were disguised are repaired: look-alikes,
 * characters of no width, digits and signs in place of letters ("pr0m0", "$ale"), letters drawn
 * apart ("f r e e", "S.A.L.E"). Invalid UTF-8 parts words. Linear in the size, no allocation.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_READING_H
#define FACTEUR_TEMPLATES_POLICY_READING_H

#include "sender/base/bytes.h"

enum {
    READING_CHUNK = 2048, /* bytes read at once */
    READING_SIZE = 2 * READING_CHUNK,
};

/* Symbols that are no letters; letters are their folded code points. */
enum {
    READING_SPACE = ' ',
    READING_BREAK = '\n', /* the end of a sentence */
    READING_NUMBER = '0',
    READING_PERCENT = '%',
    READING_MONEY = '$',
    READING_EXCLAIM = '!',
    READING_ADDRESS = '@', /* of e-mail */
    READING_LINK = 1,
    READING_SHORT_LINK = 2,
};

struct reading {
    uint32_t count;
    uint32_t words;
    uint32_t capitals;     /* words of three capitals and more */
    uint32_t exclamations; /* the longest run */
    uint32_t pictures;     /* emoji */
    uint32_t repairs;      /* words that had to be repaired */
    uint32_t symbols[READING_SIZE];
    uint16_t starts[READING_SIZE]; /* the bytes each symbol stands for */
    uint16_t ends[READING_SIZE];
};

/* Reads `text`, of at most READING_CHUNK bytes. */
void reading_take(struct span text, struct reading *reading);

/* A letter of a word; false for what stands between and for the symbols above. */
static inline bool
reading_is_letter(uint32_t symbol)
{
    return symbol >= 'a' && symbol != 0xd7; /* all that folds to less is a sign */
}

/* A letter of a script that does not part words. */
bool reading_is_ideograph(uint32_t symbol);

#endif
