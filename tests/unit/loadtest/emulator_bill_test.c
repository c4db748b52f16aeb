#include "loadtest/emulator_bill.h"
#include "tests/unit/test.h"

#include <string.h>

#define DATA FACTEUR_SOURCE_DIR "/sender/cost/data/"

static void
finds_countries(void)
{
    static const struct {
        const char *digits, *country; /* "": none */
    } cases[] = {
        {"33612345678", "FR"},
        {"16505551234", "US"},
        {"12045551234", "CA"},
        {"12425551234", "BS"},
        {"18095551234", "DO"},
        {"447911123456", "GG"},
        {"447700900123", "GB"},
        {"77012345678", "KZ"},
        {"79161234567", "RU"},
        {"390669812345", "VA"},
        {"393123456789", "IT"},
        {"5215512345678", "MX"},
        {"5511987654321", "BR"},
        {"0123456", ""},
        {"999123456", ""},
        {"", ""},
        {"33", "FR"},
        {"3361234567890123456789", "FR"},
    };
    struct error_text error;
    struct emulator_countries *countries = emulator_countries_open(DATA "prefixes.csv", &error);
    expect(countries != NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t country;
        bool found = emulator_country_of_number(countries, span_of(cases[i].digits), &country);
        expect_text(found ? emulator_country_code(countries, country) : "", cases[i].country);
    }
    uint16_t france, code;
    expect(emulator_country_of_number(countries, SPAN("33612345678"), &france));
    expect(emulator_country_of_code(countries, SPAN("FR"), &code));
    expect_u64(france, code);
    expect(!emulator_country_of_code(countries, SPAN("XX"), &code));
    emulator_countries_close(countries);
}

static void
reads_money(void)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t millionths;
    } cases[] = {
        {"0.0455", true, 45500}, {"0", true, 0},           {"1", true, 1000000},
        {"0.000001", true, 1},   {"12.5", true, 12500000}, {"0.0455000", true, 45500},
        {"0.0000001", false, 0}, {"", false, 0},           {".5", false, 0},
        {"1.", false, 0},        {"-1", false, 0},         {"1,5", false, 0},
        {"1e3", false, 0},       {"9999999999", false, 0}, {"0x1", false, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t millionths = 0;
        expect_u64(emulator_millionths_read(span_of(cases[i].text), &millionths), cases[i].good);
        if (cases[i].good)
            expect_u64(millionths, cases[i].millionths);
    }
}

/* Prices looked up by hand in the card of 2026-10-01. */
static void
bills_by_hand(void)
{
    static const struct {
        const char *country, *market;
        enum emulator_category category;
        uint64_t millionths;
    } cases[] = {
        {"FR", "France", EMULATOR_UTILITY, 30000},
        {"DE", "Germany", EMULATOR_UTILITY, 55000},
        {"CO", "Colombia", EMULATOR_UTILITY, 800},
        {"TR", "Turkey", EMULATOR_MARKETING, 10900},
        {"NL", "Netherlands", EMULATOR_MARKETING, 159700},
        {"RE", "Other", EMULATOR_UTILITY, 7700}, /* not listed, nor its calling code by name */
    };
    struct error_text error = {0};
    struct emulator_countries *countries = emulator_countries_open(DATA "prefixes.csv", &error);
    struct emulator_bill *bill =
        emulator_bill_open(&(struct emulator_bill_settings){.markets_path = DATA "markets.csv",
                                                            .rates_path = DATA "rates.csv",
                                                            .currency = "USD",
                                                            .day = "2026-11-23",
                                                            .countries = countries},
                           &error);
    expect_text(error.text, "");
    uint64_t total = 0;
    for (size_t i = 0; bill != NULL && i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t country;
        expect(emulator_country_of_code(countries, span_of(cases[i].country), &country));
        expect_span(emulator_bill_market(bill, country), span_of(cases[i].market));
        expect_u64(emulator_bill_charge(bill, country, cases[i].category), cases[i].millionths);
        expect_u64(emulator_bill_of(bill, country).millionths, cases[i].millionths);
        total += cases[i].millionths;
    }
    expect_u64(emulator_bill_total(bill).count, sizeof cases / sizeof cases[0]);
    expect_u64(emulator_bill_total(bill).millionths, total);
    emulator_bill_reset(bill);
    expect_u64(emulator_bill_total(bill).millionths, 0);
    emulator_bill_close(bill);
    emulator_countries_close(countries);
}

/* A small world of its own: two countries share a calling code, cards follow each other. */
#define PREFIXES                                                                                   \
    "prefix,country,calling_code,total_lengths\n49,DE,49,12|13\n262,RE,262,12\n262269,YT,262,12\n"
#define MARKETS                                                                                    \
    "country_iso2,calling_code_prefix,market_from_2026_10_01,market_2026_07_01_to_2026_09_30\n"    \
    "DE,49,Germany,Europe\nYT,262,Islands,Islands\n"
#define CARD(day, germany, islands)                                                                \
    "Germany,utility," germany ",EUR," day "\nGermany,marketing," germany ",EUR," day              \
    "\nGermany,authentication," germany ",EUR," day "\nIslands,utility," islands ",EUR," day       \
    "\nIslands,marketing," islands ",EUR," day "\nIslands,authentication," islands ",EUR," day     \
    "\n"
#define HEADER "market,category,price,currency,effective_from\n"

static char folder[] = "/tmp/facteur_bill_XXXXXX";

