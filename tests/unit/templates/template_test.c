#include "templates/template.h"
#include "templates/template_text.h"
#include "tests/unit/test.h"

#include <string.h>

#define TOP(more)     "{\"name\":\"a_1\",\"language\":\"fr\",\"category\":\"UTILITY\"," more "}"
#define PARTS(more)   TOP("\"components\":[" more "]")
#define BODY(text)    "{\"type\":\"BODY\",\"text\":\"" text "\"}"
#define WITH(more)    PARTS(BODY("Hello") "," more)
#define BUTTONS(more) WITH("{\"type\":\"BUTTONS\",\"buttons\":[" more "]}")
#define REPLY         "{\"type\":\"QUICK_REPLY\",\"text\":\"Yes\"}"
#define URL(url)      "{\"type\":\"URL\",\"text\":\"Open\",\"url\":\"" url "\"}"
#define PHONE         "{\"type\":\"PHONE_NUMBER\",\"text\":\"Call\",\"phone_number\":\"+33 1 23\"}"
#define COPY          "{\"type\":\"COPY_CODE\",\"example\":\"A\"}"
#define NAMED(body)                                                                                \
    TOP("\"parameter_format\":\"NAMED\",\"components\":[{\"type\":\"BODY\",\"text\":\"" body "\"}" \
        "]")
#define AUTH(more)                                                                                 \
    "{\"name\":\"c\",\"language\":\"en_US\",\"category\":\"AUTHENTICATION\",\"components\":[" more \
    "]}"

static struct template *
read_good(const char *json)
{
    struct error_text error = {"no error"};
    struct template *template = template_read(span_of(json), "t.json", &error);
    if (template == NULL) {
        expect_text(error.text, "");
        exit(1);
    }
    return template;
}

struct refusal {
    const char *json;
    const char *error; /* the whole sentence */
};

static void
expect_refused(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct error_text error = {"nothing"};
        struct template *template = template_read(span_of(cases[i].json), "t.json", &error);
        expect(template == NULL);
        expect_text(error.text, cases[i].error);
        template_close(template);
    }
}
#define EXPECT_REFUSED(cases) expect_refused(cases, sizeof(cases) / sizeof((cases)[0]))

static void
refuses_what_is_no_template(void)
{
    static const struct refusal cases[] = {
        {"[]", "t.json: not one JSON object: put one template in {…}"},
        {TOP("\"components\":3"),
         "t.json: components: is not a list: use [{\"type\": \"BODY\", …}]"},
        {TOP("\"status\":\"APPROVED\""),
         "t.json: components: is not a list: use [{\"type\": \"BODY\", …}]"},
        {TOP("\"componets\":[]"), "t.json: \"componets\" is not a key of Meta's format: did you "
                                  "mean \"components\"?"},
        {"{\"language\":\"fr\"}", "t.json: name: is missing: add it"},
        {"{\"name\":7}", "t.json: name: is not a string: put it in quotes"},
        {"{\"name\":\"A\"}", "t.json: name: use lower-case letters, digits and _ only"},
        {"{\"name\":\"\"}", "t.json: name: use lower-case letters, digits and _ only"},
        {"{\"name\":\"a\",\"language\":\"french\"}",
         "t.json: language: is not a language of Meta's: write fr, en_US, …"},
        {"{\"name\":\"a\",\"language\":\"fr-FR\"}",
         "t.json: language: is not a language of Meta's: write fr, en_US, …"},
        {"{\"name\":\"a\",\"language\":\"fr_f\"}",
         "t.json: language: is not a language of Meta's: write fr, en_US, …"},
        {"{\"name\":\"a\",\"language\":\"fr\",\"category\":\"OTP\"}",
         "t.json: category: \"OTP\" is not one of UTILITY, AUTHENTICATION, MARKETING"},
        {TOP("\"parameter_format\":\"X\",\"components\":[]"),
         "t.json: parameter_format: \"X\" is not one of POSITIONAL, NAMED"},
        {PARTS(""), "t.json: components: no component of type BODY: add one"},
        {PARTS("1"), "t.json: components[0]: is not an object: use {…}"},
        {PARTS("{}"), "t.json: components[0].type: is missing: add it"},
        {PARTS("{\"type\":\"BANNER\"}"),
         "t.json: components[0].type: \"BANNER\" is not one of HEADER, BODY, FOOTER, BUTTONS"},
        {PARTS("{\"type\":\"CAROUSEL\",\"cards\":[]}"),
         "t.json: components[0].type: CAROUSEL components are not supported: facteur sends "
         "notifications with HEADER, BODY, FOOTER and BUTTONS"},
        {PARTS("{\"type\":\"BODY\",\"txet\":\"a\"}"),
         "t.json: components[0]: \"txet\" is not a key of Meta's format: did you mean \"text\"?"},
        {PARTS(BODY("a") "," BODY("b")), "t.json: components[1].type: a second BODY: keep one"},
        {PARTS("1,2,3,4,5"), "t.json: components: 5 components: a template has at most 4"},
    };
    EXPECT_REFUSED(cases);
}

