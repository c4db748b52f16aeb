/*
 * rate_holes - the days on which a card in force lacks a price that facteur may need.
 *
 * Either the card is not whole, or Meta made new markets while it was in force and the card that
 * came with them is not in the book. No price is taken from another card: what has none waits.
 */
#ifndef FACTEUR_SENDER_COST_RATE_HOLES_H
#define FACTEUR_SENDER_COST_RATE_HOLES_H

#include "sender/cost/rate_book.h"

/*
 * Looks through the cards of `currency`, or of all of them if it is NULL. Adds one finding for each
 * category of each stretch of days that lacks it, with the names of the markets. An error if the
 * stretch holds `today` ("YYYY-MM-DD") or a later day; of days gone by a warning, as is a currency
 * whose first card is still to come.
 */
void rate_holes_find(const struct rate_book *book, const char *currency, const char *today,
                     struct rate_findings *findings);

#endif
