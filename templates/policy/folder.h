/*
 * folder - a fold in the making: what fold.c, fold_number.c and fold_run.c share; private to them.
 */
#ifndef FACTEUR_TEMPLATES_POLICY_FOLDER_H
#define FACTEUR_TEMPLATES_POLICY_FOLDER_H

#include "templates/policy/character.h"
#include "templates/policy/fold.h"

struct folder {
    const uint8_t *data;
    uint32_t size;
    uint32_t at;
    uint32_t no_run; /* no letters drawn apart start before this byte: looked already */
    struct fold *fold;
};

void fold_push(struct folder *folder, uint8_t symbol, uint32_t start, uint32_t end);
void fold_push_space(struct folder *folder, uint32_t start, uint32_t end); /* one is enough */
/* Numbers stand apart from what they touch: "50off" is "50 off". */
void fold_push_apart(struct folder *folder, uint8_t symbol, uint32_t start, uint32_t end);

static inline struct character
look(const struct folder *folder, uint32_t at)
{
    return character_at(folder->data, folder->size, at);
}

/* The code of the character at `at`, or of a space where the text ends. */
static inline uint8_t
code_at(const struct folder *folder, uint32_t at)
{
    return at < folder->size ? look(folder, at).code : CODE_SOFT;
}

static inline uint8_t
last_symbol(const struct fold *fold)
{
    return fold->size == 0 ? FOLD_BREAK : fold->symbols[fold->size - 1];
}

/* Past what has no width of its own. */
static inline uint32_t
skip_hidden(const struct folder *folder, uint32_t at)
{
    while (at < folder->size) {
        struct character unit = look(folder, at);
        if (unit.code != CODE_HIDDEN && unit.code != CODE_MARK)
            return at;
        at += unit.size;
    }
    return at;
}

/*
 * fold_number.c: a number from `start`, whose digits so far end at `end`, with the percent sign or
 * the currency beside it. Goes on after it.
 */
void fold_take_number(struct folder *folder, uint32_t start, uint32_t end);

/* The word of `size` symbols at `first` may be the unit of a number before it: "12 euros". */
void fold_join_unit(struct folder *folder, uint32_t first, uint32_t size);

/* fold_run.c: letters drawn apart that make words which rules know, from `at` on: "f r e e". */
bool fold_take_run(struct folder *folder, uint32_t at);

/* The letter that a digit or sign may stand for, or 0; `one`: what 1 and ! stand for. */
uint8_t fold_letter_for(uint8_t raw, char one);

#endif
