#include "sender/graph/response.h"
#include "sender/base/clock.h"
#include "sender/graph/response_walk.h"
#include "tests/unit/test.h"

#include <jansson.h>
#include <string.h>

#define WAMID "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJBRkJENzExMTRFRjk2NTI1OTEA"

static const char *const COMMON =
    "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+16505551234\",\"wa_id\":"
    "\"16505551234\"}],\"messages\":[{\"id\":\"" WAMID "\",\"message_status\":\"accepted\"}]}";

struct reading {
    char memory[160];
    struct buffer words;
    struct response response;
    enum response_kind kind;
};

static struct response
read_body(struct span body, struct reading *reading)
{
    buffer_init(&reading->words, reading->memory, sizeof(reading->memory));
    reading->kind = response_read(body, &reading->words, &reading->response);
    return reading->response;
}

static void
expect_kind(struct span body, enum response_kind kind)
{
    struct reading reading;
    int before = test_failures_;
    read_body(body, &reading);
    expect_text(response_kind_text(reading.kind), response_kind_text(kind));
    if (before != test_failures_)
        printf("  of %.*s\n", (int)(body.size < 200 ? body.size : 200), body.data);
}

static void
finds_the_id(void)
{
    static const struct {
        const char *body;
        bool quick; /* without jansson */
        const char *id;
    } cases[] = {
        {"{\"messages\":[{\"id\":\"wamid.A\"}]}", true, "wamid.A"},
        {" { \"messages\" : [ { \"id\" : \"wamid.A\" } ] } \r\n", true, "wamid.A"},
        {"{\"messages\":[{\"id\":\"wamid.A\"},{\"id\":\"wamid.B\"}]}", true, "wamid.A"},
        {"{\"messages\":[{\"a\":[1,-2.5,{}],\"id\":\"wamid.A\"}],\"z\":[true,false,null,[]]}", true,
         "wamid.A"},
        {"{\"contacts\":[{\"messages\":[{\"id\":\"no\"}]}],\"messages\":[{\"id\":\"yes\"}]}", true,
         "yes"},
        {"{\"a\":\"\\\"messages\\\":[{\\\"id\\\":\\\"no\\\"}]\",\"messages\":[{\"id\":\"yes\"}]}",
         true, "yes"},
        {"{\"messages\":[{\"x\":{\"id\":\"no\"},\"id\":\"yes\"}]}", true, "yes"},
        {"{\"messages\":[{\"x\":\"\\\",\\\"id\\\":\\\"no\\\"\",\"id\":\"yes\"}]}", true, "yes"},
        {"{\"messages\":[{\"id\":\"wamid.a\\/b\\/c=\"}]}", true, "wamid.a/b/c="},
        {"{\"messages\":[{\"id\":\"wamid.\\u0041\"}]}", false, "wamid.A"},
        {"{\"messages\":[{\"\\u0069d\":\"wamid.A\"}]}", false, "wamid.A"},
        {"{\"m\\u0065ssages\":[{\"id\":\"wamid.A\"}]}", false, "wamid.A"},
        {"{\"n\":\"\\u00e9\",\"messages\":[{\"id\":\"wamid.A\"}]}", false, "wamid.A"},
        {"{\"n\":12345678901234567,\"messages\":[{\"id\":\"wamid.A\"}]}", true, "wamid.A"},
        {"{\"n\":1234567890123456789,\"messages\":[{\"id\":\"wamid.A\"}]}", false, "wamid.A"},
        {"{\"n\":1e5,\"messages\":[{\"id\":\"wamid.A\"}]}", false, "wamid.A"},
        {"{\"error\":null,\"messages\":[{\"id\":\"wamid.A\"}]}", false, "wamid.A"},
        {"{\"n\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]],\"messages\":[{\"id\":\"w\"}]}", false,
         "w"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reading reading;
        struct response_walk walk;
        struct span raw;
        expect_kind(span_of(cases[i].body), RESPONSE_ID);
        expect_span(read_body(span_of(cases[i].body), &reading).id, span_of(cases[i].id));
        expect_u64(response_walk_find_id(&walk, span_of(cases[i].body), &raw), cases[i].quick);
    }
    struct reading reading;
    struct span id = read_body(span_of(COMMON), &reading).id;
    expect_span(id, SPAN(WAMID));
    expect(id.data > COMMON && id.data < COMMON + strlen(COMMON)); /* nothing was copied */
}

/* Bodies that some byte search would take for an answer. */
static void
is_not_fooled(void)
{
    static const struct {
        const char *body;
        enum response_kind kind;
    } cases[] = {
        {"", RESPONSE_EMPTY},
        {" \r\n\t", RESPONSE_EMPTY},
        {"<html>\"messages\":[{\"id\":\"wamid.A\"}]</html>", RESPONSE_HTML},
        {"\n<!DOCTYPE html>", RESPONSE_HTML},
        {"OK", RESPONSE_NOT_JSON},
        {"{", RESPONSE_NOT_JSON},
        {"null", RESPONSE_NOT_JSON}, /* a scalar is no body of Graph's: jansson wants a container */
        {"\"messages\":[{\"id\":\"wamid.A\"}]", RESPONSE_NOT_JSON},
        {"{}", RESPONSE_OTHER},
        {"[]", RESPONSE_OTHER},
        {"[{\"messages\":[{\"id\":\"wamid.A\"}]}]", RESPONSE_OTHER},
        {"{\"messages\":[]}", RESPONSE_OTHER},
        {"{\"messages\":{}}", RESPONSE_OTHER},
        {"{\"messages\":null}", RESPONSE_OTHER},
        {"{\"messages\":[{}]}", RESPONSE_OTHER},
        {"{\"messages\":[null,{\"id\":\"wamid.A\"}]}", RESPONSE_OTHER},
        {"{\"messages\":[[{\"id\":\"wamid.A\"}]]}", RESPONSE_OTHER},
        {"{\"messages\":[{},{\"id\":\"wamid.A\"}]}", RESPONSE_OTHER},
        {"{\"messages\":[{\"id\":\"\"}]}", RESPONSE_OTHER},
        {"{\"messages\":[{\"id\":17}]}", RESPONSE_OTHER},
        {"{\"messages\":[{\"id\":null}]}", RESPONSE_OTHER},
        {"{\"messages\":[{\"id\":\"two words\"}]}", RESPONSE_OTHER},
        {"{\"messages\":[{\"id\":\"caf\xc3\xa9\"}]}", RESPONSE_OTHER},
        {"{\"messages\":[{\"id\":\"a\\nb\"}]}", RESPONSE_OTHER},
        {"{\"messages\":[{\"ID\":\"wamid.A\"}]}", RESPONSE_OTHER},
        {"{\"Messages\":[{\"id\":\"wamid.A\"}]}", RESPONSE_OTHER},
        {"{\"x\":{\"messages\":[{\"id\":\"wamid.A\"}]}}", RESPONSE_OTHER},
        {"{\"x\":\"\\\"messages\\\":[{\\\"id\\\":\\\"wamid.A\\\"}]\"}", RESPONSE_OTHER},
        {"{\"messages\":\"[{\\\"id\\\":\\\"wamid.A\\\"}]\"}", RESPONSE_OTHER},
        {"{\"messages\":[{\"id\":\"wamid.A\"}]}x", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}]}{}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"},]}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\",}]}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"n\":01}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"n\":1.}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"n\":-}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"n\":nul}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"n\":\"\\q\"}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"n\":\"\x01\"}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"n\":\"\xff\"}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"messages\":[]}", RESPONSE_NOT_JSON},
        {"{\"messages\":[],\"messages\":[{\"id\":\"wamid.A\"}]}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\",\"id\":\"wamid.B\"}]}", RESPONSE_NOT_JSON},
        {"{'messages':[{'id':'wamid.A'}]}", RESPONSE_NOT_JSON},
        {"{\"messages\":[{\"id\":\"wamid.A\"}],\"error\":{\"code\":1}}", RESPONSE_OTHER},
        {"{\"error\":{\"code\":1},\"messages\":[{\"id\":\"wamid.A\"}]}", RESPONSE_OTHER},
        {"{\"error\":\"invalid_request\",\"messages\":[{\"id\":\"wamid.A\"}]}", RESPONSE_OTHER},
        {"{\"error\":\"invalid_request\"}", RESPONSE_OTHER},
        {"{\"error\":{}}", RESPONSE_OTHER},
        {"{\"error\":{\"message\":\"(#131026) Message undeliverable\"}}", RESPONSE_OTHER},
        {"{\"error\":{\"code\":\"131026\"}}", RESPONSE_OTHER},
        {"{\"error\":{\"code\":131026.0}}", RESPONSE_OTHER},
        {"{\"error\":{\"code\":4294967296}}", RESPONSE_OTHER},
        {"{\"error\":{\"code\":99999999999999999999}}", RESPONSE_NOT_JSON},
        {"{\"error\":[{\"code\":131026}]}", RESPONSE_OTHER},
        {"{\"errors\":[{\"code\":131026}]}", RESPONSE_OTHER},
        {"{\"x\":{\"error\":{\"code\":131026}}}", RESPONSE_OTHER},
        {"{\"error\":{\"code\":131026,\"code\":1}}", RESPONSE_NOT_JSON},
        {"{\"code\":131026}", RESPONSE_OTHER},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_kind(span_of(cases[i].body), cases[i].kind);
    expect_kind(SPAN("{\"messages\":[{\"id\":\"wamid.A\"}]}\0"), RESPONSE_NOT_JSON);
    expect_kind(SPAN("{\"messages\":[{\"id\":\"wamid\0A\"}]}"), RESPONSE_NOT_JSON);
    expect_kind(SPAN("{\"messages\":[{\"id\":\"wamid.A\"}],\"x\":\"\\\0\"}"), RESPONSE_NOT_JSON);
    expect_kind((struct span){0}, RESPONSE_EMPTY);
}

