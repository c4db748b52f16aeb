#include "sender/base/bytes.h"
#include "tests/unit/test.h"

#include <string.h>

static void
spans_compare(void)
{
    expect(span_equal(SPAN("abc"), span_of("abc")));
    expect(!span_equal(SPAN("abc"), SPAN("abd")));
    expect(!span_equal(SPAN("abc"), SPAN("ab")));
    expect(span_equal((struct span){0}, SPAN("")));
    expect(!span_equal(SPAN("a\0b"), SPAN("a\0c")));
    expect_u64(span_of(NULL).size, 0);
    expect(span_starts(SPAN("abc"), SPAN("ab")));
    expect(span_starts(SPAN("abc"), (struct span){0}));
    expect(!span_starts(SPAN("ab"), SPAN("abc")));
    expect(!span_starts(SPAN("xbc"), SPAN("ab")));
}

static void
spans_find_and_trim(void)
{
    size_t index = 99;
    expect(span_find(SPAN("a\0b=c"), '=', &index));
    expect_u64(index, 3);
    expect(!span_find(SPAN("abc"), '=', &index));
    expect(!span_find((struct span){0}, '=', &index));
    expect_u64(index, 3);
    expect_span(span_trim(SPAN(" \t\r\n\v\f a b \n")), SPAN("a b"));
    expect_u64(span_trim(SPAN(" \n ")).size, 0);
    expect_u64(span_trim((struct span){0}).size, 0);
    expect_span(span_trim(SPAN("\xc2\xa0x")), SPAN("\xc2\xa0x")); /* only ASCII's white space */
}

static void
spans_split(void)
{
    struct span rest = SPAN("a,,b,");
    expect_span(span_split(&rest, ','), SPAN("a"));
    expect_span(span_split(&rest, ','), SPAN(""));
    expect_span(span_split(&rest, ','), SPAN("b"));
    expect(rest.data != NULL && rest.size == 0); /* an empty piece is left, after the last comma */
    expect_span(span_split(&rest, ','), SPAN(""));
    expect(rest.data == NULL);
}

static void
decimals_are_strict(void)
{
    static const struct {
        const char *text;
        bool good;
        uint64_t value;
    } cases[] = {
        {"0", true, 0},
        {"7", true, 7},
        {"007", true, 7},
        {"9223372036854775807", true, INT64_MAX},
        {"9223372036854775808", false, 0},
        {"9999999999999999999", false, 0},
        {"18446744073709551616", false, 0},
        {"00000000000000000001", false, 0}, /* 20 digits */
        {"", false, 0},
        {"-1", false, 0},
        {"+1", false, 0},
        {" 1", false, 0},
        {"1 ", false, 0},
        {"1e3", false, 0},
        {"0x10", false, 0},
        {"1/", false, 0},
        {"1:", false, 0},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint64_t value = 12345;
        bool good = span_to_u64(span_of(cases[i].text), &value);
        if (good != cases[i].good)
            printf("case \"%s\"\n", cases[i].text);
        expect(good == cases[i].good);
        expect_u64(value, cases[i].good ? cases[i].value : 12345);
    }
    uint64_t value;
    expect(!span_to_u64(SPAN("1\0002"), &value));
}

static void
utf8_by_the_table(void)
{
    static const struct {
        struct span text;
        bool good;
    } cases[] = {
        {{"", 0}, true},
        {{"\0", 1}, true},
        {{"\x7f", 1}, true},
        {{"\xc2\x80", 2}, true},
        {{"\xdf\xbf", 2}, true},
        {{"\xe0\xa0\x80", 3}, true},
        {{"\xed\x9f\xbf", 3}, true},
        {{"\xee\x80\x80", 3}, true},
        {{"\xef\xbf\xbf", 3}, true},
        {{"\xf0\x90\x80\x80", 4}, true},
        {{"\xf4\x8f\xbf\xbf", 4}, true},
        {{"\x80", 1}, false},             /* a continuation alone */
        {{"\xc0\x80", 2}, false},         /* over-long NUL */
        {{"\xc1\xbf", 2}, false},         /* over-long */
        {{"\xe0\x9f\xbf", 3}, false},     /* over-long */
        {{"\xed\xa0\x80", 3}, false},     /* surrogate */
        {{"\xed\xbf\xbf", 3}, false},     /* surrogate */
        {{"\xf0\x8f\xbf\xbf", 4}, false}, /* over-long */
        {{"\xf4\x90\x80\x80", 4}, false}, /* above U+10FFFF */
        {{"\xf5\x80\x80\x80", 4}, false},
        {{"\xff", 1}, false},
        {{"\xc2", 1}, false}, /* cut */
        {{"\xe2\x82", 2}, false},
        {{"\xf0\x9f\x98", 3}, false},
        {{"\xc2\x41", 2}, false},
        {{"\xe2\x82\x41", 3}, false},
        {{"\xf0\x9f\x98\x41", 4}, false},
    };
    /* Each case at every place around the eight bytes that are looked at together. */
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t before = 0; before < 18; before++) {
            char text[64];
            memset(text, 'a', sizeof(text));
            memcpy(text + before, cases[i].text.data, cases[i].text.size);
            struct span end = {.data = text, .size = before + cases[i].text.size};
            struct span amid = {.data = text, .size = end.size + 9};
            expect(span_is_utf8(end) == cases[i].good);
            expect(span_is_utf8(amid) == cases[i].good);
        }
    }
    expect(span_is_utf8((struct span){0}));
}

