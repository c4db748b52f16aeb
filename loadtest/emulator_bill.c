#include "loadtest/emulator_bill.h"

#include "loadtest/emulator_csv.h"
#include "sender/base/check.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    MARKET_NAME_MAX = 64,
    MARKETS_MAX = 128,
    PERIODS_MAX = EMULATOR_CSV_COLUMNS_MAX,
    DAY_SIZE = 10, /* "YYYY-MM-DD" */
};

struct market {
    char name[MARKET_NAME_MAX + 1];
    char since[EMULATOR_CATEGORIES][DAY_SIZE + 1]; /* the card its price is from, "": none */
    uint64_t price[EMULATOR_CATEGORIES];
};

struct emulator_bill {
    const struct emulator_countries *countries;
    struct market markets[MARKETS_MAX];
    uint16_t market_count;
    uint16_t market_of[EMULATOR_COUNTRIES_MAX];
    size_t match_size[EMULATOR_COUNTRIES_MAX]; /* digits that its market was found by */
    struct emulator_bill_line lines[EMULATOR_COUNTRIES_MAX];
    struct emulator_bill_line total;
    char card[DAY_SIZE + 1]; /* the first day of the newest card that has begun */
};

static const char *const category_texts[] = {"utility", "authentication", "marketing"};

bool
emulator_category_read(struct span text, enum emulator_category *category)
{
    for (int i = 0; i < EMULATOR_CATEGORIES; i++) {
        if (text.size == strlen(category_texts[i]) &&
            strncasecmp(text.data, category_texts[i], text.size) == 0) {
            *category = (enum emulator_category)i;
            return true;
        }
    }
    return false;
}

const char *
emulator_category_text(enum emulator_category category)
{
    check(category < EMULATOR_CATEGORIES);
    return category_texts[category];
}

bool
emulator_millionths_read(struct span text, uint64_t *millionths)
{
    uint64_t units, part = 0;
    struct span decimals = text;
    struct span whole = span_split(&decimals, '.');
    if (!span_to_u64(whole, &units) || units > 1000000000)
        return false;
    bool point = decimals.data != NULL;
    if (point && decimals.size == 0)
        return false;
    for (size_t i = 0; point && i < decimals.size; i++) {
        unsigned digit = (unsigned)(decimals.data[i] - '0');
        if (digit > 9 || (i >= 6 && digit != 0))
            return false;
        if (i < 6)
            part = part * 10 + digit;
    }
    for (size_t i = decimals.size; i < 6; i++)
        part *= 10;
    *millionths = units * 1000000 + part;
    return true;
}

static bool
is_day(struct span text, char dash)
{
    if (text.size != DAY_SIZE || text.data[4] != dash || text.data[7] != dash)
        return false;
    for (size_t i = 0; i < DAY_SIZE; i++) {
        if (i != 4 && i != 7 && !isdigit((unsigned char)text.data[i]))
            return false;
    }
    return true;
}

/* Two days of the same form: < 0, 0, > 0. Only digits are compared, whatever the dashes. */
static int
compare_days(const char *a, const char *b)
{
    for (size_t i = 0; i < DAY_SIZE; i++) {
        if (i != 4 && i != 7 && a[i] != b[i])
            return a[i] - b[i];
    }
    return 0;
}

/* The first day of a column "market_from_2026_10_01" or "market_2026_07_01_to_2026_09_30". */
static bool
column_since(struct span name, const char **since)
{
    struct span prefix = SPAN("market_");
    if (!span_starts(name, prefix))
        return false;
    struct span rest = {.data = name.data + prefix.size, .size = name.size - prefix.size};
    if (span_starts(rest, SPAN("from_")))
        rest = (struct span){.data = rest.data + 5, .size = rest.size - 5};
    rest.size = rest.size < DAY_SIZE ? rest.size : DAY_SIZE;
    *since = rest.data;
    return is_day(rest, '_');
}

