/*
 * ledger_field - one field of a ledger day's hash, taken apart:
 * "account|country|market|category|template|rule#CUR.count" or "….millionths".
 */
#ifndef FACTEUR_SENDER_COST_LEDGER_FIELD_H
#define FACTEUR_SENDER_COST_LEDGER_FIELD_H

#include "sender/base/bytes.h"

enum { LEDGER_FIELD_MAX = 512 /* bytes; a longer one is malformed */ };

struct ledger_field { /* everything borrowed from the text */
    struct span account;
    struct span country;
    struct span market;
    struct span category;
    struct span template;
    struct span rule;
    struct span currency; /* three capitals */
    bool is_count;        /* else millionths */
};

/* False: not as above, or with control characters, or not UTF-8. */
bool ledger_field_read(struct span text, struct ledger_field *field);

/* An integer as HINCRBY keeps it, -INT64_MAX to INT64_MAX; a minus only in front. */
bool ledger_amount_read(struct span text, int64_t *amount);

#endif
