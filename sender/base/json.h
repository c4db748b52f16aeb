/*
 * json - strings written for JSON, and the flat objects of bulk members read in place.
 *
 * For the hot path only: what is nested goes to jansson. The flat reader takes one object whose
 * values are strings, numbers, true, false or null, and gives nested values back as raw text.
 */
#ifndef FACTEUR_SENDER_BASE_JSON_H
#define FACTEUR_SENDER_BASE_JSON_H

#include "sender/base/bytes.h"

/*
 * Writes `text` in quotes, escaped as RFC 8259 asks: quote, backslash and control characters.
 * Bytes from 0x80 pass through, so valid UTF-8 stays what it was. Invalid UTF-8 becomes U+FFFD,
 * one for each bad byte, so that the result is always valid JSON.
 */
void json_put_string(struct buffer *buffer, struct span text);

/* The same without the quotes. */
void json_put_escaped(struct buffer *buffer, struct span text);

enum json_error {
    JSON_OK,
    JSON_SYNTAX,    /* not one JSON object; `error_at` is the byte */
    JSON_TOO_MANY,  /* more members than `capacity` */
    JSON_ENCODING,  /* a string is not UTF-8, or has a lone surrogate */
    JSON_DUPLICATE, /* the same name twice; `fields[count]` holds it */
};

struct json_object {
    struct field *fields; /* the caller's array; names and strings unescaped */
    size_t capacity;      /* entries in `fields` */
    size_t count;         /* set: how many were read */
    size_t error_at;      /* set on failure: byte offset in the text */
};

/*
 * Reads one flat object from `text` and unescapes *in place*: `text` is changed, and the spans in
 * `object->fields` point into it. Numbers, true, false, null and nested values are given back as
 * their raw text; `*raw` (may be NULL) gets a bit for each field (bit i, at most 64) that was not
 * a string. Nesting is limited to 16 levels.
 */
enum json_error json_read_flat(struct span text, struct json_object *object, uint64_t *raw);

const char *json_error_text(enum json_error error); /* static */

#endif
