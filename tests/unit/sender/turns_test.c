#include "sender/turns.h"

#include "sender/claims.h"
#include "sender/exchanges.h"
#include "sender/grants.h"
#include "sender/lease.h"
#include "sender/pause.h"
#include "tests/unit/sender/fake_redis.h"
#include "tests/unit/sender/fake_worker.h"

#include <arpa/inet.h>
#include <sys/socket.h>

enum { MANY = 1000, CONNECTIONS = 4, STREAMS = 100, CALLS_KEPT = 64, ONE_TURN = 64 };

static struct fake_worker fake;
static struct fake_redis redis;
static struct account accounts[MANY];
static struct account_settings settings[MANY];
static struct business businesses[2];
static uint32_t entries;

/* ---- what Redis was asked ---------------------------------------------------------------------
 */

struct asked {
    char account[8];
    char source[8];
    uint64_t members;
};

static struct asked grants[CALLS_KEPT];
static struct asked claims[CALLS_KEPT];
static uint32_t grant_count;
static uint32_t claim_count;

static void
note(struct asked *asked, struct span key, struct span source, struct span members)
{
    struct span base = SPAN("facteur:{acme}:");
    check(span_starts(key, base));
    snprintf(asked->account, sizeof(asked->account), "%.*s", (int)(key.size - base.size),
             key.data + base.size);
    snprintf(asked->source, sizeof(asked->source), "%.*s", SPAN_ARG(source));
    check(span_to_u64(members, &asked->members));
}

