#include "loadtest/chaos_plan.h"
#include "tests/unit/test.h"

#include <string.h>

enum { FAULTS = 20000 };

static const struct chaos_plan all = {.seed = 7,
                                      .kinds = (1U << CHAOS_KIND_COUNT) - 1,
                                      .senders = 3,
                                      .lease_ms = 2000,
                                      .request_timeout_ms = 1000};

static bool
same(const struct chaos_fault *a, const struct chaos_fault *b)
{
    return a->kind == b->kind && a->sender == b->sender && a->at_once == b->at_once &&
           a->delay_ms == b->delay_ms && a->length_ms == b->length_ms;
}

static void
a_seed_says_the_same_again(void)
{
    struct chaos_plan other = all;
    uint32_t unlike = 0;
    other.seed++;
    for (uint64_t n = 0; n < 1000; n++) {
        struct chaos_fault first;
        struct chaos_fault again;
        struct chaos_fault others;
        chaos_plan_fault(&all, n, &first);
        chaos_plan_fault(&all, n, &again);
        chaos_plan_fault(&other, n, &others);
        expect(same(&first, &again));
        unlike += !same(&first, &others);
    }
    expect(unlike > 950);
}

static void
every_kind_comes_and_hits_every_sender(void)
{
    uint32_t kinds[CHAOS_KIND_COUNT] = {0};
    uint32_t senders[3] = {0};
    for (uint64_t n = 0; n < FAULTS; n++) {
        struct chaos_fault fault;
        chaos_plan_fault(&all, n, &fault);
        expect(fault.kind < CHAOS_KIND_COUNT && fault.sender < 3);
        kinds[fault.kind]++;
        senders[fault.sender]++;
    }
    for (uint32_t i = 0; i < CHAOS_KIND_COUNT; i++)
        expect(kinds[i] > FAULTS / 100);
    for (uint32_t i = 0; i < 3; i++)
        expect(senders[i] > FAULTS / 4);
    expect(kinds[CHAOS_KILL_SENDER] > kinds[CHAOS_DRIBBLE]);
}

/* What makes a fault what it is: how long it lasts, beside the lease and the time-out. */
static void
each_lasts_as_long_as_it_must(void)
{
    for (uint64_t n = 0; n < FAULTS; n++) {
        struct chaos_fault fault;
        chaos_plan_fault(&all, n, &fault);
        if (fault.kind == CHAOS_STOP_SENDER || fault.kind == CHAOS_KILL_UNREAD)
            expect(fault.length_ms > all.lease_ms);
        if (fault.kind == CHAOS_DOZE_SENDER)
            expect(fault.length_ms < all.lease_ms);
        if (fault.kind == CHAOS_BLACK_HOLE)
            expect(fault.length_ms > all.request_timeout_ms);
        expect(fault.length_ms < 20000 && fault.strength > 0 && fault.strength < 0.5);
    }
}

static void
only_what_was_asked_for_comes(void)
{
    struct chaos_plan plan = all;
    struct error_text error;
    uint32_t seen = 0;
    expect(chaos_read_kinds(SPAN("cut, kill-sender"), &plan.kinds, &error));
    expect_u64(plan.kinds, 1U << CHAOS_CUT | 1U << CHAOS_KILL_SENDER);
    for (uint64_t n = 0; n < 1000; n++) {
        struct chaos_fault fault;
        chaos_plan_fault(&plan, n, &fault);
        seen |= 1U << fault.kind;
    }
    expect_u64(seen, plan.kinds);
}

static void
a_word_that_is_no_kind_is_named(void)
{
    static const char *const texts[] = {"", "kill", "cut,,dribble", "cut kill-sender"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        uint32_t kinds;
        struct error_text error;
        expect(!chaos_read_kinds(span_of(texts[i]), &kinds, &error));
        expect(strstr(error.text, "--help") != NULL);
    }
}

static void
each_kind_has_a_word_and_a_help(void)
{
    for (uint32_t i = 0; i < CHAOS_KIND_COUNT; i++) {
        uint32_t kinds;
        struct error_text error;
        enum chaos_kind kind = (enum chaos_kind)i;
        expect(chaos_read_kinds(span_of(chaos_kind_text(kind)), &kinds, &error));
        expect_u64(kinds, 1U << i);
        expect(strlen(chaos_kind_help(kind)) > 10);
    }
}

int
main(void)
{
    TEST(a_seed_says_the_same_again);
    TEST(every_kind_comes_and_hits_every_sender);
    TEST(each_lasts_as_long_as_it_must);
    TEST(only_what_was_asked_for_comes);
    TEST(a_word_that_is_no_kind_is_named);
    TEST(each_kind_has_a_word_and_a_help);
    return test_end();
}