/* The column in force on `day`: the one that began last, or the earliest of all. */
static bool
choose_period(struct emulator_csv *csv, const char *day, uint32_t *column)
{
    const char *best = NULL, *since;
    for (uint32_t i = 0; i < csv->column_count; i++) {
        if (!column_since(csv->header[i], &since))
            continue;
        bool begun = compare_days(since, day) <= 0;
        bool best_begun = best != NULL && compare_days(best, day) <= 0;
        if (best == NULL || (begun && !best_begun) ||
            (begun == best_begun && (compare_days(since, best) > 0) == begun)) {
            best = since;
            *column = i;
        }
    }
    if (best == NULL)
        emulator_csv_fail(csv, "no column market_from_YYYY_MM_DD or market_…_to_…");
    return best != NULL;
}

static bool
find_market(struct emulator_bill *bill, struct span name, bool make, uint16_t *index)
{
    for (*index = 0; *index < bill->market_count; (*index)++) {
        if (span_equal(span_of(bill->markets[*index].name), name))
            return true;
    }
    if (!make || name.size == 0 || name.size > MARKET_NAME_MAX || bill->market_count == MARKETS_MAX)
        return false;
    *index = bill->market_count++;
    memcpy(bill->markets[*index].name, name.data, name.size);
    return true;
}

/*
 * A row gives its market to the country it names, and to every country without a row of its own
 * whose calling code begins with one of the row's prefixes; the longest prefix wins, among equals
 * the first row.
 */
static void
apply_row(struct emulator_bill *bill, struct span code, struct span prefixes, uint16_t market)
{
    for (uint16_t i = 0; i < emulator_countries_count(bill->countries); i++) {
        if (span_equal(span_of(emulator_country_code(bill->countries, i)), code)) {
            bill->market_of[i] = market;
            bill->match_size[i] = SIZE_MAX;
        }
    }
    while (prefixes.data != NULL) {
        struct span prefix = span_split(&prefixes, '|');
        for (uint16_t i = 0; i < emulator_countries_count(bill->countries); i++) {
            struct span calling_code = emulator_country_calling_code(bill->countries, i);
            if (prefix.size > bill->match_size[i] && span_starts(calling_code, prefix)) {
                bill->market_of[i] = market;
                bill->match_size[i] = prefix.size;
            }
        }
    }
}

static void
read_markets(struct emulator_bill *bill, struct emulator_csv *csv, const char *day)
{
    uint32_t code, prefix, period;
    uint16_t market, other;
    if (!emulator_csv_column(csv, "country_iso2", &code) ||
        !emulator_csv_column(csv, "calling_code_prefix", &prefix) ||
        !choose_period(csv, day, &period))
        return;
    check(find_market(bill, SPAN("Other"), true, &other) && other == 0);
    while (emulator_csv_next(csv)) {
        if (!find_market(bill, csv->row[period], true, &market)) {
            emulator_csv_fail(csv, "no market name of at most %d bytes", MARKET_NAME_MAX);
            return;
        }
        apply_row(bill, csv->row[code], csv->row[prefix], market);
    }
}

struct rate_columns {
    uint32_t market, category, price, currency, since;
};

/* One row of a card that has begun. A newer card's price takes an older one's place. */
static void
read_rate(struct emulator_bill *bill, struct emulator_csv *csv, const struct rate_columns *columns)
{
    enum emulator_category category;
    uint16_t index;
    uint64_t price;
    const char *since = csv->row[columns->since].data;
    if (bill->card[0] == '\0' || compare_days(since, bill->card) > 0)
        memcpy(bill->card, since, DAY_SIZE);
    if (!emulator_category_read(csv->row[columns->category], &category) ||
        !find_market(bill, csv->row[columns->market], false, &index))
        return;
    if (!emulator_millionths_read(csv->row[columns->price], &price)) {
        emulator_csv_fail(csv, "price \"%.*s\" is not a decimal with at most six places",
                          SPAN_ARG(csv->row[columns->price]));
        return;
    }
    struct market *market = &bill->markets[index];
    int order =
        market->since[category][0] == '\0' ? 1 : compare_days(since, market->since[category]);
    if (order == 0)
        emulator_csv_fail(csv, "a second %s price of %s in the same card",
                          emulator_category_text(category), market->name);
    if (order <= 0)
        return;
    memcpy(market->since[category], since, DAY_SIZE);
    market->price[category] = price;
}

