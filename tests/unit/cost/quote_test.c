#include "sender/cost/quote.h"
#include "sender/cost/rate_book.h"
#include "sender/base/clock.h"
#include "tests/unit/test.h"

#include <string.h>

static const char *const MARKETS = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv";
static const char *const RATES = FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv";
static const uint64_t NOV_23_MS = 1795435200000; /* 2026-11-23T12:00:00Z */

struct desk {
    struct markets *markets;
    struct rate_book *book;
    struct zone_table zones;
    struct phone phone;
    struct template template;
    struct quote_input input;
};

static void
open_desk(struct desk *desk)
{
    struct error_text error = {{0}};
    *desk = (struct desk){.markets = markets_open(MARKETS, &error)};
    desk->book = rate_book_open(RATES, desk->markets, &error);
    expect_text(error.text, "");
    if (desk->book == NULL)
        exit(1);
    desk->template.name = SPAN("order_shipped");
    desk->template.category = TEMPLATE_UTILITY;
    phone_read(SPAN("+33612345678"), &desk->phone);
    desk->input = (struct quote_input){
        .markets = desk->markets,
        .card = rate_book_card(desk->book, "USD"),
        .zone = zone_utc(),
        .phone = &desk->phone,
        .template = &desk->template,
        .account = SPAN("fr"),
        .now_ms = NOV_23_MS,
    };
}

static void
close_desk(struct desk *desk)
{
    rate_book_close(desk->book);
    zone_table_close(&desk->zones);
    markets_close(desk->markets);
}

static void
quotes_by_country_and_category(void)
{
    static const struct {
        const char *to;
        enum template_category category;
        const char *cell;
        uint64_t millionths;
    } cases[] = {
        {"+33612345678", TEMPLATE_UTILITY, "fr|FR|France|utility|order_shipped|2018", 30000},
        {"+4915123456789", TEMPLATE_UTILITY, "fr|DE|Germany|utility|order_shipped|2018", 55000},
        {"+573211234567", TEMPLATE_UTILITY, "fr|CO|Colombia|utility|order_shipped|2018", 800},
        {"+541123456789", TEMPLATE_AUTHENTICATION,
         "fr|AR|Argentina|authentication|order_shipped|2018", 26000},
        {"+8801812345678", TEMPLATE_MARKETING, "fr|BD|Bangladesh|marketing|order_shipped|2018",
         73200},
        {"+14165550123", TEMPLATE_UTILITY, "fr|CA|North America|utility|order_shipped|2018", 0},
        {"+262692123456", TEMPLATE_UTILITY, "fr|RE|Other|utility|order_shipped|2018", 0},
        {"+33012345678", TEMPLATE_UTILITY, "fr|FR|France|utility|order_shipped|2018", 30000},
        {"5215512345678", TEMPLATE_UTILITY, "fr|MX|Mexico|utility|order_shipped|2018", 0},
    };
    struct desk desk;
    open_desk(&desk);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct quote quote;
        memset(&quote, 0xee, sizeof(quote));
        phone_read(span_of(cases[i].to), &desk.phone);
        desk.template.category = cases[i].category;
        expect(quote_make(&desk.input, &quote));
        expect_text(quote.cell, cases[i].cell);
        expect_u64(quote.cell_size, strlen(cases[i].cell));
        expect_text(quote.day, "2026-11-23");
        expect_text(quote.country, desk.phone.country);
        if (cases[i].millionths != 0)
            expect_u64(quote.millionths, cases[i].millionths);
        uint64_t listed;
        expect(
            rate_card_price(desk.input.card, quote.market, quote.category, "2026-11-23", &listed));
        expect_u64(quote.millionths, listed);
    }
    close_desk(&desk);
}

static void
quotes_scoped_ids(void)
{
    struct desk desk;
    struct quote quote;
    open_desk(&desk);
    expect(phone_read_scoped_id(SPAN("DE.13491208655302741918"), &desk.phone));
    expect(quote_make(&desk.input, &quote));
    expect_text(quote.cell, "fr|DE|Germany|utility|order_shipped|2018");
    expect(phone_read_scoped_id(SPAN("ZZ.1"), &desk.phone));
    expect(quote_make(&desk.input, &quote));
    expect_text(quote.cell, "fr|ZZ|Other|utility|order_shipped|2018");
    close_desk(&desk);
}

