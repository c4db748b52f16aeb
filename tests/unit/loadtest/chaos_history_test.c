#include "loadtest/chaos_history.h"
#include "tests/unit/test.h"

enum { STEP = CHAOS_SAMPLE_EVERY_US };

static struct chaos_history history;

static void
it_remembers_what_was(void)
{
    chaos_history_forget(&history);
    expect_u64(chaos_history_at(&history, 5), 0);
    chaos_history_note(&history, 1000, 7);
    chaos_history_note(&history, 1000 + STEP - 1, 8); /* too soon */
    chaos_history_note(&history, 1000 + STEP, 9);
    expect_u64(chaos_history_at(&history, 1000), 7);
    expect_u64(chaos_history_at(&history, 1000 + STEP - 1), 7);
    expect_u64(chaos_history_at(&history, 1000 + STEP), 9);
    expect_u64(chaos_history_at(&history, UINT64_MAX), 9);
    expect_u64(chaos_history_at(&history, 3), 7); /* nothing is older */
}

static void
its_ring_goes_round(void)
{
    chaos_history_forget(&history);
    for (uint64_t i = 0; i < 3 * CHAOS_SAMPLES; i++)
        chaos_history_note(&history, i * STEP, i);
    uint64_t last = 3 * CHAOS_SAMPLES - 1;
    for (uint64_t back = 0; back < CHAOS_SAMPLES; back++)
        expect_u64(chaos_history_at(&history, (last - back) * STEP), last - back);
    expect_u64(chaos_history_at(&history, 0), last - CHAOS_SAMPLES + 1);
}

int
main(void)
{
    TEST(it_remembers_what_was);
    TEST(its_ring_goes_round);
    return test_end();
}
