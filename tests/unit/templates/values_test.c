#include "templates/values.h"
#include "tests/unit/test.h"

#include <string.h>

#define TEMPLATE(top, body, more)                                                                  \
    "{\"name\":\"t\",\"language\":\"en\",\"category\":\"UTILITY\"," top "\"components\":[{"        \
    "\"type\":\"BODY\",\"text\":\"" body "\"}" more "]}"
#define HEADER(format)    ",{\"type\":\"HEADER\",\"format\":\"" format "\"}"
#define HEADER_TEXT(text) ",{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"" text "\"}"
#define BUTTONS(list)     ",{\"type\":\"BUTTONS\",\"buttons\":[" list "]}"
#define REPLY             "{\"type\":\"QUICK_REPLY\",\"text\":\"Help\"}"
#define TRACK             "{\"type\":\"URL\",\"text\":\"Track\",\"url\":\"https://a.b/{{1}}\"}"
#define OPEN              "{\"type\":\"URL\",\"text\":\"Open\",\"url\":\"https://a.b/\"}"
#define CALL              "{\"type\":\"PHONE_NUMBER\",\"text\":\"Call\",\"phone_number\":\"+33 1\"}"
#define DEGREES(latitude, longitude)                                                               \
    "{\"header\":{\"latitude\":\"" latitude "\",\"longitude\":\"" longitude "\"}}"
#define COPY "{\"type\":\"COPY_CODE\"}"

static const char plain[] = TEMPLATE("", "Hi {{1}}, order {{2}}.", "");
static const char named[] = TEMPLATE("\"parameter_format\":\"NAMED\",",
                                     "Hi {{name}}, see {{event}}.", HEADER_TEXT("For {{event}}"));
static const char headed[] = TEMPLATE("", "Hi {{1}}.", HEADER_TEXT("Order {{1}}"));
static const char image[] = TEMPLATE("", "Hi.", HEADER("IMAGE"));
static const char document[] = TEMPLATE("", "Hi.", HEADER("DOCUMENT"));
static const char location[] = TEMPLATE("", "Hi.", HEADER("LOCATION"));
static const char buttons[] = TEMPLATE("", "Hi {{1}}.", BUTTONS(REPLY "," TRACK "," OPEN "," COPY));
static const char fixed[] = TEMPLATE("", "Hi.", HEADER_TEXT("Order"));
static const char copy_only[] = TEMPLATE("", "Hi.", BUTTONS(COPY));

static const char call[] = TEMPLATE("", "Hi.", BUTTONS(CALL));

struct attempt {
    const char *template;
    const char *fields[6]; /* name, value, … NULL */
    const char *params;
    bool named;
    enum values_error error;
    const char *field;    /* on failure */
    const char *rendered; /* on success */
};

static char arena_memory[1 << 16];

static void
try(const struct attempt *attempt)
{
    struct error_text problem = {""};
    struct template *template = template_read(span_of(attempt->template), "t", &problem);
    expect_text(problem.text, "");
    struct field fields[3];
    struct values_input input = {
        .fields = fields, .named = attempt->named, .params = span_of(attempt->params)};
    for (; attempt->fields[input.count * 2] != NULL; input.count++)
        fields[input.count] =
            (struct field){.name = span_of(attempt->fields[input.count * 2]),
                           .value = span_of(attempt->fields[input.count * 2 + 1])};
    struct arena arena = {.data = arena_memory, .capacity = sizeof(arena_memory)};
    struct values values;
    struct span field = {0};
    enum values_error error = values_read(template, &input, &arena, &values, &field);
    if (error != attempt->error)
        printf("in %s with %s:\n", attempt->template,
               attempt->params == NULL ? "fields" : attempt->params);
    expect_u64(error, attempt->error);
    if (error != VALUES_OK) {
        expect_span(field, span_of(attempt->field));
    } else {
        char memory[1024];
        struct buffer text;
        buffer_init(&text, memory, sizeof(memory));
        expect(values_render(template, &values, &text));
        expect_span(buffer_span(&text), span_of(attempt->rendered));
    }
    template_close(template);
}

