/*
 * stored - a template as Redis keeps it: its text, who put it there, when and why.
 *
 * The hash B:templates has a field `name/language` for each, whose value is one JSON object:
 *
 *   {"version":"9f3a…","who":"marie","at":1790000000000,"why":"new wording","template":{…}}
 *
 * `template` is the file's own text. Where it is null the template was removed: it hides the file
 * of that name and language, too. The field `#version` counts the changes of the whole hash.
 */
#ifndef FACTEUR_TEMPLATES_STORED_H
#define FACTEUR_TEMPLATES_STORED_H

#include "templates/catalogue.h"

#define STORED_COUNTER "#version" /* the field of B:templates that is no template */

enum {
    STORED_FIELD_MAX = TEMPLATE_NAME_MAX + 1 + TEMPLATE_LANGUAGE_MAX,
    STORED_WHO_MAX = 64,                             /* bytes */
    STORED_WHY_MAX = 512,                            /* bytes */
    STORED_VALUE_MAX = TEMPLATE_FILE_MAX + 8 * 1024, /* bytes: who and why may need escapes */
};

struct stored_template {
    struct span name;
    struct span language;
    struct span version; /* 16 hex digits; empty if removed */
    struct span who;
    struct span why;
    uint64_t at_ms;   /* Unix */
    struct span json; /* the template's text; empty: it was removed */
};

/*
 * Reads a field and its value. `value` is changed in place and borrowed. False with what is wrong
 * in `error`: the hash can be written by anybody who may. If only the value is bad, `stored` has
 * the name and the language and no text: keep it, so that it hides its file as a removed one does.
 * If the field is no template's, its name is empty.
 */
bool stored_read(struct span field, struct span value, struct stored_template *stored,
                 struct error_text *error);

/* The field's name, and the value; either overflows if the buffer is too small. */
void stored_put_field(const struct stored_template *stored, struct buffer *out);
void stored_put_value(const struct stored_template *stored, struct buffer *out);

/*
 * The catalogue in force: what is stored, and those of `files` that nothing stored hides. What is
 * stored and no good template is told to `on_bad` (source and cause in one sentence) and is in the
 * catalogue neither itself nor as a file. NULL only if there are more than
 * CATALOGUE_TEMPLATES_MAX; then `error` says so. `files` may be NULL and is only read.
 */
struct stored_complaints {
    void (*on_bad)(void *context, const struct error_text *error);
    void *context;
};
struct catalogue *stored_catalogue(const struct stored_template *stored, uint32_t count,
                                   const struct catalogue *files,
                                   const struct stored_complaints *complaints,
                                   struct error_text *error);

#endif
