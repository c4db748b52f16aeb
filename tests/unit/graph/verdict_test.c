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
    struct h2_exchange exchange = {.status = status, .complete = true, .retry_after_s = 7};
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
        {131048, 400, VERDICT_LATER, false, GRAPH_ERROR_STOP_PHONE},
        {190, 401, VERDICT_LATER, false, GRAPH_ERROR_STOP_ACCOUNT},
        {250, 403, VERDICT_LATER, false, GRAPH_ERROR_STOP_ACCOUNT},
        {3, 500, VERDICT_LATER, false, GRAPH_ERROR_STOP_ACCOUNT},
        /* A code that nobody has heard of. */
        {999999, 400, VERDICT_FAILED, true, GRAPH_ERROR_NONE},
        {999999, 403, VERDICT_FAILED, true, GRAPH_ERROR_NONE},
        {999999, 429, VERDICT_LATER, false, GRAPH_ERROR_BACKOFF},
        {999999, 500, VERDICT_LATER, true, GRAPH_ERROR_NONE},
        {999999, 503, VERDICT_LATER, true, GRAPH_ERROR_NONE},
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

/* Every row of the table has a verdict, and none of them is "accepted" or "uncertain". */
static void
judges_every_row(void)
{
    const struct graph_error *error = error_table_find(0);
    expect(error != NULL);
    for (; error->code_first != 2593108; error++) {
        int status = error->http_status == 0 ? 400 : error->http_status;
        struct verdict *verdict = judge_code(status, error->code_last);
        expect(verdict->kind == VERDICT_FAILED || verdict->kind == VERDICT_LATER);
        expect_u64(verdict->class, error->class);
    }
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
    }
}

static void
knows_how_it_ended(void)
{
    struct verdict *verdict = judge_end(0, SPAN(""), H2_NOT_PROCESSED);
    expect_u64(verdict->kind, VERDICT_LATER);
    expect(!verdict->costs_attempt);
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
