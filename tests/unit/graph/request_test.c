#include "sender/graph/request.h"
#include "sender/base/clock.h"
#include "tests/unit/test.h"

#include <jansson.h>
#include <string.h>

/* A template as the catalogue would give it, filled by hand. */
static struct template make_template(const char *name, const char *language)
{
    return (struct template){.name = span_of(name), .language = span_of(language)};
}

static void
set_parameters(struct template *template, bool named, const char *const *names, uint32_t count)
{
    template->named = named;
    template->parameter_count = count;
    for (uint32_t i = 0; i < count; i++)
        template->parameter_names[i] = span_of(names[i]);
}

static void
add_button(struct template *template, enum template_button_kind kind, bool has_variable)
{
    template->buttons[template->button_count++] =
        (struct template_button){.kind = kind, .has_variable = has_variable};
}

static const char *
write_body(const struct template *template, const struct request_input *input)
{
    static char memory[16384];
    struct buffer body;
    struct request_form *form = request_form_open(template);
    buffer_init(&body, memory, sizeof(memory) - 1);
    expect(request_write(form, input, &body));
    request_form_close(form);
    memory[body.size] = '\0';
    json_t *root = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, NULL);
    expect(json_is_object(root)); /* whatever else it is, it is valid JSON */
    json_decref(root);
    return memory;
}

static const char *const HEAD =
    "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",";

static void
expect_body(const struct template *template, const struct request_input *input, const char *rest)
{
    char expected[4096];
    snprintf(expected, sizeof(expected), "%s%s", HEAD, rest);
    expect_text(write_body(template, input), expected);
}

static void
leaves_components_out(void)
{
    struct template template = make_template("hello", "fr");
    struct values values = {0};
    struct request_input input = {.to = SPAN("+33612345678"), .values = &values};
    expect_body(&template, &input,
                "\"to\":\"+33612345678\",\"type\":\"template\",\"template\":{\"name\":\"hello\","
                "\"language\":{\"code\":\"fr\"}}}");
    input.callback = SPAN("1|fr|17-0/3|1");
    expect_body(&template, &input,
                "\"to\":\"+33612345678\",\"biz_opaque_callback_data\":\"1|fr|17-0/3|1\",\"type\":"
                "\"template\",\"template\":{\"name\":\"hello\",\"language\":{\"code\":\"fr\"}}}");
    input.to = (struct span){0};
    input.recipient = SPAN("FR.13491208655302741918");
    input.callback = (struct span){0};
    expect_body(&template, &input,
                "\"recipient\":\"FR.13491208655302741918\",\"type\":\"template\",\"template\":{"
                "\"name\":\"hello\",\"language\":{\"code\":\"fr\"}}}");

    /* A header text without a variable, a phone button, a plain URL: nothing to say of them. */
    template.header = TEMPLATE_HEADER_TEXT;
    add_button(&template, TEMPLATE_BUTTON_PHONE, false);
    add_button(&template, TEMPLATE_BUTTON_URL, false);
    add_button(&template, TEMPLATE_BUTTON_QUICK_REPLY, false);
    expect(strstr(write_body(&template, &input), "components") == NULL);
}

static void
writes_body_parameters(void)
{
    static const char *const positions[] = {"1", "2"};
    static const char *const names[] = {"first_name", "order"};
    struct template template = make_template("order_shipped", "en_US");
    struct values values = {.body = {SPAN("Claire"), SPAN("CMD-1042")}};
    struct request_input input = {.to = SPAN("+1"), .values = &values};
    set_parameters(&template, false, positions, 2);
    expect_body(&template, &input,
                "\"to\":\"+1\",\"type\":\"template\",\"template\":{\"name\":\"order_shipped\","
                "\"language\":{\"code\":\"en_US\"},\"components\":[{\"type\":\"body\","
                "\"parameters\":[{\"type\":\"text\",\"text\":\"Claire\"},{\"type\":\"text\","
                "\"text\":\"CMD-1042\"}]}]}}");
    set_parameters(&template, true, names, 2);
    expect_body(&template, &input,
                "\"to\":\"+1\",\"type\":\"template\",\"template\":{\"name\":\"order_shipped\","
                "\"language\":{\"code\":\"en_US\"},\"components\":[{\"type\":\"body\","
                "\"parameters\":[{\"type\":\"text\",\"parameter_name\":\"first_name\",\"text\":"
                "\"Claire\"},{\"type\":\"text\",\"parameter_name\":\"order\",\"text\":\"CMD-1042\"}"
                "]}]}}");
}