static void
read_rates(struct emulator_bill *bill, struct emulator_csv *csv,
           const struct emulator_bill_settings *settings)
{
    struct rate_columns columns;
    if (!emulator_csv_column(csv, "market", &columns.market) ||
        !emulator_csv_column(csv, "category", &columns.category) ||
        !emulator_csv_column(csv, "price", &columns.price) ||
        !emulator_csv_column(csv, "currency", &columns.currency) ||
        !emulator_csv_column(csv, "effective_from", &columns.since))
        return;
    while (emulator_csv_next(csv)) {
        struct span since = csv->row[columns.since];
        if (!span_equal(csv->row[columns.currency], span_of(settings->currency)))
            continue;
        if (!is_day(since, '-'))
            emulator_csv_fail(csv, "effective_from is not of the form 2026-10-01");
        else if (compare_days(since.data, settings->day) <= 0)
            read_rate(bill, csv, &columns);
    }
    if (!csv->failed && bill->card[0] == '\0')
        emulator_csv_fail(csv, "no card in %s has begun on %s", settings->currency, settings->day);
}

/* Every country must have every price, and of the newest card: half of it would be no card. */
static bool
is_complete(const struct emulator_bill *bill, const struct emulator_bill_settings *settings,
            struct error_text *error)
{
    for (uint16_t i = 0; i < emulator_countries_count(bill->countries); i++) {
        const struct market *market = &bill->markets[bill->market_of[i]];
        for (int category = 0; category < EMULATOR_CATEGORIES; category++) {
            if (strcmp(market->since[category], bill->card) == 0)
                continue;
            error_set(error, "%s: market \"%s\" (of %s) has no %s price in the %s card of %s",
                      settings->rates_path, market->name, emulator_country_code(bill->countries, i),
                      category_texts[category], settings->currency, bill->card);
            return false;
        }
    }
    return true;
}

struct emulator_bill *
emulator_bill_open(const struct emulator_bill_settings *settings, struct error_text *error)
{
    struct emulator_csv csv;
    if (!is_day(span_of(settings->day), '-')) {
        error_set(error, "day \"%s\" is not of the form 2026-10-01", settings->day);
        return NULL;
    }
    struct emulator_bill *bill = check_alloc(1, sizeof *bill);
    bill->countries = settings->countries;
    bool good = emulator_csv_open(&csv, settings->markets_path);
    if (good) {
        read_markets(bill, &csv, settings->day);
        emulator_csv_close(&csv);
        good = !csv.failed && emulator_csv_open(&csv, settings->rates_path);
    }
    if (good) {
        read_rates(bill, &csv, settings);
        emulator_csv_close(&csv);
        good = !csv.failed;
    }
    if (!good)
        *error = csv.error;
    if (good && is_complete(bill, settings, error))
        return bill;
    emulator_bill_close(bill);
    return NULL;
}

void
emulator_bill_close(struct emulator_bill *bill)
{
    free(bill);
}

uint64_t
emulator_bill_price(const struct emulator_bill *bill, uint16_t country,
                    enum emulator_category category)
{
    check(country < emulator_countries_count(bill->countries) && category < EMULATOR_CATEGORIES);
    return bill->markets[bill->market_of[country]].price[category];
}

uint64_t
emulator_bill_charge(struct emulator_bill *bill, uint16_t country, enum emulator_category category)
{
    uint64_t price = emulator_bill_price(bill, country, category);
    bill->lines[country].count++;
    bill->lines[country].millionths += price;
    bill->total.count++;
    bill->total.millionths += price;
    return price;
}

void
emulator_bill_reset(struct emulator_bill *bill)
{
    memset(bill->lines, 0, sizeof bill->lines);
    bill->total = (struct emulator_bill_line){0};
}

struct emulator_bill_line
emulator_bill_total(const struct emulator_bill *bill)
{
    return bill->total;
}

struct emulator_bill_line
emulator_bill_of(const struct emulator_bill *bill, uint16_t country)
{
    check(country < emulator_countries_count(bill->countries));
    return bill->lines[country];
}

struct span
emulator_bill_market(const struct emulator_bill *bill, uint16_t country)
{
    check(country < emulator_countries_count(bill->countries));
    return span_of(bill->markets[bill->market_of[country]].name);
}
