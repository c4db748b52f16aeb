/*
 * rate_book - every rate card there is: read from CSV files, by currency and first day.
 *
 * Columns: market, category, price, currency, effective_from, and source if there is one; a header
 * line names them, in any order, and more are allowed. One file may hold many cards, and one folder
 * many files (its *.csv, in the order of their names). A card is all rows of one currency and one
 * effective_from, wherever they stand.
 *
 * A book is filled and then never changed: any thread may read it.
 */
#ifndef FACTEUR_SENDER_COST_RATE_BOOK_H
#define FACTEUR_SENDER_COST_RATE_BOOK_H

#include "sender/cost/rate_card.h"
#include "sender/cost/rate_findings.h"

enum {
    RATE_FILES_MAX = 64,      /* of a book */
    RATE_CURRENCIES_MAX = 32, /* of a book; Meta bills in 16 */
};

struct rate_book;

/*
 * Reads a file or a folder. NULL if anything in it is malformed, with file, line, cause and what to
 * do in `error`: unreadable rows may be prices, and a book without them would be another price
 * list. A card with holes is no reason: see rate_card_find_hole(). `markets` is borrowed for the
 * book's life.
 */
struct rate_book *rate_book_open(const char *path, const struct markets *markets,
                                 struct error_text *error);
void rate_book_close(struct rate_book *book); /* NULL is allowed */

/* The cards of a currency ("USD"); NULL if there are none. */
const struct rate_card *rate_book_card(const struct rate_book *book, const char *currency);
/* All of them, by name. */
uint32_t rate_book_count(const struct rate_book *book);
const struct rate_card *rate_book_at(const struct rate_book *book, uint32_t index);
const struct markets *rate_book_markets(const struct rate_book *book);

/* ---- step by step, for rates check --------------------------------------------------------- */

struct rate_book *rate_book_new(const struct markets *markets);
/* Reads what can be read of a file or a folder, and adds what is wrong to the findings. */
void rate_book_add(struct rate_book *book, const char *path, struct rate_findings *findings);
/* The same for a text; `name` is what findings call it. */
void rate_book_add_text(struct rate_book *book, struct span text, const char *name,
                        struct rate_findings *findings);

/*
 * A number that changes when a file of `path` is written, replaced, added or taken away; 0 if it
 * cannot be looked at. Cheap: reads no file.
 */
uint64_t rate_book_fingerprint(const char *path);

#endif
