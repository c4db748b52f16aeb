/*
 * The client against hand-written frames: how many may start, windows, cancelling, going away,
 * answers that come early, and what its owner may do from inside on_end.
 */
#include "sender/h2/client.h"
#include "sender/h2/client_state.h" /* to come near the last stream id */
#include "tests/unit/h2/caller.h"

enum { CALLS = 200 };

struct peer {
    struct caller caller;
    struct call calls[CALLS];
    struct buffer frames; /* to be fed */
    char frames_memory[8192];
};

static struct peer *
peer_open(uint32_t exchanges_max)
{
    struct peer *peer = calloc(1, sizeof(*peer));
    caller_open(&peer->caller, exchanges_max);
    peer->caller.context = peer;
    buffer_init(&peer->frames, peer->frames_memory, sizeof(peer->frames_memory));
    return peer;
}

static void
peer_close(struct peer *peer)
{
    caller_close(&peer->caller);
    for (size_t i = 0; i < CALLS; i++)
        expect(peer->calls[i].exchange.magic == 0 || peer->calls[i].ends == 1);
    free(peer);
}

/* Feeds the frames written since the last time, and takes all output. */
static void
peer_turn(struct peer *peer)
{
    expect(!peer->frames.overflow);
    caller_feed(&peer->caller, buffer_span(&peer->frames), 8192);
    buffer_reset(&peer->frames);
    caller_drain(&peer->caller, 1000);
}

static void
peer_settle(struct peer *peer)
{
    put_frame(&peer->frames, FRAME_SETTINGS, 0, 0, SPAN(""));
    peer_turn(peer);
}

static void
peer_answer(struct peer *peer, int32_t stream_id)
{
    put_frame(&peer->frames, FRAME_HEADERS, END_HEADERS | END_STREAM, stream_id, SPAN(STATUS_200));
}

static void
peer_start(struct peer *peer, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++)
        caller_start(&peer->caller, &peer->calls[i], SPAN("0123456789"));
}

static struct span
peer_out(const struct peer *peer)
{
    return buffer_span(&peer->caller.out);
}

static void
room_follows_the_peers_settings(void)
{
    struct peer *peer = peer_open(150);
    struct h2_client *client = peer->caller.client;
    expect_u64(h2_client_room(client), 100);
    expect(!h2_client_is_ready(client));
    peer_settle(peer); /* no limit of the peer's: ours */
    expect(h2_client_is_ready(client));
    expect_u64(h2_client_room(client), 150);
    put_setting(&peer->frames, SETTING_STREAMS_MAX, 5);
    peer_turn(peer);
    expect_u64(h2_client_room(client), 5);
    peer_start(peer, 0, 5);
    expect_u64(h2_client_room(client), 0);
    expect_u64(h2_client_active(client), 5);
    peer_turn(peer);

    put_setting(&peer->frames, SETTING_STREAMS_MAX, 2); /* lowered below what is under way */
    peer_turn(peer);
    expect_u64(h2_client_room(client), 0);
    for (int32_t id = 1; id <= 3; id += 2)
        peer_answer(peer, id);
    peer_turn(peer);
    expect_u64(h2_client_room(client), 0);
    expect_u64(h2_client_active(client), 3);
    put_setting(&peer->frames, SETTING_STREAMS_MAX, 0);
    peer_turn(peer);
    for (int32_t id = 5; id <= 9; id += 2)
        peer_answer(peer, id);
    peer_turn(peer);
    expect_u64(h2_client_active(client), 0);
    expect_u64(h2_client_room(client), 0);
    expect_u64(peer->caller.error, H2_OK);
    put_setting(&peer->frames, SETTING_STREAMS_MAX, 1000);
    peer_turn(peer);
    expect_u64(h2_client_room(client), 150);
    peer_close(peer);
}