static void
writes_headers(void)
{
    static const struct {
        struct field fields[4];
        const char *component;
        enum template_header header;
        uint32_t count;
    } cases[] = {
        {.header = TEMPLATE_HEADER_IMAGE,
         .fields = {{SPAN("id"), SPAN("2871834006348767")}},
         .count = 1,
         .component = "{\"type\":\"image\",\"image\":{\"id\":\"2871834006348767\"}}"},
        {.header = TEMPLATE_HEADER_VIDEO,
         .fields = {{SPAN("link"), SPAN("https://a/b?c=\"d\"")}},
         .count = 1,
         .component = "{\"type\":\"video\",\"video\":{\"link\":\"https://a/b?c=\\\"d\\\"\"}}"},
        {.header = TEMPLATE_HEADER_DOCUMENT,
         .fields = {{SPAN("link"), SPAN("https://a/b.pdf")},
                    {SPAN("filename"), SPAN("billet.pdf")}},
         .count = 2,
         .component = "{\"type\":\"document\",\"document\":{\"link\":\"https://a/b.pdf\","
                      "\"filename\":\"billet.pdf\"}}"},
        {.header = TEMPLATE_HEADER_LOCATION,
         .fields = {{SPAN("latitude"), SPAN("48.85")},
                    {SPAN("longitude"), SPAN("2.35")},
                    {SPAN("name"), SPAN("Salle")},
                    {SPAN("address"), SPAN("1 rue X")}},
         .count = 4,
         .component = "{\"type\":\"location\",\"location\":{\"latitude\":\"48.85\",\"longitude\":"
                      "\"2.35\",\"name\":\"Salle\",\"address\":\"1 rue X\"}}"},
    };
    struct template template = make_template("t", "fr");
    struct values values = {0};
    struct request_input input = {.to = SPAN("+1"), .values = &values};
    char rest[1024];
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        template.header = cases[i].header;
        memcpy(values.header_fields, cases[i].fields, sizeof(cases[i].fields));
        values.header_field_count = cases[i].count;
        snprintf(rest, sizeof(rest),
                 "\"to\":\"+1\",\"type\":\"template\",\"template\":{\"name\":\"t\",\"language\":{"
                 "\"code\":\"fr\"},\"components\":[{\"type\":\"header\",\"parameters\":[%s]}]}}",
                 cases[i].component);
        expect_body(&template, &input, rest);
    }
}

static void
writes_text_headers(void)
{
    static const char *const names[] = {"name"};
    struct template template = make_template("t", "fr");
    struct values values = {.header_text = SPAN("n\xc2\xb0 \"7\""), .body = {SPAN("C")}};
    struct request_input input = {.to = SPAN("+1"), .values = &values};
    template.header = TEMPLATE_HEADER_TEXT;
    template.header_text.variable_count = 1;
    template.header_parameter = SPAN("order");
    expect_body(&template, &input,
                "\"to\":\"+1\",\"type\":\"template\",\"template\":{\"name\":\"t\",\"language\":{"
                "\"code\":\"fr\"},\"components\":[{\"type\":\"header\",\"parameters\":[{\"type\":"
                "\"text\",\"text\":\"n\xc2\xb0 \\\"7\\\"\"}]}]}}");
    set_parameters(&template, true, names, 1);
    expect_body(&template, &input,
                "\"to\":\"+1\",\"type\":\"template\",\"template\":{\"name\":\"t\",\"language\":{"
                "\"code\":\"fr\"},\"components\":[{\"type\":\"header\",\"parameters\":[{\"type\":"
                "\"text\",\"parameter_name\":\"order\",\"text\":\"n\xc2\xb0 \\\"7\\\"\"}]},{"
                "\"type\":\"body\",\"parameters\":[{\"type\":\"text\",\"parameter_name\":\"name\","
                "\"text\":\"C\"}]}]}}");
}

