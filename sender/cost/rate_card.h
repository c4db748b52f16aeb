/*
 * rate_card - what a message costs, by market and category: dated cards in one currency.
 *
 * Prices are integers in millionths of the card's currency, read from the CSV's decimal text
 * without floating point. Columns: market,country_iso2_or_region,category,price,currency,
 * effective_from,source (a header line names them, in any order; more columns are allowed).
 * Never changed after it is read; any thread.
 */
#ifndef FACTEUR_SENDER_COST_RATE_CARD_H
#define FACTEUR_SENDER_COST_RATE_CARD_H

#include "sender/cost/market.h"

enum rate_category {
    RATE_MARKETING,
    RATE_UTILITY,
    RATE_AUTHENTICATION,
    RATE_AUTHENTICATION_INTERNATIONAL,
    RATE_SERVICE,
    RATE_CATEGORIES,
};

struct rate_card;

/*
 * Reads the rows of `currency` from `path`. NULL on failure with file, line, cause and remedy in
 * `error`. `markets` is borrowed for the card's life.
 *
 * Rows of one `effective_from` are one card, in force until the next. Every card has a price for
 * every market of `markets` in utility, authentication and service, or the file is refused, naming
 * the market: an older card's price in a hole of a newer one would be a bill nobody can explain.
 * Marketing and authentication-international may be absent.
 */
struct rate_card *rate_card_open(const char *path, const char *currency,
                                 const struct markets *markets, struct error_text *error);
void rate_card_close(struct rate_card *card);

/* Millionths for one message on `day` ("YYYY-MM-DD"). False: no card is in force on that day, or it
 * has no price in marketing or authentication-international, which it may lack. */
bool rate_card_price(const struct rate_card *card, uint16_t market, enum rate_category category,
                     const char *day, uint64_t *millionths);
const char *rate_card_currency(const struct rate_card *card);
const char *rate_category_text(enum rate_category category); /* "utility", … */

#endif
