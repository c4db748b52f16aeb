/* A client and its places: which one it takes, when it gives one up, and what it says then. */
#include "sender/base/clock.h"
#include "tests/unit/sender/fake_redis.h"

struct places {
    struct loop *loop;
    struct fake_redis redis[2];
    const char *info[2]; /* what each answers to INFO; NULL: nothing at all */
    struct redis_address address;
    struct redis_client *client;
    uint32_t ready, lost, replies;
    char reason[800];
};

static const char a_master[] = "role:master\r\nmaster_replid:bbbb\r\nloading:0\r\nrun_id:aaaa\r\n";
static const char another[] = "role:master\r\nmaster_replid:dddd\r\nloading:0\r\nrun_id:cccc\r\n";
static const char a_replica[] = "role:slave\r\nmaster_host:10.0.0.7\r\nmaster_port:7000\r\n";
static const char loads[] = "role:master\r\nrun_id:aaaa\r\nloading:1\r\n";

static struct places places;

static void
on_command(struct fake_redis *redis)
{
    const char *info = places.info[redis == &places.redis[0] ? 0 : 1];
    char answer[512];
    if (info == NULL)
        return;
    if (!span_equal(redis->arguments[0], SPAN("INFO")))
        snprintf(answer, sizeof(answer), "+OK\r\n");
    else if (info[0] == '-')
        snprintf(answer, sizeof(answer), "%s\r\n", info);
    else
        snprintf(answer, sizeof(answer), "$%zu\r\n%s\r\n", strlen(info), info);
    fake_redis_say(redis, answer);
}

static void
on_ready(void *context)
{
    (void)context;
    places.ready++;
}

static void
on_lost(void *context, const char *reason)
{
    (void)context;
    places.lost++;
    snprintf(places.reason, sizeof(places.reason), "%s", reason);
}

static void
on_reply(void *context, const struct reply *reply)
{
    (void)context;
    places.replies += reply != NULL ? 1 : 0;
}

static void
begin(const char *first, const char *second, uint64_t silence_us)
{
    static const struct redis_client_events events = {.on_ready = on_ready, .on_lost = on_lost};
    const struct loop_settings loop = {.operations_max = 32, .timers_max = 32};
    struct error_text error;
    memset(&places, 0, sizeof(places));
    places.loop = loop_open(&loop, &error);
    check(places.loop != NULL);
    places.info[0] = first;
    places.info[1] = second;
    for (int i = 0; i < 2; i++) {
        fake_redis_open(&places.redis[i], places.loop);
        places.redis[i].on_command = on_command;
        places.address.places[i] = places.redis[i].address.places[0];
    }
    places.address.place_count = 2;
    const struct redis_client_settings settings = {
        .address = &places.address,
        .output_size = 65536,
        .arena_size = 65536,
        .waiting_max = 16,
        .silence_us = silence_us,
        .backoff_max_us = 20 * 1000,
        .master_only = true,
    };
    places.client = redis_client_open(places.loop, &settings, &events, NULL);
}

/* Turns until as often ready and lost as asked for, or two seconds. */
static void
turn_until(uint32_t ready, uint32_t lost)
{
    uint64_t end_us = clock_monotonic_us() + 2 * 1000 * 1000;
    while ((places.ready < ready || places.lost < lost) && clock_monotonic_us() < end_us)
        loop_turn(places.loop, 10 * 1000);
}

static void
end(void)
{
    redis_client_close(places.client);
    while (!redis_client_is_closed(places.client))
        loop_turn(places.loop, 10 * 1000);
    redis_client_free(places.client);
    for (int i = 0; i < 2; i++)
        fake_redis_close(&places.redis[i]);
    loop_close(places.loop);
}

static void
expect_place(uint32_t index)
{
    char text[REDIS_PLACE_TEXT_SIZE];
    expect(redis_client_is_ready(places.client));
    expect_text(redis_client_place(places.client),
                redis_place_text(&places.address.places[index], text));
}

static void
the_first_master_is_taken(void)
{
    begin(a_master, another, 0);
    turn_until(1, 0);
    expect_place(0);
    expect_text(redis_client_identity(places.client), "aaaa/bbbb");
    expect_u64(places.lost, 0);
    end();
}

static void
a_replica_is_passed_over(void)
{
    begin(a_replica, another, 0);
    turn_until(1, 0);
    expect_place(1);
    expect_text(redis_client_identity(places.client), "cccc/dddd");
    expect_u64(places.lost, 0); /* nobody needs to know */
    end();
}

static void
when_nobody_is_of_use_all_causes_are_told_and_it_goes_on(void)
{
    begin(a_replica, loads, 0);
    turn_until(0, 2);
    expect(places.lost >= 2);
    expect(strstr(places.reason, ".sock: a replica of 10.0.0.7 port 7000; ") != NULL);
    expect(strstr(places.reason, "reading its files") != NULL);
    expect(!redis_client_is_ready(places.client));
    places.info[0] = a_master;
    turn_until(1, 0);
    expect_place(0);
    end();
}

static void
a_replica_that_was_promoted_is_found(void)
{
    begin(a_master, a_replica, 0);
    turn_until(1, 0);
    expect_place(0);
    places.info[0] = a_replica;
    places.info[1] = another;
    redis_client_leave(places.client, "READONLY");
    turn_until(2, 1);
    expect_u64(places.lost, 1);
    expect_place(1);
    expect_text(redis_client_identity(places.client), "cccc/dddd");
    end();
}

static void
a_connection_that_says_nothing_is_given_up(void)
{
    const struct span ping[] = {SPAN("PING")};
    begin(a_master, another, 40 * 1000);
    turn_until(1, 0);
    for (int turn = 0; turn < 12; turn++) /* nothing is waited for: silence is no trouble */
        loop_turn(places.loop, 10 * 1000);
    expect_u64(places.lost, 0);
    places.info[0] = NULL;
    expect(session_command(redis_client_session(places.client), ping, 1, on_reply, NULL));
    redis_client_flush(places.client);
    turn_until(2, 1);
    expect(strstr(places.reason, "no answer for ") != NULL);
    expect_place(1);
    end();
}

static void
one_that_does_not_say_who_it_is_is_taken_as_it_is(void)
{
    begin("-NOPERM this user has no permissions to run the 'info' command", a_master, 0);
    turn_until(1, 0);
    expect_place(0);
    expect_text(redis_client_identity(places.client), "");
    end();
}

static void
one_that_a_script_holds_up_is_waited_for(void)
{
    begin("-BUSY Redis is busy running a script.", a_replica, 0);
    turn_until(0, 1);
    expect(strstr(places.reason, "a script holds Redis up") != NULL);
    places.info[0] = a_master;
    turn_until(1, 0);
    expect_place(0);
    end();
}

int
main(void)
{
    TEST(the_first_master_is_taken);
    TEST(a_replica_is_passed_over);
    TEST(when_nobody_is_of_use_all_causes_are_told_and_it_goes_on);
    TEST(a_replica_that_was_promoted_is_found);
    TEST(a_connection_that_says_nothing_is_given_up);
    TEST(one_that_does_not_say_who_it_is_is_taken_as_it_is);
    TEST(one_that_a_script_holds_up_is_waited_for);
    return test_end();
}
