#include "sender/cost/rate_card.h"
#include "sender/cost/csv.h"
#include "sender/cost/money.h"
#include "tests/unit/test.h"

#include <string.h>

static const char *const MARKETS = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv";
static const char *const RATES = FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv";

static const char *
write_file(const char *text, char path[32])
{
    snprintf(path, 32, "/tmp/rate_card_test_XXXXXX");
    int file = mkstemp(path);
    expect(file >= 0);
    expect(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    return path;
}

/* Two markets: North and Other. */
static struct markets *
open_small_markets(void)
{
    char path[32];
    struct error_text error = {{0}};
    struct markets *markets =
        markets_open(write_file("country_iso2,country,calling_code_prefix,market_from_2026_01_01\n"
                                "AA,A,1,North\nBB,B,2,Other\n",
                                path),
                     &error);
    unlink(path);
    if (markets == NULL)
        exit(1);
    return markets;
}

static void
expect_price(const struct rate_card *card, uint16_t market, enum rate_category category,
             const char *day, uint64_t expected)
{
    uint64_t millionths = UINT64_MAX;
    expect(rate_card_price(card, market, category, day, &millionths));
    expect_u64(millionths, expected);
}

static void
ships_a_complete_card(void)
{
    static const struct {
        const char *market;
        enum rate_category category;
        uint64_t millionths;
    } cases[] = {
        {"Germany", RATE_UTILITY, 55000},
        {"Colombia", RATE_UTILITY, 800},
        {"Turkey", RATE_MARKETING, 10900},
        {"Netherlands", RATE_MARKETING, 159700},
        {"Argentina", RATE_AUTHENTICATION, 26000},
        {"Argentina", RATE_SERVICE, 26000},
        {"India", RATE_AUTHENTICATION_INTERNATIONAL, 30400},
        {"Bangladesh", RATE_MARKETING, 73200},
    };
    struct error_text error = {{0}};
    struct markets *markets = markets_open(MARKETS, &error);
    struct rate_card *card = rate_card_open(RATES, "USD", markets, &error);
    expect_text(error.text, "");
    if (card == NULL)
        return;
    expect_text(rate_card_currency(card), "USD");
    uint64_t millionths = 7;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t market;
        expect(markets_by_name(markets, span_of(cases[i].market), &market));
        expect_price(card, market, cases[i].category, "2026-10-01", cases[i].millionths);
        expect_price(card, market, cases[i].category, "2027-05-05", cases[i].millionths);
        expect(!rate_card_price(card, market, cases[i].category, "2026-09-30", &millionths));
    }
    for (uint16_t market = 0; market < markets_count(markets); market++)
        expect(rate_card_price(card, market, RATE_MARKETING, "2026-11-23", &millionths));
    expect_u64(markets_count(markets), 47);
    expect_abort(rate_card_price(card, 47, RATE_UTILITY, "2026-11-23", &millionths));
    rate_card_close(card);
    rate_card_close(NULL);
    markets_close(markets);
}

/* Every row of the file, read a second way: as a decimal without its point. */
static void
prices_every_row(void)
{
    struct error_text error = {{0}};
    struct markets *markets = markets_open(MARKETS, &error);
    struct rate_card *card = rate_card_open(RATES, "USD", markets, &error);
    struct csv csv;
    expect(csv_open(&csv, RATES, &error));
    expect_u64(csv_next(&csv, &error), CSV_ROW);
    size_t rows = 0;
    while (csv_next(&csv, &error) == CSV_ROW) {
        uint16_t market;
        expect(markets_by_name(markets, csv.fields[0], &market));
        char digits[16];
        expect_u64(csv.fields[3].size, 6); /* "0.0550" */
        snprintf(digits, sizeof(digits), "%.*s00", 4, csv.fields[3].data + 2);
        for (uint32_t category = 0; category < RATE_CATEGORIES; category++)
            if (span_equal(csv.fields[2],
                           span_of(rate_category_text((enum rate_category)category))))
                expect_price(card, market, (enum rate_category)category, "2026-11-23",
                             strtoull(digits, NULL, 10));
        rows++;
    }
    expect_u64(rows, 190);
    csv_close(&csv);
    rate_card_close(card);
    markets_close(markets);
}

#define HEADER "market,category,price,currency,effective_from\n"
#define FULL(price, day)                                                                           \
    "North,utility," price ",USD," day "\nNorth,authentication,0.2,USD," day                       \
    "\nNorth,service,0,USD," day "\nOther,utility,0.4,USD," day                                    \
    "\nOther,authentication,0.5,USD," day "\nOther,service,0.6,USD," day "\n"

/* Cards of several days and currencies side by side, in any order of rows and columns. */
static void
changes_cards_by_day(void)
{
    struct markets *markets = open_small_markets();
    struct error_text error = {{0}};
    char path[32];
    write_file(
        "\xef\xbb\xbf" HEADER FULL("0.3", "2026-10-01") "North,utility,9,EUR,2026-10-01\n" FULL(
            "0.1", "2026-04-01") "North,marketing,\"0.7\",USD,2026-04-01\n" FULL("0.2",
                                                                                 "2026-07-01"),
        path);
    struct rate_card *card = rate_card_open(path, "USD", markets, &error);
    expect_text(error.text, "");
    if (card != NULL) {
        uint64_t millionths = 7;
        expect(!rate_card_price(card, 0, RATE_UTILITY, "2026-03-31", &millionths));
        expect_u64(millionths, 7);
        expect_price(card, 0, RATE_UTILITY, "2026-04-01", 100000);
        expect_price(card, 0, RATE_UTILITY, "2026-06-30", 100000);
        expect_price(card, 0, RATE_UTILITY, "2026-07-01", 200000);
        expect_price(card, 0, RATE_UTILITY, "2026-10-01", 300000);
        expect_price(card, 0, RATE_SERVICE, "2026-10-01", 0);
        expect_price(card, 0, RATE_MARKETING, "2026-04-30", 700000);
        /* A newer card that is silent is silent: the older price is not dug out. */
        expect(!rate_card_price(card, 0, RATE_MARKETING, "2026-07-01", &millionths));
        expect(!rate_card_price(card, 1, RATE_MARKETING, "2026-04-30", &millionths));
    }
    rate_card_close(card);
    expect(rate_card_open(path, "EUR", markets, &error) == NULL); /* one row is no card */
    expect(strstr(error.text, "the EUR card of 2026-10-01 has no authentication price") != NULL);
    unlink(path);
    markets_close(markets);
}