/* What was started before the limit was lowered waits inside, and is not handed out. */
static void
lowered_limit_holds_back_what_has_not_left(void)
{
    struct peer *peer = peer_open(10);
    peer_settle(peer);
    peer_start(peer, 0, 4);
    put_setting(&peer->frames, SETTING_STREAMS_MAX, 2);
    peer_turn(peer);
    expect(peer->calls[0].exchange.handed_out && peer->calls[1].exchange.handed_out);
    expect(!peer->calls[2].exchange.handed_out && !peer->calls[3].exchange.handed_out);
    expect_u64(count_frames(peer_out(peer), FRAME_HEADERS, 5), 0);

    h2_client_cancel(peer->caller.client, &peer->calls[2].exchange);
    expect_u64(peer->calls[2].end, H2_NOT_PROCESSED);
    peer_answer(peer, 1);
    peer_turn(peer);
    expect_u64(count_frames(peer_out(peer), FRAME_HEADERS, 5), 0); /* cancelled: never sent */
    expect_u64(count_frames(peer_out(peer), FRAME_RST_STREAM, 5), 0);
    expect_u64(count_frames(peer_out(peer), FRAME_HEADERS, 7), 1);
    expect(peer->calls[3].exchange.handed_out);

    h2_client_lose(peer->caller.client);
    expect_u64(peer->calls[0].end, H2_ANSWERED);
    expect_u64(peer->calls[1].end, H2_LOST);
    expect_u64(peer->calls[3].end, H2_LOST);
    peer_close(peer);
}

static void
goaway_parts_the_exchanges(void)
{
    struct peer *peer = peer_open(10);
    peer_settle(peer);
    peer_start(peer, 0, 4);
    peer_turn(peer);
    put_setting(&peer->frames, SETTING_STREAMS_MAX, 1); /* the next two stay inside */
    peer_turn(peer);
    put_setting(&peer->frames, SETTING_STREAMS_MAX, 100);
    caller_feed(&peer->caller, buffer_span(&peer->frames), 8192);
    buffer_reset(&peer->frames);
    peer_start(peer, 4, 6);
    put_setting(&peer->frames, SETTING_STREAMS_MAX, 1);
    put_goaway(&peer->frames, 3, CODE_NO_ERROR);
    peer_turn(peer);
    expect(h2_client_is_going_away(peer->caller.client));
    expect_u64(h2_client_room(peer->caller.client), 0);
    expect_u64(peer->caller.ends, 4);
    for (size_t i = 2; i < 6; i++)
        expect_u64(peer->calls[i].end, H2_NOT_PROCESSED);
    expect(peer->calls[3].exchange.handed_out && !peer->calls[4].exchange.handed_out);

    peer_answer(peer, 3); /* those below go on */
    peer_turn(peer);
    expect_u64(peer->calls[1].end, H2_ANSWERED);
    expect_u64(peer->caller.error, H2_OK);
    put_reset(&peer->frames, 1, CODE_INTERNAL_ERROR);
    peer_turn(peer);
    expect_u64(peer->calls[0].end, H2_LOST);
    expect_u64(peer->caller.error, H2_ENDED);
    expect_u64(h2_client_receive(peer->caller.client, "", 0), H2_ENDED);
    peer_close(peer);
}

static void
goaway_without_work_ends_at_once(void)
{
    struct peer *peer = peer_open(10);
    put_frame(&peer->frames, FRAME_SETTINGS, 0, 0, SPAN(""));
    put_goaway(&peer->frames, 0, CODE_NO_ERROR);
    peer_turn(peer);
    expect_u64(peer->caller.error, H2_ENDED);
    peer_close(peer);
}

/* The last odd ids of 31 bits. */
static void
stream_ids_run_out(void)
{
    struct peer *peer = peer_open(100);
    struct h2_client *client = peer->caller.client;
    peer_settle(peer);
    expect(nghttp2_session_set_next_stream_id(client->session.nghttp2, INT32_MAX - 4) == 0);
    expect_u64(h2_client_room(client), 3);
    peer_start(peer, 0, 2);
    expect_u64(h2_client_room(client), 1);
    expect(!h2_client_is_going_away(client));
    peer_start(peer, 2, 3);
    expect_u64(peer->calls[2].exchange.stream_id, INT32_MAX);
    expect_u64(h2_client_room(client), 0);
    expect(h2_client_is_going_away(client));
    peer_turn(peer);
    expect_u64(peer->caller.error, H2_OK);
    for (int32_t i = 0; i < 3; i++)
        peer_answer(peer, INT32_MAX - 4 + 2 * i);
    peer_turn(peer);
    expect_u64(peer->caller.ends, 3);
    expect_u64(peer->calls[2].end, H2_ANSWERED);
    expect_u64(peer->caller.error, H2_ENDED);
    peer_close(peer);
}