static void
refuses_bad_texts(void)
{
    static const struct refusal cases[] = {
        {PARTS("{\"type\":\"BODY\"}"), "t.json: components[0].text: is missing: add it"},
        {PARTS(BODY(" ")), "t.json: components[0].text: is empty: write something or leave the "
                           "component out"},
        {PARTS(BODY("a\\tb")), "t.json: components[0].text: has a tab or another control "
                               "character: take it out"},
        {PARTS(BODY("a {{1}} b {{3}} c")),
         "t.json: components[0].text: variable {{3}} without {{2}}: number them from 1"},
        {PARTS(BODY("a {{2}}")),
         "t.json: components[0].text: variable {{2}} without {{1}}: number them from 1"},
        {PARTS(BODY("a {{0}}")), "t.json: components[0].text: variable {{0}} is not a number: "
                                 "write {{1}}, without spaces"},
        {PARTS(BODY("a {{ 1 }}")), "t.json: components[0].text: variable {{ 1 }} is not a number: "
                                   "write {{1}}, without spaces"},
        {PARTS(BODY("a {{name}}")),
         "t.json: components[0].text: variable {{name}} has a name: set parameter_format to "
         "\"NAMED\", or number the variables from 1"},
        {PARTS(BODY("a {{33}}")),
         "t.json: components[0].text: variable {{33}}: at most 32 variables are allowed"},
        {PARTS(BODY("a {{1")),
         "t.json: components[0].text: \"{{\" without \"}}\": close the variable"},
        {PARTS(BODY("a 1}} b {{1}}")),
         "t.json: components[0].text: \"}}\" without \"{{\": open the variable"},
        {PARTS(BODY("a {{}} b")), "t.json: components[0].text: variable {{}}: a variable has a "
                                  "number or a short name"},
        {NAMED("a {{Name}}"),
         "t.json: components[0].text: variable {{Name}}: a name has lower-case letters, digits "
         "and _, no spaces, and at least one letter or _ (parameter_format is \"NAMED\")"},
        {NAMED("a {{1}}"),
         "t.json: components[0].text: variable {{1}}: a name has lower-case letters, digits "
         "and _, no spaces, and at least one letter or _ (parameter_format is \"NAMED\")"},
        {WITH("{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"{{1}} {{2}}\"}"),
         "t.json: components[1].text: 2 variables: a header takes one"},
        {WITH("{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"a\\nb\"}"),
         "t.json: components[1].text: a header has one line"},
        {WITH("{\"type\":\"HEADER\",\"format\":\"SOUND\"}"),
         "t.json: components[1].format: \"SOUND\" is not one of TEXT, IMAGE, VIDEO, DOCUMENT, "
         "LOCATION"},
        {WITH("{\"type\":\"HEADER\",\"format\":\"IMAGE\",\"text\":\"a\"}"),
         "t.json: components[1].text: only a header of format TEXT has one"},
        {WITH("{\"type\":\"FOOTER\",\"text\":\"a {{1}}\"}"),
         "t.json: components[1].text: a footer takes no variable"},
    };
    EXPECT_REFUSED(cases);
}

