#include "templates/template_parts.h"
#include "templates/template_text.h"

#include <string.h>
#include <strings.h>

enum { TEXT_MAX = 25, URL_MAX = 2000, PHONE_MAX = 20, URLS_MAX = 2 };

/* Meta's kinds in the order of enum template_button_kind, then those that facteur does not send. */
static const char *const kinds[] = {"QUICK_REPLY", "URL", "PHONE_NUMBER", "COPY_CODE", "OTP", NULL};
static const char *const foreign_kinds[] = {"FLOW", "CATALOG", "MPM", "VOICE_CALL", "SPM", NULL};

static const char *const known[] = {"type",
                                    "text",
                                    "url",
                                    "phone_number",
                                    "example",
                                    "otp_type",
                                    "autofill_text",
                                    "package_name",
                                    "signature_hash",
                                    "supported_apps",
                                    "zero_tap_terms_accepted",
                                    "id",
                                    "app_deep_link",
                                    "ttl_minutes",
                                    NULL};

/* A URL's only variable stands at its end, and never in the host, where it could lead anywhere. */
static bool
read_url(const struct part *part, struct template_button *button)
{
    struct span url;
    struct template_text text;
    struct template_variables variables = {.named = part->reader->template->named};
    struct error_text problem;
    if (!part_text_limited(part, "url", URL_MAX, &url))
        return false;
    if (!span_starts(url, SPAN("https://")) && !span_starts(url, SPAN("http://")))
        return part_fail(part, "url", LINT_URL, "must begin with https:// or http://");
    /* {{1}} even where the body's parameters have names: so Meta writes it. */
    if (memmem(url.data, url.size, "{{1}}", 5) != NULL)
        variables.named = false;
    if (!template_text_cut(url, &text, &variables, &problem))
        return part_fail(part, "url", LINT_URL, "%s", problem.text);
    button->url = text.literals[0];
    button->has_variable = text.variable_count > 0;
    if (text.variable_count > 1)
        return part_fail(part, "url", LINT_URL, "has %u variables: Meta takes one, at the end",
                         text.variable_count);
    if (text.variable_count == 1 && text.literals[1].size > 0)
        return part_fail(part, "url", LINT_URL, "the variable must be at the end");
    struct span host = button->url;
    size_t slash;
    (void)span_split(&host, ':');
    host = (struct span){.data = host.data + 2, .size = host.size - 2};
    bool path = span_find(host, '/', &slash) || span_find(host, '?', &slash) ||
                span_find(host, '#', &slash);
    /* What Meta gives back for a copy-code button of an authentication template. */
    if (part->reader->template->category == TEMPLATE_AUTHENTICATION && button->has_variable &&
        span_starts(button->url, SPAN("https://www.whatsapp.com/otp/code/")))
        button->kind = TEMPLATE_BUTTON_OTP;
    if (host.size == 0 || (path && slash == 0) || (button->has_variable && !path))
        return part_fail(part, "url", LINT_URL,
                         "the host must be written out: https://example.com/{{1}}");
    return true;
}

static bool
read_phone(const struct part *part, struct template_button *button)
{
    if (!part_text_limited(part, "phone_number", PHONE_MAX, &button->phone))
        return false;
    for (size_t i = 0; i < button->phone.size; i++) {
        char c = button->phone.data[i];
        if (!(c >= '0' && c <= '9') && strchr("+ -().", c) == NULL)
            return part_fail(part, "phone_number", LINT_PHONE,
                             "is not a phone number: use + and digits");
    }
    return true;
}

/* Copy code and OTP buttons: Meta words them itself unless told. */
static bool
read_code(const struct part *part, struct template_button *button)
{
    button->has_variable = true;
    if (json_object_get(part->object, "text") == NULL) {
        button->text = SPAN("Copy code");
        return true;
    }
    return part_text_limited(part, "text", TEXT_MAX, &button->text);
}

