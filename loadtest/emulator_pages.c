#include "loadtest/emulator_pages.h"

#include "loadtest/emulator_wamid.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/json.h"

#include <stdlib.h>
#include <string.h>

enum { LINE_MAX = 6 * (512 + 2 * EMULATOR_LOG_TO_MAX + EMULATOR_LOG_TEXT_MAX) + 1024 };

/* Makes room for `size` more bytes. */
static void
grow(struct buffer *page, size_t size)
{
    if (buffer_room(page) >= size)
        return;
    size_t capacity =
        page->capacity * 2 > page->size + size ? page->capacity * 2 : page->size + size;
    char *data = realloc(page->data, capacity);
    check(data != NULL);
    page->data = data;
    page->capacity = capacity;
}

static void
put_pair(struct buffer *page, const char *name, uint64_t value)
{
    grow(page, 256);
    buffer_put_char(page, '"');
    buffer_put_text(page, name);
    buffer_put_text(page, "\":");
    buffer_put_u64(page, value);
}

static void
put_refused(const struct emulator_service *service, struct buffer *page)
{
    const char *comma = "";
    buffer_put_text(page, ",\"refused\":{");
    for (int i = 0; i < EMULATOR_ERROR_KINDS; i++) {
        if (service->refused[i] == 0)
            continue;
        char code[16];
        struct buffer name;
        buffer_init(&name, code, sizeof code);
        buffer_put_i64(&name, emulator_error_code((enum emulator_error)i));
        buffer_put_text(page, comma);
        put_pair(page, buffer_text(&name), service->refused[i]);
        comma = ",";
    }
    buffer_put_char(page, '}');
}

static void
put_faults(const struct emulator_service *service, struct buffer *page)
{
    const char *comma = "";
    buffer_put_text(page, ",\"faults\":{");
    for (int i = 0; i < EMULATOR_FAULT_KINDS; i++) {
        if (service->fault_counts[i] == 0)
            continue;
        buffer_put_text(page, comma);
        put_pair(page, emulator_fault_text((enum emulator_fault)i), service->fault_counts[i]);
        comma = ",";
    }
    buffer_put_char(page, '}');
}

static void
put_country(const struct emulator_service *service, struct buffer *page, uint16_t country)
{
    struct emulator_bill_line line = emulator_bill_of(service->bill, country);
    grow(page, 1024);
    buffer_put_text(page, "{\"country\":");
    json_put_string(page, span_of(emulator_country_code(service->judge.countries, country)));
    buffer_put_text(page, ",\"market\":");
    json_put_string(page, emulator_bill_market(service->bill, country));
    buffer_put_char(page, ',');
    put_pair(page, "count", line.count);
    buffer_put_char(page, ',');
    put_pair(page, "millionths", line.millionths);
    buffer_put_char(page, '}');
}

static void
put_bill(const struct emulator_service *service, struct buffer *page)
{
    struct emulator_bill_line total = {0};
    bool first = true;
    if (service->bill != NULL)
        total = emulator_bill_total(service->bill);
    grow(page, 1024);
    buffer_put_text(page, ",\"billed\":{\"currency\":");
    json_put_string(page, span_of(service->currency));
    buffer_put_char(page, ',');
    put_pair(page, "millionths", total.millionths);
    buffer_put_text(page, "},\"by_country\":[");
    for (uint16_t i = 0;
         service->bill != NULL && i < emulator_countries_count(service->judge.countries); i++) {
        if (emulator_bill_of(service->bill, i).count == 0)
            continue;
        if (!first)
            buffer_put_char(page, ',');
        first = false;
        put_country(service, page, i);
    }
    grow(page, 64);
    buffer_put_char(page, ']');
}

struct span
emulator_service_tally(struct emulator_service *service, uint64_t cpu_us)
{
    struct buffer *page = &service->page;
    const struct {
        const char *name;
        uint64_t value;
    } counts[] = {
        {"requests", service->number},
        {"accepted", service->accepted},
        {"duplicates", service->duplicates},
        {"bad_requests", service->bad_requests},
        {"bad_to", service->bad_to},
        {"marketing", service->marketing},
        {"unanswered_refusals", service->unanswered_refusals},
        {"cpu_us", cpu_us},
    };
    buffer_reset(page);
    buffer_put_char(page, '{');
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        if (i > 0)
            buffer_put_char(page, ',');
        put_pair(page, counts[i].name, counts[i].value);
    }
    put_refused(service, page);
    put_faults(service, page);
    put_bill(service, page);
    buffer_put_text(page, "}\n");
    check(!page->overflow);
    return buffer_span(page);
}

static void
put_accepted(const struct emulator_service *service, struct buffer *page,
             const struct emulator_accepted *accepted)
{
    const struct emulator_template *template =
        emulator_templates_at(service->judge.templates, accepted->template);
    bool known = accepted->country != EMULATOR_LOG_NO_COUNTRY;
    grow(page, LINE_MAX + template->name.size * 6);
    buffer_put_char(page, '{');
    put_pair(page, "n", accepted->number);
    buffer_put_text(page, ",\"callback\":");
    json_put_string(page, accepted->callback);
    buffer_put_text(page, ",\"wamid\":\"");
    emulator_wamid_write(accepted->wa_id, service->seed, accepted->number, page);
    buffer_put_text(page, "\",\"to\":");
    json_put_string(page, accepted->to);
    buffer_put_text(page, ",\"country\":");
    json_put_string(
        page,
        span_of(known ? emulator_country_code(service->judge.countries, accepted->country) : ""));
    buffer_put_char(page, ',');
    put_pair(page, "price", accepted->millionths);
    buffer_put_text(page, ",\"template\":");
    json_put_string(page, template->name);
    buffer_put_text(page, ",\"language\":");
    json_put_string(page, template->language);
    buffer_put_text(page, ",\"text\":");
    json_put_string(page, accepted->text);
    buffer_put_text(page, "}\n");
}

