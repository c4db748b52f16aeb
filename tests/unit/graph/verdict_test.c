#include "sender/graph/verdict.h"
#include "tests/unit/test.h"

#include <string.h>

static const char *const ACCEPTED =
    "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"+33612345678\",\"wa_id\":"
    "\"33612345678\"}],\"messages\":[{\"id\":\"wamid.HBgLMzM2\"}]}";

static struct verdict *
judge_end(int status, struct span body, enum h2_end end)
{
    static struct verdict verdict;
    struct h2_exchange exchange = {
        .status = status, .complete = true, .retry_after_s = 7, .retry_at_s = 8};
    exchange.response =
        (struct buffer){.data = (char *)body.data, .size = body.size, .capacity = body.size};
    memset(&verdict, 0xee, sizeof(verdict));
    verdict_judge(&exchange, end, &verdict);
    return &verdict;
}

static struct verdict *
judge(int status, const char *body)
{
    return judge_end(status, span_of(body), H2_ANSWERED);
}

static struct verdict *
judge_code(int status, int32_t code)
{
    static char body[128];
    snprintf(body, sizeof(body), "{\"error\":{\"message\":\"m\",\"code\":%d}}", code);
    return judge(status, body);
}

static void
accepts_an_id(void)
{
    struct verdict *verdict = judge(200, ACCEPTED);
    expect_text(verdict_kind_text(verdict->kind), "accepted");
    expect_span(verdict->wamid, SPAN("wamid.HBgLMzM2"));
    expect(verdict->code == -1);
    expect_u64(verdict->class, GRAPH_ERROR_NONE);
    expect_u64(verdict->status, 200);
    expect_u64(verdict->retry_after_s, 7);
    expect_u64(verdict->retry_at_s, 8);
    expect_u64(verdict->slows, VERDICT_SLOWS_NOBODY);
    expect_span(verdict->reason, SPAN(""));
    expect(verdict->costs_attempt);

    verdict = judge(201, "{\"messages\":[{\"id\":\"wamid.a\\/b\"}]}");
    expect_u64(verdict->kind, VERDICT_ACCEPTED);
    expect_span(verdict->wamid, SPAN("wamid.a/b"));
}

/* Each class, by a code of it, as a sender must take it. */
static void
judges_by_class(void)
{
    static const struct {
        int32_t code;
        int status;
        enum verdict_kind kind;
        bool costs_attempt;
        enum graph_error_class class;
    } cases[] = {
        {130429, 400, VERDICT_LATER, false, GRAPH_ERROR_BACKOFF},
        {2, 503, VERDICT_LATER, false, GRAPH_ERROR_BACKOFF},
        {131016, 500, VERDICT_LATER, false, GRAPH_ERROR_BACKOFF},
        {131056, 400, VERDICT_LATER, false, GRAPH_ERROR_PAIR_BACKOFF},
        {131000, 500, VERDICT_LATER, true, GRAPH_ERROR_RETRY_LIMITED},
        {131026, 400, VERDICT_FAILED, true, GRAPH_ERROR_DROP},
        {100, 400, VERDICT_FAILED, true, GRAPH_ERROR_DROP},
        {131049, 400, VERDICT_FAILED, true, GRAPH_ERROR_DEFER_24H},
        {131047, 400, VERDICT_FAILED, true, GRAPH_ERROR_REROUTE_TEMPLATE},
        {131055, 400, VERDICT_FAILED, true, GRAPH_ERROR_REROUTE_CLOUD},
        {132001, 404, VERDICT_FAILED, true, GRAPH_ERROR_STOP_TEMPLATE},
        {130497, 403, VERDICT_FAILED, true, GRAPH_ERROR_STOP_COUNTRY},
        {2388019, 400, VERDICT_FAILED, true, GRAPH_ERROR_OPERATOR},
        {131045, 500, VERDICT_LATER, false, GRAPH_ERROR_STOP_PHONE},
        {131048, 400, VERDICT_LATER, false, GRAPH_ERROR_BACKOFF},
        {190, 401, VERDICT_LATER, false, GRAPH_ERROR_STOP_ACCOUNT},
        {250, 403, VERDICT_LATER, false, GRAPH_ERROR_STOP_ACCOUNT},
        {3, 500, VERDICT_LATER, false, GRAPH_ERROR_STOP_ACCOUNT},
        /* A code that nobody has heard of. */
        {999999, 400, VERDICT_FAILED, true, GRAPH_ERROR_NONE},
        {999999, 403, VERDICT_FAILED, true, GRAPH_ERROR_NONE},
        {999999, 429, VERDICT_LATER, false, GRAPH_ERROR_BACKOFF},
        {999999, 500, VERDICT_LATER, true, GRAPH_ERROR_NONE},
        {999999, 502, VERDICT_LATER, true, GRAPH_ERROR_NONE},
        {999999, 503, VERDICT_LATER, false, GRAPH_ERROR_BACKOFF},
        {999999, 200, VERDICT_UNCERTAIN, true, GRAPH_ERROR_NONE},
        {999999, 302, VERDICT_UNCERTAIN, true, GRAPH_ERROR_NONE},
        /* The code speaks, not the status. */
        {131026, 500, VERDICT_FAILED, true, GRAPH_ERROR_DROP},
        {131026, 200, VERDICT_FAILED, true, GRAPH_ERROR_DROP},
        {130429, 429, VERDICT_LATER, false, GRAPH_ERROR_BACKOFF},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdict *verdict = judge_code(cases[i].status, cases[i].code);
        int before = test_failures_;
        expect_text(verdict_kind_text(verdict->kind), verdict_kind_text(cases[i].kind));
        expect_u64(verdict->costs_attempt, cases[i].costs_attempt);
        expect_text(graph_error_class_text(verdict->class), graph_error_class_text(cases[i].class));
        expect(verdict->code == cases[i].code);
        expect_u64(verdict->status, cases[i].status);
        expect_u64(verdict->retry_after_s, 7);
        expect_u64(verdict->wamid.size, 0);
        expect_span(verdict->reason, SPAN("m"));
        if (before != test_failures_)
            printf("  of code %d, HTTP %d\n", cases[i].code, cases[i].status);
    }
}

