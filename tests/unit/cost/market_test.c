#include "sender/cost/market.h"
#include "tests/unit/test.h"

#include <string.h>

static const char *const DATA = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv";

/* The file's path, in memory of the caller's. */
static const char *
write_file(const char *text, char path[32])
{
    snprintf(path, 32, "/tmp/market_test_XXXXXX");
    int file = mkstemp(path);
    expect(file >= 0);
    expect(write(file, text, strlen(text)) == (ssize_t)strlen(text));
    close(file);
    return path;
}

static struct markets *
open_data(void)
{
    struct error_text error = {{0}};
    struct markets *markets = markets_open(DATA, &error);
    expect_text(error.text, "");
    if (markets == NULL)
        exit(1);
    return markets;
}

static void
knows_meta_s_regions(void)
{
    static const struct {
        const char *country;
        uint16_t code;
        const char *day;
        const char *market;
    } cases[] = {
        {"FR", 33, "2026-11-23", "France"},
        {"US", 1, "2026-11-23", "North America"},
        {"CA", 1, "2026-11-23", "North America"},
        {"JM", 1, "2026-11-23", "Rest of Latin America"},
        {"BS", 1, "2026-11-23", "Other"},
        {"GG", 44, "2026-11-23", "United Kingdom"},
        {"VA", 39, "2026-11-23", "Italy"},
        {"BD", 880, "2026-10-01", "Bangladesh"},
        {"BD", 880, "2026-09-30", "Rest of Asia Pacific"},
        {"KZ", 7, "2026-10-01", "Kazakhstan"},
        {"KZ", 7, "2026-09-30", "Other"},
        {"HK", 852, "2026-07-01", "Hong Kong"},
        {"HK", 852, "2026-06-30", "Rest of Asia Pacific"},
        {"HK", 852, "2020-01-01", "Rest of Asia Pacific"}, /* before the first period */
        {"FR", 33, "2999-01-01", "France"},
        {"ZZ", 33, "2026-11-23", "France"}, /* by calling code */
        {"", 33, "2026-11-23", "France"},
        {"ZZ", 1, "2026-11-23", "North America"},
        {"RE", 262, "2026-11-23", "Other"},
        {"ZZ", 0, "2026-11-23", "Other"},
        {"ZZ", 999, "2026-11-23", "Other"},
        {"ZZ", 65535, "2026-11-23", "Other"},
        {"fr", 0, "2026-11-23", "Other"},
        {"FRA", 0, "2026-11-23", "Other"},
    };
    struct markets *markets = open_data();
    expect_u64(markets_count(markets), 47);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint16_t market = markets_find(markets, cases[i].country, cases[i].code, cases[i].day);
        expect_span(markets_name(markets, market), span_of(cases[i].market));
        uint16_t again = 0;
        expect(markets_by_name(markets, span_of(cases[i].market), &again));
        expect_u64(again, market);
    }
    uint16_t market;
    expect(!markets_by_name(markets, SPAN("france"), &market));
    expect_span(markets_country_name(markets, "FR"), SPAN("France"));
    expect_span(markets_country_name(markets, "ZZ"), SPAN(""));
    expect_span(markets_country_name(markets, ""), SPAN(""));
    expect_abort(markets_name(markets, 47));
    markets_close(markets);
    markets_close(NULL);
}

static void
reads_any_order_of_columns_and_periods(void)
{
    char path[32];
    struct error_text error = {{0}};
    struct markets *markets = markets_open(
        write_file("\xef\xbb\xbfnote,market_2026_01_01_to_2026_06_30,country_iso2,market_from_2026_"
                   "07_01,calling_code_prefix,country\r\n"
                   "x,Other,AA,\"North, South\",11|12345,\"A, Land\"\r\n"
                   "x,B,BB,Other,11,B Land\r\n",
                   path),
        &error);
    unlink(path);
    expect_text(error.text, "");
    if (markets == NULL)
        return;
    expect_u64(markets_count(markets), 3);
    expect_span(markets_name(markets, markets_find(markets, "AA", 0, "2026-08-01")),
                SPAN("North, South"));
    expect_span(markets_name(markets, markets_find(markets, "BB", 0, "2026-02-01")), SPAN("B"));
    expect_span(markets_name(markets, markets_find(markets, "", 11, "2026-02-01")),
                SPAN("Other")); /* the first with the code speaks for it */
    expect_span(markets_country_name(markets, "AA"), SPAN("A, Land"));
    markets_close(markets);
}

