/*
 * fallback - which language to take when a template has not the one that was asked for.
 *
 * "fr_CA>fr>en, de_AT>de" says: for fr_CA try fr, then en; for fr try en; for de_AT try de. A chain
 * that begins with * is for every language, after its own chain: "*>en". Nothing else is guessed: a
 * customer who gets the wrong language was not notified.
 *
 * Immutable after fallback_read(); any thread may read.
 */
#ifndef FACTEUR_TEMPLATES_FALLBACK_H
#define FACTEUR_TEMPLATES_FALLBACK_H

#include "templates/catalogue.h"

enum { FALLBACK_LANGUAGES_MAX = 128 /* in all chains together */ };

struct fallback {
    uint32_t count;
    struct fallback_language {
        char code[TEMPLATE_LANGUAGE_MAX + 1]; /* or "*" */
        bool begins_chain;
    } languages[FALLBACK_LANGUAGES_MAX];
};

/* Adds the chains of `text` to what is there already; an empty struct knows none. False with what
 * is wrong and what to do in `error`: then nothing was added. */
bool fallback_add(struct fallback *fallback, struct span text, struct error_text *error);

/* The template in `language`, or else in the first language of its chain that has it. NULL if there
 * is none; `*name_known` (may be NULL) as catalogue_find() says it. */
const struct template *fallback_find(const struct fallback *fallback,
                                     const struct catalogue *catalogue, struct span name,
                                     struct span language, bool *name_known);

#endif
