#include "queue/session.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

/* ---- a listener that writes down what comes ----------------------------------------------- */

static char heard_text[4096];
static struct buffer heard;

static void
write_reply(const struct reply *reply)
{
    switch (reply->type) {
    case REPLY_NIL:
        buffer_put_text(&heard, "nil");
        return;
    case REPLY_STRING:
        buffer_printf(&heard, "\"%.*s\"", SPAN_ARG(reply->text));
        return;
    case REPLY_STATUS:
        buffer_printf(&heard, "+%.*s", SPAN_ARG(reply->text));
        return;
    case REPLY_ERROR:
        buffer_printf(&heard, "-%.*s", SPAN_ARG(reply->text));
        return;
    case REPLY_INTEGER:
        buffer_put_i64(&heard, reply->integer);
        return;
    case REPLY_ARRAY:
        buffer_put_char(&heard, '[');
        for (size_t i = 0; i < reply->count; i++) {
            if (i > 0)
                buffer_put_char(&heard, ' ');
            write_reply(reply->elements[i]);
        }
        buffer_put_char(&heard, ']');
        return;
    }
    expect(!"a reply's type");
}

/* Context: a word that says which command it was. */
static void
on_reply(void *context, const struct reply *reply)
{
    if (heard.size > 0)
        buffer_put_char(&heard, ' ');
    buffer_printf(&heard, "%s:", (const char *)context);
    if (reply == NULL)
        buffer_put_text(&heard, "lost");
    else
        write_reply(reply);
}

static struct session *
open_session(size_t output_size, size_t arena_size, uint32_t waiting_max)
{
    struct session_settings settings = {
        .output_size = output_size, .arena_size = arena_size, .waiting_max = waiting_max};
    buffer_init(&heard, heard_text, sizeof(heard_text));
    return session_open(&settings);
}

static struct session *
open_connected(void)
{
    struct session *session = open_session(1024, 4096, 16);
    session_connected(session);
    return session;
}

static bool
ask(struct session *session, const char *word)
{
    struct span part = span_of(word);
    return session_command(session, &part, 1, on_reply, (void *)(uintptr_t)word);
}

static bool
receive(struct session *session, const char *text)
{
    return session_receive(session, text, strlen(text));
}

static void
expect_heard(const char *text)
{
    expect_span(buffer_span(&heard), span_of(text));
    buffer_reset(&heard);
}

static void
expect_output(struct session *session, const char *text)
{
    char memory[2048];
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    session_output(session, &out);
    expect_span(buffer_span(&out), span_of(text));
    expect(!session_wants_output(session));
}

/* ---- commands ----------------------------------------------------------------------------- */

static void
a_command_is_an_array_of_strings(void)
{
    struct session *session = open_connected();
    const struct span parts[] = {SPAN("SET"), SPAN("key\r\n"), SPAN("")};
    expect(session_command(session, parts, 3, on_reply, "a"));
    expect(session_wants_output(session));
    expect_u64(session_waiting(session), 1);
    expect_output(session, "*3\r\n$3\r\nSET\r\n$5\r\nkey\r\n\r\n$0\r\n\r\n");
    session_close(session);
}

static void
a_command_in_steps_is_the_same(void)
{
    struct session *session = open_connected();
    const struct span pieces[] = {SPAN("a"), SPAN(""), SPAN("bcdefghijk")};
    session_begin(session, 3);
    session_part_u64(session, 0);
    session_part_u64(session, UINT64_MAX);
    session_part_joined(session, pieces, 3);
    expect(session_end(session, on_reply, "a"));
    expect_output(session,
                  "*3\r\n$1\r\n0\r\n$20\r\n18446744073709551615\r\n$11\r\nabcdefghijk\r\n");
    session_close(session);
}

