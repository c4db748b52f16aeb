/*
 * emulator_csv - a CSV file with a header line, row by row. Read once at start.
 *
 * Fields may be quoted as RFC 4180 says; a doubled quote in a quoted field is one. A quoted field
 * may not hold a line break: none of the files has one, and a lost quote is then found in its line.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_CSV_H
#define FACTEUR_LOADTEST_EMULATOR_CSV_H

#include "sender/base/bytes.h"

enum {
    EMULATOR_CSV_COLUMNS_MAX = 16,
    EMULATOR_CSV_SIZE_MAX = 4 * 1024 * 1024, /* bytes of a file */
};

struct emulator_csv {
    const char *path; /* borrowed */
    char *data;       /* owned */
    struct span rest; /* not yet read */
    uint32_t line;    /* of the row that was read last; the header is 1 */
    uint32_t column_count;
    struct span header[EMULATOR_CSV_COLUMNS_MAX];
    struct span row[EMULATOR_CSV_COLUMNS_MAX]; /* valid until close */
    bool failed;                               /* a row was malformed; `error` says which */
    struct error_text error;
};

/* Reads the file and its header. False: see csv->error; nothing to close. */
bool emulator_csv_open(struct emulator_csv *csv, const char *path);
void emulator_csv_close(struct emulator_csv *csv);

/* The next row into csv->row. False at the end, or with csv->failed at a malformed line. */
bool emulator_csv_next(struct emulator_csv *csv);

/* The column with this name. False (and csv->failed) if there is none. */
bool emulator_csv_column(struct emulator_csv *csv, const char *name, uint32_t *column);

/* Sets csv->failed and a sentence that begins with file and line. */
void emulator_csv_fail(struct emulator_csv *csv, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