/* Every grant is given; a claim finds nothing. */
static void
on_command(struct fake_redis *of)
{
    const struct span *words = of->arguments;
    uint64_t cells;
    if (span_equal(words[1], SPAN("facteur_grant"))) {
        char marks[GRANT_MEMBERS_MAX + 64];
        check(grant_count < CALLS_KEPT && span_to_u64(words[9], &cells));
        struct asked *asked = &grants[grant_count++];
        note(asked, words[3], words[8], words[10 + cells]);
        int size =
            snprintf(marks, sizeof(marks), "*2\r\n$2\r\nok\r\n$%" PRIu64 "\r\n", asked->members);
        memset(marks + size, 'g', asked->members);
        memcpy(marks + size + asked->members, "\r\n", 3);
        fake_redis_say(of, marks);
    } else if (span_equal(words[0], SPAN("HSET"))) { /* that it is throttled */
        fake_redis_say(of, ":2\r\n");
    } else {
        check(span_equal(words[1], SPAN("facteur_claim")) && claim_count < CALLS_KEPT);
        note(&claims[claim_count++], words[3], SPAN(""), words[7]);
        fake_redis_say(of, "*5\r\n$2\r\nok\r\n:1\r\n:-1\r\n$3\r\n0-0\r\n$3\r\n0-0\r\n");
    }
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

#define TURN_UNTIL(condition)                                                                      \
    do {                                                                                           \
        uint64_t end_us_ = clock_monotonic_us() + 2000000;                                         \
        while (!(condition) && clock_monotonic_us() < end_us_)                                     \
            loop_turn(fake.worker.loop, 5000);                                                     \
        expect(condition);                                                                         \
    } while (0)

static bool
calls_are_answered(void)
{
    for (uint32_t i = 0; i < GRANT_CALLS_MAX; i++)
        if (fake.worker.grant_calls[i].used)
            return false;
    return fake.worker.claims_under_way == 0;
}

/* What the end of a worker's turn does with grants and claims, and the answers. */
static void
turn(void)
{
    businesses[0].confirmed_us = loop_now_us(fake.worker.loop);
    grants_ask_ready(&fake.worker);
    claims_ask_more(&fake.worker);
    TURN_UNTIL(calls_are_answered());
}

/* ---- accounts and what arrives for them -------------------------------------------------------
 */

static void
drop_list(struct delivery_list *list)
{
    while (list->count > 0)
        lease_drop(list_pop(list));
}

/* Accounts 0 … count - 1, with nothing to do. */
static void
start(uint32_t count)
{
    struct worker *worker = &fake.worker;
    for (uint32_t i = 0; i < worker->account_count; i++) {
        for (int source = 0; source < SOURCE_COUNT; source++)
            drop_list(&worker->accounts[i].ready[source]);
        drop_list(&worker->accounts[i].sending);
        drop_list(&worker->accounts[i].settling);
        timer_stop(loop_timers(worker->loop), &worker->accounts[i].wake);
    }
    expect_u64(worker->granted, 0);
    expect_u64(worker->free_deliveries.count, DELIVERIES_MAX);
    memset(accounts, 0, sizeof(accounts));
    worker->accounts = accounts;
    worker->account_count = count;
    for (uint32_t i = 0; i < count; i++) {
        accounts[i].settings = &settings[i];
        accounts[i].worker = worker;
    }
    turns_open(worker);
    grant_count = claim_count = 0;
}

/* So many were claimed, and have gone as far as a grant. */
static void
arrive(struct account *account, enum source source, uint32_t count)
{
    static const struct field fields[] = {
        {SPAN("to"), SPAN("+33612345678")}, {SPAN("template"), SPAN("delivery_confirmation")},
        {SPAN("lang"), SPAN("fr")},         {SPAN("1"), SPAN("Claire")},
        {SPAN("2"), SPAN("CMD-1")},         {SPAN("3"), SPAN("mardi")},
    };
    for (uint32_t i = 0; i < count; i++) {
        struct delivery *delivery = slots_take(&fake.worker);
        check(delivery != NULL);
        snprintf(delivery->name_text, sizeof(delivery->name_text), "%" PRIu64 "-%u",
                 clock_unix_ms(), ++entries);
        delivery->name = span_of(delivery->name_text);
        delivery->entry_size = (uint32_t)delivery->name.size;
        delivery->account = account;
        delivery->source = source;
        delivery->hold = &fake.hold;
        fake.hold.deliveries++;
        delivery->batch = &fake.batch;
        fake.batch.pins++;
        delivery->raw_fields = fields;
        delivery->raw_count = sizeof(fields) / sizeof(fields[0]);
        delivery->state = DELIVERY_READING;
        delivery_run(delivery);
    }
}

static bool
is_of(const struct asked *asked, const char *account, uint64_t members)
{
    return strcmp(asked->account, account) == 0 && asked->members == members;
}

/* ---- grants -----------------------------------------------------------------------------------
 */

static void
a_batch_is_all_that_a_newcomer_waits_for(void)
{
    start(2);
    arrive(&accounts[0], SOURCE_QUEUE, 2000);
    arrive(&accounts[1], SOURCE_QUEUE, 1);
    turn();
    expect(is_of(&grants[0], "a0", ONE_TURN));
    expect(is_of(&grants[1], "a1", 1));
    expect_u64(accounts[1].ready_count, 0);
}

static void
alone_an_account_has_large_batches(void)
{
    start(1000);
    arrive(&accounts[7], SOURCE_QUEUE, 2000);
    turn();
    expect(is_of(&grants[0], "a7", GRANT_MEMBERS_MAX));
}

static void
shares_are_equal(void)
{
    start(10);
    uint64_t granted[10] = {0};
    for (int i = 0; i < 10; i++)
        arrive(&accounts[i], SOURCE_QUEUE, 300);
    for (int rounds = 0; rounds < 8; rounds++)
        turn();
    for (uint32_t i = 0; i < grant_count; i++)
        granted[grants[i].account[1] - '0'] += grants[i].members;
    for (int i = 1; i < 10; i++) {
        uint64_t more = granted[i] > granted[0] ? granted[i] - granted[0] : granted[0] - granted[i];
        expect(granted[i] > 0 && more <= ONE_TURN);
    }
}

/* Its answers do not come: what it has under way stays, and yet there is room for others. */
static void
whose_answers_do_not_come_leaves_room(void)
{
    start(3);
    arrive(&accounts[0], SOURCE_QUEUE, 2000);
    for (int i = 0; i < 5; i++)
        turn();
    expect_u64(accounts[0].granted, 2 * CONNECTIONS * STREAMS * 3 / 4);
    uint32_t before = grant_count;
    turn();
    expect_u64(grant_count, before);
    expect_u64(fake.worker.grants_wanted.count, 0); /* it waits in no ring, but for its own */
    arrive(&accounts[1], SOURCE_QUEUE, 1);
    arrive(&accounts[2], SOURCE_QUEUE, 200);
    turn();
    expect(is_of(&grants[before], "a1", 1));
    expect(accounts[2].granted >= ONE_TURN);
    for (int i = 0; i < 400; i++)
        lease_drop(list_pop(&accounts[0].sending)); /* most came */
    expect_u64(accounts[0].granted, 200);
    turn();
    expect(accounts[0].granted > 200 + ONE_TURN);
}

/* One at a time: seven urgent ones, then one of the queue. */
static void
urgent_goes_first_but_not_alone(void)
{
    start(1);
    const struct pace pace = {.count = 1000, .period_us = 1000, .burst = 1};
    pace_bucket_init(&accounts[0].pace, &pace, 1, 0);
    arrive(&accounts[0], SOURCE_QUEUE, 20);
    arrive(&accounts[0], SOURCE_URGENT, 20);
    for (int i = 0; i < 16; i++) {
        accounts[0].pace.filled_us = 0;
        turn();
        turns_stir(&accounts[0]);
    }
    expect(grant_count >= 16);
    for (uint32_t i = 0; i < 16; i++) {
        expect_u64(grants[i].members, 1);
        expect_text(grants[i].source, i % 8 == 7 ? "queue" : "urgent");
    }
}

/* A bulk entry is claimed whole. At ten a minute most of it would hold slots for minutes, and what
 * is urgent could not be claimed. */
static void
a_slow_account_keeps_few_ready(void)
{
    start(1);
    const struct pace pace = {.count = 10, .period_us = 60000000, .burst = 1};
    pace_bucket_init(&accounts[0].pace, &pace, 1, 0);
    pace_take(&accounts[0].pace, 1, loop_now_us(fake.worker.loop));
    arrive(&accounts[0], SOURCE_QUEUE, 64);
    expect_u64(accounts[0].ready_count, 16);
    expect_u64(accounts[0].settling.count, 48);
    arrive(&accounts[0], SOURCE_URGENT, 1); /* never */
    expect_u64(accounts[0].ready_count, 17);
    uint64_t due_ms = accounts[0].settling.first->outcome.time_ms;
    expect(accounts[0].settling.first->outcome.action == SETTLE_LATER);
    expect(due_ms > clock_unix_ms() + 90000 && due_ms < clock_unix_ms() + 115000);
    due_ms = accounts[0].settling.last->outcome.time_ms; /* one after the other */
    expect(due_ms > clock_unix_ms() + 370000 && due_ms < clock_unix_ms() + 400000);
}

static void
a_fast_account_keeps_all_ready(void)
{
    start(2);
    const struct pace pace = {.count = 80, .period_us = 1000000, .burst = 8};
    pace_bucket_init(&accounts[0].pace, &pace, 1, 0);
    arrive(&accounts[0], SOURCE_QUEUE, 600);
    arrive(&accounts[1], SOURCE_QUEUE, 600); /* without a limit */
    expect_u64(accounts[0].ready_count, 600);
    expect_u64(accounts[1].ready_count, 600);
}

/* ---- sending ----------------------------------------------------------------------------------
 */

static void
streams_are_shared(void)
{
    start(2);
    arrive(&accounts[0], SOURCE_QUEUE, 300);
    for (int i = 0; i < 3; i++)
        turn();
    arrive(&accounts[1], SOURCE_QUEUE, 1);
    turn();
    uint32_t first = accounts[0].sending.count;
    expect(first > ONE_TURN && accounts[1].sending.count == 1);
    channel_want(fake.worker.channel);
    TURN_UNTIL(channel_room(fake.worker.channel) > ONE_TURN);
    /* There is room for one turn of the first, and one more. */
    uint32_t room = channel_room(fake.worker.channel);
    expect(room < first);
    exchanges_send(&fake.worker);
    expect_u64(accounts[1].sending.count, 0);
    expect(first - accounts[0].sending.count <= room);
    channel_close(fake.worker.channel);
    TURN_UNTIL(channel_is_closed(fake.worker.channel));
}

/* ---- claims -----------------------------------------------------------------------------------
 */

static void
claims_are_asked_in_turn(void)
{
    start(3);
    for (int i = 0; i < 3; i++)
        turns_want_claim(&accounts[i]);
    turn();
    expect_u64(claim_count, 3);
    expect_text(claims[0].account, "a0");
    expect_text(claims[2].account, "a2");
    turn();
    expect_u64(claim_count, 3); /* they found nothing, so they sleep */
}

static void
who_has_enough_does_not_ask(void)
{
    start(2);
    arrive(&accounts[0], SOURCE_QUEUE, 1200);
    businesses[0].confirmed_us = 0; /* no lease: nothing can be granted meanwhile */
    turns_want_claim(&accounts[0]);
    claims_ask_more(&fake.worker);
    expect_u64(claim_count, 0);
    turns_want_claim(&accounts[1]);
    turn();
    expect_text(claims[0].account, "a1");
}

/* Whatever was heard while a claim was under way may have come too late for it. */
static void
what_comes_during_a_claim_is_asked_for(void)
{
    start(1);
    turns_want_claim(&accounts[0]);
    businesses[0].confirmed_us = loop_now_us(fake.worker.loop);
    claims_ask_more(&fake.worker);
    turns_want_claim(&accounts[0]);
    TURN_UNTIL(claim_count == 1 && calls_are_answered());
    turn();
    expect_u64(claim_count, 2);
    turn();
    expect_u64(claim_count, 2);
}

/* ---- those that wait --------------------------------------------------------------------------
 */

static void
a_thousand_paused_ones_cost_nothing(void)
{
    start(MANY);
    uint64_t now_us = loop_now_us(fake.worker.loop);
    for (int i = 0; i < MANY; i++) {
        accounts[i].paused_until_us = now_us + 3600ull * 1000000;
        turns_want_claim(&accounts[i]);
        arrive(&accounts[i], SOURCE_QUEUE, 2);
    }
    turn();
    expect_u64(claim_count + grant_count, 0);
    expect_u64(fake.worker.claims.count, 0);
    expect_u64(fake.worker.grants_wanted.count, 0);
    for (int i = 0; i < MANY; i++) { /* no slots either: what they had goes back to wait */
        expect_u64(accounts[i].ready_count, 0);
        expect_u64(accounts[i].settling.count, 2);
    }
    for (int i = 0; i < MANY; i++) {
        accounts[i].paused_until_us = now_us;
        timer_start(loop_timers(fake.worker.loop), &accounts[i].wake, now_us);
    }
    TURN_UNTIL(fake.worker.claims.count == MANY);
}

static void
a_throttle_gives_back_what_is_not_on_the_wire(void)
{
    start(2);
    const struct verdict verdict = {
        .kind = VERDICT_LATER, .class = GRAPH_ERROR_BACKOFF, .code = 130429};
    arrive(&accounts[0], SOURCE_QUEUE, 10);
    turn();
    arrive(&accounts[0], SOURCE_QUEUE, 5);
    expect_u64(accounts[0].sending.count, 10);
    (void)pause_throttle(&accounts[0], &verdict);
    expect_u64(accounts[0].sending.count, 0);
    expect_u64(accounts[0].ready_count, 0);
    expect_u64(accounts[0].settling.count, 15);
    expect(accounts[0].settling.first->outcome.action == SETTLE_LATER);
    arrive(&accounts[0], SOURCE_QUEUE, 1); /* of a claim that was under way */
    expect_u64(accounts[0].settling.count, 16);
}

/* Not the whole storm again: a few ask whether it goes. */
static void
after_a_throttle_a_few_go_first(void)
{
    start(2);
    const struct verdict verdict = {
        .kind = VERDICT_LATER, .class = GRAPH_ERROR_BACKOFF, .code = 130429};
    arrive(&accounts[0], SOURCE_QUEUE, 100);
    turn();
    expect_u64(accounts[0].granted, 100);
    (void)pause_throttle(&accounts[0], &verdict);
    drop_list(&accounts[0].settling); /* it is settled as later */
    expect_u64(accounts[0].granted, 0);
    accounts[0].paused_until_us = 0;
    arrive(&accounts[0], SOURCE_QUEUE, 100);
    turn();
    expect_u64(accounts[0].granted, ALLOWANCE_LEAST);
    arrive(&accounts[1], SOURCE_QUEUE, 100);
    turn();
    expect_u64(accounts[1].granted, 100); /* the others know nothing of it */
    for (int i = 0; i < 8; i++)
        allowance_grow(&accounts[0].allowance);
    turns_stir(&accounts[0]);
    turn();
    expect_u64(accounts[0].granted, ALLOWANCE_LEAST + 8);
}

static void
the_first_time_is_waited_for(void)
{
    start(1);
    struct account *account = &accounts[0];
    uint64_t now_us = loop_now_us(fake.worker.loop);
    turns_wait(account);
    expect(!timer_is_started(&account->wake));
    account->due_us = now_us + 5000000;
    account->paused_until_us = now_us + 3000000;
    account->ask_after_us = now_us + 4000000;
    account->settle_after_us = now_us - 1;
    turns_wait(account);
    expect_u64(account->wake.due_us, now_us + 3000000);
    const struct pace pace = {.count = 1, .period_us = 2000000, .burst = 1};
    pace_bucket_init(&account->pace, &pace, 1, 0);
    pace_take(&account->pace, 1, now_us);
    turns_wait(account);
    expect_u64(account->wake.due_us, now_us + 3000000); /* nothing is ready for its pace */
    account->paused_until_us = 0;
    arrive(account, SOURCE_QUEUE, 1);
    turns_wait(account);
    expect_u64(account->wake.due_us, now_us + 2000000);
    account->due_us = now_us; /* what is due is asked for when it is stirred */
    turns_stir(account);
    expect(account->has_more && account->due_us == 0);
}

static void
the_lease_brings_all_of_a_business_back(void)
{
    start(3);
    for (int i = 0; i < 3; i++)
        turns_want_claim(&accounts[i]);
    settings[2].business = 1;
    businesses[0].confirmed_us = 0;
    claims_ask_more(&fake.worker);
    expect_u64(fake.worker.claims.count, 0);
    turns_stir_all(&fake.worker, 0);
    expect_u64(fake.worker.claims.count, 2);
    turns_stir_all(&fake.worker, TURNS_ALL);
    expect_u64(fake.worker.claims.count, 3);
    settings[2].business = 0;
}

/* ---- the whole --------------------------------------------------------------------------------
 */

/* A port that takes connections and says nothing. */
static uint16_t
open_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(fd >= 0 && bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 16) == 0 &&
          getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    return ntohs(address.sin_port);
}

