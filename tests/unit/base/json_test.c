#include "sender/base/json.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

enum { FIELDS_MAX = 80, TEXT_MAX = 8192 };

/* What was read, as one text: name=value, raw ones as name:value. */
static struct field fields[FIELDS_MAX];
static struct json_object object;
static uint64_t raw;
static char shown_memory[TEXT_MAX * 2];

static enum json_error
read_as_text(struct span text, size_t capacity, struct span *shown)
{
    /* A block of its own size, so that the sanitizer sees a byte read or written too far. */
    char *copy = malloc(text.size == 0 ? 1 : text.size);
    if (copy == NULL)
        exit(2);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    object = (struct json_object){.fields = fields, .capacity = capacity};
    enum json_error error =
        json_read_flat((struct span){.data = copy, .size = text.size}, &object, &raw);
    struct buffer out;
    buffer_init(&out, shown_memory, sizeof(shown_memory));
    for (size_t i = 0; i < object.count; i++) {
        if (i > 0)
            buffer_put_char(&out, ' ');
        buffer_put_span(&out, fields[i].name);
        buffer_put_char(&out, i < 64 && (raw >> i & 1) ? ':' : '=');
        buffer_put_span(&out, fields[i].value);
    }
    *shown = buffer_span(&out);
    expect(object.error_at <= text.size);
    if (error == JSON_DUPLICATE)
        expect(fields[object.count].name.size <= text.size);
    free(copy);
    return error;
}

struct reading {
    struct span text;
    enum json_error error;
    struct span shown; /* of a good one */
};
#define GOOD(text, shown)                                                                          \
    {                                                                                              \
        {"" text, sizeof(text) - 1}, JSON_OK,                                                      \
        {                                                                                          \
            "" shown, sizeof(shown) - 1                                                            \
        }                                                                                          \
    }
#define BAD(text, error)                                                                           \
    {                                                                                              \
        {"" text, sizeof(text) - 1}, error,                                                        \
        {                                                                                          \
            0                                                                                      \
        }                                                                                          \
    }

