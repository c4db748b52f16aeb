#include "tests/unit/queue/call_fixture.h"

#define TOKEN SPAN("0f1e2d3c4b5a6978")

static void
writes_stop(void)
{
    struct stop_request request = {.code = 190,
                                   .reason = SPAN("Error validating\taccess token"),
                                   .token = TOKEN,
                                   .events_keep = 100};
    open_call(4096);
    expect(call_stop(&call, &request));
    expect_sent("FCALL;facteur_stop;2;" AB
                ";190;Error validating access token;0f1e2d3c4b5a6978;100");
    request.reason = SPAN(" \r\n");
    expect(call_stop(&call, &request));
    expect_sent("FCALL;facteur_stop;2;" AB ";190;no reason was given;0f1e2d3c4b5a6978;100");
    expect(call_token(&call, TOKEN));
    expect_sent("FCALL;facteur_token;2;" AB ";0f1e2d3c4b5a6978");
    close_call();
}

/* 512 bytes, less if that would cut a character. */
static void
cuts_a_long_reason(void)
{
    static char long_reason[600];
    static char wanted[1024];
    open_call(4096);
    memset(long_reason, 'x', sizeof(long_reason));
    struct stop_request request = {.reason = {long_reason, sizeof(long_reason)}, .token = TOKEN};
    expect(call_stop(&call, &request));
    (void)snprintf(wanted, sizeof(wanted),
                   "FCALL;facteur_stop;2;" AB ";0;%.512s;0f1e2d3c4b5a6978;0", long_reason);
    expect_sent(wanted);
    memcpy(long_reason + 510, "\xe2\x82\xac", 3); /* a euro sign across the end */
    expect(call_stop(&call, &request));
    (void)snprintf(wanted, sizeof(wanted),
                   "FCALL;facteur_stop;2;" AB ";0;%.510s;0f1e2d3c4b5a6978;0", long_reason);
    expect_sent(wanted);
    close_call();
}

static void
a_stop_of_nonsense_is_a_mistake(void)
{
    struct stop_request request = {.code = -1, .reason = SPAN("x"), .token = TOKEN};
    char long_token[CALLS_TOKEN_MAX + 1] = {0};
    open_call(4096);
    expect_abort(call_stop(&call, &request));
    request.code = 1;
    request.token = SPAN("");
    expect_abort(call_stop(&call, &request));
    request.token = (struct span){long_token, sizeof(long_token)};
    expect_abort(call_stop(&call, &request));
    expect_abort(call_token(&call, SPAN("")));
    close_call();
}

static void
reads_stop(void)
{
    bool first;
    enum token_answer answer;
    expect(stop_read(reply_of("[\"ok\"]"), &first) && first);
    expect(stop_read(reply_of("[\"already\"]"), &first) && !first);
    expect(!stop_read(reply_of("[\"stopped\"]"), &first));
    expect(token_read(reply_of("[\"ok\"]"), &answer));
    expect_u64(answer, TOKEN_GOOD);
    expect(token_read(reply_of("[\"started\"]"), &answer));
    expect_u64(answer, TOKEN_STARTED);
    expect(token_read(reply_of("[\"stopped\"]"), &answer));
    expect_u64(answer, TOKEN_STOPPED);
    expect(!token_read(reply_of("[\"already\"]"), &answer));
    static const char *const bad[] = {NULL,   "nil", "5",     "+OK", "\"ok\"",
                                      "-ERR", "[]",  "[nil]", "[5]"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect(!stop_read(reply_of(bad[i]), &first));
        expect(!token_read(reply_of(bad[i]), &answer));
    }
}

int
main(void)
{
    arena_open(&arena, 65536);
    TEST(writes_stop);
    TEST(cuts_a_long_reason);
    TEST(a_stop_of_nonsense_is_a_mistake);
    TEST(reads_stop);
    arena_close(&arena);
    return test_end();
}
