/*
 * One exchange against a peer whose frames are written by hand: what each answer, refusal, reset
 * and lie comes to, fed whole and one byte at a time.
 */
#include "sender/h2/client.h"
#include "tests/unit/h2/caller.h"

enum { SCRIPT_SIZE = 256 * 1024, STILL_RUNNING = -1 };

struct script {
    const char *name;
    void (*write)(struct buffer *out); /* the peer's frames after its SETTINGS; stream 1 */
    int end; /* enum h2_end, or STILL_RUNNING: then losing it makes it lost */
    int status;
    const char *body;
    enum h2_error error; /* of receive, or of the output that follows */
    uint32_t retry_after_s;
};

static void
write_nothing(struct buffer *out)
{
    (void)out;
}

static void
write_answer(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200));
    put_frame(out, FRAME_DATA, END_STREAM, 1, SPAN("hello"));
}

static void
write_answer_in_pieces(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, 0, 1, SPAN(STATUS_200));
    put_frame(out, FRAME_CONTINUATION, 0, 1, SPAN("\x0f\x26"));
    put_frame(out, FRAME_CONTINUATION, END_HEADERS, 1,
              SPAN("\x01"
                   "9"));
    put_frame(out, FRAME_DATA, 0, 1, SPAN("he"));
    put_frame(out, FRAME_DATA, 0, 1, SPAN(""));
    put_frame(out, FRAME_DATA, PADDED, 1, SPAN("\x02ll\0\0"));
    put_frame(out, FRAME_DATA, 0, 1, SPAN("o"));
    put_frame(out, FRAME_DATA, END_STREAM, 1, SPAN(""));
}

static void
write_empty_answer(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(STATUS_500 RETRY_AFTER_7));
}

static void
write_informed_answer(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_103 RETRY_AFTER_7));
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_103));
    write_answer(out);
}

static void
write_only_news(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_103));
}

static void
write_news_with_end(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(STATUS_103));
}

static void
write_trailers(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200));
    put_frame(out, FRAME_DATA, 0, 1, SPAN("hello"));
    put_frame(out, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(TRAILER RETRY_AFTER_7));
}

static void
write_trailers_without_end(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200));
    put_frame(out, FRAME_DATA, 0, 1, SPAN("hello"));
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(TRAILER));
}

static void
write_headers_only(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200));
}

static void
write_body_without_end(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200 CONTENT_SIZE_5));
    put_frame(out, FRAME_DATA, 0, 1, SPAN("hello"));
}

static void
write_short_body(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200 CONTENT_SIZE_5));
    put_frame(out, FRAME_DATA, END_STREAM, 1, SPAN("hell"));
}

static void
write_refusal(struct buffer *out)
{
    put_reset(out, 1, CODE_REFUSED_STREAM);
}

static void
write_refusal_after_headers(struct buffer *out)
{
    write_headers_only(out);
    put_reset(out, 1, CODE_REFUSED_STREAM);
}

static void
write_refusal_after_news(struct buffer *out)
{
    write_only_news(out);
    put_reset(out, 1, CODE_REFUSED_STREAM);
}

static void
write_refusal_after_answer(struct buffer *out)
{
    write_answer(out);
    put_reset(out, 1, CODE_REFUSED_STREAM);
}

static void
write_reset(struct buffer *out)
{
    put_reset(out, 1, CODE_INTERNAL_ERROR);
}

static void
write_reset_without_error(struct buffer *out)
{
    put_reset(out, 1, CODE_NO_ERROR);
}

static void
write_reset_after_headers(struct buffer *out)
{
    write_headers_only(out);
    put_reset(out, 1, CODE_NO_ERROR);
}

static void
write_reset_after_body(struct buffer *out)
{
    write_body_without_end(out);
    put_reset(out, 1, CODE_NO_ERROR);
}

static void
write_goaway_below(struct buffer *out)
{
    put_goaway(out, 0, CODE_NO_ERROR);
}

static void
write_goaway_below_in_anger(struct buffer *out)
{
    put_goaway(out, 0, CODE_INTERNAL_ERROR);
}

static void
write_goaway_after_headers(struct buffer *out)
{
    write_headers_only(out);
    put_goaway(out, 0, CODE_NO_ERROR);
}

