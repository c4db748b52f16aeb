#include "sender/rules/pairs.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

enum { SECOND_US = 1000 * 1000 };

static struct pairs pairs;
static const uint64_t start_us = 1000ull * SECOND_US;

static void
forget_all(void)
{
    memset(&pairs, 0, sizeof(pairs));
}

static void
who_was_never_refused_is_not_held_up(void)
{
    forget_all();
    expect(!pairs_are_busy(&pairs, start_us));
    for (int i = 0; i < 50; i++) {
        expect_u64(pairs_wait_us(&pairs, 7, start_us), 0);
        pairs_note_sent(&pairs, 7, start_us);
    }
    expect(!pairs_are_busy(&pairs, start_us));
}

static void
a_refused_pair_waits_and_nobody_else(void)
{
    forget_all();
    pairs_throttle(&pairs, 7, 4 * SECOND_US, start_us);
    expect(pairs_are_busy(&pairs, start_us));
    for (uint64_t other = 0; other < 2000; other++)
        if (other != 7)
            expect_u64(pairs_wait_us(&pairs, other, start_us), 0);
    expect(pairs_wait_us(&pairs, 7, start_us + 4 * SECOND_US - 1) > 0);
    expect_u64(pairs_wait_us(&pairs, 7, start_us + 4 * SECOND_US), 0);
}

static void
those_put_off_get_slots_six_seconds_apart(void)
{
    forget_all();
    pairs_throttle(&pairs, 7, 1 * SECOND_US, start_us);
    for (uint64_t i = 1; i <= 20; i++)
        expect_u64(pairs_wait_us(&pairs, 7, start_us), (1 + 6 * i) * SECOND_US);
    /* A longer wait moves the slots that are to come, not those given. */
    pairs_throttle(&pairs, 7, 200 * SECOND_US, start_us);
    expect_u64(pairs_wait_us(&pairs, 7, start_us), 206 * SECOND_US);
    /* A shorter one changes nothing. */
    pairs_throttle(&pairs, 7, SECOND_US, start_us);
    expect_u64(pairs_wait_us(&pairs, 7, start_us), 212 * SECOND_US);
}

/* Twenty that come back all at once do not go all at once: they would all be refused again. */
static void
after_a_refusal_one_at_a_time(void)
{
    uint64_t now_us = start_us + SECOND_US;
    uint32_t sent = 0;
    forget_all();
    pairs_throttle(&pairs, 7, SECOND_US, start_us);
    for (int i = 0; i < 20; i++) {
        if (pairs_wait_us(&pairs, 7, now_us) > 0)
            continue;
        pairs_note_sent(&pairs, 7, now_us);
        sent++;
    }
    expect_u64(sent, 1);
    /* Who was put off comes back at its slot, and may be a little late. */
    for (uint64_t slot = 1; slot <= 19; slot++) {
        now_us = start_us + (6 + 6 * slot) * SECOND_US + slot % 3 * 300000;
        expect_u64(pairs_wait_us(&pairs, 7, now_us), 0);
        pairs_note_sent(&pairs, 7, now_us);
        expect(pairs_wait_us(&pairs, 7, now_us + SECOND_US) > 0);
    }
}

/* The one that tries after its wait, and is refused again, waits by Meta's rule alone. */
static void
a_second_refusal_counts_from_itself(void)
{
    uint64_t now_us = start_us + SECOND_US;
    forget_all();
    pairs_throttle(&pairs, 7, SECOND_US, start_us);
    expect_u64(pairs_wait_us(&pairs, 7, now_us), 0);
    pairs_note_sent(&pairs, 7, now_us);
    expect_u64(pairs_wait_us(&pairs, 7, now_us), 6 * SECOND_US); /* another one, meanwhile */
    pairs_throttle(&pairs, 7, 4 * SECOND_US, now_us);
    now_us += 4 * SECOND_US;
    expect(pairs_wait_us(&pairs, 7, now_us - 1) > 0);
    expect_u64(pairs_wait_us(&pairs, 7, now_us), 0);
}

static void
what_was_still_for_a_while_is_forgotten(void)
{
    forget_all();
    pairs_throttle(&pairs, 7, SECOND_US, start_us);
    uint64_t later_us = start_us + 32 * SECOND_US;
    expect(!pairs_are_busy(&pairs, later_us));
    pairs_throttle(&pairs, 8, SECOND_US, later_us); /* busy with another one */
    for (int i = 0; i < 10; i++) {
        expect_u64(pairs_wait_us(&pairs, 7, later_us), 0);
        pairs_note_sent(&pairs, 7, later_us);
    }
}

/* More pairs than there are places: none is mistaken for another, and the longest waits stay. */
static void
a_storm_of_pairs_is_bounded(void)
{
    struct random random;
    uint32_t held = 0;
    uint32_t long_held = 0;
    static uint64_t keys[4 * PAIRS_MAX];
    forget_all();
    random_seed(&random, 1);
    for (size_t i = 0; i < 4 * PAIRS_MAX; i++) {
        keys[i] = random_next(&random);
        pairs_throttle(&pairs, keys[i], i % 64 == 0 ? 3600ull * SECOND_US : SECOND_US, start_us);
    }
    for (size_t i = 0; i < 4 * PAIRS_MAX; i++) {
        uint64_t wait_us = pairs_wait_us(&pairs, keys[i], start_us);
        held += wait_us > 0;
        long_held += wait_us > 3600ull * SECOND_US;
        expect_u64(pairs_wait_us(&pairs, keys[i] ^ 1, start_us), 0);
    }
    expect(held > PAIRS_MAX * 9 / 10 && held <= PAIRS_MAX);
    expect(long_held > 4 * PAIRS_MAX / 64 * 9 / 10);
}

int
main(void)
{
    TEST(who_was_never_refused_is_not_held_up);
    TEST(a_refused_pair_waits_and_nobody_else);
    TEST(those_put_off_get_slots_six_seconds_apart);
    TEST(after_a_refusal_one_at_a_time);
    TEST(a_second_refusal_counts_from_itself);
    TEST(what_was_still_for_a_while_is_forgotten);
    TEST(a_storm_of_pairs_is_bounded);
    return test_end();
}
