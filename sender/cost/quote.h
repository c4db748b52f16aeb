/*
 * quote - what one notification will cost if Meta accepts it, and the ledger cell it belongs to.
 *
 * Rule "2018": a notification costs the fixed price of the recipient's country's
 * market in its category. A cell is "account|country|market|category|template|rule"; no part may
 * hold '|'.
 */
#ifndef FACTEUR_SENDER_COST_QUOTE_H
#define FACTEUR_SENDER_COST_QUOTE_H

#include "sender/cost/phone.h"
#include "sender/cost/rate_card.h"
#include "sender/cost/zone.h"
#include "templates/template.h"

enum { QUOTE_CELL_MAX = 32 + 1 + 2 + 1 + 64 + 1 + 32 + 1 + TEMPLATE_NAME_MAX + 1 + 16 };

struct quote_input {
    const struct markets *markets;
    const struct rate_card *card; /* of the account's currency; NULL: there is none */
    const struct zone *zone;      /* the account's: whose midnight changes day and card */
    const struct phone *phone;
    const struct template *template;
    struct span account;
    uint64_t now_ms; /* Unix */
};

struct quote {
    uint64_t millionths;
    char day[DAY_SIZE + 1]; /* "2026-11-23", in the account's zone */
    char country[3];
    uint16_t market;
    enum rate_category category;
    char cell[QUOTE_CELL_MAX + 1];
    uint16_t cell_size;
};

/* False: no card of the currency is in force on quote->day, or it has no price for quote->market in
 * quote->category; all three are set. */
bool quote_make(const struct quote_input *input, struct quote *quote);

#endif
