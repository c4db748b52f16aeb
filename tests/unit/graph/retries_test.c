#include "sender/graph/retries.h"
#include "tests/unit/test.h"

#include <string.h>

static struct retries retries;

static bool
read_classes(const char *text, struct error_text *error)
{
    struct error_text general;
    memset(&retries, 0, sizeof(retries));
    error->text[0] = '\0';
    expect(retries_read(&retries, SPAN("5s, 1m"), &general));
    return retries_read_classes(&retries, span_of(text), error);
}

static uint64_t
first_wait_ms(enum verdict_kind kind, enum graph_error_class class)
{
    const struct verdict verdict = {.kind = kind, .class = class, .costs_attempt = true};
    uint64_t wait_ms = 0;
    if (!retries_want(&retries, &verdict))
        return 0;
    return retry_wait_ms(retries_schedule(&retries, &verdict), 1, 0.5, &wait_ms) ? wait_ms : 0;
}

static void
the_general_schedule_is_everybodys(void)
{
    struct error_text error;
    memset(&retries, 0, sizeof(retries));
    expect(retries_read(&retries, SPAN("5s, 1m"), &error));
    expect_u64(first_wait_ms(VERDICT_LATER, GRAPH_ERROR_RETRY_LIMITED), 5000);
    expect_u64(first_wait_ms(VERDICT_LATER, GRAPH_ERROR_NONE), 5000);
    for (int class = GRAPH_ERROR_NONE; class <= GRAPH_ERROR_OPERATOR; class ++)
        expect_u64(first_wait_ms(VERDICT_FAILED, (enum graph_error_class) class), 0);
    expect(!retries_read(&retries, SPAN("5"), &error));
    expect(strstr(error.text, "\"5\" has no unit") != NULL);
}

static void
a_class_has_its_own(void)
{
    struct error_text error;
    expect(read_classes("unknown = 7s*3 ;stop_template=1h, 2h", &error));
    expect_text(error.text, "");
    expect_u64(first_wait_ms(VERDICT_LATER, GRAPH_ERROR_RETRY_LIMITED), 5000);
    expect_u64(first_wait_ms(VERDICT_LATER, GRAPH_ERROR_NONE), 7000);
    expect_u64(first_wait_ms(VERDICT_FAILED, GRAPH_ERROR_STOP_TEMPLATE), 3600000);
    expect_u64(first_wait_ms(VERDICT_FAILED, GRAPH_ERROR_DEFER_24H), 0); /* has none */
    expect_u64(first_wait_ms(VERDICT_FAILED, GRAPH_ERROR_DROP), 0);      /* can have none */
    /* A 4xx of an unknown code is a no, whatever is said of unknown 5xx. */
    expect_u64(first_wait_ms(VERDICT_FAILED, GRAPH_ERROR_NONE), 0);

    expect(read_classes("retry_limited=none", &error));
    expect_u64(first_wait_ms(VERDICT_LATER, GRAPH_ERROR_RETRY_LIMITED), 0); /* one attempt */
    expect_u64(first_wait_ms(VERDICT_LATER, GRAPH_ERROR_NONE), 5000);
}

static void
mistakes_are_named(void)
{
    static const struct {
        const char *text;
        const char *says;
    } cases[] = {
        {"", "\"\" has no schedule"},
        {"unknown", "\"unknown\" has no schedule: write CLASS=SCHEDULE"},
        {"unknown=5s;", "\"\" has no schedule"},
        {"unknown:5s", "\"unknown:5s\" has no schedule"},
        {"backoff=5s", "\"backoff\" is no class that is retried by a schedule; these are: "
                       "retry_limited, unknown, defer_24h, stop_template, stop_country"},
        {"unknown=5", "unknown: retry schedule: \"5\" has no unit"},
        {"unknown=5s; stop_country=", "stop_country: retry schedule: \"\" is no wait"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error_text error;
        expect(!read_classes(cases[i].text, &error));
        if (strstr(error.text, cases[i].says) == NULL)
            expect_text(error.text, cases[i].says);
    }
}

static void
classes_have_names(void)
{
    for (int i = 0; i < RETRY_CLASS_COUNT; i++)
        expect(retry_class_text((enum retry_class)i)[0] != '\0');
}

int
main(void)
{
    TEST(the_general_schedule_is_everybodys);
    TEST(a_class_has_its_own);
    TEST(mistakes_are_named);
    TEST(classes_have_names);
    return test_end();
}