static void
write_goaway_at(struct buffer *out)
{
    put_goaway(out, 1, CODE_NO_ERROR);
}

static void
write_goaway_then_answer(struct buffer *out)
{
    put_goaway(out, 1, CODE_NO_ERROR);
    write_answer(out);
}

static void
write_goaway_twice(struct buffer *out)
{
    put_goaway(out, INT32_MAX, CODE_NO_ERROR);
    put_goaway(out, 0, CODE_NO_ERROR);
}

static void
write_growing_goaway(struct buffer *out)
{
    put_goaway(out, 1, CODE_NO_ERROR);
    put_goaway(out, 3, CODE_NO_ERROR);
}

static void
write_push(struct buffer *out)
{
    put_frame(out, FRAME_PUSH_PROMISE, END_HEADERS, 1, SPAN("\0\0\0\x02\x82\x87\x84"));
}

static void
write_garbage(struct buffer *out)
{
    buffer_put_text(out, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
}

static void
write_unknown_frame(struct buffer *out)
{
    put_frame(out, 0xbe, 0xff, 0, SPAN("grease"));
    put_frame(out, 0xbf, 0, 1, SPAN("grease"));
    write_answer(out);
}

static void
write_data_before_headers(struct buffer *out)
{
    put_frame(out, FRAME_DATA, END_STREAM, 1, SPAN("hello"));
}

static void
write_answer_to_nobody(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS | END_STREAM, 3, SPAN(STATUS_200));
}

static void
write_reset_of_nobody(struct buffer *out)
{
    put_reset(out, 3, CODE_REFUSED_STREAM);
}

static void
write_bad_status(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS | END_STREAM, 1,
              SPAN("\x08\x03"
                   "007"));
}

static void
write_no_status(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(TRAILER));
}

static void
write_status_101(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1,
              SPAN("\x08\x03"
                   "101"));
}

static void
write_bad_hpack(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN("\xff\xff\xff\xff\xff\xff"));
}

static void
write_oversize_frame(struct buffer *out)
{
    put_frame_header(out, 16385, FRAME_DATA, 0, 1);
}

static void
write_bad_window(struct buffer *out)
{
    put_window_update(out, 0, 0);
}

static void
write_window_overflow(struct buffer *out)
{
    put_window_update(out, 1, INT32_MAX);
}

static void
write_broken_continuation(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, 0, 1, SPAN(STATUS_200));
    put_frame(out, FRAME_PING, 0, 0, SPAN("12345678"));
}

/* One literal header of 20,000 bytes, twice: more than the list may have. */
static void
write_huge_headers(struct buffer *out)
{
    static char value[40200];
    struct buffer block;
    buffer_init(&block, value, sizeof(value));
    buffer_put(&block, STATUS_200, 1);
    for (int i = 0; i < 2; i++) {
        buffer_put(&block, "\x00\x01y\x7f\xa1\x9b\x01", 7); /* 127 + 0x21 + 0x1b × 128 + … */
        size_t size = 127 + 0x21 + 0x1b * 128 + 1 * 16384;
        memset(block.data + block.size, 'v', size);
        block.size += size;
    }
    size_t first = 16384;
    put_frame(out, FRAME_HEADERS, 0, 1, (struct span){block.data, first});
    put_frame(out, FRAME_CONTINUATION, 0, 1, (struct span){block.data + first, first});
    put_frame(out, FRAME_CONTINUATION, END_HEADERS, 1,
              (struct span){block.data + 2 * first, block.size - 2 * first});
}

/* 2,000 small headers: each costs 32 more than its bytes. */
static void
write_many_headers(struct buffer *out)
{
    static char block_memory[8001];
    struct buffer block;
    buffer_init(&block, block_memory, sizeof(block_memory));
    buffer_put(&block, STATUS_200, 1);
    for (int i = 0; i < 2000; i++)
        buffer_put(&block, "\x00\x01y\x00", 4);
    put_frame(out, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, buffer_span(&block));
}

static void
write_continuation_flood(struct buffer *out)
{
    put_frame(out, FRAME_HEADERS, 0, 1, SPAN(STATUS_200));
    for (int i = 0; i < 1000; i++)
        put_frame(out, FRAME_CONTINUATION, 0, 1, SPAN(""));
}

