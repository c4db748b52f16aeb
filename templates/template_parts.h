/*
 * template_parts - what reads a template's JSON shares: where we are, and how to complain.
 *
 * Private to templates/. A part is a JSON object at a path ("components[1].buttons[0]"); every
 * complaint is a sentence "FILE: PATH.KEY: what is wrong: what to do", and the first one wins.
 */
#ifndef FACTEUR_TEMPLATES_TEMPLATE_PARTS_H
#define FACTEUR_TEMPLATES_TEMPLATE_PARTS_H

#include "templates/template.h"

#include <jansson.h>

struct reader {
    const char *source;
    struct error_text *error;
    struct template *template;
    struct buffer memory; /* the template's: every string is copied there once */
};

struct part {
    struct reader *reader;
    const json_t *object;
    char path[48]; /* "" at the top */
};

/* Always false. `key` NULL: the part itself. */
bool part_fail(const struct part *part, const char *key, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Refuses keys that are not in `known` (ended by NULL), naming the nearest one. */
bool part_knows(const struct part *part, const char *const *known);

/* The string at `key`, copied into the template's memory; empty if absent and not `required`. */
bool part_text(const struct part *part, const char *key, bool required, struct span *text);

/* The same with a limit in code points; what is there must not be empty. */
bool part_text_limited(const struct part *part, const char *key, uint32_t limit, struct span *text);

/* The word at `key` looked up, without regard to case, in `words` (ended by NULL). */
bool part_word(const struct part *part, const char *key, const char *const *words, uint32_t *index);

/* The object in place `index` of the array at `key`. */
bool part_enter(const struct part *part, const char *key, size_t index, struct part *inner);

struct span reader_keep(struct reader *reader, struct span text); /* a copy in its memory */

/* template_buttons.c: the component BUTTONS. */
bool template_buttons_read(const struct part *component);

#endif