/* What each row of the table comes to: written down a second time, code by code, so that a changed
 * class shows here as what it does. */
#define LATER_FREE(whom) VERDICT_LATER, false, VERDICT_SLOWS_##whom
#define LATER_COSTS      VERDICT_LATER, true, VERDICT_SLOWS_NOBODY
#define STOPS            VERDICT_LATER, false, VERDICT_STOPS_ACCOUNT
#define FAILED           VERDICT_FAILED, true, VERDICT_SLOWS_NOBODY
static const struct {
    int32_t code; /* the first of its row */
    enum verdict_kind kind;
    bool costs_attempt;
    enum verdict_slows slows;
} rows[] = {
    /* clang-format off */
    {0, STOPS},
    {1, LATER_COSTS},
    {2, LATER_FREE(ACCOUNT)},
    {3, STOPS},
    {4, LATER_FREE(ACCOUNT)},
    {10, STOPS},
    {33, STOPS},
    {100, FAILED},
    {190, STOPS},
    {200, STOPS},
    {201, STOPS},
    {368, STOPS},
    {80007, LATER_FREE(ACCOUNT)},
    {80008, LATER_FREE(ACCOUNT)},
    {130403, FAILED},
    {130429, LATER_FREE(ACCOUNT)},
    {130472, FAILED},
    {130497, FAILED},
    {131000, LATER_COSTS},
    {131005, STOPS},
    {131008, FAILED},
    {131009, FAILED},
    {131016, LATER_FREE(ACCOUNT)},
    {131020, FAILED},
    {131021, FAILED},
    {131026, FAILED},
    {131030, FAILED},
    {131031, STOPS},
    {131037, STOPS},
    {131041, FAILED},
    {131042, STOPS},
    {131044, FAILED},
    {131045, STOPS},
    {131047, FAILED},
    {131048, LATER_FREE(ACCOUNT)},
    {131049, FAILED},
    {131050, FAILED},
    {131051, FAILED},
    {131052, FAILED},
    {131053, LATER_COSTS},
    {131055, FAILED},
    {131056, LATER_FREE(PAIR)},
    {131057, LATER_FREE(ACCOUNT)},
    {131062, FAILED},
    {131063, FAILED},
    {131064, STOPS},
    {131201, FAILED},
    {131207, FAILED},
    {131208, LATER_FREE(ACCOUNT)},
    {132000, FAILED},
    {132001, FAILED},
    {132005, FAILED},
    {132007, FAILED},
    {132012, FAILED},
    {132015, FAILED},
    {132016, FAILED},
    {132018, FAILED},
    {132068, FAILED},
    {132069, LATER_FREE(ACCOUNT)},
    {133000, STOPS},
    {133004, LATER_FREE(ACCOUNT)},
    {133005, STOPS},
    {133006, STOPS},
    {133008, STOPS},
    {133009, STOPS},
    {133010, STOPS},
    {133015, LATER_FREE(ACCOUNT)},
    {133016, STOPS},
    {134011, STOPS},
    {134100, FAILED},
    {134101, LATER_FREE(ACCOUNT)},
    {134102, FAILED},
    {135000, FAILED},
    {138000, FAILED},
    {200005, FAILED},
    {200006, FAILED},
    {200007, FAILED},
    {2388012, FAILED},
    {2388019, FAILED},
    {2388039, FAILED},
    {2388040, FAILED},
    {2388047, FAILED},
    {2388072, FAILED},
    {2388073, FAILED},
    {2388091, FAILED},
    {2388093, FAILED},
    {2388103, FAILED},
    {2388293, FAILED},
    {2388299, FAILED},
    {2494100, LATER_FREE(ACCOUNT)},
    {2593107, FAILED},
    {2593108, FAILED},
    /* clang-format on */
};
#undef LATER_FREE
#undef LATER_COSTS
#undef STOPS
#undef FAILED