static void
open_accounts(void)
{
    for (int i = 0; i < MANY; i++) {
        struct error_text error = {0};
        char name[24];
        snprintf(name, sizeof(name), "acme/a%d", i);
        settings[i] = fake.settings;
        if (!keys_read(span_of(name), &settings[i].keys, &error))
            fake_die(&error);
    }
}

static void
open_all(void)
{
    struct worker *worker = &fake.worker;
    struct sender_settings *sender = &fake.sender.settings;
    fake_open(&fake);
    loop_close(worker->loop);
    struct error_text error = {0};
    const struct loop_settings loop = {.operations_max = 64, .timers_max = MANY + 64};
    worker->loop = loop_open(&loop, &error);
    if (worker->loop == NULL)
        fake_die(&error);
    slots_open(worker);
    fake.batch.pins = 1;
    fake.hold = (struct claim_hold){.name = SPAN("0123456789abcdef.1"),
                                    .account = &fake.account,
                                    .source = SOURCE_QUEUE,
                                    .deliveries = 1};
    worker->businesses = businesses;
    businesses[0].worker = worker;
    sender->connections_max = CONNECTIONS;
    sender->exchanges_max = STREAMS;
    sender->request_timeout_ms = 10000;
    snprintf(sender->graph.host, sizeof(sender->graph.host), "127.0.0.1");
    snprintf(sender->graph.authority, sizeof(sender->graph.authority), "127.0.0.1");
    sender->graph.port = open_port();
    open_accounts();
    exchanges_open(worker);
    fake_redis_open(&redis, worker->loop);
    redis.on_command = on_command;
    const struct redis_client_settings client = {
        .address = &redis.address,
        .output_size = REDIS_OUTPUT_SIZE,
        .arena_size = BATCH_ARENA_SIZE,
        .waiting_max = 64,
        .seed = 1,
    };
    static const struct redis_client_events events = {.on_ready = on_ready, .on_lost = on_lost};
    worker->redis = redis_client_open(worker->loop, &client, &events, NULL);
    TURN_UNTIL(redis_client_is_ready(worker->redis));
}

