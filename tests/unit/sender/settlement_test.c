#include "sender/settlement.h"
#include "sender/outcome.h"
#include "sender/receipts.h"
#include "tests/unit/sender/fake_redis.h"
#include "tests/unit/sender/fake_worker.h"

static struct fake_worker fake;
static struct fake_redis redis;
static struct claim_hold *hold;
static struct grant_hold *grant;

/* ---- what the fake Redis answers ------------------------------------------------------------- */

enum manner { ALL_OK, AN_ERROR, NOTHING, ALREADY, HALF_ALREADY, BAD_ONE };

static enum manner manner;
static char last_holder[QUEUE_HOLDER_SIZE + 1];
static uint64_t last_groups;
static uint32_t settles;
static uint32_t receipts; /* told */
#define KNOWN "$5\r\nknown\r\n"
static size_t largest; /* bytes of one settle's arguments */

static char last[64 * 1024]; /* the last settle's arguments, a newline behind each */

/* Do these stand in it, one behind the other? */
static bool
follows(const char *a, const char *b, const char *c, const char *d, const char *e)
{
    char wanted[256];
    snprintf(wanted, sizeof(wanted), "\n%s\n%s\n%s\n%s\n%s\n", a, b, c, d, e);
    return strstr(last, wanted) != NULL;
}

static bool
names(const char *text)
{
    for (size_t i = 0; i < redis.argument_count; i++)
        if (span_equal(redis.arguments[i], span_of(text)))
            return true;
    return false;
}

static void
on_command(struct fake_redis *of)
{
    if (span_equal(of->arguments[1], SPAN("facteur_receipt"))) {
        receipts += (uint32_t)(of->argument_count - 8);
        fake_redis_say(of, of->argument_count == 13   ? "*5\r\n" KNOWN KNOWN KNOWN KNOWN KNOWN
                           : of->argument_count == 10 ? "*2\r\n" KNOWN KNOWN
                                                      : "-ERR how many?\r\n");
        return;
    }
    check(of->argument_count > 8 && span_equal(of->arguments[1], SPAN("facteur_settle")));
    size_t size = 0;
    for (size_t i = 0; i < of->argument_count; i++)
        size += of->arguments[i].size;
    largest = size > largest ? size : largest;
    struct buffer words;
    buffer_init(&words, last, sizeof(last) - 1);
    for (size_t i = 0; i < of->argument_count && size < sizeof(last) / 2; i++) {
        buffer_put_span(&words, of->arguments[i]);
        buffer_put_char(&words, '\n');
    }
    (void)buffer_text(&words);
    settles++;
    memcpy(last_holder, of->arguments[5].data, QUEUE_HOLDER_SIZE);
    expect(span_to_u64(of->arguments[8], &last_groups));
    if (manner == NOTHING)
        return;
    if (manner == AN_ERROR || (manner == BAD_ONE && names("1700000000000-3"))) {
        fake_redis_say(of, "-FACTEUR no\r\n");
        return;
    }
    char head[32];
    snprintf(head, sizeof(head), "*%" PRIu64 "\r\n", last_groups);
    fake_redis_say(of, head);
    for (uint64_t i = 0; i < last_groups; i++)
        fake_redis_say(of, manner == ALREADY        ? "$7\r\nalready\r\n"
                           : manner == HALF_ALREADY ? "$9\r\nalready 3\r\n"
                                                    : "$2\r\nok\r\n");
}

static void
on_filler(void *context, const struct reply *reply)
{
    (void)context;
    (void)reply;
}

static void
on_ready(void *context)
{
    (void)context;
}

static void
on_lost(void *context, const char *reason)
{
    (void)context;
    (void)reason;
}

/* Turns until the condition, at most two seconds; it is expected then. */
#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        uint64_t end_us_ = clock_monotonic_us() + 2000000;                                         \
        while (!(condition) && clock_monotonic_us() < end_us_)                                     \
            loop_turn(fake.worker.loop, 5000);                                                     \
        expect(condition);                                                                         \
    } while (0)

/* One settle, and its answer. */
static void
settle_once(void)
{
    uint32_t before = settles;
    fake.account.settle_after_us = 0;
    turns_stir(&fake.account);
    settlement_write_all(&fake.worker);
    TURN_UNTIL(settles == before + 1 && !fake.account.settling_now);
}

