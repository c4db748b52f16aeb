#include "loadtest/request_reader.h"
#include "tests/unit/test.h"

#include <string.h>

static struct request_scratch scratch;
static struct send_request request;

/* Reads from a block of exactly this size, so that a sanitizer sees any byte read beyond it. */
static enum request_error
read_exact(struct span json)
{
    static char *block;
    free(block);
    block = malloc(json.size + 1);
    if (json.size > 0)
        memcpy(block + 1, json.data, json.size); /* unaligned on purpose */
    return request_read((struct span){block + 1, json.size}, &scratch, &request);
}

#define BODY                                                                                       \
    "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\","                       \
    "\"to\":\"+16505551234\",\"type\":\"template\",\"biz_opaque_callback_data\":\"job:42:a1\","    \
    "\"template\":{\"name\":\"reservation_confirmation\",\"language\":{\"code\":\"en_US\"},"       \
    "\"components\":["                                                                             \
    "{\"type\":\"header\",\"parameters\":[{\"type\":\"image\",\"image\":{\"id\":\"2871\"}}]},"     \
    "{\"type\":\"body\",\"parameters\":["                                                          \
    "{\"type\":\"text\",\"parameter_name\":\"number_of_guests\",\"text\":\"4\"},"                  \
    "{\"type\":\"text\",\"parameter_name\":\"day\",\"text\":\"Saturday\"}]},"                      \
    "{\"type\":\"button\",\"sub_type\":\"quick_reply\",\"index\":\"0\","                           \
    "\"parameters\":[{\"type\":\"payload\",\"payload\":\"CONFIRM:42\"}]},"                         \
    "{\"type\":\"button\",\"sub_type\":\"url\",\"index\":1,"                                       \
    "\"parameters\":[{\"type\":\"text\",\"text\":\"track/42\"}]}]}}"

static void
expect_the_example(void)
{
    expect_span(request.messaging_product, SPAN("whatsapp"));
    expect_span(request.to, SPAN("+16505551234"));
    expect_span(request.type, SPAN("template"));
    expect_span(request.callback, SPAN("job:42:a1"));
    expect_span(request.template_name, SPAN("reservation_confirmation"));
    expect_span(request.language, SPAN("en_US"));
    expect_u64(request.component_count, 4);
    expect_u64(request.parameter_count, 5);
    expect_span(request.components[0].type, SPAN("header"));
    expect(request.parameters[0].has_object);
    expect_span(request.parameters[0].value, SPAN("2871"));
    expect_u64(request.components[1].first, 1);
    expect_u64(request.components[1].count, 2);
    expect_span(request.parameters[2].name, SPAN("day"));
    expect_span(request.parameters[2].value, SPAN("Saturday"));
    expect_span(request.components[2].index, SPAN("0"));
    expect_span(request.components[3].index, SPAN("1"));
    expect_span(request.parameters[4].value, SPAN("track/42"));
}

static void
reads_metas_example(void)
{
    expect_u64(read_exact(SPAN(BODY)), REQUEST_OK);
    expect_the_example();
}

/* The same with white space wherever JSON allows it. */
static void
reads_it_with_white_space(void)
{
    char spaced[8192];
    size_t size = 0;
    bool inside = false;
    for (const char *at = BODY; *at != '\0'; at++) {
        inside ^= *at == '"';
        bool around = !inside && strchr("{}[],:", *at) != NULL;
        if (around)
            size += (size_t)sprintf(spaced + size, " \t");
        spaced[size++] = *at;
        if (around)
            size += (size_t)sprintf(spaced + size, "\r\n ");
    }
    expect_u64(read_exact((struct span){spaced, size}), REQUEST_OK);
    expect_the_example();
}

/* No beginning of a good request is one itself, and none is read beyond its end. */
static void
refuses_every_beginning(void)
{
    for (size_t size = 0; size < sizeof(BODY) - 1; size++)
        expect_u64(read_exact((struct span){BODY, size}), REQUEST_NOT_JSON);
}

