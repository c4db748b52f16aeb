/*
 * bytes - borrowed bytes (span), named ones (field), and a writer into fixed memory (buffer).
 *
 * None of them owns memory. A span may hold NUL bytes and is not NUL-terminated.
 */
#ifndef FACTEUR_SENDER_BASE_BYTES_H
#define FACTEUR_SENDER_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
    const char *data; /* borrowed; may be NULL when size is 0 */
    size_t size;      /* bytes */
};

/* A name and its value, as Redis' entries and a template's parameters have them. */
struct field {
    struct span name;
    struct span value;
};

/* A literal as a span, without counting at run time. */
#define SPAN(literal)                                                                              \
    (struct span)                                                                                  \
    {                                                                                              \
        .data = "" literal, .size = sizeof(literal) - 1                                            \
    }
/* For printf: "%.*s", SPAN_ARG(span). */
#define SPAN_ARG(span) (int)(span).size, (span).data

struct span span_of(const char *text); /* borrowed; NULL gives the empty span */

static inline bool
span_equal(struct span a, struct span b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool
span_starts(struct span span, struct span prefix)
{
    return span.size >= prefix.size &&
           (prefix.size == 0 || memcmp(span.data, prefix.data, prefix.size) == 0);
}

bool span_find(struct span haystack, char needle, size_t *index);
struct span span_trim(struct span span); /* without ASCII white space at both ends */

/* Splits at the first `separator`: returns what is before it and leaves what is after in `*rest`.
 * Without a separator everything is returned and `*rest` becomes empty with data == NULL. */
struct span span_split(struct span *rest, char separator);

/* Strict decimal: 1 to 19 digits, no sign, no space, at most INT64_MAX. */
bool span_to_u64(struct span span, uint64_t *value);

bool span_is_utf8(struct span span); /* well-formed: no surrogates, no over-long forms */

uint64_t span_hash(struct span span); /* FNV-1a, 64 bits: the same on every machine */

/*
 * A writer with a fixed end. What does not fit is not written at all and sets `overflow`, which
 * stays set: so a caller writes everything and tests once.
 */
struct buffer {
    char *data;      /* borrowed */
    size_t size;     /* bytes written, <= capacity */
    size_t capacity; /* bytes */
    bool overflow;   /* something did not fit */
};

void buffer_init(struct buffer *buffer, void *memory, size_t capacity);
void buffer_reset(struct buffer *buffer); /* size 0, overflow cleared */
struct span buffer_span(const struct buffer *buffer);
size_t buffer_room(const struct buffer *buffer);

/* In the header, because a body or an outcome is made of dozens of them. */
static inline void
buffer_put(struct buffer *buffer, const void *data, size_t size)
{
    if (size > buffer->capacity - buffer->size) {
        buffer->overflow = true;
        return;
    }
    if (size > 0)
        memcpy(buffer->data + buffer->size, data, size);
    buffer->size += size;
}

static inline void
buffer_put_span(struct buffer *buffer, struct span span)
{
    buffer_put(buffer, span.data, span.size);
}

/* NUL-terminated. */
static inline void
buffer_put_text(struct buffer *buffer, const char *text)
{
    buffer_put(buffer, text, strlen(text));
}

static inline void
buffer_put_char(struct buffer *buffer, char c)
{
    buffer_put(buffer, &c, 1);
}

void buffer_put_u64(struct buffer *buffer, uint64_t value); /* decimal */
void buffer_put_i64(struct buffer *buffer, int64_t value);  /* decimal, with - if negative */
void buffer_put_hex(struct buffer *buffer, const void *data, size_t size); /* lower case */
/* At most 2047 bytes a call: more counts as what does not fit. */
void buffer_printf(struct buffer *buffer, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Ends with a NUL that is not counted in size. Overwrites the last byte if full. capacity > 0. */
const char *buffer_text(struct buffer *buffer);

/* An error in words, for people: says what, where (file, line, field), and what to do. */
struct error_text {
    char text[512];
};
void error_set(struct error_text *error, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
