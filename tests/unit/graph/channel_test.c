#include "sender/graph/channel.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "tests/unit/graph/graph_server.h"

enum { EXCHANGES = 32, MS = 1000 };

/* A channel, a server of ours, and a handful of exchanges that remember how they ended. */
struct scene {
    struct loop *loop;
    struct graph_server server;
    struct channel_settings settings;
    struct channel *channel;
    struct channel_exchange exchanges[EXCHANGES];
    char responses[EXCHANGES][256];
    enum h2_end ends[EXCHANGES];
    uint64_t ended_us[EXCHANGES];
    uint32_t end_counts[EXCHANGES];
    uint32_t started;
    uint32_t ended;
    uint32_t rooms; /* on_room calls */
};

static void
on_end(void *context, struct channel_exchange *exchange, enum h2_end end)
{
    struct scene *scene = context;
    size_t index = (size_t)(exchange - scene->exchanges);
    expect(exchange->owner == &scene->responses[index]);
    scene->ends[index] = end;
    scene->ended_us[index] = clock_monotonic_us();
    scene->end_counts[index]++;
    scene->ended++;
}

static void
on_room(void *context)
{
    struct scene *scene = context;
    scene->rooms++;
}

static void
open_channel(struct scene *scene)
{
    static const struct channel_events events = {.on_end = on_end, .on_room = on_room};
    scene->channel = channel_open(scene->loop, &scene->settings, &events, scene);
}

static void
open_scene(struct scene *scene, uint32_t connections, uint32_t exchanges)
{
    struct error_text error = {0};
    const struct loop_settings loop = {.operations_max = 256, .timers_max = 256};
    memset(scene, 0, sizeof(*scene));
    scene->loop = loop_open(&loop, &error);
    if (scene->loop == NULL) {
        printf("%s\n", error.text);
        exit(1);
    }
    uint16_t port = graph_server_open(&scene->server, scene->loop, 0);
    scene->settings = (struct channel_settings){
        .address = {.host = "127.0.0.1", .port = port},
        .authority = SPAN("graph.test"),
        .user_agent = SPAN("test"),
        .connections_max = connections,
        .exchanges_max = exchanges,
        .connect_timeout_us = 1000 * MS,
        .request_timeout_us = 5000 * MS,
        .idle_us = 5000 * MS,
        .ping_timeout_us = 100 * MS,
        .seed = 7,
    };
}

static void
close_scene(struct scene *scene)
{
    channel_close(scene->channel);
    for (int turn = 0; turn < 300 && !channel_is_closed(scene->channel); turn++)
        loop_turn(scene->loop, 10 * MS);
    expect(channel_is_closed(scene->channel));
    expect_u64(channel_active(scene->channel), 0);
    expect_u64(scene->ended, scene->started);
    for (uint32_t i = 0; i < scene->started; i++)
        expect_u64(scene->end_counts[i], 1);
    channel_free(scene->channel);
    graph_server_end(&scene->server);
    loop_close(scene->loop);
}

/* Turns until the condition holds, at most two seconds; the condition is expected then. */
#define TURN_UNTIL(scene, condition)                                                               \
    do {                                                                                           \
        uint64_t end_us_ = clock_monotonic_us() + 2000 * MS;                                       \
        while (!(condition) && clock_monotonic_us() < end_us_)                                     \
            loop_turn((scene)->loop, 5 * MS);                                                      \
        expect(condition);                                                                         \
    } while (0)

static void
turn_for(struct scene *scene, uint64_t ms)
{
    uint64_t end_us = clock_monotonic_us() + ms * MS;
    while (clock_monotonic_us() < end_us)
        loop_turn(scene->loop, 2 * MS);
}

static void
start(struct scene *scene, uint32_t count)
{
    static const struct h2_request request = {
        .method = {"POST", 4}, .path = {"/v1/1/messages", 14}, .body = {"{}", 2}};
    for (; count > 0; count--) {
        check(scene->started < EXCHANGES);
        uint32_t i = scene->started++;
        scene->exchanges[i].owner = &scene->responses[i];
        buffer_init(&scene->exchanges[i].h2.response, scene->responses[i],
                    sizeof(scene->responses[i]));
        channel_start(scene->channel, &scene->exchanges[i], &request);
    }
}

