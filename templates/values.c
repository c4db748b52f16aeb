#include "templates/values.h"
#include "sender/base/check.h"
#include "templates/template_text.h"
#include "templates/values_params.h"

#include <string.h>

enum {
    BODY_CHARACTERS_MAX = 1024,
    BODY_ONLY_CHARACTERS_MAX = 32768,
    HEADER_CHARACTERS_MAX = 60,
    URL_CHARACTERS_MAX = 2000,
    CODE_CHARACTERS_MAX = 15,
    PAYLOAD_CHARACTERS_MAX = 128, /* of a quick reply */
    SPACES_MAX = 4,               /* in a row */
};

static const char *const button_names[TEMPLATE_BUTTONS_MAX] = {
    "buttons.0", "buttons.1", "buttons.2", "buttons.3", "buttons.4",
    "buttons.5", "buttons.6", "buttons.7", "buttons.8", "buttons.9"};

bool
value_is_one_line(struct span value)
{
    uint32_t spaces = 0;
    for (size_t i = 0; i < value.size; i++) {
        unsigned char c = (unsigned char)value.data[i];
        if (c < 0x20 || c == 0x7f)
            return false;
        spaces = c == ' ' ? spaces + 1 : 0;
        if (spaces > SPACES_MAX)
            return false;
    }
    return span_is_utf8(value);
}

/* The place of the parameter `name` in the body. */
static bool
find_parameter(const struct template *template, struct span name, uint32_t *index)
{
    if (!template->named) {
        uint64_t number;
        if (!span_to_u64(name, &number) || name.data[0] == '0' ||
            number > template->parameter_count)
            return false;
        *index = (uint32_t)number - 1;
        return true;
    }
    for (uint32_t i = 0; i < template->parameter_count; i++) {
        if (span_equal(template->parameter_names[i], name)) {
            *index = i;
            return true;
        }
    }
    return false;
}

enum values_error
values_set(const struct template *template, const struct field *field, struct values *values)
{
    uint32_t index = 0;
    bool body = find_parameter(template, field->name, &index);
    bool header = template->named && template->header_parameter.size > 0 &&
                  span_equal(template->header_parameter, field->name);
    if (!body && !header)
        return VALUES_UNKNOWN;
    if ((body && values->body[index].size > 0) || (header && values->header_text.size > 0))
        return VALUES_MALFORMED;
    if (span_trim(field->value).size == 0)
        return VALUES_MISSING;
    if (!value_is_one_line(field->value))
        return VALUES_TEXT;
    if (body)
        values->body[index] = field->value;
    if (header)
        values->header_text = field->value;
    return VALUES_OK;
}

static enum values_error
read_fields(const struct template *template, const struct values_input *input,
            struct values *values, struct span *field)
{
    for (size_t i = 0; i < input->count; i++) {
        *field = input->fields[i].name;
        enum values_error error = input->named != template->named
                                      ? VALUES_UNKNOWN
                                      : values_set(template, &input->fields[i], values);
        if (error != VALUES_OK)
            return error;
    }
    return VALUES_OK;
}

static enum values_error
check_body(const struct template *template, const struct values *values, struct span *field)
{
    for (uint32_t i = 0; i < template->parameter_count; i++) {
        *field = template->parameter_names[i];
        if (values->body[i].size == 0)
            return VALUES_MISSING;
        if (template->category == TEMPLATE_AUTHENTICATION &&
            template_text_characters(values->body[i]) > CODE_CHARACTERS_MAX)
            return VALUES_TOO_LONG;
    }
    bool body_only = template->header == TEMPLATE_HEADER_NONE && template->footer.size == 0 &&
                     template->button_count == 0;
    size_t limit = body_only ? BODY_ONLY_CHARACTERS_MAX : BODY_CHARACTERS_MAX;
    size_t size = template->body.literal_size;
    for (uint32_t i = 0; i < template->body.variable_count; i++)
        size += values->body[template->body.variables[i]].size;
    if (size <= limit) /* no text has more code points than bytes */
        return VALUES_OK;
    *field = SPAN("body");
    size_t characters = template->body.literal_characters;
    for (uint32_t i = 0; i < template->body.variable_count; i++)
        characters += template_text_characters(values->body[template->body.variables[i]]);
    return characters <= limit ? VALUES_OK : VALUES_TOO_LONG;
}

static bool
has_header_field(const struct values *values, struct span name)
{
    for (uint32_t i = 0; i < values->header_field_count; i++)
        if (span_equal(values->header_fields[i].name, name))
            return true;
    return false;
}

static enum values_error
check_header(const struct template *template, const struct values *values, struct span *field)
{
    *field = SPAN("header");
    switch (template->header) {
    case TEMPLATE_HEADER_NONE:
        return VALUES_OK;
    case TEMPLATE_HEADER_TEXT:
        if (template->header_text.variable_count == 0)
            return VALUES_OK;
        if (values->header_text.size == 0)
            return VALUES_MISSING;
        return template->header_text.literal_characters +
                           template_text_characters(values->header_text) <=
                       HEADER_CHARACTERS_MAX
                   ? VALUES_OK
                   : VALUES_TOO_LONG;
    case TEMPLATE_HEADER_LOCATION:
        return has_header_field(values, SPAN("latitude")) &&
                       has_header_field(values, SPAN("longitude"))
                   ? VALUES_OK
                   : VALUES_MISSING;
    case TEMPLATE_HEADER_IMAGE:
    case TEMPLATE_HEADER_VIDEO:
    case TEMPLATE_HEADER_DOCUMENT:
        break;
    }
    return has_header_field(values, SPAN("link")) != has_header_field(values, SPAN("id"))
               ? VALUES_OK
               : VALUES_MISSING;
}