static void
judges_every_row(void)
{
    const struct graph_error *error = error_table_find(0);
    expect(error != NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++, error++) {
        int status = error->http_status == 0 ? 400 : error->http_status;
        int before = test_failures_;
        struct verdict *verdict = judge_code(status, error->code_last);
        expect(error->code_first == rows[i].code); /* the rows in order, none left out */
        expect_text(verdict_kind_text(verdict->kind), verdict_kind_text(rows[i].kind));
        expect_u64(verdict->costs_attempt, rows[i].costs_attempt);
        expect_u64(verdict->slows, rows[i].slows);
        expect_u64(verdict->class, error->class);
        if (before != test_failures_)
            printf("  of code %d\n", rows[i].code);
    }
    expect(error_table_find(error[-1].code_last + 1) == NULL);
    expect_u64(sizeof(rows) / sizeof(rows[0]), 92);
}

static void
gives_words(void)
{
    expect_span(judge(400, "{\"error\":{\"code\":131026}}")->reason,
                SPAN("(#131026) Message undeliverable"));
    expect_span(judge(400, "{\"error\":{\"code\":999999}}")->reason,
                SPAN("(#999999) an error that facteur does not know"));
    expect_span(judge(400,
                      "{\"error\":{\"code\":131026,\"message\":\"(#131026) M\",\"error_data\":{"
                      "\"details\":\"gone\"}}}")
                    ->reason,
                SPAN("(#131026) M: gone"));
    expect_span(judge(502, "<html></html>")->reason,
                SPAN("HTTP 502 with a page of HTML: no answer of Meta's, so it may have been "
                     "accepted"));
}