/* Day and card change at midnight where the account is billed, in the zone's own time. */
static void
changes_cards_at_midnight(void)
{
    static const struct {
        const char *zone;
        uint64_t midnight_ms; /* when 2026-10-01 begins there */
    } cases[] = {
        {"UTC", 1790812800000},                /* 2026-10-01T00:00:00Z */
        {"Europe/Paris", 1790805600000},       /* 2026-09-30T22:00:00Z */
        {"America/Sao_Paulo", 1790823600000},  /* 2026-10-01T03:00:00Z */
        {"Asia/Kolkata", 1790793000000},       /* 2026-09-30T18:30:00Z */
        {"Pacific/Kiritimati", 1790762400000}, /* 2026-09-30T10:00:00Z */
    };
    struct desk desk;
    struct quote quote;
    struct error_text error = {{0}};
    open_desk(&desk);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        desk.input.zone = zone_table_take(&desk.zones, cases[i].zone, &error);
        desk.input.now_ms = cases[i].midnight_ms;
        expect(quote_make(&desk.input, &quote));
        expect_text(quote.day, "2026-10-01");
        expect_u64(quote.millionths, 30000); /* France, utility, the card of that day */
        desk.input.now_ms--;
        expect(quote_make(&desk.input, &quote));
        expect_text(quote.day, "2026-09-30");
        uint64_t listed;
        expect(rate_card_price(desk.input.card, quote.market, RATE_UTILITY, "2026-04-01", &listed));
        expect_u64(quote.millionths, listed);
    }
    close_desk(&desk);
}

/* The hour that comes twice belongs to one day, and the day to one card. */
static void
keeps_the_day_when_the_clock_changes(void)
{
    static const struct {
        uint64_t now_ms;
        const char *day;
    } cases[] = {
        {1792879199999, "2026-10-24"}, /* 2026-10-24T21:59:59Z, 23:59:59 summer time */
        {1792879200000, "2026-10-25"}, /* the day of 25 hours begins */
        {1792889999000, "2026-10-25"}, /* 02:59:59 for the first time */
        {1792893599000, "2026-10-25"}, /* 02:59:59 for the second time */
        {1792969199999, "2026-10-25"}, /* 2026-10-25T22:59:59Z, 23:59:59 */
        {1792969200000, "2026-10-26"},
    };
    struct desk desk;
    struct quote quote;
    struct error_text error = {{0}};
    open_desk(&desk);
    desk.input.zone = zone_table_take(&desk.zones, "Europe/Paris", &error);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        desk.input.now_ms = cases[i].now_ms;
        expect(quote_make(&desk.input, &quote));
        expect_text(quote.day, cases[i].day);
    }
    close_desk(&desk);
}

/* What has no price is said to have none: no other card's, no other market's. */
static void
names_what_has_no_price(void)
{
    struct desk desk;
    struct quote quote;
    open_desk(&desk);
    desk.input.now_ms = 1767225600000 - 1; /* before 2026-01-01, the first card */
    expect(!quote_make(&desk.input, &quote));
    expect_text(quote.day, "2025-12-31");
    desk.input.now_ms = 1784160000000; /* 2026-07-16: Poland is a market, its card is not here */
    phone_read(SPAN("+48512345678"), &desk.phone);
    expect(!quote_make(&desk.input, &quote));
    expect_text(quote.day, "2026-07-16");
    expect_text(quote.country, "PL");
    expect_span(markets_name(desk.markets, quote.market), SPAN("Poland"));
    expect_u64(quote.category, RATE_UTILITY);
    phone_read(SPAN("+33612345678"), &desk.phone);
    expect(quote_make(&desk.input, &quote));
    desk.input.card = NULL; /* no card in the account's currency */
    expect(!quote_make(&desk.input, &quote));
    close_desk(&desk);
}

/* The longest of everything fits, and what would break the ledger's cells is a belief that fails.
 */
static void
fits_the_longest_cell(void)
{
    struct desk desk;
    struct quote quote;
    char name[TEMPLATE_NAME_MAX];
    memset(name, 'n', sizeof(name));
    open_desk(&desk);
    desk.template.name = (struct span){.data = name, .size = sizeof(name)};
    desk.template.category = TEMPLATE_AUTHENTICATION;
    desk.input.account = SPAN("12345678901234567890123456789012");
    expect(quote_make(&desk.input, &quote));
    expect(quote.cell_size <= QUOTE_CELL_MAX);
    expect_u64(strlen(quote.cell), quote.cell_size);

    desk.input.account = SPAN("a|b");
    expect_abort(quote_make(&desk.input, &quote));
    desk.input.account = SPAN("fr");
    phone_read(SPAN("nonsense"), &desk.phone);
    expect_abort(quote_make(&desk.input, &quote));
    close_desk(&desk);
}

static void
is_fast(void)
{
    enum { ROUNDS = 200000 };
    struct desk desk;
    struct quote quote;
    uint64_t sum = 0;
    open_desk(&desk);
    uint64_t start_us = clock_cpu_us();
    for (uint32_t i = 0; i < ROUNDS; i++) {
        desk.input.now_ms++;
        sum += quote_make(&desk.input, &quote) ? quote.millionths : 0;
    }
    uint64_t took_us = clock_cpu_us() - start_us;
    expect_u64(sum, ROUNDS * quote.millionths);
    printf("%.3f us a quote\n", (double)took_us / ROUNDS);
    expect(took_us < ROUNDS * 10ull);
    close_desk(&desk);
}

int
main(void)
{
    TEST(quotes_by_country_and_category);
    TEST(quotes_scoped_ids);
    TEST(changes_cards_at_midnight);
    TEST(keeps_the_day_when_the_clock_changes);
    TEST(names_what_has_no_price);
    TEST(fits_the_longest_cell);
    TEST(is_fast);
    return test_end();
}
