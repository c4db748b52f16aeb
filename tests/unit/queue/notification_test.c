#include "queue/notification.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

/* ---- a small language for tables: "to=+33|template=t|lang=en" ------------------------------ */

static size_t
split(char *text, struct field *fields, size_t capacity)
{
    size_t count = 0;
    for (char *save = NULL, *pair = strtok_r(text, "|", &save); pair != NULL && count < capacity;
         pair = strtok_r(NULL, "|", &save)) {
        struct span rest = span_of(pair);
        struct span name = span_split(&rest, '=');
        fields[count++] = (struct field){.name = name, .value = rest};
    }
    return count;
}

static char memory[8192];

static enum notification_error
read_text(const char *text, struct notification *notification, struct span *field)
{
    struct field fields[64];
    (void)snprintf(memory, sizeof(memory), "%s", text);
    size_t count = split(memory, fields, 64);
    return notification_read(fields, count, notification, field);
}

static enum notification_error
read_line(const char *text, struct notification *notification, struct span *field)
{
    (void)snprintf(memory, sizeof(memory), "%s", text);
    return notification_read_line(span_of(memory), notification, field);
}

/* ---- good ones ---------------------------------------------------------------------------- */

static void
reads_every_field(void)
{
    struct notification n;
    struct span field;
    expect_u64(
        read_text("to=+33612345678|template=order_shipped|lang=fr|2=CMD-1042|1=Claire|id=a/1|"
                  "ref=my ref|not_before=1732377600000|expires=1732377600001|"
                  "in_reply_to=wamid.X",
                  &n, &field),
        NOTIFICATION_OK);
    expect_span(n.to, SPAN("+33612345678"));
    expect_span(n.template_name, SPAN("order_shipped"));
    expect_span(n.language, SPAN("fr"));
    expect_u64(n.parameter_count, 2);
    expect_span(n.parameters[0].name, SPAN("1"));
    expect_span(n.parameters[0].value, SPAN("Claire"));
    expect_span(n.parameters[1].name, SPAN("2"));
    expect_span(n.parameters[1].value, SPAN("CMD-1042"));
    expect(!n.named);
    expect_span(n.id, SPAN("a/1"));
    expect_span(n.ref, SPAN("my ref"));
    expect_u64(n.not_before_ms, 1732377600000);
    expect_u64(n.expires_ms, 1732377600001);
    expect_span(n.in_reply_to, SPAN("wamid.X"));
    expect_u64(n.recipient.size + n.params.size + n.text.size + field.size, 0);
    expect_u64(read_text("to=1|text=hello", &n, &field), NOTIFICATION_OK);
    expect_span(n.text, SPAN("hello"));
}

static void
reads_named_parameters_as_they_come(void)
{
    struct notification n;
    struct span field;
    expect_u64(read_text("recipient=FR.1|template=t|lang=en|p.name=A|p.order_id=B", &n, &field),
               NOTIFICATION_OK);
    expect(n.named);
    expect_span(n.recipient, SPAN("FR.1"));
    expect_u64(n.parameter_count, 2);
    expect_span(n.parameters[0].name, SPAN("name"));
    expect_span(n.parameters[1].name, SPAN("order_id"));
    expect_span(n.parameters[1].value, SPAN("B"));
}

/* The same fields, written as a line, give the same notification. */
static void
a_line_gives_the_same(void)
{
    struct notification n;
    struct span field;
    expect_u64(read_line("{\"to\":\"+33612345678\",\"template\":\"t\",\"lang\":\"fr\",\"2\":1042,"
                         "\"1\":\"Cl\\u00e9o \\\"x\\\"\",\"not_before\":1732377600000,"
                         "\"expires\":\"1732377600001\"}",
                         &n, &field),
               NOTIFICATION_OK);
    expect_span(n.parameters[0].value, SPAN("Cl\xc3\xa9o \"x\""));
    expect_span(n.parameters[1].value, SPAN("1042"));
    expect_u64(n.not_before_ms, 1732377600000);
    expect_u64(n.expires_ms, 1732377600001);
}

