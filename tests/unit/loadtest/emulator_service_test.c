#include "loadtest/emulator_service.h"
#include "tests/unit/test.h"

#include <string.h>

#define DATA FACTEUR_SOURCE_DIR "/sender/cost/data/"

static struct emulator_service service;
static struct emulator_answer answer;

static const char templates_json[] =
    "[{\"name\":\"order\",\"language\":\"fr\",\"category\":\"UTILITY\",\"components\":["
    "{\"type\":\"BODY\",\"text\":\"Bonjour {{1}}, commande {{2}} prete, {{1}}.\"},"
    "{\"type\":\"FOOTER\",\"text\":\"x\"}]},"
    "{\"name\":\"ticket\",\"language\":\"en\",\"category\":\"UTILITY\",\"parameter_format\":"
    "\"NAMED\",\"components\":[{\"type\":\"HEADER\",\"format\":\"DOCUMENT\"},"
    "{\"type\":\"BODY\",\"text\":\"Hi {{name}}, {{event}}\"},{\"type\":\"BUTTONS\",\"buttons\":["
    "{\"type\":\"QUICK_REPLY\",\"text\":\"ok\"},"
    "{\"type\":\"URL\",\"text\":\"open\",\"url\":\"https://example.org/{{1}}\"}]}]},"
    "{\"name\":\"code\",\"language\":\"en\",\"category\":\"AUTHENTICATION\",\"components\":["
    "{\"type\":\"BODY\"},{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"OTP\"}]}]},"
    "{\"name\":\"sale\",\"language\":\"en\",\"category\":\"MARKETING\",\"components\":["
    "{\"type\":\"BODY\",\"text\":\"Big sale\"}]},"
    "{\"name\":\"tired\",\"language\":\"en\",\"category\":\"UTILITY\",\"status\":\"PAUSED\","
    "\"components\":[{\"type\":\"BODY\",\"text\":\"x\"}]},"
    "{\"name\":\"gone\",\"language\":\"en\",\"category\":\"UTILITY\",\"status\":\"DISABLED\","
    "\"components\":[{\"type\":\"BODY\",\"text\":\"x\"}]},"
    "{\"name\":\"new\",\"language\":\"en\",\"category\":\"UTILITY\",\"status\":\"PENDING\","
    "\"components\":[{\"type\":\"BODY\",\"text\":\"x\"}]}]";

static struct emulator_templates *templates;
static struct emulator_countries *countries;

static void
open_service(void)
{
    struct error_text error = {0};
    templates = emulator_templates_open();
    expect(emulator_templates_add(templates, span_of(templates_json), "test", &error));
    countries = emulator_countries_open(DATA "prefixes.csv", &error);
    service = (struct emulator_service){.currency = "USD", .seed = 1};
    service.judge.token = SPAN("secret");
    service.judge.phones[0] =
        (struct emulator_phone){.id = SPAN("1001"), .calling_code = SPAN("91")};
    service.judge.phone_count = 1;
    service.judge.templates = templates;
    service.judge.countries = countries;
    service.bill =
        emulator_bill_open(&(struct emulator_bill_settings){.markets_path = DATA "markets.csv",
                                                            .rates_path = DATA "rates.csv",
                                                            .currency = "USD",
                                                            .day = "2026-11-23",
                                                            .countries = countries},
                           &error);
    expect_text(error.text, "");
    emulator_service_open(&service);
}

static void
close_service(void)
{
    emulator_service_close(&service);
    emulator_bill_close(service.bill);
    emulator_countries_close(countries);
    emulator_templates_close(templates);
}

static void
ask(const char *method, const char *path, const char *authorization, struct span body)
{
    const struct emulator_request request = {.method = span_of(method),
                                             .path = span_of(path),
                                             .authorization = span_of(authorization),
                                             .body = body,
                                             .now_us = 1000000};
    emulator_service_answer(&service, &request, &answer);
}