static void
refuses_bad_buttons(void)
{
    static const struct refusal cases[] = {
        {BUTTONS(""), "t.json: components[1].buttons: is not a list of buttons: use [{…}]"},
        {WITH("{\"type\":\"BUTTONS\"}"),
         "t.json: components[1].buttons: is not a list of buttons: use [{…}]"},
        {BUTTONS("{\"type\":\"FLOW\"}"), "t.json: components[1].buttons[0].type: FLOW buttons are "
                                         "not supported: leave the button out"},
        {BUTTONS("{\"type\":\"LINK\"}"),
         "t.json: components[1].buttons[0].type: \"LINK\" is not one of QUICK_REPLY, URL, "
         "PHONE_NUMBER, COPY_CODE, OTP"},
        {BUTTONS("{\"type\":\"QUICK_REPLY\",\"label\":\"a\"}"),
         "t.json: components[1].buttons[0]: \"label\" is not a key of Meta's format: did you mean "
         "\"type\"?"},
        {BUTTONS("{\"type\":\"QUICK_REPLY\",\"text\":\"abcdefghijklmnopqrstuvwxyz\"}"),
         "t.json: components[1].buttons[0].text: 26 characters: Meta takes at most 25, shorten "
         "it"},
        {BUTTONS("{\"type\":\"QUICK_REPLY\",\"text\":\"a {{1}}\"}"),
         "t.json: components[1].buttons[0].text: a button's text takes no variable"},
        {BUTTONS(REPLY "," URL("https://a.b/") "," REPLY),
         "t.json: components[1].buttons: quick replies must stand together: put the others before "
         "or after"},
        {BUTTONS(URL("https://a.b/") "," URL("https://a.b/") "," URL("https://a.b/")),
         "t.json: components[1].buttons: 3 URL buttons: Meta takes 2"},
        {BUTTONS(PHONE "," PHONE),
         "t.json: components[1].buttons: more than one PHONE_NUMBER button: Meta takes one"},
        {BUTTONS(COPY "," COPY),
         "t.json: components[1].buttons: more than one button with a code: Meta takes one"},
        {BUTTONS("{\"type\":\"OTP\",\"otp_type\":\"COPY_CODE\"}"),
         "t.json: components[1].buttons: OTP buttons are for category AUTHENTICATION"},
        {BUTTONS("{\"type\":\"PHONE_NUMBER\",\"text\":\"a\",\"phone_number\":\"call me\"}"),
         "t.json: components[1].buttons[0].phone_number: is not a phone number: use + and digits"},
        {BUTTONS(URL("ftp://a.b/")),
         "t.json: components[1].buttons[0].url: must begin with https:// or http://"},
        {BUTTONS(URL("https://a.b/{{1}}{{2}}")),
         "t.json: components[1].buttons[0].url: has 2 variables: Meta takes one, at the end"},
        {BUTTONS(URL("https://a.b/{{1}}/x")),
         "t.json: components[1].buttons[0].url: the variable must be at the end"},
        {BUTTONS(URL("https://{{1}}")),
         "t.json: components[1].buttons[0].url: the host must be written out: "
         "https://example.com/{{1}}"},
        {BUTTONS(URL("https://a.{{1}}")),
         "t.json: components[1].buttons[0].url: the host must be written out: "
         "https://example.com/{{1}}"},
        {BUTTONS(URL("https:///{{1}}")),
         "t.json: components[1].buttons[0].url: the host must be written out: "
         "https://example.com/{{1}}"},
        {BUTTONS(URL("https://a.b/{{2}}")),
         "t.json: components[1].buttons[0].url: variable {{2}} without {{1}}: number them from 1"},
    };
    EXPECT_REFUSED(cases);
}

static void
refuses_json_that_is_broken(void)
{
    static const char *const cases[] = {"",
                                        "{",
                                        "null",
                                        "{\"name\":\"a\",\"name\":\"a\"}",
                                        "{\"name\":\"a\\u0000\"}",
                                        "{\"name\":\"\xff\"}",
                                        "{\"name\":\"\\ud800\"}",
                                        "{} {}"};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error_text error = {""};
        expect(template_read(span_of(cases[i]), "t.json", &error) == NULL);
        expect(span_starts(span_of(error.text), SPAN("t.json:")));
    }
    static char large[TEMPLATE_FILE_MAX + 1];
    struct error_text error = {""};
    memset(large, ' ', sizeof(large));
    expect(template_read((struct span){large, sizeof(large)}, "t.json", &error) == NULL);
    expect_text(error.text, "t.json: 65537 bytes: a template has at most 65536");
    expect(template_read((struct span){0}, "t.json", &error) == NULL);
}

/* Limits are in code points: one less or more of them decides, whatever their bytes. */
static void
counts_characters(void)
{
    static const struct {
        const char *before;
        const char *after;
        uint32_t limit;
    } cases[] = {
        {"{\"name\":\"a\",\"language\":\"fr\",\"category\":\"utility\",\"components\":[{\"type\":"
         "\"body\",\"text\":\"",
         "\"}]}", 1024},
        {"{\"name\":\"a\",\"language\":\"fr\",\"category\":\"utility\",\"components\":[{\"type\":"
         "\"body\",\"text\":\"a\"},{\"type\":\"FOOTER\",\"text\":\"",
         "\"}]}", 60},
        {"{\"name\":\"a\",\"language\":\"fr\",\"category\":\"utility\",\"components\":[{\"type\":"
         "\"body\",\"text\":\"a\"},{\"type\":\"HEADER\",\"format\":\"text\",\"text\":\"",
         "\"}]}", 60},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (uint32_t more = 0; more < 2; more++) {
            char memory[4096];
            struct buffer json;
            struct error_text error;
            buffer_init(&json, memory, sizeof(memory));
            buffer_put_text(&json, cases[i].before);
            for (uint32_t n = 0; n < cases[i].limit + more; n++)
                buffer_put_text(&json, "é");
            buffer_put_text(&json, cases[i].after);
            struct template *template = template_read(buffer_span(&json), "t", &error);
            expect((template != NULL) == (more == 0));
            template_close(template);
        }
    }
}