static void
obeys_the_streams_window(void)
{
    struct peer *peer = peer_open(10);
    put_setting(&peer->frames, SETTING_WINDOW, 0);
    peer_turn(peer);
    caller_start(&peer->caller, &peer->calls[0], SPAN("0123456789"));
    peer_turn(peer);
    expect_u64(count_frames(peer_out(peer), FRAME_HEADERS, 1), 1);
    expect_u64(count_frames(peer_out(peer), FRAME_DATA, 1), 0);
    expect(!h2_client_wants_output(peer->caller.client)); /* nobody spins on a shut window */
    put_window_update(&peer->frames, 1, 4);
    peer_turn(peer);
    expect_u64(count_data(peer_out(peer), 1), 4);
    put_setting(&peer->frames, SETTING_WINDOW, 3); /* raised by 3: so are open streams */
    peer_turn(peer);
    expect_u64(count_data(peer_out(peer), 1), 7);
    put_setting(&peer->frames, SETTING_WINDOW, 1); /* lowered: the window is below 0 */
    peer_turn(peer);
    put_window_update(&peer->frames, 1, 2);
    peer_turn(peer);
    expect_u64(count_data(peer_out(peer), 1), 7);
    put_window_update(&peer->frames, 1, 100);
    peer_turn(peer);
    expect_u64(count_data(peer_out(peer), 1), 10);
    peer_answer(peer, 1);
    peer_turn(peer);
    expect_u64(peer->calls[0].end, H2_ANSWERED);
    peer_close(peer);
}

static void
obeys_the_connections_window(void)
{
    static char body[100 * 1000];
    struct peer *peer = peer_open(10);
    put_setting(&peer->frames, SETTING_WINDOW, 1 << 20);
    peer_turn(peer);
    memset(body, 'b', sizeof(body));
    caller_start(&peer->caller, &peer->calls[0], (struct span){body, sizeof(body)});
    caller_start(&peer->caller, &peer->calls[1], (struct span){body, sizeof(body)});
    peer_turn(peer);
    expect_u64(count_data(peer_out(peer), 1) + count_data(peer_out(peer), 3), 65535);
    expect(!h2_client_wants_output(peer->caller.client));
    put_window_update(&peer->frames, 0, 1000);
    peer_turn(peer);
    expect_u64(count_data(peer_out(peer), 1) + count_data(peer_out(peer), 3), 66535);
    put_window_update(&peer->frames, 0, 1 << 20);
    peer_turn(peer);
    expect_u64(count_data(peer_out(peer), 1), sizeof(body));
    expect_u64(count_data(peer_out(peer), 3), sizeof(body));
    peer_close(peer);
}

/* A server that never opens its window has answered all the same, and the body goes back. */
static void
an_early_answer_is_an_answer(void)
{
    for (int with_reset = 0; with_reset < 2; with_reset++) {
        struct peer *peer = peer_open(10);
        put_setting(&peer->frames, SETTING_WINDOW, 4);
        peer_turn(peer);
        char *body = strdup("0123456789");
        caller_start(&peer->caller, &peer->calls[0], span_of(body));
        peer_turn(peer);
        peer_answer(peer, 1);
        if (with_reset)
            put_reset(&peer->frames, 1, CODE_NO_ERROR);
        caller_feed(&peer->caller, buffer_span(&peer->frames), 1);
        buffer_reset(&peer->frames);
        expect_u64(peer->calls[0].ends, 1);
        expect_u64(peer->calls[0].end, H2_ANSWERED);
        free(body); /* the sanitizer sees it if anybody reads on */
        put_window_update(&peer->frames, 1, 100);
        peer_turn(peer);
        expect_u64(count_data(peer_out(peer), 1), 4);
        expect_u64(count_frames(peer_out(peer), FRAME_RST_STREAM, 1), 1);
        expect_u64(peer->caller.error, H2_OK);
        peer_close(peer);
    }
}

static void
cancelling_resets_the_stream(void)
{
    struct peer *peer = peer_open(10);
    put_setting(&peer->frames, SETTING_WINDOW, 4);
    peer_turn(peer);
    peer_start(peer, 0, 2);
    peer_turn(peer);
    peer_start(peer, 2, 3); /* not handed out yet */
    for (size_t i = 0; i < 3; i++)
        h2_client_cancel(peer->caller.client, &peer->calls[i].exchange);
    expect_u64(peer->calls[0].end, H2_LOST);
    expect_u64(peer->calls[1].end, H2_LOST);
    expect_u64(peer->calls[2].end, H2_NOT_PROCESSED);
    expect_u64(h2_client_active(peer->caller.client), 0);

    peer_answer(peer, 1); /* too late: it crosses our reset */
    peer_turn(peer);
    expect_u64(count_frames(peer_out(peer), FRAME_RST_STREAM, 1), 1);
    expect_u64(count_frames(peer_out(peer), FRAME_RST_STREAM, 3), 1);
    expect_u64(count_frames(peer_out(peer), FRAME_HEADERS, 5), 0);
    peer_answer(peer, 3);
    peer_turn(peer);
    expect_u64(peer->caller.ends, 3);
    expect_u64(peer->caller.error, H2_OK);
    peer_close(peer);
}