static void
connect_one(struct scene *scene)
{
    uint32_t room = channel_room(scene->channel);
    channel_want(scene->channel);
    TURN_UNTIL(scene, channel_room(scene->channel) > room);
}

static uint32_t
count_ends(const struct scene *scene, enum h2_end end)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < scene->started; i++)
        count += scene->end_counts[i] > 0 && scene->ends[i] == end ? 1 : 0;
    return count;
}

/* ---- connections ---------------------------------------------------------------------------- */

static void
fills_connections_in_order_and_opens_more_when_full(void)
{
    struct scene scene;
    open_scene(&scene, 3, 2);
    scene.server.manner = GRAPH_HOLDS;
    open_channel(&scene);
    expect_u64(channel_capacity(scene.channel), 6);
    expect_u64(channel_room(scene.channel), 0);
    turn_for(&scene, 20);
    expect_u64(scene.server.peer_count, 0); /* nobody wanted anything */
    for (uint32_t peers = 1; peers <= 3; peers++) {
        connect_one(&scene);
        expect_u64(channel_room(scene.channel), 2);
        start(&scene, 2);
        expect_u64(channel_room(scene.channel), 0);
        TURN_UNTIL(&scene, scene.server.requests == 2 * peers);
        expect_u64(scene.server.peer_count, peers);
        expect_u64(scene.server.peers[peers - 1].requests, 2);
    }
    channel_want(scene.channel); /* all are open and full */
    turn_for(&scene, 50);
    expect_u64(scene.server.peer_count, 3);
    graph_peer_answer(&scene.server.peers[2], 1);
    graph_peer_answer(&scene.server.peers[0], 1);
    TURN_UNTIL(&scene, scene.ended == 2);
    expect(scene.rooms > 0);
    expect_u64(channel_room(scene.channel), 2);
    start(&scene, 1); /* the first of them that has room */
    TURN_UNTIL(&scene, scene.server.requests == 7);
    expect_u64(scene.server.peers[0].requests, 3);
    expect_u64(scene.server.peers[2].requests, 2);
    close_scene(&scene);
}

static void
the_peer_says_how_many_streams(void)
{
    struct scene scene;
    open_scene(&scene, 1, 100);
    scene.server.manner = GRAPH_HOLDS;
    scene.server.streams_max = 3;
    open_channel(&scene);
    connect_one(&scene);
    TURN_UNTIL(&scene, channel_room(scene.channel) == 3);
    start(&scene, 3);
    expect_u64(channel_room(scene.channel), 0);
    TURN_UNTIL(&scene, scene.server.requests == 3);
    close_scene(&scene);
    expect_u64(count_ends(&scene, H2_LOST), 3);
}

static void
answers_come_whole(void)
{
    struct scene scene;
    open_scene(&scene, 2, 4);
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 4);
    TURN_UNTIL(&scene, scene.ended == 4);
    expect_u64(count_ends(&scene, H2_ANSWERED), 4);
    for (uint32_t i = 0; i < 4; i++) {
        expect_u64(scene.exchanges[i].h2.status, 200);
        expect_span(buffer_span(&scene.exchanges[i].h2.response), SPAN("{}"));
    }
    expect_u64(channel_counters(scene.channel)->exchanges_started, 4);
    expect_text(channel_trouble(scene.channel), "");
    close_scene(&scene);
}

/* ---- what fails ----------------------------------------------------------------------------- */