/* ---- deliveries with an outcome ---------------------------------------------------------------
 */

static void
take_hold(const char *name)
{
    hold = fake.worker.free_holds;
    fake.worker.free_holds = hold->next;
    fake.worker.holds_free--;
    *hold = (struct claim_hold){.account = &fake.account, .source = SOURCE_QUEUE};
    snprintf(hold->name_text, sizeof(hold->name_text), "%s", name);
    hold->name = span_of(hold->name_text);
}

static void
take_grant(const char *name)
{
    grant = fake.worker.free_grants;
    fake.worker.free_grants = grant->next;
    *grant = (struct grant_hold){.source = SOURCE_QUEUE};
    snprintf(grant->name_text, sizeof(grant->name_text), "%s", name);
    grant->name = span_of(grant->name_text);
}

static void
start(void)
{
    manner = ALL_OK;
    settles = 0;
    largest = 0;
    fake.account.settle_refused = false;
    fake.account.settle_most = SETTLE_MEMBERS_MAX;
    take_hold("0123456789abcdef.1");
    grant = NULL; /* taken with its first member, for it goes with its last */
}

/* Everything is where it was before the test. */
static void
expect_clean(void)
{
    expect_u64(fake.worker.free_deliveries.count, DELIVERIES_MAX);
    expect_u64(fake.worker.holds_free, HOLDS_MAX);
    expect_u64(fake.worker.granted, 0);
    expect_u64(fake.account.settling.count, 0);
    expect(fake.account.finished == NULL);
    uint32_t grants = 0;
    for (struct grant_hold *free_one = fake.worker.free_grants; free_one != NULL;
         free_one = free_one->next)
        grants++;
    expect_u64(grants, GRANTS_MAX);
    for (int i = 0; i < SETTLE_CALLS_MAX; i++)
        expect(!fake.worker.settle_calls[i].used);
}

static struct delivery *
member(uint32_t number, bool granted)
{
    struct delivery *delivery = slots_take(&fake.worker);
    snprintf(delivery->name_text, sizeof(delivery->name_text), "1700000000000-%u", number);
    delivery->name = span_of(delivery->name_text);
    delivery->entry_size = (uint32_t)delivery->name.size;
    delivery->account = &fake.account;
    delivery->hold = hold;
    hold->deliveries++;
    delivery->state = DELIVERY_QUOTING;
    memcpy(delivery->quote.day, "2026-11-23", 11);
    memcpy(delivery->quote.cell, "fr|FR|France", 12);
    delivery->quote.cell_size = 12;
    delivery->quote.millionths = 10;
    if (granted) {
        delivery->grant = grant;
        delivery->index = grant->unsettled++;
        fake.account.granted++;
        fake.worker.granted++;
        delivery->state = DELIVERY_JUDGING;
    }
    return delivery;
}

static void
accepted(uint32_t number)
{
    if (grant == NULL)
        take_grant("0123456789abcdef.2");
    struct delivery *delivery = member(number, true);
    (void)outcome_accept(delivery, SPAN("wamid.X"));
    delivery_run(delivery);
}

static void
refuse(uint32_t number)
{
    struct delivery *delivery = member(number, false);
    (void)outcome_refuse(delivery, "to: no");
    delivery_run(delivery);
}

