#include "sender/cost/quote.h"
#include "sender/base/clock.h"
#include "tests/unit/test.h"

#include <string.h>

static const char *const MARKETS = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv";
static const char *const RATES = FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv";
static const uint64_t NOV_23_MS = 1795435200000; /* 2026-11-23T12:00:00Z */

struct desk {
    struct markets *markets;
    struct rate_card *card;
    struct phone phone;
    struct template template;
    struct quote_input input;
};

static void
open_desk(struct desk *desk)
{
    struct error_text error = {{0}};
    *desk = (struct desk){.markets = markets_open(MARKETS, &error)};
    desk->card = rate_card_open(RATES, "USD", desk->markets, &error);
    expect_text(error.text, "");
    if (desk->card == NULL)
        exit(1);
    desk->template.name = SPAN("order_shipped");
    desk->template.category = TEMPLATE_UTILITY;
    phone_read(SPAN("+33612345678"), &desk->phone);
    desk->input = (struct quote_input){
        .markets = desk->markets,
        .card = desk->card,
        .phone = &desk->phone,
        .template = &desk->template,
        .account = SPAN("fr"),
        .now_ms = NOV_23_MS,
    };
}

static void
close_desk(struct desk *desk)
{
    rate_card_close(desk->card);
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
        expect(rate_card_price(desk.card, quote.market, quote.category, "2026-11-23", &listed));
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

static void
counts_days_in_utc(void)
{
    struct desk desk;
    struct quote quote;
    open_desk(&desk);
    desk.input.now_ms = 1790812800000; /* 2026-10-01T00:00:00.000Z */
    expect(quote_make(&desk.input, &quote));
    expect_text(quote.day, "2026-10-01");
    desk.input.now_ms--; /* no card is in force yet */
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
    TEST(counts_days_in_utc);
    TEST(fits_the_longest_cell);
    TEST(is_fast);
    return test_end();
}