static void
post(const char *body)
{
    ask("POST", "/v24.0/1001/messages", "Bearer secret", span_of(body));
}

static bool
says(const char *words)
{
    bool found = memmem(answer.body.data, answer.body.size, words, strlen(words)) != NULL;
    if (!found)
        printf("no \"%s\" in %d %.*s\n", words, answer.status, SPAN_ARG(answer.body));
    return found;
}

#define HEAD       "{\"messaging_product\":\"whatsapp\",\"to\":\"+33612345678\",\"type\":\"template\","
#define TEXT(text) "{\"type\":\"text\",\"text\":\"" text "\"}"
#define ORDER(parameters)                                                                          \
    "\"template\":{\"name\":\"order\",\"language\":{\"code\":\"fr\"},\"components\":["             \
    "{\"type\":\"body\",\"parameters\":[" parameters "]}]}"
#define GOOD_ORDER                                                                                 \
    HEAD "\"biz_opaque_callback_data\":\"c1\"," ORDER(TEXT("Claire") "," TEXT("42")) "}"
#define DOCUMENT                                                                                   \
    "{\"type\":\"header\",\"parameters\":[{\"type\":\"document\",\"document\":{\"link\":"          \
    "\"https://example.org/a.pdf\",\"filename\":\"a.pdf\"}}]}"
#define NAMED(name, text)                                                                          \
    "{\"type\":\"text\",\"parameter_name\":\"" name "\",\"text\":\"" text "\"}"
#define URL_BUTTON(at)                                                                             \
    "{\"type\":\"button\",\"sub_type\":\"url\",\"index\":\"" at "\",\"parameters\":[" TEXT("7") "]}"
#define TICKET(components)                                                                         \
    HEAD "\"template\":{\"name\":\"ticket\",\"language\":{\"code\":\"en\"},\"components\":"        \
         "[" components "]}}"
#define TICKET_BODY                                                                                \
    "{\"type\":\"body\",\"parameters\":[" NAMED("event", "x") "," NAMED("name", "y") "]}"
#define PLAIN(name) HEAD "\"template\":{\"name\":\"" name "\",\"language\":{\"code\":\"en\"}}}"
#define CODE(button)                                                                               \
    HEAD "\"template\":{\"name\":\"code\",\"language\":{\"code\":\"en\"},\"components\":["         \
         "{\"type\":\"body\",\"parameters\":[" TEXT("1234") "]}" button "]}}"

static void
accepts_and_books(void)
{
    open_service();
    post(GOOD_ORDER);
    expect_u64(answer.status, 200);
    expect(says("{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+33612345678\","
                "\"wa_id\":\"33612345678\"}],\"messages\":[{\"id\":\"wamid.HBgLMzM2MTIzNDU2Nzg"));
    expect(says("\",\"message_status\":\"accepted\"}]}"));
    expect_u64(service.accepted, 1);
    expect_u64(service.duplicates, 0);
    expect_u64(emulator_bill_total(service.bill).millionths, 30000);
    post(GOOD_ORDER);
    expect_u64(service.duplicates, 1);
    expect_u64(emulator_bill_total(service.bill).millionths, 60000);

    post(TICKET(DOCUMENT "," TICKET_BODY "," URL_BUTTON("1")));
    expect_u64(answer.status, 200);
    post(CODE("," URL_BUTTON("0")));
    expect_u64(answer.status, 200);
    post(PLAIN("sale"));
    expect_u64(answer.status, 200);
    expect_u64(service.marketing, 1);
    ask("POST", "/1001/messages", "Bearer secret", span_of(GOOD_ORDER)); /* without a version */
    expect_u64(answer.status, 200);
    expect_u64(service.accepted, 6);
    close_service();
}