static void
backs_off_after_refused_connects_and_comes_back(void)
{
    struct scene scene;
    open_scene(&scene, 4, 2);
    graph_server_close(&scene.server);
    turn_for(&scene, 20);
    open_channel(&scene);
    channel_want(scene.channel);
    turn_for(&scene, 700);
    uint64_t failed = channel_counters(scene.channel)->connections_failed;
    expect(failed >= 2 && failed <= 6); /* at 0, 50-100, 100-200, 200-400 ms more … */
    expect(strstr(channel_trouble(scene.channel), "refused") != NULL);
    expect_u64(channel_room(scene.channel), 0);

    struct graph_server again;
    graph_server_open(&again, scene.loop, scene.settings.address.port);
    uint32_t rooms = scene.rooms;
    TURN_UNTIL(&scene, channel_room(scene.channel) > 0); /* without being asked again */
    expect(scene.rooms > rooms);
    start(&scene, 1);
    TURN_UNTIL(&scene, scene.ended == 1);
    expect(scene.ends[0] == H2_ANSWERED);
    expect_text(channel_trouble(scene.channel), "");
    graph_server_end(&again);
    close_scene(&scene);
}

static void
a_peer_that_closes_or_leaves_at_once_is_not_stormed(void)
{
    static const enum graph_manner manners[] = {GRAPH_CLOSES, GRAPH_LEAVES};
    for (size_t m = 0; m < 2; m++) {
        struct scene scene;
        open_scene(&scene, 4, 2);
        scene.server.manner = manners[m];
        open_channel(&scene);
        channel_want(scene.channel);
        uint64_t end_us = clock_monotonic_us() + 600 * MS;
        while (clock_monotonic_us() < end_us) { /* as a worker does: whenever there is room */
            if (channel_room(scene.channel) > 0 && scene.started < EXCHANGES)
                start(&scene, 1);
            else
                channel_want(scene.channel);
            loop_turn(scene.loop, 2 * MS);
        }
        expect(scene.server.peer_count >= 2 && scene.server.peer_count <= 6);
        expect_u64(count_ends(&scene, H2_ANSWERED), 0);
        close_scene(&scene);
    }
}

static void
a_late_answer_is_lost_and_the_connection_goes_on(void)
{
    struct scene scene;
    open_scene(&scene, 1, 4);
    scene.settings.request_timeout_us = 60 * MS;
    scene.server.manner = GRAPH_HOLDS;
    open_channel(&scene);
    connect_one(&scene);
    uint64_t begun_us = clock_monotonic_us();
    start(&scene, 2);
    turn_for(&scene, 30);
    expect_u64(scene.ended, 0);
    TURN_UNTIL(&scene, scene.ended == 2);
    expect(clock_monotonic_us() - begun_us >= 50 * MS);
    expect_u64(count_ends(&scene, H2_LOST), 2);
    expect_u64(channel_counters(scene.channel)->time_outs, 2);
    scene.server.manner = GRAPH_ANSWERS;
    start(&scene, 1);
    TURN_UNTIL(&scene, scene.ended == 3);
    expect(scene.ends[2] == H2_ANSWERED);
    expect_u64(scene.server.peer_count, 1);
    close_scene(&scene);
}

static void
refused_streams_were_not_processed(void)
{
    struct scene scene;
    open_scene(&scene, 1, 4);
    scene.server.manner = GRAPH_REFUSES;
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 3);
    TURN_UNTIL(&scene, scene.ended == 3);
    expect_u64(count_ends(&scene, H2_NOT_PROCESSED), 3);
    expect_u64(scene.server.requests, 0);
    close_scene(&scene);
}

static void
goaway_is_drained_and_a_new_connection_opened(void)
{
    struct scene scene;
    open_scene(&scene, 2, 4);
    scene.server.manner = GRAPH_HOLDS;
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 2);
    TURN_UNTIL(&scene, scene.server.requests == 2);
    h2_server_goaway(scene.server.peers[0].h2, -1);
    link_flush(scene.server.peers[0].link);
    TURN_UNTIL(&scene, channel_room(scene.channel) == 0);
    connect_one(&scene);
    expect_u64(scene.server.peer_count, 2);
    start(&scene, 1);
    TURN_UNTIL(&scene, scene.server.peers[1].requests == 1);
    expect_u64(scene.ended, 0); /* those of the first go on */
    graph_peer_answer(&scene.server.peers[0], 2);
    graph_peer_answer(&scene.server.peers[1], 1);
    TURN_UNTIL(&scene, scene.ended == 3);
    expect_u64(count_ends(&scene, H2_ANSWERED), 3);
    TURN_UNTIL(&scene, scene.server.peers[0].link == NULL); /* it was closed when it was empty */
    close_scene(&scene);
}

