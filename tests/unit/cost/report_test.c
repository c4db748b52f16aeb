#include "sender/cost/report.h"
#include "sender/base/clock.h"
#include "sender/cost/ledger_field.h"
#include "sender/cost/report_print.h"
#include "tests/unit/test.h"

#include <string.h>

static struct report *
open_by(const char *columns)
{
    struct report_columns by;
    struct error_text error = {{0}};
    if (!report_columns_read(span_of(columns), &by, &error))
        expect_text(error.text, "");
    return report_open(&by);
}

static bool
add(struct report *report, const char *day, const char *field, const char *value)
{
    return report_add(report, span_of(day), span_of(field), span_of(value));
}

/* One cell of the ledger: both its fields. */
static void
add_cell(struct report *report, const char *day, const char *cell, int64_t count,
         int64_t millionths)
{
    char field[256];
    char value[32];
    snprintf(field, sizeof(field), "%s.count", cell);
    snprintf(value, sizeof(value), "%" PRId64, count);
    expect(add(report, day, field, value));
    snprintf(field, sizeof(field), "%s.millionths", cell);
    snprintf(value, sizeof(value), "%" PRId64, millionths);
    expect(add(report, day, field, value));
}

static void
add_sample(struct report *report)
{
    add_cell(report, "2026-11-22", "fr|FR|France|utility|order_shipped|2018#USD", 3, 90000);
    add_cell(report, "2026-11-23", "fr|FR|France|utility|order_shipped|2018#USD", 2, 60000);
    add_cell(report, "2026-11-23", "fr|DE|Germany|utility|order_shipped|2018#USD", 4, 220000);
    add_cell(report, "2026-11-23", "de|DE|Germany|authentication|code|2018#USD", 1, 55000);
    add_cell(report, "2026-11-23", "fr|CI|Rest of Africa|utility|event_ticket|2018#USD", 5, 20001);
    add_cell(report, "2026-11-23", "fr|FR|France|utility|order_shipped|2018#EUR", 1, 25900);
}

enum form { TABLE, JSON, CSV };

/* What would be printed; valid until the next call. */
static const char *
print(const struct report *report, enum form form, const struct report_table *table)
{
    static char *text;
    static size_t size;
    free(text);
    FILE *out = open_memstream(&text, &size);
    if (form == TABLE)
        expect(report_print_table(report, table, out));
    else
        expect(form == JSON ? report_print_json(report, out) : report_print_csv(report, out));
    fclose(out);
    return text;
}

static void
reads_columns(void)
{
    struct report_columns columns;
    struct error_text error = {{0}};
    expect(report_columns_read(SPAN("day, country ,account"), &columns, &error));
    expect_u64(columns.count, 3);
    expect_u64(columns.by[0], REPORT_DAY);
    expect_u64(columns.by[1], REPORT_COUNTRY);
    expect_u64(columns.by[2], REPORT_ACCOUNT);
    expect(report_columns_read(SPAN("country,market,category,template,account,day"), &columns,
                               &error));
    expect_u64(columns.count, 6);
    expect(report_columns_read(SPAN(""), &columns, &error));
    expect_u64(columns.count, 0);
    expect(!report_columns_read(SPAN("country,language"), &columns, &error));
    expect(strstr(error.text, "\"language\" is nothing to group by") != NULL);
    expect(!report_columns_read(SPAN("country,country"), &columns, &error));
    expect(strstr(error.text, "\"country\" is asked for twice") != NULL);
    expect(!report_columns_read(SPAN("country,"), &columns, &error));
    expect(!report_columns_read(SPAN("Country"), &columns, &error));
}