static const struct reading readings[] = {
    GOOD("{}", ""),
    GOOD(" \t\r\n{ } \n", ""),
    GOOD("{\"a\":\"b\"}", "a=b"),
    GOOD(" { \"a\" : \"b\" , \"c\" : \"\" } ", "a=b c="),
    GOOD("{\"\":\"\"}", "="),
    GOOD("{\"a\":1,\"b\":-0.5e+10,\"c\":true,\"d\":false,\"e\":null,\"f\":\"1\"}",
         "a:1 b:-0.5e+10 c:true d:false e:null f=1"),
    GOOD("{\"a\":0,\"b\":-0,\"c\":1E3,\"d\":10.01e-2}", "a:0 b:-0 c:1E3 d:10.01e-2"),
    GOOD("{\"a\":{\"x\":[1,\"}\",{}]},\"b\":[]}", "a:{\"x\":[1,\"}\",{}]} b:[]"),
    GOOD("{\"a\":[\"\\\"]\"]}", "a:[\"\\\"]\"]"),
    GOOD("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a=\"\\/\b\f\n\r\t"),
    GOOD("{\"\\u0061\":\"\\u00e9\\u20AC\\ud83d\\uDE00\\u0000.\"}",
         "a=\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\0."),
    GOOD("{\"a\":\"\xf0\x9f\x98\x80\x7f\"}", "a=\xf0\x9f\x98\x80\x7f"),
    GOOD("{\"a\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}", "a:[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"),
    BAD("", JSON_SYNTAX),
    BAD(" ", JSON_SYNTAX),
    BAD("{", JSON_SYNTAX),
    BAD("}", JSON_SYNTAX),
    BAD("[]", JSON_SYNTAX),
    BAD("\"a\"", JSON_SYNTAX),
    BAD("null", JSON_SYNTAX),
    BAD("{}{}", JSON_SYNTAX),
    BAD("{} x", JSON_SYNTAX),
    BAD("{}\0", JSON_SYNTAX),
    BAD("\0{}", JSON_SYNTAX),
    BAD("\xef\xbb\xbf{}", JSON_SYNTAX),
    BAD("{,}", JSON_SYNTAX),
    BAD("{\"a\":1,}", JSON_SYNTAX),
    BAD("{\"a\"}", JSON_SYNTAX),
    BAD("{\"a\":}", JSON_SYNTAX),
    BAD("{\"a\" 1}", JSON_SYNTAX),
    BAD("{\"a\":1 \"b\":2}", JSON_SYNTAX),
    BAD("{\"a\":1", JSON_SYNTAX),
    BAD("{\"a\":\"b", JSON_SYNTAX),
    BAD("{\"a\":\"b\\", JSON_SYNTAX),
    BAD("{\"a\":\"\\u", JSON_SYNTAX),
    BAD("{\"a\":\"\\u12", JSON_SYNTAX),
    BAD("{\"a\":\"\\u12g4\"}", JSON_SYNTAX),
    BAD("{\"a\":\"\\u-123\"}", JSON_SYNTAX),
    BAD("{\"a\":\"\\x\"}", JSON_SYNTAX),
    BAD("{\"a\":\"\\\0\"}", JSON_SYNTAX),
    BAD("{\"a\":\"\n\"}", JSON_SYNTAX),
    BAD("{\"a\":\"\0\"}", JSON_SYNTAX),
    BAD("{'a':1}", JSON_SYNTAX),
    BAD("{a:1}", JSON_SYNTAX),
    BAD("{1:1}", JSON_SYNTAX),
    BAD("{\"a\":tru}", JSON_SYNTAX),
    BAD("{\"a\":True}", JSON_SYNTAX),
    BAD("{\"a\":NaN}", JSON_SYNTAX),
    BAD("{\"a\":Infinity}", JSON_SYNTAX),
    BAD("{\"a\":+1}", JSON_SYNTAX),
    BAD("{\"a\":01}", JSON_SYNTAX),
    BAD("{\"a\":-01}", JSON_SYNTAX),
    BAD("{\"a\":0033612345678}", JSON_SYNTAX),
    BAD("{\"a\":-}", JSON_SYNTAX),
    BAD("{\"a\":.5}", JSON_SYNTAX),
    BAD("{\"a\":1.}", JSON_SYNTAX),
    BAD("{\"a\":1.e2}", JSON_SYNTAX),
    BAD("{\"a\":1e}", JSON_SYNTAX),
    BAD("{\"a\":1e+}", JSON_SYNTAX),
    BAD("{\"a\":1-2}", JSON_SYNTAX),
    BAD("{\"a\":1.2.3}", JSON_SYNTAX),
    BAD("{\"a\":1e2e3}", JSON_SYNTAX),
    BAD("{\"a\":0x10}", JSON_SYNTAX),
    BAD("{\"a\":1\0}", JSON_SYNTAX),
    BAD("{\"a\":[}", JSON_SYNTAX),
    BAD("{\"a\":[}]}", JSON_SYNTAX),
    BAD("{\"a\":{]}}", JSON_SYNTAX),
    BAD("{\"a\":[\"]}", JSON_SYNTAX),
    BAD("{\"a\":[\"\\", JSON_SYNTAX),
    BAD("{\"a\":[\"\\\"", JSON_SYNTAX),
    BAD("{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}", JSON_SYNTAX),
    BAD("{\"a\":\"\\ud800\"}", JSON_ENCODING),
    BAD("{\"a\":\"\\udc00\"}", JSON_ENCODING),
    BAD("{\"a\":\"\\ud800\\u0041\"}", JSON_ENCODING),
    BAD("{\"a\":\"\\ud800\\ud800\"}", JSON_ENCODING),
    BAD("{\"a\":\"\\ud800\\n\"}", JSON_ENCODING),
    BAD("{\"a\":\"\\ud83d\\ude", JSON_ENCODING),
    BAD("{\"a\":\"\xff\"}", JSON_ENCODING),
    BAD("{\"a\":\"\xed\xa0\x80\"}", JSON_ENCODING),
    BAD("{\"\xc3\":\"\"}", JSON_ENCODING),
    BAD("{\"a\":[\"\xff\"]}", JSON_ENCODING),
    BAD("{\"a\":\"\xc3\\u00a9\"}", JSON_ENCODING), /* half a character, then a whole one */
    BAD("{\"a\":1,\"a\":2}", JSON_DUPLICATE),
    BAD("{\"a\":1,\"\\u0061\":2}", JSON_DUPLICATE), /* the same name, written otherwise */
    BAD("{\"\":1,\"\":2}", JSON_DUPLICATE),
};

