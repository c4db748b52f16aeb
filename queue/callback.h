/*
 * callback - biz_opaque_callback_data: what Meta echoes in every receipt of an attempt.
 *
 *   f1;BUSINESS/ACCOUNT;MEMBER;ATTEMPT;GRANT;INDEX;MILLIONTHS;CURRENCY;DAY;CELL;VERSION;BUDGETS
 *
 * With it a receipt explains itself after everything else is gone: which attempt of which member
 * it is of, and which cell of the ledger the attempt belongs to, at which price.
 */
#ifndef FACTEUR_QUEUE_CALLBACK_H
#define FACTEUR_QUEUE_CALLBACK_H

#include "queue/calls.h"

enum {
    CALLBACK_SIZE_MAX = 512, /* bytes: Meta takes no more */
    CALLBACK_CELL_MAX = 400, /* bytes of a ledger cell */
};

struct callback {
    struct span business; /* names, as in keys.h */
    struct span account;
    struct span member; /* ENTRY or ENTRY/n */
    uint32_t attempt;   /* from 1 */
    struct span grant;
    uint32_t index;      /* the member's place in the grant */
    uint64_t millionths; /* the price that was quoted */
    struct span currency;
    struct span day;           /* "2026-11-23": of the ledger */
    struct span cell;          /* account|country|market|category|template|rule */
    uint64_t template_version; /* the edition it was rendered from */
    struct span budgets;       /* cells of the budget it reserved; empty: none */
};

/* Appends it to `out`, whose overflow says that it did not fit. */
void callback_put(const struct callback *callback, struct buffer *out);

/*
 * From outside: false when it is not exactly of this form, each part within its bounds. What it
 * gives borrows from `text`. Whether there is such a business, account or grant is not judged.
 */
bool callback_read(struct span text, struct callback *callback);

/* The receipt of this attempt, all but its status, wamid, to and reason. Borrows likewise; what
 * callback_read() took is good (receipt_is_good()). */
struct receipt callback_receipt(const struct callback *callback);

#endif