/* What servers that are not Graph's say, and Graph's own answers gone wrong. */
static void
is_uncertain_of_all_else(void)
{
    static const struct {
        int status;
        const char *body;
        const char *words;
    } cases[] = {
        {200, "", "HTTP 200 with an empty body"},
        {204, "", "HTTP 204 with an empty body"},
        {404, "<html>\r\n<head><title>404 Not Found</title></head>\r\n</html>",
         "HTTP 404 with a page of HTML"},
        {405, "<html>405 Not Allowed</html>", "HTTP 405 with a page of HTML"},
        {400, "", "HTTP 400 with an empty body"},
        {403, "Forbidden", "HTTP 403 with a body that is not complete JSON"},
        {429, "slow down", "HTTP 429"},
        {502, "<html>502 Bad Gateway</html>", "HTTP 502"},
        {503, "{\"message\":\"upstream\"}", "HTTP 503 with JSON that is not Graph's"},
        {500, "{\"error\":\"internal\"}", "HTTP 500 with JSON"},
        {504, "{\"error\":{\"message\":\"no code\"}}", "HTTP 504 with JSON"},
        {200, "{\"success\":true}", "HTTP 200 with JSON"},
        {200, "{\"messages\":[]}", "HTTP 200 with JSON"},
        {200, "hello from node\n", "HTTP 200 with a body"},
        {200, "{\"messages\":[{\"id\":\"wamid.A\"}],\"error\":{\"code\":1}}", "HTTP 200 with JSON"},
        {500, "{\"messages\":[{\"id\":\"wamid.A\"}]}", "HTTP 500 with a message's id"},
        {301, "{\"messages\":[{\"id\":\"wamid.A\"}]}", "HTTP 301 with a message's id"},
        {0, "", "HTTP 0 with an empty body"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct verdict *verdict = judge(cases[i].status, cases[i].body);
        expect_text(verdict_kind_text(verdict->kind), "uncertain");
        expect(span_starts(verdict->reason, span_of(cases[i].words)));
        expect_u64(verdict->wamid.size, 0);
        expect(verdict->code == -1);
        expect_u64(verdict->retry_after_s, 7);
        expect(verdict->reason.size <= sizeof(verdict->reason_text));
        bool slows = cases[i].status == 429 || cases[i].status == 503;
        expect_u64(verdict->slows, slows ? VERDICT_SLOWS_ACCOUNT : VERDICT_SLOWS_NOBODY);
    }
}

static void
knows_how_it_ended(void)
{
    struct verdict *verdict = judge_end(0, SPAN(""), H2_NOT_PROCESSED);
    expect_u64(verdict->kind, VERDICT_LATER);
    expect(!verdict->costs_attempt);
    expect_u64(verdict->slows, VERDICT_SLOWS_ACCOUNT);
    expect(verdict->reason.size > 0);

    /* Whatever had come before the connection was lost is no answer. */
    verdict = judge_end(200, span_of(ACCEPTED), H2_LOST);
    expect_u64(verdict->kind, VERDICT_UNCERTAIN);
    expect_u64(verdict->wamid.size, 0);
    expect(verdict->reason.size > 0);
    verdict = judge_end(400, SPAN("{\"error\":{\"code\":131026}}"), H2_LOST);
    expect_u64(verdict->kind, VERDICT_UNCERTAIN);
}

static void
believes_no_cut_exchange(void)
{
    struct verdict verdict;
    struct h2_exchange exchange = {.status = 200, .complete = false};
    struct span body = span_of(ACCEPTED);
    exchange.response = (struct buffer){.data = (char *)body.data, .size = body.size};
    verdict_judge(&exchange, H2_ANSWERED, &verdict);
    expect_u64(verdict.kind, VERDICT_UNCERTAIN);
    exchange.complete = true;
    exchange.truncated = true;
    verdict_judge(&exchange, H2_ANSWERED, &verdict);
    expect_u64(verdict.kind, VERDICT_UNCERTAIN);
    expect(span_starts(verdict.reason, SPAN("HTTP 200 with a cut body")));
}

/* An answer cut at any byte, under any status: never yes, never no. */
static void
believes_no_cut_body(void)
{
    static const char *const bodies[] = {
        "{\"error\":{\"message\":\"(#131026) x\",\"type\":\"OAuthException\",\"code\":131026,"
        "\"error_data\":{\"messaging_product\":\"whatsapp\",\"details\":\"d\"},\"fbtrace_id\":"
        "\"A\"}}",
        "{\"messages\":[{\"id\":\"wamid.A\"}],\"messaging_product\":\"whatsapp\"}",
    };
    static const int statuses[] = {200, 400, 404, 500};
    for (size_t i = 0; i < 2; i++)
        for (size_t size = 0; size < strlen(bodies[i]); size++)
            for (size_t s = 0; s < 4; s++) {
                struct span cut = {.data = bodies[i], .size = size};
                struct verdict *verdict = judge_end(statuses[s], cut, H2_ANSWERED);
                expect_u64(verdict->kind, VERDICT_UNCERTAIN);
            }
    for (size_t size = 0; size < strlen(ACCEPTED); size++)
        expect_u64(judge_end(200, (struct span){.data = ACCEPTED, .size = size}, H2_ANSWERED)->kind,
                   VERDICT_UNCERTAIN);
}

int
main(void)
{
    TEST(accepts_an_id);
    TEST(judges_by_class);
    TEST(judges_every_row);
    TEST(gives_words);
    TEST(is_uncertain_of_all_else);
    TEST(knows_how_it_ended);
    TEST(believes_no_cut_exchange);
    TEST(believes_no_cut_body);
    return test_end();
}
