#include "sender/overdue.h"
#include "tests/unit/sender/fake_house.h"

static struct fake_house house;
static struct account *account;

/* ---- what the fake Redis hears and says --------------------------------------------------------
 */

static char answer[128];  /* "": none */
static bool is_full_once; /* the next call finds more than it can do, the one after it nothing */
static uint32_t calls;
static char said[256];

static void
on_command(struct fake_redis *redis)
{
    struct buffer words;
    check(span_equal(redis->arguments[1], SPAN("facteur_overdue")));
    buffer_init(&words, said, sizeof(said) - 1);
    for (size_t i = 5; i < redis->argument_count; i++) {
        buffer_put_text(&words, i == 5 ? "" : " ");
        buffer_put_span(&words, redis->arguments[i]);
    }
    (void)buffer_text(&words);
    calls++;
    fake_redis_say(redis, answer);
    if (is_full_once)
        snprintf(answer, sizeof(answer), "*5\r\n$2\r\nok\r\n:0\r\n:0\r\n:0\r\n:-1\r\n");
    is_full_once = false;
}

/* Its answer to the next calls; `until_ms` from now on, or -1. */
static void
will_do(uint32_t parked, uint32_t dropped, uint32_t resent, int64_t until_ms)
{
    int64_t until = until_ms < 0 ? -1 : (int64_t)clock_unix_ms() + until_ms;
    snprintf(answer, sizeof(answer), "*5\r\n$2\r\nok\r\n:%u\r\n:%u\r\n:%u\r\n:%" PRId64 "\r\n",
             parked, dropped, resent, until);
}

static void
look_now(void)
{
    struct worker *worker = &house.fake.worker;
    uint32_t before = calls;
    account->overdue_us = loop_now_us(worker->loop);
    timer_start(loop_timers(worker->loop), &worker->overdue_timer, account->overdue_us);
    TURN_UNTIL(&house, calls == before + 1 && !account->overdue_asking);
}

static uint64_t
next_look_ms(void)
{
    uint64_t now_us = loop_now_us(house.fake.worker.loop);
    expect(timer_is_started(&house.fake.worker.overdue_timer));
    expect_u64(house.fake.worker.overdue_timer.due_us, account->overdue_us);
    return account->overdue_us > now_us ? (account->overdue_us - now_us) / 1000 : 0;
}