static void
refuses_in_graphs_words(void)
{
    static const struct {
        const char *body;
        int status;
        const char *words;
    } cases[] = {
        {"{\"to\":", 400, "\"code\":100"},
        {"", 400, "not valid JSON"},
        {"{\"unknown\":1}", 400, "Unexpected key \\\"unknown\\\""},
        {"{}", 400, "messaging_product is required"},
        {"{\"messaging_product\":\"whatsapp\"}", 400, "to is required"},
        {"{\"messaging_product\":\"whatsapp\",\"to\":\"+\"}", 400, "\"code\":131009"},
        {"{\"messaging_product\":\"whatsapp\",\"to\":\"+33.6\"}", 400, "\"code\":131009"},
        {"{\"messaging_product\":\"whatsapp\",\"to\":\"+999123456\",\"type\":\"text\"}", 400,
         "(#131026) Message undeliverable"},
        {"{\"messaging_product\":\"whatsapp\",\"to\":\"+33612345678\",\"type\":\"text\","
         "\"text\":{\"body\":\"hi\"}}",
         400, "\"code\":131047"},
        {"{\"messaging_product\":\"whatsapp\",\"to\":\"+33612345678\",\"type\":\"fax\"}", 400,
         "\"code\":131051"},
        {"{\"messaging_product\":\"whatsapp\",\"to\":\"+33612345678\",\"recipient_type\":"
         "\"group\"}",
         400, "recipient_type"},
        {HEAD "\"recipient\":\"x\"}", 400, "\"code\":131008"},
        {HEAD "\"template\":{\"name\":\"order\"}}", 400, "\"code\":131008"},
        {HEAD "\"template\":{\"name\":\"order\",\"language\":{\"code\":\"de\"}}}", 404,
         "(#132001) Template does not exist"},
        {PLAIN("tired"), 400, "\"code\":132015"},
        {PLAIN("gone"), 400, "\"code\":132016"},
        {PLAIN("new"), 404, "\"code\":132001"},
        {HEAD ORDER(TEXT("Claire")) "}", 400,
         "body: number of localizable_params (1) does not match the expected number of params (2)"},
        {HEAD ORDER(TEXT("a") "," TEXT("b") "," TEXT("c")) "}", 400, "\"code\":132000"},
        {HEAD "\"template\":{\"name\":\"order\",\"language\":{\"code\":\"fr\"}}}", 400,
         "\"code\":132000"},
        {HEAD ORDER(TEXT("") "," TEXT("b")) "}", 400, "\"code\":131008"},
        {HEAD ORDER(TEXT("a\\nb") "," TEXT("b")) "}", 400, "\"code\":132018"},
        {HEAD ORDER(TEXT("a     b") "," TEXT("b")) "}", 400, "\"code\":132018"},
        {HEAD ORDER("{\"type\":\"payload\",\"payload\":\"x\"}," TEXT("b")) "}", 400,
         "\"code\":132012"},
        {TICKET(TICKET_BODY "," URL_BUTTON("1")), 400, "expected document"},
        {TICKET(DOCUMENT "," TICKET_BODY), 400, "Button at index 1 requires"},
        {TICKET(DOCUMENT "," TICKET_BODY "," URL_BUTTON("0")), 400, "\"code\":131009"},
        {TICKET(DOCUMENT "," TICKET_BODY "," URL_BUTTON("2")), 400, "\"code\":131009"},
        {TICKET(DOCUMENT "," TICKET_BODY "," URL_BUTTON("1") "," URL_BUTTON("1")), 400,
         "\"code\":131009"},
        {TICKET(DOCUMENT "," DOCUMENT "," TICKET_BODY "," URL_BUTTON("1")), 400, "twice"},
        {TICKET(DOCUMENT ",{\"type\":\"body\",\"parameters\":[" NAMED("event", "x") "," NAMED(
             "event", "y") "]}," URL_BUTTON("1")),
         400, "Parameter name"},
        {TICKET(DOCUMENT ",{\"type\":\"body\",\"parameters\":[" TEXT("x") "," TEXT(
             "y") "]}," URL_BUTTON("1")),
         400, "Parameter name"},
        {CODE(""), 400, "Button at index 0 requires"},
    };
    open_service();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        post(cases[i].body);
        expect_u64(answer.status, cases[i].status);
        if (!says(cases[i].words))
            expect(!"the words of the case above");
        expect(says("\"type\":\"OAuthException\"") && says("\"fbtrace_id\":\"A"));
    }
    expect_u64(service.accepted, 0);
    expect_u64(service.bad_requests, 2);
    expect_u64(emulator_bill_total(service.bill).count, 0);
    close_service();
}