static void
write_ping_flood(struct buffer *out)
{
    for (int i = 0; i < 500; i++)
        put_frame(out, FRAME_PING, 0, 0, SPAN("12345678"));
}

static void
write_settings_flood(struct buffer *out)
{
    for (int i = 0; i < 500; i++)
        put_frame(out, FRAME_SETTINGS, 0, 0, SPAN(""));
}

static void
write_settings_of_many(struct buffer *out)
{
    put_frame_header(out, 6 * 100, FRAME_SETTINGS, 0, 0);
    for (int i = 0; i < 100; i++)
        buffer_put(out, "\0\x03\0\0\0\x64", 6);
}

static void
write_news_flood(struct buffer *out)
{
    for (int i = 0; i < 3000; i++)
        put_frame(out, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_103));
    write_answer(out);
}

static const struct script scripts[] = {
    {"nothing", write_nothing, STILL_RUNNING, 0, "", H2_OK, 0},
    {"answer", write_answer, H2_ANSWERED, 200, "hello", H2_OK, 0},
    {"answer in pieces", write_answer_in_pieces, H2_ANSWERED, 200, "hello", H2_OK, 9},
    {"empty answer", write_empty_answer, H2_ANSWERED, 500, "", H2_OK, 7},
    {"1xx first", write_informed_answer, H2_ANSWERED, 200, "hello", H2_OK, 0},
    {"1xx only", write_only_news, STILL_RUNNING, 0, "", H2_OK, 0},
    {"1xx with the end", write_news_with_end, H2_LOST, 0, "", H2_OK, 0},
    {"trailers", write_trailers, H2_ANSWERED, 200, "hello", H2_OK, 0},
    {"trailers without end", write_trailers_without_end, H2_LOST, 200, "hello", H2_OK, 0},
    {"headers only", write_headers_only, STILL_RUNNING, 200, "", H2_OK, 0},
    {"body without end", write_body_without_end, STILL_RUNNING, 200, "hello", H2_OK, 0},
    {"body shorter than it says", write_short_body, H2_LOST, 200, "hell", H2_OK, 0},
    {"refusal", write_refusal, H2_NOT_PROCESSED, 0, "", H2_OK, 0},
    {"refusal after headers", write_refusal_after_headers, H2_LOST, 200, "", H2_OK, 0},
    {"refusal after 1xx", write_refusal_after_news, H2_LOST, 0, "", H2_OK, 0},
    {"refusal after answer", write_refusal_after_answer, H2_ANSWERED, 200, "hello", H2_OK, 0},
    {"reset", write_reset, H2_LOST, 0, "", H2_OK, 0},
    {"reset without error", write_reset_without_error, H2_LOST, 0, "", H2_OK, 0},
    {"reset after headers", write_reset_after_headers, H2_LOST, 200, "", H2_OK, 0},
    {"reset after body", write_reset_after_body, H2_LOST, 200, "hello", H2_OK, 0},
    {"goaway below", write_goaway_below, H2_NOT_PROCESSED, 0, "", H2_ENDED, 0},
    {"goaway in anger", write_goaway_below_in_anger, H2_NOT_PROCESSED, 0, "", H2_ENDED, 0},
    {"goaway below what it answers", write_goaway_after_headers, H2_LOST, 200, "", H2_ENDED, 0},
    {"goaway at it", write_goaway_at, STILL_RUNNING, 0, "", H2_OK, 0},
    {"goaway, then answer", write_goaway_then_answer, H2_ANSWERED, 200, "hello", H2_ENDED, 0},
    {"goaway twice", write_goaway_twice, H2_NOT_PROCESSED, 0, "", H2_ENDED, 0},
    {"goaway that grows", write_growing_goaway, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"push", write_push, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"garbage", write_garbage, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"unknown frames", write_unknown_frame, H2_ANSWERED, 200, "hello", H2_OK, 0},
    {"data before headers", write_data_before_headers, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"answer to nobody", write_answer_to_nobody, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"reset of nobody", write_reset_of_nobody, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"bad status", write_bad_status, H2_LOST, 0, "", H2_OK, 0},
    {"no status", write_no_status, H2_LOST, 0, "", H2_OK, 0},
    {"status 101", write_status_101, H2_LOST, 0, "", H2_OK, 0},
    {"bad hpack", write_bad_hpack, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"oversize frame", write_oversize_frame, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"window update of 0", write_bad_window, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"window overflow", write_window_overflow, H2_LOST, 0, "", H2_OK, 0},
    {"broken continuation", write_broken_continuation, STILL_RUNNING, 200, "", H2_PROTOCOL, 0},
    {"huge headers", write_huge_headers, H2_LOST, 200, "", H2_OK, 0},
    {"many headers", write_many_headers, H2_LOST, 200, "", H2_OK, 0},
    {"continuation flood", write_continuation_flood, STILL_RUNNING, 200, "", H2_PROTOCOL, 0},
    {"ping flood", write_ping_flood, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"settings flood", write_settings_flood, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"settings of many", write_settings_of_many, STILL_RUNNING, 0, "", H2_PROTOCOL, 0},
    {"1xx flood", write_news_flood, H2_ANSWERED, 200, "hello", H2_OK, 0},
};

