/*
 * rate_card - what a message costs, by market and category: the dated cards of one currency.
 *
 * Prices are integers in millionths of the card's currency. Rows of one `effective_from` are one
 * card, in force until the next of its currency begins; no price is ever taken from another card
 * than the one in force. Filled by rate_book.h, which reads the files, and then never changed; any
 * thread.
 */
#ifndef FACTEUR_SENDER_COST_RATE_CARD_H
#define FACTEUR_SENDER_COST_RATE_CARD_H

#include "sender/cost/day.h"
#include "sender/cost/market.h"

enum rate_category {
    RATE_MARKETING,
    RATE_UTILITY,
    RATE_AUTHENTICATION,
    RATE_AUTHENTICATION_INTERNATIONAL,
    RATE_SERVICE,
    RATE_CATEGORIES,
};

enum {
    RATE_DATES_MAX = 64,    /* dated cards of a currency: 16 years of quarters */
    RATE_CURRENCY_SIZE = 3, /* bytes of "USD" */
    RATE_SOURCE_MAX = 160,  /* bytes kept of a row's source */
};

struct rate_card;

/* Millionths for one message on `day` ("YYYY-MM-DD"). False: no card is in force on that day, or
 * it has no such price (see rate_card_find_hole()). */
bool rate_card_price(const struct rate_card *card, uint16_t market, enum rate_category category,
                     const char *day, uint64_t *millionths);
const char *rate_card_currency(const struct rate_card *card);
const char *rate_category_text(enum rate_category category); /* "utility", … */
bool rate_category_read(struct span text, enum rate_category *category);

/* ---- the dated cards, the oldest first ----------------------------------------------------- */

/* One dated card. Texts are borrowed from the card. */
struct rate_date {
    const char *first_day;
    const char *end_day; /* the next card's first day; "" if there is none */
    const char *source;  /* of its first row; or "" */
    const char *file;    /* where its first row stands */
    uint32_t line;
    uint32_t rows;
    uint16_t markets;          /* that have a price of it */
    bool has[RATE_CATEGORIES]; /* in some market */
};

uint32_t rate_card_date_count(const struct rate_card *card);
void rate_card_date(const struct rate_card *card, uint32_t index, struct rate_date *date);
/* The index of the one in force on `day`; false: none has begun. */
bool rate_card_in_force(const struct rate_card *card, const char *day, uint32_t *index);

/*
 * True if facteur may need this price of a card that began on `first_day`: utility and
 * authentication always; service since Meta charges for it, 2026-10-01. Marketing is never sent.
 */
bool rate_category_is_needed(enum rate_category category, const char *first_day);

/* A price that the markets of a day need and the card in force does not have. */
struct rate_hole {
    uint32_t date;               /* index of the card in force */
    uint16_t market;             /* the first that lacks one */
    enum rate_category category; /* the first that it lacks */
    uint16_t markets;            /* that lack one or more */
};

enum rate_state {
    RATE_NO_CARD,  /* none of the currency has begun: `hole` is not set */
    RATE_HAS_HOLE, /* see `hole`: what it names cannot be sent on that day */
    RATE_COMPLETE,
};

/* Looks whether every market that there is on `day` has every price that facteur may need. */
enum rate_state rate_card_find_hole(const struct rate_card *card, const char *day,
                                    struct rate_hole *hole);

/* ---- filling, for rate_book ---------------------------------------------------------------- */

struct rate_row {
    uint16_t market;
    enum rate_category category;
    uint64_t millionths;
    struct span first_day; /* a valid day */
    struct span source;
    const char *file; /* lives as long as the card */
    uint32_t line;
};

enum rate_card_add {
    RATE_ADDED,
    RATE_TWICE,    /* there is a price for it: `*earlier` is where */
    RATE_TOO_MANY, /* more than RATE_DATES_MAX days */
};

struct rate_place {
    const char *file;
    uint32_t line;
};

/* `currency`: three capitals, copied. `markets` is borrowed for the card's life. */
struct rate_card *rate_card_new(struct span currency, const struct markets *markets);
void rate_card_close(struct rate_card *card); /* NULL is allowed */
enum rate_card_add rate_card_add(struct rate_card *card, const struct rate_row *row,
                                 struct rate_place *earlier);

#endif