/* Between the two halves of its answer's headers, and within a chunk of DATA. */
static void
cancelling_within_a_frame(void)
{
    struct peer *peer = peer_open(10);
    peer_settle(peer);
    struct buffer *frames = &peer->frames;
    put_frame(frames, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200 RETRY_AFTER_7 TRAILER));
    put_frame(frames, FRAME_DATA, END_STREAM, 1, SPAN("hello"));
    for (size_t cut = 0; cut < frames->size; cut++) {
        struct caller caller;
        struct call call = {0};
        caller_open(&caller, 10);
        caller_start(&caller, &call, SPAN("x"));
        caller_drain(&caller, 65536);
        expect_u64(h2_client_receive(caller.client, "\0\0\0\4\0\0\0\0\0", 9), H2_OK);
        caller_feed(&caller, (struct span){frames->data, cut}, 65536);
        h2_client_cancel(caller.client, &call.exchange);
        expect_u64(call.end, H2_LOST);
        size_t size_then = call.exchange.response.size;
        memset(&call.exchange, 0x5a, sizeof(call.exchange)); /* it is the owner's again */
        caller_feed(&caller, (struct span){frames->data + cut, frames->size - cut}, 1);
        caller_drain(&caller, 65536);
        expect_u64(caller.error, H2_OK);
        expect(size_then <= 5);
        const unsigned char *byte = (const unsigned char *)&call.exchange;
        for (size_t i = 0; i < sizeof(call.exchange); i++) /* nobody wrote to it since */
            expect_u64(byte[i], 0x5a);
        caller_close(&caller);
    }
    buffer_reset(frames);
    peer_close(peer);
}

static void
a_long_answer_is_cut_and_says_so(void)
{
    struct peer *peer = peer_open(10);
    peer_settle(peer);
    peer_start(peer, 0, 1);
    peer_turn(peer);
    char data[1000];
    memset(data, 'd', sizeof(data));
    put_frame(&peer->frames, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200));
    for (int i = 0; i < 5; i++)
        put_frame(&peer->frames, FRAME_DATA, i == 4 ? END_STREAM : 0, 1,
                  (struct span){data, sizeof(data)});
    peer_turn(peer);
    expect_u64(peer->calls[0].end, H2_ANSWERED);
    expect(peer->calls[0].exchange.truncated);
    expect_u64(peer->calls[0].exchange.response.size, CALL_RESPONSE_SIZE);
    peer_close(peer);
}

/* More than both windows hold: they are opened again as the answers are read. */
static void
windows_are_opened_again(void)
{
    static char data[16384];
    struct peer *peer = peer_open(10);
    peer_settle(peer);
    peer_start(peer, 0, 1);
    peer_turn(peer);
    put_frame(&peer->frames, FRAME_HEADERS, END_HEADERS, 1, SPAN(STATUS_200));
    peer_turn(peer);
    static char frame_memory[16384 + 9];
    struct buffer frame;
    buffer_init(&frame, frame_memory, sizeof(frame_memory));
    put_frame(&frame, FRAME_DATA, 0, 1, (struct span){data, sizeof(data)});
    for (int i = 0; i < 2000; i++) { /* 32 MB */
        caller_feed(&peer->caller, buffer_span(&frame), 65536);
        caller_drain(&peer->caller, 65536);
    }
    expect_u64(peer->caller.error, H2_OK);
    expect(count_frames(peer_out(peer), FRAME_WINDOW_UPDATE, 1) > 30);
    expect(count_frames(peer_out(peer), FRAME_WINDOW_UPDATE, 0) > 2);
    peer_close(peer);
}

