/*
 * template_text - a text cut at its variables, so that rendering only copies.
 */
#ifndef FACTEUR_TEMPLATES_TEMPLATE_TEXT_H
#define FACTEUR_TEMPLATES_TEMPLATE_TEXT_H

#include "templates/template.h"

/* The variables of one text: their names in order, each once. */
struct template_variables {
    bool named;                                 /* asked: {{first_name}} rather than {{1}} */
    uint32_t count;                             /* found */
    struct span names[TEMPLATE_PARAMETERS_MAX]; /* borrowed from the text; "1", "2", … in order */
};

/*
 * Cuts `whole` into `*text` (its spans point into `whole`) and collects its variables. Positional
 * ones must be numbered from 1 without a gap, in any order and any number of times. Returns false
 * with what is wrong and what to do in `problem`.
 */
bool template_text_cut(struct span whole, struct template_text *text,
                       struct template_variables *variables, struct error_text *problem);

uint32_t template_text_characters(struct span text); /* code points of valid UTF-8 */

#endif