/* What was accepted and cannot be settled any more is proof all the same. */
static void
tell_receipts(uint32_t count)
{
    uint32_t before = receipts;
    expect_u64(fake.worker.receipts.waiting.count, count);
    receipts_write(&fake.worker);
    TURN_UNTIL(fake.worker.receipts.calling_count == 0);
    expect_u64(receipts, before + count);
    expect_u64(fake.worker.receipts.waiting.count, 0);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void
outcomes_of_a_grant_go_together(void)
{
    start();
    for (uint32_t i = 0; i < 20; i++)
        accepted(i);
    for (uint32_t i = 20; i < 23; i++)
        refuse(i);
    settle_once();
    expect_u64(last_groups, 4);
    expect_text(last_holder, "0123456789abcdef");
    expect(!fake.account.settle_refused);
    expect(fake.account.finished == hold); /* its last delivery is settled: named by the next */
    settle_once();
    expect_u64(last_groups, 0);
    expect_clean();
}

static void
a_lost_reply_is_asked_for_again(void)
{
    start();
    for (uint32_t i = 0; i < 5; i++)
        accepted(i);
    manner = NOTHING;
    settlement_write_all(&fake.worker);
    TURN_UNTIL(settles == 1);
    expect(fake.account.settling_now);
    settlement_write_all(&fake.worker); /* one at a time */
    link_reset(redis.link);
    TURN_UNTIL(!redis_client_is_ready(fake.worker.redis));
    expect(!fake.account.settling_now);
    expect_u64(fake.account.settling.count, 5);
    settlement_write_all(&fake.worker); /* no connection: nothing is lost by trying */
    TURN_UNTIL(redis_client_is_ready(fake.worker.redis));
    manner = ALREADY; /* it had been done */
    settle_once();
    expect_u64(last_groups, 1);
    expect_u64(fake.sender.counters.late, 5);
    tell_receipts(5); /* to be sure: it may have been somebody else who settled them */
    fake.sender.counters.late = 0;
    manner = ALL_OK;
    settle_once();
    expect_clean();
}

static void
what_was_settled_before_is_left_out(void)
{
    start();
    for (uint32_t i = 0; i < 5; i++)
        accepted(i);
    manner = HALF_ALREADY; /* members 0 and 1 */
    settle_once();
    expect_u64(fake.account.settling.count, 3);
    tell_receipts(2);
    expect_u64(fake.worker.granted, 3);
    manner = ALL_OK;
    settle_once();
    settle_once();
    expect_clean();
    fake.sender.counters.late = 0;
}

static void
a_refusal_halves_what_is_asked_for(void)
{
    start();
    for (uint32_t i = 0; i < 16; i++)
        refuse(i);
    manner = AN_ERROR;
    settle_once();
    expect_u64(last_groups, 16);
    expect(fake.account.settle_refused);
    expect(fake.account.settle_after_us > loop_now_us(fake.worker.loop));
    settlement_write_all(&fake.worker); /* not before its time */
    expect(!fake.account.settling_now);
    static const uint64_t sizes[] = {8, 4, 2, 1, 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        settle_once();
        expect_u64(last_groups, sizes[i]);
    }
    manner = ALL_OK;
    static const uint64_t grown[] = {1, 2, 4, 8};
    for (size_t i = 0; i < sizeof(grown) / sizeof(grown[0]); i++) {
        settle_once();
        expect_u64(last_groups, grown[i]);
        expect(!fake.account.settle_refused);
    }
    settle_once();
    settle_once();
    expect_clean();
}

/* How often in a row its pair's limit put it off: kept with it, for the next wait. */
static void
what_goes_to_later_keeps_its_throttles(void)
{
    start();
    take_grant("0123456789abcdef.2");
    struct delivery *delivery = member(1, true);
    delivery->throttles = 7;
    (void)outcome_later(delivery, 1700000000777, 2, SPAN("pair limit"));
    delivery_run(delivery);
    settle_once();
    expect_u64(last_groups, 1);
    expect(follows("later", "1700000000777", "2", "pair limit", "7"));
    settle_once();
    expect_clean();
}

/* One outcome that Redis will never take stays; all others are settled. */
static void
a_bad_one_is_left_alone_in_the_end(void)
{
    start();
    for (uint32_t i = 0; i < 64; i++)
        refuse(i);
    manner = BAD_ONE;
    for (int i = 0; i < 40 && fake.account.settling.count > 1; i++)
        settle_once();
    expect_u64(fake.account.settling.count, 1);
    expect_text(fake.account.settling.first->name_text, "1700000000000-3");
    manner = ALL_OK;
    settle_once();
    settle_once();
    expect_clean();
}

/* After a fence: outcomes of the old name are told in the old name, and do not stop the new one's.
 */
static void
each_holder_speaks_for_itself(void)
{
    start();
    struct claim_hold *mine = hold;
    accepted(1);
    refuse(2);
    struct grant_hold *my_grant = grant;
    take_hold("fedcba9876543210.7");
    take_grant("fedcba9876543210.8");
    accepted(3);
    refuse(4);
    hold = mine;
    grant = my_grant;
    refuse(5);
    settle_once();
    expect_text(last_holder, "0123456789abcdef");
    expect(!names("1700000000000-3"));
    settle_once();
    expect_text(last_holder, "fedcba9876543210");
    expect(names("1700000000000-3") && !names("1700000000000-5"));
    expect(!names("0123456789abcdef.1"));
    settle_once();
    expect_text(last_holder, "0123456789abcdef");
    for (int i = 0; i < 4 && fake.account.finished != NULL; i++)
        settle_once();
    expect_clean();
}

static void
hostile_outcomes_wait_for_room(void)
{
    static char name[NOTIFICATION_NAME_MAX + 1];
    start();
    memset(name, 1, NOTIFICATION_NAME_MAX);
    for (uint32_t i = 0; i < SETTLE_MEMBERS_MAX; i++) {
        struct delivery *delivery = member(i, false);
        delivery->notification.template_name = span_of(name);
        delivery->notification.language = span_of(name);
        (void)outcome_refuse(delivery, "%s", name);
        delivery_run(delivery);
    }
    for (int i = 0; i < 20 && fake.account.settling.count > 0; i++)
        settle_once();
    expect(settles > 1);
    expect(largest < REDIS_OUTPUT_SIZE / 2);
    settle_once();
    expect_clean();
}

static void
no_room_in_the_output_is_no_loss(void)
{
    start();
    accepted(1);
    struct session *session = redis_client_session(fake.worker.redis);
    link_pause(redis.link);
    static char filler[1024 * 1024];
    memset(filler, 'f', sizeof(filler));
    const struct span parts[] = {SPAN("SET"), SPAN("x"), {filler, sizeof(filler)}};
    uint32_t fillers = 0;
    while (session_command(session, parts, 3, on_filler, NULL))
        fillers++;
    expect(fillers > 0);
    while (session_room(session) > 100) { /* and the last corner */
        const struct span small[] = {SPAN("PING"), {filler, session_room(session) / 2}};
        if (!session_command(session, small, 2, on_filler, NULL))
            break;
    }
    settlement_write_all(&fake.worker);
    expect(!fake.account.settling_now);
    expect_u64(fake.account.settling.count, 1);
    expect(fake.account.settle_after_us > 0);
    link_reset(redis.link);
    TURN_UNTIL(!redis_client_is_ready(fake.worker.redis));
    TURN_UNTIL(redis_client_is_ready(fake.worker.redis));
    settle_once();
    settle_once();
    expect_clean();
}

int
main(void)
{
    static const struct redis_client_events events = {.on_ready = on_ready, .on_lost = on_lost};
    fake_open(&fake);
    fake_redis_open(&redis, fake.worker.loop);
    redis.on_command = on_command;
    const struct redis_client_settings settings = {.address = &redis.address,
                                                   .output_size = REDIS_OUTPUT_SIZE,
                                                   .arena_size = BATCH_ARENA_SIZE,
                                                   .waiting_max = REDIS_WAITING_MAX,
                                                   .seed = 1};
    struct worker *worker = &fake.worker;
    slots_open(worker);
    worker->scratch_size = OUTCOMES_SIZE;
    worker->scratch = check_alloc(1, worker->scratch_size);
    worker->writing = settlement_memory();
    receipts_open(worker);
    fake.sender.settings.events_keep = 1000;
    fake.sender.settings.dedupe_ttl_ms = 1000;
    worker->redis = redis_client_open(worker->loop, &settings, &events, NULL);
    TURN_UNTIL(redis_client_is_ready(worker->redis));

    TEST(outcomes_of_a_grant_go_together);
    TEST(a_lost_reply_is_asked_for_again);
    TEST(what_was_settled_before_is_left_out);
    TEST(a_refusal_halves_what_is_asked_for);
    TEST(what_goes_to_later_keeps_its_throttles);
    TEST(a_bad_one_is_left_alone_in_the_end);
    TEST(each_holder_speaks_for_itself);
    TEST(hostile_outcomes_wait_for_room);
    TEST(no_room_in_the_output_is_no_loss);

    redis_client_close(worker->redis);
    TURN_UNTIL(redis_client_is_closed(worker->redis));
    redis_client_free(worker->redis);
    fake_redis_close(&redis);
    slots_close(worker);
    free(worker->scratch);
    free(worker->writing);
    fake_close(&fake);
    return test_end();
}
