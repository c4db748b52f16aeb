/*
 * fixed_text - what Meta itself writes in authentication templates, by language.
 *
 * Such a template has no text of its own; the customer reads these sentences all the same, so the
 * policy, the preview and the length need them. Private to templates/.
 */
#ifndef FACTEUR_TEMPLATES_FIXED_TEXT_H
#define FACTEUR_TEMPLATES_FIXED_TEXT_H

#include "sender/base/bytes.h"

enum { FIXED_TEXT_MAX = 512 /* bytes of all three sentences of one language, and a number */ };

struct fixed_text {
    const char *language; /* its letters, without the country */
    const char *code;     /* the sentence with {{1}} */
    const char *advice;   /* not to share it, with a space in front */
    const char *expiry;   /* with one %d: minutes */
};

const struct fixed_text *fixed_text_of(struct span language); /* English where we know no other */

#endif
