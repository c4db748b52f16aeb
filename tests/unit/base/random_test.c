#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

/* splitmix64 and xoshiro256** of Blackman and Vigna, with state 1, 2, 3, 4: their own first values.
 */
static void
is_xoshiro(void)
{
    static const uint64_t expected[] = {11520, 0, 1509978240, 1215971899390074240};
    struct random random = {.state = {1, 2, 3, 4}};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        expect_u64(random_next(&random), expected[i]);
}

static void
seeds_through_splitmix(void)
{
    struct random random;
    random_seed(&random, 0);
    expect_u64(random.state[0], 0xe220a8397b1dcdafu);
    expect_u64(random.state[1], 0x6e789e6aa1b965f4u);
    expect_u64(random.state[2], 0x06c45d188009454fu);
    expect_u64(random.state[3], 0xf88bb8a8724c81ecu);
}

static void
a_seed_replays(void)
{
    struct random a;
    struct random b;
    struct random other;
    random_seed(&a, 77);
    random_seed(&b, 77);
    random_seed(&other, 78);
    int same = 0;
    for (int i = 0; i < 1000; i++) {
        uint64_t value = random_next(&a);
        expect_u64(random_next(&b), value);
        same += value == random_next(&other);
    }
    expect_u64(same, 0);
}

static void
below_stays_below_and_is_even(void)
{
    struct random random;
    random_seed(&random, 5);
    uint32_t counts[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t value = random_below(&random, 7);
        expect(value < 7);
        if (value < 7)
            counts[value]++;
    }
    /* 10,000 each, standard deviation 93: five of them. */
    for (int i = 0; i < 7; i++)
        expect(counts[i] > 9535 && counts[i] < 10465);
    for (int i = 0; i < 100; i++) {
        expect_u64(random_below(&random, 1), 0);
        expect(random_below(&random, UINT64_MAX) < UINT64_MAX);
    }
    expect_abort(random_below(&random, 0));
}

static void
unit_and_chance(void)
{
    struct random random;
    random_seed(&random, 9);
    double sum = 0;
    int hits = 0;
    for (int i = 0; i < 100000; i++) {
        double value = random_unit(&random);
        expect(value >= 0 && value < 1);
        sum += value;
        hits += random_chance(&random, 0.02);
        expect(!random_chance(&random, 0));
        expect(random_chance(&random, 1));
    }
    expect(sum > 49500 && sum < 50500);
    expect(hits > 1780 && hits < 2220);
    /* The greatest value that can come out is still below 1. */
    random = (struct random){.state = {0, 0, 0, 0}};
    expect(random_unit(&random) < 1e-300);
}

static void
secrets_differ(void)
{
    unsigned char a[256] = {0};
    unsigned char b[256] = {0};
    random_secret(a, sizeof(a));
    random_secret(b, sizeof(b));
    expect(memcmp(a, b, sizeof(a)) != 0);
    random_secret(a, 0);
    /* Only what was asked for is written. */
    memset(a, 0, sizeof(a));
    random_secret(a, 16);
    size_t set = 0;
    for (size_t i = 16; i < sizeof(a); i++)
        set += a[i] != 0;
    expect_u64(set, 0);
    expect_abort(random_secret(a, 257));
}

int
main(void)
{
    TEST(is_xoshiro);
    TEST(seeds_through_splitmix);
    TEST(a_seed_replays);
    TEST(below_stays_below_and_is_even);
    TEST(unit_and_chance);
    TEST(secrets_differ);
    return test_end();
}