/* Whatever one byte becomes, nothing is read out of bounds (a sanitizer tells) or loops. */
static void
survives_every_changed_byte(void)
{
    static const char values[] = "\"\\{}[],:0a \x01\x80\xff";
    char changed[sizeof(BODY)];
    uint64_t good = 0;
    for (size_t at = 0; at < sizeof(BODY) - 1; at++) {
        for (size_t i = 0; i < sizeof values; i++) {
            memcpy(changed, BODY, sizeof(BODY));
            changed[at] = values[i];
            good += read_exact((struct span){changed, sizeof(BODY) - 1}) == REQUEST_OK;
        }
    }
    expect(good > 100); /* in values, most changes are harmless … */
    expect(good < (sizeof(BODY) - 1) * sizeof values); /* … in the structure, none is */
}

static void
unescapes(void)
{
    static const struct {
        struct span json, value;
    } cases[] = {
        {SPAN("plain"), SPAN("plain")},
        {SPAN(""), SPAN("")},
        {SPAN("a\\\"b"), SPAN("a\"b")},
        {SPAN("\\\\\\/\\b\\f\\n\\r\\t"), SPAN("\\/\b\f\n\r\t")},
        {SPAN("caf\\u00e9"), SPAN("caf\xc3\xa9")},
        {SPAN("\\u20AC"), SPAN("\xe2\x82\xac")},
        {SPAN("\\ud83d\\ude00!"), SPAN("\xf0\x9f\x98\x80!")},
        {SPAN("caf\xc3\xa9 \xe2\x82\xac"), SPAN("caf\xc3\xa9 \xe2\x82\xac")},
        {SPAN("\xc3\xa9\\u0041\xc3\xa9"), SPAN("\xc3\xa9"
                                               "A\xc3\xa9")},
        {SPAN("nul \\u0000."), SPAN("nul \0.")},
        {SPAN("sixteen bytes ok"), SPAN("sixteen bytes ok")},
        {SPAN("\x7f"), SPAN("\x7f")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char json[256];
        size_t size =
            (size_t)snprintf(json, sizeof json, "{\"to\":\"%.*s\"}", SPAN_ARG(cases[i].json));
        expect_u64(read_exact((struct span){json, size}), REQUEST_OK);
        expect_span(request.to, cases[i].value);
        expect(request.to.data != NULL);
    }
}

static void
refuses_what_is_not_json(void)
{
    static const struct span cases[] = {
        SPAN(""),
        SPAN(" "),
        SPAN("null"),
        SPAN("[]"),
        SPAN("\"text\""),
        SPAN("{} {}"),
        SPAN("{}x"),
        SPAN("{,}"),
        SPAN("{\"to\"}"),
        SPAN("{\"to\":}"),
        SPAN("{\"to\":\"1\",}"),
        SPAN("{\"to\":\"1\" \"type\":\"2\"}"),
        SPAN("{to:\"1\"}"),
        SPAN("{'to':'1'}"),
        SPAN("{\"to\":\"a\nb\"}"),
        SPAN("{\"to\":\"a\\nb\x01\"}"),
        SPAN("{\"to\":\"\\x41\"}"),
        SPAN("{\"to\":\"\\u00g0\"}"),
        SPAN("{\"to\":\"\\u12\"}"),
        SPAN("{\"to\":\"\\ud83d\"}"),
        SPAN("{\"to\":\"\\ud83d\\u0041\"}"),
        SPAN("{\"to\":\"\\ude00\"}"),
        SPAN("{\"to\":\"\xff\"}"),
        SPAN("{\"to\":\"\xc3\"}"),
        SPAN("{\"to\":\"\xc0\xaf\"}"),
        SPAN("{\"to\":\"\xed\xa0\x80\"}"),
        SPAN("{\"to\":\"\xf4\x90\x80\x80\"}"),
        SPAN("{\"to\":\"\\n\xff\"}"),
        SPAN("{\"ttl\":01}"),
        SPAN("{\"ttl\":-}"),
        SPAN("{\"ttl\":+1}"),
        SPAN("{\"ttl\":1.}"),
        SPAN("{\"ttl\":.5}"),
        SPAN("{\"ttl\":1e}"),
        SPAN("{\"ttl\":NaN}"),
        SPAN("{\"ttl\":tru}"),
        SPAN("{\"ttl\":nullx}"),
        SPAN("{\"ttl\":[1,]}"),
        SPAN("{\"ttl\":[1"),
        SPAN("{\"ttl\":{\"a\":1,}}"),
        SPAN("{\"other\":1"),
        SPAN("\xef\xbb\xbf{}"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        enum request_error error = read_exact(cases[i]);
        if (error != REQUEST_NOT_JSON)
            printf("case %zu: %.*s\n", i, SPAN_ARG(cases[i]));
        expect_u64(error, REQUEST_NOT_JSON);
    }
}

static void
takes_what_is_none_of_its_business(void)
{
    static const struct span cases[] = {
        SPAN("{}"),
        SPAN("{\"ttl\":-0.5e+3}"),
        SPAN("{\"ttl\":0}"),
        SPAN("{\"ttl\":true,\"image\":false,\"audio\":null}"),
        SPAN("{\"interactive\":{\"type\":\"list\",\"body\":{\"text\":\"B\"},\"x\":[1,{},[]]}}"),
        SPAN("{\"text\":{\"body\":\"hello\",\"preview_url\":true},\"type\":\"text\"}"),
        SPAN("{\"context\":{\"message_id\":\"wamid.x\"}}"),
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_u64(read_exact(cases[i]), REQUEST_OK);
}

static void
names_what_is_wrong(void)
{
    static const struct {
        struct span json;
        enum request_error error;
        struct span field, parent;
    } cases[] = {
        {SPAN("{\"too\":\"1\"}"), REQUEST_UNKNOWN_FIELD, SPAN("too"), SPAN("")},
        {SPAN("{\"To\":\"1\"}"), REQUEST_UNKNOWN_FIELD, SPAN("To"), SPAN("")},
        {SPAN("{\"template\":{\"nam\":\"x\"}}"), REQUEST_UNKNOWN_FIELD, SPAN("nam"),
         SPAN("template")},
        {SPAN("{\"template\":{\"language\":{\"cod\":1}}}"), REQUEST_UNKNOWN_FIELD, SPAN("cod"),
         SPAN("language")},
        {SPAN("{\"template\":{\"components\":[{\"kind\":1}]}}"), REQUEST_UNKNOWN_FIELD,
         SPAN("kind"), SPAN("components")},
        {SPAN("{\"to\":\"1\",\"to\":\"2\"}"), REQUEST_TWICE, SPAN("to"), SPAN("")},
        {SPAN("{\"to\":\"1\",\"t\\u006f\":\"2\"}"), REQUEST_TWICE, SPAN("to"), SPAN("")},
        {SPAN("{\"to\":12}"), REQUEST_WRONG_KIND, SPAN("to"), SPAN("")},
        {SPAN("{\"to\":null}"), REQUEST_WRONG_KIND, SPAN("to"), SPAN("")},
        {SPAN("{\"template\":[]}"), REQUEST_WRONG_KIND, SPAN("template"), SPAN("")},
        {SPAN("{\"template\":{\"components\":{}}}"), REQUEST_WRONG_KIND, SPAN("components"),
         SPAN("template")},
        {SPAN("{\"template\":{\"components\":[[]]}}"), REQUEST_WRONG_KIND, SPAN("components"),
         SPAN("template")},
        {SPAN("{\"template\":{\"components\":[{\"index\":1.5}]}}"), REQUEST_WRONG_KIND,
         SPAN("index"), SPAN("components")},
        {SPAN("{\"template\":{\"components\":[{\"index\":-1}]}}"), REQUEST_WRONG_KIND,
         SPAN("index"), SPAN("components")},
        /* The first complaint counts, and what is not JSON wins over all of them. */
        {SPAN("{\"to\":12,\"too\":1}"), REQUEST_WRONG_KIND, SPAN("to"), SPAN("")},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        expect_u64(read_exact(cases[i].json), cases[i].error);
        expect_span(request.field, cases[i].field);
        expect_span(request.parent, cases[i].parent);
    }
    expect_u64(read_exact(SPAN("{\"to\":12,\"too\":1")), REQUEST_NOT_JSON);
}

/* `count` times `piece` between a head and a tail. */
static enum request_error
read_repeated(const char *head, const char *piece, uint32_t count, const char *tail)
{
    struct buffer json;
    char *memory = malloc(1 << 20);
    buffer_init(&json, memory, 1 << 20);
    buffer_put_text(&json, head);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0 && piece[0] == '{')
            buffer_put_char(&json, ',');
        buffer_put_text(&json, piece);
    }
    buffer_put_text(&json, tail);
    enum request_error error = read_exact(buffer_span(&json));
    free(memory);
    return error;
}

static void
is_bounded(void)
{
    const char *components = "{\"template\":{\"components\":[", *end = "]}}";
    expect_u64(read_repeated(components, "{}", REQUEST_COMPONENTS_MAX, end), REQUEST_OK);
    expect_u64(read_repeated(components, "{}", REQUEST_COMPONENTS_MAX + 1, end), REQUEST_TOO_MANY);
    const char *parameters = "{\"template\":{\"components\":[{\"parameters\":[", *ends = "]}]}}";
    expect_u64(read_repeated(parameters, "{}", REQUEST_PARAMETERS_MAX, ends), REQUEST_OK);
    expect_u64(request.components[0].count, REQUEST_PARAMETERS_MAX);
    expect_u64(read_repeated(parameters, "{}", REQUEST_PARAMETERS_MAX + 1, ends), REQUEST_TOO_MANY);
    expect_u64(read_repeated("{\"ttl\":", "[", REQUEST_DEPTH_MAX - 1, "1"), REQUEST_NOT_JSON);
    expect_u64(read_repeated("{\"ttl\":", "[", 100000, ""), REQUEST_TOO_LARGE);
    expect_u64(read_repeated("{\"ttl\":", "[", 60000, ""), REQUEST_NOT_JSON);
    expect_u64(read_repeated("{\"to\":\"", "x", REQUEST_BODY_MAX - 9, "\"}"), REQUEST_OK);
    expect_u64(read_repeated("{\"to\":\"", "x", REQUEST_BODY_MAX - 8, "\"}"), REQUEST_TOO_LARGE);
    expect_u64(read_repeated("{\"to\":\"", "\\n", (REQUEST_BODY_MAX - 10) / 2, "\"}"), REQUEST_OK);
}

static void
depth_ends_where_it_says(void)
{
    char json[256];
    for (int depth = REQUEST_DEPTH_MAX - 2; depth <= REQUEST_DEPTH_MAX + 1; depth++) {
        size_t size = (size_t)sprintf(json, "{\"ttl\":");
        for (int i = 1; i < depth; i++)
            json[size++] = '[';
        for (int i = 1; i < depth; i++)
            json[size++] = ']';
        json[size++] = '}';
        expect_u64(read_exact((struct span){json, size}),
                   depth <= REQUEST_DEPTH_MAX ? REQUEST_OK : REQUEST_NOT_JSON);
    }
}

int
main(void)
{
    TEST(reads_metas_example);
    TEST(reads_it_with_white_space);
    TEST(refuses_every_beginning);
    TEST(survives_every_changed_byte);
    TEST(unescapes);
    TEST(refuses_what_is_not_json);
    TEST(takes_what_is_none_of_its_business);
    TEST(names_what_is_wrong);
    TEST(is_bounded);
    TEST(depth_ends_where_it_says);
    return test_end();
}
