#include "sender/rules/pace.h"

#include "tests/unit/test.h"

static void
rates_are_read(void)
{
    static const struct {
        const char *text;
        uint64_t count, period_us, burst;
    } cases[] = {
        {"80/s", 80, 1000000, 8},        {"1000/s", 1000, 1000000, 100},
        {"1/6s", 1, 6000000, 1},         {"1/6s,burst=45", 1, 6000000, 45},
        {"10/m", 10, 60000000, 1},       {"3600/h", 3600, 3600000000u, 1},
        {"5/s, burst=2", 5, 1000000, 2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pace pace;
        struct error_text error;
        expect(pace_read(span_of(cases[i].text), &pace, &error));
        expect_u64(pace.count, cases[i].count);
        expect_u64(pace.period_us, cases[i].period_us);
        expect_u64(pace.burst, cases[i].burst);
    }
}

static void
what_is_no_rate_is_refused(void)
{
    static const char *const cases[] = {"",       "80",         "-1/s",       "0/s",
                                        "80/",    "80/x",       "80/0s",      "1.5/s",
                                        "/s",     "80/s,",      "2000000/s",  "80/s,burst=0",
                                        "80 / s", "80/s;burst", "80/s,burst", "1/90000s"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pace pace;
        struct error_text error = {0};
        bool good = pace_read(span_of(cases[i]), &pace, &error);
        if (i == 9) { /* nothing after the comma is no mistake */
            expect(good);
            continue;
        }
        expect(!good);
        expect(error.text[0] != '\0');
    }
}

/* Takes whatever there is every `step_us`, for `length_us`. */
static uint64_t
run_for(struct pace_bucket *bucket, uint64_t start_us, uint64_t length_us, uint64_t step_us)
{
    uint64_t taken = 0;
    for (uint64_t now_us = start_us; now_us < start_us + length_us; now_us += step_us) {
        uint32_t room = pace_room(bucket, now_us);
        pace_take(bucket, room, now_us);
        taken += room;
    }
    return taken;
}

static void
the_rate_is_kept_and_used(void)
{
    static const char *const rates[] = {"80/s", "250/s", "1000/s", "7/s"};
    static const uint64_t steps_us[] = {100, 1000, 7777, 50000};
    static const uint64_t per_s[] = {80, 250, 1000, 7};
    for (size_t i = 0; i < 4; i++) {
        for (size_t k = 0; k < 4; k++) {
            struct pace pace;
            struct error_text error;
            struct pace_bucket bucket;
            expect(pace_read(span_of(rates[i]), &pace, &error));
            pace_bucket_init(&bucket, &pace, 1, 1000000000);
            uint64_t taken = run_for(&bucket, 1000000000, 60000000, steps_us[k]);
            expect(taken <= per_s[i] * 60 + pace.burst);
            /* A full bucket forgets: who looks seldom cannot use all of a small one. */
            if (steps_us[k] * 50 <= pace.burst * 1000000 / per_s[i])
                expect(taken * 100 >= per_s[i] * 60 * 98);
        }
    }
}

static void
workers_share_it(void)
{
    struct pace pace;
    struct error_text error;
    struct pace_bucket bucket;
    expect(pace_read(SPAN("80/s"), &pace, &error));
    pace_bucket_init(&bucket, &pace, 4, 5000000);
    uint64_t taken = run_for(&bucket, 5000000, 10000000, 1000);
    expect(taken >= 196 && taken <= 202);
}

static void
the_next_is_told(void)
{
    struct pace pace;
    struct error_text error;
    struct pace_bucket bucket;
    expect(pace_read(SPAN("1/6s"), &pace, &error));
    pace_bucket_init(&bucket, &pace, 1, 100000000);
    expect_u64(pace_room(&bucket, 100000000), 1);
    expect_u64(pace_next_us(&bucket, 1, 100000000), 100000000);
    pace_take(&bucket, 1, 100000000);
    expect_u64(pace_room(&bucket, 100000000), 0);
    expect_u64(pace_next_us(&bucket, 1, 100000000), 106000000);
    expect_u64(pace_room(&bucket, 105999999), 0);
    expect_u64(pace_room(&bucket, 106000000), 1);
}

static void
no_pace_is_no_limit(void)
{
    struct pace none = {0};
    struct pace_bucket bucket;
    pace_bucket_init(&bucket, &none, 2, 1);
    expect_u64(pace_room(&bucket, 1), UINT32_MAX);
    pace_take(&bucket, 1000, 1);
    expect_u64(pace_room(&bucket, 1), UINT32_MAX);
}

static void
waits_are_as_long_as_the_pace_says(void)
{
    static const struct {
        const char *text;
        uint32_t count;
        uint64_t wait_us;
    } cases[] = {
        {"80/s", 0, 0},
        {"80/s", 80, 1000000},
        {"10/m", 16, 96000000},
        {"1/6s", 1, 6000000},
        {"1/6s,burst=45", 45, 270000000},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pace pace;
        struct error_text error;
        struct pace_bucket bucket;
        uint64_t now_us = 1000000000000;
        expect(pace_read(span_of(cases[i].text), &pace, &error));
        pace_bucket_init(&bucket, &pace, 1, now_us);
        pace_take(&bucket, (uint32_t)pace.burst, now_us); /* empty */
        expect_u64(pace_wait_us(&bucket, cases[i].count, now_us), cases[i].wait_us);
    }
    const struct pace_bucket unlimited = {0};
    expect_u64(pace_wait_us(&unlimited, 1000000, 1), 0);
}

int
main(void)
{
    TEST(rates_are_read);
    TEST(what_is_no_rate_is_refused);
    TEST(the_rate_is_kept_and_used);
    TEST(workers_share_it);
    TEST(the_next_is_told);
    TEST(no_pace_is_no_limit);
    TEST(waits_are_as_long_as_the_pace_says);
    return test_end();
}