static void
cuts_the_body_at_its_variables(void)
{
    struct template *t = read_good(PARTS(BODY("{{2}} a {{1}} é {{2}}")));
    expect_u64(t->parameter_count, 2);
    expect_u64(t->body.variable_count, 3);
    expect_span(t->body.literals[0], SPAN(""));
    expect_span(t->body.literals[1], SPAN(" a "));
    expect_span(t->body.literals[2], SPAN(" é "));
    expect_span(t->body.literals[3], SPAN(""));
    expect_u64(t->body.variables[0], 1);
    expect_u64(t->body.variables[1], 0);
    expect_u64(t->body.variables[2], 1);
    expect_u64(t->body.literal_size, 7);
    expect_u64(t->body.literal_characters, 6);
    expect_span(t->parameter_names[0], SPAN("1"));
    expect_span(t->parameter_names[1], SPAN("2"));
    expect(!t->named);
    template_close(t);

    t = read_good(NAMED("{{b_2}}, {{a}} and {{b_2}}"));
    expect(t->named);
    expect_u64(t->parameter_count, 2);
    expect_span(t->parameter_names[0], SPAN("b_2"));
    expect_span(t->parameter_names[1], SPAN("a"));
    template_close(t);
}

static void
reads_every_part(void)
{
    struct template *t = read_good(
        "{\"id\":\"7\",\"status\":\"APPROVED\",\"quality_score\":{},\"sub_category\":\"X\","
        "\"message_send_ttl_seconds\":60,\"name\":\"all\",\"language\":\"prs_AF\","
        "\"category\":\"MARKETING\",\"components\":["
        "{\"type\":\"header\",\"format\":\"TEXT\",\"text\":\"Order {{1}}\",\"example\":{}},"
        "{\"type\":\"body\",\"text\":\"Hello {{1}}\\nBye\"},{\"type\":\"footer\",\"text\":\"F\"},"
        "{\"type\":\"buttons\",\"buttons\":[" REPLY "," URL("https://a.b/t/{{1}}") "," PHONE
                                                                                   "," COPY "]}]}");
    char memory[TEMPLATE_WHOLE_MAX];
    struct buffer whole;
    buffer_init(&whole, memory, sizeof(memory));
    template_put_whole(t, &whole);
    expect_span(buffer_span(&whole),
                SPAN("Order {{1}}\nHello {{1}}\nBye\nF\nYes\nOpen\nCall\nCopy code"));
    expect(t->category == TEMPLATE_MARKETING);
    expect_span(t->header_parameter, SPAN("1"));
    expect_u64(t->button_count, 4);
    expect(t->buttons[1].has_variable);
    expect_span(t->buttons[1].url, SPAN("https://a.b/t/"));
    expect_span(t->buttons[2].phone, SPAN("+33 1 23"));
    expect(t->buttons[3].has_variable && !t->buttons[0].has_variable);
    template_close(t);
    t = read_good(WITH("{\"type\":\"HEADER\",\"format\":\"LOCATION\"}"));
    expect(t->header == TEMPLATE_HEADER_LOCATION);
    template_close(t);
    template_close(NULL);
}