static void
a_reset_connection_loses_what_it_had(void)
{
    struct scene scene;
    open_scene(&scene, 1, 4);
    scene.server.manner = GRAPH_HOLDS;
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 3);
    TURN_UNTIL(&scene, scene.server.requests == 3);
    graph_peer_answer(&scene.server.peers[0], 1);
    TURN_UNTIL(&scene, scene.ended == 1);
    link_reset(scene.server.peers[0].link);
    TURN_UNTIL(&scene, scene.ended == 3);
    expect_u64(count_ends(&scene, H2_ANSWERED), 1);
    expect_u64(count_ends(&scene, H2_LOST), 2);
    connect_one(&scene);
    close_scene(&scene);
}

/* ---- silence -------------------------------------------------------------------------------- */

static void
an_idle_connection_is_asked_first(void)
{
    struct scene scene;
    open_scene(&scene, 2, 4);
    scene.settings.idle_us = 40 * MS;
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 1);
    TURN_UNTIL(&scene, scene.ended == 1);
    expect(channel_room(scene.channel) > 0);
    turn_for(&scene, 60);
    expect_u64(channel_room(scene.channel), 0); /* not trusted any more */
    connect_one(&scene);
    expect_u64(scene.server.peer_count, 1); /* it answered: no new one was needed */
    start(&scene, 1);
    TURN_UNTIL(&scene, scene.ended == 2);
    close_scene(&scene);
}

static void
an_idle_connection_that_is_dead_costs_nothing(void)
{
    struct scene scene;
    open_scene(&scene, 2, 4);
    scene.settings.idle_us = 40 * MS;
    scene.settings.ping_timeout_us = 40 * MS;
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 1);
    TURN_UNTIL(&scene, scene.ended == 1);
    link_pause(scene.server.peers[0].link); /* a NAT forgot it */
    turn_for(&scene, 60);
    connect_one(&scene);
    expect_u64(scene.server.peer_count, 2);
    start(&scene, 2);
    TURN_UNTIL(&scene, scene.ended == 3);
    expect_u64(count_ends(&scene, H2_ANSWERED), 3);
    close_scene(&scene);
}

/* Under way on it when it fell silent: lost at the time-out and not before. But nothing more is
 * given to it, however often there is room. */
static void
a_black_hole_swallows_one_load_only(void)
{
    struct scene scene;
    open_scene(&scene, 1, 4);
    scene.settings.idle_us = 40 * MS;
    scene.settings.ping_timeout_us = 40 * MS;
    scene.settings.request_timeout_us = 300 * MS;
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 1);
    TURN_UNTIL(&scene, scene.ended == 1);
    link_pause(scene.server.peers[0].link);
    uint64_t begun_us = clock_monotonic_us();
    start(&scene, 2);
    turn_for(&scene, 60);
    expect_u64(channel_room(scene.channel), 0); /* two streams are free, and not trusted */
    channel_want(scene.channel);
    TURN_UNTIL(&scene, scene.ended == 3);
    expect_u64(count_ends(&scene, H2_LOST), 2);
    expect(scene.ended_us[1] - begun_us >= 290 * MS);
    channel_want(scene.channel);
    TURN_UNTIL(&scene, channel_room(scene.channel) > 0);
    expect_u64(scene.server.peer_count, 2);
    start(&scene, 4);
    TURN_UNTIL(&scene, scene.ended == 7);
    expect_u64(count_ends(&scene, H2_ANSWERED), 5);
    close_scene(&scene);
}

