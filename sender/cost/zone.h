/*
 * zone - a time zone of the IANA data base: when a moment's day begins and ends where an account is
 * billed.
 *
 * Meta counts days and months in the account's own time zone, and so do the rate card in force and
 * the ledger. The zone is read from the system's compiled file (TZif, RFC 8536) by this module
 * alone: the C library's zone is one for the whole process. Read once, never changed; any thread.
 */
#ifndef FACTEUR_SENDER_COST_ZONE_H
#define FACTEUR_SENDER_COST_ZONE_H

#include "sender/cost/day.h"

enum {
    ZONE_NAME_MAX = 64,          /* bytes: "America/Argentina/ComodRivadavia" has 32 */
    ZONE_FILE_MAX = 64 * 1024,   /* bytes of a zone's file; the largest there is has 4 KiB */
    ZONE_TRANSITIONS_MAX = 2048, /* changes of the clock in one file; the most there are is 236 */
    ZONE_TABLE_MAX = 1024,       /* zones of one process: as many as accounts */
};

#define ZONE_FOLDER "/usr/share/zoneinfo"

struct zone;

/*
 * The zone called `name`, as "Europe/Paris". NULL on failure, with the name, the cause and what to
 * do in `error`. "UTC" needs no file.
 */
struct zone *zone_open(const char *name, struct error_text *error);

/*
 * The same from the bytes of a TZif file, versions 1 to 4; `name` is what messages call it. Bytes
 * that are no such file, that count leap seconds, or whose changes do not follow one another are
 * refused. Nothing is kept of `bytes`.
 */
struct zone *zone_read(struct span bytes, const char *name, struct error_text *error);
void zone_close(struct zone *zone); /* NULL is allowed */

const struct zone *zone_utc(void); /* static: not to be closed */
const char *zone_name(const struct zone *zone);

/* Seconds to add to UTC, at a moment in Unix seconds. */
int32_t zone_offset_s(const struct zone *zone, int64_t unix_s);

/* The day of a moment there (Unix milliseconds, 1970 to 9999), NUL-terminated. */
void zone_day(const struct zone *zone, uint64_t unix_ms, char day[DAY_SIZE + 1]);

/* Zones by name, each read once: accounts share them. Zeroed is empty. One thread fills it. */
struct zone_table {
    struct zone *zones[ZONE_TABLE_MAX];
    uint32_t count;
};

/* Valid until zone_table_close(). NULL: see zone_open(). */
const struct zone *zone_table_take(struct zone_table *table, const char *name,
                                   struct error_text *error);
void zone_table_close(struct zone_table *table);

#endif