static void
expect_next_look(uint64_t ms)
{
    uint64_t next_ms = next_look_ms();
    if (next_ms > ms || next_ms + 500 < ms)
        printf("the next look is in %" PRIu64 " ms, not %" PRIu64 "\n", next_ms, ms);
    expect(next_ms <= ms && next_ms + 500 >= ms); /* half a second for a slow machine */
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void
both_policies_are_told(void)
{
    will_do(0, 0, 0, -1);
    house.fake.settings.attempts.uncertain = UNCERTAIN_PARK;
    house.fake.settings.attempts.uncertain_codes = UNCERTAIN_DROP;
    look_now();
    expect_text(said, "park drop 1000 1000 256");
    house.fake.settings.attempts.uncertain = UNCERTAIN_RESEND;
    house.fake.settings.attempts.uncertain_codes = UNCERTAIN_PARK;
    look_now();
    expect_text(said, "resend park 1000 1000 256");
}

static void
the_next_look_is_when_something_may_be_due(void)
{
    house.fake.sender.settings.uncertain_wait_ms = 600 * 1000;
    will_do(0, 0, 0, -1);
    look_now(); /* nothing is uncertain: the bell will say so */
    expect(!timer_is_started(&house.fake.worker.overdue_timer));
    overdue_wake(account);
    expect(next_look_ms() <= 1000);
    uint64_t next_us = account->overdue_us;
    overdue_wake(account); /* once */
    expect_u64(account->overdue_us, next_us);
    will_do(1, 0, 0, 20 * 1000);
    look_now();
    expect_next_look(20 * 1000);
    will_do(0, 1, 0, 3600 * 1000);
    look_now();
    expect_next_look(60 * 1000);
    will_do(0, 0, 0, 10); /* not more than once a second */
    look_now();
    expect_next_look(1000);
    snprintf(answer, sizeof(answer), "*5\r\n$2\r\nok\r\n:0\r\n:0\r\n:0\r\n:1000\r\n");
    look_now(); /* due long ago, by Redis' clock not yet */
    expect_next_look(1000);
    /* What becomes uncertain a moment later is due after an uncertain_wait. */
    house.fake.sender.settings.uncertain_wait_ms = 5 * 1000;
    will_do(0, 0, 0, 3600 * 1000);
    look_now();
    expect_next_look(5 * 1000);
    house.fake.sender.settings.uncertain_wait_ms = 600 * 1000;
}

/* It rang while a call was under way, which may have been too early to see why. */
static void
what_rings_during_a_call_is_heard(void)
{
    struct worker *worker = &house.fake.worker;
    uint32_t before = calls;
    will_do(0, 0, 0, -1);
    account->overdue_us = loop_now_us(worker->loop);
    timer_start(loop_timers(worker->loop), &worker->overdue_timer, account->overdue_us);
    TURN_UNTIL(&house, account->overdue_asking || calls > before);
    overdue_wake(account);
    TURN_UNTIL(&house, calls == before + 1 && !account->overdue_asking);
    expect(next_look_ms() <= 1000);
}

static void
a_full_call_is_followed_by_another(void)
{
    struct worker *worker = &house.fake.worker;
    uint32_t before = calls;
    will_do(250, 5, 1, 600 * 1000);
    is_full_once = true;
    account->overdue_us = loop_now_us(worker->loop);
    timer_start(loop_timers(worker->loop), &worker->overdue_timer, account->overdue_us);
    TURN_UNTIL(&house, calls == before + 2 && !account->overdue_asking);
    expect(!timer_is_started(&worker->overdue_timer));
}

static void
what_is_sent_again_is_looked_for(void)
{
    account->has_more = false;
    will_do(1, 1, 0, -1);
    look_now();
    expect(!account->has_more);
    will_do(0, 0, 1, -1);
    look_now();
    expect(account->has_more);
}

static void
trouble_is_waited_for(void)
{
    snprintf(answer, sizeof(answer), "-LOADING it\r\n");
    look_now();
    expect_next_look(5 * 1000);
    answer[0] = '\0';
    uint32_t before = calls;
    account->overdue_us = loop_now_us(house.fake.worker.loop);
    timer_start(loop_timers(house.fake.worker.loop), &house.fake.worker.overdue_timer,
                account->overdue_us);
    TURN_UNTIL(&house, calls == before + 1);
    expect(account->overdue_asking);
    fake_house_reconnect(&house);
    expect(!account->overdue_asking);
    expect_next_look(1000);
}

/* Until Redis has been told what it may have forgotten, nothing is made of it. */
static void
a_redis_that_must_be_told_first_is_not_asked(void)
{
    struct worker *worker = &house.fake.worker;
    uint32_t before = calls;
    worker->declaration.wanted = true;
    account->overdue_us = loop_now_us(worker->loop);
    timer_start(loop_timers(worker->loop), &worker->overdue_timer, account->overdue_us);
    TURN_UNTIL(&house, account->overdue_us > loop_now_us(worker->loop));
    expect_u64(calls, before);
    expect_next_look(1000);
    worker->declaration.wanted = false;
}

static void
a_worker_that_leaves_looks_no_more(void)
{
    uint32_t before = calls;
    house.fake.worker.draining = true;
    account->overdue_us = loop_now_us(house.fake.worker.loop);
    timer_start(loop_timers(house.fake.worker.loop), &house.fake.worker.overdue_timer,
                account->overdue_us);
    TURN_UNTIL(&house, !timer_is_started(&house.fake.worker.overdue_timer));
    loop_turn(house.fake.worker.loop, 1000);
    expect_u64(calls, before);
    house.fake.worker.draining = false;
}

static void
one_worker_of_a_process_looks(void)
{
    house.fake.worker.number = 1;
    overdue_open(&house.fake.worker);
    expect(!timer_is_started(&house.fake.worker.overdue_timer));
    house.fake.worker.number = 0;
    overdue_open(&house.fake.worker);
    expect(timer_is_started(&house.fake.worker.overdue_timer));
    overdue_close(&house.fake.worker);
}

int
main(void)
{
    fake_house_open(&house, on_command);
    account = &house.fake.account;
    overdue_open(&house.fake.worker);
    TEST(both_policies_are_told);
    TEST(the_next_look_is_when_something_may_be_due);
    TEST(what_rings_during_a_call_is_heard);
    TEST(a_full_call_is_followed_by_another);
    TEST(what_is_sent_again_is_looked_for);
    TEST(trouble_is_waited_for);
    TEST(a_redis_that_must_be_told_first_is_not_asked);
    TEST(a_worker_that_leaves_looks_no_more);
    TEST(one_worker_of_a_process_looks);
    fake_house_close(&house);
    return test_end();
}