static void
a_slow_answer_still_counts(void)
{
    struct scene scene;
    open_scene(&scene, 1, 4);
    scene.settings.idle_us = 40 * MS;
    scene.settings.ping_timeout_us = 40 * MS;
    scene.settings.request_timeout_us = 1000 * MS;
    open_channel(&scene);
    connect_one(&scene);
    link_pause(scene.server.peers[0].link);
    start(&scene, 2);
    turn_for(&scene, 60);
    channel_want(scene.channel);
    turn_for(&scene, 100); /* the PING's time is over, too */
    expect_u64(scene.ended, 0);
    expect_u64(channel_room(scene.channel), 0);
    link_resume(scene.server.peers[0].link);
    TURN_UNTIL(&scene, scene.ended == 2);
    expect_u64(count_ends(&scene, H2_ANSWERED), 2);
    TURN_UNTIL(&scene, channel_room(scene.channel) == 4); /* it is trusted again */
    expect_u64(scene.server.peer_count, 1);
    close_scene(&scene);
}

/* ---- the ends ------------------------------------------------------------------------------- */

static void
drained_it_opens_nothing_and_finishes(void)
{
    struct scene scene;
    open_scene(&scene, 2, 2);
    scene.server.manner = GRAPH_HOLDS;
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 2);
    TURN_UNTIL(&scene, scene.server.requests == 2);
    channel_drain(scene.channel);
    channel_want(scene.channel);
    turn_for(&scene, 50);
    expect_u64(scene.server.peer_count, 1);
    expect_u64(scene.ended, 0);
    graph_peer_answer(&scene.server.peers[0], 2);
    TURN_UNTIL(&scene, scene.ended == 2);
    expect_u64(count_ends(&scene, H2_ANSWERED), 2);
    close_scene(&scene);
}

static void
closed_it_says_what_left_and_what_did_not(void)
{
    struct scene scene;
    open_scene(&scene, 2, 4);
    scene.server.manner = GRAPH_HOLDS;
    open_channel(&scene);
    connect_one(&scene);
    start(&scene, 2);
    TURN_UNTIL(&scene, scene.server.requests == 2);
    start(&scene, 1); /* asked for in this turn: it never leaves */
    close_scene(&scene);
    expect(scene.ends[0] == H2_LOST && scene.ends[1] == H2_LOST);
    expect(scene.ends[2] == H2_NOT_PROCESSED);
}

static void
closed_while_it_connects(void)
{
    struct scene scene;
    open_scene(&scene, 2, 2);
    open_channel(&scene);
    channel_want(scene.channel);
    close_scene(&scene);

    open_scene(&scene, 2, 2);
    graph_server_close(&scene.server);
    turn_for(&scene, 20);
    open_channel(&scene);
    channel_want(scene.channel);
    turn_for(&scene, 30); /* refused: it waits for its backoff */
    close_scene(&scene);
}

static void
to_start_without_room_is_a_mistake(void)
{
    struct scene scene;
    open_scene(&scene, 1, 1);
    open_channel(&scene);
    expect_abort(start(&scene, 1));
    close_scene(&scene);
}

int
main(void)
{
    TEST(fills_connections_in_order_and_opens_more_when_full);
    TEST(the_peer_says_how_many_streams);
    TEST(answers_come_whole);
    TEST(backs_off_after_refused_connects_and_comes_back);
    TEST(a_peer_that_closes_or_leaves_at_once_is_not_stormed);
    TEST(a_late_answer_is_lost_and_the_connection_goes_on);
    TEST(refused_streams_were_not_processed);
    TEST(goaway_is_drained_and_a_new_connection_opened);
    TEST(a_reset_connection_loses_what_it_had);
    TEST(an_idle_connection_is_asked_first);
    TEST(an_idle_connection_that_is_dead_costs_nothing);
    TEST(a_black_hole_swallows_one_load_only);
    TEST(a_slow_answer_still_counts);
    TEST(drained_it_opens_nothing_and_finishes);
    TEST(closed_it_says_what_left_and_what_did_not);
    TEST(closed_while_it_connects);
    TEST(to_start_without_room_is_a_mistake);
    return test_end();
}
