#include "tests/simulation/graph.h"

#include "sender/base/check.h"
#include "sender/h2/server.h"
#include "tests/simulation/graph_answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECTION_MAGIC = 0x67726170, STREAMS_MAX = 32, OUTPUT_SIZE = 16 * 1024 };

/* An answer on its way: of one stream of one connection. */
struct pending {
    struct graph_connection *connection;
    struct timer timer;
    int32_t stream_id;
    enum graph_mood mood;
    uint32_t attempt; /* index in the truth; UINT32_MAX: not taken */
    struct pending *next;
};

struct graph_connection {
    uint32_t magic;
    struct graph *graph;
    struct wire *wire;
    struct h2_server *server;
    struct pending *pending;
    bool ending;
    struct graph_connection *next;
};

static void
end_connection(struct graph_connection *connection)
{
    struct graph *graph = connection->graph;
    struct graph_connection **place = &graph->connections;
    while (*place != connection)
        place = &(*place)->next;
    *place = connection->next;
    while (connection->pending != NULL) {
        struct pending *pending = connection->pending;
        connection->pending = pending->next;
        timer_stop(&graph->world->agenda, &pending->timer);
        free(pending);
    }
    h2_server_close(connection->server);
    connection->magic = 0;
    free(connection);
}

/* What the session has to say goes out. H2_PROTOCOL is the product's fault. */
static void
flush(struct graph_connection *connection, enum h2_error error)
{
    char memory[OUTPUT_SIZE];
    struct buffer out;
    while (error == H2_OK && h2_server_wants_output(connection->server)) {
        buffer_init(&out, memory, sizeof(memory));
        error = h2_server_output(connection->server, &out);
        if (out.size == 0)
            break;
        wire_send(connection->wire, WIRE_PEER, out.data, out.size);
    }
    if (error == H2_PROTOCOL)
        world_fault(connection->graph->world, "the worker broke HTTP/2");
    if (error == H2_OK && !connection->ending)
        return;
    wire_leave(connection->wire, WIRE_PEER);
    end_connection(connection);
}

/* ---- answering --------------------------------------------------------------------------------
 */

static void
respond(struct graph_connection *connection, int32_t stream_id, const struct graph_answer *answer)
{
    char number[16];
    snprintf(number, sizeof(number), "%u", answer->retry_after_s);
    const struct field headers[] = {{SPAN("content-type"), SPAN("application/json")},
                                    {SPAN("retry-after"), span_of(number)}};
    h2_server_respond(connection->server, stream_id, answer->status, headers,
                      answer->retry_after_s > 0 ? 2 : 1, buffer_span(&answer->body));
}

/* The head and a beginning of the body, and then no more. */
static void
respond_cut(struct graph_connection *connection, int32_t stream_id,
            const struct graph_answer *answer)
{
    struct world *world = connection->graph->world;
    struct span part = {answer->body.data, random_below(&world->dice, answer->body.size)};
    h2_server_begin(connection->server, stream_id, answer->status, NULL, 0);
    h2_server_data(connection->server, stream_id, part, false);
}

static void
give_answer(struct graph_connection *connection, const struct pending *pending)
{
    struct graph *graph = connection->graph;
    struct world *world = graph->world;
    struct graph_answer answer = {0};
    if (pending->attempt != UINT32_MAX)
        graph_answer_accept(&answer, &graph->truth.attempts[pending->attempt]);
    switch (pending->mood) {
    case MOOD_ACCEPT:
    case MOOD_ACCEPT_SLOWLY:
    case MOOD_GOAWAY:
        respond(connection, pending->stream_id, &answer);
        return;
    case MOOD_ACCEPT_SILENTLY:
    case MOOD_SWALLOW:
    case MOOD_FAIL_BY_RECEIPT:
        return;
    case MOOD_ACCEPT_AND_CUT:
        respond_cut(connection, pending->stream_id, &answer);
        connection->ending = true;
        return;
    case MOOD_CUT:
        connection->ending = true;
        return;
    case MOOD_ACCEPT_AND_RESET:
        if (world_chance(world, 500000))
            respond_cut(connection, pending->stream_id, &answer);
        h2_server_reset(connection->server, pending->stream_id, 2 /* INTERNAL_ERROR */);
        return;
    case MOOD_RESET:
        h2_server_reset(connection->server, pending->stream_id, 8 /* CANCEL */);
        return;
    case MOOD_ACCEPT_AND_ERR:
    case MOOD_ERR:
    case MOOD_RETRY:
    case MOOD_THROTTLE:
    case MOOD_UNAVAILABLE:
    case MOOD_PAIR:
    case MOOD_TOKEN:
    case MOOD_PERMANENT:
        graph_answer_error(&answer, pending->mood, &world->dice);
        respond(connection, pending->stream_id, &answer);
        return;
    case MOOD_REFUSE:
    case MOOD_COUNT:
        break;
    }
    check(!"a mood that does not answer");
}