static void
what_does_not_fit_is_taken_back_whole(void)
{
    struct session *session = open_session(32, 256, 4);
    session_connected(session);
    expect(ask(session, "PING")); /* 4 + 4 + 6 = 14 bytes */
    expect_u64(session_room(session), 18);
    const struct span parts[] = {SPAN("SET"), SPAN("key"), SPAN("value")};
    expect(!session_command(session, parts, 3, on_reply, "set"));
    expect_u64(session_room(session), 18);
    expect_u64(session_waiting(session), 1);
    expect(ask(session, "PONG"));
    expect_output(session, "*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPONG\r\n");
    expect(receive(session, "+1\r\n+2\r\n"));
    expect_heard("PING:+1 PONG:+2");
    session_close(session);
}

static void
the_line_has_an_end(void)
{
    struct session *session = open_session(1024, 256, 2);
    session_connected(session);
    expect(ask(session, "a"));
    expect(ask(session, "b"));
    expect_u64(session_room(session), 0);
    expect(!ask(session, "c"));
    expect_output(session, "*1\r\n$1\r\na\r\n*1\r\n$1\r\nb\r\n");
    expect(receive(session, ":1\r\n"));
    expect(ask(session, "d"));
    expect(receive(session, ":2\r\n:3\r\n"));
    expect_heard("a:1 b:2 d:3");
    session_close(session);
}

static void
output_leaves_in_any_pieces(void)
{
    struct session *session = open_connected();
    char memory[256];
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    for (int i = 0; i < 3; i++)
        expect(ask(session, "PING"));
    while (session_wants_output(session)) {
        out.capacity = out.size + 1; /* room for a byte */
        session_output(session, &out);
    }
    expect_span(buffer_span(&out),
                SPAN("*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n*1\r\n$4\r\nPING\r\n"));
    expect_u64(session_room(session), 1024);
    session_close(session);
}

/* A ring of bytes that never empties: what is added while a part waits must stay in order. */
static void
output_stays_in_order_when_never_empty(void)
{
    struct session *session = open_session(64, 256, 1000);
    struct random random;
    char memory[20000];
    char wanted_memory[20000];
    struct buffer out;
    struct buffer wanted;
    random_seed(&random, 1);
    buffer_init(&out, memory, sizeof(memory));
    buffer_init(&wanted, wanted_memory, sizeof(wanted_memory));
    session_connected(session);
    for (int i = 0; i < 999; i++) {
        char word[2] = {(char)('a' + i % 26), '\0'};
        struct span part = span_of(word);
        if (session_command(session, &part, 1, on_reply, "x"))
            buffer_printf(&wanted, "*1\r\n$1\r\n%s\r\n", word);
        out.capacity = out.size + random_below(&random, 20);
        session_output(session, &out);
    }
    out.capacity = sizeof(memory);
    session_output(session, &out);
    expect(wanted.size > 5000);
    expect_span(buffer_span(&out), buffer_span(&wanted));
    session_close(session);
}

static void
a_command_with_too_few_parts_is_a_mistake(void)
{
    struct session *session = open_connected();
    session_begin(session, 2);
    session_part(session, SPAN("GET"));
    expect_abort(session_end(session, on_reply, "a"));
    session_part(session, SPAN("key"));
    expect_abort(session_part(session, SPAN("more")));
    expect_abort(session_begin(session, 1));
    expect(session_end(session, on_reply, "a"));
    session_close(session);
}

static void
without_a_connection_there_is_no_room(void)
{
    struct session *session = open_session(1024, 256, 4);
    expect_u64(session_room(session), 0);
    expect(!ask(session, "a"));
    session_connected(session);
    expect_u64(session_room(session), 1024);
    expect_abort(session_connected(session));
    session_lost(session);
    expect(!ask(session, "b"));
    expect(!session_wants_output(session));
    expect_abort(receive(session, "+OK\r\n"));
    expect_heard("");
    session_close(session);
}

/* ---- replies ------------------------------------------------------------------------------ */

