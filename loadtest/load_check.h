/*
 * load_check - the audit's eyes together: events, places, ledger and bill, read until they agree
 * on one moment, then judged.
 */
#ifndef FACTEUR_LOADTEST_LOAD_CHECK_H
#define FACTEUR_LOADTEST_LOAD_CHECK_H

#include "loadtest/load_bill.h"
#include "loadtest/load_events.h"
#include "loadtest/load_options.h"
#include "loadtest/load_places.h"
#include "loadtest/load_report.h"

struct load_check {
    const struct load_options *options;
    struct loop *loop;        /* borrowed */
    struct load_redis *redis; /* borrowed */
    struct generator generator;
    struct audit *audit;
    struct load_events events;
    struct load_places places;
    struct load_bill bill;
    bool has_bill;
    uint64_t missed_before; /* events that were gone before ours were written */
};

/* Takes `*check` into use for these options; `templates` may be NULL. Big: not for the stack. */
void load_check_init(struct load_check *check, const struct load_options *options,
                     struct load_redis *redis, const struct load_templates *templates);

/* Connects to the emulator if the options name one. */
bool load_check_open_bill(struct load_check *check, struct error_text *error);

/* Reads everything and reports. `measures` gets what was learned beside. */
bool load_check_finish(struct load_check *check, struct audit_report *report,
                       struct load_measures *measures, struct error_text *error);
void load_check_close(struct load_check *check);

#endif
