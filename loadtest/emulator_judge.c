#include "loadtest/emulator_judge.h"

#include "loadtest/emulator_parameters.h"
#include "sender/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Not accepted, in Graph's own words. Returns false, so that a check can end with it. */
static bool
refuse(struct emulator_judgement *judgement, enum emulator_error error)
{
    judgement->error = error;
    judgement->details.text[0] = '\0';
    return false;
}

static bool __attribute__((format(printf, 3, 4)))
refuse_for(struct emulator_judgement *judgement, enum emulator_error error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(judgement->details.text, sizeof judgement->details.text, format, arguments);
    va_end(arguments);
    judgement->error = error;
    return false;
}

/* "/v24.0/123/messages?…" → 123. */
static bool
read_path(struct span path, struct span *phone)
{
    struct span rest = path;
    path = span_split(&rest, '?');
    rest = path;
    if (span_split(&rest, '/').size != 0 || rest.data == NULL)
        return false;
    *phone = span_split(&rest, '/');
    if (phone->size > 1 && phone->data[0] == 'v' && phone->data[1] >= '0' && phone->data[1] <= '9')
        *phone = span_split(&rest, '/');
    return phone->size > 0 && REQUEST_IS(rest, "messages");
}

bool
emulator_judge_is_send(struct span path)
{
    struct span phone;
    return read_path(path, &phone);
}

static bool
check_token(const struct emulator_judge *judge, const struct emulator_request *request,
            struct emulator_judgement *judgement)
{
    struct span bearer = SPAN("Bearer "), given = request->authorization;
    if (given.size == 0)
        return refuse(judgement, EMULATOR_ERROR_AUTH);
    if (!span_starts(given, bearer))
        return refuse_for(judgement, EMULATOR_ERROR_TOKEN,
                          "The authorization header is not a bearer token.");
    given = (struct span){.data = given.data + bearer.size, .size = given.size - bearer.size};
    if (given.size == 0 || (judge->token.size > 0 && !span_equal(given, judge->token)))
        return refuse(judgement, EMULATOR_ERROR_TOKEN);
    return true;
}

static bool
find_phone(struct emulator_judge *judge, const struct emulator_request *request,
           struct emulator_judgement *judgement, struct emulator_phone **phone)
{
    struct span id;
    judgement->bad_request = true;
    if (!read_path(request->path, &id))
        return refuse_for(judgement, EMULATOR_ERROR_PARAMETER, "Unknown path components.");
    if (!REQUEST_IS(request->method, "POST"))
        return refuse_for(judgement, EMULATOR_ERROR_PARAMETER, "Unsupported %.*s request.",
                          (int)(request->method.size < 16 ? request->method.size : 16),
                          request->method.data);
    judgement->bad_request = false;
    for (uint32_t i = 0; i < judge->phone_count; i++) {
        if (span_equal(judge->phones[i].id, id)) {
            *phone = &judge->phones[i];
            return true;
        }
    }
    return refuse(judgement, EMULATOR_ERROR_PHONE_GONE);
}

/* A rate with a burst of one second. What is refused does not count. */
static bool
check_pace(const struct emulator_judge *judge, struct emulator_phone *phone, uint64_t now_us,
           struct emulator_judgement *judgement)
{
    const uint64_t second_ns = 1000000000;
    uint64_t now_ns = now_us * 1000;
    if (judge->limit_per_s == 0)
        return true;
    if (phone->next_ns > now_ns + second_ns)
        return refuse(judgement, EMULATOR_ERROR_THROTTLED);
    phone->next_ns =
        (phone->next_ns > now_ns ? phone->next_ns : now_ns) + second_ns / judge->limit_per_s;
    return true;
}

static bool
read_body(struct emulator_judge *judge, const struct emulator_request *request,
          struct emulator_judgement *judgement)
{
    enum request_error error = REQUEST_TOO_LARGE;
    if (!request->too_large)
        error = request_read(request->body, &judge->scratch, &judge->request);
    judgement->bad_request = error == REQUEST_NOT_JSON || error == REQUEST_TOO_LARGE;
    if (error == REQUEST_OK)
        return true;
    if (judgement->bad_request)
        return refuse_for(judgement, EMULATOR_ERROR_PARAMETER, "%s.", request_error_text(error));
    int size = judge->request.field.size < 64 ? (int)judge->request.field.size : 64;
    return refuse_for(judgement, EMULATOR_ERROR_PARAMETER, "%s \"%.*s\" on param \"%.*s\".",
                      request_error_text(error), size, judge->request.field.data,
                      SPAN_ARG(judge->request.parent));
}

