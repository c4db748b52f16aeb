/*
 * values - what one notification puts into a template's variables, checked against the template.
 *
 * From a notification's fields: `1`, `2`, … or NAME (body), and from the JSON object `params` what
 * plain fields cannot say:
 *
 *   {"header": "text" | {"link": "https://…", "filename": "…"} | {"id": "…"} |
 *              {"latitude": "…", "longitude": "…", "name": "…", "address": "…"},
 *    "body":   ["…", …] | {"name": "…", …},
 *    "buttons": {"0": "payload, suffix or code", …}}
 *
 * A copy-code or OTP button takes parameter 1 unless `params` says otherwise.
 */
#ifndef FACTEUR_TEMPLATES_VALUES_H
#define FACTEUR_TEMPLATES_VALUES_H

#include "sender/base/arena.h"
#include "templates/template.h"

struct values {
    struct span body[TEMPLATE_PARAMETERS_MAX];       /* in the order of template->parameter_names */
    struct span header_text;                         /* of a text header's variable */
    struct field header_fields[4];                   /* of a media or location header: link, id, … */
    uint32_t header_field_count;
    struct span buttons[TEMPLATE_BUTTONS_MAX];       /* empty where a button needs none */
};

struct values_input {
    const struct field *fields; /* name "1", "2", … or NAME, without the "p." */
    size_t count;
    bool named;                 /* the producer wrote p.NAME */
    struct span params;         /* JSON text, or empty */
};

enum values_error {
    VALUES_OK,
    VALUES_MISSING,    /* a variable has no value, or an empty one; `field` names it */
    VALUES_UNKNOWN,    /* a value has no variable */
    VALUES_MALFORMED,  /* `params` is not as above */
    VALUES_TEXT,       /* a value has a newline, a tab, five spaces, NUL or is not UTF-8 */
    VALUES_TOO_LONG,   /* the rendered body would be longer than Meta takes */
    VALUES_ROOM,       /* the arena is full (an unusually large `params`) */
};

/*
 * Fills `values`; spans point into the input or, for `params`, into `arena`. On failure `*field` is
 * the offending field's name (borrowed from the input, the template or static).
 */
enum values_error values_read(const struct template *template, const struct values_input *input,
                              struct arena *arena, struct values *values, struct span *field);
const char *values_error_text(enum values_error error); /* a sentence's end: "has no value" */

/*
 * What the customer will read: header, body, footer, button texts, one a line. Returns false if it
 * does not fit. `*body_start`, `*body_end` (may be NULL) tell where the body stands in it.
 */
bool values_render(const struct template *template, const struct values *values,
                   struct buffer *text);

#endif