static void
pings_are_answered_and_counted(void)
{
    struct peer *peer = peer_open(10);
    peer_settle(peer);
    put_frame(&peer->frames, FRAME_PING, 0, 0, SPAN("12345678"));
    put_frame(&peer->frames, FRAME_PING, ACK, 0, SPAN("12345678")); /* nobody asked */
    put_frame(&peer->frames, FRAME_PING, ACK, 0, SPAN("\0\0\0\0\0\0\0\0"));
    caller_forget(&peer->caller);
    peer_turn(peer);
    expect_u64(count_frames(peer_out(peer), FRAME_PING, 0), 1);
    expect_u64(peer->caller.pongs, 0);

    caller_forget(&peer->caller);
    for (int i = 0; i < 3; i++)
        h2_client_ping(peer->caller.client);
    peer_turn(peer);
    struct frame frame;
    struct frame first = {0};
    for (size_t at = 0; next_frame(peer_out(peer), &at, &frame);) {
        if (first.payload.size == 0)
            first = frame;
        put_frame(&peer->frames, FRAME_PING, ACK, 0, frame.payload);
    }
    put_frame(&peer->frames, FRAME_PING, ACK, 0, first.payload); /* answered already */
    peer_turn(peer);
    expect_u64(peer->caller.pongs, 3);
    expect_u64(peer->caller.error, H2_OK);
    peer_close(peer);
}

static void
authorization_is_never_indexed(void)
{
    struct peer *peer = peer_open(10);
    peer_settle(peer);
    caller_forget(&peer->caller);
    peer_start(peer, 0, 2);
    peer_turn(peer);
    int never_indexed = 0;
    struct frame frame;
    for (size_t at = 0; next_frame(peer_out(peer), &at, &frame);) {
        if (frame.type != FRAME_HEADERS)
            continue;
        for (size_t i = 0; i + 1 < frame.payload.size;
             i++) /* 0001 1111, 23 - 15: static table 23 */
            never_indexed += memcmp(frame.payload.data + i, "\x1f\x08", 2) == 0;
    }
    expect_u64(never_indexed, 2);
    peer_close(peer);
}

/* From inside on_end: the same exchange again, another one, and an end to a third. */
static void
chain(struct caller *caller, struct call *call)
{
    struct peer *peer = caller->context;
    size_t index = (size_t)(call - peer->calls);
    if (index == 0 && caller->ends < 4)
        caller_start(caller, call, SPAN("again"));
    if (index == 1) {
        h2_client_cancel(caller->client, &peer->calls[2].exchange); /* running */
        h2_client_cancel(caller->client, &peer->calls[3].exchange); /* its answer is in already */
        if (h2_client_room(caller->client) > 0)
            caller_start(caller, &peer->calls[4], SPAN("new"));
    }
}

static void
on_end_may_start_and_cancel(void)
{
    struct peer *peer = peer_open(10);
    peer->caller.on_end = chain;
    peer_settle(peer);
    peer_start(peer, 0, 4);
    peer_turn(peer);
    peer_answer(peer, 1);
    peer_answer(peer, 3);
    peer_answer(peer, 7);
    peer_turn(peer);
    expect_u64(peer->calls[1].end, H2_ANSWERED);
    expect_u64(peer->calls[2].end, H2_LOST);
    expect(peer->calls[2].exchange.cancelled);
    expect_u64(peer->calls[3].end, H2_ANSWERED);
    expect_u64(h2_client_active(peer->caller.client), 2);
    peer_answer(peer, peer->calls[0].exchange.stream_id);
    peer_answer(peer, peer->calls[4].exchange.stream_id);
    peer_turn(peer);
    expect_u64(peer->calls[4].end, H2_ANSWERED);
    expect_u64(h2_client_active(peer->caller.client), 0);
    peer_close(peer);
}

static void
lose_from_inside(struct caller *caller, struct call *call)
{
    (void)call;
    h2_client_lose(caller->client);
}

static void
on_end_may_lose_the_connection(void)
{
    struct peer *peer = peer_open(10);
    peer->caller.on_end = lose_from_inside;
    peer_settle(peer);
    peer_start(peer, 0, 3);
    peer_turn(peer);
    peer_start(peer, 3, 4);
    peer_answer(peer, 3);
    peer_answer(peer, 5);
    caller_feed(&peer->caller, buffer_span(&peer->frames), 8192);
    buffer_reset(&peer->frames);
    expect_u64(peer->caller.ends, 4);
    expect_u64(peer->calls[0].end, H2_LOST);
    expect_u64(peer->calls[1].end, H2_ANSWERED);
    expect_u64(peer->calls[2].end, H2_ANSWERED);
    expect_u64(peer->calls[3].end, H2_NOT_PROCESSED);
    expect_u64(peer->caller.error, H2_ENDED);
    expect(!h2_client_wants_output(peer->caller.client));
    peer_close(peer);
}

