#include "tests/simulation/graph_answer.h"

#include "sender/base/check.h"

void
graph_answer_accept(struct graph_answer *answer, const struct attempt *attempt)
{
    answer->status = 200;
    answer->retry_after_s = 0;
    buffer_init(&answer->body, answer->memory, sizeof(answer->memory));
    buffer_printf(
        &answer->body,
        "{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":\"%s\","
        "\"wa_id\":\"%s\"}],\"messages\":[{\"id\":\"%s\",\"message_status\":\"accepted\"}]}",
        attempt->to, attempt->to, attempt->wamid);
}

static void
put_error(struct graph_answer *answer, int status, int code, const char *words)
{
    answer->status = status;
    buffer_printf(&answer->body,
                  "{\"error\":{\"message\":\"(#%d) %s\",\"type\":\"OAuthException\",\"code\":%d,"
                  "\"error_data\":{\"messaging_product\":\"whatsapp\",\"details\":\"%s\"},"
                  "\"fbtrace_id\":\"AsimulatedTrace\"}}",
                  code, words, code, words);
}

static void
put_throttle(struct graph_answer *answer, struct random *dice)
{
    switch (random_below(dice, 4)) {
    case 0:
        put_error(answer, 400, 80007, "Rate limit issues");
        return;
    case 1:
        put_error(answer, 429, 130429, "Rate limit hit");
        answer->retry_after_s = 1 + (uint32_t)random_below(dice, 3);
        return;
    case 2:
        put_error(answer, 400, 4, "API Too Many Calls");
        return;
    default:
        put_error(answer, 400, 130429, "Rate limit hit");
        return;
    }
}

/* 5xx of something between us and Graph: nobody knows. */
static void
put_nothing_of_graphs(struct graph_answer *answer, struct random *dice)
{
    static const int statuses[] = {500, 502, 503, 504};
    answer->status = statuses[random_below(dice, 4)];
    if (random_below(dice, 2) == 0)
        buffer_put_text(&answer->body, "<html><body>Bad Gateway</body></html>");
}

void
graph_answer_error(struct graph_answer *answer, enum graph_mood mood, struct random *dice)
{
    answer->retry_after_s = 0;
    buffer_init(&answer->body, answer->memory, sizeof(answer->memory));
    switch (mood) {
    case MOOD_ACCEPT_AND_ERR:
    case MOOD_ERR:
        put_nothing_of_graphs(answer, dice);
        return;
    case MOOD_RETRY:
        put_error(answer, 500, 131000, "Something went wrong");
        return;
    case MOOD_THROTTLE:
        put_throttle(answer, dice);
        return;
    case MOOD_UNAVAILABLE:
        put_error(answer, 503, 133004, "Server Temporarily Unavailable");
        answer->retry_after_s = 1 + (uint32_t)random_below(dice, 3);
        return;
    case MOOD_PAIR:
        put_error(answer, 400, 131056, "pair rate limit hit");
        return;
    case MOOD_TOKEN:
        put_error(answer, 401, 190, "Access token has expired");
        return;
    case MOOD_PERMANENT:
        put_error(answer, 400, 131026, "Message undeliverable");
        return;
    case MOOD_ACCEPT:
    case MOOD_ACCEPT_SLOWLY:
    case MOOD_ACCEPT_SILENTLY:
    case MOOD_ACCEPT_AND_CUT:
    case MOOD_ACCEPT_AND_RESET:
    case MOOD_FAIL_BY_RECEIPT:
    case MOOD_SWALLOW:
    case MOOD_CUT:
    case MOOD_RESET:
    case MOOD_REFUSE:
    case MOOD_GOAWAY:
    case MOOD_COUNT:
        break;
    }
    check(!"a mood without an error to answer");
}
