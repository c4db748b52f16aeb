/*
 * character - one character of a text, by what it counts as for the fold.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_CHARACTER_H
#define FACTEUR_TEMPLATES_POLICY_CHARACTER_H

#include <stdbool.h>
#include <stdint.h>

/* Codes besides letters, digits and (from 0x80) expansions. */
enum code {
    CODE_SOFT,   /* parts words */
    CODE_HIDDEN, /* has no width: dropped, a sign of hiding within a word */
    CODE_MARK,   /* combines with the letter before: dropped */
    CODE_BREAK,
    CODE_EXCLAIM,
    CODE_PERCENT,
    CODE_MONEY,
    CODE_MINUS,
    CODE_POINT,
    CODE_COMMA,
    CODE_LINE,
    CODE_OTHER,
    CODE_EXPANSION = 0x80,
};

struct character {
    uint8_t code;
    uint8_t size; /* bytes, at least 1 */
    bool foreign; /* a look-alike from another alphabet */
};

extern const uint8_t character_ascii[128]; /* the codes of the first 128 */

/* `data[at]` is not ASCII; what is not UTF-8 is a space of one byte. */
struct character character_wide(const uint8_t *data, uint32_t size, uint32_t at);

/* What an expansion stands for: "ss", "oe", … */
const char *character_expansion(uint8_t code);

static inline struct character
character_at(const uint8_t *data, uint32_t size, uint32_t at)
{
    if (data[at] < 0x80)
        return (struct character){.code = character_ascii[data[at]], .size = 1};
    return character_wide(data, size, at);
}

static inline bool
character_is_digit(uint8_t code)
{
    return code >= '0' && code <= '9';
}

static inline bool
character_is_word(uint8_t code)
{
    return code >= '0' || code == CODE_OTHER; /* letters, digits and expansions */
}

#endif