/* The value of `name` in a query, or `usual`. */
static bool
query_number(struct span query, struct span name, uint64_t usual, uint64_t *value)
{
    *value = usual;
    while (query.data != NULL) {
        struct span text = span_split(&query, '&');
        struct span key = span_split(&text, '=');
        if (span_equal(key, name))
            return span_to_u64(text, value);
    }
    return true;
}

static void
answer_problem(struct emulator_service *service, int status, const char *problem,
               struct emulator_answer *answer)
{
    struct buffer *page = &service->page;
    buffer_reset(page);
    grow(page, 4096);
    buffer_put_text(page, "{\"error\":");
    json_put_string(page, span_of(problem));
    buffer_put_text(page, "}\n");
    answer->status = status;
    answer->body = buffer_span(page);
}

static void
answer_lines(struct emulator_service *service, struct span query, struct emulator_answer *answer)
{
    uint64_t from, limit;
    struct emulator_log_reader reader;
    struct emulator_accepted accepted;
    if (!query_number(query, SPAN("from"), 0, &from) ||
        !query_number(query, SPAN("limit"), EMULATOR_LINES_USUAL, &limit) ||
        limit > EMULATOR_LINES_MAX) {
        answer_problem(service, 400, "from and limit must be whole numbers, limit at most 100000",
                       answer);
        return;
    }
    buffer_reset(&service->page);
    emulator_log_seek(service->log, from, &reader);
    for (uint64_t i = 0; i < limit && emulator_log_read(&reader, &accepted); i++)
        put_accepted(service, &service->page, &accepted);
    check(!service->page.overflow);
    answer->status = 200;
    answer->content_type = "application/x-ndjson";
    answer->body = buffer_span(&service->page);
}

/* Meta's review in one step: a template, in Meta's JSON, is approved, or an approved one edited. */
static void
answer_templates(struct emulator_service *service, struct span body, struct emulator_answer *answer)
{
    struct error_text error;
    struct emulator_templates *templates =
        (struct emulator_templates *)(uintptr_t)service->judge.templates;
    emulator_templates_allow_edits(templates);
    if (!emulator_templates_add(templates, body, "the request's body", &error)) {
        answer_problem(service, 400, error.text, answer);
        return;
    }
    answer->status = 200;
    answer->body = SPAN("{\"success\":true}\n");
}

static void
answer_faults(struct emulator_service *service, struct span body, struct emulator_answer *answer)
{
    struct error_text error;
    char copy[4096]; /* reading changes the text */
    if (body.size == 0 || body.size > sizeof copy) {
        answer_problem(service, 400, "send a JSON object of fault names and rates", answer);
        return;
    }
    memcpy(copy, body.data, body.size);
    if (!emulator_faults_read(&service->faults, (struct span){copy, body.size}, &error)) {
        answer_problem(service, 400, error.text, answer);
        return;
    }
    answer->status = 200;
    answer->body = SPAN("{\"success\":true}\n");
}

static void
reset(struct emulator_service *service)
{
    emulator_log_reset(service->log);
    if (service->bill != NULL)
        emulator_bill_reset(service->bill);
    service->number = service->accepted = service->duplicates = 0;
    service->bad_requests = service->bad_to = service->marketing = 0;
    service->unanswered_refusals = 0;
    memset(service->refused, 0, sizeof service->refused);
    memset(service->fault_counts, 0, sizeof service->fault_counts);
}

void
emulator_pages_answer(struct emulator_service *service, const struct emulator_request *request,
                      struct emulator_answer *answer)
{
    struct span query = request->path;
    struct span path = span_split(&query, '?');
    bool get = span_equal(request->method, SPAN("GET"));
    bool post = span_equal(request->method, SPAN("POST"));
    answer->control = true;
    if (get && span_equal(path, SPAN("/emulator/tally"))) {
        answer->body = emulator_service_tally(service, clock_cpu_us());
        answer->status = 200;
    } else if (get && span_equal(path, SPAN("/emulator/accepted"))) {
        answer_lines(service, query, answer);
    } else if (post && span_equal(path, SPAN("/emulator/faults"))) {
        answer_faults(service, request->body, answer);
    } else if (post && span_equal(path, SPAN("/emulator/templates"))) {
        answer_templates(service, request->body, answer);
    } else if (post && span_equal(path, SPAN("/emulator/reset"))) {
        reset(service);
        answer->status = 200;
        answer->body = SPAN("{\"success\":true}\n");
    } else {
        answer_problem(service, 404,
                       "GET /emulator/tally, GET /emulator/accepted, POST /emulator/faults, "
                       "POST /emulator/templates and POST /emulator/reset are what there is",
                       answer);
    }
}