static void
on_answer_due(struct timer *timer)
{
    struct pending *pending = container_of(timer, struct pending, timer);
    struct graph_connection *connection = pending->connection;
    check_magic(connection, CONNECTION_MAGIC);
    struct pending **place = &connection->pending;
    while (*place != pending)
        place = &(*place)->next;
    *place = pending->next;
    give_answer(connection, pending);
    free(pending);
    flush(connection, H2_OK);
}

/* ---- requests ---------------------------------------------------------------------------------
 */

static uint64_t
sum_of_moods(const struct world *world)
{
    uint64_t sum = 0;
    for (int mood = 0; mood < MOOD_COUNT; mood++)
        sum += world->weather.moods[mood];
    return sum;
}

/* Refusing is drawn when the headers come, before there is a request. */
static enum graph_mood
draw_mood(struct world *world, uint32_t account)
{
    if (world->weather.fair && account > 0)
        return MOOD_ACCEPT; /* only the account with the backlog is throttled */
    const uint32_t *weights = world->weather.moods;
    uint64_t at = random_below(&world->dice, sum_of_moods(world) - weights[MOOD_REFUSE]);
    int mood = 0;
    while (mood == MOOD_REFUSE || at >= weights[mood]) {
        at -= mood == MOOD_REFUSE ? 0 : weights[mood];
        mood++;
    }
    return (enum graph_mood)mood;
}

static bool
is_taken(enum graph_mood mood)
{
    return mood <= MOOD_ACCEPT_AND_ERR || mood == MOOD_FAIL_BY_RECEIPT || mood == MOOD_GOAWAY;
}

/* A pair that is put off again and again waits for hours: enough is enough. */
static enum graph_mood
spare_pair(struct graph *graph, enum graph_mood mood, struct span body)
{
    uint8_t *hits = &graph->pair_hits[span_hash(truth_recipient(body)) % GRAPH_PAIRS];
    if (mood != MOOD_PAIR)
        return mood;
    return (*hits)++ < GRAPH_PAIR_HITS_MAX ? mood : MOOD_ACCEPT;
}

/* "/v26.0/100007/messages": account 7. */
static bool
read_path(struct span path, uint32_t *account)
{
    struct span start = SPAN("/v26.0/");
    if (!span_starts(path, start))
        return false;
    struct span rest = {path.data + start.size, path.size - start.size};
    uint64_t id = 0;
    if (!span_to_u64(span_split(&rest, '/'), &id) || !span_equal(rest, SPAN("messages")))
        return false;
    *account = (uint32_t)(id - GRAPH_ID_FIRST);
    return id >= GRAPH_ID_FIRST && id < GRAPH_ID_FIRST + GRAPH_ACCOUNTS_MAX;
}

static void
schedule(struct graph_connection *connection, struct pending *pending)
{
    struct graph *graph = connection->graph;
    struct world *world = graph->world;
    uint64_t wait_us = world_between(world, 100, 100 + world->weather.answer_us);
    if (pending->mood == MOOD_ACCEPT_SLOWLY)
        wait_us += world_between(world, 0, 5000000);
    pending->connection = connection;
    pending->next = connection->pending;
    connection->pending = pending;
    timer_init(&pending->timer, on_answer_due);
    timer_start(&world->agenda, &pending->timer, world->now_us + wait_us);
    if (pending->attempt != UINT32_MAX)
        graph->on_taken(graph->context, pending->attempt, wait_us);
}

