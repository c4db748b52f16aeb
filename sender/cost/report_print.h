/*
 * report_print - a report on paper: a table for people, JSON and CSV for programs.
 *
 * All print the currency chosen with report_choose(). False: the stream could not be written.
 */
#ifndef FACTEUR_SENDER_COST_REPORT_PRINT_H
#define FACTEUR_SENDER_COST_REPORT_PRINT_H

#include "sender/cost/report.h"

#include <stdio.h>

struct report_table {
    const struct markets *markets; /* for countries' names; NULL: codes only */
    uint32_t rows_max;             /* the rest becomes one line "N more"; 0: all rows */
};

/* Aligned columns, each row's share of the money with a bar, the total below. UTF-8. */
bool report_print_table(const struct report *report, const struct report_table *table, FILE *out);

/* One line: {"currency","rows":[{<the columns asked for>,"count","millionths"}],
 * "total":{"count","millionths"}}. */
bool report_print_json(const struct report *report, FILE *out);

/*
 * A header line, then one line a row: the columns asked for, count, millionths, amount, currency. A
 * cell that begins with = + - or @ is written as text ('=…, in quotes), so that no spreadsheet runs
 * it.
 */
bool report_print_csv(const struct report *report, FILE *out);

#endif
