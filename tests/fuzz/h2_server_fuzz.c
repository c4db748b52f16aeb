/*
 * A client made of the fuzzer's bytes, against our server, which answers, cuts, resets and goes
 * away as the bytes say. Every stream that was announced ends at most once.
 */
#include "sender/base/check.h"
#include "sender/h2/server.h"
#include "tests/unit/h2/frames.h"

#include <stdlib.h>

enum { TURNS_MAX = 400, STREAMS = 256 };

struct world {
    struct h2_server *server;
    struct span input;
    enum h2_error error;
    bool requested[STREAMS]; /* by stream id, as far as it reaches */
    bool ended[STREAMS];
    unsigned habit; /* what is done with requests, two bits each */
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
act(struct world *world, int32_t stream_id, unsigned what)
{
    static const struct field headers[] = {{SPAN("content-type"), SPAN("a/b")}};
    switch (what % 4) {
    case 0:
        h2_server_respond(world->server, stream_id, 200, headers, 1, SPAN("{}"));
        break;
    case 1: /* an answer in pieces; what is not known, or answered already, is ignored */
        h2_server_begin(world->server, stream_id, 500, NULL, 0);
        h2_server_data(world->server, stream_id, SPAN("half"), what % 8 < 4);
        break;
    case 2:
        h2_server_reset(world->server, stream_id, what);
        break;
    case 3:
        if (what % 16 == 3)
            h2_server_goaway(world->server, what % 32 == 3 ? -1 : stream_id);
        break;
    }
}

static void
on_request(void *context, const struct h2_server_request *request)
{
    struct world *world = context;
    check(request->stream_id > 0 && request->stream_id % 2 == 1);
    check(request->body.size <= 100);
    if (request->stream_id < STREAMS) {
        check(!world->requested[request->stream_id] && !world->ended[request->stream_id]);
        world->requested[request->stream_id] = true;
    }
    act(world, request->stream_id, world->habit);
    world->habit = world->habit >> 2 | world->habit << 6;
}

static bool
on_headers(void *context, int32_t stream_id)
{
    struct world *world = context;
    if (world->habit % 8 == 7)
        act(world, stream_id, world->habit >> 3);
    return world->habit % 16 != 5;
}

static void
on_stream_end(void *context, int32_t stream_id, uint32_t error_code)
{
    struct world *world = context;
    (void)error_code;
    if (stream_id < STREAMS) {
        check(!world->ended[stream_id]);
        world->ended[stream_id] = true;
    }
}

static void
receive(struct world *world, struct span bytes)
{
    if (world->error == H2_OK)
        world->error = h2_server_receive(world->server, bytes.data, bytes.size);
}

static void
receive_frame(struct world *world, int type)
{
    char memory[512];
    struct buffer frame;
    buffer_init(&frame, memory, sizeof(memory));
    int flags = (int)take_byte(world);
    int32_t stream_id = (int32_t)(take_byte(world) % 64);
    struct span payload = take_bytes(world, take_byte(world));
    put_frame(&frame, type, flags, stream_id, payload);
    size_t first = take_byte(world) % (frame.size + 1);
    receive(world, (struct span){memory, first});
    receive(world, (struct span){memory + first, frame.size - first});
}

/* A good request, so that the interesting states are not far. */
static void
receive_request(struct world *world)
{
    char memory[64];
    struct buffer frame;
    buffer_init(&frame, memory, sizeof(memory));
    int32_t stream_id = (int32_t)(take_byte(world) % 32) * 2 + 1;
    put_frame(&frame, FRAME_HEADERS, END_HEADERS, stream_id, SPAN("\x83\x87\x84\x01\x01z"));
    put_frame(&frame, FRAME_DATA, (int)(take_byte(world) % 2), stream_id, SPAN("{\"to\":1}"));
    receive(world, buffer_span(&frame));
}

static void
output(struct world *world, size_t room)
{
    char memory[65536];
    struct buffer out;
    buffer_init(&out, memory, room < sizeof(memory) ? room : sizeof(memory));
    enum h2_error error = h2_server_output(world->server, &out);
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
        world->habit = take_byte(world);
        break;
    case 12: {
        int32_t stream_id = (int32_t)(take_byte(world) % 64);
        act(world, stream_id, take_byte(world));
        break;
    }
    case 13:
        output(world, take_byte(world) * 64);
        break;
    case 14:
    case 15:
        receive_request(world);
        break;
    default:
        receive_frame(world, (int)(what % 16));
        break;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world world;
    world = (struct world){.input = {(const char *)data, size}};
    world.server = h2_server_open(
        &(struct h2_server_settings){.streams_max = 8, .window_size = 200, .body_size_max = 100},
        &(struct h2_server_events){
            .on_request = on_request, .on_headers = on_headers, .on_stream_end = on_stream_end},
        &world);
    if (take_byte(&world) % 4 != 0) { /* else the preface is the fuzzer's too */
        receive(&world, CLIENT_MAGIC);
        receive(&world, (struct span){"\0\0\0\4\0\0\0\0\0", 9});
    }
    for (int i = 0; i < TURNS_MAX && world.input.size > 0 && world.error == H2_OK; i++)
        turn(&world);
    output(&world, 65536);
    h2_server_close(world.server);
    return 0;
}