static void
is_bounded(void)
{
    size_t size = RESPONSE_SIZE_MAX + 64;
    char *text = malloc(size);
    int head = sprintf(text, "{\"messages\":[{\"id\":\"wamid.A\"}]");
    memset(text + head, ' ', size - (size_t)head);
    text[RESPONSE_SIZE_MAX - 1] = '}';
    expect_kind((struct span){.data = text, .size = RESPONSE_SIZE_MAX}, RESPONSE_ID);
    expect_kind((struct span){.data = text, .size = RESPONSE_SIZE_MAX + 1}, RESPONSE_NOT_JSON);

    memset(text, '[', size); /* as deep as a body can be */
    expect_kind((struct span){.data = text, .size = RESPONSE_SIZE_MAX}, RESPONSE_NOT_JSON);
    int start = sprintf(text, "{\"x\":");
    memset(text + start, '[', size - (size_t)start);
    expect_kind((struct span){.data = text, .size = RESPONSE_SIZE_MAX}, RESPONSE_NOT_JSON);

    for (int length = RESPONSE_ID_MAX - 1; length <= RESPONSE_ID_MAX + 1; length++) {
        int written = sprintf(text, "{\"messages\":[{\"id\":\"%0*d\"}]}", length, 7);
        expect_kind((struct span){.data = text, .size = (size_t)written},
                    length <= RESPONSE_ID_MAX ? RESPONSE_ID : RESPONSE_OTHER);
    }
    free(text);
}

