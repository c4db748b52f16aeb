#include "sender/stop.h"
#include "sender/pause.h"
#include "tests/unit/sender/fake_house.h"

static struct fake_house house;
static struct account *account;

/* ---- what the fake Redis hears and says --------------------------------------------------------
 */

enum answer { FIRST, ALREADY, AN_ERROR, NOTHING };

static enum answer answer;
static const char *token_answer = "*1\r\n$2\r\nok\r\n";
static uint32_t stops;
static uint32_t tokens;
static char said[512]; /* the last call's arguments behind its keys, with a | between them */

static void
on_command(struct fake_redis *redis)
{
    static const char *const answers[] = {"*1\r\n$2\r\nok\r\n", "*1\r\n$7\r\nalready\r\n",
                                          "-ERR nothing of that is known\r\n", ""};
    struct buffer words;
    bool stop = span_equal(redis->arguments[1], SPAN("facteur_stop"));
    check(stop || span_equal(redis->arguments[1], SPAN("facteur_token")));
    buffer_init(&words, said, sizeof(said) - 1);
    for (size_t i = 5; i < redis->argument_count; i++) {
        buffer_put_text(&words, i == 5 ? "" : "|");
        buffer_put_span(&words, redis->arguments[i]);
    }
    (void)buffer_text(&words);
    stops += stop;
    tokens += !stop;
    fake_redis_say(redis, stop ? answers[answer] : token_answer);
}

/* ---- Meta says so -----------------------------------------------------------------------------
 */

static struct span
refused(int32_t code, const char *reason)
{
    const struct verdict verdict = {.kind = VERDICT_LATER,
                                    .slows = VERDICT_STOPS_ACCOUNT,
                                    .class = GRAPH_ERROR_STOP_ACCOUNT,
                                    .code = code,
                                    .status = 401,
                                    .reason = span_of(reason)};
    return stop_by_meta(account, &verdict);
}

static void
start(void)
{
    account->stop = (struct account_stop){0};
    account->paused_until_us = 0;
    house.fake.worker.draining = false;
    house.fake.worker.stop_after_us = 0;
    house.fake.worker.stops = NULL;
    answer = FIRST;
    stops = tokens = 0;
}

static uint64_t
pause_ms(void)
{
    return (account->paused_until_us - loop_now_us(house.fake.worker.loop)) / 1000;
}

static void
one_storm_is_one_stop(void)
{
    start();
    for (int i = 0; i < 100; i++)
        expect_span(refused(131042, "payment is due"), SPAN("payment is due"));
    expect(pause_is_on(account));
    expect_u64(account->paused_by, PAUSE_STOPPED);
    stop_tell(&house.fake.worker);
    stop_tell(&house.fake.worker);
    TURN_UNTIL(&house, stops == 1 && !account->stop.telling);
    expect(span_starts(span_of(said), SPAN("131042|payment is due|")));
    expect(house.fake.worker.stops == NULL);
    stop_tell(&house.fake.worker);
    loop_turn(house.fake.worker.loop, 1000);
    expect_u64(stops, 1);
}

/* "Malformed access token EAAB…" is what Graph really says. */
static void
the_token_is_never_told(void)
{
    static const char token[] = "EAAB-secret-of-the-test";
    start();
    snprintf(house.fake.settings.authorization, sizeof(house.fake.settings.authorization),
             "Bearer %s", token);
    expect_span(refused(190, "(#190) Malformed access token EAAB-secret-of-the-test"),
                SPAN("(#190) Access token has expired"));
    account->paused_until_us = 0;
    expect_span(refused(190, "anything"), SPAN("(#190) Access token has expired"));
    account->paused_until_us = 0;
    expect_span(refused(10, "no: EAAB-secret-of-the-test"), SPAN("(#10) Permission Denied"));
    account->paused_until_us = 0;
    expect_span(refused(10, "no"), SPAN("no"));
    stop_tell(&house.fake.worker);
    TURN_UNTIL(&house, stops == 1 && !account->stop.telling);
    expect(strstr(said, "EAAB") == NULL);
    /* Another token has another mark, and the same token the same. */
    char first[sizeof(said)];
    memcpy(first, said, sizeof(said));
    start();
    (void)refused(10, "no");
    stop_tell(&house.fake.worker);
    TURN_UNTIL(&house, stops == 1 && !account->stop.telling);
    expect_text(said, first);
    start();
    house.fake.settings.authorization[20]++;
    (void)refused(10, "no");
    stop_tell(&house.fake.worker);
    TURN_UNTIL(&house, stops == 1 && !account->stop.telling);
    expect(strcmp(said, first) != 0);
}

