/*
 * The server, against our client in memory and against hand-written frames.
 */
#include "sender/h2/server.h"
#include "sender/h2/memory.h"
#include "sender/base/random.h"
#include "tests/unit/h2/pair.h"

static const struct h2_server_settings usual = {.streams_max = 100, .body_size_max = 4096};
static const struct field json_header[] = {{SPAN("content-type"), SPAN("application/json")},
                                           {SPAN("retry-after"), SPAN("3")}};

static void
answer_with_its_body(struct pair *pair, const struct h2_server_request *request)
{
    h2_server_respond(pair->server, request->stream_id, 201, json_header, 2, request->body);
}

static void
expect_whole_request(struct pair *pair, const struct h2_server_request *request)
{
    expect_span(request->method, SPAN("POST"));
    expect_span(request->path, SPAN("/v23.0/1/messages"));
    expect_span(request->authorization, SPAN("Bearer EAAtest"));
    expect_span(request->content_type, SPAN("application/json"));
    expect_span(request->body, SPAN("{\"to\":1}"));
    expect(!request->too_large);
    answer_with_its_body(pair, request);
}

static void
requests_and_answers_in_pieces_of_any_size(void)
{
    static const size_t chunks[] = {1, 2, 3, 7, 8, 9, 10, 31, 100, 4096, 65536};
    for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
        struct pair pair;
        struct call call = {0};
        pair_open(&pair, &usual);
        pair.chunk = chunks[i];
        pair.on_request = expect_whole_request;
        caller_start(&pair.caller, &call, SPAN("{\"to\":1}"));
        pair_run(&pair);
        expect_u64(pair.requests, 1);
        expect_u64(pair.ends, 1);
        expect_u64(pair.last_error_code, 0);
        expect_u64(call.ends, 1);
        expect_u64(call.end, H2_ANSWERED);
        expect_u64(call.exchange.status, 201);
        expect_u64(call.exchange.retry_after_s, 3);
        expect_span(buffer_span(&call.exchange.response), SPAN("{\"to\":1}"));
        expect_u64(pair.caller.error, H2_OK);
        expect_u64(pair.server_error, H2_OK);
        pair_close(&pair);
    }
}

/* A connection cut after every byte that we sent, and after every byte of the answer: the server
 * took the request exactly when it has all of it, and the client never says "not processed" of
 * what the server may have seen. */
static void
a_cut_at_every_byte(void)
{
    for (int downstream = 0; downstream < 2; downstream++) {
        size_t moved = 0;
        for (size_t cut = 0; cut == 0 || moved == cut - 1; cut++) {
            struct pair pair;
            struct call call = {0};
            pair_open(&pair, &usual);
            pair.on_request = answer_with_its_body;
            caller_start(&pair.caller, &call, SPAN("{\"to\":1}"));
            moved = 0;
            if (downstream)
                while (pair_upstream(&pair, 65536) > 0)
                    ;
            size_t part;
            while (moved < cut && (part = downstream ? pair_downstream(&pair, cut - moved)
                                                     : pair_upstream(&pair, cut - moved)) > 0)
                moved += part;
            bool answered = call.ends > 0;
            h2_client_lose(pair.caller.client);
            expect_u64(call.ends, 1);
            expect_u64(answered, call.end == H2_ANSWERED);
            expect(call.end != H2_NOT_PROCESSED || (pair.requests == 0 && !downstream));
            expect(downstream || call.end != H2_ANSWERED);
            expect(answered == (call.exchange.complete && call.exchange.response.size == 8));
            if (moved < cut) /* everything went through */
                expect_u64(call.end, downstream ? H2_ANSWERED : H2_LOST);
            pair_close(&pair);
        }
        expect(moved > 60);
    }
}

static void
expect_large_body(struct pair *pair, const struct h2_server_request *request)
{
    expect(request->too_large);
    expect_u64(request->body.size, 4096);
    answer_with_its_body(pair, request);
}

static void
a_large_body_is_cut_and_says_so(void)
{
    static char body[300 * 1000];
    memset(body, 'b', sizeof(body));
    struct pair pair;
    struct call call = {0};
    pair_open(&pair, &(struct h2_server_settings){
                         .streams_max = 10, .body_size_max = 4096, .window_size = 1000});
    pair.on_request = expect_large_body;
    caller_start(&pair.caller, &call, (struct span){body, sizeof(body)});
    pair_run(&pair); /* through a window of 1,000 bytes */
    expect_u64(call.end, H2_ANSWERED);
    pair_close(&pair);
}

