#include "queue/calls.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

static struct arena arena;

static bool
read_record(const char *text, struct waiting_record *waiting)
{
    arena_reset(&arena);
    return waiting_record_read(span_of(text), &arena, waiting);
}

static void
reads_what_cjson_writes(void)
{
    struct waiting_record waiting;
    expect(read_record("{\"attempt\":2,\"at\":1732377600000,\"reason\":\"131026 \\/ \\\"x\\\"\","
                       "\"fields\":[\"to\",\"+33612345678\",\"1\",\"a\\/b\\u0001\\u007f\\n\\\\\","
                       "\"p.x\",\"\xc3\xa9\xff\"]}",
                       &waiting));
    expect_u64(waiting.attempt, 2);
    expect_u64(waiting.field_count, 3);
    expect_span(waiting.fields[0].name, SPAN("to"));
    expect_span(waiting.fields[0].value, SPAN("+33612345678"));
    expect_span(waiting.fields[1].value, SPAN("a/b\x01\x7f\n\\"));
    expect_span(waiting.fields[2].value, SPAN("\xc3\xa9\xff"));
    expect(!waiting.is_member);
}

static void
reads_a_member(void)
{
    struct waiting_record waiting;
    expect(read_record("{\"fields\":[\"member\",\"{\\\"to\\\":\\\"+1\\\"}\"],\"attempt\":0}",
                       &waiting));
    expect(waiting.is_member);
    expect_span(waiting.line, SPAN("{\"to\":\"+1\"}"));
    expect_u64(waiting.attempt, 0);
}

static void
reads_flag_and_throttles(void)
{
    struct waiting_record waiting;
    expect(read_record("{\"attempt\":2,\"at\":1,\"reason\":\"x\",\"possible_duplicate\":true,"
                       "\"throttles\":3,\"history\":[\"1 1 \\\"no\\\"\",\"2 2 ]\"],"
                       "\"fields\":[\"to\",\"+1\"]}",
                       &waiting));
    expect(waiting.possible_duplicate);
    expect_u64(waiting.throttles, 3);
    expect(read_record("{\"attempt\":2,\"possible_duplicate\":false,\"fields\":[\"to\",\"+1\"]}",
                       &waiting));
    expect(!waiting.possible_duplicate);
    expect_u64(waiting.throttles, 0);
    expect(!read_record("{\"attempt\":2,\"throttles\":-1,\"fields\":[\"to\",\"+1\"]}", &waiting));
    expect(!read_record("{\"attempt\":2,\"throttles\":4294967296,\"fields\":[\"to\",\"+1\"]}",
                        &waiting));
}

static void
the_order_is_free_and_the_rest_is_skipped(void)
{
    struct waiting_record waiting;
    expect(read_record(" { \"x\" : [ 1 , { \"fields\" : \"]\" } ] , \"y\":null,\"z\":-1.5e3 , "
                       "\"fields\" : [ \"a\" , \"b\" ] , \"attempt\" : 7 , \"w\":true }",
                       &waiting));
    expect_u64(waiting.attempt, 7);
    expect_span(waiting.fields[0].name, SPAN("a"));
    expect_span(waiting.fields[0].value, SPAN("b"));
}