static void
words_authentication_as_meta_does(void)
{
    struct template *t =
        read_good(AUTH("{\"type\":\"BODY\",\"add_security_recommendation\":true},"
                       "{\"type\":\"FOOTER\",\"code_expiration_minutes\":5},"
                       "{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"OTP\",\"otp_type\":"
                       "\"COPY_CODE\",\"text\":\"Copy\"}]}"));
    expect_span(t->body.whole, SPAN("*{{1}}* is your verification code. For your security, do not "
                                    "share this code."));
    expect_span(t->footer, SPAN("This code expires in 5 minutes."));
    expect(t->buttons[0].kind == TEMPLATE_BUTTON_OTP && t->buttons[0].has_variable);
    expect_u64(t->parameter_count, 1);
    template_close(t);
    /* As Meta gives it back. */
    t = read_good(
        AUTH("{\"type\":\"BODY\",\"text\":\"*{{1}}* is your code.\"},"
             "{\"type\":\"BUTTONS\",\"buttons\":[" URL(
                 "https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}") "]}"));
    expect(t->buttons[0].kind == TEMPLATE_BUTTON_OTP);
    template_close(t);
    t = read_good("{\"name\":\"c\",\"language\":\"es\",\"category\":\"AUTHENTICATION\","
                  "\"components\":[{\"type\":\"BODY\"}]}");
    expect_span(t->body.whole, SPAN("*{{1}}* es tu código de verificación."));
    template_close(t);
    static const struct refusal cases[] = {
        {AUTH("{\"type\":\"BODY\",\"add_security_recommendation\":1}"),
         "t.json: components[0].add_security_recommendation: is not true or false"},
        {AUTH("{\"type\":\"BODY\"},{\"type\":\"FOOTER\",\"code_expiration_minutes\":91}"),
         "t.json: components[1].code_expiration_minutes: is not a whole number from 1 to 90"},
    };
    EXPECT_REFUSED(cases);
}

static void
version_is_the_meaning(void)
{
    static const char *const different[] = {
        PARTS(BODY("a")),
        PARTS(BODY("b")),
        TOP("\"parameter_format\":\"NAMED\",\"components\":[" BODY("a") "]"),
        "{\"name\":\"a_2\",\"language\":\"fr\",\"category\":\"UTILITY\",\"components\":[" BODY(
            "a") "]}",
        "{\"name\":\"a_1\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":[" BODY(
            "a") "]}",
        "{\"name\":\"a_1\",\"language\":\"fr\",\"category\":\"MARKETING\",\"components\":[" BODY(
            "a") "]}",
        PARTS(BODY("a") ",{\"type\":\"FOOTER\",\"text\":\"a\"}"),
        PARTS(BODY("a") ",{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"a\"}"),
        PARTS(BODY("a") ",{\"type\":\"HEADER\",\"format\":\"IMAGE\"}"),
        BUTTONS(REPLY),
        BUTTONS(URL("https://a.b/")),
        BUTTONS(URL("https://a.b/{{1}}")),
        BUTTONS(PHONE),
    };
    enum { COUNT = sizeof(different) / sizeof(different[0]) };
    uint64_t versions[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        struct template *t = read_good(different[i]);
        versions[i] = t->version;
        for (size_t j = 0; j < i; j++)
            expect(versions[i] != versions[j]);
        template_close(t);
    }
    struct template *same = read_good(
        " { \"components\" : [ {\"text\":\"a\", \"example\":{}, \"type\":\"body\"} ],\n"
        "\"category\":\"utility\", \"language\":\"fr\", \"name\":\"a_1\", \"id\":\"9\" } ");
    expect_u64(same->version, versions[0]);
    template_close(same);
}

static void
names_its_categories(void)
{
    expect_text(template_category_text(TEMPLATE_UTILITY), "utility");
    expect_text(template_category_text(TEMPLATE_AUTHENTICATION), "authentication");
    expect_text(template_category_text(TEMPLATE_MARKETING), "marketing");
}

/* No mutation of a good template may crash the reader; what it takes must be consistent. */
static void
survives_garbage(void)
{
    static const char good[] = BUTTONS(REPLY "," URL("https://a.b/{{1}}"));
    uint64_t seed = 88172645463325252u;
    for (int round = 0; round < 20000; round++) {
        char json[sizeof(good)];
        memcpy(json, good, sizeof(good));
        for (int i = 0; i < 3; i++) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            json[seed % (sizeof(good) - 1)] = (char)(seed >> 32);
        }
        struct error_text error = {""};
        struct template *t = template_read((struct span){json, sizeof(json) - 1}, "t", &error);
        expect((t == NULL) == (error.text[0] != '\0'));
        template_close(t);
    }
}

int
main(void)
{
    TEST(refuses_what_is_no_template);
    TEST(refuses_bad_texts);
    TEST(refuses_bad_buttons);
    TEST(refuses_json_that_is_broken);
    TEST(counts_characters);
    TEST(cuts_the_body_at_its_variables);
    TEST(reads_every_part);
    TEST(words_authentication_as_meta_does);
    TEST(version_is_the_meaning);
    TEST(names_its_categories);
    TEST(survives_garbage);
    return test_end();
}