static void
an_answer_in_pieces(void)
{
    struct pair pair;
    struct call call = {0};
    pair_open(&pair, &usual);
    caller_start(&pair.caller, &call, SPAN("x"));
    pair_run(&pair);
    expect_u64(pair.requests, 1);
    int32_t id = pair.last_stream_id;
    h2_server_begin(pair.server, id, 200, NULL, 0);
    pair_run(&pair);
    expect_u64(call.exchange.status, 200);
    for (int i = 0; i < 3; i++) {
        h2_server_data(pair.server, id, SPAN("ab"), false);
        h2_server_data(pair.server, id, SPAN("c"), false);
        pair_run(&pair);
        expect_u64(call.exchange.response.size, 3 * (i + 1));
    }
    expect_u64(call.ends, 0);
    h2_server_begin(pair.server, id, 500, NULL, 0);             /* it has its answer already */
    h2_server_respond(pair.server, id, 500, NULL, 0, SPAN("")); /* likewise */
    h2_server_data(pair.server, id, SPAN("!"), true);
    h2_server_data(pair.server, id, SPAN("after the end"), true);
    pair_run(&pair);
    expect_u64(call.end, H2_ANSWERED);
    expect_u64(call.exchange.status, 200);
    expect_span(buffer_span(&call.exchange.response), SPAN("abcabcabc!"));
    h2_server_data(pair.server, id, SPAN("gone"), true); /* unknown by now */
    h2_server_reset(pair.server, id, 0);
    h2_server_respond(pair.server, 77, 200, NULL, 0, SPAN(""));
    h2_server_respond(pair.server, -5, 200, NULL, 0, SPAN(""));
    pair_run(&pair);
    expect_u64(pair.server_error, H2_OK);
    pair_close(&pair);
}

static void
an_answer_that_is_cut(void)
{
    struct pair pair;
    struct call call = {0};
    pair_open(&pair, &usual);
    caller_start(&pair.caller, &call, SPAN("x"));
    pair_run(&pair);
    h2_server_begin(pair.server, pair.last_stream_id, 200, NULL, 0);
    h2_server_data(pair.server, pair.last_stream_id, SPAN("{\"messages\":[{\"id\""), false);
    pair_run(&pair);
    h2_server_reset(pair.server, pair.last_stream_id, CODE_INTERNAL_ERROR);
    pair_run(&pair);
    expect_u64(call.end, H2_LOST);
    expect_u64(pair.ends, 1);
    expect_u64(pair.last_error_code, CODE_INTERNAL_ERROR);
    pair_close(&pair);
}

static bool
refuse_every_second(struct pair *pair, int32_t stream_id)
{
    (void)pair;
    return stream_id % 4 == 1;
}

static void
refuses_at_headers(void)
{
    struct pair pair;
    struct call calls[6] = {0};
    pair_open(&pair, &usual);
    pair.on_headers = refuse_every_second;
    pair.on_request = answer_with_its_body;
    for (int i = 0; i < 6; i++)
        caller_start(&pair.caller, &calls[i], i < 3 ? SPAN("x") : SPAN(""));
    pair_run(&pair);
    for (int i = 0; i < 6; i++)
        expect_u64(calls[i].end, i % 2 == 0 ? H2_ANSWERED : H2_NOT_PROCESSED);
    expect_u64(pair.requests, 3);
    expect_u64(pair.ends, 6);
    pair_close(&pair);
}

/* Ten requests are in, the answer to none has left: GOAWAY parts them. */
static void
goes_away(void)
{
    static const struct {
        int32_t last;
        int answered; /* of ten */
    } cases[] = {{-1, 10}, {0, 0}, {1, 1}, {7, 4}, {8, 4}, {19, 10}, {999, 10}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pair pair;
        struct call calls[12] = {0};
        pair_open(&pair, &usual);
        for (int j = 0; j < 10; j++)
            caller_start(&pair.caller, &calls[j], SPAN("x"));
        pair_run(&pair);
        expect_u64(pair.requests, 10);
        h2_server_goaway(pair.server, cases[i].last);
        pair.on_request = answer_with_its_body;
        for (int j = 10; j < 12; j++) /* they cross the GOAWAY */
            caller_start(&pair.caller, &calls[j], SPAN("late"));
        pair_upstream(&pair, 65536);
        expect_u64(pair.requests, 10);
        for (int32_t id = 1; id < 20; id += 2)
            h2_server_respond(pair.server, id, 200, NULL, 0, SPAN("ok"));
        pair_run(&pair);
        for (int j = 0; j < 12; j++)
            expect_u64(calls[j].end, j < cases[i].answered ? H2_ANSWERED : H2_NOT_PROCESSED);
        expect_u64(pair.ends, 10);
        expect_u64(pair.caller.error, H2_ENDED);
        expect_u64(pair.server_error, H2_ENDED);
        pair_close(&pair);
    }
}