static void
guards_the_door(void)
{
    static const struct {
        const char *method, *path, *authorization;
        int status;
        const char *words;
    } cases[] = {
        {"POST", "/v24.0/1001/messages", "", 401, "\"code\":0,"},
        {"POST", "/v24.0/1001/messages", "Bearer wrong", 401, "\"code\":190,"},
        {"POST", "/v24.0/1001/messages", "Bearer ", 401, "\"code\":190,"},
        {"POST", "/v24.0/1001/messages", "Basic secret", 401, "\"code\":190,"},
        {"POST", "/v24.0/9999/messages", "Bearer secret", 400, "\"code\":33,"},
        {"POST", "/v24.0/1001/media", "Bearer secret", 400, "Unknown path"},
        {"POST", "/", "Bearer secret", 400, "Unknown path"},
        {"POST", "1001/messages", "Bearer secret", 400, "Unknown path"},
        {"POST", "//messages", "Bearer secret", 400, "Unknown path"},
        {"POST", "/v24.0/1001/messages/x", "Bearer secret", 400, "Unknown path"},
        {"GET", "/v24.0/1001/messages", "Bearer secret", 400, "Unsupported GET"},
        {"POST", "/v24.0/1001/messages?access_token=x", "Bearer secret", 200, "accepted"},
    };
    open_service();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask(cases[i].method, cases[i].path, cases[i].authorization, span_of(GOOD_ORDER));
        expect_u64(answer.status, cases[i].status);
        expect(says(cases[i].words));
    }
    expect_u64(service.accepted, 1);
    close_service();
}

#define TO(number)                                                                                 \
    "{\"messaging_product\":\"whatsapp\",\"to\":\"" number "\",\"type\":\"template\","             \
    "\"template\":{\"name\":\"sale\",\"language\":{\"code\":\"en\"}}}"

static void
treats_numbers_as_meta_does(void)
{
    static const struct {
        const char *body, *words, *country;
    } cases[] = {
        {TO("+1 (631) 555-1234"), "\"wa_id\":\"16315551234\"", "US"},
        {TO("9876543210"), "\"wa_id\":\"919876543210\"", "IN"}, /* the business' own code */
        {TO("+5511987654321"), "\"wa_id\":\"5511987654321\"", "BR"},
        {TO("+5531987654321"), "\"wa_id\":\"553187654321\"", "BR"},
        {TO("+525512345678"), "\"wa_id\":\"5215512345678\"", "MX"},
        {"{\"messaging_product\":\"whatsapp\",\"recipient\":\"FR.13491208655302741918\",\"type\":"
         "\"template\",\"template\":{\"name\":\"sale\",\"language\":{\"code\":\"en\"}}}",
         "\"user_id\":\"FR.13491208655302741918\"", "FR"},
    };
    open_service();
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint16_t country;
        post(cases[i].body);
        expect_u64(answer.status, 200);
        expect(says(cases[i].words));
        expect(emulator_country_of_code(countries, span_of(cases[i].country), &country));
        expect(emulator_bill_of(service.bill, country).count > 0);
    }
    expect_u64(service.bad_to, 1);
    close_service();
}

