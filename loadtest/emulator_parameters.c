#include "loadtest/emulator_parameters.h"

#include "loadtest/emulator_judge.h"
#include "sender/base/check.h"

#include <stdarg.h>
#include <stdio.h>

struct fitting {
    const struct emulator_template *template;
    const struct send_request *request;
    enum emulator_error *error;
    struct error_text *details;
    bool header_given;
    bool body_given;
    uint32_t buttons_given; /* a bit each */
};

static bool __attribute__((format(printf, 3, 4)))
refuse(const struct fitting *fitting, enum emulator_error error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(fitting->details->text, sizeof fitting->details->text, format, arguments);
    va_end(arguments);
    *fitting->error = error;
    return false;
}

static bool
is_text(const struct request_parameter *parameter)
{
    return REQUEST_IS(parameter->type, "text") || REQUEST_IS(parameter->type, "currency") ||
           REQUEST_IS(parameter->type, "date_time");
}

/* No line breaks, no tabs, not more than four spaces in a row. */
static bool
has_plain_characters(struct span text)
{
    int spaces = 0;
    for (size_t i = 0; i < text.size; i++) {
        spaces = text.data[i] == ' ' ? spaces + 1 : 0;
        if (text.data[i] == '\n' || text.data[i] == '\t' || text.data[i] == '\r' || spaces > 4)
            return false;
    }
    return true;
}

static bool
check_text(const struct fitting *fitting, const struct request_parameter *parameter,
           const char *where)
{
    if (!is_text(parameter))
        return refuse(fitting, EMULATOR_ERROR_FORMAT,
                      "%s: Format mismatch, expected TEXT, received another type.", where);
    if (parameter->value.size == 0)
        return refuse(fitting, EMULATOR_ERROR_MISSING,
                      "%s: Parameter of type text is missing text "
                      "value.",
                      where);
    if (!has_plain_characters(parameter->value))
        return refuse(fitting, EMULATOR_ERROR_CHARACTERS,
                      "%s: Param text cannot have new-line/tab characters or more than 4 "
                      "consecutive spaces.",
                      where);
    return true;
}

static bool
check_count(const struct fitting *fitting, const char *where, uint32_t given, uint32_t expected)
{
    if (given == expected)
        return true;
    return refuse(fitting, EMULATOR_ERROR_COUNT,
                  "%s: number of localizable_params (%u) does not match the expected number of "
                  "params (%u)",
                  where, given, expected);
}

/* Each of the template's names exactly once: the counts are equal, so known and different is
 * enough. */
static bool
check_names(const struct fitting *fitting, const struct request_component *component)
{
    const struct emulator_template *template = fitting->template;
    uint64_t seen = 0;
    for (uint32_t i = 0; i < component->count; i++) {
        struct span name = fitting->request->parameters[component->first + i].name;
        uint32_t found = 0;
        while (found < template->parameter_count && !span_equal(template->parameters[found], name))
            found++;
        if (name.size == 0 || found == template->parameter_count || (seen >> found & 1) != 0)
            return refuse(fitting, EMULATOR_ERROR_PARAMETER,
                          "Parameter name is missing, unknown or given twice.");
        seen |= UINT64_C(1) << found;
    }
    return true;
}

static bool
check_length(const struct fitting *fitting, const struct request_component *component)
{
    uint32_t limit =
        fitting->template->body_only ? EMULATOR_BODY_ONLY_CHARACTERS : EMULATOR_BODY_CHARACTERS;
    uint32_t characters = fitting->template->body_characters, bytes = characters;
    for (uint32_t i = 0; i < component->count; i++)
        bytes += (uint32_t)fitting->request->parameters[component->first + i].value.size;
    if (bytes <= limit) /* the usual case: no need to count characters */
        return true;
    for (uint32_t i = 0; i < component->count; i++)
        characters += emulator_characters(fitting->request->parameters[component->first + i].value);
    if (characters <= limit)
        return true;
    return refuse(fitting, EMULATOR_ERROR_TOO_LONG, "body: %u characters, at most %u are allowed",
                  characters, limit);
}

static bool
check_body(struct fitting *fitting, const struct request_component *component)
{
    if (fitting->body_given)
        return refuse(fitting, EMULATOR_ERROR_PARAMETER, "The component body is there twice.");
    fitting->body_given = true;
    if (!check_count(fitting, "body", component->count, fitting->template->parameter_count))
        return false;
    for (uint32_t i = 0; i < component->count; i++) {
        if (!check_text(fitting, &fitting->request->parameters[component->first + i], "body"))
            return false;
    }
    if (fitting->template->named && !check_names(fitting, component))
        return false;
    return check_length(fitting, component);
}