static void
go_away_below(struct pair *pair, const struct h2_server_request *request)
{
    h2_server_goaway(pair->server, request->stream_id);
    answer_with_its_body(pair, request);
}

/* All ten arrive in one piece; what is above the GOAWAY of the first is never reported. */
static void
goes_away_from_inside_a_request(void)
{
    struct pair pair;
    struct call calls[10] = {0};
    pair_open(&pair, &usual);
    pair.on_request = go_away_below;
    for (int i = 0; i < 10; i++)
        caller_start(&pair.caller, &calls[i], SPAN("x"));
    pair_run(&pair);
    expect_u64(pair.requests, 1);
    expect_u64(calls[0].end, H2_ANSWERED);
    for (int i = 1; i < 10; i++)
        expect_u64(calls[i].end, H2_NOT_PROCESSED);
    pair_close(&pair);
}

static bool
answer_early(struct pair *pair, int32_t stream_id)
{
    h2_server_respond(pair->server, stream_id, 413, NULL, 0, SPAN("too large"));
    return true;
}

static void
answers_before_the_body_came(void)
{
    static char body[100 * 1000];
    struct pair pair;
    struct call call = {0};
    pair_open(&pair, &(struct h2_server_settings){
                         .streams_max = 10, .body_size_max = 4096, .window_size = 1000});
    pair.on_headers = answer_early;
    caller_start(&pair.caller, &call, (struct span){body, sizeof(body)});
    for (int i = 0; i < 20 && call.ends == 0; i++) {
        pair_upstream(&pair, 2000);
        pair_downstream(&pair, 65536);
        if (i == 3)
            h2_server_reset(pair.server, call.exchange.stream_id, CODE_NO_ERROR);
    }
    expect_u64(call.end, H2_ANSWERED);
    expect_u64(call.exchange.status, 413);
    pair_run(&pair);
    expect_u64(pair.requests, 0);
    expect_u64(pair.ends, 1);
    pair_close(&pair);
}

static void
limits_the_streams(void)
{
    struct pair pair;
    struct call calls[30] = {0};
    pair_open(&pair, &(struct h2_server_settings){.streams_max = 3, .body_size_max = 100});
    for (int i = 0; i < 10; i++) /* before its SETTINGS came 100 seem allowed */
        caller_start(&pair.caller, &calls[i], SPAN("x"));
    pair_run(&pair);
    expect_u64(pair.requests, 3);
    expect_u64(h2_client_room(pair.caller.client), 0);
    for (int i = 0; i < 10; i++) /* too many at once were refused: free to be sent again */
        expect(i < 3 ? calls[i].ends == 0 : calls[i].end == H2_NOT_PROCESSED);
    h2_server_respond(pair.server, 1, 200, NULL, 0, SPAN(""));
    pair_run(&pair);
    expect_u64(h2_client_room(pair.caller.client), 1);
    pair_close(&pair);
}

/* Warm it up, then count: not one malloc for ten thousand exchanges. */
static void
allocates_nothing_once_warm(void)
{
    enum { AT_ONCE = 50, ROUNDS = 200 };
    static struct call calls[AT_ONCE];
    struct pair pair;
    pair_open(&pair, &usual);
    pair.on_request = answer_with_its_body;
    const struct h2_memory_use *client = h2_client_memory(pair.caller.client);
    const struct h2_memory_use *server = h2_server_memory(pair.server);
    uint64_t client_mallocs = 0;
    uint64_t server_mallocs = 0;
    uint64_t taken = 0;
    for (int round = 0; round < ROUNDS; round++) {
        if (round == 20) {
            client_mallocs = client->mallocs;
            server_mallocs = server->mallocs;
            taken = client->taken;
        }
        for (int i = 0; i < AT_ONCE; i++)
            caller_start(&pair.caller, &calls[i], SPAN("{\"messaging_product\":\"whatsapp\"}"));
        if (round % 10 == 9)
            h2_client_cancel(pair.caller.client, &calls[round % AT_ONCE].exchange);
        pair_run(&pair);
        expect_u64(h2_client_active(pair.caller.client), 0);
    }
    expect_u64(client->mallocs, client_mallocs);
    expect_u64(server->mallocs, server_mallocs);
    expect(client->taken > taken + (ROUNDS - 20) * AT_ONCE);
    expect(client->refused == 0 && server->refused == 0);
    expect(client->held < 1024 * 1024);
    pair_close(&pair);
}

