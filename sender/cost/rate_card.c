#include "sender/cost/rate_card.h"
#include "sender/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint64_t NO_PRICE = UINT64_MAX;

/* The card of one day, in force until the next. */
struct dated {
    char first_day[DAY_SIZE + 1];
    char source[RATE_SOURCE_MAX + 1];
    uint32_t rows;
    struct rate_place first;   /* of its rows */
    uint64_t *prices;          /* owned: markets × RATE_CATEGORIES; NO_PRICE where it is silent */
    struct rate_place *places; /* owned: where each price stands */
};

struct rate_card {
    const struct markets *markets; /* borrowed */
    char currency[RATE_CURRENCY_SIZE + 1];
    struct dated dates[RATE_DATES_MAX]; /* the oldest first */
    uint32_t date_count;
};

/* ---- filling -----------------------------------------------------------------------------------
 */

struct rate_card *
rate_card_new(struct span currency, const struct markets *markets)
{
    check(currency.size == RATE_CURRENCY_SIZE);
    struct rate_card *card = check_alloc(1, sizeof(*card));
    card->markets = markets;
    memcpy(card->currency, currency.data, RATE_CURRENCY_SIZE);
    return card;
}

void
rate_card_close(struct rate_card *card)
{
    if (card == NULL)
        return;
    for (uint32_t i = 0; i < card->date_count; i++) {
        free(card->dates[i].prices);
        free(card->dates[i].places);
    }
    free(card);
}

/* The card of `day`, made if it is new; NULL if there are too many. */
static struct dated *
take_date(struct rate_card *card, const struct rate_row *row)
{
    const char *day = row->first_day.data;
    uint32_t at = card->date_count;
    while (at > 0 && memcmp(card->dates[at - 1].first_day, day, DAY_SIZE) > 0)
        at--;
    if (at > 0 && memcmp(card->dates[at - 1].first_day, day, DAY_SIZE) == 0)
        return &card->dates[at - 1];
    if (card->date_count == RATE_DATES_MAX)
        return NULL;
    memmove(&card->dates[at + 1], &card->dates[at],
            (card->date_count - at) * sizeof(card->dates[0]));
    card->date_count++;
    size_t count = (size_t)markets_count(card->markets) * RATE_CATEGORIES;
    struct dated *dated = &card->dates[at];
    *dated = (struct dated){.prices = check_alloc(count, sizeof(uint64_t)),
                            .places = check_alloc(count, sizeof(struct rate_place)),
                            .first = {row->file, row->line}};
    memcpy(dated->first_day, day, DAY_SIZE);
    size_t size = row->source.size < RATE_SOURCE_MAX ? row->source.size : RATE_SOURCE_MAX;
    while (size < row->source.size && size > 0 &&
           ((unsigned char)row->source.data[size] & 0xc0) == 0x80)
        size--; /* not within a character */
    if (size > 0)
        memcpy(dated->source, row->source.data, size);
    for (size_t i = 0; i < count; i++)
        dated->prices[i] = NO_PRICE;
    return dated;
}

enum rate_card_add
rate_card_add(struct rate_card *card, const struct rate_row *row, struct rate_place *earlier)
{
    check(row->first_day.size == DAY_SIZE && row->market < markets_count(card->markets));
    check(row->category < RATE_CATEGORIES && row->millionths != NO_PRICE);
    struct dated *dated = take_date(card, row);
    if (dated == NULL)
        return RATE_TOO_MANY;
    size_t cell = (size_t)row->market * RATE_CATEGORIES + row->category;
    if (dated->prices[cell] != NO_PRICE) {
        *earlier = dated->places[cell];
        return RATE_TWICE;
    }
    dated->prices[cell] = row->millionths;
    dated->places[cell] = (struct rate_place){row->file, row->line};
    dated->rows++;
    return RATE_ADDED;
}

/* ---- prices ------------------------------------------------------------------------------------
 */

bool
rate_card_in_force(const struct rate_card *card, const char *day, uint32_t *index)
{
    uint32_t at = card->date_count;
    while (at > 0 && strcmp(card->dates[at - 1].first_day, day) > 0)
        at--;
    if (at == 0)
        return false;
    *index = at - 1;
    return true;
}

