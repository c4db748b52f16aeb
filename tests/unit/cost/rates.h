/*
 * rates - rate cards for tests: the shipped ones, and small ones over two markets, North and Other.
 */
#ifndef FACTEUR_TESTS_UNIT_COST_RATES_H
#define FACTEUR_TESTS_UNIT_COST_RATES_H

#include "sender/cost/rate_book.h"
#include "tests/unit/test.h"

#include <stdlib.h>
#include <string.h>

#define MARKETS FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv"
#define RATES   FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv"

#define HEADER "market,category,price,currency,effective_from,source\n"
/* A whole card over North and Other; the first price is North's for utility. */
#define FULL(price, day) FULL_IN(price, day, "USD")
#define FULL_IN(price, day, currency)                                                              \
    "North,utility," price "," currency "," day ",\nNorth,authentication,0.2," currency "," day    \
    ",\nNorth,service,0," currency "," day ",\nOther,utility,0.4," currency "," day                \
    ",\nOther,authentication,0.5," currency "," day ",\nOther,service,0.6," currency "," day ",\n"

static inline const char *
write_file(const char *text, char path[32])
{
    snprintf(path, 32, "/tmp/rates_test_XXXXXX");
    int file = mkstemp(path);
    expect(file >= 0);
    expect(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    return path;
}

static inline struct markets *
open_markets_at(const char *path)
{
    struct error_text error = {{0}};
    struct markets *markets = markets_open(path, &error);
    expect_text(error.text, "");
    if (markets == NULL)
        exit(1);
    return markets;
}

static inline struct markets *
open_markets(void)
{
    return open_markets_at(MARKETS);
}

static inline struct markets *
open_markets_of(const char *text)
{
    char path[32];
    struct markets *markets = open_markets_at(write_file(text, path));
    unlink(path);
    return markets;
}

static inline struct markets *
open_small_markets(void)
{
    return open_markets_of("country_iso2,country,calling_code_prefix,market_from_2026_01_01\n"
                           "AA,A,1,North\nBB,B,2,Other\n");
}

static inline struct rate_book *
open_book(const char *path, const struct markets *markets)
{
    struct error_text error = {{0}};
    struct rate_book *book = rate_book_open(path, markets, &error);
    expect_text(error.text, "");
    if (book == NULL)
        exit(1);
    return book;
}

/* A good one, from a text that messages call "cards". */
static inline struct rate_book *
read_book(const char *text, const struct markets *markets)
{
    struct rate_findings findings = {0};
    struct rate_book *book = rate_book_new(markets);
    rate_book_add_text(book, span_of(text), "cards", &findings);
    expect_u64(findings.errors, 0);
    for (uint32_t i = 0; i < findings.count && findings.errors > 0; i++)
        printf("%u: %s\n", findings.items[i].line, findings.items[i].what);
    rate_findings_close(&findings);
    return book;
}

#endif