static void
params_may_be_an_object_or_its_text(void)
{
    struct notification n;
    struct span field;
    expect_u64(read_line(" {\"to\":\"1\",\"template\":\"t\",\"lang\":\"fr\","
                         "\"params\":{\"body\":[\"a\\n\", {\"x\":1}]} } ",
                         &n, &field),
               NOTIFICATION_OK);
    expect_span(n.params, SPAN("{\"body\":[\"a\\n\", {\"x\":1}]}"));
    expect_u64(read_line("{\"to\":\"1\",\"template\":\"t\",\"lang\":\"fr\","
                         "\"params\":\"{\\\"body\\\":[]}\"}",
                         &n, &field),
               NOTIFICATION_OK);
    expect_span(n.params, SPAN("{\"body\":[]}"));
}

/* ---- a table of good and bad -------------------------------------------------------------- */

#define GOOD "to=+33612345678|template=t|lang=fr"

static void
judges_fields(void)
{
    static const struct {
        const char *fields;
        enum notification_error error;
        const char *field;
    } cases[] = {
        {GOOD, NOTIFICATION_OK, ""},
        {GOOD "|id=|ref=|params=|1=", NOTIFICATION_OK, ""},
        {"to=1|recipient=|template=t|lang=fr", NOTIFICATION_OK, ""},
        {"to=1|text=hello|in_reply_to=wamid.X", NOTIFICATION_OK, ""},
        {GOOD "|not_before=0|expires=0", NOTIFICATION_OK, ""},
        {GOOD "|1=a|2=b|3=c|4=d|5=e|6=f|7=g|8=h|9=i|10=j|11=k", NOTIFICATION_OK, ""},
        {"", NOTIFICATION_EMPTY, ""},
        {GOOD "|To=1", NOTIFICATION_UNKNOWN_FIELD, "To"},
        {GOOD "|bulk=x", NOTIFICATION_UNKNOWN_FIELD, "bulk"},
        {GOOD "|name=x", NOTIFICATION_UNKNOWN_FIELD, "name"},
        {GOOD "|=x", NOTIFICATION_UNKNOWN_FIELD, ""},
        {GOOD "|1a=x", NOTIFICATION_UNKNOWN_FIELD, "1a"},
        {GOOD "|-1=x", NOTIFICATION_UNKNOWN_FIELD, "-1"},
        {GOOD "|p=x", NOTIFICATION_UNKNOWN_FIELD, "p"},
        {GOOD "|to=2", NOTIFICATION_DUPLICATE_FIELD, "to"},
        {GOOD "|1=a|1=a", NOTIFICATION_DUPLICATE_FIELD, "1"},
        {GOOD "|p.a=a|p.b=a|p.a=b", NOTIFICATION_DUPLICATE_FIELD, "p.a"},
        {"template=t|lang=fr", NOTIFICATION_NO_RECIPIENT, "to"},
        {"to=|template=t|lang=fr", NOTIFICATION_NO_RECIPIENT, "to"},
        {GOOD "|recipient=FR.1", NOTIFICATION_TWO_RECIPIENTS, "recipient"},
        {"to=1|lang=fr", NOTIFICATION_NO_TEMPLATE, "template"},
        {"to=1|lang=fr|template=|text=", NOTIFICATION_NO_TEMPLATE, "template"},
        {"to=1|template=t", NOTIFICATION_NO_LANGUAGE, "lang"},
        {"to=1|template=t|lang=fr|text=hello", NOTIFICATION_TWO_CONTENTS, "text"},
        {GOOD "|not_before=1732377600", NOTIFICATION_BAD_NUMBER, "not_before"}, /* seconds */
        {GOOD "|not_before=1732377600000000", NOTIFICATION_BAD_NUMBER, "not_before"},
        {GOOD "|expires=-1732377600000", NOTIFICATION_BAD_NUMBER, "expires"},
        {GOOD "|expires=1.7323776e12", NOTIFICATION_BAD_NUMBER, "expires"},
        {GOOD "|expires=", NOTIFICATION_BAD_NUMBER, "expires"},
        {GOOD "|expires=tomorrow", NOTIFICATION_BAD_NUMBER, "expires"},
        {GOOD "|ref=\xff", NOTIFICATION_ENCODING, "ref"},
        {GOOD "|1=\xed\xa0\x80", NOTIFICATION_ENCODING, "1"},
        {GOOD "|p.a=\xc0\x80", NOTIFICATION_ENCODING, "p.a"},
        {GOOD "|p.\xc3=a", NOTIFICATION_ENCODING, "p.\xc3"},
        {GOOD "|id=a\tb", NOTIFICATION_ENCODING, "id"},
        {GOOD "|id=a\nb", NOTIFICATION_ENCODING, "id"},
        {GOOD "|id=\x7f", NOTIFICATION_ENCODING, "id"},
        {GOOD "|ref=a\tb", NOTIFICATION_OK, ""},
        {GOOD "|0=x", NOTIFICATION_PARAMETERS, "0"},
        {GOOD "|01=x", NOTIFICATION_PARAMETERS, "01"},
        {GOOD "|33=x", NOTIFICATION_PARAMETERS, "33"},
        {GOOD "|99999999999999999999=x", NOTIFICATION_PARAMETERS, "99999999999999999999"},
        {GOOD "|2=x", NOTIFICATION_PARAMETERS, "1"},
        {GOOD "|1=x|3=x", NOTIFICATION_PARAMETERS, "2"},
        {GOOD "|32=x|1=x|2=x", NOTIFICATION_PARAMETERS, "3"},
        {GOOD "|1=x|p.a=x", NOTIFICATION_PARAMETERS, "p.a"},
        {GOOD "|p.a=x|1=x", NOTIFICATION_PARAMETERS, "1"},
        {GOOD "|p.=x", NOTIFICATION_PARAMETERS, "p."},
        {GOOD "|1=x|params={}", NOTIFICATION_PARAMETERS, "params"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct notification notification;
        struct span field;
        enum notification_error error = read_text(cases[i].fields, &notification, &field);
        if (error != cases[i].error || !span_equal(field, span_of(cases[i].field))) {
            printf("\"%s\": %s, field \"%.*s\"\n", cases[i].fields, notification_error_text(error),
                   SPAN_ARG(field));
            expect(!"as the table says");
        }
    }
}

static void
judges_lines(void)
{
    static const struct {
        const char *line;
        enum notification_error error;
        const char *field;
    } cases[] = {
        {"{\"to\":\"1\",\"template\":\"t\",\"lang\":\"fr\"}", NOTIFICATION_OK, ""},
        {"{\"to\":33612345678,\"template\":\"t\",\"lang\":\"fr\",\"1\":-1.5}", NOTIFICATION_OK, ""},
        {"", NOTIFICATION_EMPTY, "bulk"},
        {" \r", NOTIFICATION_EMPTY, "bulk"},
        {"{}", NOTIFICATION_EMPTY, "bulk"},
        {"[]", NOTIFICATION_MALFORMED, "bulk"},
        {"{\"to\":\"1\"", NOTIFICATION_MALFORMED, "bulk"},
        {"{\"to\":\"1\"} x", NOTIFICATION_MALFORMED, "bulk"},
        {"{'to':'1'}", NOTIFICATION_MALFORMED, "bulk"},
        {"{\"to\":null}", NOTIFICATION_MALFORMED, "to"},
        {"{\"to\":true}", NOTIFICATION_MALFORMED, "to"},
        {"{\"1\":{\"a\":1}}", NOTIFICATION_MALFORMED, "1"},
        {"{\"params\":[1]}", NOTIFICATION_MALFORMED, "params"},
        {"{\"to\":\"\xff\"}", NOTIFICATION_ENCODING, "bulk"},
        {"{\"to\":\"\\ud800\"}", NOTIFICATION_ENCODING, "bulk"},
        {"{\"to\":\"1\\u0000\"}", NOTIFICATION_ENCODING, "to"},
        {"{\"to\":\"1\",\"to\":\"2\"}", NOTIFICATION_DUPLICATE_FIELD, "to"},
        {"{\"to\":\"1\",\"t\\u006f\":\"2\"}", NOTIFICATION_DUPLICATE_FIELD, "to"},
        {"{\"x\":\"1\"}", NOTIFICATION_UNKNOWN_FIELD, "x"},
        {"{\"expires\":1e12}", NOTIFICATION_BAD_NUMBER, "expires"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct notification notification;
        struct span field;
        enum notification_error error = read_line(cases[i].line, &notification, &field);
        if (error != cases[i].error || !span_equal(field, span_of(cases[i].field))) {
            printf("%s: %s, field \"%.*s\"\n", cases[i].line, notification_error_text(error),
                   SPAN_ARG(field));
            expect(!"as the table says");
        }
    }
}

/* ---- sizes -------------------------------------------------------------------------------- */

static enum notification_error
read_one_long(const char *name, size_t size)
{
    static char value[1024];
    struct field fields[4] = {
        {SPAN("to"), SPAN("1")}, {SPAN("template"), SPAN("t")}, {SPAN("lang"), SPAN("fr")}};
    struct notification notification;
    struct span field;
    size_t count = 3;
    memset(value, 'x', sizeof(value));
    for (size_t i = 0; i < 3; i++)
        if (span_equal(fields[i].name, span_of(name)))
            count = i;
    fields[count] = (struct field){.name = span_of(name), .value = {.data = value, .size = size}};
    return notification_read(fields, count < 3 ? 3 : 4, &notification, &field);
}

static void
sizes_have_limits(void)
{
    static const struct {
        const char *name;
        size_t max;
    } cases[] = {{"id", 256}, {"ref", 256}, {"template", 512}, {"lang", 512}, {"to", 512}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        expect_u64(read_one_long(cases[i].name, cases[i].max), NOTIFICATION_OK);
        expect_u64(read_one_long(cases[i].name, cases[i].max + 1), NOTIFICATION_TOO_LONG);
    }
    expect_u64(read_one_long("1", 1024), NOTIFICATION_OK);
    expect_u64(read_one_long("params", 1024), NOTIFICATION_OK);
}

static void
a_parameter_name_has_a_limit(void)
{
    char name[600];
    struct notification notification;
    struct span field;
    memset(name, 'x', sizeof(name));
    name[0] = 'p';
    name[1] = '.';
    struct field fields[] = {{SPAN("to"), SPAN("1")},
                             {SPAN("template"), SPAN("t")},
                             {SPAN("lang"), SPAN("fr")},
                             {{.data = name, .size = 514}, SPAN("v")}};
    expect_u64(notification_read(fields, 4, &notification, &field), NOTIFICATION_OK);
    fields[3].name.size = 515;
    expect_u64(notification_read(fields, 4, &notification, &field), NOTIFICATION_TOO_LONG);
}

static void
thirty_two_parameters_and_no_more(void)
{
    char names[33][8];
    struct field fields[36] = {
        {SPAN("to"), SPAN("1")}, {SPAN("template"), SPAN("t")}, {SPAN("lang"), SPAN("fr")}};
    struct notification notification;
    struct span field;
    for (int style = 0; style < 2; style++) {
        for (int i = 0; i < 33; i++) {
            (void)snprintf(names[i], sizeof(names[i]), style == 0 ? "%d" : "p.%d", i + 1);
            fields[3 + i] = (struct field){.name = span_of(names[i]), .value = SPAN("v")};
        }
        expect_u64(notification_read(fields, 35, &notification, &field), NOTIFICATION_OK);
        expect_u64(notification.parameter_count, 32);
        expect_u64(notification_read(fields, 36, &notification, &field), NOTIFICATION_PARAMETERS);
        expect_span(field, style == 0 ? SPAN("33") : SPAN("p.33"));
    }
}

/* More fields than a line is read for: then one of the first must be wrong. */
static void
a_line_of_too_many_fields_says_which(void)
{
    char text[2048];
    struct buffer line;
    struct notification notification;
    struct span field;
    buffer_init(&line, text, sizeof(text));
    buffer_put_text(&line, "{\"to\":\"1\"");
    for (int i = 1; i < 60; i++)
        buffer_printf(&line, ",\"p.%d\":\"v\"", i);
    buffer_put_char(&line, '}');
    expect_u64(notification_read_line(buffer_span(&line), &notification, &field),
               NOTIFICATION_PARAMETERS);
    expect_span(field, SPAN("p.33"));
}

static void
nul_bytes_are_refused(void)
{
    struct field fields[] = {
        {SPAN("to"), SPAN("1\0")}, {SPAN("template"), SPAN("t")}, {SPAN("lang"), SPAN("fr")}};
    struct notification notification;
    struct span field;
    expect_u64(notification_read(fields, 3, &notification, &field), NOTIFICATION_ENCODING);
    expect_span(field, SPAN("to"));
}

/* ---- bulk --------------------------------------------------------------------------------- */

static void
splits_bulk(void)
{
    static const struct {
        const char *bulk;
        uint32_t count;
        const char *first;
        const char *last;
    } cases[] = {
        {"", 0, NULL, NULL},       {"\n", 0, NULL, NULL}, {"a", 1, "a", "a"},
        {"a\n", 1, "a", "a"},      {"a\nb", 2, "a", "b"}, {"a\nb\n", 2, "a", "b"},
        {"a\n\nb", 3, "a", "b"},   {"a\n\n", 2, "a", ""}, {"\na", 2, "", "a"},
        {"a\r\nb", 2, "a\r", "b"}, {"\n\n", 2, "", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct span lines[QUEUE_BULK_MAX];
        uint32_t count = notification_split_bulk(span_of(cases[i].bulk), lines);
        expect_u64(count, cases[i].count);
        if (count > 0 && count == cases[i].count) {
            expect_span(lines[0], span_of(cases[i].first));
            expect_span(lines[count - 1], span_of(cases[i].last));
        }
    }
}

static void
a_bulk_has_sixty_four_lines_at_most(void)
{
    char text[256];
    struct span lines[QUEUE_BULK_MAX];
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 == 0 ? 'x' : '\n';
    expect_u64(notification_split_bulk((struct span){text, 128}, lines), 64);
    expect_u64(notification_split_bulk((struct span){text, 127}, lines), 64);
    expect_u64(notification_split_bulk((struct span){text, 129}, lines), 0);
    memset(text, '\n', sizeof(text));
    expect_u64(notification_split_bulk((struct span){text, 64}, lines), 64);
    expect_u64(notification_split_bulk((struct span){text, 66}, lines), 0);
}

static void
finds_a_bulk(void)
{
    struct span bulk;
    struct field fields[] = {{SPAN("x"), SPAN("1")}, {SPAN("bulk"), SPAN("lines")}};
    expect(notification_is_bulk(fields, 2, &bulk));
    expect_span(bulk, SPAN("lines"));
    expect(!notification_is_bulk(fields, 1, &bulk));
    expect(!notification_is_bulk(NULL, 0, &bulk));
}

static void
every_error_has_words(void)
{
    for (int i = NOTIFICATION_OK; i <= NOTIFICATION_TWO_CONTENTS; i++)
        expect(strlen(notification_error_text((enum notification_error)i)) > 3);
}

/* ---- anything ----------------------------------------------------------------------------- */

static void
random_fields_never_crash(void)
{
    static const char *const words[] = {"to", "template", "lang",    "id",   "p.a", "p.",
                                        "1",  "2",        "expires", "bulk", "33",  "params",
                                        "",   "\xff",     "ref",     "text"};
    struct random random;
    random_seed(&random, 3);
    for (int round = 0; round < 20000; round++) {
        struct field fields[12];
        size_t count = random_below(&random, 12);
        for (size_t i = 0; i < count; i++)
            fields[i] = (struct field){.name = span_of(words[random_below(&random, 16)]),
                                       .value = span_of(words[random_below(&random, 16)])};
        struct notification notification;
        struct span field;
        if (notification_read(fields, count, &notification, &field) == NOTIFICATION_OK)
            expect(notification.to.size > 0 || notification.recipient.size > 0);
    }
}

static void
random_lines_never_crash(void)
{
    static const char good[] = "{\"to\":\"+33612345678\",\"template\":\"t\",\"lang\":\"fr\","
                               "\"1\":\"Cl\\u00e9o\",\"params\":{\"a\":[1,\"b\"]},\"expires\":1}";
    struct random random;
    random_seed(&random, 4);
    for (int round = 0; round < 50000; round++) {
        char line[sizeof(good)];
        struct notification notification;
        struct span field;
        memcpy(line, good, sizeof(good));
        for (uint64_t i = 0; i < 1 + random_below(&random, 3); i++)
            line[random_below(&random, sizeof(good) - 1)] =
                random_chance(&random, 0.5) ? (char)random_below(&random, 256)
                                            : good[random_below(&random, sizeof(good) - 1)];
        size_t size = random_below(&random, sizeof(good));
        (void)notification_read_line((struct span){line, size}, &notification, &field);
    }
}

int
main(void)
{
    TEST(reads_every_field);
    TEST(reads_named_parameters_as_they_come);
    TEST(a_line_gives_the_same);
    TEST(params_may_be_an_object_or_its_text);
    TEST(judges_fields);
    TEST(judges_lines);
    TEST(sizes_have_limits);
    TEST(a_parameter_name_has_a_limit);
    TEST(thirty_two_parameters_and_no_more);
    TEST(a_line_of_too_many_fields_says_which);
    TEST(nul_bytes_are_refused);
    TEST(splits_bulk);
    TEST(a_bulk_has_sixty_four_lines_at_most);
    TEST(finds_a_bulk);
    TEST(every_error_has_words);
    TEST(random_fields_never_crash);
    TEST(random_lines_never_crash);
    return test_end();
}