static bool
read_kind(const struct part *part, uint32_t *kind)
{
    const char *word = json_string_value(json_object_get(part->object, "type"));
    for (size_t i = 0; word != NULL && foreign_kinds[i] != NULL; i++)
        if (strcasecmp(word, foreign_kinds[i]) == 0)
            return part_fail(part, "type", LINT_UNSUPPORTED,
                             "%s buttons are not supported: leave the button out",
                             foreign_kinds[i]);
    return part_word(part, "type", kinds, kind);
}

static bool
read_button(const struct part *part, struct template_button *button)
{
    uint32_t kind = 0;
    if (!part_knows(part, known) || !read_kind(part, &kind))
        return false;
    button->kind = (enum template_button_kind)kind;
    if (button->kind == TEMPLATE_BUTTON_COPY_CODE || button->kind == TEMPLATE_BUTTON_OTP)
        return read_code(part, button);
    if (!part_text_limited(part, "text", TEXT_MAX, &button->text))
        return false;
    if (memmem(button->text.data, button->text.size, "{{", 2) != NULL)
        return part_fail(part, "text", LINT_BUTTON_TEXT, "a button's text takes no variable");
    switch (button->kind) {
    case TEMPLATE_BUTTON_QUICK_REPLY:
        return true;
    case TEMPLATE_BUTTON_URL:
        return read_url(part, button);
    case TEMPLATE_BUTTON_PHONE:
        return read_phone(part, button);
    case TEMPLATE_BUTTON_COPY_CODE:
    case TEMPLATE_BUTTON_OTP:
        break;
    }
    return read_code(part, button);
}

/* Limits that hold between buttons. */
static bool
check_together(const struct part *component)
{
    const struct template *template = component->reader->template;
    uint32_t counts[TEMPLATE_BUTTON_OTP + 1] = {0};
    uint32_t runs = 0;
    for (uint32_t i = 0; i < template->button_count; i++) {
        bool reply = template->buttons[i].kind == TEMPLATE_BUTTON_QUICK_REPLY;
        counts[template->buttons[i].kind]++;
        runs += reply && (i == 0 || template->buttons[i - 1].kind != TEMPLATE_BUTTON_QUICK_REPLY);
    }
    if (runs > 1)
        return part_fail(component, "buttons", LINT_BUTTONS,
                         "quick replies must stand together: put the others before or after");
    if (counts[TEMPLATE_BUTTON_URL] > URLS_MAX)
        return part_fail(component, "buttons", LINT_BUTTONS, "%u URL buttons: Meta takes %d",
                         counts[TEMPLATE_BUTTON_URL], URLS_MAX);
    if (counts[TEMPLATE_BUTTON_PHONE] > 1)
        return part_fail(component, "buttons", LINT_BUTTONS,
                         "more than one PHONE_NUMBER button: Meta takes one");
    if (counts[TEMPLATE_BUTTON_COPY_CODE] + counts[TEMPLATE_BUTTON_OTP] > 1)
        return part_fail(component, "buttons", LINT_BUTTONS,
                         "more than one button with a code: Meta takes one");
    if (counts[TEMPLATE_BUTTON_OTP] > 0 && template->category != TEMPLATE_AUTHENTICATION)
        return part_fail(component, "buttons", LINT_BUTTONS,
                         "OTP buttons are for category AUTHENTICATION");
    return true;
}

bool
template_buttons_read(const struct part *component)
{
    struct template *template = component->reader->template;
    const json_t *list = json_object_get(component->object, "buttons");
    if (!json_is_array(list) || json_array_size(list) == 0)
        return part_fail(component, "buttons", LINT_SHAPE, "is not a list of buttons: use [{…}]");
    if (json_array_size(list) > TEMPLATE_BUTTONS_MAX)
        return part_fail(component, "buttons", LINT_BUTTONS, "%zu buttons: Meta takes %d",
                         json_array_size(list), TEMPLATE_BUTTONS_MAX);
    bool good = true;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct part part;
        good = part_enter(component, "buttons", i, &part) &&
               read_button(&part, &template->buttons[i]) && good;
        template->button_count++;
    }
    return good && check_together(component);
}
