#include "sender/cost/rate_card.h"
#include "sender/cost/csv.h"
#include "sender/cost/rate_book.h"
#include "tests/unit/cost/rates.h"
#include "tests/unit/test.h"

#include <string.h>

static void
expect_price(const struct rate_card *card, uint16_t market, enum rate_category category,
             const char *day, uint64_t expected)
{
    uint64_t millionths = UINT64_MAX;
    expect(rate_card_price(card, market, category, day, &millionths));
    expect_u64(millionths, expected);
}

static void
prices_by_hand(void)
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
    struct markets *markets = open_markets();
    struct rate_book *book = open_book(RATES, markets);
    const struct rate_card *card = rate_book_card(book, "USD");
    uint64_t millionths = 7;
    expect_text(rate_card_currency(card), "USD");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t market;
        expect(markets_by_name(markets, span_of(cases[i].market), &market));
        expect_price(card, market, cases[i].category, "2026-10-01", cases[i].millionths);
        expect_price(card, market, cases[i].category, "2027-05-05", cases[i].millionths);
        expect(!rate_card_price(card, market, cases[i].category, "2025-12-31", &millionths));
    }
    for (uint16_t market = 0; market < markets_count(markets); market++)
        expect(rate_card_price(card, market, RATE_MARKETING, "2026-11-23", &millionths));
    expect_u64(markets_count(markets), 47);
    expect_abort(rate_card_price(card, 47, RATE_UTILITY, "2026-11-23", &millionths));
    rate_book_close(book);
    markets_close(markets);
}

/* What differs between the cards of January and April, and a market that came in October. */
static void
has_cards_side_by_side(void)
{
    static const struct {
        const char *market;
        enum rate_category category;
        uint64_t january, april, october; /* 0: no price */
    } cases[] = {
        {"Turkey", RATE_UTILITY, 5300, 900, 900},
        {"Pakistan", RATE_UTILITY, 5400, 10000, 15000},
        {"Saudi Arabia", RATE_MARKETING, 45500, 50100, 57600},
        {"Bangladesh", RATE_UTILITY, 0, 0, 3700},
        {"Poland", RATE_UTILITY, 0, 0, 12200},
        {"Germany", RATE_SERVICE, 0, 0, 55000},
    };
    struct markets *markets = open_markets();
    struct rate_book *book = open_book(RATES, markets);
    const struct rate_card *card = rate_book_card(book, "USD");
    expect_u64(rate_card_date_count(card), 3);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const uint64_t prices[] = {cases[i].january, cases[i].april, cases[i].october};
        static const char *const days[] = {"2026-03-31", "2026-09-30", "2026-10-01"};
        for (size_t k = 0; k < 3; k++) {
            uint16_t market;
            uint64_t millionths = 0;
            expect(markets_by_name(markets, span_of(cases[i].market), &market));
            bool has = rate_card_price(card, market, cases[i].category, days[k], &millionths);
            expect(has == (prices[k] != 0));
            expect_u64(millionths, prices[k]);
        }
    }
    rate_book_close(book);
    markets_close(markets);
}

/* Every row of the file, read a second way: as a decimal without its point. */
static void
prices_every_row(void)
{
    struct error_text error = {{0}};
    struct markets *markets = open_markets();
    struct rate_book *book = open_book(RATES, markets);
    struct csv csv;
    expect(csv_open(&csv, RATES, &error));
    expect_u64(csv_next(&csv, &error), CSV_ROW);
    size_t rows = 0;
    while (csv_next(&csv, &error) == CSV_ROW) {
        uint16_t market;
        enum rate_category category;
        char digits[16];
        char day[16];
        expect(markets_by_name(markets, csv.fields[0], &market));
        expect(rate_category_read(csv.fields[2], &category));
        expect_u64(csv.fields[3].size, 6); /* "0.0550" */
        snprintf(digits, sizeof(digits), "%.*s00", 4, csv.fields[3].data + 2);
        snprintf(day, sizeof(day), "%.*s", SPAN_ARG(csv.fields[5]));
        expect_price(rate_book_card(book, "USD"), market, category, day,
                     strtoull(digits, NULL, 10));
        rows++;
    }
    expect_u64(rows, 400);
    csv_close(&csv);
    rate_book_close(book);
    markets_close(markets);
}

/* Cards of several days and currencies side by side, in any order of rows. */
static void
changes_cards_by_day(void)
{
    struct markets *markets = open_small_markets();
    struct rate_book *book = read_book(
        HEADER FULL("0.3", "2026-10-01") "North,utility,9,EUR,2026-10-01,\n" FULL(
            "0.1", "2026-04-01") "North,marketing,\"0.7\",USD,2026-04-01,\n" FULL("0.2",
                                                                                  "2026-07-01"),
        markets);
    const struct rate_card *card = rate_book_card(book, "USD");
    uint64_t millionths = 7;
    uint32_t index;
    expect(!rate_card_price(card, 0, RATE_UTILITY, "2026-03-31", &millionths));
    expect(!rate_card_in_force(card, "2026-03-31", &index));
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
    expect(rate_card_in_force(card, "2026-09-30", &index) && index == 1);

    expect_price(rate_book_card(book, "EUR"), 0, RATE_UTILITY, "2026-10-01", 9000000);
    expect(
        !rate_card_price(rate_book_card(book, "EUR"), 1, RATE_UTILITY, "2026-10-01", &millionths));
    expect(rate_book_card(book, "GBP") == NULL);
    expect_u64(rate_book_count(book), 2);
    expect_text(rate_card_currency(rate_book_at(book, 0)), "EUR"); /* by name */
    rate_book_close(book);
    markets_close(markets);
}

