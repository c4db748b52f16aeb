#include "sender/cost/money.h"
#include "tests/unit/test.h"

#include <string.h>

static void
reads_exactly(void)
{
    static const struct {
        const char *text;
        uint64_t millionths;
    } cases[] = {
        {"0", 0},          {"0.0", 0},
        {"0.0550", 55000}, {"0.055", 55000},
        {"0.000001", 1},   {"0.1", 100000},
        {"1", 1000000},    {"12.345678", 12345678},
        {"007", 7000000},  {"999999999999.999999", 999999999999999999},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t millionths = 77;
        expect_text(money_error_text(money_read(span_of(cases[i].text), &millionths)),
                    "is a price");
        expect_u64(millionths, cases[i].millionths);
    }
}

static void
refuses_the_rest(void)
{
    static const struct {
        const char *text;
        enum money_error error;
    } cases[] = {
        {"", MONEY_SYNTAX},
        {".5", MONEY_SYNTAX},
        {"1.", MONEY_SYNTAX},
        {"0,055", MONEY_SYNTAX},
        {"1,000.5", MONEY_SYNTAX},
        {"-0.5", MONEY_SYNTAX},
        {"+0.5", MONEY_SYNTAX},
        {"1e-3", MONEY_SYNTAX},
        {"1E3", MONEY_SYNTAX},
        {"0x10", MONEY_SYNTAX},
        {"NaN", MONEY_SYNTAX},
        {"inf", MONEY_SYNTAX},
        {" 1", MONEY_SYNTAX},
        {"1 ", MONEY_SYNTAX},
        {"$1", MONEY_SYNTAX},
        {"0.05.5", MONEY_SYNTAX},
        {"n/a", MONEY_SYNTAX},
        {"0.0000001", MONEY_TOO_FINE},
        {"0.0550000", MONEY_TOO_FINE},
        {"1000000000000", MONEY_TOO_LARGE},
        {"99999999999999999999999999", MONEY_TOO_LARGE},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t millionths = 77;
        expect_text(money_error_text(money_read(span_of(cases[i].text), &millionths)),
                    money_error_text(cases[i].error));
        expect_u64(millionths, 77);
    }
}

static void
writes_at_least_four_decimals(void)
{
    static const struct {
        int64_t millionths;
        const char *text;
    } cases[] = {
        {0, "0.0000"},
        {55000, "0.0550"},
        {55010, "0.05501"},
        {55001, "0.055001"},
        {1, "0.000001"},
        {1000000, "1.0000"},
        {12345678, "12.345678"},
        {-55000, "-0.0550"},
        {-1, "-0.000001"},
        {INT64_MAX, "9223372036854.775807"},
        {INT64_MIN, "-9223372036854.775808"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char memory[40];
        struct buffer text;
        buffer_init(&text, memory, sizeof(memory));
        money_put(&text, cases[i].millionths);
        expect_text(buffer_text(&text), cases[i].text);
    }
}

int
main(void)
{
    TEST(reads_exactly);
    TEST(refuses_the_rest);
    TEST(writes_at_least_four_decimals);
    return test_end();
}
