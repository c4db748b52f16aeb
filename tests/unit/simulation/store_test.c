/* What the store promises beyond Redis' answers, which are compared with a real one elsewhere. */
#include "tests/simulation/store.h"

#include "tests/unit/test.h"

#include <string.h>

#define NOW_US   1732377600000123u
#define ACCOUNT  "facteur:{acme}:fr"
#define BUSINESS "facteur:{acme}"

static struct store *
open_store(uint64_t seed)
{
    return store_open(&(struct store_settings){.seed = seed, .now_us = NOW_US});
}

/* What the connection was answered since the last time, as a text. */
static const char *
taken(struct store_client *client)
{
    static char memory[65536];
    struct buffer buffer;
    buffer_init(&buffer, memory, sizeof(memory));
    store_client_take(client, &buffer);
    return buffer_text(&buffer);
}

static void
feed(struct store_client *client, const char *data)
{
    store_client_feed(client, data, strlen(data));
}

#define PING     "*1\r\n$4\r\nPING\r\n"
#define SET_A(x) "*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n" x "\r\n"
#define GET_A    "*2\r\n$3\r\nGET\r\n$1\r\na\r\n"
#define BLOCK(ms_with_size)                                                                        \
    "*6\r\n$5\r\nXREAD\r\n$5\r\nBLOCK\r\n" ms_with_size                                            \
    "\r\n$7\r\nSTREAMS\r\n$1\r\ns\r\n$1\r\n$\r\n"
#define TOLD(id, field)                                                                            \
    "*1\r\n*2\r\n$1\r\ns\r\n*1\r\n*2\r\n$15\r\n" id "\r\n*2\r\n$1\r\n" field "\r\n$1\r\nv\r\n"

/* ---- connections ---------------------------------------------------------------------------- */

static void
requests_may_come_in_any_pieces(void)
{
    static const char requests[] = SET_A("1") PING "*0\r\n" GET_A;
    struct store *store = open_store(1);
    for (size_t size = 1; size < sizeof(requests); size++) {
        struct store_client *client = store_connect(store);
        for (size_t at = 0; at < sizeof(requests) - 1; at += size) {
            size_t left = sizeof(requests) - 1 - at;
            store_client_feed(client, requests + at, left < size ? left : size);
        }
        expect_text(taken(client), "+OK\r\n+PONG\r\n$1\r\n1\r\n");
        expect(store_client_pending(client) == 0);
        store_disconnect(client);
    }
    store_close(store);
}

static void
replies_are_taken_as_they_fit(void)
{
    struct store *store = open_store(1);
    struct store_client *client = store_connect(store);
    char memory[4];
    struct buffer buffer;
    feed(client, PING PING);
    buffer_init(&buffer, memory, sizeof(memory));
    store_client_take(client, &buffer);
    expect_span(buffer_span(&buffer), SPAN("+PON"));
    expect_u64(store_client_pending(client), 10);
    expect_text(taken(client), "G\r\n+PONG\r\n");
    store_disconnect(client);
    store_close(store);
}

static void
bytes_that_are_no_resp_end_the_connection(void)
{
    struct store *store = open_store(1);
    struct store_client *client = store_connect(store);
    feed(client, PING "GET / HTTP/1.1\r\n");
    expect(!store_client_is_open(client));
    expect_text(taken(client), "+PONG\r\n-ERR Protocol error: expected '*', got 'G'\r\n");
    feed(client, PING);
    expect_u64(store_client_pending(client), 0);
    store_disconnect(client);
    store_close(store);
}

static void
a_killed_connection_keeps_its_answers(void)
{
    struct store *store = open_store(1);
    struct store_client *one = store_connect(store);
    struct store_client *two = store_connect(store);
    expect_u64(store_client_id(one), 1);
    feed(one, PING);
    feed(two, "*4\r\n$6\r\nCLIENT\r\n$4\r\nKILL\r\n$2\r\nID\r\n$1\r\n1\r\n" PING);
    expect_text(taken(two), ":1\r\n+PONG\r\n");
    expect(!store_client_is_open(one) && store_client_is_open(two));
    expect_text(taken(one), "+PONG\r\n");
    store_disconnect(one);
    store_disconnect(two);
    store_close(store);
}