/* What breaks the contract aborts. */
static void
start_without_room(void)
{
    struct peer *peer = peer_open(1);
    peer_start(peer, 0, 2);
}

static void
close_under_way(void)
{
    struct peer *peer = peer_open(1);
    peer_start(peer, 0, 1);
    h2_client_close(peer->caller.client);
}

static void
close_from_inside(struct caller *caller, struct call *call)
{
    (void)call;
    h2_client_close(caller->client);
}

static void
close_in_on_end(void)
{
    struct peer *peer = peer_open(1);
    peer->caller.on_end = close_from_inside;
    peer_start(peer, 0, 1);
    h2_client_lose(peer->caller.client);
}

static void
receive_from_inside(struct caller *caller, struct call *call)
{
    (void)call;
    (void)h2_client_receive(caller->client, "", 0);
}

static void
receive_in_on_end(void)
{
    struct peer *peer = peer_open(1);
    peer->caller.on_end = receive_from_inside;
    peer_start(peer, 0, 1);
    h2_client_lose(peer->caller.client);
}

static void
cancel_twice(void)
{
    struct peer *peer = peer_open(1);
    peer_start(peer, 0, 1);
    h2_client_cancel(peer->caller.client, &peer->calls[0].exchange);
    h2_client_cancel(peer->caller.client, &peer->calls[0].exchange);
}

static void
broken_contracts_abort(void)
{
    expect_abort(start_without_room());
    expect_abort(close_under_way());
    expect_abort(close_in_on_end());
    expect_abort(receive_in_on_end());
    expect_abort(cancel_twice());
}

/* Started and cancelled again and again, nothing ever leaves: the bound ends it, not the machine.
 */
static void
memory_is_bounded(void)
{
    struct peer *peer = peer_open(10);
    struct h2_client *client = peer->caller.client;
    put_setting(&peer->frames, SETTING_STREAMS_MAX, 10);
    peer_turn(peer);
    int started = 0;
    while (h2_client_room(client) > 0 && started < 1000000) {
        started++;
        caller_start(&peer->caller, &peer->calls[0], SPAN("x"));
        if (peer->calls[0].exchange.ended)
            break;
        h2_client_cancel(client, &peer->calls[0].exchange);
        expect_u64(peer->calls[0].end, H2_NOT_PROCESSED);
    }
    expect(started > 1000 && started < 1000000);
    expect(h2_client_memory(client)->held <= h2_client_memory(client)->limit);
    caller_drain(&peer->caller, 65536);
    expect_u64(h2_client_receive(client, "", 0), H2_PROTOCOL);
    expect_u64(peer->calls[0].ends, 1);
    peer_close(peer);
}

static void
errors_have_words(void)
{
    expect_text(h2_error_text(H2_OK), "good");
    for (int i = 0; i < 3; i++) {
        expect(strlen(h2_error_text((enum h2_error)i)) > 3);
        expect(strlen(h2_end_text((enum h2_end)i)) > 3);
        for (int j = 0; j < i; j++) {
            expect(strcmp(h2_error_text((enum h2_error)i), h2_error_text((enum h2_error)j)) != 0);
            expect(strcmp(h2_end_text((enum h2_end)i), h2_end_text((enum h2_end)j)) != 0);
        }
    }
    h2_client_close(NULL);
}

int
main(void)
{
    TEST(room_follows_the_peers_settings);
    TEST(lowered_limit_holds_back_what_has_not_left);
    TEST(goaway_parts_the_exchanges);
    TEST(goaway_without_work_ends_at_once);
    TEST(stream_ids_run_out);
    TEST(obeys_the_streams_window);
    TEST(obeys_the_connections_window);
    TEST(an_early_answer_is_an_answer);
    TEST(cancelling_resets_the_stream);
    TEST(cancelling_within_a_frame);
    TEST(a_long_answer_is_cut_and_says_so);
    TEST(windows_are_opened_again);
    TEST(pings_are_answered_and_counted);
    TEST(authorization_is_never_indexed);
    TEST(on_end_may_start_and_cancel);
    TEST(on_end_may_lose_the_connection);
    TEST(broken_contracts_abort);
    TEST(memory_is_bounded);
    TEST(errors_have_words);
    return test_end();
}