/* What every message must have, whatever its type. */
static bool
check_envelope(const struct send_request *request, struct emulator_judgement *judgement)
{
    if (!REQUEST_IS(request->messaging_product, "whatsapp"))
        return refuse_for(judgement, EMULATOR_ERROR_PARAMETER,
                          "The parameter messaging_product is required, and must be \"whatsapp\".");
    if (request->recipient_type.data != NULL && !REQUEST_IS(request->recipient_type, "individual"))
        return refuse_for(judgement, EMULATOR_ERROR_PARAMETER,
                          "recipient_type must be \"individual\".");
    if (request->to.size == 0 && request->recipient.size == 0)
        return refuse_for(judgement, EMULATOR_ERROR_PARAMETER, "The parameter to is required.");
    if (request->callback.size > EMULATOR_CALLBACK_MAX)
        return refuse_for(judgement, EMULATOR_ERROR_PARAMETER,
                          "Param biz_opaque_callback_data must be at most %d characters long.",
                          EMULATOR_CALLBACK_MAX);
    return true;
}

/*
 * WhatsApp's own id of a number: the digits, except that most Brazilian areas lose the 9 that
 * mobile numbers were given later, and Mexican mobiles keep the 1 that they have lost since.
 */
static void
fold_wa_id(char *digits, uint32_t *size)
{
    static const char nine_stays[] = " 11 12 13 14 15 16 17 18 19 21 22 24 27 28 ";
    if (*size == 13 && memcmp(digits, "55", 2) == 0 && digits[4] == '9') {
        char area[5] = {' ', digits[2], digits[3], ' ', '\0'};
        if (strstr(nine_stays, area) == NULL)
            memmove(digits + 4, digits + 5, --*size - 4);
    } else if (*size == 12 && memcmp(digits, "52", 2) == 0) {
        memmove(digits + 3, digits + 2, *size - 2);
        digits[2] = '1';
        ++*size;
    }
}

/* The digits of `to`; "+", spaces, hyphens and parentheses are allowed, as at Meta's. */
static bool
read_digits(const struct emulator_phone *phone, struct span to,
            struct emulator_judgement *judgement)
{
    struct buffer digits;
    buffer_init(&digits, judgement->wa_id, sizeof judgement->wa_id - 1);
    judgement->bad_to = to.data[0] != '+';
    if (judgement->bad_to)
        buffer_put_span(&digits, phone->calling_code);
    for (size_t i = judgement->bad_to ? 0 : 1; i < to.size; i++) {
        char c = to.data[i];
        if (c >= '0' && c <= '9')
            buffer_put_char(&digits, c);
        else if (c != ' ' && c != '-' && c != '(' && c != ')')
            return false;
    }
    judgement->wa_id_size = (uint32_t)digits.size;
    return !digits.overflow && digits.size >= 5 && digits.size <= EMULATOR_COUNTRY_DIGITS_MAX;
}

/* "FR.1349…": a business-scoped user id. Its country stands in front. */
static bool
check_scoped_id(const struct emulator_judge *judge, struct span id,
                struct emulator_judgement *judgement)
{
    bool good = id.size > 3 && id.size <= 131 && id.data[2] == '.';
    for (size_t i = 0; good && i < id.size; i++) {
        char c = id.data[i];
        bool upper = c >= 'A' && c <= 'Z';
        bool other = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        good = i == 2 || upper || (i > 2 && other);
    }
    if (!good)
        return refuse_for(judgement, EMULATOR_ERROR_VALUE, "recipient is not a user id.");
    memcpy(judgement->wa_id, id.data, id.size);
    judgement->wa_id_size = (uint32_t)id.size;
    judgement->without_country =
        judge->countries == NULL ||
        !emulator_country_of_code(judge->countries, (struct span){id.data, 2}, &judgement->country);
    return true;
}

