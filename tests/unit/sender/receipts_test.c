#include "sender/receipts.h"
#include "sender/outcome.h"
#include "sender/turns.h"
#include "tests/unit/sender/fake_house.h"

/* HMAC-SHA-256 of "FR.1349" under the fake's secret. */
#define HASHED "e1349fd03f932012de3d218b260eee60902718aa1933e7c833677a7350676149"

static struct fake_house house;
static struct account accounts[2];
static struct claim_hold *hold;
static struct grant_hold *grant;

/* ---- what the fake Redis hears and says --------------------------------------------------------
 */

enum manner { OK, KNOWN, AN_ERROR, ERROR_IF_SEVERAL, NOTHING };

static enum manner manner;
static uint32_t calls;
static uint32_t lines_told;
static char last_lines[8192]; /* of the last call */
static char last_account[64];

static void
on_command(struct fake_redis *redis)
{
    struct buffer lines;
    char head[32];
    check(span_equal(redis->arguments[1], SPAN("facteur_receipt")));
    size_t count = redis->argument_count - 8;
    buffer_init(&lines, last_lines, sizeof(last_lines) - 1);
    for (size_t i = 8; i < redis->argument_count; i++) {
        buffer_put_span(&lines, redis->arguments[i]);
        buffer_put_char(&lines, '\n');
    }
    (void)buffer_text(&lines);
    snprintf(last_account, sizeof(last_account), "%.*s", SPAN_ARG(redis->arguments[3]));
    calls++;
    lines_told += (uint32_t)count;
    if (manner == NOTHING)
        return;
    if (manner == AN_ERROR || (manner == ERROR_IF_SEVERAL && count > 1)) {
        fake_redis_say(redis, "-LOADING it\r\n");
        return;
    }
    snprintf(head, sizeof(head), "*%zu\r\n", count);
    fake_redis_say(redis, head);
    for (size_t i = 0; i < count; i++)
        fake_redis_say(redis, manner == OK ? "$12\r\nok uncertain\r\n" : "$5\r\nknown\r\n");
}

/* ---- deliveries whose settle came too late ------------------------------------------------------
 */

static struct delivery *
late(struct account *account, uint32_t number)
{
    struct worker *worker = &house.fake.worker;
    struct delivery *delivery = slots_take(worker);
    if (hold == NULL || hold->account != account) {
        hold = worker->free_holds;
        worker->free_holds = hold->next;
        worker->holds_free--;
        *hold = (struct claim_hold){.account = account, .name = SPAN("0123456789abcdef.1")};
    }
    if (grant == NULL) {
        grant = worker->free_grants;
        worker->free_grants = grant->next;
        *grant = (struct grant_hold){.name = SPAN("0123456789abcdef.2")};
    }
    snprintf(delivery->name_text, sizeof(delivery->name_text), "1700000000000-%u", number);
    delivery->name = span_of(delivery->name_text);
    delivery->account = account;
    delivery->hold = hold;
    delivery->grant = grant;
    delivery->index = grant->unsettled++;
    delivery->attempts = 1;
    hold->deliveries++;
    worker->granted++;
    account->granted++;
    memcpy(delivery->quote.day, "2026-11-23", 11);
    memcpy(delivery->quote.cell, "fr|FR|France", 12);
    delivery->quote.cell_size = 12;
    delivery->quote.millionths = 75000;
    delivery->notification.recipient = SPAN("FR.1349");
    delivery->state = DELIVERY_JUDGING;
    return delivery;
}

static void
accepted_late(struct account *account, uint32_t number)
{
    struct delivery *delivery = late(account, number);
    (void)outcome_accept(delivery, SPAN("wamid.X"));
    expect(receipts_want(delivery));
    receipts_take(delivery);
}

static void
start(void)
{
    struct receipts *receipts = &house.fake.worker.receipts;
    manner = OK;
    calls = lines_told = 0;
    receipts->after_us = 0;
    receipts->most = RECEIPTS_A_CALL;
    hold = NULL;
    grant = NULL;
    house.fake.sender.counters.accepted = 0;
    house.fake.sender.counters.failed = 0;
}

static void
tell_once(void)
{
    uint32_t before = calls;
    house.fake.worker.receipts.after_us = 0;
    receipts_write(&house.fake.worker);
    TURN_UNTIL(&house, calls == before + 1 && house.fake.worker.receipts.calling_count == 0);
}

