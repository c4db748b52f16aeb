#include "sender/rules/allowance.h"

#include "tests/unit/test.h"

static void
there_is_no_limit_at_first(void)
{
    struct allowance allowance = {0};
    for (int i = 0; i < 100; i++)
        allowance_grow(&allowance);
    expect_u64(allowance_size(&allowance), UINT32_MAX);
}

static void
a_throttle_leaves_a_few(void)
{
    static const uint32_t cases[] = {0, 1, 2, 3, 600, UINT32_MAX};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct allowance allowance = {0};
        allowance_cut(&allowance, cases[i]);
        expect_u64(allowance_size(&allowance), ALLOWANCE_LEAST);
    }
}

/* Throttles that have nothing to do with how many go do not starve an account. */
static void
what_was_accepted_counts(void)
{
    struct allowance allowance = {0};
    allowance_cut(&allowance, 600);
    for (int i = 0; i < 100; i++)
        allowance_grow(&allowance);
    allowance_cut(&allowance, 101);
    expect_u64(allowance_size(&allowance), 12);
    for (int i = 0; i < 1000; i++)
        allowance_grow(&allowance);
    allowance_cut(&allowance, 30);
    expect_u64(allowance_size(&allowance), 15); /* but no more than half of what was too much */
    allowance_cut(&allowance, 5);
    expect_u64(allowance_size(&allowance), ALLOWANCE_LEAST);
}

/* Each round all that may be under way is accepted. */
static uint32_t
rounds_until(struct allowance *allowance, uint32_t size)
{
    uint32_t rounds = 0;
    for (; allowance_size(allowance) < size && rounds < 100000; rounds++)
        for (uint32_t i = allowance_size(allowance); i > 0; i--)
            allowance_grow(allowance);
    return rounds;
}

static void
it_doubles_up_to_its_goal_and_creeps_from_there(void)
{
    struct allowance allowance = {0};
    allowance_cut(&allowance, 512);
    expect_u64(rounds_until(&allowance, 256), 5);
    expect_u64(allowance_size(&allowance), 256);
    uint32_t rounds = rounds_until(&allowance, 276);
    expect(rounds >= 19 && rounds <= 21);
    expect_u64(rounds_until(&allowance, ALLOWANCE_MOST) < 100000, true);
    for (int i = 0; i < 10; i++)
        allowance_grow(&allowance);
    expect_u64(allowance_size(&allowance), UINT32_MAX); /* no limit again */
}

/* Meta takes so many a second, in answers of 50 ms, and throttles what is more; a pause is a
 * second. What comes back is a small part of what goes. */
static void
it_finds_what_meta_takes(void)
{
    static const uint32_t limits[] = {20, 80, 200, 1000};
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct allowance allowance = {0};
        uint32_t taken = 0;
        uint32_t refused = 0;
        uint64_t now_ms = 0;
        allowance_cut(&allowance, 600); /* the first storm */
        for (uint64_t second = 0; second < 120; second++) {
            uint32_t left = limits[i];
            for (; now_ms / 1000 == second; now_ms += 50) {
                uint32_t size = allowance_size(&allowance);
                uint32_t good = size < left ? size : left;
                left -= good;
                taken += good;
                for (uint32_t k = 0; k < good; k++)
                    allowance_grow(&allowance);
                if (good == size)
                    continue;
                refused += size - good;
                allowance_cut(&allowance, size);
                now_ms += 1000;
            }
        }
        expect(taken > 120 * limits[i] * 2 / 5);
        expect(refused * 3 < taken); /* without it: hundreds each second */
    }
}

int
main(void)
{
    TEST(there_is_no_limit_at_first);
    TEST(a_throttle_leaves_a_few);
    TEST(what_was_accepted_counts);
    TEST(it_doubles_up_to_its_goal_and_creeps_from_there);
    TEST(it_finds_what_meta_takes);
    return test_end();
}
