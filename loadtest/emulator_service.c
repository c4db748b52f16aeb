#include "loadtest/emulator_service.h"

#include "loadtest/emulator_pages.h"
#include "loadtest/emulator_wamid.h"
#include "sender/base/check.h"
#include "sender/base/json.h"

#include <stdlib.h>

enum { SLOW_US = 5 * 1000 * 1000 };

static const char json_type[] = "application/json; charset=UTF-8";

void
emulator_service_open(struct emulator_service *service)
{
    service->log = emulator_log_open();
    buffer_init(&service->page, check_alloc(1, EMULATOR_ANSWER_MAX), EMULATOR_ANSWER_MAX);
}

void
emulator_service_close(struct emulator_service *service)
{
    emulator_log_close(service->log);
    free(service->page.data);
    service->log = NULL;
    service->page.data = NULL;
}

static void
answer_error(struct emulator_service *service, enum emulator_error error, struct span details,
             struct emulator_answer *answer)
{
    struct buffer body;
    buffer_init(&body, service->answer_data, sizeof service->answer_data);
    emulator_error_write(error, details, service->number * 0x9e3779b97f4a7c15u ^ service->seed,
                         &body);
    service->refused[error]++;
    answer->status = emulator_error_status(error);
    answer->body = buffer_span(&body);
}

/* What a proxy says when it got no answer from the servers behind it. */
static void
answer_html(struct emulator_service *service, int status, const char *words,
            struct emulator_answer *answer)
{
    struct buffer body;
    buffer_init(&body, service->answer_data, sizeof service->answer_data);
    buffer_printf(&body,
                  "<html>\r\n<head><title>%d %s</title></head>\r\n<body>\r\n<center><h1>%d %s</h1>"
                  "</center>\r\n</body>\r\n</html>\r\n",
                  status, words, status, words);
    answer->status = status;
    answer->content_type = "text/html";
    answer->body = buffer_span(&body);
}

static void
answer_accepted(struct emulator_service *service, uint64_t number, struct emulator_answer *answer)
{
    const struct emulator_judgement *judgement = &service->judgement;
    const struct send_request *request = judgement->request;
    struct span wa_id = {.data = judgement->wa_id, .size = judgement->wa_id_size};
    struct buffer body;
    buffer_init(&body, service->answer_data, sizeof service->answer_data);
    buffer_put_span(&body, SPAN("{\"messaging_product\":\"whatsapp\",\"contacts\":[{\"input\":"));
    json_put_string(&body, request->to.size > 0 ? request->to : request->recipient);
    buffer_put_span(&body, request->to.size > 0 ? SPAN(",\"wa_id\":\"") : SPAN(",\"user_id\":\""));
    buffer_put_span(&body, wa_id);
    buffer_put_span(&body, SPAN("\"}],\"messages\":[{\"id\":\""));
    emulator_wamid_write(wa_id, service->seed, number, &body);
    buffer_put_span(&body, SPAN("\",\"message_status\":\"accepted\"}]}"));
    check(!body.overflow);
    answer->status = 200;
    answer->body = buffer_span(&body);
}

/* The first text of the body component: enough to see which message it was. */
static struct span
first_text(const struct send_request *request)
{
    for (uint32_t i = 0; i < request->component_count; i++) {
        const struct request_component *component = &request->components[i];
        if (component->count > 0 && REQUEST_IS(component->type, "body"))
            return request->parameters[component->first].value;
    }
    return (struct span){0};
}

/* From here on the message is on the bill, whatever becomes of the answer. */
static void
accept_message(struct emulator_service *service, struct emulator_answer *answer)
{
    const struct emulator_judgement *judgement = &service->judgement;
    const struct send_request *request = judgement->request;
    struct emulator_accepted accepted = {
        .callback = request->callback,
        .to = request->to.size > 0 ? request->to : request->recipient,
        .wa_id = {.data = judgement->wa_id, .size = judgement->wa_id_size},
        .text = first_text(request),
        .country = judgement->without_country ? EMULATOR_LOG_NO_COUNTRY : judgement->country,
        .template = judgement->template->index,
    };
    if (service->bill != NULL && !judgement->without_country)
        accepted.millionths =
            emulator_bill_charge(service->bill, judgement->country, judgement->template->category);
    service->accepted++;
    service->bad_to += judgement->bad_to;
    service->marketing += judgement->template->category == EMULATOR_MARKETING;
    service->duplicates += emulator_log_append(service->log, &accepted);
    answer_accepted(service, accepted.number, answer);
}