static const struct attempt attempts[] = {
    {plain, {"1", "Ann", "2", "A-1"}, NULL, 0, VALUES_OK, NULL, "Hi Ann, order A-1."},
    {plain, {"2", "A-1", "1", "Ann"}, NULL, 0, VALUES_OK, NULL, "Hi Ann, order A-1."},
    {plain, {NULL}, "{\"body\":[\"Ann\",\"A-1\"]}", 0, VALUES_OK, NULL, "Hi Ann, order A-1."},
    {plain, {"1", "Ann"}, "{\"body\":{\"2\":\"A\"}}", 0, VALUES_OK, NULL, "Hi Ann, order A."},
    {plain,
     {"1", "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "2", "a    b"},
     NULL,
     0,
     VALUES_OK,
     NULL,
     "Hi \xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80, order a    b."},
    {plain, {"1", "Ann"}, NULL, 0, VALUES_MISSING, "2", NULL},
    {plain, {NULL}, NULL, 0, VALUES_MISSING, "1", NULL},
    {plain, {"1", "", "2", "A"}, NULL, 0, VALUES_MISSING, "1", NULL},
    {plain, {"1", "  ", "2", "A"}, NULL, 0, VALUES_MISSING, "1", NULL},
    {plain, {"3", "x"}, NULL, 0, VALUES_UNKNOWN, "3", NULL},
    {plain, {"0", "x"}, NULL, 0, VALUES_UNKNOWN, "0", NULL},
    {plain, {"01", "x"}, NULL, 0, VALUES_UNKNOWN, "01", NULL},
    {plain, {"", "x"}, NULL, 0, VALUES_UNKNOWN, "", NULL},
    {plain, {"name", "x"}, NULL, 0, VALUES_UNKNOWN, "name", NULL},
    {plain, {"1", "x"}, NULL, true, VALUES_UNKNOWN, "1", NULL},
    {plain, {"1", "x", "1", "y"}, NULL, 0, VALUES_MALFORMED, "1", NULL},
    {plain, {"1", "x"}, "{\"body\":[\"y\",\"z\"]}", 0, VALUES_MALFORMED, "1", NULL},
    {plain, {"1", "a\nb", "2", "A"}, NULL, 0, VALUES_TEXT, "1", NULL},
    {plain, {"1", "a\rb", "2", "A"}, NULL, 0, VALUES_TEXT, "1", NULL},
    {plain, {"1", "A", "2", "a\tb"}, NULL, 0, VALUES_TEXT, "2", NULL},
    {plain, {"1", "a     b", "2", "A"}, NULL, 0, VALUES_TEXT, "1", NULL},
    {plain, {"1", "a\xff", "2", "A"}, NULL, 0, VALUES_TEXT, "1", NULL},
    {plain, {"1", "\xed\xa0\x80", "2", "A"}, NULL, 0, VALUES_TEXT, "1", NULL},
    {plain, {"1", "\x7f", "2", "A"}, NULL, 0, VALUES_TEXT, "1", NULL},
    {plain, {NULL}, "{\"body\":[\"a\\nb\",\"A\"]}", 0, VALUES_TEXT, "1", NULL},
    {plain, {NULL}, "{\"body\":[\"a\\u0000b\",\"A\"]}", 0, VALUES_MALFORMED, "params", NULL},
    {plain, {NULL}, "{\"body\":[\"a\"]}", 0, VALUES_MISSING, "2", NULL},
    {plain, {NULL}, "{\"body\":[\"a\",\"b\",\"c\"]}", 0, VALUES_UNKNOWN, "params.body", NULL},
    {plain, {NULL}, "{\"body\":[\"a\",7]}", 0, VALUES_MALFORMED, "2", NULL},
    {plain, {NULL}, "{\"body\":\"a\"}", 0, VALUES_MALFORMED, "params.body", NULL},
    {plain, {NULL}, "{\"body\":{\"9\":\"a\"}}", 0, VALUES_UNKNOWN, "9", NULL},
    {plain, {NULL}, "{\"header\":\"a\"}", 0, VALUES_UNKNOWN, "params.header", NULL},
    {plain, {NULL}, "{\"buttons\":{\"0\":\"a\"}}", 0, VALUES_UNKNOWN, "params.buttons", NULL},
    {plain, {NULL}, "{\"footer\":\"a\"}", 0, VALUES_UNKNOWN, "params", NULL},
    {plain, {NULL}, "{\"body\":[],\"body\":[]}", 0, VALUES_MALFORMED, "params", NULL},
    {plain, {NULL}, "[]", 0, VALUES_MALFORMED, "params", NULL},
    {plain, {NULL}, "{", 0, VALUES_MALFORMED, "params", NULL},

    {named,
     {"name", "Ann", "event", "Rigoletto"},
     NULL,
     true,
     VALUES_OK,
     NULL,
     "For Rigoletto\nHi Ann, see Rigoletto."},
    {named,
     {"name", "Ann"},
     "{\"body\":{\"event\":\"X\"}}",
     true,
     VALUES_OK,
     NULL,
     "For X\nHi Ann, see X."},
    {named, {"name", "Ann"}, NULL, true, VALUES_MISSING, "event", NULL},
    {named, {"nom", "Ann"}, NULL, true, VALUES_UNKNOWN, "nom", NULL},
    {named, {"1", "Ann"}, NULL, false, VALUES_UNKNOWN, "1", NULL},
    {named, {NULL}, "{\"body\":[\"a\",\"b\"]}", true, VALUES_MALFORMED, "params.body", NULL},
    {named, {"event", "a"}, "{\"header\":\"b\"}", true, VALUES_MALFORMED, "params.header", NULL},

    {headed, {"1", "Ann"}, "{\"header\":\"A-1\"}", 0, VALUES_OK, NULL, "Order A-1\nHi Ann."},
    {headed, {"1", "Ann"}, NULL, 0, VALUES_MISSING, "header", NULL},
    {headed, {"1", "Ann"}, "{\"header\":{}}", 0, VALUES_MALFORMED, "params.header", NULL},
    {headed,
     {"1", "Ann"},
     "{\"header\":\"1234567890123456789012345678901234567890123456789012345\"}",
     0,
     VALUES_TOO_LONG,
     "header",
     NULL},
    {fixed, {NULL}, NULL, 0, VALUES_OK, NULL, "Order\nHi."},
    {fixed, {NULL}, "{\"header\":\"a\"}", 0, VALUES_UNKNOWN, "params.header", NULL},

    {image, {NULL}, "{\"header\":{\"link\":\"https://a.b/c.png\"}}", 0, VALUES_OK, NULL, "Hi."},
    {image, {NULL}, "{\"header\":{\"id\":\"123\"}}", 0, VALUES_OK, NULL, "Hi."},
    {image, {NULL}, NULL, 0, VALUES_MISSING, "header", NULL},
    {image, {NULL}, "{\"header\":\"a\"}", 0, VALUES_MALFORMED, "params.header", NULL},
    {image, {NULL}, "{\"header\":{\"link\":\"a.png\"}}", 0, VALUES_LINK, "link", NULL},
    {image, {NULL}, "{\"header\":{\"link\":\"http://a.b/c\"}}", 0, VALUES_LINK, "link", NULL},
    {image, {NULL}, "{\"header\":{\"link\":\"https://\"}}", 0, VALUES_LINK, "link", NULL},
    {image, {NULL}, "{\"header\":{\"link\":\"https:///c\"}}", 0, VALUES_LINK, "link", NULL},
    {image, {NULL}, "{\"header\":{\"link\":\"https://a.b/c d\"}}", 0, VALUES_LINK, "link", NULL},
    {image, {NULL}, "{\"header\":{\"id\":\"12a\"}}", 0, VALUES_MEDIA_ID, "id", NULL},
    {image, {NULL}, "{\"header\":{\"id\":\"-1\"}}", 0, VALUES_MEDIA_ID, "id", NULL},
    {image, {NULL}, "{\"header\":{\"id\":12}}", 0, VALUES_MALFORMED, "id", NULL},
    {image, {NULL}, "{\"header\":{}}", 0, VALUES_MISSING, "header", NULL},
    {image, {NULL}, "{\"header\":{\"latitude\":\"1\"}}", 0, VALUES_UNKNOWN, "params.header", NULL},
    {image,
     {NULL},
     "{\"header\":{\"link\":\"https://a.b\",\"id\":\"1\"}}",
     0,
     VALUES_MALFORMED,
     "id",
     NULL},
    {image,
     {NULL},
     "{\"header\":{\"id\":\"1\",\"filename\":\"a\"}}",
     0,
     VALUES_UNKNOWN,
     "params.header",
     NULL},
    {document,
     {NULL},
     "{\"header\":{\"id\":\"1\",\"filename\":\"Bill.pdf\"}}",
     0,
     VALUES_OK,
     NULL,
     "Bill.pdf\nHi."},
    {document,
     {NULL},
     "{\"header\":{\"filename\":\"Bill.pdf\"}}",
     0,
     VALUES_MISSING,
     "header",
     NULL},
    {location,
     {NULL},
     "{\"header\":{\"latitude\":\"1\",\"longitude\":\"2\",\"name\":\"Opera\",\"address\":\"1 Rue "
     "B\"}}",
     0,
     VALUES_OK,
     NULL,
     "Opera, 1 Rue B\nHi."},
    {location, {NULL}, "{\"header\":{\"latitude\":\"1\"}}", 0, VALUES_MISSING, "header", NULL},
    {location, {NULL}, DEGREES("-33.856784", "151.215297"), 0, VALUES_OK, NULL, "Hi."},
    {location, {NULL}, DEGREES("90", "-180.000"), 0, VALUES_OK, NULL, "Hi."},
    {location, {NULL}, DEGREES("90.1", "0"), 0, VALUES_PLACE, "latitude", NULL},
    {location, {NULL}, DEGREES("91", "0"), 0, VALUES_PLACE, "latitude", NULL},
    {location, {NULL}, DEGREES("48,8", "0"), 0, VALUES_PLACE, "latitude", NULL},
    {location, {NULL}, DEGREES("48.", "0"), 0, VALUES_PLACE, "latitude", NULL},
    {location, {NULL}, DEGREES("-", "0"), 0, VALUES_PLACE, "latitude", NULL},
    {location, {NULL}, DEGREES("1", "180.5"), 0, VALUES_PLACE, "longitude", NULL},
    {location, {NULL}, DEGREES("1", "2 east"), 0, VALUES_PLACE, "longitude", NULL},
    {location, {NULL}, "{\"header\":{\"latitude\":1}}", 0, VALUES_MALFORMED, "latitude", NULL},

    {buttons,
     {"1", "A-1"},
     "{\"buttons\":{\"1\":\"x\"}}",
     0,
     VALUES_OK,
     NULL,
     "Hi A-1.\nHelp\nTrack\nOpen\nCopy code"},
    {buttons,
     {"1", "A-1"},
     "{\"buttons\":{\"0\":\"p\",\"1\":\"x\",\"3\":\"CODE\"}}",
     0,
     VALUES_OK,
     NULL,
     "Hi A-1.\nHelp\nTrack\nOpen\nCopy code"},
    {buttons, {"1", "A-1"}, NULL, 0, VALUES_MISSING, "buttons.1", NULL},
    {buttons,
     {"1", "A-1"},
     "{\"buttons\":{\"1\":\"x\",\"2\":\"y\"}}",
     0,
     VALUES_UNKNOWN,
     "buttons.2",
     NULL},
    {buttons,
     {"1", "A-1"},
     "{\"buttons\":{\"1\":\"x\",\"3\":\"1234567890123456\"}}",
     0,
     VALUES_TOO_LONG,
     "buttons.3",
     NULL},
    {buttons,
     {"1", "A-1"},
     "{\"buttons\":{\"4\":\"x\"}}",
     0,
     VALUES_UNKNOWN,
     "params.buttons",
     NULL},
    {buttons,
     {"1", "A-1"},
     "{\"buttons\":{\"01\":\"x\"}}",
     0,
     VALUES_UNKNOWN,
     "params.buttons",
     NULL},
    {buttons, {"1", "A-1"}, "{\"buttons\":[]}", 0, VALUES_MALFORMED, "params.buttons", NULL},
    {call, {NULL}, NULL, 0, VALUES_OK, NULL, "Hi.\nCall"},
    {call, {NULL}, "{\"buttons\":{\"0\":\"+33\"}}", 0, VALUES_UNKNOWN, "buttons.0", NULL},
    {copy_only, {NULL}, NULL, 0, VALUES_MISSING, "buttons.0", NULL},
    {copy_only, {NULL}, "{\"buttons\":{\"0\":\"A\"}}", 0, VALUES_OK, NULL, "Hi.\nCopy code"},
};

static void
reads_and_renders(void)
{
    for (size_t i = 0; i < sizeof(attempts) / sizeof(attempts[0]); i++)
        try(&attempts[i]);
}

static void
gives_header_and_buttons_on(void)
{
    struct error_text problem;
    struct template *template = template_read(span_of(document), "t", &problem);
    struct arena arena = {.data = arena_memory, .capacity = sizeof(arena_memory)};
    struct values_input input = {
        .params = SPAN("{\"header\":{\"filename\":\"B\",\"link\":\"https://a.b/\"}}")};
    struct values values;
    struct span field;
    expect_u64(values_read(template, &input, &arena, &values, &field), VALUES_OK);
    expect_u64(values.header_field_count, 2);
    expect_span(values.header_fields[0].name, SPAN("link"));
    expect_span(values.header_fields[0].value, SPAN("https://a.b/"));
    expect_span(values.header_fields[1].name, SPAN("filename"));
    template_close(template);

    template = template_read(span_of(buttons), "t", &problem);
    struct field one = {SPAN("1"), SPAN("A-1")};
    input = (struct values_input){
        .fields = &one, .count = 1, .params = SPAN("{\"buttons\":{\"1\":\"x\"}}")};
    expect_u64(values_read(template, &input, &arena, &values, &field), VALUES_OK);
    expect_span(values.buttons[0], SPAN(""));
    expect_span(values.buttons[1], SPAN("x"));
    expect_span(values.buttons[3], SPAN("A-1")); /* parameter 1 unless told */
    template_close(template);
}

/* Values from `params`, at the edge of Meta's lengths. */
static enum values_error
read_params(const char *json, const char *before, uint32_t count, const char *after)
{
    static char params[8192];
    struct error_text problem;
    struct template *template = template_read(span_of(json), "t", &problem);
    struct arena arena = {.data = arena_memory, .capacity = sizeof(arena_memory)};
    struct field one = {SPAN("1"), SPAN("A-1")};
    struct buffer text;
    buffer_init(&text, params, sizeof(params));
    buffer_put_text(&text, before);
    for (uint32_t i = 0; i < count; i++)
        buffer_put_text(&text, "é");
    buffer_put_text(&text, after);
    expect(!text.overflow);
    struct values_input input = {.fields = &one,
                                 .count = template->parameter_count > 0 ? 1 : 0,
                                 .params = buffer_span(&text)};
    struct values values;
    struct span field;
    enum values_error error = values_read(template, &input, &arena, &values, &field);
    template_close(template);
    return error;
}

static void
keeps_metas_lengths_in_params(void)
{
    static const char reply[] = "{\"buttons\":{\"1\":\"x\",\"0\":\"";
    static const char suffix[] = "{\"buttons\":{\"1\":\"";
    static const char name[] = "{\"header\":{\"id\":\"1\",\"filename\":\"";
    static const char link[] = "{\"header\":{\"link\":\"https://a.b/";
    expect_u64(read_params(buttons, reply, 128, "\"}}"), VALUES_OK);
    expect_u64(read_params(buttons, reply, 129, "\"}}"), VALUES_TOO_LONG);
    expect_u64(read_params(buttons, suffix, 1900, "\"}}"), VALUES_OK);
    expect_u64(read_params(buttons, suffix, 2000, "\"}}"), VALUES_TOO_LONG);
    expect_u64(read_params(document, name, 240, "\"}}"), VALUES_OK);
    expect_u64(read_params(document, name, 241, "\"}}"), VALUES_TOO_LONG);
    expect_u64(read_params(document, link, 1988, "\"}}"), VALUES_OK);
    expect_u64(read_params(document, link, 1989, "\"}}"), VALUES_TOO_LONG);
}

/* Lengths in code points, at the edge. */
static enum values_error
read_long(const char *json, uint32_t count, const char *unit)
{
    static char value[32768 * 3 + 8];
    struct error_text problem;
    struct template *template = template_read(span_of(json), "t", &problem);
    struct buffer text;
    buffer_init(&text, value, sizeof(value));
    for (uint32_t i = 0; i < count; i++)
        buffer_put_text(&text, unit);
    expect(!text.overflow);
    struct field one = {SPAN("1"), buffer_span(&text)};
    struct values_input input = {.fields = &one, .count = 1};
    struct values values;
    struct span field;
    enum values_error error = values_read(template, &input, NULL, &values, &field);
    template_close(template);
    return error;
}

static void
keeps_metas_lengths(void)
{
    static const char body_only[] = TEMPLATE("", "a{{1}}", "");
    static const char with_footer[] =
        TEMPLATE("", "a{{1}}", ",{\"type\":\"FOOTER\",\"text\":\"f\"}");
    static const char twice[] = TEMPLATE("", "{{1}}{{1}}", ",{\"type\":\"FOOTER\",\"text\":\"f\"}");
    static const char code[] = "{\"name\":\"c\",\"language\":\"en\",\"category\":"
                               "\"AUTHENTICATION\",\"components\":[{\"type\":\"BODY\"}]}";
    expect_u64(read_long(body_only, 32767, "x"), VALUES_OK);
    expect_u64(read_long(body_only, 32768, "x"), VALUES_TOO_LONG);
    expect_u64(read_long(body_only, 32767, "€"), VALUES_OK);
    expect_u64(read_long(body_only, 32768, "€"), VALUES_TOO_LONG);
    expect_u64(read_long(with_footer, 1023, "é"), VALUES_OK);
    expect_u64(read_long(with_footer, 1024, "é"), VALUES_TOO_LONG);
    expect_u64(read_long(twice, 512, "é"), VALUES_OK);
    expect_u64(read_long(twice, 513, "é"), VALUES_TOO_LONG);
    expect_u64(read_long(code, 15, "7"), VALUES_OK);
    expect_u64(read_long(code, 16, "7"), VALUES_TOO_LONG);
}

static void
needs_room(void)
{
    struct error_text problem;
    struct template *template = template_read(span_of(plain), "t", &problem);
    struct arena arena = {.data = arena_memory, .capacity = 4};
    struct values_input input = {.params = SPAN("{\"body\":[\"Ann-Sophie\",\"A\"]}")};
    struct values values;
    struct span field;
    expect_u64(values_read(template, &input, &arena, &values, &field), VALUES_ROOM);
    arena_reset(&arena);
    input.params = SPAN("{\"body\":{\"12345678\":\"A\"}}");
    expect_u64(values_read(template, &input, &arena, &values, &field), VALUES_ROOM);
    static char large[VALUES_PARAMS_MAX + 1];
    input.params = (struct span){large, sizeof(large)};
    expect_u64(values_read(template, &input, &arena, &values, &field), VALUES_ROOM);

    struct field two[] = {{SPAN("1"), SPAN("Ann")}, {SPAN("2"), SPAN("A")}};
    input = (struct values_input){.fields = two, .count = 2};
    expect_u64(values_read(template, &input, &arena, &values, &field), VALUES_OK);
    char memory[16];
    for (size_t capacity = 0; capacity <= 16; capacity++) {
        struct buffer text;
        buffer_init(&text, memory, capacity);
        expect(values_render(template, &values, &text) == (capacity >= 16));
    }
    template_close(template);
}

static void
says_what_is_wrong(void)
{
    for (int error = VALUES_OK; error <= VALUES_ROOM; error++) {
        expect(values_error_text((enum values_error)error)[0] != '\0');
        for (int other = VALUES_OK; other < error; other++)
            expect(strcmp(values_error_text((enum values_error)error),
                          values_error_text((enum values_error)other)) != 0);
    }
}

int
main(void)
{
    TEST(reads_and_renders);
    TEST(gives_header_and_buttons_on);
    TEST(keeps_metas_lengths);
    TEST(keeps_metas_lengths_in_params);
    TEST(needs_room);
    TEST(says_what_is_wrong);
    return test_end();
}