static enum values_error
check_button(const struct template *template, struct values *values, uint32_t index)
{
    const struct template_button *button = &template->buttons[index];
    struct span *value = &values->buttons[index];
    switch (button->kind) {
    case TEMPLATE_BUTTON_QUICK_REPLY:
        return template_text_characters(*value) <= PAYLOAD_CHARACTERS_MAX ? VALUES_OK
                                                                          : VALUES_TOO_LONG;
    case TEMPLATE_BUTTON_PHONE:
        return value->size == 0 ? VALUES_OK : VALUES_UNKNOWN;
    case TEMPLATE_BUTTON_URL:
        if (!button->has_variable)
            return value->size == 0 ? VALUES_OK : VALUES_UNKNOWN;
        if (value->size == 0)
            return VALUES_MISSING;
        return template_text_characters(button->url) + template_text_characters(*value) <=
                       URL_CHARACTERS_MAX
                   ? VALUES_OK
                   : VALUES_TOO_LONG;
    case TEMPLATE_BUTTON_COPY_CODE:
    case TEMPLATE_BUTTON_OTP:
        break;
    }
    if (value->size == 0 && template->parameter_count > 0)
        *value = values->body[0];
    if (value->size == 0)
        return VALUES_MISSING;
    return template_text_characters(*value) <= CODE_CHARACTERS_MAX ? VALUES_OK : VALUES_TOO_LONG;
}

enum values_error
values_read(const struct template *template, const struct values_input *input, struct arena *arena,
            struct values *values, struct span *field)
{
    *values = (struct values){0};
    enum values_error error = read_fields(template, input, values, field);
    if (error == VALUES_OK && input->params.size > 0)
        error = values_params_read(template, input->params, arena, values, field);
    if (error == VALUES_OK)
        error = check_body(template, values, field);
    if (error == VALUES_OK)
        error = check_header(template, values, field);
    for (uint32_t i = 0; error == VALUES_OK && i < template->button_count; i++) {
        *field = span_of(button_names[i]);
        error = check_button(template, values, i);
    }
    return error;
}

const char *
values_error_text(enum values_error error)
{
    switch (error) {
    case VALUES_OK:
        return "is good";
    case VALUES_MISSING:
        return "has no value";
    case VALUES_UNKNOWN:
        return "is not in the template";
    case VALUES_MALFORMED:
        return "is not as the template needs it, or is given twice";
    case VALUES_TEXT:
        return "has a line break, a tab, five spaces in a row, or is not UTF-8";
    case VALUES_TOO_LONG:
        return "is longer than Meta takes";
    case VALUES_LINK:
        return "is not an https:// address";
    case VALUES_MEDIA_ID:
        return "is not the number that Meta gave to an upload";
    case VALUES_PLACE:
        return "is not in decimal degrees, as in \"48.8719\"";
    case VALUES_ROOM:
        return "needs more room than a notification has";
    }
    return "is not known";
}

static void
put_text(struct buffer *text, const struct template_text *template_text, const struct span *values)
{
    for (uint32_t i = 0; i < template_text->variable_count; i++) {
        buffer_put_span(text, template_text->literals[i]);
        buffer_put_span(text, values[template_text->variables[i]]);
    }
    buffer_put_span(text, template_text->literals[template_text->variable_count]);
}

/* Of a media or location header the customer reads these. */
static bool
put_header_fields(struct buffer *text, const struct values *values)
{
    size_t start = text->size;
    for (uint32_t i = 0; i < values->header_field_count; i++) {
        const struct field *field = &values->header_fields[i];
        if (!span_equal(field->name, SPAN("filename")) && !span_equal(field->name, SPAN("name")) &&
            !span_equal(field->name, SPAN("address")))
            continue;
        if (text->size > start)
            buffer_put(text, ", ", 2);
        buffer_put_span(text, field->value);
    }
    return text->size > start;
}

void
values_put_header(const struct template *template, const struct values *values, struct buffer *text)
{
    if (template->header == TEMPLATE_HEADER_TEXT)
        put_text(text, &template->header_text, &values->header_text);
    else
        (void)put_header_fields(text, values);
}

void
values_put_body(const struct template *template, const struct values *values, struct buffer *text)
{
    put_text(text, &template->body, values->body);
}

bool
values_render(const struct template *template, const struct values *values, struct buffer *text)
{
    size_t start = text->size;
    values_put_header(template, values, text);
    if (text->size > start)
        buffer_put_char(text, '\n');
    values_put_body(template, values, text);
    if (template->footer.size > 0) {
        buffer_put_char(text, '\n');
        buffer_put_span(text, template->footer);
    }
    for (uint32_t i = 0; i < template->button_count; i++) {
        buffer_put_char(text, '\n');
        buffer_put_span(text, template->buttons[i].text);
    }
    return !text->overflow;
}