/* ---- blocking ------------------------------------------------------------------------------- */

static void
a_blocked_read_is_answered_by_data(void)
{
    struct store *store = open_store(1);
    struct store_client *client = store_connect(store);
    uint64_t at_us;
    feed(client, BLOCK("$1\r\n0") PING);
    expect(store_client_is_blocked(client) && store_client_pending(client) == 0);
    expect(!store_next_timeout(store, &at_us));
    (void)store_words(store, "XADD", "s", "*", "f", "v", NULL);
    expect(!store_client_is_blocked(client));
    expect_text(taken(client), TOLD("1732377600000-0", "f") "+PONG\r\n");
    store_disconnect(client);
    store_close(store);
}

static void
a_blocked_read_ends_when_its_time_is_over(void)
{
    struct store *store = open_store(1);
    struct store_client *early = store_connect(store);
    struct store_client *late = store_connect(store);
    uint64_t at_us = 0;
    feed(late, BLOCK("$4\r\n2000"));
    feed(early, BLOCK("$4\r\n1000") PING);
    expect(store_next_timeout(store, &at_us));
    expect_u64(at_us, NOW_US + 1000000);
    store_set_time(store, at_us - 1);
    expect(store_client_is_blocked(early));
    store_set_time(store, at_us);
    expect_text(taken(early), "*-1\r\n+PONG\r\n");
    expect(store_client_is_blocked(late));
    store_disconnect(late);
    expect(!store_next_timeout(store, &at_us));
    store_disconnect(early);
    store_close(store);
}

/* ---- time ----------------------------------------------------------------------------------- */

static void
ids_grow_when_the_clock_goes_back(void)
{
    struct store *store = open_store(1);
    (void)store_words(store, "XADD", "s", "*", "f", "v", NULL);
    store_set_time(store, NOW_US - 5000000);
    expect_span(store_words(store, "XADD", "s", "*", "f", "v", NULL)->text,
                SPAN("1732377600000-1"));
    store_close(store);
}

static void
keys_expire_by_the_given_time(void)
{
    struct store *store = open_store(1);
    (void)store_words(store, "SET", "a", "1", "PX", "1000", NULL);
    store_set_time(store, NOW_US + 1000000);
    expect(store_words(store, "GET", "a", NULL)->type == REPLY_STRING);
    store_set_time(store, NOW_US + 1001000);
    expect(store_words(store, "GET", "a", NULL)->type == REPLY_NIL);
    store_close(store);
}

/* ---- crashes -------------------------------------------------------------------------------- */

#define COUNTER                                                                                    \
    "#!lua name=counter\nlocal calls = 0\nredis.register_function('count', function()\n"           \
    "calls = calls + 1\nreturn calls\nend)\n"

static int64_t
count_calls(struct store *store)
{
    const struct reply *reply = store_words(store, "FCALL", "count", "0", NULL);
    return reply->type == REPLY_INTEGER ? reply->integer : -1;
}

static void
read_run_id(struct store *store, char *id)
{
    struct span info = store_words(store, "INFO", "server", NULL)->text;
    while (!span_starts(info, SPAN("run_id:")) && info.size > 0)
        (void)span_split(&info, '\n');
    expect(info.size > 47);
    memcpy(id, info.data + 7, 40);
}

static void
a_crash_keeps_the_data_and_forgets_the_rest(void)
{
    struct store *store = open_store(1);
    struct store_client *client = store_connect(store);
    char before[40];
    char after[40];
    read_run_id(store, before);
    (void)store_words(store, "FUNCTION", "LOAD", COUNTER, NULL);
    expect_u64(count_calls(store), 1);
    expect_u64(count_calls(store), 2);
    feed(client, SET_A("1") BLOCK("$4\r\n1000"));
    store_crash(store, NULL);
    expect(!store_client_is_open(client) && !store_client_is_blocked(client));
    expect_u64(store_client_pending(client), 0);
    store_disconnect(client);
    expect_u64(count_calls(store), 1);
    expect_span(store_words(store, "GET", "a", NULL)->text, SPAN("1"));
    read_run_id(store, after);
    expect(memcmp(before, after, 40) != 0);
    client = store_connect(store);
    expect_u64(store_client_id(client), 1);
    store_disconnect(client);
    store_close(store);
}

