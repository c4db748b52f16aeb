/*
 * Thousands of exchanges over connections on a bad day: every fault at random, from one seed.
 *
 * The server keeps its own book of what it took. Whatever happened, each exchange ends exactly
 * once; "answered" has the body the server wrote; "not processed" was never taken by the server.
 */
#include "sender/base/random.h"
#include "tests/unit/h2/pair.h"

enum { CONNECTIONS = 400, CALLS = 64, EXCHANGES_A_CONNECTION = 150 };

struct world {
    struct random random;
    struct pair pair;
    struct call calls[CALLS];
    uint32_t number[CALLS];  /* of the exchange under way in each call */
    bool *taken;             /* by number: the server reported it */
    int32_t open[CALLS * 4]; /* streams begun and not finished by the server */
    uint32_t open_number[CALLS * 4];
    size_t open_count;
    int32_t highest; /* stream id that the server took on this connection */
    uint32_t started;
    uint64_t ended[3]; /* by enum h2_end */
    bool lost;
};

static bool
roll(struct world *world, double probability)
{
    return random_chance(&world->random, probability);
}

static void
on_end(struct caller *caller, struct call *call)
{
    struct world *world = caller->context;
    uint32_t number = world->number[call - world->calls];
    expect_u64(call->ends, 1);
    world->ended[call->end]++;
    switch (call->end) {
    case H2_ANSWERED: {
        char text[32];
        snprintf(text, sizeof(text), "answer %u", number);
        expect(world->taken[number]);
        expect_span(buffer_span(&call->exchange.response), span_of(text));
        break;
    }
    case H2_NOT_PROCESSED:
        expect(!world->taken[number]);
        break;
    case H2_LOST:
        expect(call->exchange.handed_out);
        break;
    }
}

static void
on_request(struct pair *pair, const struct h2_server_request *request)
{
    struct world *world = pair->context;
    uint64_t number;
    struct span rest = request->path;
    (void)span_split(&rest, '#');
    expect(span_to_u64(rest, &number) && number < CONNECTIONS * EXCHANGES_A_CONNECTION);
    expect(!world->taken[number]); /* the client never sends one twice */
    world->taken[number] = true;
    if (request->stream_id > world->highest)
        world->highest = request->stream_id;
    char text[32];
    snprintf(text, sizeof(text), "answer %u", (unsigned)number);
    if (roll(world, 0.6)) {
        h2_server_respond(pair->server, request->stream_id, 200, NULL, 0, span_of(text));
    } else if (world->open_count < CALLS * 4) {
        world->open[world->open_count] = request->stream_id;
        world->open_number[world->open_count++] = (uint32_t)number;
    }
}

static bool
on_headers(struct pair *pair, int32_t stream_id)
{
    struct world *world = pair->context;
    if (roll(world, 0.003))
        h2_server_reset(pair->server, stream_id, CODE_INTERNAL_ERROR);
    return !roll(world, 0.03);
}

/* The server finishes, resets or forgets one of those it left open. */
static void
serve_one(struct world *world)
{
    if (world->open_count == 0)
        return;
    size_t index = random_below(&world->random, world->open_count);
    int32_t id = world->open[index];
    char text[32];
    snprintf(text, sizeof(text), "answer %u", world->open_number[index]);
    world->open_count--;
    world->open[index] = world->open[world->open_count];
    world->open_number[index] = world->open_number[world->open_count];

    struct h2_server *server = world->pair.server;
    switch (random_below(&world->random, 8)) {
    case 0:
        h2_server_reset(server, id, CODE_INTERNAL_ERROR);
        break;
    case 1:
        h2_server_begin(server, id, 200, NULL, 0); /* cut */
        h2_server_data(server, id, span_of(text), false);
        h2_server_reset(server, id, CODE_NO_ERROR);
        break;
    case 2:
        break; /* forgotten: the client's time-out, or the connection's end */
    case 3:
    case 4:
        h2_server_begin(server, id, 200, NULL, 0);
        for (const char *c = text; *c != '\0'; c++)
            h2_server_data(server, id, (struct span){c, 1}, false);
        h2_server_data(server, id, SPAN(""), true);
        break;
    default:
        h2_server_respond(server, id, 200, NULL, 0, span_of(text));
        break;
    }
}