static bool
check_recipient(const struct emulator_judge *judge, const struct emulator_phone *phone,
                struct emulator_judgement *judgement)
{
    const struct send_request *request = &judge->request;
    if (request->to.size == 0)
        return check_scoped_id(judge, request->recipient, judgement);
    if (request->to.size > EMULATOR_TO_MAX || !read_digits(phone, request->to, judgement))
        return refuse_for(judgement, EMULATOR_ERROR_VALUE, "to is not a phone number.");
    judgement->without_country = judge->countries == NULL;
    if (judge->countries != NULL &&
        !emulator_country_of_number(judge->countries,
                                    (struct span){judgement->wa_id, judgement->wa_id_size},
                                    &judgement->country))
        return refuse(judgement, EMULATOR_ERROR_UNDELIVERABLE);
    fold_wa_id(judgement->wa_id, &judgement->wa_id_size);
    return true;
}

static bool
check_type(const struct send_request *request, struct emulator_judgement *judgement)
{
    static const struct span free_form[] = {
        {"text", 4},    {"image", 5},    {"audio", 5},    {"document", 8},     {"video", 5},
        {"sticker", 7}, {"location", 8}, {"contacts", 8}, {"interactive", 11}, {"reaction", 8}};
    if (REQUEST_IS(request->type, "template")) {
        if (request->has_template)
            return true;
        return refuse_for(judgement, EMULATOR_ERROR_MISSING,
                          "Parameter 'template' is mandatory for type 'template'.");
    }
    /* Nobody writes to the emulator yet, so every reply window is closed. */
    for (size_t i = 0; i < sizeof free_form / sizeof free_form[0]; i++) {
        if (span_equal(request->type, free_form[i]) || request->type.data == NULL)
            return refuse(judgement, EMULATOR_ERROR_WINDOW_CLOSED);
    }
    return refuse(judgement, EMULATOR_ERROR_TYPE);
}

static bool
check_template(const struct emulator_judge *judge, struct emulator_judgement *judgement)
{
    const struct send_request *request = &judge->request;
    if (request->template_name.size == 0 || request->language.size == 0)
        return refuse_for(judgement, EMULATOR_ERROR_MISSING,
                          "template.name and template.language.code are required.");
    const struct emulator_template *template =
        emulator_templates_find(judge->templates, request->template_name, request->language);
    if (template == NULL)
        return refuse_for(
            judgement, EMULATOR_ERROR_NO_TEMPLATE, "template name (%.*s) does not exist in %.*s",
            (int)(request->template_name.size < 200 ? request->template_name.size : 200),
            request->template_name.data,
            (int)(request->language.size < 16 ? request->language.size : 16),
            request->language.data);
    judgement->template = template;
    switch (template->status) {
    case EMULATOR_TEMPLATE_APPROVED:
        return true;
    case EMULATOR_TEMPLATE_PAUSED:
        return refuse(judgement, EMULATOR_ERROR_PAUSED);
    case EMULATOR_TEMPLATE_DISABLED:
        return refuse(judgement, EMULATOR_ERROR_DISABLED);
    case EMULATOR_TEMPLATE_PENDING:
        return refuse(judgement, EMULATOR_ERROR_NO_TEMPLATE);
    }
    check(false);
}

void
emulator_judge(struct emulator_judge *judge, const struct emulator_request *request,
               struct emulator_judgement *judgement)
{
    struct emulator_phone *phone = &judge->phones[0]; /* until the right one is found */
    judgement->accepted = judgement->bad_request = judgement->bad_to = false;
    judgement->without_country = true;
    judgement->country = 0;
    judgement->template = NULL;
    judgement->request = &judge->request;
    judgement->wa_id_size = 0;
    judgement->details.text[0] = '\0';

    judgement->accepted =
        check_token(judge, request, judgement) && find_phone(judge, request, judgement, &phone) &&
        check_pace(judge, phone, request->now_us, judgement) &&
        read_body(judge, request, judgement) && check_envelope(&judge->request, judgement) &&
        check_recipient(judge, phone, judgement) && check_type(&judge->request, judgement) &&
        check_template(judge, judgement);
    if (judgement->accepted)
        judgement->accepted = emulator_parameters_check(judgement->template, &judge->request,
                                                        &judgement->error, &judgement->details);
}