/* Feeds one script in chunks, and compares everything that can be known afterwards. */
static void
play(const struct script *script, struct span bytes, size_t chunk)
{
    struct caller caller;
    struct call call = {0};
    caller_open(&caller, 10);
    caller_start(&caller, &call, SPAN("{\"to\":1}"));
    caller_drain(&caller, 65536);
    expect(call.exchange.handed_out);

    caller_feed(&caller, bytes, chunk);
    caller_drain(&caller, 65536);
    expect_u64(caller.error, script->error);
    expect_u64(call.ends, script->end == STILL_RUNNING ? 0 : 1);
    expect_u64(h2_client_active(caller.client), script->end == STILL_RUNNING ? 1 : 0);
    if (script->error != H2_OK)
        expect_u64(h2_client_room(caller.client), 0);

    h2_client_lose(caller.client);
    expect_u64(call.ends, 1);
    expect_u64(call.end, script->end == STILL_RUNNING ? H2_LOST : script->end);
    expect_u64(call.exchange.complete, script->end == H2_ANSWERED);
    expect_u64(call.exchange.status, script->status);
    expect_u64(call.exchange.retry_after_s, script->retry_after_s);
    expect_span(buffer_span(&call.exchange.response), span_of(script->body));
    expect(!call.exchange.truncated);
    caller_close(&caller);
}

static void
every_script_comes_to_its_end(void)
{
    static char memory[SCRIPT_SIZE];
    static const size_t chunks[] = {SCRIPT_SIZE, 1, 7};
    for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
        struct buffer bytes;
        buffer_init(&bytes, memory, sizeof(memory));
        put_frame(&bytes, FRAME_SETTINGS, 0, 0, SPAN(""));
        scripts[i].write(&bytes);
        expect(!bytes.overflow);
        int before = test_failures_;
        for (size_t j = 0; j < sizeof(chunks) / sizeof(chunks[0]); j++)
            play(&scripts[i], buffer_span(&bytes), chunks[j]);
        if (test_failures_ != before)
            printf("  in script \"%s\"\n", scripts[i].name);
    }
}