static void
refuses_with_place(void)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {HEADER, "no prices in USD: add"},
        {"\n", "no header line"},
        {HEADER "North,utility,1,EUR,2026-10-01\n", "no prices in USD, but there are some in EUR"},
        {"market,category,price,currency\n",
         ":1: the header line has no column \"effective_from\""},
        {HEADER "Nord,utility,1,USD,2026-10-01\n", ":2: \"Nord\" is no market"},
        {HEADER "North,utilities,1,USD,2026-10-01\n", ":2: \"utilities\" is no category"},
        {HEADER "North,utility,\"0,1\",USD,2026-10-01\n", ":2: \"0,1\" is not a price"},
        {HEADER "North,utility,-0.1,USD,2026-10-01\n", "is not a price"},
        {HEADER "North,utility,1e2,USD,2026-10-01\n", "is not a price"},
        {HEADER "North,utility,,USD,2026-10-01\n", "is not a price"},
        {HEADER "North,utility,0.0000001,USD,2026-10-01\n", "more than six decimals"},
        {HEADER "North,utility,1234567890123,USD,2026-10-01\n", "more than twelve digits"},
        {HEADER "North,utility,1,USD,2026-10-1\n", "\"2026-10-1\" is no day"},
        {HEADER "North,utility,1,USD,2026-02-30\n", "\"2026-02-30\" is no day"},
        {HEADER "North,utility,1,US,2026-10-01\n", "\"US\" is no currency"},
        {HEADER FULL("0.1", "2026-10-01") "North,utility,0.1,USD,2026-10-01\n",
         ":8: \"North\" has two prices"},
        {HEADER FULL("0.1", "2026-10-01") "North,utility,0.1,USD,2026-11-01\n",
         "card of 2026-11-01 has no authentication price for the market \"North\""},
        {HEADER "North,utility,0.1,USD\n", ":2: 4 fields"},
        {HEADER "North,\"utility,0.1,USD\n", ":2: a quote is opened"},
    };
    struct markets *markets = open_small_markets();
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[32];
        struct error_text error = {{0}};
        expect(rate_card_open(write_file(cases[i].text, path), "USD", markets, &error) == NULL);
        if (strstr(error.text, cases[i].words) == NULL || strstr(error.text, path) == NULL)
            expect_text(error.text, cases[i].words);
        unlink(path);
    }
    struct error_text error = {{0}};
    expect(rate_card_open("/nonexistent.csv", "USD", markets, &error) == NULL);
    expect(strstr(error.text, "/nonexistent.csv: cannot be opened") != NULL);
    expect(rate_card_open(RATES, "DOLLAR", markets, &error) == NULL);
    expect(strstr(error.text, "\"DOLLAR\" is no currency") != NULL);
    markets_close(markets);
}

static void
names_the_missing_market(void)
{
    static const char *const rows[] = {
        "North,utility,1,USD,2026-10-01\n",        "North,authentication,1,USD,2026-10-01\n",
        "North,service,1,USD,2026-10-01\n",        "Other,utility,1,USD,2026-10-01\n",
        "Other,authentication,1,USD,2026-10-01\n", "Other,service,1,USD,2026-10-01\n",
    };
    struct markets *markets = open_small_markets();
    for (size_t missing = 0; missing < 6; missing++) {
        char text[1024];
        struct buffer file;
        buffer_init(&file, text, sizeof(text));
        buffer_put_text(&file, HEADER);
        for (size_t i = 0; i < 6; i++)
            if (i != missing)
                buffer_put_text(&file, rows[i]);
        char path[32];
        char words[128];
        struct error_text error = {{0}};
        struct span rest = span_of(rows[missing]);
        struct span market = span_split(&rest, ',');
        struct span category = span_split(&rest, ',');
        snprintf(words, sizeof(words), "has no %.*s price for the market \"%.*s\"",
                 SPAN_ARG(category), SPAN_ARG(market));
        expect(rate_card_open(write_file(buffer_text(&file), path), "USD", markets, &error) ==
               NULL);
        expect(strstr(error.text, words) != NULL);
        unlink(path);
    }
    markets_close(markets);
}

static void
holds_64_cards(void)
{
    struct markets *markets = open_small_markets();
    char *text = malloc(65 * 40 + sizeof(HEADER));
    size_t size = (size_t)sprintf(text, "%s", HEADER);
    for (int i = 0; i < 65; i++)
        size += (size_t)sprintf(text + size, "North,utility,1,USD,20%02d-01-01\n", i);
    char path[32];
    struct error_text error = {{0}};
    expect(rate_card_open(write_file(text, path), "USD", markets, &error) == NULL);
    expect(strstr(error.text, ":66: \"2064-01-01\" is one card too many") != NULL);
    unlink(path);
    free(text);
    markets_close(markets);
}

int
main(void)
{
    TEST(ships_a_complete_card);
    TEST(prices_every_row);
    TEST(changes_cards_by_day);
    TEST(refuses_with_place);
    TEST(names_the_missing_market);
    TEST(holds_64_cards);
    return test_end();
}
