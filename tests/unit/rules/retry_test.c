#include "sender/rules/retry.h"
#include "tests/unit/test.h"

#include <string.h>

static struct retry_schedule
read_good(const char *text)
{
    struct retry_schedule schedule;
    struct error_text error = {{0}};
    memset(&schedule, 0xee, sizeof(schedule));
    if (!retry_schedule_read(span_of(text), &schedule, &error))
        expect_text(error.text, "");
    return schedule;
}

static void
reads_schedules(void)
{
    struct retry_schedule schedule = read_good("5s, 30s, 2m, 10m*3, 1h*6");
    expect_u64(schedule.count, 12);
    expect_u64(schedule.step_count, 5);
    static const uint64_t waits[] = {5000, 30000, 120000, 600000, 3600000};
    static const uint32_t repeats[] = {1, 1, 1, 3, 6};
    for (size_t i = 0; i < 5; i++) {
        expect_u64(schedule.wait_ms[i], waits[i]);
        expect_u64(schedule.repeat[i], repeats[i]);
    }
    expect_u64(read_good("1ms").wait_ms[0], 1);
    expect_u64(read_good("30d").wait_ms[0], 2592000000u);
    expect_u64(read_good("  7s  *  2 ,1m").count, 3);
    expect_u64(read_good("720h").wait_ms[0], 2592000000u);
    expect_u64(read_good("1s*1000").count, 1000);
    expect_u64(read_good("none").count, 0);
    expect_u64(read_good("1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s").step_count, 16);
}

static void
refuses_and_names_the_part(void)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "\"\" is no wait"},
        {"5s,,1m", "\"\" is no wait"},
        {"5s,", "\"\" is no wait"},
        {"5s, 30, 1m", "\"30\" has no unit"},
        {"5s, 2w", "\"2w\" has a unit that is not known"},
        {"5 s", "\"5 s\" has a unit"},
        {"5S", "\"5S\" has a unit"},
        {"1.5m", "\"1.5m\" has a unit"},
        {"-5s", "\"-5s\" is no wait"},
        {"soon", "\"soon\" is no wait"},
        {"0s", "\"0s\" is no wait: it must be more than 0"},
        {"31d", "\"31d\" is more than 30 days"},
        {"2592000001ms", "is more than 30 days"},
        {"99999999999999999999d", "is more than 30 days"},
        {"5s*0", "\"5s*0\" is not repeated well"},
        {"5s*", "is not repeated well"},
        {"5s*x", "is not repeated well"},
        {"5s*-1", "is not repeated well"},
        {"5s*1001", "is not repeated well"},
        {"5s*2*3", "is not repeated well"},
        {"*3", "\"*3\" is no wait"},
        {"5s;1m", "\"5s;1m\" has a unit"},
        {"1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,1s,9s", "\"9s\" is one step too many"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct retry_schedule schedule;
        struct error_text error = {{0}};
        expect(!retry_schedule_read(span_of(cases[i].text), &schedule, &error));
        if (strstr(error.text, cases[i].words) == NULL)
            expect_text(error.text, cases[i].words);
    }
    struct retry_schedule schedule;
    struct error_text error = {{0}};
    expect(!retry_schedule_read((struct span){0}, &schedule, &error));
}

static void
waits_in_order_then_gives_up(void)
{
    struct retry_schedule schedule = read_good("5s,1m*2,1h");
    static const uint64_t middle[] = {5000, 60000, 60000, 3600000};
    uint64_t wait_ms;
    for (uint32_t attempts = 1; attempts <= 4; attempts++) {
        expect(retry_wait_ms(&schedule, attempts, 0.5, &wait_ms));
        expect_u64(wait_ms, middle[attempts - 1]);
    }
    expect(!retry_wait_ms(&schedule, 5, 0.5, &wait_ms));
    expect(!retry_wait_ms(&schedule, UINT32_MAX, 0.5, &wait_ms));

    struct retry_schedule none = read_good("none");
    expect(!retry_wait_ms(&none, 1, 0, &wait_ms));
}

static void
jitters_by_a_tenth(void)
{
    struct retry_schedule schedule = read_good("10s");
    uint64_t wait_ms;
    expect(retry_wait_ms(&schedule, 1, 0, &wait_ms));
    expect_u64(wait_ms, 9000);
    expect(retry_wait_ms(&schedule, 1, 0.999999999, &wait_ms));
    expect_u64(wait_ms, 11000);
    for (int percent = 0; percent < 100; percent++) {
        expect(retry_wait_ms(&schedule, 1, percent / 100.0, &wait_ms));
        expect(wait_ms >= 9000 && wait_ms <= 11000);
    }
    struct retry_schedule longest = read_good("30d");
    expect(retry_wait_ms(&longest, 1, 0.5, &wait_ms));
    expect_u64(wait_ms, 2592000000u);
}

static void
believes_its_caller(void)
{
    struct retry_schedule schedule = read_good("10s");
    uint64_t wait_ms;
    expect_abort(retry_wait_ms(&schedule, 0, 0.5, &wait_ms));
    expect_abort(retry_wait_ms(&schedule, 1, 1.0, &wait_ms));
    expect_abort(retry_wait_ms(&schedule, 1, -0.1, &wait_ms));
}

static void
a_throttled_account_waits_twice_as_long_each_time(void)
{
    static const uint64_t seconds[] = {1, 2, 4, 8, 16, 32, 64, 64};
    for (uint32_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
        expect_u64(retry_throttle_wait_ms(i), seconds[i] * 1000);
    expect_u64(retry_throttle_wait_ms(UINT32_MAX), 64000);
}

static void
a_pair_waits_four_times_as_long_each_time(void)
{
    static const uint64_t seconds[] = {1, 4, 16, 64, 256, 1024, 3600, 3600};
    for (uint32_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++)
        expect_u64(retry_pair_wait_ms(i), seconds[i] * 1000);
    expect_u64(retry_pair_wait_ms(UINT32_MAX), 3600000);
}

static void
what_a_server_asks_for_is_an_hour_at_most(void)
{
    static const uint64_t now_ms = 1792567680250;
    static const struct {
        uint32_t after_s;
        uint64_t at_s;
        uint64_t wait_ms;
    } cases[] = {
        {0, 0, 0},
        {7, 0, 7000},
        {3600, 0, 3600000},
        {UINT32_MAX, 0, 3600000},
        {0, 1792567680, 0}, /* now, or before */
        {0, 1, 0},
        {0, 1792567681, 750},
        {0, 1792567680 + 60, 59750},
        {0, 1792567680 + 3600, 3599750},
        {0, 1792567680 + 3601, 3600000},
        {0, 253402300799, 3600000},
        {0, UINT64_MAX, 3600000},
        {5, 1792567680 + 60, 5000}, /* a header is one or the other; seconds if it were both */
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_u64(retry_asked_wait_ms(cases[i].after_s, cases[i].at_s, now_ms), cases[i].wait_ms);
}

int
main(void)
{
    TEST(reads_schedules);
    TEST(refuses_and_names_the_part);
    TEST(waits_in_order_then_gives_up);
    TEST(jitters_by_a_tenth);
    TEST(believes_its_caller);
    TEST(a_throttled_account_waits_twice_as_long_each_time);
    TEST(a_pair_waits_four_times_as_long_each_time);
    TEST(what_a_server_asks_for_is_an_hour_at_most);
    return test_end();
}