static void
close_all(void)
{
    struct worker *worker = &fake.worker;
    start(0);
    redis_client_close(worker->redis);
    TURN_UNTIL(redis_client_is_closed(worker->redis));
    redis_client_free(worker->redis);
    fake_redis_close(&redis);
    exchanges_close(worker);
    slots_close(worker);
    fake_close(&fake);
}

int
main(void)
{
    open_all();
    TEST(a_batch_is_all_that_a_newcomer_waits_for);
    TEST(alone_an_account_has_large_batches);
    TEST(shares_are_equal);
    TEST(whose_answers_do_not_come_leaves_room);
    TEST(urgent_goes_first_but_not_alone);
    TEST(a_slow_account_keeps_few_ready);
    TEST(a_fast_account_keeps_all_ready);
    TEST(claims_are_asked_in_turn);
    TEST(who_has_enough_does_not_ask);
    TEST(what_comes_during_a_claim_is_asked_for);
    TEST(a_thousand_paused_ones_cost_nothing);
    TEST(a_throttle_gives_back_what_is_not_on_the_wire);
    TEST(after_a_throttle_a_few_go_first);
    TEST(the_first_time_is_waited_for);
    TEST(the_lease_brings_all_of_a_business_back);
    TEST(streams_are_shared);
    close_all();
    return test_end();
}