/* One key of each type, changed in every one of them. */
static void
change_all(struct store *store, const char *word)
{
    (void)store_words(store, "SET", "string", word, NULL);
    (void)store_words(store, "HSET", "hash", word, word, NULL);
    (void)store_words(store, "RPUSH", "list", word, NULL);
    (void)store_words(store, "SADD", "set", word, NULL);
    (void)store_words(store, "ZADD", "zset", word, word, NULL);
    (void)store_words(store, "XADD", "stream", "*", word, word, NULL);
    (void)store_words(store, "SET", word, word, NULL);
}

static void
expect_all(struct store *store, const char *last, uint64_t count)
{
    expect_span(store_words(store, "GET", "string", NULL)->text, span_of(last));
    expect_u64(store_words(store, "HLEN", "hash", NULL)->integer, count);
    expect_u64(store_words(store, "LLEN", "list", NULL)->integer, count);
    expect_u64(store_words(store, "SCARD", "set", NULL)->integer, count);
    expect_u64(store_words(store, "ZCARD", "zset", NULL)->integer, count);
    expect_u64(store_words(store, "XLEN", "stream", NULL)->integer, count);
    expect_u64(store_words(store, "DBSIZE", NULL)->integer, 6 + count);
}

static void
a_crash_may_go_back_to_a_mark(void)
{
    struct store *store = open_store(1);
    change_all(store, "1");
    struct store_mark *mark = store_mark(store);
    (void)store_words(store, "FUNCTION", "LOAD", COUNTER, NULL);
    for (int i = 0; i < 3; i++) {
        change_all(store, "2");
        change_all(store, "3");
        expect_all(store, "3", 3);
        store_crash(store, mark);
        expect_all(store, "1", 1);
    }
    expect(store_words(store, "FCALL", "count", "0", NULL)->type == REPLY_ERROR);
    (void)store_words(store, "FLUSHALL", NULL);
    store_crash(store, mark);
    store_mark_drop(mark);
    expect_all(store, "1", 1);
    change_all(store, "2");
    expect_all(store, "2", 2);
    store_close(store);
}

static void
another_store_may_begin_with_a_mark(void)
{
    struct store *store = open_store(1);
    (void)store_words(store, "FUNCTION", "LOAD", COUNTER, NULL);
    change_all(store, "1");
    struct store_mark *mark = store_mark(store);
    struct store *replica =
        store_open(&(struct store_settings){.seed = 2, .now_us = NOW_US, .begin = mark});
    store_mark_drop(mark);
    change_all(store, "2");
    expect_all(replica, "1", 1);
    change_all(replica, "3");
    expect_all(store, "2", 2);
    expect_u64(count_calls(store), 1);
    store_close(store);
    expect_all(replica, "3", 2);
    expect_u64(count_calls(replica), 1);
    store_close(replica);
}

/* ---- troubles ------------------------------------------------------------------------------- */

static void
troubles_refuse_what_redis_refuses(void)
{
    static const struct {
        enum store_trouble trouble;
        const char *get, *set, *info, *ping;
    } rows[] = {
        {STORE_WELL, "$-1", "+OK", "$", "+PONG"},
        {STORE_LOADING, "-LOADING Redis is", "-LOADING Redis is", "$", "-LOADING Redis is"},
        {STORE_MISCONF, "$1", "-MISCONF Errors writing to the AOF file", "$", "-MISCONF Errors"},
        {STORE_BUSY, "-BUSY Redis is", "-BUSY Redis is", "-BUSY", "-BUSY"},
        {STORE_READONLY, "$1", "-READONLY You can't write", "$", "+PONG"},
        {STORE_MASTERDOWN, "-MASTERDOWN Link", "-READONLY You", "$", "-MASTERDOWN Link"},
        {STORE_OOM, "$1", "-OOM command not allowed", "$", "+PONG"},
    };
    struct store *store = open_store(1);
    struct store_client *client = store_connect(store);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        store_set_trouble(store, rows[i].trouble);
        feed(client, GET_A);
        expect(span_starts(span_of(taken(client)), span_of(rows[i].get)));
        feed(client, SET_A("1"));
        expect(span_starts(span_of(taken(client)), span_of(rows[i].set)));
        feed(client, "*2\r\n$4\r\nINFO\r\n$11\r\nreplication\r\n");
        expect(span_starts(span_of(taken(client)), span_of(rows[i].info)));
        feed(client, PING);
        expect(span_starts(span_of(taken(client)), span_of(rows[i].ping)));
        expect(store_words(store, "SET", "b", "1", NULL)->type == REPLY_STATUS);
    }
    store_disconnect(client);
    store_close(store);
}