static void
escapes_become_utf8(void)
{
    struct waiting_record waiting;
    expect(read_record("{\"attempt\":1,\"fields\":[\"\\u0000\\u00e9\\u20AC\\ud83d\\ude00\","
                       "\"\\b\\f\\n\\r\\t\\\"\\/\\\\\"]}",
                       &waiting));
    expect_span(waiting.fields[0].name, SPAN("\0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
    expect_span(waiting.fields[0].value, SPAN("\b\f\n\r\t\"/\\"));
}

static void
bad_records_are_refused(void)
{
    static const char *const cases[] = {
        "",
        "{}",
        "[]",
        "null",
        "{\"attempt\":1}",
        "{\"fields\":[\"a\",\"b\"]}",
        "{\"attempt\":1,\"fields\":[]}",
        "{\"attempt\":1,\"fields\":{}}",
        "{\"attempt\":1,\"fields\":[\"a\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"b\",\"c\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",1]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"b\",]}",
        "{\"attempt\":1,\"fields\":[\"a\" \"b\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"b\"],\"fields\":[\"a\",\"b\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"b\"]",
        "{\"attempt\":1,\"fields\":[\"a\",\"b\"]}x",
        "{\"attempt\":1,\"fields\":[\"a\",\"b\"],}",
        "{\"attempt\":1,\"fields\":[\"a\",\"b",
        "{\"attempt\":1,\"fields\":[\"a\",\"b\\",
        "{\"attempt\":1,\"fields\":[\"a\",\"\\x\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"\\u12\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"\\u12g4\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"\\ud800\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"\\ud800\\u0041\"]}",
        "{\"attempt\":1,\"fields\":[\"a\",\"\\udc00\"]}",
        "{\"attempt\":-1,\"fields\":[\"a\",\"b\"]}",
        "{\"attempt\":\"1\",\"fields\":[\"a\",\"b\"]}",
        "{\"attempt\":4294967296,\"fields\":[\"a\",\"b\"]}",
        "{\"attempt\":,\"fields\":[\"a\",\"b\"]}",
        "{\"x\":,\"attempt\":1,\"fields\":[\"a\",\"b\"]}",
        "{\"x\":[[[[[[[[[1]]]]]]]]],\"attempt\":1,\"fields\":[\"a\",\"b\"]}",
        "{\"x\":[\"]\"],\"attempt\":1,\"fields\":[\"a\",\"b\"]",
        "{\"x\":[\"",
        "{x:1,\"attempt\":1,\"fields\":[\"a\",\"b\"]}",
        "{\"x\" 1,\"attempt\":1,\"fields\":[\"a\",\"b\"]}",
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct waiting_record waiting;
        if (read_record(cases[i], &waiting)) {
            printf("%s\n", cases[i]);
            expect(!"refused");
        }
        expect(!arena.overflow);
    }
}

static void
a_small_arena_is_told_apart(void)
{
    struct waiting_record waiting;
    static const char record[] = "{\"attempt\":1,\"fields\":[\"a\",\"b\",\"c\",\"d\"]}";
    for (size_t size = 1; size < sizeof(record) + 7 + 64; size++) {
        struct arena small;
        arena_open(&small, size);
        bool good = waiting_record_read(
            SPAN("{\"attempt\":1,\"fields\":[\"a\",\"b\",\"c\",\"d\"]}"), &small, &waiting);
        expect(good != small.overflow);
        if (good)
            expect_span(waiting.fields[1].value, SPAN("d"));
        arena_close(&small);
    }
}

static void
random_changes_never_crash(void)
{
    static const char good[] = "{\"attempt\":2,\"at\":17,\"reason\":\"\\/ \\\"\",\"x\":[{\"a\":1}],"
                               "\"fields\":[\"to\",\"+336\",\"1\",\"a\\u0001\\ud83d\\ude00\"]}";
    struct random random;
    random_seed(&random, 5);
    uint32_t good_count = 0;
    for (int round = 0; round < 50000; round++) {
        char text[sizeof(good)];
        struct waiting_record waiting;
        memcpy(text, good, sizeof(good));
        for (uint64_t i = 0; i < random_below(&random, 4); i++)
            text[random_below(&random, sizeof(good) - 1)] =
                random_chance(&random, 0.3) ? (char)random_below(&random, 256)
                                            : good[random_below(&random, sizeof(good) - 1)];
        size_t size = sizeof(good) - 1 - random_below(&random, 3);
        arena_reset(&arena);
        good_count += waiting_record_read((struct span){text, size}, &arena, &waiting);
    }
    expect(good_count > 1000);
}

int
main(void)
{
    arena_open(&arena, 4096);
    TEST(reads_what_cjson_writes);
    TEST(reads_a_member);
    TEST(reads_flag_and_throttles);
    TEST(the_order_is_free_and_the_rest_is_skipped);
    TEST(escapes_become_utf8);
    TEST(bad_records_are_refused);
    TEST(a_small_arena_is_told_apart);
    TEST(random_changes_never_crash);
    arena_close(&arena);
    return test_end();
}
