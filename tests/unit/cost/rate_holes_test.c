#include "sender/cost/rate_holes.h"
#include "tests/unit/cost/rates.h"

/* Two markets until June, a third, New, from July on. */
static struct markets *
open_changing_markets(void)
{
    return open_markets_of("country_iso2,country,calling_code_prefix,market_from_2026_07_01,"
                           "market_2026_01_01_to_2026_06_30\n"
                           "AA,A,1,North,North\nBB,B,2,Other,Other\nCC,C,3,New,North\n");
}

#define NEW(day)                                                                                   \
    "New,utility,1,USD," day ",\nNew,authentication,1,USD," day ",\nNew,service,1,USD," day ",\n"

struct expected {
    enum rate_level level;
    uint32_t line;
    const char *what;
};

static void
expect_holes(const char *text, const char *currency, const char *today,
             const struct expected *expected, uint32_t count)
{
    struct markets *markets = open_changing_markets();
    struct rate_book *book = read_book(text, markets);
    struct rate_findings findings = {0};
    rate_holes_find(book, currency, today, &findings);
    expect_u64(findings.count, count);
    for (uint32_t i = 0; i < findings.count && i < count; i++) {
        expect_u64(findings.items[i].level, expected[i].level);
        expect_u64(findings.items[i].line, expected[i].line);
        if (strstr(findings.items[i].what, expected[i].what) == NULL)
            expect_text(findings.items[i].what, expected[i].what);
    }
    rate_findings_close(&findings);
    rate_book_close(book);
    markets_close(markets);
}

static void
finds_none_in_what_is_whole(void)
{
    expect_holes(HEADER FULL("1", "2026-01-01") FULL("1", "2026-07-01") NEW("2026-07-01"), NULL,
                 "2026-11-23", NULL, 0);
    /* A card that ends before the market begins does not need it. */
    expect_holes(HEADER FULL("1", "2026-06-30") FULL("1", "2026-07-01") NEW("2026-07-01"), NULL,
                 "2026-06-30", NULL, 0);
}

/* The card was whole until Meta made a market: a gap until the next one. */
static void
finds_markets_that_began_later(void)
{
    static const char text[] =
        HEADER FULL("1", "2026-01-01") FULL("1", "2026-10-01") NEW("2026-10-01");
    static const char what[] = "the USD card of 2026-01-01 has no utility price from 2026-07-01 on "
                               "for 1 market that began then: New";
    static const struct expected past[] = {
        {RATE_WARNING, 2, what},
        {RATE_WARNING, 2, "no authentication price from 2026-07-01 on"},
    };
    static const struct expected now[] = {
        {RATE_ERROR, 2, what},
        {RATE_ERROR, 2, "no authentication price from 2026-07-01 on"},
    };
    expect_holes(text, NULL, "2026-10-01", past, 2); /* on the day on which the gap has ended */
    expect_holes(text, NULL, "2026-09-30", now, 2);
    expect_holes(text, "USD", "2026-09-30", now, 2);
    expect_holes(text, "EUR", "2026-09-30", NULL, 0);
    expect_holes(HEADER FULL("1", "2026-01-01"), NULL, "2026-11-23", now, 2); /* and no end */
}

static void
finds_missing_rows(void)
{
    static const struct expected expected[] = {
        {RATE_ERROR, 2,
         "the USD card of 2026-10-01 has no utility price for 2 markets: North, New"},
        {RATE_ERROR, 2, "no authentication price for 3 markets: North, Other, New"},
        {RATE_ERROR, 2, "no service price for 3 markets"},
    };
    expect_holes(HEADER "Other,utility,1,USD,2026-10-01,\n", NULL, "2026-11-23", expected, 3);
    expect_holes(HEADER "Other,utility,1,USD,2026-10-01,\n", NULL, "2026-01-01",
                 (const struct expected[]){
                     {RATE_WARNING, 2, "the first USD card begins on 2026-10-01"},
                     {RATE_ERROR, 2, "no utility price"},
                     {RATE_ERROR, 2, "no authentication price"},
                     {RATE_ERROR, 2, "no service price"},
                 },
                 4);
}

/* What is missing all along is said once, not again when markets change. */
static void
says_a_hole_once(void)
{
    static const struct expected expected[] = {
        {RATE_ERROR, 2, "has no authentication price for 2 markets: North, Other"},
        {RATE_ERROR, 2, "has no utility price from 2026-07-01 on for 1 market"},
        {RATE_ERROR, 2, "has no authentication price from 2026-07-01 on for 1 market"},
    };
    expect_holes(HEADER "North,utility,1,USD,2026-01-01,\nOther,utility,1,USD,2026-01-01,\n", NULL,
                 "2026-11-23", expected, 3);
}

/* More names than fit: the rest is counted. */
static void
cuts_long_lists(void)
{
    struct markets *markets = open_markets();
    struct rate_book *book = read_book(HEADER "Other,utility,1,USD,2026-10-01,\n", markets);
    struct rate_findings findings = {0};
    rate_holes_find(book, NULL, "2026-11-23", &findings);
    expect_u64(findings.count, 3);
    for (uint32_t i = 0; i < findings.count; i++) {
        expect(strstr(findings.items[i].what, " more") != NULL);
        expect(strlen(findings.items[i].what) < sizeof(findings.items[i].what) - 1);
    }
    rate_findings_close(&findings);
    rate_book_close(book);
    markets_close(markets);
}

/* What is shipped has no hole today; the one that it has is of days gone by. */
static void
knows_the_shipped_cards(void)
{
    struct markets *markets = open_markets();
    struct rate_book *book = open_book(RATES, markets);
    struct rate_findings findings = {0};
    struct rate_hole hole;
    rate_holes_find(book, NULL, "2026-11-23", &findings);
    expect_u64(findings.errors, 0);
    expect_u64(findings.count, 2);
    expect(strstr(findings.items[0].what,
                  "for 6 markets that began then: Hong Kong, Hungary, Poland, Qatar, Romania, "
                  "Singapore") != NULL);
    const struct rate_card *card = rate_book_card(book, "USD");
    expect_u64(rate_card_find_hole(card, "2026-06-30", &hole), RATE_COMPLETE);
    expect_u64(rate_card_find_hole(card, "2026-07-01", &hole), RATE_HAS_HOLE);
    expect_u64(hole.markets, 6);
    expect_u64(rate_card_find_hole(card, "2026-10-01", &hole), RATE_COMPLETE);
    rate_findings_close(&findings);
    rate_book_close(book);
    markets_close(markets);
}

int
main(void)
{
    TEST(finds_none_in_what_is_whole);
    TEST(finds_markets_that_began_later);
    TEST(finds_missing_rows);
    TEST(says_a_hole_once);
    TEST(cuts_long_lists);
    TEST(knows_the_shipped_cards);
    return test_end();
}
