#include "sender/cost/rate_card.h"
#include "sender/base/check.h"
#include "sender/cost/csv.h"
#include "sender/cost/day.h"
#include "sender/cost/money.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EDITIONS_MAX = 64, CURRENCY_SIZE = 3 };

static const uint64_t NO_PRICE = UINT64_MAX;

/* The card of one day, in force until the next edition. */
struct edition {
    char first_day[DAY_SIZE + 1];
    uint64_t *prices; /* owned: markets × RATE_CATEGORIES; NO_PRICE where the card is silent */
};

struct rate_card {
    const struct markets *markets; /* borrowed */
    char currency[CURRENCY_SIZE + 1];
    struct edition editions[EDITIONS_MAX]; /* the oldest first */
    uint32_t edition_count;
};

/* The file while it is read. */
struct reading {
    struct csv csv;
    struct rate_card *card;
    size_t market;
    size_t category;
    size_t price;
    size_t currency;
    size_t first_day;
    char other_currency[CURRENCY_SIZE + 1]; /* one that the file has, for a message */
};

static bool
refuse(const struct reading *reading, struct error_text *error, const char *what, struct span value)
{
    error_set(error, "%s:%u: \"%.*s\" %s", reading->csv.source, reading->csv.line,
              (int)(value.size < 80 ? value.size : 80), value.data, what);
    return false;
}

static bool
find_category(struct span text, enum rate_category *category)
{
    for (uint32_t i = 0; i < RATE_CATEGORIES; i++) {
        if (span_equal(text, span_of(rate_category_text((enum rate_category)i)))) {
            *category = (enum rate_category)i;
            return true;
        }
    }
    return false;
}

/* The edition of `day`, made if it is new; NULL if there are too many. */
static struct edition *
take_edition(struct rate_card *card, struct span day)
{
    uint32_t at = card->edition_count;
    while (at > 0 && memcmp(card->editions[at - 1].first_day, day.data, DAY_SIZE) > 0)
        at--;
    if (at > 0 && memcmp(card->editions[at - 1].first_day, day.data, DAY_SIZE) == 0)
        return &card->editions[at - 1];
    if (card->edition_count == EDITIONS_MAX)
        return NULL;
    memmove(&card->editions[at + 1], &card->editions[at],
            (card->edition_count - at) * sizeof(card->editions[0]));
    card->edition_count++;
    size_t count = (size_t)markets_count(card->markets) * RATE_CATEGORIES;
    struct edition *edition = &card->editions[at];
    *edition = (struct edition){.prices = check_alloc(count, sizeof(uint64_t))};
    memcpy(edition->first_day, day.data, DAY_SIZE);
    for (size_t i = 0; i < count; i++)
        edition->prices[i] = NO_PRICE;
    return edition;
}

static bool
add_row(struct reading *reading, struct error_text *error)
{
    const struct span *fields = reading->csv.fields;
    struct span day = span_trim(fields[reading->first_day]);
    struct span market_name = span_trim(fields[reading->market]);
    struct span category_name = span_trim(fields[reading->category]);
    struct span price = span_trim(fields[reading->price]);
    uint16_t market;
    enum rate_category category;
    uint64_t millionths;
    if (!day_is_valid(day))
        return refuse(reading, error, "is no day: effective_from is YYYY-MM-DD", day);
    if (!markets_by_name(reading->card->markets, market_name, &market))
        return refuse(reading, error,
                      "is no market of the list of markets: correct the name, or "
                      "add the market there first",
                      market_name);
    if (!find_category(category_name, &category))
        return refuse(reading, error,
                      "is no category: marketing, utility, authentication, "
                      "authentication-international or service",
                      category_name);
    enum money_error money = money_read(price, &millionths);
    if (money != MONEY_OK)
        return refuse(reading, error, money_error_text(money), price);
    struct edition *edition = take_edition(reading->card, day);
    if (edition == NULL)
        return refuse(reading, error, "is one card too many: 64 of a currency are the most", day);
    uint64_t *cell = &edition->prices[(size_t)market * RATE_CATEGORIES + category];
    if (*cell != NO_PRICE)
        return refuse(reading, error, "has two prices for this category and day: keep one row",
                      market_name);
    *cell = millionths;
    return true;
}