static void
reads_errors(void)
{
    static const struct {
        const char *body;
        int32_t code;
        const char *text;
    } cases[] = {
        {"{\"error\":{\"message\":\"(#130429) Rate limit "
         "hit\",\"type\":\"OAuthException\",\"code\":"
         "130429,\"error_data\":{\"messaging_product\":\"whatsapp\",\"details\":\"Cloud API "
         "message "
         "throughput has been reached.\"},\"error_subcode\":2494055,\"fbtrace_id\":\"Az8\"}}",
         130429, "(#130429) Rate limit hit: Cloud API message throughput has been reached."},
        {"{\"error\":{\"code\":0}}", 0, ""},
        {"{\"error\":{\"code\":-3,\"message\":\"\"}}", -3, ""},
        {"{\"error\":{\"code\":1,\"message\":17}}", 1, ""},
        {"{\"error\":{\"code\":1,\"error_data\":{\"details\":\"only details\"}}}", 1,
         "only details"},
        {"{\"error\":{\"code\":1,\"error_data\":\"text\",\"message\":\"m\"}}", 1, "m"},
        {"{\"error\":{\"code\":1,\"message\":\"a\\nb\\tc\\u007f\"}}", 1, "a b c "},
        {"{\"messages\":null,\"error\":{\"code\":1,\"message\":\"m\"}}", 1, "m"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reading reading;
        expect_kind(span_of(cases[i].body), RESPONSE_ERROR);
        read_body(span_of(cases[i].body), &reading);
        expect(reading.response.code == cases[i].code);
        expect_span(reading.response.text, span_of(cases[i].text));
        expect_u64(reading.response.id.size, 0);
    }
}

/* Words that do not fit end between two characters. */
static void
cuts_words_between_characters(void)
{
    for (int shift = 0; shift < 4; shift++) {
        char body[1024];
        int size = sprintf(body, "{\"error\":{\"code\":1,\"message\":\"%.*s", shift, "abc");
        for (int i = 0; i < 100; i++)
            size += sprintf(body + size, "\xe2\x82\xac");
        size += sprintf(body + size, "\"}}");
        struct reading reading;
        read_body((struct span){.data = body, .size = (size_t)size}, &reading);
        expect_u64(reading.kind, RESPONSE_ERROR);
        expect(span_is_utf8(reading.response.text));
        expect(reading.response.text.size > 157 && reading.response.text.size <= 160);
        expect(!reading.words.overflow);
    }
}

/* An answer is an answer only when its last byte is there. */
static void
believes_no_cut_body(void)
{
    static const char error[] = "{\"error\":{\"message\":\"(#131026) "
                                "x\",\"code\":131026,\"error_data\":{\"details\":\"d\"}}}";
    for (size_t size = 0; size < strlen(COMMON); size++) {
        struct reading reading;
        char *cut = malloc(size + 1); /* of exact size, so that a sanitizer sees a step too far */
        memcpy(cut, COMMON, size);
        char *exact = realloc(cut, size == 0 ? 1 : size);
        read_body((struct span){.data = exact, .size = size}, &reading);
        expect_u64(reading.kind, size == 0 ? RESPONSE_EMPTY : RESPONSE_NOT_JSON);
        free(exact);
    }
    for (size_t size = 1; size < strlen(error); size++)
        expect_kind((struct span){.data = error, .size = size}, RESPONSE_NOT_JSON);
}

/* Any byte changed to any other: an id is found only where jansson finds the same. */
static void
agrees_with_jansson(void)
{
    char body[512];
    size_t size = strlen(COMMON);
    uint32_t ids = 0;
    for (size_t at = 0; at < size; at++) {
        for (int byte = 0; byte < 256; byte++) {
            struct reading reading;
            memcpy(body, COMMON, size + 1);
            body[at] = (char)byte;
            read_body((struct span){.data = body, .size = size}, &reading);
            expect(reading.kind != RESPONSE_ERROR);
            if (reading.kind != RESPONSE_ID)
                continue;
            json_t *root = json_loadb(body, size, 0, NULL);
            const json_t *message = json_array_get(json_object_get(root, "messages"), 0);
            const char *id = json_string_value(json_object_get(message, "id"));
            expect_span(reading.response.id, span_of(id));
            json_decref(root);
            ids++;
        }
    }
    expect(ids > 10000 && ids < size * 256);
}

static void
is_fast(void)
{
    enum { ROUNDS = 100000 };
    uint64_t found = 0;
    uint64_t start_us = clock_cpu_us();
    for (int i = 0; i < ROUNDS; i++) {
        struct reading reading;
        read_body(span_of(COMMON), &reading);
        found += reading.kind == RESPONSE_ID;
    }
    uint64_t took_us = clock_cpu_us() - start_us;
    expect_u64(found, ROUNDS);
    printf("%.3f us a response\n", (double)took_us / ROUNDS);
    expect(took_us < ROUNDS * 20ull);
}

int
main(void)
{
    TEST(finds_the_id);
    TEST(is_not_fooled);
    TEST(is_bounded);
    TEST(reads_errors);
    TEST(cuts_words_between_characters);
    TEST(believes_no_cut_body);
    TEST(agrees_with_jansson);
    TEST(is_fast);
    return test_end();
}