static void
start_one(struct world *world)
{
    static char body[40 * 1000];
    size_t index = random_below(&world->random, CALLS);
    struct call *call = &world->calls[index];
    if (call->exchange.client != NULL || h2_client_room(world->pair.caller.client) == 0)
        return;
    uint32_t number = world->started++;
    world->number[index] = number;
    snprintf(call->path, sizeof(call->path), "/%zu#%u", index, number);
    size_t size = roll(world, 0.05) ? random_below(&world->random, sizeof(body))
                                    : random_below(&world->random, 500);
    caller_start(&world->pair.caller, call, (struct span){body, size});
}

static void
cancel_one(struct world *world)
{
    struct call *call = &world->calls[random_below(&world->random, CALLS)];
    if (call->exchange.client != NULL)
        h2_client_cancel(world->pair.caller.client, &call->exchange);
}

static size_t
some_bytes(struct world *world)
{
    return 1 + random_below(&world->random, roll(world, 0.5) ? 30 : 3000);
}

static void
step(struct world *world)
{
    switch (random_below(&world->random, 8)) {
    case 0:
    case 1:
        start_one(world);
        break;
    case 2:
        serve_one(world);
        break;
    case 3:
    case 4:
        (void)pair_upstream(&world->pair, some_bytes(world));
        break;
    case 5:
    case 6:
        (void)pair_downstream(&world->pair, some_bytes(world));
        break;
    case 7:
        if (roll(world, 0.1))
            cancel_one(world);
        if (roll(world, 0.002)) /* an honest server: never below what it took */
            h2_server_goaway(
                world->pair.server,
                roll(world, 0.5) ? -1 : world->highest + (int32_t)random_below(&world->random, 20));
        if (roll(world, 0.05))
            h2_client_ping(world->pair.caller.client);
        world->lost = roll(world, 0.001);
        break;
    }
}

static void
one_connection(struct world *world)
{
    struct pair *pair = &world->pair;
    pair_open(pair, &(struct h2_server_settings){
                        .streams_max = 1 + (uint32_t)random_below(&world->random, 100),
                        .window_size = roll(world, 0.5) ? 0 : 100,
                        .body_size_max = 1000});
    pair->context = world;
    pair->caller.context = world;
    pair->caller.on_end = on_end;
    pair->on_request = on_request;
    pair->on_headers = on_headers;
    world->open_count = 0;
    world->highest = 0;
    world->lost = false;
    uint32_t start = world->started;
    for (int i = 0; i < 20000 && !world->lost && pair->caller.error == H2_OK &&
                    world->started - start < EXCHANGES_A_CONNECTION;
         i++)
        step(world);
    expect(pair->caller.error != H2_PROTOCOL);
    expect(pair->server_error != H2_PROTOCOL);
    h2_client_lose(pair->caller.client);
    for (size_t i = 0; i < CALLS; i++)
        expect(world->calls[i].exchange.client == NULL);
    pair_close(pair);
}

static void
every_exchange_ends_once_and_truly(void)
{
    const char *seed = getenv("H2_RANDOM_SEED");
    struct world *world = calloc(1, sizeof(*world));
    world->taken = calloc(CONNECTIONS * EXCHANGES_A_CONNECTION, sizeof(bool));
    random_seed(&world->random, seed == NULL ? 1 : strtoull(seed, NULL, 10));
    for (int i = 0; i < CONNECTIONS; i++)
        one_connection(world);
    uint64_t ended =
        world->ended[H2_ANSWERED] + world->ended[H2_NOT_PROCESSED] + world->ended[H2_LOST];
    printf("%u exchanges: %" PRIu64 " answered, %" PRIu64 " not processed, %" PRIu64 " lost\n",
           world->started, world->ended[H2_ANSWERED], world->ended[H2_NOT_PROCESSED],
           world->ended[H2_LOST]);
    expect_u64(ended, world->started);
    for (int end = 0; end < 3; end++) /* the dice reached every end often enough */
        expect(world->ended[end] > 1000);
    free(world->taken);
    free(world);
}

int
main(void)
{
    TEST(every_exchange_ends_once_and_truly);
    return test_end();
}