/* Frames no client of ours would send. The second SETTINGS is the server's business, not ours. */
struct hostile {
    const char *name;
    struct span bytes; /* after magic and SETTINGS, unless `raw` */
    bool raw;
    enum h2_error error;
    int requests;
};

#define FRAME(size, type, flags, stream) "\x00\x00" size type flags "\x00\x00\x00" stream
/* :method POST, :scheme https, :path /, :authority a */
#define POST_BLOCK                                                                                 \
    "\x83\x87\x84\x01\x01"                                                                         \
    "a"

static const struct hostile hostiles[] = {
    {"nothing", {"", 0}, true, H2_OK, 0},
    {"HTTP/1.1", {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27}, true, H2_PROTOCOL, 0},
    {"half a magic", {"PRI * HTTP/2.0\r\n\r\nSM", 20}, true, H2_OK, 0},
    {"TLS", {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}, true, H2_PROTOCOL, 0},
    {"request", SPAN(FRAME("\x06", "\x01", "\x05", "\x01") POST_BLOCK), false, H2_OK, 1},
    {"even stream", SPAN(FRAME("\x06", "\x01", "\x05", "\x02") POST_BLOCK), false, H2_PROTOCOL, 0},
    {"stream 0", SPAN(FRAME("\x06", "\x01", "\x05", "\x00") POST_BLOCK), false, H2_PROTOCOL, 0},
    {"falling ids",
     SPAN(FRAME("\x06", "\x01", "\x05", "\x05") POST_BLOCK FRAME("\x06", "\x01", "\x05", "\x03")
              POST_BLOCK),
     false, H2_OK, 1},
    {"data first", SPAN(FRAME("\x01", "\x00", "\x01", "\x01") "x"), false, H2_PROTOCOL, 0},
    {"no path", SPAN(FRAME("\x01", "\x01", "\x05", "\x01") "\x83"), false, H2_OK, 0},
    {"bad index", SPAN(FRAME("\x01", "\x01", "\x05", "\x01") "\xff"), false, H2_PROTOCOL, 0},
    {"table size", SPAN(FRAME("\x04", "\x01", "\x05", "\x01") "\x3f\xff\xff\x7f"), false,
     H2_PROTOCOL, 0},
    {"push from a client", SPAN(FRAME("\x05", "\x05", "\x04", "\x01") "\0\0\0\2\x83"), false,
     H2_PROTOCOL, 0},
    {"stray continuation", SPAN(FRAME("\x01", "\x09", "\x04", "\x01") "\x83"), false, H2_PROTOCOL,
     0},
    {"reset of nothing", SPAN(FRAME("\x04", "\x03", "\x00", "\x01") "\0\0\0\x08"), false,
     H2_PROTOCOL, 0},
    {"trailers",
     SPAN(FRAME("\x06", "\x01", "\x04", "\x01") POST_BLOCK FRAME("\x05", "\x01", "\x05", "\x01")
              TRAILER),
     false, H2_OK, 1},
    {"settings of 5 bytes", SPAN(FRAME("\x05", "\x04", "\x00", "\x00") "\0\3\0\0\0"), false,
     H2_PROTOCOL, 0},
    {"window of 2^31", SPAN(FRAME("\x06", "\x04", "\x00", "\x00") "\0\4\x80\0\0\0"), false,
     H2_PROTOCOL, 0},
    {"ping of 3 bytes", SPAN(FRAME("\x03", "\x06", "\x00", "\x00") "abc"), false, H2_PROTOCOL, 0},
    {"padding longer than data",
     SPAN(FRAME("\x06", "\x01", "\x04", "\x01")
              POST_BLOCK FRAME("\x02", "\x00", "\x09", "\x01") "\x05x"),
     false, H2_PROTOCOL, 0},
    {"unknown frame", SPAN(FRAME("\x03", "\xee", "\xff", "\x07") "abc"), false, H2_OK, 0},
    {"goaway", SPAN(FRAME("\x08", "\x07", "\x00", "\x00") "\0\0\0\0\0\0\0\0"), false, H2_ENDED, 0},
};

