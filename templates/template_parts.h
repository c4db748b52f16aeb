/*
 * template_parts - what reads a template's JSON shares: where we are, and how to complain.
 *
 * Private to templates/. A part is a JSON object at a path ("components[1].buttons[0]"). Every
 * complaint becomes a finding: its rule, its place, what is wrong and what to do. Reading goes on
 * where what comes next can be judged all the same.
 */
#ifndef FACTEUR_TEMPLATES_TEMPLATE_PARTS_H
#define FACTEUR_TEMPLATES_TEMPLATE_PARTS_H

#include "templates/lint.h"

#include <jansson.h>

struct reader {
    struct span json; /* the whole text: for places */
    struct lint_report *report;
    struct template *template;
    struct buffer memory; /* the template's: every string is copied there once */
};

struct part {
    struct reader *reader;
    const json_t *object;
    char path[48]; /* "" at the top */
};

/* Always false. `key` NULL: the part itself. */
bool part_fail(const struct part *part, const char *key, enum lint_rule rule, const char *format,
               ...) __attribute__((format(printf, 4, 5)));
/* The same for whoever has no part: `path` is told, `place` says where it stands. */
void reader_fail(const struct reader *reader, enum lint_rule rule, const char *path,
                 const char *place, const char *text);

/* Refuses keys that are not in `known` (ended by NULL), naming the nearest one for each. */
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

/* template.c: all that is against the format, and the template if there is nothing. */
struct template *template_read_all(struct span json, struct lint_report *report);

/* template_buttons.c: the component BUTTONS. */
bool template_buttons_read(const struct part *component);

#endif