/* Steps over the rows of other currencies: another currency is another card. */
static bool
read_row(struct reading *reading, struct error_text *error)
{
    struct span currency = span_trim(reading->csv.fields[reading->currency]);
    if (currency.size != CURRENCY_SIZE)
        return refuse(reading, error, "is no currency: three capital letters, like USD", currency);
    if (span_equal(currency, span_of(reading->card->currency)))
        return add_row(reading, error);
    memcpy(reading->other_currency, currency.data, CURRENCY_SIZE);
    return true;
}

/* What the sender may need of every market; the rest is marketing and a special case. */
static bool
check_complete(const struct reading *reading, const struct edition *edition,
               struct error_text *error)
{
    static const enum rate_category needed[] = {RATE_UTILITY, RATE_AUTHENTICATION, RATE_SERVICE};
    const struct markets *markets = reading->card->markets;
    for (uint16_t market = 0; market < markets_count(markets); market++) {
        for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++) {
            if (edition->prices[(size_t)market * RATE_CATEGORIES + needed[i]] != NO_PRICE)
                continue;
            struct span name = markets_name(markets, market);
            error_set(error,
                      "%s: the %s card of %s has no %s price for the market \"%.*s\": add the row; "
                      "a card with a hole is not used",
                      reading->csv.source, reading->card->currency, edition->first_day,
                      rate_category_text(needed[i]), SPAN_ARG(name));
            return false;
        }
    }
    return true;
}

static bool
read_header(struct reading *reading, struct error_text *error)
{
    enum csv_next next = csv_next(&reading->csv, error);
    if (next == CSV_END)
        error_set(error, "%s: no header line", reading->csv.source);
    return next == CSV_ROW && csv_need_column(&reading->csv, "market", &reading->market, error) &&
           csv_need_column(&reading->csv, "category", &reading->category, error) &&
           csv_need_column(&reading->csv, "price", &reading->price, error) &&
           csv_need_column(&reading->csv, "currency", &reading->currency, error) &&
           csv_need_column(&reading->csv, "effective_from", &reading->first_day, error);
}

static bool
read_card(struct reading *reading, struct error_text *error)
{
    enum csv_next next;
    if (!read_header(reading, error))
        return false;
    while ((next = csv_next(&reading->csv, error)) == CSV_ROW)
        if (!read_row(reading, error))
            return false;
    if (next == CSV_BROKEN)
        return false;
    if (reading->card->edition_count == 0) {
        error_set(error, "%s: no prices in %s%s%s: add that currency's card, or set the currency",
                  reading->csv.source, reading->card->currency,
                  reading->other_currency[0] == '\0' ? "" : ", but there are some in ",
                  reading->other_currency);
        return false;
    }
    for (uint32_t i = 0; i < reading->card->edition_count; i++)
        if (!check_complete(reading, &reading->card->editions[i], error))
            return false;
    return true;
}

struct rate_card *
rate_card_open(const char *path, const char *currency, const struct markets *markets,
               struct error_text *error)
{
    if (strlen(currency) != CURRENCY_SIZE) {
        error_set(error, "\"%.20s\" is no currency: three capital letters, like USD", currency);
        return NULL;
    }
    struct reading reading = {.card = check_alloc(1, sizeof(struct rate_card))};
    struct rate_card *card = reading.card;
    card->markets = markets;
    memcpy(card->currency, currency, CURRENCY_SIZE);
    bool good = csv_open(&reading.csv, path, error) && read_card(&reading, error);
    csv_close(&reading.csv);
    if (good)
        return card;
    rate_card_close(card);
    return NULL;
}

void
rate_card_close(struct rate_card *card)
{
    if (card == NULL)
        return;
    for (uint32_t i = 0; i < card->edition_count; i++)
        free(card->editions[i].prices);
    free(card);
}

bool
rate_card_price(const struct rate_card *card, uint16_t market, enum rate_category category,
                const char *day, uint64_t *millionths)
{
    check(market < markets_count(card->markets));
    check(category < RATE_CATEGORIES);
    uint32_t at = card->edition_count;
    while (at > 0 && strcmp(card->editions[at - 1].first_day, day) > 0)
        at--;
    if (at == 0)
        return false;
    uint64_t price = card->editions[at - 1].prices[(size_t)market * RATE_CATEGORIES + category];
    if (price == NO_PRICE)
        return false;
    *millionths = price;
    return true;
}

const char *
rate_card_currency(const struct rate_card *card)
{
    return card->currency;
}

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
