#include "sender/attempt.h"
#include "tests/unit/sender/fake_worker.h"

static struct fake_worker fake;

/* How an exchange ends. */
struct ending {
    enum h2_end end;
    int status;
    const char *body;
    uint32_t attempts; /* made before this one */
    uint32_t retry_after_s;
    uint64_t retry_at_s;
    uint32_t throttles; /* of its pair, before this one */
};

#define ACCEPTED                                                                                   \
    "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"33612345678\",\"wa_id\":"      \
    "\"33612345678\"}],\"messages\":[{\"id\":\"wamid.ABC=\"}]}"
#define ERROR(code) "{\"error\":{\"message\":\"no\",\"code\":" #code "}}"

static const char *const french[] = {"to",       "+33612345678",
                                     "template", "delivery_confirmation",
                                     "lang",     "fr",
                                     "1",        "Claire",
                                     "2",        "CMD-1042",
                                     "3",        "mardi",
                                     "id",       "x",
                                     NULL};

static struct delivery *
judged(const struct ending *ending)
{
    memset(&fake.worker.pairs, 0, sizeof(fake.worker.pairs)); /* nobody is held up by others */
    struct delivery *delivery = fake_granted(&fake, french, 0);
    struct h2_exchange *exchange = &delivery->exchange.h2;
    delivery->attempts = ending->attempts;
    delivery->throttles = ending->throttles;
    delivery->exchange_memory = &fake.exchange_memory;
    exchange->status = ending->status;
    exchange->complete = ending->end == H2_ANSWERED;
    exchange->retry_after_s = ending->retry_after_s;
    exchange->retry_at_s = ending->retry_at_s;
    buffer_init(&exchange->response, fake.exchange_memory.response, RESPONSE_SIZE);
    buffer_put_text(&exchange->response, ending->body);
    delivery->end = ending->end;
    delivery->state = DELIVERY_JUDGING;
    delivery_run(delivery);
    memset(&fake.exchange_memory, 'x', sizeof(fake.exchange_memory)); /* somebody else's now */
    delivery->exchange_memory = NULL;
    return delivery;
}

static void
expect_later(const struct delivery *delivery, uint32_t attempts, uint64_t from_ms, uint64_t to_ms)
{
    uint64_t now_ms = clock_unix_ms();
    expect(delivery->state == DELIVERY_SETTLING);
    expect_u64(delivery->outcome.action, SETTLE_LATER);
    expect(delivery->outcome.type == NULL);
    expect_u64(delivery->outcome.attempts, attempts);
    uint64_t wait_ms = delivery->outcome.time_ms - now_ms;
    if (wait_ms + 500 < from_ms || wait_ms > to_ms)
        printf("it waits %" PRIu64 " ms, not %" PRIu64 " to %" PRIu64 "\n", wait_ms, from_ms,
               to_ms);
    expect(wait_ms + 500 >= from_ms && wait_ms <= to_ms); /* half a second for a slow machine */
}

static uint64_t
pause_ms(void)
{
    uint64_t now_us = loop_now_us(fake.worker.loop);
    return fake.account.paused_until_us > now_us ? (fake.account.paused_until_us - now_us) / 1000
                                                 : 0;
}

