/*
 * csv - rows of a small comma-separated file, read whole into memory and unquoted in place.
 *
 * RFC 4180: fields in quotes may hold commas, line ends and doubled quotes; lines end with LF or
 * CRLF. A UTF-8 byte order mark in front is dropped, empty lines are skipped. The first row is the
 * header, and every row must have as many fields as it. What is not so is refused with file and
 * line.
 */
#ifndef FACTEUR_SENDER_COST_CSV_H
#define FACTEUR_SENDER_COST_CSV_H

#include "sender/base/bytes.h"

enum {
    CSV_SIZE_MAX = 8 * 1024 * 1024, /* bytes of a file */
    CSV_FIELDS_MAX = 32,            /* in a row */
    CSV_FIELD_MAX = 4096,           /* bytes of a field */
};

struct csv {
    const char *source; /* for messages: the path; borrowed */
    char *data;         /* owned: csv_open() took it, csv_close() gives it back */
    size_t size;
    size_t at;                          /* the next byte to read */
    uint32_t next_line;                 /* number of the line at `at`, from 1 */
    uint32_t line;                      /* where the current row begins */
    size_t field_count;                 /* of the header, so of every row; 0 before it */
    struct span fields[CSV_FIELDS_MAX]; /* of the current row; valid until csv_close() */
};

enum csv_next {
    CSV_ROW,
    CSV_END,
    CSV_BROKEN, /* see the error; the next call goes on with the next line */
};

/* False with a sentence in `error`: cannot be read, too large, not UTF-8, holds NUL bytes, empty.
 */
bool csv_open(struct csv *csv, const char *path, struct error_text *error);
/* The same from a copy of `text`; `source` is what messages call it. */
bool csv_open_text(struct csv *csv, struct span text, const char *source, struct error_text *error);
void csv_close(struct csv *csv); /* also after a failed open */

enum csv_next csv_next(struct csv *csv, struct error_text *error);

/* The index of the column called `name`; to be asked while the header is the current row. */
bool csv_find_column(const struct csv *csv, struct span name, size_t *index);
/* The same for a column that must be there: false with a sentence in `error`. */
bool csv_need_column(const struct csv *csv, const char *name, size_t *index,
                     struct error_text *error);

#endif
