/*
 * report - what was spent, grouped as asked: from the ledger's hash fields to rows and totals.
 *
 * A ledger day is a hash whose fields are "CELL#CUR.count" and "CELL#CUR.millionths", CELL being
 * "account|country|market|category|template|rule" (quote.h). Feed every field of every day with
 * report_add(), then report_choose() a currency, then print (report_print.h). Currencies are never
 * added to one another: each has its own rows and total.
 *
 * Not for the hot path: it allocates. One thread.
 */
#ifndef FACTEUR_SENDER_COST_REPORT_H
#define FACTEUR_SENDER_COST_REPORT_H

#include "sender/cost/market.h"

enum report_column {
    REPORT_COUNTRY,
    REPORT_MARKET,
    REPORT_CATEGORY,
    REPORT_TEMPLATE,
    REPORT_ACCOUNT,
    REPORT_DAY,
    REPORT_COLUMNS,
};

enum {
    REPORT_ROWS_MAX = 1000000, /* rows and currencies; what needs more is counted as left out */
    REPORT_KEY_MAX = 1024,     /* bytes of a row's cells together */
    REPORT_CURRENCIES_MAX = 32,
};

/* The columns to group by, in this order, each at most once; count 0: one row for all. */
struct report_columns {
    enum report_column by[REPORT_COLUMNS];
    uint32_t count;
};

/* One row. Amounts are signed, for a correction may take back what an earlier day had charged. */
struct report_row {
    struct span cells[REPORT_COLUMNS]; /* in the order asked for; borrowed from the report */
    int64_t count;
    int64_t millionths;
};

struct report;

/* Reads "country,day": false with a sentence in `error` that names the word. Empty: none. */
bool report_columns_read(struct span text, struct report_columns *columns,
                         struct error_text *error);
const char *report_column_text(enum report_column column); /* "country", … static */

struct report *report_open(const struct report_columns *columns);
void report_close(struct report *report); /* NULL is allowed */

/*
 * Adds one hash field. False: it is not as above, or its number is none, or a sum would leave
 * 64 bits; then nothing is added, report_malformed() counts it, and report_example() is the first
 * of them. The spans are copied.
 */
bool report_add(struct report *report, struct span day, struct span field, struct span value);

uint64_t report_malformed(const struct report *report);
const char *report_example(const struct report *report); /* "" if there is none */

/* The currencies met, sorted by name. */
uint32_t report_currency_count(const struct report *report);
const char *report_currency_at(const struct report *report, uint32_t index);

/*
 * Chooses the currency to be read and printed and sorts its rows: the dearest first, then by cells.
 * NULL: the one with the most messages. Adding ends with it. A currency that was not met is no
 * error: there are no rows then.
 */
void report_choose(struct report *report, const char *currency);

const char *report_currency(const struct report *report); /* chosen; "" if nothing was added */
const struct report_columns *report_columns(const struct report *report);
uint32_t report_row_count(const struct report *report);
const struct report_row *report_row(const struct report *report, uint32_t index);
struct report_row report_total(const struct report *report); /* without cells */

#endif