static void
judge_message(struct emulator_service *service, const struct emulator_request *request,
              struct emulator_answer *answer)
{
    struct emulator_judgement *judgement = &service->judgement;
    emulator_judge(&service->judge, request, judgement);
    if (judgement->accepted) {
        accept_message(service, answer);
        return;
    }
    service->bad_requests += judgement->bad_request;
    answer_error(service, judgement->error, span_of(judgement->details.text), answer);
}

/* The errors of servers that have no time: one of those that Graph's own bodies name. */
static enum emulator_error
error_of_server(struct random *dice)
{
    static const enum emulator_error errors[] = {EMULATOR_ERROR_DOWN, EMULATOR_ERROR_WRONG,
                                                 EMULATOR_ERROR_UNAVAILABLE};
    return errors[random_below(dice, 3)];
}

/* Faults that come before the request is looked at. False: it is to be judged. */
static bool
answer_unseen(struct emulator_service *service, struct random *dice, struct emulator_answer *answer)
{
    switch (answer->fault) {
    case EMULATOR_FAULT_GRAPH_5XX:
        answer_error(service, error_of_server(dice), SPAN(""), answer);
        return true;
    case EMULATOR_FAULT_THROTTLE:
        answer_error(service, EMULATOR_ERROR_THROTTLED, SPAN(""), answer);
        return true;
    case EMULATOR_FAULT_PAIR:
        answer_error(service, EMULATOR_ERROR_PAIR, SPAN(""), answer);
        return true;
    case EMULATOR_FAULT_HTML_5XX:
        service->unanswered_refusals++;
        answer_html(service, 502, "Bad Gateway", answer);
        return true;
    case EMULATOR_FAULT_REFUSED:
        service->unanswered_refusals++;
        return true;
    case EMULATOR_FAULT_LOST_5XX:
    case EMULATOR_FAULT_GOAWAY:
    case EMULATOR_FAULT_RESET_AFTER:
    case EMULATOR_FAULT_CONNECTION_RESET:
    case EMULATOR_FAULT_BLACK_HOLE:
    case EMULATOR_FAULT_CUT:
    case EMULATOR_FAULT_DRIBBLE:
    case EMULATOR_FAULT_SLOW:
    case EMULATOR_FAULT_NONE:
        return false;
    }
    check(false);
}

static void
answer_message(struct emulator_service *service, const struct emulator_request *request,
               struct emulator_answer *answer)
{
    struct random dice;
    emulator_dice(&dice, service->seed, service->number++);
    answer->fault = emulator_faults_roll(&service->faults, &dice);
    answer->coin = random_next(&dice) >> 63;
    answer->delay_us = emulator_latency_draw(&service->latency, &dice);
    if (answer->fault != EMULATOR_FAULT_NONE)
        service->fault_counts[answer->fault]++;
    if (answer_unseen(service, &dice, answer))
        return;
    judge_message(service, request, answer);
    if (answer->fault == EMULATOR_FAULT_LOST_5XX)
        answer_html(service, 504, "Gateway Time-out", answer);
    if (answer->fault == EMULATOR_FAULT_SLOW)
        answer->delay_us += SLOW_US;
}

void
emulator_service_answer(struct emulator_service *service, const struct emulator_request *request,
                        struct emulator_answer *answer)
{
    *answer = (struct emulator_answer){
        .fault = EMULATOR_FAULT_NONE, .status = 404, .content_type = json_type};
    if (span_starts(request->path, SPAN("/emulator/")))
        emulator_pages_answer(service, request, answer);
    else
        answer_message(service, request, answer);
}