static const struct {
    const char *bytes;
    const char *heard;
} good_replies[] = {
    {"+OK\r\n", "a:+OK"},
    {"-ERR no\r\n", "a:-ERR no"},
    {":0\r\n", "a:0"},
    {":-9223372036854775808\r\n", "a:-9223372036854775808"},
    {":9223372036854775807\r\n", "a:9223372036854775807"},
    {"$5\r\nhello\r\n", "a:\"hello\""},
    {"$0\r\n\r\n", "a:\"\""},
    {"$4\r\n\r\n\r\n\r\n", "a:\"\r\n\r\n\""},
    {"$-1\r\n", "a:nil"},
    {"*-1\r\n", "a:nil"},
    {"*0\r\n", "a:[]"},
    {"*3\r\n:1\r\n$-1\r\n*-1\r\n", "a:[1 nil nil]"},
    {"*2\r\n*2\r\n$1\r\na\r\n*0\r\n-ERR x\r\n", "a:[[\"a\" []] -ERR x]"},
    {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n+7\r\n", "a:[[[[[[[+7]]]]]]]"},
};

static void
replies_come_whole(void)
{
    for (size_t i = 0; i < sizeof(good_replies) / sizeof(good_replies[0]); i++) {
        struct session *session = open_connected();
        expect(ask(session, "a"));
        expect(receive(session, good_replies[i].bytes));
        expect_heard(good_replies[i].heard);
        expect_u64(session_waiting(session), 0);
        session_close(session);
    }
}

static void
replies_come_byte_by_byte(void)
{
    struct session *session = open_connected();
    for (size_t i = 0; i < sizeof(good_replies) / sizeof(good_replies[0]); i++) {
        expect(ask(session, "a"));
        size_t size = strlen(good_replies[i].bytes);
        for (size_t at = 0; at < size; at++) {
            expect_u64(heard.size, 0);
            expect(session_receive(session, good_replies[i].bytes + at, 1));
        }
        expect_heard(good_replies[i].heard);
        char memory[64];
        struct buffer out;
        buffer_init(&out, memory, sizeof(memory));
        session_output(session, &out);
    }
    session_close(session);
}

/* All of them in a pipeline, cut at every place. */
static void
a_pipeline_may_be_cut_anywhere(void)
{
    char bytes[1024];
    char wanted[1024];
    struct buffer in;
    struct buffer out;
    buffer_init(&in, bytes, sizeof(bytes));
    buffer_init(&out, wanted, sizeof(wanted));
    for (size_t i = 0; i < sizeof(good_replies) / sizeof(good_replies[0]); i++) {
        buffer_put_text(&in, good_replies[i].bytes);
        buffer_put_text(&out, i == 0 ? "" : " ");
        buffer_put_text(&out, good_replies[i].heard);
    }
    for (size_t cut = 0; cut <= in.size; cut++) {
        struct session *session = open_connected();
        for (size_t i = 0; i < sizeof(good_replies) / sizeof(good_replies[0]); i++)
            expect(ask(session, "a"));
        expect(session_receive(session, in.data, cut));
        expect(session_receive(session, in.data + cut, in.size - cut));
        expect_span(buffer_span(&heard), buffer_span(&out));
        session_close(session);
    }
}

static void
bad_bytes_end_the_session(void)
{
    static const struct {
        const char *bytes;
        const char *says;
    } cases[] = {
        {"hello\r\n", "not RESP2: Protocol error, got \"h\" as reply type byte"},
        {"\r\n", "not RESP2: Protocol error, got \"\\r\" as reply type byte"},
        {"%1\r\n+a\r\n+b\r\n", "not RESP2: Protocol error, got \"%\""},
        {":\r\n", "not RESP2: Bad integer value"},
        {":12x\r\n", "not RESP2: Bad integer value"},
        {":9223372036854775808\r\n", "not RESP2: Bad integer value"},
        {"$\r\n", "not RESP2: Bad bulk string length"},
        {"$-2\r\n", "not RESP2: Bulk string length out of range"},
        {"$99999999999999999999999\r\n", "not RESP2: Bad bulk string length"},
        {"*-2\r\n", "not RESP2: Multi-bulk length out of range"},
        {"*4294967296\r\n", "not RESP2: Multi-bulk length out of range"},
        {"*2147483647\r\n", "larger than the 4096 bytes kept for one"},
        {"*507\r\n", "larger than the 4096 bytes kept for one"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", "nested multi bulk"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct session *session = open_connected();
        expect(ask(session, "a"));
        expect(ask(session, "b"));
        expect(!receive(session, cases[i].bytes));
        if (strstr(session_error(session), cases[i].says) == NULL) {
            printf("case %zu says %s\n", i, session_error(session));
            expect(!"as the table says");
        }
        expect_u64(session_room(session), 0);
        expect(!ask(session, "c"));
        expect(!receive(session, "+OK\r\n"));
        expect_heard("");
        session_lost(session);
        expect_heard("a:lost b:lost");
        expect_text(session_error(session), "");
        session_connected(session); /* and everything is as new */
        expect(ask(session, "d"));
        expect(receive(session, "+OK\r\n"));
        expect_heard("d:+OK");
        session_close(session);
    }
}

/* A string that is announced and never ends must not be kept for ever. */
static void
an_endless_string_is_cut_off(void)
{
    static const char *const begins[] = {"$9223372036854775807\r\n", "+", "*1\r\n$1000000000\r\n"};
    char kilobyte[1024];
    memset(kilobyte, 'x', sizeof(kilobyte));
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        struct session *session = open_connected();
        expect(ask(session, "a"));
        expect(receive(session, begins[i]));
        int fed = 0;
        while (fed < 100 && session_receive(session, kilobyte, sizeof(kilobyte)))
            fed++;
        expect(fed >= 4);
        expect(fed < 32);
        expect(strstr(session_error(session), "larger than the 4096 bytes") != NULL);
        session_lost(session);
        expect_heard("a:lost");
        session_close(session);
    }
}

static void
many_small_elements_are_counted_too(void)
{
    struct session *session = open_connected();
    expect(ask(session, "a"));
    expect(receive(session, "*400\r\n"));
    int fed = 0;
    while (fed < 400 && receive(session, "*0\r\n"))
        fed++;
    expect_u64(fed, (4096 - 48 - 400 * 8) / 48);
    session_close(session);
}

/* A reply of the arena's size must pass, and the next one as well. */
static void
large_replies_pass_one_after_the_other(void)
{
    enum { SIZE = 200000 };
    struct session *session = open_session(1024, SIZE + 64, 4);
    char *bytes = malloc(SIZE + 32);
    session_connected(session);
    int start = sprintf(bytes, "$%d\r\n", SIZE);
    memset(bytes + start, 'y', SIZE);
    bytes[start + SIZE] = '\r';
    bytes[start + SIZE + 1] = '\n';
    for (int i = 0; i < 3; i++) {
        expect(ask(session, "a"));
        expect(session_receive(session, bytes, (size_t)start + SIZE + 2));
        expect_u64(session_waiting(session), 0);
        buffer_reset(&heard);
    }
    free(bytes);
    session_close(session);
}

static void
a_reply_to_nothing_is_an_error(void)
{
    struct session *session = open_connected();
    expect(!receive(session, "+OK\r\n"));
    expect_text(session_error(session), "Redis sent a reply to no command");
    session_close(session);
}

/* ---- loss --------------------------------------------------------------------------------- */

static void
loss_is_told_in_order(void)
{
    struct session *session = open_connected();
    expect(ask(session, "a"));
    expect(ask(session, "b"));
    expect(ask(session, "c"));
    expect(receive(session, "+1\r\n*2\r\n$1\r\nx")); /* lost in the middle of b's reply */
    session_lost(session);
    expect_heard("a:+1 b:lost c:lost");
    expect_u64(session_waiting(session), 0);
    session_connected(session);
    expect(ask(session, "d"));
    expect_output(session, "*1\r\n$1\r\nd\r\n");
    expect(receive(session, "$1\r\nx\r\n"));
    expect_heard("d:\"x\"");
    session_close(session);
}

static struct session *lost_in_callback;

static void
lose(void *context, const struct reply *reply)
{
    on_reply(context, reply);
    if (reply != NULL) {
        session_lost(lost_in_callback);
        expect_span(reply->text, SPAN("1")); /* still there */
    }
    expect(!ask(lost_in_callback, "too late"));
}

static void
a_callback_may_give_the_connection_up(void)
{
    struct session *session = open_connected();
    struct span part = SPAN("x");
    lost_in_callback = session;
    expect(session_command(session, &part, 1, lose, "a"));
    expect(session_command(session, &part, 1, lose, "b"));
    expect(receive(session, "+1\r\n+2\r\n+3\r\n"));
    expect_heard("a:+1 b:lost");
    session_connected(session);
    expect(ask(session, "c"));
    expect(receive(session, "+4\r\n"));
    expect_heard("c:+4");
    session_close(session);
}

static void
ask_more(void *context, const struct reply *reply)
{
    on_reply(context, reply);
    expect(ask(lost_in_callback, "more"));
}

static void
a_callback_may_ask_more(void)
{
    struct session *session = open_connected();
    struct span part = SPAN("x");
    lost_in_callback = session;
    expect(session_command(session, &part, 1, ask_more, "a"));
    expect(receive(session, "+1\r\n+2\r\n"));
    expect_heard("a:+1 more:+2");
    session_close(session);
}

static struct arena taken;
static const struct reply *taken_reply;

static void
take(void *context, const struct reply *reply)
{
    session_take_arena(lost_in_callback, &taken);
    taken_reply = reply;
    (void)context;
}

static void
a_taken_reply_stays(void)
{
    struct session *session = open_connected();
    struct span part = SPAN("x");
    lost_in_callback = session;
    arena_open(&taken, 4096);
    expect(session_command(session, &part, 1, take, NULL));
    expect(ask(session, "b"));
    expect(receive(session, "*2\r\n$3\r\none\r\n:2\r\n*2\r\n$3\r\nxxx\r\n:9\r\n"));
    expect_heard("b:[\"xxx\" 9]");
    write_reply(taken_reply);
    expect_heard("[\"one\" 2]");
    expect(taken.size > 0);
    expect_abort(session_take_arena(session, &taken)); /* not inside a callback */
    arena_close(&taken);
    session_close(session);
}

/* ---- AUTH --------------------------------------------------------------------------------- */

static struct session *
open_with(const char *user, const char *password)
{
    struct session_settings settings = {.output_size = 1024,
                                        .arena_size = 4096,
                                        .waiting_max = 4,
                                        .user = user,
                                        .password = password};
    buffer_init(&heard, heard_text, sizeof(heard_text));
    struct session *session = session_open(&settings);
    session_connected(session);
    return session;
}

static void
auth_goes_first(void)
{
    static const struct {
        const char *user;
        const char *password;
        const char *sent;
    } cases[] = {
        {NULL, "secret", "*2\r\n$4\r\nAUTH\r\n$6\r\nsecret\r\n"},
        {"me", "secret", "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$6\r\nsecret\r\n"},
        {"me", NULL, "*3\r\n$4\r\nAUTH\r\n$2\r\nme\r\n$0\r\n\r\n"},
        {NULL, NULL, ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char wanted[256];
        struct session *session = open_with(cases[i].user, cases[i].password);
        expect(ask(session, "a"));
        (void)snprintf(wanted, sizeof(wanted), "%s*1\r\n$1\r\na\r\n", cases[i].sent);
        expect_output(session, wanted);
        expect(receive(session, cases[i].sent[0] == '\0' ? "+1\r\n" : "+OK\r\n+1\r\n"));
        expect_heard("a:+1");
        session_lost(session);
        session_connected(session); /* and again on the next connection */
        expect_output(session, cases[i].sent);
        session_close(session);
    }
}

static void
a_refused_auth_ends_the_session(void)
{
    static const struct {
        const char *reply;
        const char *says;
    } cases[] = {
        {"-WRONGPASS invalid username-password pair or user is disabled.\r\n",
         "Redis refused the user name or the password"},
        {"-ERR AUTH <password> called without any password configured, hunter2\r\n",
         "Redis refused AUTH: either its user has no password and none may be given, or it is too "
         "old to know users"},
        {"-hunter2\r\n", "Redis refused AUTH"},
        {":1\r\n", "Redis answered AUTH with something that is neither OK nor an error"},
        {"$7\r\nhunter2\r\n", "Redis answered AUTH with something that is neither OK nor an error"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char bytes[256];
        struct session *session = open_with("me", "hunter2");
        expect(ask(session, "a"));
        (void)snprintf(bytes, sizeof(bytes), "%s-NOAUTH Authentication required.\r\n",
                       cases[i].reply);
        expect(!receive(session, bytes));
        expect_text(session_error(session), cases[i].says);
        expect(strstr(session_error(session), "hunter2") == NULL);
        expect_heard(""); /* nobody was told NOAUTH: the connection is at fault, not the command */
        session_lost(session);
        expect_heard("a:lost");
        session_close(session);
    }
}

static void
loss_before_auth_is_answered_is_only_a_loss(void)
{
    struct session *session = open_with("me", "hunter2");
    expect(ask(session, "a"));
    session_lost(session);
    expect_heard("a:lost");
    expect_text(session_error(session), "");
    session_close(session);
}

/* ---- errors and shapes -------------------------------------------------------------------- */

static void
errors_are_told_apart(void)
{
    static const struct {
        const char *text;
        enum session_trouble trouble;
        enum session_remedy remedy;
    } cases[] = {
        {"NOAUTH Authentication required.", SESSION_TROUBLE_NOAUTH, SESSION_REMEDY_WAIT},
        {"WRONGPASS invalid username-password pair", SESSION_TROUBLE_NOAUTH, SESSION_REMEDY_WAIT},
        {"NOPERM this user has no permissions to run the 'fcall' command", SESSION_TROUBLE_NOPERM,
         SESSION_REMEDY_APART},
        {"LOADING Redis is loading the dataset in memory", SESSION_TROUBLE_LOADING,
         SESSION_REMEDY_WAIT},
        {"BUSY Redis is busy running a script.", SESSION_TROUBLE_BUSY, SESSION_REMEDY_WAIT},
        {"BUSYGROUP Consumer Group name already exists", SESSION_TROUBLE_OTHER,
         SESSION_REMEDY_APART},
        {"OOM command not allowed when used memory > 'maxmemory'.", SESSION_TROUBLE_OOM,
         SESSION_REMEDY_WAIT},
        {"READONLY You can't write against a read only replica.", SESSION_TROUBLE_READONLY,
         SESSION_REMEDY_LEAVE},
        {"MISCONF Redis is configured to save RDB snapshots", SESSION_TROUBLE_MISCONF,
         SESSION_REMEDY_WAIT},
        {"ERR Function not found", SESSION_TROUBLE_NO_FUNCTION, SESSION_REMEDY_LOAD},
        {"MASTERDOWN Link with MASTER is down", SESSION_TROUBLE_READONLY, SESSION_REMEDY_LEAVE},
        {"UNBLOCKED force unblock from blocking operation", SESSION_TROUBLE_READONLY,
         SESSION_REMEDY_LEAVE},
        {"NOREPLICAS Not enough good replicas to write.", SESSION_TROUBLE_NOREPLICAS,
         SESSION_REMEDY_WAIT},
        {"WRONGTYPE Operation against a key holding the wrong kind of value",
         SESSION_TROUBLE_WRONG_TYPE, SESSION_REMEDY_APART},
        {"FACTEUR key facteur:{acme}:fr:later holds a string and not a zset",
         SESSION_TROUBLE_WRONG_TYPE, SESSION_REMEDY_APART},
        {"FACTEUR a settle has at most 4096 groups", SESSION_TROUBLE_OTHER, SESSION_REMEDY_APART},
        {"ERR syntax error", SESSION_TROUBLE_OTHER, SESSION_REMEDY_APART},
        {"", SESSION_TROUBLE_OTHER, SESSION_REMEDY_APART},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reply reply = {.type = REPLY_ERROR, .text = span_of(cases[i].text)};
        expect_u64(session_trouble_of(&reply), cases[i].trouble);
        expect_u64(session_trouble_remedy(cases[i].trouble), cases[i].remedy);
        reply.type = REPLY_STATUS;
        expect_u64(session_trouble_of(&reply), SESSION_TROUBLE_NONE);
    }
    expect_u64(session_trouble_of(NULL), SESSION_TROUBLE_NONE);
    for (int i = SESSION_TROUBLE_NONE; i <= SESSION_TROUBLE_OTHER; i++)
        expect(strlen(session_trouble_text((enum session_trouble)i)) > 5);
}

static void
shapes_are_judged(void)
{
    struct reply text = {.type = REPLY_STRING, .text = SPAN("-12")};
    struct reply error = {.type = REPLY_ERROR, .text = SPAN("OK")};
    struct reply number = {.type = REPLY_INTEGER, .integer = -5};
    struct reply *elements[] = {&text, &number};
    struct reply array = {.type = REPLY_ARRAY, .elements = elements, .count = 2};
    int64_t value = 0;
    struct span span;
    expect(reply_is_text(&text, "-12"));
    expect(!reply_is_text(&text, "-1"));
    expect(!reply_is_text(&error, "OK"));
    expect(!reply_is_text(NULL, ""));
    expect(!reply_text(&number, &span));
    expect(reply_at(&array, 1) == &number);
    expect(reply_at(&array, 2) == NULL);
    expect(reply_at(&text, 0) == NULL);
    expect(reply_at(NULL, 0) == NULL);
    expect(reply_i64(&text, &value) && value == -12);
    expect(reply_i64(&number, &value) && value == -5);
    expect(!reply_i64(&error, &value) && !reply_i64(&array, &value) && !reply_i64(NULL, &value));
    static const char *const bad[] = {"", "-", "--1", "+1", "1.5", " 1", "99999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        text.text = span_of(bad[i]);
        expect(!reply_i64(&text, &value));
    }
}

/* Whatever comes, in whatever pieces: no crash, and each callback at most once. */
static void
random_bytes_never_crash(void)
{
    static const char alphabet[] = "*$+-:0123456789\r\n\r\n\r\nab";
    struct random random;
    random_seed(&random, 7);
    struct session *session = open_connected();
    for (int round = 0; round < 20000; round++) {
        char bytes[64];
        size_t size = 1 + random_below(&random, sizeof(bytes));
        for (size_t i = 0; i < size; i++)
            bytes[i] = alphabet[random_below(&random, sizeof(alphabet) - 1)];
        while (ask(session, "a"))
            continue;
        if (!session_receive(session, bytes, size)) {
            session_lost(session);
            session_connected(session);
        }
        buffer_reset(&heard);
        char memory[4096];
        struct buffer out;
        buffer_init(&out, memory, sizeof(memory));
        session_output(session, &out);
    }
    session_close(session);
}

int
main(void)
{
    TEST(a_command_is_an_array_of_strings);
    TEST(a_command_in_steps_is_the_same);
    TEST(what_does_not_fit_is_taken_back_whole);
    TEST(the_line_has_an_end);
    TEST(output_leaves_in_any_pieces);
    TEST(output_stays_in_order_when_never_empty);
    TEST(a_command_with_too_few_parts_is_a_mistake);
    TEST(without_a_connection_there_is_no_room);
    TEST(replies_come_whole);
    TEST(replies_come_byte_by_byte);
    TEST(a_pipeline_may_be_cut_anywhere);
    TEST(bad_bytes_end_the_session);
    TEST(an_endless_string_is_cut_off);
    TEST(many_small_elements_are_counted_too);
    TEST(large_replies_pass_one_after_the_other);
    TEST(a_reply_to_nothing_is_an_error);
    TEST(loss_is_told_in_order);
    TEST(a_callback_may_give_the_connection_up);
    TEST(a_callback_may_ask_more);
    TEST(a_taken_reply_stays);
    TEST(auth_goes_first);
    TEST(a_refused_auth_ends_the_session);
    TEST(loss_before_auth_is_answered_is_only_a_loss);
    TEST(errors_are_told_apart);
    TEST(shapes_are_judged);
    TEST(random_bytes_never_crash);
    return test_end();
}