static void
expect_clean(void)
{
    expect_u64(house.fake.worker.receipts.waiting.count, 0);
    expect_u64(house.fake.worker.free_deliveries.count, DELIVERIES_MAX);
    expect_u64(house.fake.worker.granted, 0);
    for (int i = 0; i < 2; i++) { /* their claims are to be closed */
        while (accounts[i].finished != NULL) {
            struct claim_hold *finished = accounts[i].finished;
            accounts[i].finished = finished->next;
            finished->next = house.fake.worker.free_holds;
            house.fake.worker.free_holds = finished;
            house.fake.worker.holds_free++;
        }
    }
    expect_u64(house.fake.worker.holds_free, HOLDS_MAX);
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void
only_a_yes_or_a_final_no_is_proof(void)
{
    start();
    struct delivery *delivery = late(&accounts[0], 1);
    (void)outcome_later(delivery, 1, 1, SPAN("throttled"));
    expect(!receipts_want(delivery));
    delivery->state = DELIVERY_JUDGING;
    (void)outcome_uncertain(delivery, 1, SPAN("lost"));
    expect(!receipts_want(delivery));
    delivery->state = DELIVERY_JUDGING;
    (void)outcome_drop(delivery, "expired", SPAN("expires"));
    expect(!receipts_want(delivery));
    delivery->state = DELIVERY_JUDGING;
    (void)outcome_dead(delivery, "dead", false, SPAN("used up")); /* its entry must be kept */
    expect(!receipts_want(delivery));
    delivery->state = DELIVERY_JUDGING;
    (void)outcome_accept(delivery, SPAN("wamid.X"));
    expect(receipts_want(delivery));
    delivery->grant = NULL; /* before any grant nothing left */
    expect(!receipts_want(delivery));
    delivery->grant = grant;
    delivery->state = DELIVERY_JUDGING;
    (void)outcome_drop(delivery, "failed", SPAN("(#131026) no"));
    expect(receipts_want(delivery));
    receipts_take(delivery);
    tell_once();
    expect_text(last_lines,
                "failed\t1700000000000-1\t1\t0123456789abcdef.2\t0\t2026-11-23\tfr|FR|France\tUSD\t"
                "75000\t\t" HASHED "\t(#131026) no\n");
    expect_u64(house.fake.sender.counters.failed, 1);
    expect_clean();
}

static void
what_was_accepted_is_told_with_all_that_explains_it(void)
{
    start();
    accepted_late(&accounts[0], 7);
    accepted_late(&accounts[0], 8);
    tell_once();
    expect_text(last_account, "facteur:{acme}:fr");
    expect_text(last_lines,
                "accepted\t1700000000000-7\t2\t0123456789abcdef.2\t0\t2026-11-23\tfr|FR|France\tUSD"
                "\t75000\twamid.X\t" HASHED "\t\n"
                "accepted\t1700000000000-8\t2\t0123456789abcdef.2\t1\t2026-11-23\tfr|FR|France\tUSD"
                "\t75000\twamid.X\t" HASHED "\t\n");
    expect_u64(house.fake.sender.counters.accepted, 2);
    expect_clean();
    start();
    manner = KNOWN; /* our own settle had done it: it counts once */
    accepted_late(&accounts[0], 9);
    tell_once();
    expect_u64(house.fake.sender.counters.accepted, 0);
    expect_clean();
}

static void
each_account_has_its_own_call(void)
{
    start();
    accepted_late(&accounts[0], 1);
    accepted_late(&accounts[1], 2);
    accepted_late(&accounts[1], 3);
    tell_once();
    expect_text(last_account, "facteur:{acme}:fr");
    expect_u64(lines_told, 1);
    tell_once();
    expect_text(last_account, "facteur:{acme}:de");
    expect_u64(lines_told, 3);
    expect_clean();
}

static void
they_wait_until_redis_has_heard(void)
{
    start();
    for (uint32_t i = 0; i < 3; i++)
        accepted_late(&accounts[0], i);
    manner = NOTHING;
    receipts_write(&house.fake.worker);
    TURN_UNTIL(&house, calls == 1);
    receipts_write(&house.fake.worker); /* one at a time */
    fake_house_reconnect(&house);
    expect_u64(house.fake.worker.receipts.waiting.count, 3);
    manner = AN_ERROR;
    tell_once();
    expect_u64(house.fake.worker.receipts.waiting.count, 3);
    expect(timer_is_started(&house.fake.worker.receipts.timer));
    receipts_write(&house.fake.worker); /* not in every turn */
    expect_u64(house.fake.worker.receipts.calling_count, 0);
    manner = OK;
    tell_once(); /* one, and then the others */
    tell_once();
    expect_u64(lines_told, 3 + 3 + 1 + 2);
    expect_clean();
    timer_stop(loop_timers(house.fake.worker.loop), &house.fake.worker.receipts.timer);
}

/* A call that Redis refuses is made smaller, so that one bad receipt stands alone in the end. */
static void
a_refusal_halves_what_is_told(void)
{
    start();
    for (uint32_t i = 0; i < 16; i++)
        accepted_late(&accounts[0], i);
    manner = ERROR_IF_SEVERAL;
    static const uint32_t sizes[] = {16, 8, 4, 2};
    uint32_t before = 0;
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        tell_once();
        expect_u64(lines_told - before, sizes[i]);
        before = lines_told;
    }
    tell_once();
    expect_u64(lines_told - before, 1);
    expect_u64(house.fake.worker.receipts.waiting.count, 15);
    manner = OK;
    tell_once();
    expect_clean();
    timer_stop(loop_timers(house.fake.worker.loop), &house.fake.worker.receipts.timer);
}

static void
more_than_a_call_holds_go_in_several(void)
{
    start();
    for (uint32_t i = 0; i < RECEIPTS_A_CALL + 10; i++)
        accepted_late(&accounts[0], i);
    tell_once();
    expect_u64(lines_told, RECEIPTS_A_CALL);
    tell_once();
    expect_u64(lines_told, RECEIPTS_A_CALL + 10);
    expect_clean();
}

int
main(void)
{
    static struct account_settings other;
    struct error_text error;
    fake_house_open(&house, on_command);
    struct worker *worker = &house.fake.worker;
    other = house.fake.settings;
    expect(keys_read(SPAN("acme/de"), &other.keys, &error));
    accounts[0] = house.fake.account;
    accounts[1] = house.fake.account;
    accounts[1].settings = &other;
    worker->accounts = accounts;
    worker->account_count = 2;
    turns_open(worker);
    receipts_open(worker);
    TEST(only_a_yes_or_a_final_no_is_proof);
    TEST(what_was_accepted_is_told_with_all_that_explains_it);
    TEST(each_account_has_its_own_call);
    TEST(they_wait_until_redis_has_heard);
    TEST(a_refusal_halves_what_is_told);
    TEST(more_than_a_call_holds_go_in_several);
    receipts_close(worker);
    worker->accounts = &house.fake.account;
    worker->account_count = 1;
    fake_house_close(&house);
    return test_end();
}
