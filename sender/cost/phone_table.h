/*
 * phone_table - the world's numbering plans as one automaton: compiled in, or from a file.
 *
 * Made from Google's libphonenumber metadata by generate/phone_automaton.py, without loss: it says
 * of every number what the metadata says. Plans change (about 0.3 % of the numbers a month), so a
 * newer table can be given as a file, without a new program:
 *
 *     python3 sender/cost/generate/phone_automaton.py libphonenumber-js@VERSION --table FILE
 *     facteur run --phone-table FILE …
 */
#ifndef FACTEUR_SENDER_COST_PHONE_TABLE_H
#define FACTEUR_SENDER_COST_PHONE_TABLE_H

#include "sender/base/bytes.h"

struct phone_table; /* never changes once made; any number of threads read it */

struct phone_table_about {
    const char *source;  /* "libphonenumber-js"; all are valid as long as the table */
    const char *version; /* of the source, "1.13.16" */
    const char *date;    /* the day it came out, "2026-11-10" */
    const char *sha256;  /* of its metadata, hexadecimal */
    uint16_t states;
    uint16_t leaves;
    uint16_t codes;     /* calling codes */
    uint16_t countries; /* a country counts once for each of its calling codes */
};

const struct phone_table *phone_table_builtin(void); /* never NULL */

/*
 * Reads and proves a table: magic, size, checksum, and that no walk can leave it, so that a file
 * cut short or damaged is refused and never half used. The caller ends it with phone_table_close().
 * NULL: see error, which names the file.
 */
const struct phone_table *phone_table_open(const char *path, struct error_text *error);
/* The same from memory, which is only borrowed for the call. `name` is for messages. */
const struct phone_table *phone_table_open_bytes(struct span bytes, const char *name,
                                                 struct error_text *error);
void phone_table_close(const struct phone_table *table); /* NULL and the built-in are allowed */

void phone_table_tell(const struct phone_table *table, struct phone_table_about *about);

#endif
