/*
 * A server made of the fuzzer's bytes, against our client. The bytes are a program: frames (so
 * that the fuzzer need not guess lengths), raw bytes, and what the owner does in between. Each
 * exchange must end exactly once, and as it may.
 */
#include "sender/base/check.h"
#include "sender/base/timers.h" /* container_of */
#include "sender/h2/client.h"
#include "tests/unit/h2/frames.h"

#include <stdlib.h>

enum { CALLS = 8, TURNS_MAX = 400 };

struct call {
    struct h2_exchange exchange;
    char response[64];
    bool under_way;
};

struct world {
    struct h2_client *client;
    struct call calls[CALLS];
    struct span input;
    enum h2_error error;
    uint32_t starts_inside; /* exchanges that on_end may still start */
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned
take_byte(struct world *world)
{
    if (world->input.size == 0)
        return 0;
    unsigned byte = (unsigned char)world->input.data[0];
    world->input.data++;
    world->input.size--;
    return byte;
}

static struct span
take_bytes(struct world *world, size_t size)
{
    if (size > world->input.size)
        size = world->input.size;
    struct span bytes = {world->input.data, size};
    world->input.data += size;
    world->input.size -= size;
    return bytes;
}

static void
start(struct world *world, unsigned index)
{
    static const char body[20000];
    struct call *call = &world->calls[index % CALLS];
    if (call->under_way || h2_client_room(world->client) == 0)
        return;
    call->under_way = true;
    buffer_init(&call->exchange.response, call->response, sizeof(call->response));
    h2_client_start(world->client, &call->exchange,
                    &(struct h2_request){.method = SPAN("POST"),
                                         .path = SPAN("/m"),
                                         .authorization = SPAN("Bearer t"),
                                         .content_type = SPAN("a/b"),
                                         .body = {body, index < 128 ? index : sizeof(body)}});
}

static void
on_end(void *context, struct h2_exchange *exchange, enum h2_end end)
{
    struct world *world = context;
    struct call *call = container_of(exchange, struct call, exchange);
    check(call->under_way);
    call->under_way = false;
    check((end == H2_ANSWERED) == exchange->complete);
    check(end != H2_ANSWERED || (exchange->handed_out && exchange->status >= 200));
    check(end != H2_LOST || exchange->handed_out);
    check(end != H2_NOT_PROCESSED || exchange->status == 0);
    check(exchange->response.size <= sizeof(call->response));
    if (world->starts_inside > 0) {
        world->starts_inside--;
        start(world, (unsigned)(call - world->calls));
    }
}

static void
on_pong(void *context)
{
    (void)context;
}

static void
receive(struct world *world, struct span bytes)
{
    if (world->error == H2_OK)
        world->error = h2_client_receive(world->client, bytes.data, bytes.size);
}

static void
receive_frame(struct world *world, int type)
{
    char memory[512];
    struct buffer frame;
    buffer_init(&frame, memory, sizeof(memory));
    int flags = (int)take_byte(world);
    int32_t stream_id = (int32_t)(take_byte(world) % 32);
    struct span payload = take_bytes(world, take_byte(world));
    put_frame(&frame, type, flags, stream_id, payload);
    size_t first = take_byte(world) % (frame.size + 1);
    receive(world, (struct span){memory, first});
    receive(world, (struct span){memory + first, frame.size - first});
}

static void
output(struct world *world, size_t room)
{
    char memory[65536];
    struct buffer out;
    buffer_init(&out, memory, room < sizeof(memory) ? room : sizeof(memory));
    enum h2_error error = h2_client_output(world->client, &out);
    if (world->error == H2_OK)
        world->error = error;
}

static void
turn(struct world *world)
{
    unsigned what = take_byte(world);
    switch (what % 16) {
    case 10:
        receive(world, take_bytes(world, take_byte(world)));
        break;
    case 11:
        start(world, take_byte(world));
        break;
    case 12: {
        struct call *call = &world->calls[take_byte(world) % CALLS];
        if (call->under_way)
            h2_client_cancel(world->client, &call->exchange);
        break;
    }
    case 13:
        output(world, take_byte(world) * 64);
        break;
    case 14:
        h2_client_ping(world->client);
        break;
    case 15:
        world->starts_inside += 2;
        break;
    default:
        receive_frame(world, (int)(what % 16));
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct world world = {.input = {(const char *)data, size}};
    world.client =
        h2_client_open(&(struct h2_client_settings){.authority = SPAN("a"), .exchanges_max = CALLS},
                       &(struct h2_client_events){.on_end = on_end, .on_pong = on_pong}, &world);
    for (unsigned i = 0; i < 3; i++)
        start(&world, i * 64);
    if (take_byte(&world) % 2 == 0) { /* else the preface is the fuzzer's too */
        output(&world, 65536);
        receive(&world, (struct span){"\0\0\0\4\0\0\0\0\0", 9});
    }
    for (int i = 0; i < TURNS_MAX && world.input.size > 0 && world.error == H2_OK; i++)
        turn(&world);
    output(&world, 65536);
    h2_client_lose(world.client);
    for (size_t i = 0; i < CALLS; i++)
        check(!world.calls[i].under_way);
    h2_client_close(world.client);
    return 0;
}
