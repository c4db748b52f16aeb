#include "sender/graph/request.h"
#include "sender/base/check.h"
#include "sender/base/json.h"

#include <stdlib.h>
#include <string.h>

enum {
    CALLBACK_MAX = 512, /* bytes, Meta's limit */
    FRAME_SIZE = 128,   /* bytes: the longest of what stands around a name or an index */
    ESCAPED_SIZE = 6,   /* bytes: the longest escape of one byte */
};

/* A span of the body that stands before (or after) a value. */
struct request_form {
    const struct template *template;           /* borrowed */
    struct buffer memory;                      /* owned: all the literals below lie in it */
    struct span envelope;                      /* "type":"template" … up to the components */
    struct span header_start;                  /* of a header with a variable, media or location */
    struct span body[TEMPLATE_PARAMETERS_MAX]; /* before each value */
    struct span buttons[TEMPLATE_BUTTONS_MAX]; /* before each button's value */
};

/* ---- the form ------------------------------------------------------------------------------ */

/* What was written since `start`. */
static struct span
since(const struct buffer *memory, size_t start)
{
    return (struct span){.data = memory->data + start, .size = memory->size - start};
}

/* {"type":"text","parameter_name":"NAME","text":" */
static void
put_text_start(struct buffer *memory, struct span name)
{
    buffer_put_text(memory, "{\"type\":\"text\",");
    if (name.size > 0) {
        buffer_put_text(memory, "\"parameter_name\":");
        json_put_string(memory, name);
        buffer_put_char(memory, ',');
    }
    buffer_put_text(memory, "\"text\":\"");
}

static void
make_envelope(struct request_form *form)
{
    struct buffer *memory = &form->memory;
    size_t start = memory->size;
    buffer_put_text(memory, "\"type\":\"template\",\"template\":{\"name\":");
    json_put_string(memory, form->template->name);
    buffer_put_text(memory, ",\"language\":{\"code\":");
    json_put_string(memory, form->template->language);
    buffer_put_char(memory, '}');
    form->envelope = since(memory, start);
}

static void
make_body(struct request_form *form)
{
    const struct template *template = form->template;
    struct buffer *memory = &form->memory;
    for (uint32_t i = 0; i < template->parameter_count; i++) {
        size_t start = memory->size;
        buffer_put_text(memory, i == 0 ? "{\"type\":\"body\",\"parameters\":[" : "\"},");
        put_text_start(memory, template->named ? template->parameter_names[i] : (struct span){0});
        form->body[i] = since(memory, start);
    }
}

/* The word that is both the parameter's type and its object's name; NULL for text and none. */
static const char *
header_kind(enum template_header header)
{
    switch (header) {
    case TEMPLATE_HEADER_NONE:
    case TEMPLATE_HEADER_TEXT:
        return NULL;
    case TEMPLATE_HEADER_IMAGE:
        return "image";
    case TEMPLATE_HEADER_VIDEO:
        return "video";
    case TEMPLATE_HEADER_DOCUMENT:
        return "document";
    case TEMPLATE_HEADER_LOCATION:
        return "location";
    }
    return NULL;
}

static void
make_header(struct request_form *form)
{
    const struct template *template = form->template;
    struct buffer *memory = &form->memory;
    const char *kind = header_kind(template->header);
    size_t start = memory->size;
    if (kind == NULL && template->header_text.variable_count == 0)
        return;
    buffer_put_text(memory, "{\"type\":\"header\",\"parameters\":[");
    if (kind == NULL)
        put_text_start(memory, template->named ? template->header_parameter : (struct span){0});
    else
        buffer_printf(memory, "{\"type\":\"%s\",\"%s\":{", kind, kind);
    form->header_start = since(memory, start);
}

/* A one-time code's button is a url button whose text is the code. */
static const char *
button_words(enum template_button_kind kind)
{
    switch (kind) {
    case TEMPLATE_BUTTON_QUICK_REPLY:
        return "\"quick_reply\",\"index\":\"%u\",\"parameters\":[{\"type\":\"payload\","
               "\"payload\":\"";
    case TEMPLATE_BUTTON_URL:
    case TEMPLATE_BUTTON_OTP:
        return "\"url\",\"index\":\"%u\",\"parameters\":[{\"type\":\"text\",\"text\":\"";
    case TEMPLATE_BUTTON_COPY_CODE:
        return "\"copy_code\",\"index\":\"%u\",\"parameters\":[{\"type\":\"coupon_code\","
               "\"coupon_code\":\"";
    case TEMPLATE_BUTTON_PHONE:
        return NULL;
    }
    return NULL;
}

