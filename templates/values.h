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
 * A header's variable that has a name may also come as a field p.NAME, and fills a body variable of
 * the same name too. A copy-code or OTP button takes parameter 1 unless `params` says otherwise. A
 * quick reply's payload may be left out; a URL's suffix may not.
 *
 * Meta's limits in code points: the body with its values 1024, or 32768 where the template has
 * nothing but a body; a text header 60; a URL 2000; a code 15; a quick reply's payload 128; a file
 * name 240. A value is one line: no control character, no more than four spaces in a row. A link is
 * https://, an id digits, latitude and longitude decimal degrees (as text, as Meta has them).
 */
#ifndef FACTEUR_TEMPLATES_VALUES_H
#define FACTEUR_TEMPLATES_VALUES_H

#include "sender/base/arena.h"
#include "templates/template.h"

enum {
    VALUES_PARAMS_MAX = 128 * 1024 /* bytes of `params`: the longest body in 4-byte characters */
};

struct values {
    struct span body[TEMPLATE_PARAMETERS_MAX]; /* in the order of template->parameter_names */
    struct span header_text;                   /* of a text header's variable */
    struct field header_fields[4];             /* of a media or location header: link, id, … */
    uint32_t header_field_count;
    struct span buttons[TEMPLATE_BUTTONS_MAX]; /* empty where a button needs none */
};

struct values_input {
    const struct field *fields; /* name "1", "2", … or NAME, without the "p." */
    size_t count;
    bool named;         /* the producer wrote p.NAME */
    struct span params; /* JSON text, or empty */
};

enum values_error {
    VALUES_OK,
    VALUES_MISSING,   /* a variable has no value, or an empty one; `field` names it */
    VALUES_UNKNOWN,   /* a value has no variable */
    VALUES_MALFORMED, /* `params` is not as above, or a value is given twice */
    VALUES_TEXT,      /* a value has a newline, a tab, five spaces, NUL or is not UTF-8 */
    VALUES_TOO_LONG,  /* longer than Meta takes: the rendered body, header, URL, payload, code */
    VALUES_LINK,      /* a header's link is not an https:// address */
    VALUES_MEDIA_ID,  /* a header's id is not made of digits */
    VALUES_PLACE,     /* latitude or longitude is no number of degrees */
    VALUES_ROOM,      /* the arena is full (an unusually large `params`) */
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
 * does not fit. Of a document's header the file name is shown, of a location's its name and
 * address.
 */
bool values_render(const struct template *template, const struct values *values,
                   struct buffer *text);

/* Its parts alone: the header as it is read there (empty if there is none), and the body. */
void values_put_header(const struct template *template, const struct values *values,
                       struct buffer *text);
void values_put_body(const struct template *template, const struct values *values,
                     struct buffer *text);

#endif
