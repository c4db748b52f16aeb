#include "sender/cost/day.h"
#include "tests/unit/test.h"

#include <string.h>
#include <time.h>

static void
names_days(void)
{
    static const struct {
        uint64_t unix_ms;
        const char *day;
    } cases[] = {
        {0, "1970-01-01"},
        {86399999, "1970-01-01"},
        {86400000, "1970-01-02"},
        {951782400000, "2000-02-29"},
        {951868800000, "2000-03-01"},
        {1709164800000, "2024-02-29"},
        {1790812799999, "2026-09-30"},
        {1790812800000, "2026-10-01"},
        {4107542400000, "2100-03-01"},
        {4107456000000, "2100-02-28"},
    };
    char day[DAY_SIZE + 1];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        day_of_unix_ms(cases[i].unix_ms, day);
        expect_text(day, cases[i].day);
    }
}

/* Every day of 500 years, beside the C library's. */
static void
agrees_with_the_c_library(void)
{
    for (uint64_t days = 0; days < 500 * 366; days++) {
        char day[DAY_SIZE + 1];
        char expected[16];
        time_t seconds = (time_t)(days * 86400 + days % 86400);
        struct tm tm;
        gmtime_r(&seconds, &tm);
        strftime(expected, sizeof(expected), "%Y-%m-%d", &tm);
        day_of_unix_ms((uint64_t)seconds * 1000 + 999, day);
        expect(strcmp(day, expected) == 0);
        expect(day_is_valid(span_of(day)));
    }
}

static void
refuses_what_is_no_day(void)
{
    static const char *const bad[] = {
        "",           "2026-10-1",  "2026-13-01", "2026-00-01",  "2026-01-00", "2026-01-32",
        "2026-02-29", "2100-02-29", "2026-04-31", "2026/10/01",  "20261001",   "2026-10-01 ",
        "-026-10-01", "2026-1a-01", "2026-10-0x", "2026-10-011",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect(!day_is_valid(span_of(bad[i])));
    expect(day_is_valid(SPAN("2024-02-29")));
    expect(day_is_valid(SPAN("2000-02-29")));
    expect(day_is_valid(SPAN("2026-12-31")));
}

static void
believes_in_four_digits(void)
{
    char day[DAY_SIZE + 1];
    expect_abort(day_of_unix_ms(UINT64_MAX, day));
}

int
main(void)
{
    TEST(names_days);
    TEST(agrees_with_the_c_library);
    TEST(refuses_what_is_no_day);
    TEST(believes_in_four_digits);
    return test_end();
}