static bool
check_header(struct fitting *fitting, const struct request_component *component)
{
    struct span wanted = fitting->template->header_type;
    const struct request_parameter *parameter = &fitting->request->parameters[component->first];
    if (fitting->header_given)
        return refuse(fitting, EMULATOR_ERROR_PARAMETER, "The component header is there twice.");
    fitting->header_given = true;
    if (!check_count(fitting, "header", component->count, wanted.size > 0 ? 1 : 0))
        return false;
    if (wanted.size == 0)
        return true;
    if (REQUEST_IS(wanted, "text"))
        return check_text(fitting, parameter, "header");
    bool location = REQUEST_IS(wanted, "location");
    if (!span_equal(parameter->type, wanted) || !parameter->has_object ||
        (!location && parameter->value.size == 0))
        return refuse(fitting, EMULATOR_ERROR_FORMAT, "header: Format mismatch, expected %.*s",
                      SPAN_ARG(wanted));
    return true;
}

/* The sub_type and the parameter's type that a button is sent with. */
static bool
check_button_parameter(const struct fitting *fitting, enum emulator_button button,
                       const struct request_component *component)
{
    const struct request_parameter *parameter = &fitting->request->parameters[component->first];
    struct span sub_type = component->sub_type;
    bool one = component->count == 1;
    switch (button) {
    case EMULATOR_BUTTON_PLAIN:
        return false;
    case EMULATOR_BUTTON_QUICK_REPLY:
        return REQUEST_IS(sub_type, "quick_reply") && one &&
               REQUEST_IS(parameter->type, "payload") && parameter->value.size > 0;
    case EMULATOR_BUTTON_URL:
    case EMULATOR_BUTTON_CODE:
        return REQUEST_IS(sub_type, "url") && one && REQUEST_IS(parameter->type, "text") &&
               parameter->value.size > 0;
    case EMULATOR_BUTTON_COPY_CODE:
        return (REQUEST_IS(sub_type, "copy_code") || REQUEST_IS(sub_type, "COPY_CODE")) && one &&
               REQUEST_IS(parameter->type, "coupon_code") && parameter->value.size > 0;
    case EMULATOR_BUTTON_FLOW:
        return REQUEST_IS(sub_type, "flow") && component->count <= 1;
    }
    check(false);
}

static bool
check_button(struct fitting *fitting, const struct request_component *component)
{
    uint64_t index;
    if (!span_to_u64(component->index, &index) || index >= fitting->template->button_count ||
        (fitting->buttons_given >> index & 1) != 0)
        return refuse(fitting, EMULATOR_ERROR_VALUE,
                      "buttons: index must be that of a button of the template, and once.");
    fitting->buttons_given |= UINT32_C(1) << index;
    if (check_button_parameter(fitting, fitting->template->buttons[index], component))
        return true;
    return refuse(fitting, EMULATOR_ERROR_VALUE,
                  "buttons: Button at index %u takes another sub_type or parameter.",
                  (unsigned)index);
}

static bool
check_component(struct fitting *fitting, const struct request_component *component)
{
    if (REQUEST_IS(component->type, "body"))
        return check_body(fitting, component);
    if (REQUEST_IS(component->type, "header"))
        return check_header(fitting, component);
    if (REQUEST_IS(component->type, "button"))
        return check_button(fitting, component);
    return refuse(fitting, EMULATOR_ERROR_PARAMETER,
                  "The type of a component must be header, body or button.");
}

/* What was not given must not be needed. */
static bool
check_missing(const struct fitting *fitting)
{
    const struct emulator_template *template = fitting->template;
    if (!fitting->body_given && !check_count(fitting, "body", 0, template->parameter_count))
        return false;
    if (!fitting->header_given && template->header_type.size > 0)
        return refuse(fitting, EMULATOR_ERROR_FORMAT,
                      "header: Format mismatch, expected %.*s, received UNKNOWN",
                      SPAN_ARG(template->header_type));
    for (uint32_t i = 0; i < template->button_count; i++) {
        enum emulator_button button = template->buttons[i];
        bool needed = button == EMULATOR_BUTTON_URL || button == EMULATOR_BUTTON_CODE ||
                      button == EMULATOR_BUTTON_COPY_CODE;
        if (needed && (fitting->buttons_given >> i & 1) == 0)
            return refuse(fitting, EMULATOR_ERROR_MISSING,
                          "buttons: Button at index %u requires a parameter", i);
    }
    return true;
}

bool
emulator_parameters_check(const struct emulator_template *template,
                          const struct send_request *request, enum emulator_error *error,
                          struct error_text *details)
{
    struct fitting fitting = {
        .template = template, .request = request, .error = error, .details = details};
    for (uint32_t i = 0; i < request->component_count; i++) {
        if (!check_component(&fitting, &request->components[i]))
            return false;
    }
    return check_missing(&fitting);
}
