#include "templates/policy/terms.h"

/*
 * A node's children stand side by side, in the order of their symbols; bit s of `children` says
 * that there is one for symbol s. `known`: the letters from the root to here are a word of some
 * term, or the beginning of one that may go on.
 */
struct node {
    uint32_t children;
    uint16_t first;
    uint16_t term; /* index + 1 into terms; 0: none ends here */
    uint8_t known; /* enum known */
};

enum known { KNOWN_NO, KNOWN_WORD, KNOWN_BEGINNING };

/* Made from terms.inc by generate/terms_table.c: nodes[], of which the first is the root, and
 * terms[]. */
#include "templates/policy/terms_table.inc"

static uint32_t
bits(uint32_t x)
{
    x = x - (x >> 1 & 0x55555555);
    x = (x & 0x33333333) + (x >> 2 & 0x33333333);
    return ((x + (x >> 4)) & 0x0f0f0f0f) * 0x01010101 >> 24;
}

static const struct node *
child(const struct node *node, uint8_t symbol)
{
    uint32_t bit = 1u << symbol;
    if ((node->children & bit) == 0)
        return NULL;
    return &nodes[node->first + bits(node->children & (bit - 1))];
}

static uint32_t
word_end(const struct fold *fold, uint32_t at)
{
    while (at < fold->size && fold_is_letter(fold->symbols[at]))
        at++;
    return at;
}

const struct term *
terms_match(const struct fold *fold, uint32_t at, uint8_t languages, uint32_t *end)
{
    const struct term *best = NULL;
    const struct node *node = &nodes[0];
    while (at < fold->size && fold->symbols[at] < FOLD_IN_RULES) {
        node = child(node, fold->symbols[at]);
        if (node == NULL)
            break;
        at++;
        if (node->term == 0 || (terms[node->term - 1].languages & languages) == 0)
            continue;
        bool inside = fold_is_letter(fold->symbols[at - 1]) && at < fold->size &&
                      fold_is_letter(fold->symbols[at]);
        if (inside && !terms[node->term - 1].prefix)
            continue;
        best = &terms[node->term - 1];
        *end = inside ? word_end(fold, at) : at;
    }
    return best;
}

uint32_t
terms_longest_word(const uint8_t *letters, uint32_t size)
{
    const struct node *node = &nodes[0];
    uint32_t longest = 0;
    for (uint32_t i = 0; i < size; i++) {
        node = child(node, letters[i]);
        if (node == NULL)
            break;
        if (node->known == KNOWN_BEGINNING)
            return size;
        if (node->known == KNOWN_WORD)
            longest = i + 1;
    }
    return longest;
}
