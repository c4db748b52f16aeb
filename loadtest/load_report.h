/*
 * load_report - the audit's report, for eyes and for scripts.
 */
#ifndef FACTEUR_LOADTEST_LOAD_REPORT_H
#define FACTEUR_LOADTEST_LOAD_REPORT_H

#include "loadtest/audit.h"
#include "loadtest/load_events.h"

#include <stdio.h>

/* What stands beside the books. */
struct load_measures {
    const char *title;   /* "acme/fr, seed 1" */
    char currency[8];    /* "USD", or "" if nothing was charged */
    bool currencies;     /* more than one was seen */
    bool moving;         /* places changed while they were read */
    uint64_t missed;     /* outcomes whose events were trimmed before they were read */
    uint64_t overdue;    /* uncertain past their time: is a sender running? */
    uint64_t unreadable; /* events or records that are not as agreed */
    bool timed_out;      /* not everything had an outcome in time */
    bool receipts_in;    /* every receipt was told: what has none was never accepted */
    double rate;         /* outcomes a second, first to last */
    double sender_us, redis_us, emulator_us; /* CPU a message; negative: not measured */
};

void load_report_print(FILE *out, const struct audit_report *report,
                       const struct load_measures *measures);
/* One object, without newline. */
void load_report_json(struct buffer *out, const struct audit_report *report,
                      const struct load_measures *measures);

/* Some refused texts with the words that did it; `generator` must have its templates. */
void load_report_refused(FILE *out, const struct generator *generator,
                         const struct load_refused *refused, uint32_t count);

/* "USD 1,234.5678"; six digits after the point where four are not exact. */
void load_report_put_money(struct buffer *out, const char *currency, int64_t millionths);

#endif