static void
limits_lengths(void)
{
    static char body[80000], text[70000];
    const char *parameters = TEXT("a") "," TEXT("b");
    open_service();
    memset(text, 'x', sizeof text);
    for (int size = EMULATOR_CALLBACK_MAX; size <= EMULATOR_CALLBACK_MAX + 1; size++) {
        snprintf(body, sizeof body, HEAD "\"biz_opaque_callback_data\":\"%.*s\"," ORDER("%s") "}",
                 size, text, parameters);
        post(body);
        expect_u64(answer.status, size == EMULATOR_CALLBACK_MAX ? 200 : 400);
    }
    expect(says("at most 512"));
    snprintf(body, sizeof body, HEAD ORDER("{\"type\":\"text\",\"text\":\"%.*s\"},%s") "}", 1100,
             text, TEXT("b"));
    post(body);
    expect(says("\"code\":132005"));
    snprintf(body, sizeof body, "%-70000s", GOOD_ORDER);
    post(body);
    expect(says("too large"));
    memset(text, '-', sizeof text);
    snprintf(body, sizeof body, "{\"messaging_product\":\"whatsapp\",\"to\":\"+33%.*s\"}", 60000,
             text);
    post(body);
    expect(says("\"code\":131009"));
    close_service();
}

static void
never_overflows_an_answer(void)
{
    char body[4096];
    open_service();
    size_t size = (size_t)sprintf(body, HEAD "\"template\":{\"name\":\"");
    for (int i = 0; i < 500; i++)
        size += (size_t)sprintf(body + size, "\\u0001");
    sprintf(body + size, "\",\"language\":{\"code\":\"\\u0001\\u0001\"}}}");
    post(body);
    expect_u64(answer.status, 404);
    expect(says("\"fbtrace_id\""));
    close_service();
}

static void
paces_a_phone(void)
{
    uint64_t accepted = 0;
    open_service();
    service.judge.limit_per_s = 10;
    for (int i = 0; i < 100; i++) { /* all at the same instant: a second's worth is let through */
        post(GOOD_ORDER);
        accepted += answer.status == 200;
    }
    expect_u64(accepted, 11);
    expect(says("\"code\":130429"));
    expect_u64(service.refused[EMULATOR_ERROR_THROTTLED], 89);
    close_service();
}

/* What each fault means for the books, whatever it does to the answer. */
static void
books_faults(void)
{
    for (int i = 0; i < EMULATOR_FAULT_KINDS; i++) {
        enum emulator_fault fault = (enum emulator_fault)i;
        open_service();
        service.faults.rates[fault] = 1;
        post(GOOD_ORDER);
        expect_u64(answer.fault, fault);
        expect_u64(service.fault_counts[fault], 1);
        expect_u64(service.accepted, emulator_fault_accepts(fault));
        expect_u64(emulator_bill_total(service.bill).count, emulator_fault_accepts(fault));
        uint64_t refused = 0;
        for (int error = 0; error < EMULATOR_ERROR_KINDS; error++)
            refused += service.refused[error];
        expect_u64(service.accepted + refused + service.unanswered_refusals, 1);
        ask("GET", "/emulator/tally", "", SPAN("")); /* these paths have no faults */
        expect_u64(answer.fault, EMULATOR_FAULT_NONE);
        expect(says(emulator_fault_text(fault)));
        close_service();
    }
}

