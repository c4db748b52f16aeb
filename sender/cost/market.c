#include "sender/cost/market.h"
#include "sender/base/check.h"
#include "sender/cost/csv.h"
#include "sender/cost/day.h"

#include <stdlib.h>
#include <string.h>

enum {
    MARKETS_MAX = 256,
    MARKET_NAME_MAX = 64, /* bytes; QUOTE_CELL_MAX counts on it */
    PERIODS_MAX = 16,
    LETTER_PAIRS = 26 * 26,
    CALLING_CODES = 1000,
};

/* A column of the file: the market of each country from `first_day` on. */
struct period {
    char first_day[DAY_SIZE + 1];
    size_t column;
};

struct place { /* a country */
    struct span name;
    uint16_t market[PERIODS_MAX]; /* in the order of the periods */
};

struct markets {
    struct csv csv; /* owns every name */
    struct span names[MARKETS_MAX];
    uint16_t name_count;
    uint16_t other;
    struct period periods[PERIODS_MAX]; /* the oldest first */
    uint32_t period_count;
    bool has[PERIODS_MAX][MARKETS_MAX]; /* a country is in this market in that period */
    struct place *places;               /* [0] is no country: Other at all times */
    uint16_t place_count;
    uint16_t by_country[LETTER_PAIRS]; /* into places; 0: not listed */
    uint16_t by_code[CALLING_CODES];   /* likewise */
};

struct columns {
    size_t country;
    size_t name;
    size_t calling_code;
};

/* Index of a country of two capitals, or LETTER_PAIRS. */
static uint32_t
letter_pair(struct span country)
{
    if (country.size != 2 || country.data[0] < 'A' || country.data[0] > 'Z' ||
        country.data[1] < 'A' || country.data[1] > 'Z')
        return LETTER_PAIRS;
    return (uint32_t)(country.data[0] - 'A') * 26 + (uint32_t)(country.data[1] - 'A');
}

static bool
refuse(const struct markets *markets, struct error_text *error, const char *what, struct span value)
{
    error_set(error, "%s:%u: \"%.*s\" %s", markets->csv.source, markets->csv.line,
              (int)(value.size < 80 ? value.size : 80), value.data, what);
    return false;
}

/* "market_from_2026_10_01" or "market_2026_01_01_to_…" → "2026-10-01". */
static bool
period_day(struct span column, char day[DAY_SIZE + 1])
{
    struct span from = SPAN("market_from_");
    struct span bare = SPAN("market_");
    size_t skip = span_starts(column, from) ? from.size : bare.size;
    if (!span_starts(column, bare) || column.size < skip + DAY_SIZE)
        return false;
    memcpy(day, column.data + skip, DAY_SIZE);
    day[DAY_SIZE] = '\0';
    if (day[4] != '_' || day[7] != '_')
        return false;
    day[4] = '-';
    day[7] = '-';
    return day_is_valid(span_of(day));
}

/* Keeps the periods sorted by their first day. */
static bool
add_period(struct markets *markets, const struct period *period, struct error_text *error)
{
    uint32_t at = markets->period_count;
    if (at == PERIODS_MAX) {
        error_set(error, "%s: more than %d columns of markets: drop the oldest",
                  markets->csv.source, PERIODS_MAX);
        return false;
    }
    while (at > 0 && strcmp(markets->periods[at - 1].first_day, period->first_day) > 0) {
        markets->periods[at] = markets->periods[at - 1];
        at--;
    }
    if (at > 0 && strcmp(markets->periods[at - 1].first_day, period->first_day) == 0) {
        error_set(error, "%s:%u: two columns of markets begin on %s", markets->csv.source,
                  markets->csv.line, period->first_day);
        return false;
    }
    markets->periods[at] = *period;
    markets->period_count++;
    return true;
}

static bool
read_header(struct markets *markets, struct columns *columns, struct error_text *error)
{
    const struct csv *csv = &markets->csv;
    if (!csv_need_column(csv, "country_iso2", &columns->country, error) ||
        !csv_need_column(csv, "country", &columns->name, error) ||
        !csv_need_column(csv, "calling_code_prefix", &columns->calling_code, error))
        return false;
    for (size_t i = 0; i < csv->field_count; i++) {
        struct period period = {.column = i};
        struct span name = span_trim(csv->fields[i]);
        if (!span_starts(name, SPAN("market_")))
            continue;
        if (!period_day(name, period.first_day))
            return refuse(markets, error, "is no period: market_from_YYYY_MM_DD", name);
        if (!add_period(markets, &period, error))
            return false;
    }
    if (markets->period_count > 0)
        return true;
    error_set(error, "%s:%u: the header line has no column \"market_from_YYYY_MM_DD\"", csv->source,
              csv->line);
    return false;
}

/* A name goes into ledger cells, so it may hold none of what separates there. */
static bool
is_market_name(struct span name)
{
    if (name.size == 0 || name.size > MARKET_NAME_MAX)
        return false;
    for (size_t i = 0; i < name.size; i++)
        if ((unsigned char)name.data[i] < 0x20 || name.data[i] == '|' || name.data[i] == '#')
            return false;
    return true;
}