#define HEADER "country_iso2,country,calling_code_prefix,market_from_2026_10_01\n"

static void
refuses_with_place(void)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "the file is empty"},
        {"\n\n", "no header line"},
        {"country_iso2,country,calling_code_prefix\n",
         ":1: the header line has no column \"market"},
        {"country,calling_code_prefix,market_from_2026_10_01\n", "no column \"country_iso2\""},
        {"country_iso2,country,calling_code_prefix,market_from_2026_13_01\n", "is no period"},
        {"country_iso2,country,calling_code_prefix,market_\n", "is no period"},
        {"country_iso2,country,calling_code_prefix,market_2026_10_01,market_from_2026_10_01\n",
         "two columns of markets begin on 2026-10-01"},
        {HEADER "fr,France,33,France\n", ":2: \"fr\" is no country"},
        {HEADER "FRA,France,33,France\n", ":2: \"FRA\" is no country"},
        {HEADER "FR,France,33,France\nFR,France,33,France\n", ":3: \"FR\" is listed twice"},
        {HEADER "FR,France,,France\n", ":2: \"\" is no calling code"},
        {HEADER "FR,France,33|,France\n", "is no calling code"},
        {HEADER "FR,France,+33,France\n", "is no calling code"},
        {HEADER "FR,France,33,\n", "is no market's name"},
        {HEADER "FR,France,33,a|b\n", "\"a|b\" is no market's name"},
        {HEADER "FR,France,33,a#b\n", "is no market's name"},
        {HEADER "FR,France,33\n", ":2: 3 fields"},
        {HEADER "FR,France,33,France\n", "no country is in the market \"Other\""},
        {HEADER "FR,France,33,"
                "1234567890123456789012345678901234567890123456789012345678901234x\n",
         "is no market's name"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char path[32];
        struct error_text error = {{0}};
        expect(markets_open(write_file(cases[i].text, path), &error) == NULL);
        if (strstr(error.text, cases[i].words) == NULL || strstr(error.text, path) == NULL)
            expect_text(error.text, cases[i].words);
        unlink(path);
    }
    struct error_text error = {{0}};
    expect(markets_open("/nonexistent.csv", &error) == NULL);
    expect(strstr(error.text, "/nonexistent.csv: cannot be opened") != NULL);
}

static void
has_room_for_so_many(void)
{
    char text[8192] = "country_iso2,country,calling_code_prefix";
    size_t size = strlen(text);
    for (int i = 1; i <= 17; i++)
        size += (size_t)sprintf(text + size, ",market_from_2026_10_%02d", i);
    char path[32];
    struct error_text error = {{0}};
    expect(markets_open(write_file(text, path), &error) == NULL);
    expect(strstr(error.text, "more than 16 columns of markets") != NULL);
    unlink(path);

    size = (size_t)sprintf(text, "%s", HEADER);
    for (int i = 0; i < 257; i++)
        size += (size_t)sprintf(text + size, "%c%c,x,1,M%d\n", 'A' + i / 26, 'A' + i % 26, i);
    expect(markets_open(write_file(text, path), &error) == NULL);
    expect(strstr(error.text, "is one market too many") != NULL);
    unlink(path);
}

int
main(void)
{
    TEST(knows_meta_s_regions);
    TEST(reads_any_order_of_columns_and_periods);
    TEST(refuses_with_place);
    TEST(has_room_for_so_many);
    return test_end();
}
