/*
 * error_table - Meta's error codes: what each means for a sender. One table, one reader.
 *
 * Source: Meta's error pages as of 2026-09-11 (see error_table.inc for each row).
 */
#ifndef FACTEUR_SENDER_GRAPH_ERROR_TABLE_H
#define FACTEUR_SENDER_GRAPH_ERROR_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum graph_error_class {
    GRAPH_ERROR_NONE,
    GRAPH_ERROR_BACKOFF,          /* account-wide throttle or outage: later, costs no attempt */
    GRAPH_ERROR_RETRY_LIMITED,    /* later, costs an attempt */
    GRAPH_ERROR_PAIR_BACKOFF,     /* this recipient only: later, costs no attempt */
    GRAPH_ERROR_DROP,             /* for good */
    GRAPH_ERROR_DEFER_24H,        /* for good for a notification (a marketing rule) */
    GRAPH_ERROR_REROUTE_TEMPLATE, /* window closed: for good as it is */
    GRAPH_ERROR_REROUTE_CLOUD,
    GRAPH_ERROR_STOP_TEMPLATE, /* the template cannot be sent */
    GRAPH_ERROR_STOP_COUNTRY,
    GRAPH_ERROR_STOP_PHONE,   /* the account's number cannot send: stop, keep the queue */
    GRAPH_ERROR_STOP_ACCOUNT, /* token, permission, payment: stop, keep the queue */
    GRAPH_ERROR_OPERATOR,
};

struct graph_error {
    int32_t code_first; /* a range for 200-299, else first == last */
    int32_t code_last;
    int16_t http_status; /* 0: not documented */
    enum graph_error_class class;
    const char *title;
};

/* NULL for a code that is not in the table. */
const struct graph_error *error_table_find(int32_t code);
const char *graph_error_class_text(enum graph_error_class class);

#endif