static void
groups_as_asked(void)
{
    static const struct {
        const char *by;
        const char *json;
    } cases[] = {
        {"", "{\"currency\":\"USD\",\"rows\":[{\"count\":15,\"millionths\":445001}],"
             "\"total\":{\"count\":15,\"millionths\":445001}}\n"},
        {"country",
         "{\"currency\":\"USD\",\"rows\":[{\"country\":\"DE\",\"count\":5,\"millionths\":275000},{"
         "\"country\":\"FR\",\"count\":5,\"millionths\":150000},{\"country\":\"CI\",\"count\":5,"
         "\"millionths\":20001}],\"total\":{\"count\":15,\"millionths\":445001}}\n"},
        {"market,category",
         "{\"currency\":\"USD\",\"rows\":[{\"market\":\"Germany\",\"category\":\"utility\","
         "\"count\":4,\"millionths\":220000},{\"market\":\"France\",\"category\":\"utility\","
         "\"count\":5,\"millionths\":150000},{\"market\":\"Germany\",\"category\":"
         "\"authentication\",\"count\":1,\"millionths\":55000},{\"market\":\"Rest of Africa\","
         "\"category\":\"utility\",\"count\":5,\"millionths\":20001}],\"total\":{\"count\":15,"
         "\"millionths\":445001}}\n"},
        {"day,account",
         "{\"currency\":\"USD\",\"rows\":[{\"day\":\"2026-11-23\",\"account\":\"fr\",\"count\":11,"
         "\"millionths\":300001},{\"day\":\"2026-11-22\",\"account\":\"fr\",\"count\":3,"
         "\"millionths\":90000},{\"day\":\"2026-11-23\",\"account\":\"de\",\"count\":1,"
         "\"millionths\":55000}],\"total\":{\"count\":15,\"millionths\":445001}}\n"},
        {"template",
         "{\"currency\":\"USD\",\"rows\":[{\"template\":\"order_shipped\",\"count\":9,"
         "\"millionths\":370000},{\"template\":\"code\",\"count\":1,\"millionths\":55000},{"
         "\"template\":\"event_ticket\",\"count\":5,\"millionths\":20001}],\"total\":{\"count\":15,"
         "\"millionths\":445001}}\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct report *report = open_by(cases[i].by);
        add_sample(report);
        report_choose(report, NULL);
        expect_text(print(report, JSON, NULL), cases[i].json);
        expect_u64(report_malformed(report), 0);
        report_close(report);
    }
    report_close(NULL);
}

static void
keeps_currencies_apart(void)
{
    struct report *report = open_by("country");
    add_sample(report);
    expect_u64(report_currency_count(report), 2);
    expect_text(report_currency_at(report, 0), "EUR");
    expect_text(report_currency_at(report, 1), "USD");
    expect_abort(report_currency_at(report, 2));
    report_choose(report, "EUR");
    expect_text(report_currency(report), "EUR");
    expect_u64(report_row_count(report), 1);
    expect_span(report_row(report, 0)->cells[0], SPAN("FR"));
    expect_u64(report_row(report, 0)->millionths, 25900);
    expect_abort(report_row(report, 1));
    expect_u64(report_total(report).millionths, 25900);
    report_choose(report, "GBP");
    expect_text(print(report, JSON, NULL), "{\"currency\":\"GBP\",\"rows\":[],\"total\":{\"count\":"
                                           "0,\"millionths\":0}}\n");
    report_choose(report, NULL);
    expect_text(report_currency(report), "USD");
    expect_u64(report_row_count(report), 3);
    expect_abort(add(report, "2026-11-23", "x", "1")); /* adding has ended */
    report_close(report);

    struct report *empty = open_by("country,day");
    report_choose(empty, NULL);
    expect_text(print(empty, JSON, NULL), "{\"currency\":\"\",\"rows\":[],\"total\":{\"count\":0,"
                                          "\"millionths\":0}}\n");
    report_choose(empty, "\"<");
    expect_text(print(empty, JSON, NULL),
                "{\"currency\":\"\\\"<\",\"rows\":[],\"total\":{\"count\":"
                "0,\"millionths\":0}}\n");
    report_close(empty);
}

static void
prints_csv(void)
{
    struct report *report = open_by("market,template");
    add_cell(report, "2026-11-23", "fr|XX|A, \"B\"|utility|=cmd()|2018#USD", 2, 3);
    add_cell(report, "2026-11-23", "fr|XX|@x|utility|+1|2018#USD", 1, 2);
    add_cell(report, "2026-11-23", "fr|XX|plain|utility|-1|2018#USD", -1, -55000);
    report_choose(report, NULL);
    expect_text(print(report, CSV, NULL), "market,template,count,millionths,amount,currency\n"
                                          "\"A, \"\"B\"\"\",\"'=cmd()\",2,3,0.000003,USD\n"
                                          "\"'@x\",\"'+1\",1,2,0.000002,USD\n"
                                          "plain,\"'-1\",-1,-55000,-0.0550,USD\n");
    report_close(report);
}

static void
prints_a_table(void)
{
    struct error_text error = {{0}};
    struct markets *markets =
        markets_open(FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv", &error);
    struct report *report = open_by("country");
    struct report_table table = {.markets = markets};
    add_sample(report);
    report_choose(report, NULL);
    expect_text(print(report, TABLE, &table),
                "country           messages       USD    share\n"
                "DE Germany               5  0.2750     61.8 %  ████████████\n"
                "FR France                5  0.1500     33.7 %  ███████\n"
                "CI Côte d'Ivoire         5  0.020001    4.5 %  █\n"
                "total                   15  0.445001\n");
    table.rows_max = 1;
    table.markets = NULL;
    expect_text(print(report, TABLE, &table),
                "country       messages       USD    share\n"
                "DE                   5  0.2750     61.8 %  ████████████\n"
                "2 more              10  0.170001\n"
                "total               15  0.445001\n");
    table.rows_max = 3;
    expect(strstr(print(report, TABLE, &table), "more") == NULL);
    report_close(report);

    report = open_by("");
    add_sample(report);
    report_choose(report, "EUR");
    expect_text(print(report, TABLE, &table), "messages     EUR\n"
                                              "       1  0.0259\n");
    report_choose(report, "GBP");
    expect_text(print(report, TABLE, &table), "messages     GBP\n"
                                              "       0  0.0000\n");
    report_close(report);

    report = open_by("account,day");
    add_cell(report, "2026-11-23", "fr|FR|France|utility|t|2018#USD", 3, 50);
    add_cell(report, "2026-11-24", "fr|FR|France|utility|t|2018#USD", 0, -50); /* a correction */
    report_choose(report, NULL);
    expect_text(print(report, TABLE, &table), "account  day         messages       USD    share\n"
                                              "fr       2026-11-23         3   0.00005\n"
                                              "fr       2026-11-24         0  -0.00005\n"
                                              "total                       3   0.0000\n");
    report_close(report);
    markets_close(markets);
}

static void
counts_what_is_malformed(void)
{
    static const struct {
        const char *day;
        const char *field;
        const char *value;
    } cases[] = {
        {"2026-11-23", "", "1"},
        {"2026-11-23", "fr", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD.", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD.counts", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018.count", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#usd.count", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#US.count", "1"},
        {"2026-11-23", "fr|FR|France|utility|t#USD.count", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018|x#USD.count", "1"},
        {"2026-11-23", "fr|FR|France|utility|t\n|2018#USD.count", "1"},
        {"2026-11-23", "fr|FR|France|utility|\xff|2018#USD.count", "1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD.count", ""},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD.count", "-"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD.count", "1.5"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD.count", "+1"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD.count", "1e3"},
        {"2026-11-23", "fr|FR|France|utility|t|2018#USD.count", "9223372036854775808"},
        {"2026-11-31", "fr|FR|France|utility|t|2018#USD.count", "1"},
        {"", "fr|FR|France|utility|t|2018#USD.count", "1"},
    };
    struct report *report = open_by("country,day");
    size_t count = sizeof(cases) / sizeof(cases[0]);
    expect_text(report_example(report), "");
    for (size_t i = 0; i < count; i++)
        expect(!add(report, cases[i].day, cases[i].field, cases[i].value));
    char long_field[LEDGER_FIELD_MAX + 2];
    memset(long_field, 'x', sizeof(long_field));
    expect(!report_add(report, SPAN("2026-11-23"),
                       (struct span){.data = long_field, .size = sizeof(long_field)}, SPAN("1")));
    expect_u64(report_malformed(report), count + 1);
    expect(add(report, "2026-11-23", "||||| #USD.count", "7"));
    report_choose(report, NULL);
    expect_u64(report_row_count(report), 1);
    expect_u64(report_total(report).count, 7);
    report_close(report);

    report = open_by("");
    expect(!add(report, "2026-11-23", "bad\x1b[31m\xff", "1"));
    expect(!add(report, "2026-11-23", "worse", "1"));
    expect_text(report_example(report), "bad?[31m?");
    report_close(report);
}

/* A sum that would leave 64 bits is refused whole, and said. */
static void
never_overflows(void)
{
    static const char *const field = "fr|FR|France|utility|t|2018#USD.millionths";
    struct report *report = open_by("day");
    expect(add(report, "2026-11-23", field, "9223372036854775807"));
    expect(!add(report, "2026-11-23", field, "1"));
    expect(!add(report, "2026-11-24", field, "1")); /* the row could, the total could not */
    expect(add(report, "2026-11-24", field, "-9223372036854775807"));
    expect(add(report, "2026-11-24", field, "5"));
    expect_u64(report_malformed(report), 2);
    report_choose(report, NULL);
    expect_u64(report_total(report).millionths, 5);
    report_close(report);

    report = open_by("");
    for (int i = 0; i < REPORT_CURRENCIES_MAX + 1; i++) {
        char name[64];
        snprintf(name, sizeof(name), "fr|FR|France|utility|t|2018#A%c%c.count", 'A' + i / 26,
                 'A' + i % 26);
        expect(add(report, "2026-11-23", name, "1") == (i < REPORT_CURRENCIES_MAX));
    }
    report_close(report);
}

/* More rows than the table has room for at first, met in any order. */
static void
grows(void)
{
    enum { ROWS = 20000 };
    struct report *report = open_by("template");
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < ROWS; i++) {
            char cell[128];
            snprintf(cell, sizeof(cell), "fr|FR|France|utility|t%05d|2018#USD.millionths",
                     (int)((uint32_t)i * 7919u % ROWS));
            expect(add(report, "2026-11-23", cell, "10"));
        }
    report_choose(report, NULL);
    expect_u64(report_row_count(report), ROWS);
    expect_u64(report_total(report).millionths, ROWS * 20);
    for (uint32_t i = 0; i < ROWS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "t%05u", i); /* of equal price, by name */
        expect_span(report_row(report, i)->cells[0], span_of(name));
        expect_u64(report_row(report, i)->millionths, 20);
    }
    report_close(report);
}

static void
says_when_it_cannot_write(void)
{
    struct report *report = open_by("country");
    struct report_table table = {.rows_max = 0};
    add_sample(report);
    report_choose(report, NULL);
    FILE *full = fopen("/dev/full", "w");
    expect(!report_print_json(report, full));
    fclose(full);
    full = fopen("/dev/full", "w");
    expect(!report_print_csv(report, full));
    fclose(full);
    full = fopen("/dev/full", "w");
    expect(!report_print_table(report, &table, full));
    fclose(full);
    report_close(report);
}

int
main(void)
{
    TEST(reads_columns);
    TEST(groups_as_asked);
    TEST(keeps_currencies_apart);
    TEST(prints_csv);
    TEST(prints_a_table);
    TEST(counts_what_is_malformed);
    TEST(never_overflows);
    TEST(grows);
    TEST(says_when_it_cannot_write);
    return test_end();
}