static bool
intern(struct markets *markets, struct span name, uint16_t *market, struct error_text *error)
{
    if (markets_by_name(markets, name, market))
        return true;
    if (!is_market_name(name))
        return refuse(markets, error,
                      "is no market's name: 1 to 64 bytes without | and # and control characters",
                      name);
    if (markets->name_count == MARKETS_MAX)
        return refuse(markets, error, "is one market too many: 256 are the most", name);
    markets->names[markets->name_count] = name;
    *market = markets->name_count++;
    return true;
}

/* "1658|1876": what is longer than a calling code (3 digits) belongs to its country alone. The
 * first country of a file with this very code speaks for it. */
static bool
add_codes(struct markets *markets, struct span codes, uint16_t place, struct error_text *error)
{
    struct span rest = codes;
    while (rest.data != NULL) {
        struct span code = span_split(&rest, '|');
        uint64_t number;
        if (!span_to_u64(code, &number) || number == 0)
            return refuse(markets, error, "is no calling code: digits, alternatives split by |",
                          codes);
        if (number < CALLING_CODES && markets->by_code[number] == 0)
            markets->by_code[number] = place;
    }
    return true;
}

static bool
add_place(struct markets *markets, const struct columns *columns, struct error_text *error)
{
    const struct span *fields = markets->csv.fields;
    struct span country = fields[columns->country];
    uint32_t pair = letter_pair(country);
    if (pair == LETTER_PAIRS)
        return refuse(markets, error, "is no country: two capital letters", country);
    if (markets->by_country[pair] != 0)
        return refuse(markets, error, "is listed twice", country);
    check(markets->place_count <= LETTER_PAIRS);
    struct place *place = &markets->places[markets->place_count];
    place->name = fields[columns->name];
    for (uint32_t i = 0; i < markets->period_count; i++) {
        struct span name = span_trim(fields[markets->periods[i].column]);
        if (!intern(markets, name, &place->market[i], error))
            return false;
        markets->has[i][place->market[i]] = true;
    }
    markets->by_country[pair] = markets->place_count;
    return add_codes(markets, fields[columns->calling_code], markets->place_count++, error);
}

static bool
read_places(struct markets *markets, struct error_text *error)
{
    struct columns columns;
    enum csv_next next = csv_next(&markets->csv, error);
    if (next == CSV_END)
        error_set(error, "%s: no header line", markets->csv.source);
    if (next != CSV_ROW || !read_header(markets, &columns, error))
        return false;
    markets->place_count = 1;
    while ((next = csv_next(&markets->csv, error)) == CSV_ROW)
        if (!add_place(markets, &columns, error))
            return false;
    if (next == CSV_BROKEN)
        return false;
    if (markets_by_name(markets, SPAN("Other"), &markets->other))
        return true;
    error_set(error,
              "%s: no country is in the market \"Other\", which stands for every country that is "
              "not listed",
              markets->csv.source);
    return false;
}

struct markets *
markets_open(const char *path, struct error_text *error)
{
    struct markets *markets = check_alloc(1, sizeof(*markets));
    markets->places = check_alloc(LETTER_PAIRS + 1, sizeof(*markets->places));
    if (!csv_open(&markets->csv, path, error) || !read_places(markets, error)) {
        markets_close(markets);
        return NULL;
    }
    for (uint32_t i = 0; i < PERIODS_MAX; i++)
        markets->places[0].market[i] = markets->other;
    markets->csv.source = NULL; /* the path was borrowed for the reading only */
    return markets;
}

void
markets_close(struct markets *markets)
{
    if (markets == NULL)
        return;
    csv_close(&markets->csv);
    free(markets->places);
    free(markets);
}

static const struct place *
find_place(const struct markets *markets, const char *country, uint16_t calling_code)
{
    uint32_t pair = letter_pair(span_of(country));
    uint16_t place = pair == LETTER_PAIRS ? 0 : markets->by_country[pair];
    if (place == 0 && calling_code < CALLING_CODES)
        place = markets->by_code[calling_code];
    return &markets->places[place];
}

static uint32_t
find_period(const struct markets *markets, const char *day)
{
    uint32_t period = markets->period_count - 1;
    while (period > 0 && strcmp(markets->periods[period].first_day, day) > 0)
        period--;
    return period;
}

uint16_t
markets_find(const struct markets *markets, const char *country, uint16_t calling_code,
             const char *day)
{
    const struct place *place = find_place(markets, country, calling_code);
    return place->market[find_period(markets, day)];
}

bool
markets_has(const struct markets *markets, uint16_t market, const char *day)
{
    check(market < markets->name_count);
    return market == markets->other || markets->has[find_period(markets, day)][market];
}

const char *
markets_change_day(const struct markets *markets, uint32_t index)
{
    return index < markets->period_count ? markets->periods[index].first_day : NULL;
}

uint16_t
markets_count(const struct markets *markets)
{
    return markets->name_count;
}

struct span
markets_name(const struct markets *markets, uint16_t market)
{
    check(market < markets->name_count);
    return markets->names[market];
}

bool
markets_by_name(const struct markets *markets, struct span name, uint16_t *market)
{
    for (uint16_t i = 0; i < markets->name_count; i++) {
        if (span_equal(markets->names[i], name)) {
            *market = i;
            return true;
        }
    }
    return false;
}

struct span
markets_country_name(const struct markets *markets, const char *country)
{
    uint32_t pair = letter_pair(span_of(country));
    uint16_t place = pair == LETTER_PAIRS ? 0 : markets->by_country[pair];
    return markets->places[place].name; /* places[0] has none */
}
