/*
 * notification - what a producer asked for, read from an entry's fields or a bulk member's line.
 *
 * Only the shape is judged here (known fields, sizes, numbers, UTF-8); whether the number is a
 * number and the template exists is for those who know. Spans borrow from the entry.
 */
#ifndef FACTEUR_QUEUE_NOTIFICATION_H
#define FACTEUR_QUEUE_NOTIFICATION_H

#include "queue/keys.h"
#include "sender/base/bytes.h"

enum {
    NOTIFICATION_PARAMETERS_MAX = 32,
    NOTIFICATION_NAME_MAX = 512,  /* bytes of to, recipient, template, lang, in_reply_to, NAME */
    NOTIFICATION_FIELDS_MAX = 48, /* more than a good notification can have */
};

struct notification {
    struct span to; /* as written; empty if `recipient` is given */
    struct span recipient;
    struct span template_name;
    struct span language;
    /* Name "1" … in their order and without a gap, or NAME without "p." as they came. */
    struct field parameters[NOTIFICATION_PARAMETERS_MAX];
    uint32_t parameter_count;
    bool named;         /* the parameters were written p.NAME */
    struct span params; /* JSON, or empty */
    struct span id;
    struct span ref;
    struct span text; /* of a reply */
    struct span in_reply_to;
    uint64_t not_before_ms; /* 0: at once */
    uint64_t expires_ms;    /* 0: not said */
};

enum notification_error {
    NOTIFICATION_OK,
    NOTIFICATION_UNKNOWN_FIELD,
    NOTIFICATION_DUPLICATE_FIELD,
    NOTIFICATION_NO_RECIPIENT, /* neither `to` nor `recipient` */
    NOTIFICATION_TWO_RECIPIENTS,
    NOTIFICATION_NO_TEMPLATE, /* no template (and no text) */
    NOTIFICATION_NO_LANGUAGE,
    NOTIFICATION_BAD_NUMBER, /* not_before, expires: Unix milliseconds */
    NOTIFICATION_TOO_LONG,   /* id or ref over 256 bytes, name over 512 */
    NOTIFICATION_ENCODING,   /* not UTF-8, or a NUL byte; in `id` any control character */
    NOTIFICATION_PARAMETERS, /* 1… and p.NAME mixed, a number of no use or left out, too many,
                                or `params` beside them */
    NOTIFICATION_MALFORMED,  /* a bulk member that is not a flat JSON object */
    NOTIFICATION_EMPTY,
    NOTIFICATION_TWO_CONTENTS, /* a template and a text */
};

/*
 * From an entry's fields. On failure `*field` names the field: borrowed from the entry, so it may
 * be any bytes and any length, or static.
 */
enum notification_error notification_read(const struct field *fields, size_t count,
                                          struct notification *notification, struct span *field);

/*
 * From one line of a bulk entry. `line` is changed in place (unescaped). Values that are numbers
 * are taken as their text; `params` may be an object. `*field` is "bulk" where the line itself is
 * at fault.
 */
enum notification_error notification_read_line(struct span line, struct notification *notification,
                                               struct span *field);

/* A sentence's end: "unknown field: p. in front makes it a parameter". Static. */
const char *notification_error_text(enum notification_error error);

/*
 * True if the entry has a field `bulk`, given in `*bulk`. It must then be the only field: any other
 * beside it is for notification_read(), which finds `bulk` itself unknown.
 */
bool notification_is_bulk(const struct field *fields, size_t count, struct span *bulk);

/* Splits a `bulk` field into at most QUEUE_BULK_MAX lines. 0: empty, or too many. */
uint32_t notification_split_bulk(struct span bulk, struct span lines[QUEUE_BULK_MAX]);

#endif