static void
it_is_told_until_redis_has_heard(void)
{
    start();
    answer = AN_ERROR;
    (void)refused(131031, "locked");
    stop_tell(&house.fake.worker);
    TURN_UNTIL(&house, stops == 1 && !account->stop.telling);
    expect(house.fake.worker.stops == account);
    stop_tell(&house.fake.worker); /* not in every turn */
    expect(!account->stop.telling);
    expect(timer_is_started(&house.fake.worker.stop_timer));
    house.fake.worker.stop_after_us = 0;
    answer = NOTHING;
    stop_tell(&house.fake.worker);
    TURN_UNTIL(&house, stops == 2);
    expect(account->stop.telling);
    fake_house_reconnect(&house);
    expect(!account->stop.telling);
    answer = ALREADY;
    stop_tell(&house.fake.worker);
    TURN_UNTIL(&house, stops == 3 && !account->stop.telling);
    expect(house.fake.worker.stops == NULL);
    timer_stop(loop_timers(house.fake.worker.loop), &house.fake.worker.stop_timer);
}

static void
a_worker_that_is_replaced_says_nothing(void)
{
    start();
    house.fake.worker.draining = true;
    expect_span(refused(131031, "locked"), SPAN("locked"));
    expect(pause_is_on(account));
    expect(house.fake.worker.stops == NULL);
    stop_by_redis(account);
    expect(!account->stop.asking);
}

/* Two senders with different tokens would start and stop it in turn: the one that is refused asks
 * less and less often. */
static void
who_is_refused_again_and_again_asks_less_often(void)
{
    static const uint64_t seconds[] = {1, 2, 4, 8, 16, 32, 64, 64};
    start();
    for (size_t i = 0; i < sizeof(seconds) / sizeof(seconds[0]); i++) {
        account->paused_until_us = 0;
        stop_is_over(account);
        (void)refused(190, "no");
        expect_u64(pause_ms(), seconds[i] * 1000);
    }
    stop_forget(account);
    account->paused_until_us = 0;
    (void)refused(190, "no");
    expect_u64(pause_ms(), 1000);
}

/* ---- Redis says so ----------------------------------------------------------------------------
 */

static void
another_token_starts_it(void)
{
    static const char *const answers[] = {"*1\r\n$7\r\nstarted\r\n", "*1\r\n$2\r\nok\r\n"};
    for (size_t i = 0; i < 2; i++) {
        start();
        token_answer = answers[i];
        stop_by_redis(account);
        expect_u64(account->paused_until_us, UINT64_MAX); /* until the bell rings */
        expect(account->stop.asking);
        stop_by_redis(account); /* asked once */
        TURN_UNTIL(&house, tokens == 1 && !account->stop.asking);
        expect(!pause_is_on(account));
        expect(!account->stop.noticed);
        expect(account->has_more); /* it looks at once */
    }
}

static void
the_same_token_is_offered_once(void)
{
    start();
    token_answer = "*1\r\n$7\r\nstopped\r\n";
    stop_by_redis(account);
    TURN_UNTIL(&house, tokens == 1 && !account->stop.asking);
    expect(pause_is_on(account));
    stop_by_redis(account);
    expect(!account->stop.asking);
    /* An operator let it go on; the next stop is a new one. */
    account->paused_until_us = 0;
    stop_is_over(account);
    stop_by_redis(account);
    expect(account->stop.asking);
    fake_house_reconnect(&house);
    expect(!account->stop.asking); /* asked again when the next claim is answered */
}

static void
what_meta_refused_is_not_offered(void)
{
    start();
    (void)refused(190, "no");
    stop_tell(&house.fake.worker);
    TURN_UNTIL(&house, stops == 1);
    stop_by_redis(account);
    expect(!account->stop.asking);
    stop_is_over(account); /* a claim that was asked before */
    expect(account->stop.noticed);
}

int
main(void)
{
    fake_house_open(&house, on_command);
    account = &house.fake.account;
    stop_open(&house.fake.worker);
    TEST(one_storm_is_one_stop);
    TEST(the_token_is_never_told);
    TEST(it_is_told_until_redis_has_heard);
    TEST(a_worker_that_is_replaced_says_nothing);
    TEST(who_is_refused_again_and_again_asks_less_often);
    TEST(another_token_starts_it);
    TEST(the_same_token_is_offered_once);
    TEST(what_meta_refused_is_not_offered);
    fake_house_close(&house);
    return test_end();
}