static void
reads_what_is_json_and_nothing_else(void)
{
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        struct span shown;
        enum json_error error = read_as_text(readings[i].text, FIELDS_MAX, &shown);
        if (error != readings[i].error)
            printf("case %.*s\n", SPAN_ARG(readings[i].text));
        expect_u64(error, readings[i].error);
        if (error == JSON_OK)
            expect_span(shown, readings[i].shown);
    }
}

/* Cut anywhere, a good text is a bad one; and no byte behind the cut is looked at. */
static void
cut_texts_are_refused(void)
{
    for (size_t i = 0; i < sizeof(readings) / sizeof(readings[0]); i++) {
        if (readings[i].error != JSON_OK)
            continue;
        struct span text = span_trim(readings[i].text);
        for (size_t size = 0; size < text.size; size++) {
            struct span shown;
            expect(read_as_text((struct span){.data = text.data, .size = size}, FIELDS_MAX,
                                &shown) != JSON_OK);
        }
    }
}

static void
capacity_is_a_limit(void)
{
    struct span shown;
    expect_u64(read_as_text(SPAN("{\"a\":1,\"b\":2}"), 2, &shown), JSON_OK);
    expect_u64(read_as_text(SPAN("{\"a\":1,\"b\":2,\"c\":3}"), 2, &shown), JSON_TOO_MANY);
    expect_u64(object.count, 2);
    expect_span(shown, SPAN("a:1 b:2"));
    expect_u64(read_as_text(SPAN("{}"), 0, &shown), JSON_OK);
    expect_u64(read_as_text(SPAN("{\"a\":1}"), 0, &shown), JSON_TOO_MANY);
}

/* The mask has 64 bits: the fields behind them are read, without a mark, and without a wrap. */
static void
many_fields_and_a_mask_of_64(void)
{
    static char memory[TEXT_MAX];
    struct buffer text;
    buffer_init(&text, memory, sizeof(memory));
    for (int i = 0; i < 70; i++)
        buffer_printf(&text, "%s\"n%d\":%d", i == 0 ? "{" : ",", i, i);
    buffer_put_char(&text, '}');
    struct span shown;
    expect_u64(read_as_text(buffer_span(&text), FIELDS_MAX, &shown), JSON_OK);
    expect_u64(object.count, 70);
    expect_u64(raw, UINT64_MAX);
}

static void
says_where_it_went_wrong(void)
{
    struct span shown;
    expect_u64(read_as_text(SPAN("{\"a\":1,\"b\":oops}"), FIELDS_MAX, &shown), JSON_SYNTAX);
    expect_u64(object.error_at, 11);
    expect_u64(read_as_text(SPAN("{\"a\":[\"\\"), FIELDS_MAX, &shown), JSON_SYNTAX);
    expect_u64(object.error_at, 8);
    char text[] = "{\"a\":1}";
    object = (struct json_object){.fields = fields, .capacity = 1};
    expect_u64(json_read_flat(span_of(text), &object, NULL), JSON_OK); /* raw may be NULL */
    for (int error = JSON_OK; error <= JSON_DUPLICATE; error++)
        expect(strlen(json_error_text((enum json_error)error)) > 3);
}

/* ---- writing ------------------------------------------------------------------------------------
 */

static struct span
written(struct span text)
{
    static char memory[TEXT_MAX];
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    json_put_string(&out, text);
    expect(!out.overflow);
    return buffer_span(&out);
}

static void
strings_are_escaped(void)
{
    expect_span(written((struct span){0}), SPAN("\"\""));
    expect_span(written(SPAN("caf\xc3\xa9 \xf0\x9f\x98\x80")),
                SPAN("\"caf\xc3\xa9 \xf0\x9f\x98\x80\""));
    expect_span(written(SPAN("\"\\/\n\r\t")), SPAN("\"\\\"\\\\/\\n\\r\\t\""));
    expect_span(written(SPAN("\0\x01\x1f\x7f\b")), SPAN("\"\\u0000\\u0001\\u001f\\u007f\\u0008\""));
    expect_span(written(SPAN("a\"")), SPAN("\"a\\\"\""));
}

