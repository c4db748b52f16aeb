#include "sender/base/random.h"
#include "sender/base/timers.h"
#include "tests/unit/test.h"

enum { CROWD = 2000, TURNS = 40000 };

struct owner {
    int before; /* so that the timer is not at the owner's start */
    int calls;
    struct timer timer;
    struct owner *stops; /* stopped by this one's call, may be NULL */
    uint64_t again_us;   /* started again by its own call, this much later; 0: not */
};

static struct timers timers;
static uint64_t now_us;
static uint64_t last_due_us; /* the model: calls come in the order in which they are due */

static void
on_due(struct timer *timer)
{
    struct owner *owner = container_of(timer, struct owner, timer);
    expect(!timer_is_started(timer));
    expect(timer->due_us <= now_us);
    expect(timer->due_us >= last_due_us);
    last_due_us = timer->due_us;
    owner->calls++;
    if (owner->stops != NULL)
        timer_stop(&timers, &owner->stops->timer);
    if (owner->again_us != 0)
        timer_start(&timers, timer, now_us + owner->again_us);
}

static void
run(uint64_t at_us)
{
    now_us = at_us;
    last_due_us = 0;
    timers_run(&timers, at_us);
}

static void
calls_what_is_due_and_no_more(void)
{
    struct owner a = {0};
    struct owner b = {0};
    timers_open(&timers, 2);
    timer_init(&a.timer, on_due);
    timer_init(&b.timer, on_due);
    expect_u64(timers_wait_us(&timers, 5), UINT64_MAX);
    timer_start(&timers, &a.timer, 100);
    timer_start(&timers, &b.timer, 50);
    expect(timer_is_started(&a.timer) && timer_is_started(&b.timer));
    expect_u64(timers_wait_us(&timers, 20), 30);
    run(49);
    expect_u64(a.calls + b.calls, 0);
    run(50);
    expect_u64(b.calls, 1);
    expect_u64(a.calls, 0);
    expect_u64(timers_wait_us(&timers, 100), 0);
    expect_u64(timers_wait_us(&timers, 300), 0);
    run(300);
    expect_u64(a.calls, 1);
    expect_u64(timers.count, 0);
    timers_close(&timers);
}

static void
starting_again_moves(void)
{
    struct owner a = {0};
    timers_open(&timers, 1);
    timer_init(&a.timer, on_due);
    timer_start(&timers, &a.timer, 10);
    timer_start(&timers, &a.timer, 99); /* the only place is its own */
    expect_u64(timers.count, 1);
    run(98);
    expect_u64(a.calls, 0);
    run(99);
    expect_u64(a.calls, 1);
    timer_stop(&timers, &a.timer);
    timer_stop(&timers, &a.timer);
    timers_close(&timers);
}

static void
a_call_may_stop_and_start(void)
{
    struct owner first = {0};
    struct owner second = {0};
    timers_open(&timers, 2);
    timer_init(&first.timer, on_due);
    timer_init(&second.timer, on_due);
    first.stops = &second;
    first.again_us = 10;
    timer_start(&timers, &first.timer, 1);
    timer_start(&timers, &second.timer, 2);
    run(5);
    expect_u64(first.calls, 1);
    expect_u64(second.calls, 0);
    expect_u64(timers_wait_us(&timers, 5), 10);
    run(15);
    expect_u64(first.calls, 2);
    timers_close(&timers);
}

static void
broken_beliefs(void)
{
    struct owner owners[3] = {0};
    struct timer unset = {0};
    timers_open(&timers, 2);
    for (size_t i = 0; i < 3; i++)
        timer_init(&owners[i].timer, on_due);
    timer_start(&timers, &owners[0].timer, 1);
    timer_start(&timers, &owners[1].timer, 1);
    expect_abort(timer_start(&timers, &owners[2].timer, 1));
    expect_abort(timer_start(&timers, &unset, 1));
    struct timer copy = owners[0].timer; /* moved while started: its place in the heap is not it */
    expect_abort(timer_stop(&timers, &copy));
    timers_close(&timers);
}

/* ---- a crowd against a plain list --------------------------------------------------------------
 */

static struct owner crowd[CROWD];
static uint64_t wanted_due_us[CROWD]; /* UINT64_MAX: not started */
static int wanted_calls[CROWD];

static uint64_t
model_wait_us(uint64_t at_us)
{
    uint64_t least = UINT64_MAX;
    for (size_t i = 0; i < CROWD; i++)
        if (wanted_due_us[i] < least)
            least = wanted_due_us[i];
    return least == UINT64_MAX ? UINT64_MAX : least <= at_us ? 0 : least - at_us;
}

static void
model_run(uint64_t at_us)
{
    for (size_t i = 0; i < CROWD; i++) {
        if (wanted_due_us[i] > at_us)
            continue;
        wanted_due_us[i] = UINT64_MAX;
        wanted_calls[i]++;
    }
}

static void
compare_with_model(uint64_t at_us)
{
    size_t started = 0;
    for (size_t i = 0; i < CROWD; i++) {
        expect_u64(crowd[i].calls, wanted_calls[i]);
        expect(timer_is_started(&crowd[i].timer) == (wanted_due_us[i] != UINT64_MAX));
        started += wanted_due_us[i] != UINT64_MAX;
    }
    expect_u64(timers.count, started);
    expect_u64(timers_wait_us(&timers, at_us), model_wait_us(at_us));
}

static void
a_crowd_agrees_with_a_list(void)
{
    struct random random;
    random_seed(&random, 20261123);
    timers_open(&timers, CROWD);
    for (size_t i = 0; i < CROWD; i++) {
        timer_init(&crowd[i].timer, on_due);
        wanted_due_us[i] = UINT64_MAX;
    }
    uint64_t at_us = 1000;
    for (int turn = 0; turn < TURNS; turn++) {
        size_t i = random_below(&random, CROWD);
        if (random_chance(&random, 0.7)) {
            /* Many are due at the same instant, some already were. */
            wanted_due_us[i] = at_us - 50 + random_below(&random, 3000);
            timer_start(&timers, &crowd[i].timer, wanted_due_us[i]);
        } else {
            wanted_due_us[i] = UINT64_MAX;
            timer_stop(&timers, &crowd[i].timer);
        }
        if (turn % 100 == 99) {
            at_us += random_below(&random, 300);
            run(at_us);
            model_run(at_us);
            compare_with_model(at_us);
        }
    }
    run(at_us + 10000);
    model_run(at_us + 10000);
    compare_with_model(at_us + 10000);
    expect_u64(timers.count, 0);
    timers_close(&timers);
}

int
main(void)
{
    TEST(calls_what_is_due_and_no_more);
    TEST(starting_again_moves);
    TEST(a_call_may_stop_and_start);
    TEST(broken_beliefs);
    TEST(a_crowd_agrees_with_a_list);
    return test_end();
}