static void
on_request(void *context, const struct h2_server_request *request)
{
    struct graph_connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    struct graph *graph = connection->graph;
    struct world *world = graph->world;
    struct pending *pending = check_alloc(1, sizeof(*pending));
    uint32_t account;
    if (!read_path(request->path, &account)) {
        world_fault(world, "a request to %.*s", SPAN_ARG(request->path));
        account = 0;
    }
    graph->requests++;
    graph->on_request(graph->context, account, truth_number(request->body));
    pending->mood = spare_pair(graph, draw_mood(world, account), request->body);
    if (pending->mood == MOOD_TOKEN)
        graph->token_is_bad[account] = true;
    if (graph->token_is_bad[account])
        pending->mood = MOOD_TOKEN;
    graph->moods[pending->mood]++;
    pending->stream_id = request->stream_id;
    pending->attempt = UINT32_MAX;
    if (is_taken(pending->mood)) {
        bool fails = pending->mood == MOOD_FAIL_BY_RECEIPT;
        pending->attempt = truth_add(&graph->truth, account, request->body, fails);
        if (pending->attempt == UINT32_MAX) {
            world_fault(world, "a request that is not as agreed: %.*s", SPAN_ARG(request->body));
            pending->mood = MOOD_PERMANENT;
        } else {
            graph->truth.attempts[pending->attempt].at_us = world->now_us;
        }
    }
    world_tell(world, "graph", "request N-%u: %s", truth_number(request->body),
               graph_mood_text(pending->mood));
    if (pending->mood == MOOD_GOAWAY)
        h2_server_goaway(connection->server, -1);
    schedule(connection, pending);
}

static bool
on_headers(void *context, int32_t stream_id)
{
    struct graph_connection *connection = context;
    struct world *world = connection->graph->world;
    if (random_below(&world->dice, sum_of_moods(world)) >= world->weather.moods[MOOD_REFUSE])
        return true;
    connection->graph->moods[MOOD_REFUSE]++;
    world_tell(world, "graph", "stream %d is refused", stream_id);
    return false;
}

/* ---- connections ------------------------------------------------------------------------------
 */

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct graph_connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    flush(connection, h2_server_receive(connection->server, data, size));
}

static void
on_end(void *context, const char *reason)
{
    struct graph_connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    (void)reason;
    end_connection(connection);
}

static void
on_connect(void *context, struct wire *wire)
{
    struct graph *graph = context;
    struct graph_connection *connection = check_alloc(1, sizeof(*connection));
    static const struct h2_server_events events = {.on_request = on_request,
                                                   .on_headers = on_headers};
    const struct h2_server_settings settings = {.streams_max = STREAMS_MAX,
                                                .body_size_max = 16 * 1024};
    const struct wire_end end = {on_bytes, on_end, connection};
    connection->magic = CONNECTION_MAGIC;
    connection->graph = graph;
    connection->wire = wire;
    connection->server = h2_server_open(&settings, &events, connection);
    connection->next = graph->connections;
    graph->connections = connection;
    wire_accept(wire, &end);
}

void
graph_open(struct graph *graph, struct world *world)
{
    *graph = (struct graph){.world = world};
    graph->server =
        (struct net_server){.name = "graph.test", .on_connect = on_connect, .context = graph};
    net_listen(&graph->server);
}

void
graph_close(struct graph *graph)
{
    net_forget(&graph->server);
    check(graph->connections == NULL);
    truth_close(&graph->truth);
}

uint32_t
graph_connections(const struct graph *graph)
{
    uint32_t count = 0;
    for (const struct graph_connection *c = graph->connections; c != NULL; c = c->next)
        count++;
    return count;
}
