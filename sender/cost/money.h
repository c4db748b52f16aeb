/*
 * money - amounts as integers in millionths of a currency's unit, read from and written as
 * decimals.
 *
 * No floating point anywhere: 0.0550 is 55000, and stays so.
 */
#ifndef FACTEUR_SENDER_COST_MONEY_H
#define FACTEUR_SENDER_COST_MONEY_H

#include "sender/base/bytes.h"

enum money_error {
    MONEY_OK,
    MONEY_SYNTAX,    /* not digits, or digits with one point and digits: no sign, comma, exponent */
    MONEY_TOO_FINE,  /* more than six decimals */
    MONEY_TOO_LARGE, /* more than 12 digits before the point */
};

/* "0.0550" → 55000. `*millionths` is set on MONEY_OK only. */
enum money_error money_read(struct span text, uint64_t *millionths);
const char *money_error_text(enum money_error error); /* a sentence's end; static */

/* 55000 → "0.0550": at least four decimals, at most six, no trailing zeros beyond the fourth. */
void money_put(struct buffer *buffer, int64_t millionths);

#endif