static void
tells_of_its_cards(void)
{
    struct markets *markets = open_small_markets();
    struct rate_book *book = read_book(
        HEADER FULL("0.3", "2026-10-01") "Other,marketing,1,USD,2026-04-01,from \xc3\xa9\n",
        markets);
    const struct rate_card *card = rate_book_card(book, "USD");
    struct rate_date date;
    expect_u64(rate_card_date_count(card), 2);
    rate_card_date(card, 0, &date);
    expect_text(date.first_day, "2026-04-01");
    expect_text(date.end_day, "2026-10-01");
    expect_text(date.source, "from \xc3\xa9");
    expect_text(date.file, "cards");
    expect_u64(date.line, 8);
    expect_u64(date.rows, 1);
    expect_u64(date.markets, 1);
    expect(date.has[RATE_MARKETING] && !date.has[RATE_UTILITY] && !date.has[RATE_SERVICE]);
    rate_card_date(card, 1, &date);
    expect_text(date.end_day, "");
    expect_text(date.source, "");
    expect_u64(date.rows, 6);
    expect_u64(date.markets, 2);
    expect(!date.has[RATE_MARKETING] && date.has[RATE_UTILITY] && date.has[RATE_SERVICE]);
    expect_abort(rate_card_date(card, 2, &date));
    rate_book_close(book);
    markets_close(markets);
}

/* Any one row of a whole card taken away is a hole, and it has a name. */
static void
finds_each_hole(void)
{
    static const char *const rows[] = {
        "North,utility,1,USD,2026-10-01,\n",        "North,authentication,1,USD,2026-10-01,\n",
        "North,service,1,USD,2026-10-01,\n",        "Other,utility,1,USD,2026-10-01,\n",
        "Other,authentication,1,USD,2026-10-01,\n", "Other,service,1,USD,2026-10-01,\n",
    };
    static const enum rate_category categories[] = {RATE_UTILITY, RATE_AUTHENTICATION,
                                                    RATE_SERVICE};
    struct markets *markets = open_small_markets();
    for (size_t missing = 0; missing <= 6; missing++) {
        char text[1024];
        struct buffer file;
        struct rate_hole hole;
        buffer_init(&file, text, sizeof(text));
        buffer_put_text(&file, HEADER);
        for (size_t i = 0; i < 6; i++)
            if (i != missing)
                buffer_put_text(&file, rows[i]);
        struct rate_book *book = read_book(buffer_text(&file), markets);
        const struct rate_card *card = rate_book_card(book, "USD");
        expect_u64(rate_card_find_hole(card, "2026-09-30", &hole), RATE_NO_CARD);
        expect_u64(rate_card_find_hole(card, "2026-10-01", &hole),
                   missing < 6 ? RATE_HAS_HOLE : RATE_COMPLETE);
        expect_u64(hole.markets, missing < 6);
        if (missing < 6) {
            expect_u64(hole.market, missing / 3);
            expect_u64(hole.category, categories[missing % 3]);
            expect_u64(hole.date, 0);
        }
        rate_book_close(book);
    }
    markets_close(markets);
}

/* Meta charges service messages since 2026-10-01: older cards have no price for it. */
static void
needs_service_since_it_is_charged(void)
{
    static const char text[] = HEADER "North,utility,1,USD,2026-09-30,\n"
                                      "North,authentication,1,USD,2026-09-30,\n"
                                      "Other,utility,1,USD,2026-09-30,\n"
                                      "Other,authentication,1,USD,2026-09-30,\n";
    struct markets *markets = open_small_markets();
    struct rate_book *book = read_book(text, markets);
    struct rate_hole hole;
    expect_u64(rate_card_find_hole(rate_book_card(book, "USD"), "2026-11-23", &hole),
               RATE_COMPLETE);
    rate_book_close(book);
    expect(rate_category_is_needed(RATE_SERVICE, "2026-10-01"));
    expect(!rate_category_is_needed(RATE_SERVICE, "2026-09-30"));
    expect(!rate_category_is_needed(RATE_MARKETING, "2026-10-01"));
    expect(rate_category_is_needed(RATE_UTILITY, "2018-08-01"));
    markets_close(markets);
}

int
main(void)
{
    TEST(prices_by_hand);
    TEST(has_cards_side_by_side);
    TEST(prices_every_row);
    TEST(changes_cards_by_day);
    TEST(tells_of_its_cards);
    TEST(finds_each_hole);
    TEST(needs_service_since_it_is_charged);
    return test_end();
}
