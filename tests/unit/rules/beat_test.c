#include "sender/rules/beat.h"
#include "tests/unit/test.h"

enum { LEASE = 1000 }; /* any unit */

struct look {
    uint64_t beat;
    uint64_t now;
    bool dead;
};

static void
expect_looks(const struct look *looks, size_t count)
{
    struct beat_watch watch = {0};
    for (size_t i = 0; i < count; i++) {
        bool dead = beat_look(&watch, looks[i].beat, looks[i].now, LEASE);
        if (dead != looks[i].dead)
            printf("look %zu at %" PRIu64 ":\n", i, looks[i].now);
        expect(dead == looks[i].dead);
    }
}

#define EXPECT_LOOKS(...)                                                                          \
    do {                                                                                           \
        static const struct look looks_[] = {__VA_ARGS__};                                         \
        expect_looks(looks_, sizeof(looks_) / sizeof(looks_[0]));                                  \
    } while (0)

static void
stands_still_for_a_lease(void)
{
    EXPECT_LOOKS({7, 0, false}, {7, 250, false}, {7, 500, false}, {7, 750, false}, {7, 999, false},
                 {7, 1000, true});
}

static void
the_first_look_says_nothing(void)
{
    EXPECT_LOOKS({7, 5000000, false}, {7, 5000250, false});
    EXPECT_LOOKS({0, 0, false}, {0, 400, false}, {0, 800, false}, {0, 1200, true});
}

static void
a_beat_starts_it_over(void)
{
    EXPECT_LOOKS({7, 0, false}, {7, 400, false}, {7, 800, false}, {8, 900, false}, {8, 1300, false},
                 {8, 1700, false}, {8, 1899, false}, {8, 1900, true});
    /* A worker that was restored from a backup may count from an earlier number: it lives. */
    EXPECT_LOOKS({7, 0, false}, {7, 900, false}, {3, 1000, false}, {3, 1400, false});
}

static void
a_stop_of_ours_counts_half(void)
{
    /* We stood still for an hour: neither of us beat, and only one of us can know it. */
    EXPECT_LOOKS({7, 0, false}, {7, 250, false}, {7, 3600000, false}, {7, 3600249, false},
                 {7, 3600250, true});
    EXPECT_LOOKS({7, 0, false}, {7, 3600000, false}, {8, 3600001, false});
}

static void
looks_that_are_too_rare_need_two(void)
{
    EXPECT_LOOKS({7, 0, false}, {7, 100000, false}, {7, 200000, true}, {7, 300000, false},
                 {7, 400000, true});
}

static void
it_says_so_once_a_lease(void)
{
    EXPECT_LOOKS({7, 0, false}, {7, 500, false}, {7, 1000, true}, {7, 1001, false},
                 {7, 1500, false}, {7, 2000, true});
}

static void
a_clock_that_goes_back_counts_nothing(void)
{
    EXPECT_LOOKS({7, 10000, false}, {7, 5000, false}, {7, 5500, false}, {7, 6000, true});
}

int
main(void)
{
    TEST(stands_still_for_a_lease);
    TEST(the_first_look_says_nothing);
    TEST(a_beat_starts_it_over);
    TEST(a_stop_of_ours_counts_half);
    TEST(looks_that_are_too_rare_need_two);
    TEST(it_says_so_once_a_lease);
    TEST(a_clock_that_goes_back_counts_nothing);
    return test_end();
}
