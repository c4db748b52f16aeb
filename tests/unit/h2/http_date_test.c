#include "sender/h2/http_date.h"
#include "tests/unit/test.h"

#include <string.h>
#include <time.h>

static void
reads_what_servers_write(void)
{
    static const struct {
        const char *text;
        uint64_t unix_s;
    } cases[] = {
        {"Thu, 01 Jan 1970 00:00:00 GMT", 0},
        {"Wed, 21 Oct 2026 07:28:00 GMT", 1792567680},
        {"Tue, 29 Feb 2028 23:59:59 GMT", 1835481599},
        {"Sat, 31 Dec 2016 23:59:60 GMT", 1483228800},
        {"Fri, 31 Dec 9999 23:59:59 GMT", 253402300799},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t unix_s = 1;
        expect(http_date_read(span_of(cases[i].text), &unix_s));
        expect_u64(unix_s, cases[i].unix_s);
    }
}

/* A day in each month of 140 years, against the C library's own reckoning. */
static void
agrees_with_the_calendar(void)
{
    for (uint64_t at = 0; at < 140ull * 366 * 86400; at += 29ull * 86400 + 12345) {
        char text[40];
        struct tm parts;
        time_t seconds = (time_t)at;
        uint64_t unix_s = 1;
        if (gmtime_r(&seconds, &parts) == NULL)
            abort();
        strftime(text, sizeof(text), "%a, %d %b %Y %H:%M:%S GMT", &parts);
        expect(http_date_read(span_of(text), &unix_s));
        expect_u64(unix_s, at);
    }
}

static void
refuses_all_else(void)
{
    static const char *const cases[] = {
        "",
        "120",
        "Wed, 21 Oct 2026 07:28:00",
        "Wed, 21 Oct 2026 07:28:00 UTC",
        "Wed, 21 Oct 2026 07:28:00 GMT ",
        "Wednesday, 21-Oct-26 07:28:00 GMT",
        "Wed Oct 21 07:28:00 2026",
        "Wed, 00 Oct 2026 07:28:00 GMT",
        "Wed, 32 Oct 2026 07:28:00 GMT",
        "Mon, 29 Feb 2027 07:28:00 GMT",
        "Wed, 21 Okt 2026 07:28:00 GMT",
        "Wed, 21 Oct 1969 07:28:00 GMT",
        "Wed, 21 Oct 2026 24:28:00 GMT",
        "Wed, 21 Oct 2026 07:60:00 GMT",
        "Wed, 21 Oct 2026 07:28:61 GMT",
        "Wed, +1 Oct 2026 07:28:00 GMT",
        "We1, 21 Oct 2026 07:28:00 GMT",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t unix_s = 7;
        struct span text = span_of(cases[i]);
        if (http_date_read(text, &unix_s))
            printf("\"%.*s\" was taken for a date\n", SPAN_ARG(text));
        expect(!http_date_read(text, &unix_s));
        expect_u64(unix_s, 7);
    }
}

int
main(void)
{
    TEST(reads_what_servers_write);
    TEST(agrees_with_the_calendar);
    TEST(refuses_all_else);
    return test_end();
}