static void
bad_utf8_becomes_marks(void)
{
#define MARK "\xef\xbf\xbd"
    expect_span(written(SPAN("\xff")), SPAN("\"" MARK "\""));
    expect_span(written(SPAN("a\xc3")), SPAN("\"a" MARK "\""));
    expect_span(written(SPAN("\xc3\xa9\xc3z")), SPAN("\"\xc3\xa9" MARK "z\""));
    expect_span(written(SPAN("\xed\xa0\x80")), SPAN("\"" MARK MARK MARK "\""));
    expect_span(written(SPAN("\xe2\x82\"")), SPAN("\"" MARK MARK "\\\"\""));
    expect_span(written(SPAN("\xf0\x9f\x98")), SPAN("\"" MARK MARK MARK "\""));
    expect_span(written(SPAN("\x80\n")), SPAN("\"" MARK "\\n\""));
}

static void
a_full_buffer_says_so(void)
{
    char memory[16];
    struct buffer out;
    for (size_t capacity = 0; capacity < 9; capacity++) {
        memset(memory, '-', sizeof(memory));
        buffer_init(&out, memory, capacity);
        json_put_string(&out, SPAN("ab\ncde"));
        expect(out.overflow);
        expect_u64(memory[capacity], '-');
    }
    buffer_init(&out, memory, 10);
    json_put_string(&out, SPAN("ab\ncde"));
    expect(!out.overflow);
}

static size_t
random_bytes(struct random *random, char *out, size_t limit)
{
    static const char *const pieces[] = {"\"", "\\", "\n", "\xc3\xa9", "\xf0\x9f\x98\x80", "{",
                                         "}",  ":",  ",",  "\\u12",    "\xe2\x82",         "a"};
    size_t size = 0;
    while (size + 4 < limit && !random_chance(random, 0.05)) {
        if (random_chance(random, 0.3)) {
            out[size++] = (char)random_next(random);
            continue;
        }
        const char *piece = pieces[random_below(random, sizeof(pieces) / sizeof(pieces[0]))];
        while (*piece != '\0' && size < limit)
            out[size++] = *piece++;
    }
    return size;
}

/* Whatever is written is read back: good UTF-8 as it was, bad as something that is good. */
static void
written_and_read_back(void)
{
    struct random random;
    random_seed(&random, 8259);
    for (int round = 0; round < 20000; round++) {
        char bytes[200];
        char memory[2048];
        struct span text = {.data = bytes, .size = random_bytes(&random, bytes, sizeof(bytes))};
        struct buffer out;
        buffer_init(&out, memory, sizeof(memory));
        buffer_put_text(&out, "{\"a\":");
        json_put_string(&out, text);
        buffer_put_char(&out, '}');
        object = (struct json_object){.fields = fields, .capacity = FIELDS_MAX};
        expect_u64(json_read_flat(buffer_span(&out), &object, &raw), JSON_OK);
        expect_u64(raw, 0);
        if (span_is_utf8(text))
            expect_span(fields[0].value, text);
        else
            expect(span_is_utf8(fields[0].value));
    }
}

/* Noise never breaks the reader (the sanitizers watch), and what it takes has a place in the text.
 */
static void
noise_is_survived(void)
{
    struct random random;
    random_seed(&random, 404);
    for (int round = 0; round < 50000; round++) {
        char bytes[120] = "{\"";
        size_t size = 2 + random_bytes(&random, bytes + 2, sizeof(bytes) - 2);
        struct span shown;
        (void)read_as_text((struct span){.data = bytes, .size = size}, 3, &shown);
    }
}

int
main(void)
{
    TEST(reads_what_is_json_and_nothing_else);
    TEST(cut_texts_are_refused);
    TEST(capacity_is_a_limit);
    TEST(many_fields_and_a_mask_of_64);
    TEST(says_where_it_went_wrong);
    TEST(strings_are_escaped);
    TEST(bad_utf8_becomes_marks);
    TEST(a_full_buffer_says_so);
    TEST(written_and_read_back);
    TEST(noise_is_survived);
    return test_end();
}