static void
answers_are_judged(void)
{
    static const struct {
        struct ending ending;
        enum settle_action action;
        const char *type;
        uint32_t attempts_after;
    } cases[] = {
        {{H2_ANSWERED, 200, ACCEPTED, 0, 0, 0, 0}, SETTLE_ACCEPT, "accepted", 1},
        {{H2_ANSWERED, 200, ACCEPTED, 2, 0, 0, 0}, SETTLE_ACCEPT, "accepted", 3},
        {{H2_ANSWERED, 200, "{}", 0, 0, 0, 0}, SETTLE_UNCERTAIN, "uncertain", 1},
        {{H2_ANSWERED, 404, "<html>", 0, 0, 0, 0}, SETTLE_UNCERTAIN, "uncertain", 1},
        {{H2_ANSWERED, 502, "<html>bad gateway</html>", 1, 0, 0, 0},
         SETTLE_UNCERTAIN,
         "uncertain",
         2},
        {{H2_ANSWERED, 500, ERROR(131000), 0, 0, 0, 0}, SETTLE_LATER, "", 1},
        {{H2_ANSWERED, 500, ERROR(131000), 1, 0, 0, 0}, SETTLE_LATER, "", 2},
        /* "5s, 30s" are used up */
        {{H2_ANSWERED, 500, ERROR(131000), 2, 0, 0, 0}, SETTLE_DEAD, "dead", 3},
        {{H2_ANSWERED, 429, ERROR(130429), 0, 0, 0, 0}, SETTLE_LATER, "", 0},
        {{H2_ANSWERED, 429, ERROR(130429), 2, 0, 0, 0}, SETTLE_LATER, "", 2},
        {{H2_ANSWERED, 400, ERROR(131056), 1, 0, 0, 0}, SETTLE_LATER, "", 1}, /* the pair's limit */
        {{H2_ANSWERED, 401, ERROR(190), 1, 0, 0, 0}, SETTLE_LATER, "", 1},    /* the token */
        {{H2_ANSWERED, 400, ERROR(131026), 0, 0, 0, 0}, SETTLE_DROP, "failed", 1},
        {{H2_ANSWERED, 400, ERROR(132015), 0, 0, 0, 0}, SETTLE_DEAD, "failed", 1}, /* mendable */
        {{H2_LOST, 0, "", 0, 0, 0, 0}, SETTLE_UNCERTAIN, "uncertain", 1},
        {{H2_LOST, 200, "{\"messages\":[{\"id\":\"wam", 1, 0, 0, 0},
         SETTLE_UNCERTAIN,
         "uncertain",
         2},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int before = test_failures_;
        struct delivery *delivery = judged(&cases[i].ending);
        expect(delivery->state == DELIVERY_SETTLING);
        expect_u64(delivery->outcome.action, cases[i].action);
        expect_text(delivery->outcome.type == NULL ? "" : delivery->outcome.type, cases[i].type);
        expect_u64(delivery->outcome.attempts, cases[i].attempts_after);
        if (test_failures_ != before)
            printf("in case %zu\n", i);
    }
    struct delivery *delivery = judged(&cases[0].ending);
    expect_span(delivery->outcome.wamid, SPAN("wamid.ABC=")); /* in the slot, not in the answer */
    delivery = judged(&cases[12].ending);
    expect(delivery->outcome.reason.size > 0 && delivery->outcome.reason.data[0] != 'x');
}

static void
what_was_not_processed_goes_again_but_not_for_ever(void)
{
    const struct ending ending = {.end = H2_NOT_PROCESSED, .body = "", .attempts = 1};
    struct delivery *delivery = judged(&ending);
    uint32_t again = 0;
    for (; delivery->state == DELIVERY_SENDING && again < 100; again++) {
        expect_u64(fake.account.sending.count, 1);
        expect(delivery->grant == &fake.grant); /* the same grant */
        expect(list_pop(&fake.account.sending) == delivery);
        delivery->end = H2_NOT_PROCESSED;
        delivery->state = DELIVERY_JUDGING;
        delivery_run(delivery);
    }
    expect(again > 0 && again < 10);
    expect_later(delivery, 1, 1000, 1100); /* it costs none */
    expect(span_starts(delivery->outcome.reason, SPAN("not processed")));
    expect_u64(pause_ms(), 1000);
}

/* ---- throttles of the account -----------------------------------------------------------------
 */

static void
a_throttle_is_one_pause_and_the_next_is_longer(void)
{
    const struct ending throttle = {H2_ANSWERED, 429, ERROR(130429), 0, 0, 0, 0};
    (void)judged(&throttle);
    uint64_t first_us = fake.account.paused_until_us;
    expect_u64(first_us - loop_now_us(fake.worker.loop), 1000 * 1000);
    struct delivery *delivery = fake_granted(&fake, french, 0); /* which forgets the pause */
    fake.account.paused_until_us = first_us;
    fake.account.throttles = 1;
    delivery->state = DELIVERY_JUDGING;
    delivery->end = H2_NOT_PROCESSED;
    delivery->refusals = 100;
    delivery_run(delivery);
    expect_u64(fake.account.paused_until_us, first_us); /* of the same storm */
    expect_u64(fake.account.throttles, 1);
    delivery = fake_granted(&fake, french, 0);
    fake.account.throttles = 3;
    delivery->state = DELIVERY_JUDGING;
    delivery->end = H2_NOT_PROCESSED;
    delivery->refusals = 100;
    delivery_run(delivery);
    expect_u64(fake.account.paused_until_us - loop_now_us(fake.worker.loop), 8 * 1000 * 1000);
}