/* Retry-After is a number of seconds, a date, or nothing. */
static void
reads_retry_after_strictly(void)
{
    static const struct {
        const char *value;
        uint32_t seconds;
        uint64_t at_s;
    } cases[] = {
        {"0", 0, 0},
        {"120", 120, 0},
        {"4294967295", UINT32_MAX, 0},
        {"4294967296", UINT32_MAX, 0},
        {"+5", 0, 0},
        {"5s", 0, 0},
        {"5, 6", 0, 0},
        {"-1", 0, 0},
        {"1e3", 0, 0},
        {"0x10", 0, 0},
        {"99999999999999999999", 0, 0},
        {"Wed, 21 Oct 2026 07:28:00 GMT", 0, 1792567680},
        {"Wed, 21 Oct 2026 07:28:00", 0, 0},
        {"12.5", 0, 0},
        {"", 0, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct caller caller;
        struct call call = {0};
        char memory[256];
        char block_memory[64];
        struct buffer bytes;
        struct buffer block;
        buffer_init(&block, block_memory, sizeof(block_memory));
        buffer_put(&block, STATUS_500 "\x0f\x26", 3);
        buffer_put_char(&block, (char)strlen(cases[i].value));
        buffer_put_text(&block, cases[i].value);
        buffer_init(&bytes, memory, sizeof(memory));
        put_frame(&bytes, FRAME_SETTINGS, 0, 0, SPAN(""));
        put_frame(&bytes, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, buffer_span(&block));

        caller_open(&caller, 10);
        caller_start(&caller, &call, SPAN("x"));
        caller_drain(&caller, 65536);
        caller_feed(&caller, buffer_span(&bytes), SIZE_MAX / 2);
        expect_u64(call.end, H2_ANSWERED);
        expect_u64(call.exchange.retry_after_s, cases[i].seconds);
        expect_u64(call.exchange.retry_at_s, cases[i].at_s);
        caller_close(&caller);
    }
}

/* A cut at every byte of the answer: it counts from the byte that completes END_STREAM's frame. */
static void
the_answer_counts_from_its_last_byte(void)
{
    char memory[512];
    struct buffer bytes;
    buffer_init(&bytes, memory, sizeof(memory));
    put_frame(&bytes, FRAME_SETTINGS, 0, 0, SPAN(""));
    put_frame(&bytes, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_103));
    write_body_without_end(&bytes);
    put_frame(&bytes, FRAME_HEADERS, END_HEADERS | END_STREAM, 1, SPAN(TRAILER));
    size_t answered_at = bytes.size;
    put_frame(&bytes, FRAME_RST_STREAM, 0, 1, SPAN("\0\0\0\0"));
    put_goaway(&bytes, 1, CODE_NO_ERROR);

    for (size_t cut = 0; cut <= bytes.size; cut++) {
        for (size_t chunk = 1; chunk <= cut + 1; chunk += cut + 1 > 1 ? cut : 1) {
            struct caller caller;
            struct call call = {0};
            caller_open(&caller, 10);
            caller_start(&caller, &call, SPAN("{\"to\":1}"));
            caller_drain(&caller, 65536);
            caller_feed(&caller, (struct span){bytes.data, cut}, chunk);
            h2_client_lose(caller.client);
            expect_u64(call.ends, 1);
            expect_u64(call.end, cut >= answered_at ? H2_ANSWERED : H2_LOST);
            caller_close(&caller);
        }
    }
}

/* A cut at every byte of our output, in buffers of many sizes: from the first byte of HEADERS on,
 * whether it is known to have arrived or not, the exchange may be lost; before it, it is not. */
static void
it_may_be_lost_from_the_first_byte_of_headers(void)
{
    struct caller caller;
    struct call call = {0};
    caller_open(&caller, 10);
    caller_start(&caller, &call, SPAN("{\"to\":1}"));
    caller_drain(&caller, 65536);
    size_t size = caller.out.size;
    size_t headers_at = 0;
    struct frame frame;
    for (size_t at = 0; next_frame(buffer_span(&caller.out), &at, &frame);)
        if (frame.type == FRAME_HEADERS)
            headers_at = frame.start;
    expect(headers_at > CLIENT_MAGIC.size);
    caller_close(&caller);

    for (size_t cut = 0; cut <= size; cut++) {
        caller_open(&caller, 10);
        caller_start(&caller, &call, SPAN("{\"to\":1}"));
        struct buffer part;
        char memory[4096];
        buffer_init(&part, memory, cut);
        expect_u64(h2_client_output(caller.client, &part), H2_OK);
        expect_u64(part.size, cut);
        expect_u64(call.exchange.handed_out, cut > headers_at);
        bool by_cancel = cut % 2 == 0; /* a time-out must come to the same as a lost connection */
        if (by_cancel)
            h2_client_cancel(caller.client, &call.exchange);
        else
            h2_client_lose(caller.client);
        expect_u64(call.ends, 1);
        expect_u64(call.end, cut > headers_at ? H2_LOST : H2_NOT_PROCESSED);
        expect_u64(call.exchange.cancelled, by_cancel);
        caller_close(&caller);
    }
}

int
main(void)
{
    TEST(every_script_comes_to_its_end);
    TEST(reads_retry_after_strictly);
    TEST(the_answer_counts_from_its_last_byte);
    TEST(it_may_be_lost_from_the_first_byte_of_headers);
    return test_end();
}