static void
feed_hostile(const struct hostile *hostile, size_t chunk)
{
    struct pair pair;
    pair_open(&pair, &usual);
    pair.on_request = answer_with_its_body;
    char memory[256];
    struct buffer bytes;
    buffer_init(&bytes, memory, sizeof(memory));
    if (!hostile->raw) {
        buffer_put_span(&bytes, CLIENT_MAGIC);
        put_frame(&bytes, FRAME_SETTINGS, 0, 0, SPAN(""));
    }
    buffer_put_span(&bytes, hostile->bytes);
    expect(!bytes.overflow);
    char out_memory[4096];
    struct buffer out;
    buffer_init(&out, out_memory, sizeof(out_memory));
    for (size_t at = 0; at < bytes.size && pair.server_error == H2_OK; at += chunk) {
        size_t size = bytes.size - at < chunk ? bytes.size - at : chunk;
        pair_note(&pair, h2_server_receive(pair.server, bytes.data + at, size));
    }
    pair_note(&pair, h2_server_output(pair.server, &out));
    expect_u64(pair.server_error, hostile->error);
    expect_u64(pair.requests, hostile->requests);
    pair_close(&pair);
}

static void
hostile_clients_are_told_so(void)
{
    for (size_t i = 0; i < sizeof(hostiles) / sizeof(hostiles[0]); i++) {
        int before = test_failures_;
        feed_hostile(&hostiles[i], 1000);
        feed_hostile(&hostiles[i], 1);
        if (test_failures_ != before)
            printf("  in \"%s\"\n", hostiles[i].name);
    }
}

/* The same bytes with some of them changed, ten thousand times. */
static void
changed_bytes_do_no_harm(void)
{
    struct pair pair;
    struct call calls[3] = {0};
    pair_open(&pair, &usual);
    for (int i = 0; i < 3; i++)
        caller_start(&pair.caller, &calls[i], SPAN("{\"to\":1}"));
    caller_drain(&pair.caller, 65536);
    static char good[4096];
    size_t size = pair.caller.out.size;
    memcpy(good, pair.caller.out.data, size);
    pair_close(&pair);

    struct random random;
    random_seed(&random, 11);
    for (int round = 0; round < 10000; round++) {
        char bytes[4096];
        memcpy(bytes, good, size);
        for (uint64_t i = 0; i <= random_below(&random, 4); i++)
            bytes[CLIENT_MAGIC.size + random_below(&random, size - CLIENT_MAGIC.size)] ^=
                (char)(1 + random_below(&random, 255));
        pair_open(&pair, &usual);
        pair.on_request = answer_with_its_body;
        size_t cut = random_below(&random, size);
        char out_memory[1000];
        struct buffer out;
        pair_note(&pair, h2_server_receive(pair.server, bytes, cut));
        buffer_init(&out, out_memory, sizeof(out_memory));
        pair_note(&pair, h2_server_output(pair.server, &out));
        pair_note(&pair, h2_server_receive(pair.server, bytes + cut, size - cut));
        buffer_init(&out, out_memory, sizeof(out_memory));
        pair_note(&pair, h2_server_output(pair.server, &out));
        expect(pair.requests <= 3 && pair.ends <= 3);
        pair_close(&pair);
    }
}

static void
headers_that_do_not_fit_reset_their_stream(void)
{
    static const int sizes[] = {3000, 5000, 20000, 40000};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct pair pair;
        struct call call = {0};
        static char path[40001];
        memset(path, 'p', sizeof(path));
        path[0] = '/';
        pair_open(&pair, &usual);
        pair.on_request = answer_with_its_body;
        buffer_init(&call.exchange.response, call.response_memory, CALL_RESPONSE_SIZE);
        h2_client_start(pair.caller.client, &call.exchange,
                        &(struct h2_request){.method = SPAN("GET"),
                                             .path = {path, (size_t)sizes[i]},
                                             .body = SPAN("")});
        pair.chunk = 1000; /* HEADERS and CONTINUATION leave in pieces */
        pair_run(&pair);
        expect_u64(call.end, sizes[i] < 4000 ? H2_ANSWERED : H2_LOST);
        expect_u64(pair.requests, sizes[i] < 4000 ? 1 : 0);
        expect_u64(pair.server_error, H2_OK);
        pair_close(&pair);
    }
}

int
main(void)
{
    TEST(requests_and_answers_in_pieces_of_any_size);
    TEST(a_cut_at_every_byte);
    TEST(a_large_body_is_cut_and_says_so);
    TEST(an_answer_in_pieces);
    TEST(an_answer_that_is_cut);
    TEST(refuses_at_headers);
    TEST(goes_away);
    TEST(goes_away_from_inside_a_request);
    TEST(answers_before_the_body_came);
    TEST(limits_the_streams);
    TEST(allocates_nothing_once_warm);
    TEST(hostile_clients_are_told_so);
    TEST(changed_bytes_do_no_harm);
    TEST(headers_that_do_not_fit_reset_their_stream);
    return test_end();
}
