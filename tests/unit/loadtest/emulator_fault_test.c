#include "loadtest/emulator_fault.h"
#include "loadtest/emulator_latency.h"
#include "tests/unit/test.h"

#include <string.h>

enum { ROLLS = 100000 };

static void
roll_all(const struct emulator_faults *faults, uint64_t seed, uint8_t *rolled)
{
    for (uint64_t number = 0; number < ROLLS; number++) {
        struct random dice;
        emulator_dice(&dice, seed, number);
        rolled[number] = (uint8_t)emulator_faults_roll(faults, &dice);
    }
}

static void
same_seed_same_faults(void)
{
    static uint8_t first[ROLLS], again[ROLLS], other[ROLLS];
    struct emulator_faults faults = {0};
    struct error_text error;
    expect(emulator_faults_set(&faults, SPAN("5xx"), SPAN("0.03"), &error));
    expect(emulator_faults_set(&faults, SPAN("cut"), SPAN("0.1"), &error));
    roll_all(&faults, 7, first);
    roll_all(&faults, 7, again);
    roll_all(&faults, 8, other);
    expect(memcmp(first, again, ROLLS) == 0);
    expect(memcmp(first, other, ROLLS) != 0);

    uint64_t counts[EMULATOR_FAULT_KINDS + 1] = {0};
    for (int i = 0; i < ROLLS; i++)
        counts[first[i]]++;
    expect(counts[EMULATOR_FAULT_CUT] > 9500 && counts[EMULATOR_FAULT_CUT] < 10500);
    expect(counts[EMULATOR_FAULT_GRAPH_5XX] > 850 && counts[EMULATOR_FAULT_GRAPH_5XX] < 1150);
    expect(counts[EMULATOR_FAULT_LOST_5XX] > 850 && counts[EMULATOR_FAULT_LOST_5XX] < 1150);
    expect_u64(counts[EMULATOR_FAULT_SLOW], 0);
}

static void
rates_of_nothing_and_of_all(void)
{
    static uint8_t rolled[ROLLS];
    struct emulator_faults faults = {0};
    struct error_text error;
    roll_all(&faults, 1, rolled);
    for (int i = 0; i < ROLLS; i++)
        expect(rolled[i] == EMULATOR_FAULT_NONE);
    expect(emulator_faults_set(&faults, SPAN("goaway"), SPAN("1"), &error));
    roll_all(&faults, 1, rolled);
    for (int i = 0; i < ROLLS; i++)
        expect(rolled[i] == EMULATOR_FAULT_GOAWAY);
}

static bool
same_rates(const struct emulator_faults *a, const struct emulator_faults *b)
{
    for (int i = 0; i < EMULATOR_FAULT_KINDS; i++) {
        if (a->rates[i] < b->rates[i] || a->rates[i] > b->rates[i])
            return false;
    }
    return true;
}

static void
refuses_bad_rates(void)
{
    static const struct {
        struct span name, rate;
    } cases[] = {
        {SPAN("cut"), SPAN("")},     {SPAN("cut"), SPAN("1.5")},  {SPAN("cut"), SPAN("-0.1")},
        {SPAN("cut"), SPAN("nan")},  {SPAN("cut"), SPAN("0.1x")}, {SPAN("cutt"), SPAN("0.1")},
        {SPAN("slow"), SPAN("0.9")}, /* with the half that is cut, more than all */
    };
    struct error_text error;
    struct emulator_faults faults = {0};
    expect(emulator_faults_set(&faults, SPAN("cut"), SPAN("0.5"), &error));
    const struct emulator_faults before = faults;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect(!emulator_faults_set(&faults, cases[i].name, cases[i].rate, &error));
        expect(same_rates(&faults, &before));
    }
    char bad[] = "{\"slow\":0.1,\"nonsense\":0.1}";
    expect(!emulator_faults_read(&faults, span_of(bad), &error));
    expect(same_rates(&faults, &before));
    char broken[] = "{\"slow\":0.1";
    expect(!emulator_faults_read(&faults, span_of(broken), &error));
    char good[] = "{\"slow\":0.25,\"cut\":0}";
    expect(emulator_faults_read(&faults, span_of(good), &error));
    expect(faults.rates[EMULATOR_FAULT_SLOW] == 0.25 && faults.rates[EMULATOR_FAULT_CUT] == 0);
}

static void
reads_latencies(void)
{
    static const struct {
        const char *text;
        bool good;
        enum emulator_latency_kind kind;
        uint64_t low_us, high_us;
    } cases[] = {
        {"0", true, EMULATOR_LATENCY_NONE, 0, 0},
        {"0ms", true, EMULATOR_LATENCY_NONE, 0, 0},
        {"50ms", true, EMULATOR_LATENCY_UNIFORM, 50000, 50000},
        {"25ms-75ms", true, EMULATOR_LATENCY_UNIFORM, 25000, 75000},
        {"0-1.5s", true, EMULATOR_LATENCY_UNIFORM, 0, 1500000},
        {"800us", true, EMULATOR_LATENCY_UNIFORM, 800, 800},
        {"median:350ms", true, EMULATOR_LATENCY_MEDIAN, 350000, 0},
        {"", false, 0, 0, 0},
        {"50", false, 0, 0, 0},
        {"50 ms", false, 0, 0, 0},
        {"-5ms", false, 0, 0, 0},
        {"75ms-25ms", false, 0, 0, 0},
        {"1ms-", false, 0, 0, 0},
        {"61s", false, 0, 0, 0},
        {"median:", false, 0, 0, 0},
        {"average:3ms", false, 0, 0, 0},
        {"0x10ms-1e99s", false, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct emulator_latency latency;
        struct error_text error;
        expect_u64(emulator_latency_read(span_of(cases[i].text), &latency, &error), cases[i].good);
        if (!cases[i].good)
            continue;
        expect_u64(latency.kind, cases[i].kind);
        expect_u64(latency.low_us, cases[i].low_us);
        expect_u64(latency.high_us, cases[i].high_us);
    }
}

static void
draws_latencies(void)
{
    struct random dice;
    struct error_text error;
    struct emulator_latency uniform, median;
    uint64_t below = 0;
    random_seed(&dice, 1);
    expect(emulator_latency_read(SPAN("25ms-75ms"), &uniform, &error));
    expect(emulator_latency_read(SPAN("median:100ms"), &median, &error));
    for (int i = 0; i < ROLLS; i++) {
        uint64_t us = emulator_latency_draw(&uniform, &dice);
        expect(us >= 25000 && us <= 75000);
        us = emulator_latency_draw(&median, &dice);
        expect(us > 5000 && us < 2000000);
        below += us < 100000;
    }
    expect(below > ROLLS * 49 / 100 && below < ROLLS * 51 / 100);
}

int
main(void)
{
    TEST(same_seed_same_faults);
    TEST(rates_of_nothing_and_of_all);
    TEST(refuses_bad_rates);
    TEST(reads_latencies);
    TEST(draws_latencies);
    return test_end();
}
