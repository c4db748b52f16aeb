#include "sender/graph/verdict.h"
#include "sender/base/check.h"
#include "sender/graph/response.h"

static void
judge_free(struct verdict *verdict, enum verdict_slows slows)
{
    verdict->kind = VERDICT_LATER;
    verdict->costs_attempt = false;
    verdict->slows = slows;
}

/* What a class of Meta's errors means for this attempt. An account that must stop keeps its queue:
 * the notification itself is good, so it goes back and costs no attempt. */
static void
judge_class(struct verdict *verdict, enum graph_error_class class)
{
    verdict->class = class;
    switch (class) {
    case GRAPH_ERROR_BACKOFF:
        judge_free(verdict, VERDICT_SLOWS_ACCOUNT);
        return;
    case GRAPH_ERROR_PAIR_BACKOFF:
        judge_free(verdict, VERDICT_SLOWS_PAIR);
        return;
    case GRAPH_ERROR_STOP_PHONE:
    case GRAPH_ERROR_STOP_ACCOUNT:
        judge_free(verdict, VERDICT_STOPS_ACCOUNT);
        return;
    case GRAPH_ERROR_RETRY_LIMITED:
        verdict->kind = VERDICT_LATER;
        verdict->costs_attempt = true;
        return;
    case GRAPH_ERROR_DROP:
    case GRAPH_ERROR_DEFER_24H:
    case GRAPH_ERROR_REROUTE_TEMPLATE:
    case GRAPH_ERROR_REROUTE_CLOUD:
    case GRAPH_ERROR_STOP_TEMPLATE:
    case GRAPH_ERROR_STOP_COUNTRY:
    case GRAPH_ERROR_OPERATOR:
        verdict->kind = VERDICT_FAILED;
        verdict->costs_attempt = true;
        return;
    case GRAPH_ERROR_NONE:
        break;
    }
    check(!"every error of the table has a class");
}

static bool
is_throttle(int status)
{
    return status == 429 || status == 503;
}

/*
 * A code that is not in the table: Meta has new ones from time to time, so its HTTP status speaks.
 * 429 and 503 are throttles whatever the code, and throttling costs no attempt. An error under a
 * status of success says yes and no: nobody knows.
 */
static void
judge_unknown_code(struct verdict *verdict)
{
    if (is_throttle(verdict->status)) {
        judge_class(verdict, GRAPH_ERROR_BACKOFF);
    } else if (verdict->status >= 400 && verdict->status < 500) {
        verdict->kind = VERDICT_FAILED;
    } else if (verdict->status >= 500) {
        verdict->kind = VERDICT_LATER;
    } else {
        verdict->kind = VERDICT_UNCERTAIN;
    }
}

/* Meta's own words if it gave some, else ours from the table. */
static void
judge_error(struct verdict *verdict, struct buffer *words, const struct response *response)
{
    const struct graph_error *error = error_table_find(response->code);
    verdict->code = response->code;
    if (error != NULL)
        judge_class(verdict, error->class);
    else
        judge_unknown_code(verdict);
    if (response->text.size == 0)
        buffer_printf(words, "(#%d) %s", response->code,
                      error != NULL ? error->title : "an error that facteur does not know");
    verdict->reason = response->text.size > 0 ? response->text : buffer_span(words);
}

static void
judge_no_answer(struct verdict *verdict, struct buffer *words, const char *what)
{
    buffer_reset(words);
    verdict->kind = VERDICT_UNCERTAIN;
    if (is_throttle(verdict->status))
        verdict->slows = VERDICT_SLOWS_ACCOUNT;
    buffer_printf(words, "HTTP %d with %s: no answer of Meta's, so it may have been accepted",
                  verdict->status, what);
    verdict->reason = buffer_span(words);
}

static void
judge_answer(const struct h2_exchange *exchange, struct verdict *verdict)
{
    struct buffer words;
    struct response response;
    buffer_init(&words, verdict->reason_text, sizeof(verdict->reason_text));
    if (!exchange->complete || exchange->truncated) {
        judge_no_answer(verdict, &words, "a cut body");
        return;
    }
    enum response_kind kind = response_read(buffer_span(&exchange->response), &words, &response);
    switch (kind) {
    case RESPONSE_ID:
        if (verdict->status < 200 || verdict->status > 299) {
            judge_no_answer(verdict, &words, "a message's id under a status of failure");
            return;
        }
        verdict->kind = VERDICT_ACCEPTED;
        verdict->wamid = response.id;
        return;
    case RESPONSE_ERROR:
        judge_error(verdict, &words, &response);
        return;
    case RESPONSE_EMPTY:
    case RESPONSE_HTML:
    case RESPONSE_NOT_JSON:
    case RESPONSE_OTHER:
        judge_no_answer(verdict, &words, response_kind_text(kind));
        return;
    }
    check(!"every kind of response is judged");
}

void
verdict_judge(const struct h2_exchange *exchange, enum h2_end end, struct verdict *verdict)
{
    verdict->kind = VERDICT_UNCERTAIN;
    verdict->slows = VERDICT_SLOWS_NOBODY;
    verdict->costs_attempt = true;
    verdict->class = GRAPH_ERROR_NONE;
    verdict->code = -1;
    verdict->status = exchange->status;
    verdict->retry_after_s = exchange->retry_after_s;
    verdict->retry_at_s = exchange->retry_at_s;
    verdict->wamid = (struct span){0};
    verdict->reason = (struct span){0};
    switch (end) {
    case H2_ANSWERED:
        judge_answer(exchange, verdict);
        return;
    case H2_NOT_PROCESSED:
        judge_free(verdict, VERDICT_SLOWS_ACCOUNT); /* once it was tried again at once, in vain */
        verdict->reason = SPAN("not processed: the request never reached Meta, or was refused "
                               "before it was read");
        return;
    case H2_LOST:
        verdict->reason = SPAN("no answer came: it may have been accepted");
        return;
    }
    check(!"every end of an exchange is judged");
}

const char *
verdict_kind_text(enum verdict_kind kind)
{
    switch (kind) {
    case VERDICT_ACCEPTED:
        return "accepted";
    case VERDICT_FAILED:
        return "failed";
    case VERDICT_LATER:
        return "later";
    case VERDICT_UNCERTAIN:
        return "uncertain";
    }
    return "unknown";
}