/* Of every code that is a throttle, and of a status alone; a code that is none slows nobody. */
static void
throttles_slow_the_account_and_cost_nothing(void)
{
    static const struct {
        int status;
        const char *body;
        bool slows;
    } cases[] = {{400, ERROR(130429), true},  {400, ERROR(80007), true},
                 {400, ERROR(4), true},       {400, ERROR(131048), true},
                 {429, ERROR(999999), true},  {503, ERROR(999999), true},
                 {503, ERROR(2), true},       {500, ERROR(131000), false},
                 {400, ERROR(131026), false}, {502, ERROR(999999), false}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct ending ending = {H2_ANSWERED, cases[i].status, cases[i].body, 1, 0, 0, 0};
        int before = test_failures_;
        struct delivery *delivery = judged(&ending);
        expect_u64(pause_ms(), cases[i].slows ? 1000 : 0);
        expect_u64(delivery->outcome.attempts, cases[i].slows ? 1 : 2);
        if (test_failures_ != before)
            printf("in case %zu\n", i);
    }
}

/* Nobody knows whether it was sent, but the next one had better wait. */
static void
doubt_under_503_slows_the_account(void)
{
    const struct ending page = {H2_ANSWERED, 503, "<html>503</html>", 0, 5, 0, 0};
    const struct ending gone = {H2_ANSWERED, 502, "<html>502</html>", 0, 5, 0, 0};
    struct delivery *delivery = judged(&page);
    expect_u64(delivery->outcome.action, SETTLE_UNCERTAIN);
    expect_u64(pause_ms(), 5000);
    delivery = judged(&gone);
    expect_u64(delivery->outcome.action, SETTLE_UNCERTAIN);
    expect_u64(pause_ms(), 0);
}

static void
retry_after_is_obeyed_within_reason(void)
{
    const struct ending seconds = {H2_ANSWERED, 429, ERROR(130429), 0, 7, 0, 0};
    const struct ending endless = {H2_ANSWERED, 429, ERROR(130429), 0, UINT32_MAX, 0, 0};
    struct ending date = {H2_ANSWERED, 503, ERROR(2), 0, 0, clock_unix_ms() / 1000 + 90, 0};
    expect_later(judged(&seconds), 0, 7000, 7700);
    expect_u64(pause_ms(), 7000);
    (void)judged(&endless);
    expect_u64(pause_ms(), 3600 * 1000);
    (void)judged(&date);
    expect(pause_ms() > 88 * 1000 && pause_ms() <= 90 * 1000);
    date.retry_at_s = 1000; /* long ago: as if nothing had been asked for */
    (void)judged(&date);
    expect_u64(pause_ms(), 1000);
    /* Of an attempt that costs one: no earlier than asked, and nobody else waits. */
    const struct ending wrong = {H2_ANSWERED, 500, ERROR(131000), 0, 60, 0, 0};
    expect_later(judged(&wrong), 1, 60 * 1000, 60 * 1000);
    expect_u64(pause_ms(), 0);
}

/* ---- schedules --------------------------------------------------------------------------------
 */

static void
each_class_has_its_schedule(void)
{
    struct retries *retries = &fake.settings.attempts.retries;
    const struct retries before = *retries;
    struct error_text error;
    const struct ending wrong = {H2_ANSWERED, 500, ERROR(131000), 0, 0, 0, 0};
    const struct ending unknown = {H2_ANSWERED, 500, ERROR(999999), 0, 0, 0, 0};
    const struct ending paused = {H2_ANSWERED, 400, ERROR(132015), 0, 0, 0, 0};
    const struct ending paused_again = {H2_ANSWERED, 400, ERROR(132015), 1, 0, 0, 0};
    const struct ending no = {H2_ANSWERED, 400, ERROR(131026), 0, 0, 0, 0};
    expect_later(judged(&wrong), 1, 4500, 5500);
    expect(retries_read_classes(retries, SPAN("retry_limited=2m; unknown=none; stop_template=1h"),
                                &error));
    expect_later(judged(&wrong), 1, 108 * 1000, 132 * 1000);
    expect_text(judged(&unknown)->outcome.type, "dead");
    expect_later(judged(&paused), 1, 54 * 60 * 1000, 66 * 60 * 1000);
    struct delivery *delivery = judged(&paused_again);
    expect_text(delivery->outcome.type, "dead");
    expect_u64(delivery->outcome.attempts, 2);
    expect_text(judged(&no)->outcome.type, "failed");
    *retries = before;
}

/* ---- the pair's limit -------------------------------------------------------------------------
 */