static void
make_buttons(struct request_form *form)
{
    struct buffer *memory = &form->memory;
    for (uint32_t i = 0; i < form->template->button_count; i++) {
        const char *words = button_words(form->template->buttons[i].kind);
        size_t start = memory->size;
        if (words == NULL)
            continue;
        buffer_put_text(memory, "{\"type\":\"button\",\"sub_type\":");
        const char *digit = strstr(words, "%u");
        buffer_put(memory, words, (size_t)(digit - words));
        buffer_put_u64(memory, i);
        buffer_put_text(memory, digit + 2);
        form->buttons[i] = since(memory, start);
    }
}

/* Bytes that hold the form, whatever its names are. */
static size_t
form_size_max(const struct template *template)
{
    size_t names = template->name.size + template->language.size + template->header_parameter.size;
    for (uint32_t i = 0; i < template->parameter_count; i++)
        names += template->parameter_names[i].size;
    size_t frames = 3 + template->parameter_count + template->button_count;
    return ESCAPED_SIZE * names + FRAME_SIZE * frames;
}

struct request_form *
request_form_open(const struct template *template)
{
    check(template->parameter_count <= TEMPLATE_PARAMETERS_MAX);
    check(template->button_count <= TEMPLATE_BUTTONS_MAX);
    struct request_form *form = check_alloc(1, sizeof(*form));
    form->template = template;
    size_t size = form_size_max(template);
    buffer_init(&form->memory, check_alloc(1, size), size);
    make_envelope(form);
    make_header(form);
    make_body(form);
    make_buttons(form);
    check(!form->memory.overflow);
    return form;
}

void
request_form_close(struct request_form *form)
{
    if (form == NULL)
        return;
    free(form->memory.data);
    free(form);
}

/* ---- a body -------------------------------------------------------------------------------- */

/* A body under way: the first component opens the list, the others are set off by commas. */
struct writing {
    const struct request_form *form;
    const struct values *values;
    struct buffer *body;
    bool has_components;
};

static void
begin_component(struct writing *writing, struct span start)
{
    if (writing->has_components)
        buffer_put_char(writing->body, ',');
    else
        buffer_put_text(writing->body, ",\"components\":[");
    writing->has_components = true;
    buffer_put_span(writing->body, start);
}

static void
write_header(struct writing *writing)
{
    const struct values *values = writing->values;
    struct buffer *body = writing->body;
    if (writing->form->header_start.size == 0)
        return;
    begin_component(writing, writing->form->header_start);
    if (writing->form->template->header == TEMPLATE_HEADER_TEXT) {
        json_put_escaped(body, values->header_text);
        buffer_put_text(body, "\"}]}");
        return;
    }
    for (uint32_t i = 0; i < values->header_field_count; i++) {
        if (i > 0)
            buffer_put_char(body, ',');
        json_put_string(body, values->header_fields[i].name);
        buffer_put_char(body, ':');
        json_put_string(body, values->header_fields[i].value);
    }
    buffer_put_text(body, "}}]}");
}

static void
write_parameters(struct writing *writing)
{
    const struct request_form *form = writing->form;
    uint32_t count = form->template->parameter_count;
    if (count == 0)
        return;
    begin_component(writing, (struct span){0});
    for (uint32_t i = 0; i < count; i++) {
        buffer_put_span(writing->body, form->body[i]);
        json_put_escaped(writing->body, writing->values->body[i]);
    }
    buffer_put_text(writing->body, "\"}]}");
}

static void
write_buttons(struct writing *writing)
{
    const struct template *template = writing->form->template;
    for (uint32_t i = 0; i < template->button_count; i++) {
        struct span value = writing->values->buttons[i];
        if (value.size == 0 || writing->form->buttons[i].size == 0)
            continue;
        begin_component(writing, writing->form->buttons[i]);
        json_put_escaped(writing->body, value);
        buffer_put_text(writing->body, "\"}]}");
    }
}

/* Everything before "type". */
static void
write_recipient(const struct request_input *input, struct buffer *body)
{
    buffer_put_text(body, "{\"messaging_product\":\"whatsapp\",\"recipient_type\":\"individual\",");
    buffer_put_text(body, input->to.size > 0 ? "\"to\":\"" : "\"recipient\":\"");
    json_put_escaped(body, input->to.size > 0 ? input->to : input->recipient);
    if (input->callback.size > 0) {
        buffer_put_text(body, "\",\"biz_opaque_callback_data\":\"");
        json_put_escaped(body, input->callback);
    }
    buffer_put_text(body, "\",");
}

bool
request_write(const struct request_form *form, const struct request_input *input,
              struct buffer *body)
{
    check((input->to.size > 0) != (input->recipient.size > 0));
    check(input->callback.size <= CALLBACK_MAX);
    check(input->values->header_field_count <= 4);
    struct writing writing = {.form = form, .values = input->values, .body = body};
    write_recipient(input, body);
    buffer_put_span(body, form->envelope);
    write_header(&writing);
    write_parameters(&writing);
    write_buttons(&writing);
    buffer_put_text(body, writing.has_components ? "]}}" : "}}");
    return !body->overflow;
}
