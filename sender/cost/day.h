/*
 * day - calendar days as text, "YYYY-MM-DD": they sort as they read, and the ledger is keyed by
 * them.
 *
 * Days are counted in UTC.
 */
#ifndef FACTEUR_SENDER_COST_DAY_H
#define FACTEUR_SENDER_COST_DAY_H

#include "sender/base/bytes.h"

enum { DAY_SIZE = 10 }; /* bytes, without the NUL */

/* The day of a moment (Unix milliseconds, before the year 10000), NUL-terminated. */
void day_of_unix_ms(uint64_t unix_ms, char day[DAY_SIZE + 1]);

/* True for a day that the calendar has, written as above: 2026-02-29 is none. */
bool day_is_valid(struct span text);

#endif