static const char *
write_file(const char *name, const char *text)
{
    static char paths[3][128];
    static int next;
    char *path = paths[next++ % 3];
    snprintf(path, sizeof paths[0], "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    expect(file != NULL && fputs(text, file) >= 0);
    if (file != NULL)
        fclose(file);
    return path;
}

/* The price of one country's utility message in this world, or the error. */
static bool
price_in(const char *markets, const char *rates, const char *day, const char *country,
         uint64_t *millionths, struct error_text *error)
{
    uint16_t index;
    struct emulator_countries *countries =
        emulator_countries_open(write_file("prefixes.csv", PREFIXES), error);
    expect(countries != NULL);
    struct emulator_bill_settings settings = {.markets_path = write_file("markets.csv", markets),
                                              .rates_path = write_file("rates.csv", rates),
                                              .currency = "EUR",
                                              .day = day,
                                              .countries = countries};
    struct emulator_bill *bill = emulator_bill_open(&settings, error);
    if (bill != NULL) {
        expect(emulator_country_of_code(countries, span_of(country), &index));
        *millionths = emulator_bill_price(bill, index, EMULATOR_UTILITY);
    }
    emulator_bill_close(bill);
    emulator_countries_close(countries);
    return bill != NULL;
}

static void
follows_the_calendar(void)
{
    const char *cards = HEADER CARD("2027-01-01", "0.3", "0.4")
        CARD("2026-10-01", "0.1",
             "0.2") "Germany,utility,9,USD,2026-10-01\nNowhere,service,1,EUR,2026-10-01\n";
    static const struct {
        const char *day, *country;
        uint64_t millionths;
    } cases[] = {
        {"2026-10-01", "DE", 100000}, {"2026-12-31", "DE", 100000},
        {"2027-01-01", "DE", 300000}, {"2026-10-01", "YT", 200000},
        {"2027-06-01", "YT", 400000}, {"2026-10-01", "RE", 200000}, /* by its calling code */
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t millionths = 0;
        struct error_text error = {0};
        expect(price_in(MARKETS, cards, cases[i].day, cases[i].country, &millionths, &error));
        expect_text(error.text, "");
        expect_u64(millionths, cases[i].millionths);
    }
}

static void
refuses_bills_with_holes(void)
{
    static const struct {
        const char *markets, *rates, *day, *words;
    } cases[] = {
        {MARKETS, HEADER CARD("2026-10-01", "0.1", "0.2"), "2026-09-30", "no card in EUR"},
        {MARKETS, HEADER CARD("2026-07-01", "0.1", "0.2"), "2026-09-30",
         "market \"Europe\" (of DE) has no utility price"},
        {MARKETS, HEADER CARD("2026-10-01", "0.1", "0.2") "Germany,utility,1,EUR,2026-11-01\n",
         "2026-11-01", "no authentication price in the EUR card of 2026-11-01"},
        {MARKETS, HEADER CARD("2026-10-01", "0.1", "0.2") "Germany,utility,1,EUR,2026-10-01\n",
         "2026-10-01", "rates.csv:8: a second utility price"},
        {MARKETS, HEADER CARD("2026-10-01", "0.1x", "0.2"), "2026-10-01", "rates.csv:2: price"},
        {MARKETS, HEADER "Germany,utility,1,EUR\n", "2026-10-01", "rates.csv:2: 4 fields"},
        {MARKETS, HEADER "Germany,utility,1,EUR,tomorrow\n", "2026-10-01", "effective_from"},
        {MARKETS, "market,price\n", "2026-10-01", "no column \"category\""},
        {"country_iso2,calling_code_prefix\n", HEADER, "2026-10-01", "no column market_from"},
        {"", HEADER, "2026-10-01", "empty"},
        {MARKETS "FR,\"33,x,y\n", HEADER, "2026-10-01", "markets.csv:4: a quoted field"},
        {MARKETS, HEADER, "2026-1-1", "is not of the form"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t millionths;
        struct error_text error = {0};
        expect(
            !price_in(cases[i].markets, cases[i].rates, cases[i].day, "DE", &millionths, &error));
        if (strstr(error.text, cases[i].words) == NULL)
            printf("case %zu: \"%s\" does not say \"%s\"\n", i, error.text, cases[i].words);
        expect(strstr(error.text, cases[i].words) != NULL);
    }
}

static void
refuses_bad_prefixes(void)
{
    static const char *const cases[] = {
        "prefix,country,calling_code,total_lengths\n",
        "prefix,country,calling_code,total_lengths\nx,DE,49,12\n",
        "prefix,country,calling_code,total_lengths\n49,DE,49,\n",
        "prefix,country,calling_code,total_lengths\n49,DE,49,99\n",
        "prefix,country,calling_code,total_lengths\n49,DEUT,49,12\n",
        "prefix,country\n49,DE\n",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error_text error = {0};
        expect(emulator_countries_open(write_file("bad.csv", cases[i]), &error) == NULL);
        expect(strstr(error.text, "bad.csv") != NULL);
    }
    struct error_text error = {0};
    expect(emulator_countries_open("/nonexistent/file.csv", &error) == NULL);
}

static void
remove_files(void)
{
    static const char *const names[] = {"prefixes.csv", "markets.csv", "rates.csv", "bad.csv"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        unlink(path);
    }
    rmdir(folder);
}

int
main(void)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    TEST(finds_countries);
    TEST(reads_money);
    TEST(bills_by_hand);
    TEST(follows_the_calendar);
    TEST(refuses_bills_with_holes);
    TEST(refuses_bad_prefixes);
    remove_files();
    return test_end();
}
