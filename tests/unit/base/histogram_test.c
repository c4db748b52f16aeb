#include "sender/base/histogram.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

enum { SAMPLES = 20000 };

static struct histogram histogram;
static uint64_t samples[SAMPLES];
static const double shares[] = {0, 0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1};

static int
compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

/* The exact answer: the sample of that rank. */
static uint64_t
exact_at(double share, size_t count)
{
    size_t rank = (size_t)(share * (double)count);
    return samples[rank < count ? rank : count - 1];
}

static void
nothing_is_zero(void)
{
    memset(&histogram, 0, sizeof(histogram));
    expect_u64(histogram_at(&histogram, 0.5), 0);
}

static void
small_values_are_exact(void)
{
    memset(&histogram, 0, sizeof(histogram));
    for (uint64_t value = 0; value < 64; value++)
        histogram_add(&histogram, value);
    for (uint64_t value = 0; value < 64; value++)
        expect_u64(histogram_at(&histogram, (double)value / 64), value);
}

static void
edges_of_the_range(void)
{
    static const uint64_t values[] = {0,  1,    31,         32,         63,        64,
                                      65, 1000, UINT32_MAX, 1ull << 32, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        memset(&histogram, 0, sizeof(histogram));
        histogram_add(&histogram, values[i]);
        /* Alone it is the maximum too, so the bucket's end does not show. */
        expect_u64(histogram_at(&histogram, 0.5), values[i]);
        expect_u64(histogram.max, values[i]);
        histogram_add(&histogram, UINT64_MAX);
        uint64_t at = histogram_at(&histogram, 0);
        expect(at >= values[i] && at - values[i] <= values[i] / 32);
    }
}

/* A share from outside 0..1, as a division by nothing gives, still is an answer. */
static void
shares_outside_are_the_ends(void)
{
    memset(&histogram, 0, sizeof(histogram));
    histogram_add(&histogram, 3);
    histogram_add(&histogram, 9);
    expect_u64(histogram_at(&histogram, -1), 3);
    expect_u64(histogram_at(&histogram, -1e300), 3);
    expect_u64(histogram_at(&histogram, 7), 9);
    expect_u64(histogram_at(&histogram, 1e300), 9);
    expect_u64(histogram_at(&histogram, __builtin_nan("")), 3);
}

static uint64_t
sample_of(struct random *random, int shape)
{
    if (shape == 0)
        return random_below(random, 100000);
    if (shape == 1) /* all sizes alike: as many of two bits as of sixty */
        return random_next(random) >> random_below(random, 60);
    return random_chance(random, 0.99) ? 500 + random_below(random, 50) : 2000000;
}

/* Never less than the exact percentile, and at most 1/32 more. */
static void
percentiles_against_exact_ones(void)
{
    struct random random;
    random_seed(&random, 3);
    for (int shape = 0; shape < 3; shape++) {
        memset(&histogram, 0, sizeof(histogram));
        for (size_t i = 0; i < SAMPLES; i++) {
            samples[i] = sample_of(&random, shape);
            histogram_add(&histogram, samples[i]);
        }
        qsort(samples, SAMPLES, sizeof(samples[0]), compare);
        expect_u64(histogram.count, SAMPLES);
        expect_u64(histogram.max, samples[SAMPLES - 1]);
        for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
            uint64_t exact = exact_at(shares[i], SAMPLES);
            uint64_t got = histogram_at(&histogram, shares[i]);
            expect(got >= exact && got - exact <= exact / 32);
        }
    }
}

static void
merged_is_as_added_to_one(void)
{
    static struct histogram parts[2];
    struct random random;
    random_seed(&random, 4);
    memset(&histogram, 0, sizeof(histogram));
    memset(parts, 0, sizeof(parts));
    for (int i = 0; i < 5000; i++) {
        uint64_t value = sample_of(&random, 1);
        histogram_add(&histogram, value);
        histogram_add(&parts[i % 3 == 0], value);
    }
    histogram_merge(&parts[0], &parts[1]);
    expect(memcmp(&parts[0], &histogram, sizeof(histogram)) == 0);
}

int
main(void)
{
    TEST(nothing_is_zero);
    TEST(small_values_are_exact);
    TEST(edges_of_the_range);
    TEST(shares_outside_are_the_ends);
    TEST(percentiles_against_exact_ones);
    TEST(merged_is_as_added_to_one);
    return test_end();
}