static void
hashes_are_the_same_everywhere(void)
{
    expect_u64(span_hash(SPAN("")), 0xcbf29ce484222325u);
    expect_u64(span_hash(SPAN("a")), 0xaf63dc4c8601ec8cu);
    expect_u64(span_hash(SPAN("foobar")), 0x85944171f73967e8u);
}

static void
buffers_write(void)
{
    char memory[200];
    struct buffer buffer;
    buffer_init(&buffer, memory, sizeof(memory));
    buffer_put_text(&buffer, "a");
    buffer_put_char(&buffer, '\0');
    buffer_put_span(&buffer, SPAN("b"));
    buffer_put_span(&buffer, (struct span){0});
    expect_span(buffer_span(&buffer), SPAN("a\0b"));
    buffer_reset(&buffer);
    buffer_put_u64(&buffer, 0);
    buffer_put_char(&buffer, ' ');
    buffer_put_u64(&buffer, UINT64_MAX);
    buffer_put_char(&buffer, ' ');
    buffer_put_i64(&buffer, INT64_MIN);
    buffer_put_char(&buffer, ' ');
    buffer_put_i64(&buffer, INT64_MAX);
    buffer_put_char(&buffer, ' ');
    buffer_put_i64(&buffer, -7);
    expect_text(buffer_text(&buffer),
                "0 18446744073709551615 -9223372036854775808 9223372036854775807 -7");
    buffer_reset(&buffer);
    buffer_put_hex(&buffer, "\x00\x9f\xff", 3);
    buffer_printf(&buffer, "|%d|%s", -3, "x");
    expect_text(buffer_text(&buffer), "009fff|-3|x");
    expect_u64(buffer_room(&buffer), 200 - 11);
    expect(!buffer.overflow);
}

/* What does not fit is not written at all, whatever writes it. */
static void
buffers_have_an_end(void)
{
    char memory[8] = "-------";
    struct buffer buffer;
    for (int way = 0; way < 8; way++) {
        buffer_init(&buffer, memory, 4);
        buffer_put(&buffer, "abc", 3);
        switch (way) {
        case 0:
            buffer_put(&buffer, "de", 2);
            break;
        case 1:
            buffer_put_text(&buffer, "de");
            break;
        case 2:
            buffer_put_span(&buffer, SPAN("de"));
            break;
        case 3:
            buffer_put_u64(&buffer, 12);
            break;
        case 4:
            buffer_put_i64(&buffer, -1);
            break;
        case 5:
            buffer_put_hex(&buffer, "d", 1);
            break;
        case 6:
            buffer_printf(&buffer, "%d", 12);
            break;
        case 7:
            buffer_put(&buffer, memory, SIZE_MAX);
            break;
        }
        expect(buffer.overflow);
        expect_span(buffer_span(&buffer), SPAN("abc"));
        buffer_put_char(&buffer, 'd'); /* what fits is still written, and the mark stays */
        expect(buffer.overflow);
        expect_span(buffer_span(&buffer), SPAN("abcd"));
        expect_u64(memory[4], '-');
        buffer_reset(&buffer);
        expect(!buffer.overflow);
    }
}

static void
texts_end_with_nul(void)
{
    char memory[4];
    struct buffer buffer;
    buffer_init(&buffer, memory, sizeof(memory));
    expect_text(buffer_text(&buffer), "");
    buffer_put_text(&buffer, "abc");
    expect_text(buffer_text(&buffer), "abc");
    expect(!buffer.overflow);
    buffer_put_char(&buffer, 'd');
    expect_text(buffer_text(&buffer), "abc");
    expect(buffer.overflow);
    buffer_init(&buffer, memory, 0);
    expect_abort(buffer_text(&buffer));
}

static void
printf_has_a_limit(void)
{
    static char memory[5000];
    static char text[2049];
    struct buffer buffer;
    memset(text, 'x', sizeof(text) - 1);
    buffer_init(&buffer, memory, sizeof(memory));
    buffer_printf(&buffer, "%s", text + 1);
    expect_u64(buffer.size, 2047);
    expect(!buffer.overflow);
    buffer_printf(&buffer, "%s", text);
    expect_u64(buffer.size, 2047);
    expect(buffer.overflow);
}

static void
errors_are_cut_at_their_end(void)
{
    static char text[2000];
    struct error_text error;
    memset(text, 'x', sizeof(text) - 1);
    error_set(&error, "%s:%d: %s", "a.csv", 7, text);
    expect_u64(strlen(error.text), sizeof(error.text) - 1);
    expect(span_starts(span_of(error.text), SPAN("a.csv:7: xxx")));
}

int
main(void)
{
    TEST(spans_compare);
    TEST(spans_find_and_trim);
    TEST(spans_split);
    TEST(decimals_are_strict);
    TEST(utf8_by_the_table);
    TEST(hashes_are_the_same_everywhere);
    TEST(buffers_write);
    TEST(buffers_have_an_end);
    TEST(texts_end_with_nul);
    TEST(printf_has_a_limit);
    TEST(errors_are_cut_at_their_end);
    return test_end();
}