static void
writes_buttons(void)
{
    struct template template = make_template("t", "fr");
    struct values values = {.buttons = {SPAN("CONFIRM:42"), SPAN("track/42"), SPAN("ignored"),
                                        SPAN("25OFF"), SPAN(""), SPAN("123456")}};
    struct request_input input = {.to = SPAN("+1"), .values = &values};
    add_button(&template, TEMPLATE_BUTTON_QUICK_REPLY, false);
    add_button(&template, TEMPLATE_BUTTON_URL, true);
    add_button(&template, TEMPLATE_BUTTON_PHONE, false);
    add_button(&template, TEMPLATE_BUTTON_COPY_CODE, true);
    add_button(&template, TEMPLATE_BUTTON_QUICK_REPLY, false); /* has no value: not written */
    add_button(&template, TEMPLATE_BUTTON_OTP, true);
    expect_body(
        &template, &input,
        "\"to\":\"+1\",\"type\":\"template\",\"template\":{\"name\":\"t\",\"language\":{\"code\":"
        "\"fr\"},\"components\":["
        "{\"type\":\"button\",\"sub_type\":\"quick_reply\",\"index\":\"0\",\"parameters\":[{"
        "\"type\":\"payload\",\"payload\":\"CONFIRM:42\"}]},"
        "{\"type\":\"button\",\"sub_type\":\"url\",\"index\":\"1\",\"parameters\":[{\"type\":"
        "\"text\",\"text\":\"track/42\"}]},"
        "{\"type\":\"button\",\"sub_type\":\"copy_code\",\"index\":\"3\",\"parameters\":[{\"type\":"
        "\"coupon_code\",\"coupon_code\":\"25OFF\"}]},"
        "{\"type\":\"button\",\"sub_type\":\"url\",\"index\":\"5\",\"parameters\":[{\"type\":"
        "\"text\",\"text\":\"123456\"}]}]}}");
}

/* Values of any text come back from a JSON reader as they were. */
static void
escapes_all_text(void)
{
    static const char *const texts[] = {
        "plain",
        "\"quoted\" \\ back / slash",
        "}]}}\",\"to\":\"+1",
        "a\nb\rc\td\x01\x1f\x7f",
        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x9a\x80",
        "\xd8\xa7\xd9\x84\xd8\xb3\xd9\x84\xd8\xa7\xd9\x85",
        "\xe2\x80\xa8\xe2\x80\xa9",
        "{{1}} %s %u",
    };
    static const char *const positions[] = {"1"};
    struct template template = make_template("t", "fr");
    set_parameters(&template, false, positions, 1);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct values values = {.body = {span_of(texts[i])}};
        struct request_input input = {
            .to = SPAN("+1"), .callback = span_of(texts[i]), .values = &values};
        json_t *root = json_loads(write_body(&template, &input), JSON_REJECT_DUPLICATES, NULL);
        json_t *components = json_object_get(json_object_get(root, "template"), "components");
        json_t *parameters = json_object_get(json_array_get(components, 0), "parameters");
        json_t *text = json_object_get(json_array_get(parameters, 0), "text");
        expect_span(span_of(json_string_value(text)), span_of(texts[i]));
        json_t *callback = json_object_get(root, "biz_opaque_callback_data");
        expect_span(span_of(json_string_value(callback)), span_of(texts[i]));
        expect_text(json_string_value(json_object_get(root, "to")), "+1");
        json_decref(root);
    }
    /* What is no UTF-8 still makes a valid body. */
    struct values values = {.body = {SPAN("a\xff\xc3")}};
    struct request_input input = {.to = SPAN("+1"), .values = &values};
    expect(strstr(write_body(&template, &input), "a\xef\xbf\xbd\xef\xbf\xbd") != NULL);
}

/* The most of everything, with names as awkward as a template's file could hold them. */
static void
holds_the_largest_template(void)
{
    char name[TEMPLATE_NAME_MAX];
    memset(name, '\x01', sizeof(name));
    struct span awkward = {.data = name, .size = sizeof(name)};
    struct template template = {.name = awkward, .language = SPAN("prs_AF"), .named = true};
    struct values values = {.header_text = SPAN("h")};
    struct request_input input = {.to = SPAN("+1"), .values = &values};
    template.header = TEMPLATE_HEADER_TEXT;
    template.header_text.variable_count = 1;
    template.header_parameter = awkward;
    template.parameter_count = TEMPLATE_PARAMETERS_MAX;
    for (uint32_t i = 0; i < TEMPLATE_PARAMETERS_MAX; i++) {
        template.parameter_names[i] = awkward;
        values.body[i] = SPAN("v");
    }
    for (uint32_t i = 0; i < TEMPLATE_BUTTONS_MAX; i++) {
        add_button(&template, TEMPLATE_BUTTON_COPY_CODE, true);
        values.buttons[i] = SPAN("b");
    }
    char *memory = malloc(256 * 1024);
    struct buffer body;
    buffer_init(&body, memory, 256 * 1024);
    struct request_form *form = request_form_open(&template);
    expect(request_write(form, &input, &body));
    json_t *root = json_loadb(body.data, body.size, 0, NULL);
    json_t *components = json_object_get(json_object_get(root, "template"), "components");
    expect_u64(json_array_size(components), 2 + TEMPLATE_BUTTONS_MAX);
    json_decref(root);
    request_form_close(form);
    request_form_close(NULL);
    free(memory);
}