static uint64_t
price_of(const struct dated *dated, uint16_t market, enum rate_category category)
{
    return dated->prices[(size_t)market * RATE_CATEGORIES + category];
}

bool
rate_card_price(const struct rate_card *card, uint16_t market, enum rate_category category,
                const char *day, uint64_t *millionths)
{
    uint32_t index;
    check(market < markets_count(card->markets));
    check(category < RATE_CATEGORIES);
    if (!rate_card_in_force(card, day, &index))
        return false;
    uint64_t price = price_of(&card->dates[index], market, category);
    if (price == NO_PRICE)
        return false;
    *millionths = price;
    return true;
}

bool
rate_category_is_needed(enum rate_category category, const char *first_day)
{
    switch (category) {
    case RATE_UTILITY:
    case RATE_AUTHENTICATION:
        return true;
    case RATE_SERVICE: /* free at Meta before, and cards had no column for it */
        return strcmp(first_day, "2026-10-01") >= 0;
    case RATE_MARKETING:
    case RATE_AUTHENTICATION_INTERNATIONAL:
    case RATE_CATEGORIES:
        break;
    }
    return false;
}

/* True if `market` lacks something; `*category` is the first. */
static bool
lacks(const struct dated *dated, uint16_t market, enum rate_category *category)
{
    for (uint32_t i = 0; i < RATE_CATEGORIES; i++) {
        *category = (enum rate_category)i;
        if (rate_category_is_needed(*category, dated->first_day) &&
            price_of(dated, market, *category) == NO_PRICE)
            return true;
    }
    return false;
}

enum rate_state
rate_card_find_hole(const struct rate_card *card, const char *day, struct rate_hole *hole)
{
    uint32_t index;
    enum rate_category category;
    if (!rate_card_in_force(card, day, &index))
        return RATE_NO_CARD;
    *hole = (struct rate_hole){.date = index};
    for (uint16_t market = 0; market < markets_count(card->markets); market++) {
        if (!markets_has(card->markets, market, day) ||
            !lacks(&card->dates[index], market, &category))
            continue;
        if (hole->markets++ == 0) {
            hole->market = market;
            hole->category = category;
        }
    }
    return hole->markets > 0 ? RATE_HAS_HOLE : RATE_COMPLETE;
}

/* ---- the dated cards ---------------------------------------------------------------------------
 */

uint32_t
rate_card_date_count(const struct rate_card *card)
{
    return card->date_count;
}

void
rate_card_date(const struct rate_card *card, uint32_t index, struct rate_date *date)
{
    check(index < card->date_count);
    const struct dated *dated = &card->dates[index];
    bool is_last = index + 1 == card->date_count;
    *date = (struct rate_date){
        .first_day = dated->first_day,
        .end_day = is_last ? "" : card->dates[index + 1].first_day,
        .source = dated->source,
        .file = dated->first.file,
        .line = dated->first.line,
        .rows = dated->rows,
    };
    for (uint16_t market = 0; market < markets_count(card->markets); market++) {
        bool any = false;
        for (uint32_t i = 0; i < RATE_CATEGORIES; i++) {
            bool has = price_of(dated, market, (enum rate_category)i) != NO_PRICE;
            date->has[i] = date->has[i] || has;
            any = any || has;
        }
        date->markets += any ? 1 : 0;
    }
}

const char *
rate_card_currency(const struct rate_card *card)
{
    return card->currency;
}

/* ---- categories --------------------------------------------------------------------------------
 */

const char *
rate_category_text(enum rate_category category)
{
    switch (category) {
    case RATE_MARKETING:
        return "marketing";
    case RATE_UTILITY:
        return "utility";
    case RATE_AUTHENTICATION:
        return "authentication";
    case RATE_AUTHENTICATION_INTERNATIONAL:
        return "authentication-international";
    case RATE_SERVICE:
        return "service";
    case RATE_CATEGORIES:
        break;
    }
    return "unknown";
}

bool
rate_category_read(struct span text, enum rate_category *category)
{
    for (uint32_t i = 0; i < RATE_CATEGORIES; i++) {
        if (span_equal(text, span_of(rate_category_text((enum rate_category)i)))) {
            *category = (enum rate_category)i;
            return true;
        }
    }
    return false;
}