static void
tells_what_it_keeps(void)
{
    open_service();
    post(GOOD_ORDER);
    post(TO("9876543210"));
    post("{}");
    struct span tally = emulator_service_tally(&service, 123);
    expect_span(tally,
                SPAN("{\"requests\":3,\"accepted\":2,\"duplicates\":0,\"bad_requests\":0,"
                     "\"bad_to\":1,\"marketing\":1,\"unanswered_refusals\":0,\"cpu_us\":123,"
                     "\"refused\":{\"100\":1},\"faults\":{},"
                     "\"billed\":{\"currency\":\"USD\",\"millionths\":41800},\"by_country\":["
                     "{\"country\":\"FR\",\"market\":\"France\",\"count\":1,\"millionths\":30000},"
                     "{\"country\":\"IN\",\"market\":\"India\",\"count\":1,\"millionths\":11800}]"
                     "}\n"));
    ask("GET", "/emulator/accepted?from=0&limit=1", "", SPAN(""));
    expect(says("{\"n\":0,\"callback\":\"c1\",\"wamid\":\"wamid."));
    expect(says("\"to\":\"+33612345678\",\"country\":\"FR\",\"price\":30000,"
                "\"template\":\"order\",\"language\":\"fr\",\"text\":\"Claire\"}\n"));
    ask("GET", "/emulator/accepted?from=1", "", SPAN(""));
    expect(span_starts(answer.body, SPAN("{\"n\":1,\"callback\":\"\",")));
    ask("GET", "/emulator/accepted?from=2", "", SPAN(""));
    expect_u64(answer.body.size, 0);
    ask("GET", "/emulator/accepted?limit=x", "", SPAN(""));
    expect_u64(answer.status, 400);
    ask("GET", "/emulator/nothing", "", SPAN(""));
    expect_u64(answer.status, 404);
    ask("POST", "/emulator/faults", "", SPAN("{\"cut\":1}"));
    expect_u64(answer.status, 200);
    post(GOOD_ORDER);
    expect_u64(answer.fault, EMULATOR_FAULT_CUT);
    ask("POST", "/emulator/faults", "", SPAN("{\"cut\":7}"));
    expect_u64(answer.status, 400);
    ask("POST", "/emulator/reset", "", SPAN(""));
    expect_u64(answer.status, 200);
    expect_u64(service.number + service.accepted + emulator_log_count(service.log), 0);
    close_service();
}

static void
refuses_bad_templates(void)
{
    static const char *const cases[] = {
        "",
        "{}",
        "{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\"}",
        "{\"name\":\"a\",\"language\":\"en\",\"category\":\"X\",\"components\":[]}",
        "{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":["
        "{\"type\":\"BODY\"}]}",
        "{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":["
        "{\"type\":\"BODY\",\"text\":\"{{ }}\"}]}",
        "{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":["
        "{\"type\":\"HEADER\",\"format\":\"SMELL\"}]}",
        "[{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":[]},"
        "{\"name\":\"a\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":[]}]",
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct error_text error = {0};
        struct emulator_templates *bad = emulator_templates_open();
        expect(!emulator_templates_add(bad, span_of(cases[i]), "file.json", &error));
        expect(strstr(error.text, "file.json") != NULL);
        emulator_templates_close(bad);
    }
}

static void
reads_the_catalogue(void)
{
    struct error_text error = {0};
    struct emulator_templates *read = emulator_templates_open();
    expect(emulator_templates_read_folder(read, FACTEUR_SOURCE_DIR "/templates/catalogue", &error));
    expect_text(error.text, "");
    const struct emulator_template *ticket =
        emulator_templates_find(read, SPAN("event_ticket"), SPAN("en"));
    expect(ticket != NULL && ticket->named && ticket->parameter_count == 5);
    const struct emulator_template *code =
        emulator_templates_find(read, SPAN("one_time_code"), SPAN("en"));
    expect(code != NULL && code->category == EMULATOR_AUTHENTICATION &&
           code->parameter_count == 1 && code->button_count == 1);
    expect(emulator_templates_find(read, SPAN("event_ticket"), SPAN("xx")) == NULL);
    expect(!emulator_templates_read_folder(read, "/nonexistent", &error));
    emulator_templates_close(read);
}

int
main(void)
{
    TEST(accepts_and_books);
    TEST(refuses_in_graphs_words);
    TEST(guards_the_door);
    TEST(treats_numbers_as_meta_does);
    TEST(limits_lengths);
    TEST(never_overflows_an_answer);
    TEST(paces_a_phone);
    TEST(books_faults);
    TEST(tells_what_it_keeps);
    TEST(refuses_bad_templates);
    TEST(reads_the_catalogue);
    return test_end();
}