static void
the_pair_waits_four_times_as_long_each_time(void)
{
    static const uint64_t seconds[] = {1, 4, 16, 64, 256, 1024, 3600, 3600};
    for (uint32_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        const struct ending pair = {H2_ANSWERED, 400, ERROR(131056), 2, 0, 0, i};
        struct delivery *delivery = judged(&pair);
        expect_later(delivery, 2, seconds[i] * 1000, seconds[i] * 1000);
        expect_u64(delivery->outcome.throttles, i + 1);
        expect_u64(pause_ms(), 0); /* the account goes on */
    }
    const struct ending asked = {H2_ANSWERED, 400, ERROR(131056), 0, 30, 0, 0};
    expect_later(judged(&asked), 0, 30 * 1000, 30 * 1000);
    /* Whatever else comes in between ends the row. */
    const struct ending wrong = {H2_ANSWERED, 500, ERROR(131000), 0, 0, 0, 5};
    expect_u64(judged(&wrong)->outcome.throttles, 0);
}

/* One that comes after it, while the first may be held up. */
static struct delivery *
next_one(const char *to, bool granted)
{
    const char *words[sizeof(french) / sizeof(french[0])];
    uint64_t busy_until_us = fake.worker.pairs.busy_until_us;
    memcpy(words, french, sizeof(french));
    words[1] = to;
    fake.worker.pairs.busy_until_us = 0; /* until it is where it is wanted */
    struct delivery *delivery = fake_granted(&fake, words, 0);
    fake.worker.pairs.busy_until_us = busy_until_us;
    if (!granted) {
        delivery->grant = NULL;
        delivery->state = DELIVERY_GRANTING;
    }
    delivery_run(delivery);
    return delivery;
}

static void
others_to_the_same_recipient_wait_behind_it_and_nobody_else(void)
{
    const struct ending pair = {H2_ANSWERED, 400, ERROR(131056), 0, 0, 0, 2};
    (void)judged(&pair); /* held for 16 s */
    struct delivery *delivery = next_one("+33612345678", false);
    expect_later(delivery, 0, 22 * 1000, 22 * 1000 + 10);
    expect_u64(delivery->outcome.throttles, 0); /* it was not refused itself */
    delivery = next_one("33 6 12 34 56 78", true);
    expect_later(delivery, 0, 28 * 1000, 28 * 1000 + 10);
    expect_later(next_one("+33612345678", true), 0, 34 * 1000, 34 * 1000 + 10);
    delivery = next_one("+33612345679", false);
    expect(delivery->state == DELIVERY_GRANTING);
    expect_u64(fake.account.ready_count, 1);
    delivery = next_one("+33612345679", true);
    expect(delivery->state == DELIVERY_SENDING);
    expect_u64(fake.account.sending.count, 1);
}

/* Once its wait is over the pair goes one at a time; what the peer refused to process is no
 * second one. */
static void
after_the_wait_one_at_a_time(void)
{
    const struct ending pair = {H2_ANSWERED, 400, ERROR(131056), 0, 0, 0, 0};
    uint64_t end_us = clock_monotonic_us() + 5000000;
    (void)judged(&pair); /* held for 1 s */
    uint64_t held_us = loop_now_us(fake.worker.loop) + 1000000;
    while (loop_now_us(fake.worker.loop) < held_us && clock_monotonic_us() < end_us)
        loop_turn(fake.worker.loop, 100000);
    struct delivery *delivery = next_one("+33612345678", true);
    expect(delivery->state == DELIVERY_SENDING);
    expect_u64(fake.account.sending.count, 1);
    expect(list_pop(&fake.account.sending) == delivery);
    delivery->end = H2_NOT_PROCESSED;
    delivery->state = DELIVERY_JUDGING;
    delivery_run(delivery);
    expect(delivery->state == DELIVERY_SENDING);
    expect_u64(fake.account.sending.count, 1);
    expect_later(next_one("+33612345678", true), 0, 6 * 1000, 6 * 1000 + 100);
}

int
main(void)
{
    fake_open(&fake);
    TEST(answers_are_judged);
    TEST(what_was_not_processed_goes_again_but_not_for_ever);
    TEST(a_throttle_is_one_pause_and_the_next_is_longer);
    TEST(throttles_slow_the_account_and_cost_nothing);
    TEST(doubt_under_503_slows_the_account);
    TEST(retry_after_is_obeyed_within_reason);
    TEST(each_class_has_its_schedule);
    TEST(the_pair_waits_four_times_as_long_each_time);
    TEST(others_to_the_same_recipient_wait_behind_it_and_nobody_else);
    TEST(after_the_wait_one_at_a_time);
    fake_close(&fake);
    return test_end();
}