/* ---- the library, and chance ---------------------------------------------------------------- */

static void
the_library_is_the_real_one(void)
{
    struct store *store = open_store(1);
    store_load_library(store);
    (void)store_words(store, "FCALL", "facteur_beat", "1", BUSINESS, "00000000000000aa", "1", "new",
                      NULL);
    (void)store_words(store, "XADD", ACCOUNT ":queue", "*", "to", "+33612345678", NULL);
    const struct reply *reply =
        store_words(store, "FCALL", "facteur_claim", "2", ACCOUNT, BUSINESS, "00000000000000aa",
                    "00000000000000aa.1", "10", "1000", NULL);
    expect_u64(reply->count, 6);
    expect(reply_is_text(reply_at(reply, 0), "ok"));
    expect(reply_is_text(reply_at(reply_at(reply, 5), 0), "00000000000000aa.1"));
    expect(store_command_count(store) > 10);
    store_close(store);
}

/* 700 fields in the order in which HKEYS tells them. */
static void
tell_fields(uint64_t seed, struct buffer *told)
{
    struct store *store = open_store(seed);
    char name[16];
    for (int i = 0; i < 700; i++) {
        snprintf(name, sizeof(name), "%d", i);
        (void)store_words(store, "HSET", "hash", name, name, NULL);
    }
    const struct reply *reply = store_words(store, "HKEYS", "hash", NULL);
    expect_u64(reply->count, 700);
    uint64_t sum = 0;
    for (size_t i = 0; i < reply->count; i++) {
        uint64_t number = 0;
        expect(span_to_u64(reply->elements[i]->text, &number));
        sum += number;
        buffer_put_span(told, reply->elements[i]->text);
        buffer_put_char(told, ' ');
    }
    expect_u64(sum, 700 * 699 / 2);
    store_close(store);
}

static void
a_seed_gives_the_same_order_and_another_one_another(void)
{
    static char memory[3][8192];
    struct buffer told[3];
    for (int i = 0; i < 3; i++) {
        buffer_init(&told[i], memory[i], sizeof(memory[i]));
        tell_fields(i < 2 ? 7 : 8, &told[i]);
    }
    expect(span_equal(buffer_span(&told[0]), buffer_span(&told[1])));
    expect(!span_equal(buffer_span(&told[0]), buffer_span(&told[2])));
    expect(!span_starts(buffer_span(&told[0]), SPAN("0 1 2 3 ")));
}

int
main(void)
{
    TEST(requests_may_come_in_any_pieces);
    TEST(replies_are_taken_as_they_fit);
    TEST(bytes_that_are_no_resp_end_the_connection);
    TEST(a_killed_connection_keeps_its_answers);
    TEST(a_blocked_read_is_answered_by_data);
    TEST(a_blocked_read_ends_when_its_time_is_over);
    TEST(ids_grow_when_the_clock_goes_back);
    TEST(keys_expire_by_the_given_time);
    TEST(a_crash_keeps_the_data_and_forgets_the_rest);
    TEST(a_crash_may_go_back_to_a_mark);
    TEST(another_store_may_begin_with_a_mark);
    TEST(troubles_refuse_what_redis_refuses);
    TEST(the_library_is_the_real_one);
    TEST(a_seed_gives_the_same_order_and_another_one_another);
    return test_end();
}