static void
says_when_it_does_not_fit(void)
{
    static const char *const positions[] = {"1"};
    struct template template = make_template("t", "fr");
    struct values values = {.body = {SPAN("value")}};
    struct request_input input = {.to = SPAN("+1"), .callback = SPAN("cb"), .values = &values};
    set_parameters(&template, false, positions, 1);
    size_t needed = strlen(write_body(&template, &input));
    struct request_form *form = request_form_open(&template);
    for (size_t capacity = 0; capacity <= needed; capacity++) {
        char *memory = malloc(capacity + 1);
        struct buffer body;
        buffer_init(&body, memory, capacity);
        expect(request_write(form, &input, &body) == (capacity == needed));
        expect(body.overflow == (capacity < needed));
        free(memory);
    }
    /* Appends: what is there stays. */
    char memory[1024] = "abc";
    struct buffer body = {.data = memory, .size = 3, .capacity = sizeof(memory)};
    expect(request_write(form, &input, &body));
    expect_u64(body.size, needed + 3);
    expect(memcmp(memory, "abc{", 4) == 0);
    request_form_close(form);
}

static void
believes_its_caller(void)
{
    char long_callback[600] = {0};
    struct template template = make_template("t", "fr");
    struct values values = {0};
    struct request_form *form = request_form_open(&template);
    char memory[2048];
    struct buffer body;
    buffer_init(&body, memory, sizeof(memory));
    struct request_input nobody = {.values = &values};
    struct request_input both = {.to = SPAN("+1"), .recipient = SPAN("FR.1"), .values = &values};
    struct request_input large = {.to = SPAN("+1"), .values = &values};
    large.callback = (struct span){.data = long_callback, .size = 513};
    expect_abort(request_write(form, &nobody, &body));
    expect_abort(request_write(form, &both, &body));
    expect_abort(request_write(form, &large, &body));
    request_form_close(form);
}

static void
is_fast(void)
{
    enum { ROUNDS = 200000 };
    static const char *const positions[] = {"1", "2", "3"};
    struct template template = make_template("order_shipped", "en_US");
    struct values values = {.body = {SPAN("Claire Dupont"), SPAN("CMD-1042"), SPAN("12 novembre")}};
    struct request_input input = {
        .to = SPAN("+33612345678"),
        .callback = SPAN("1|fr|1795435200000-17/3|1|30000|20261123|fr|FR|France|utility|x|2018"),
        .values = &values};
    set_parameters(&template, false, positions, 3);
    struct request_form *form = request_form_open(&template);
    char memory[4096];
    struct buffer body;
    uint64_t bytes = 0;
    uint64_t start_us = clock_cpu_us();
    for (int i = 0; i < ROUNDS; i++) {
        buffer_init(&body, memory, sizeof(memory));
        bytes += request_write(form, &input, &body) ? body.size : 0;
    }
    uint64_t took_us = clock_cpu_us() - start_us;
    expect_u64(bytes, ROUNDS * body.size);
    printf("%.3f us a body of %zu bytes\n", (double)took_us / ROUNDS, body.size);
    expect(took_us < ROUNDS * 20ull);
    request_form_close(form);
}

int
main(void)
{
    TEST(leaves_components_out);
    TEST(writes_body_parameters);
    TEST(writes_headers);
    TEST(writes_text_headers);
    TEST(writes_buttons);
    TEST(escapes_all_text);
    TEST(holds_the_largest_template);
    TEST(says_when_it_does_not_fit);
    TEST(believes_its_caller);
    TEST(is_fast);
    return test_end();
}
