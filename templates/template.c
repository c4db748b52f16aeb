#include "templates/template.h"
#include "sender/base/check.h"
#include "templates/fixed_text.h"
#include "templates/template_parts.h"
#include "templates/template_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum {
    BODY_MAX = 1024, /* code points, as are the next two */
    HEADER_MAX = 60,
    FOOTER_MAX = 60,
};

/* In the order of the enums. */
static const char *const categories[] = {"UTILITY", "AUTHENTICATION", "MARKETING", NULL};
static const char *const headers[] = {"TEXT", "IMAGE", "VIDEO", "DOCUMENT", "LOCATION", NULL};
static const char *const formats[] = {"POSITIONAL", "NAMED", NULL};

enum component { HEADER, BODY, FOOTER, BUTTONS, COMPONENT_COUNT };
static const char *const components[] = {"HEADER", "BODY", "FOOTER", "BUTTONS", NULL};

/* What Meta's format has besides what we read: accepted and left alone. */
static const char *const known_at_top[] = {"name",
                                           "language",
                                           "category",
                                           "parameter_format",
                                           "components",
                                           "id",
                                           "status",
                                           "quality_score",
                                           "rejected_reason",
                                           "previous_category",
                                           "correct_category",
                                           "sub_category",
                                           "library_template_name",
                                           "library_template_body_inputs",
                                           "library_template_button_inputs",
                                           "message_send_ttl_seconds",
                                           "allow_category_change",
                                           "cta_url_link_tracking_opted_out",
                                           "degrees_of_freedom_spec",
                                           "creative_sourcing_spec",
                                           "display_format",
                                           "is_primary_device_delivery_only",
                                           "bid_spec",
                                           "last_updated_time",
                                           "created_time",
                                           "specific_template_type",
                                           NULL};
static const char *const known_in_component[] = {"type",
                                                 "text",
                                                 "format",
                                                 "buttons",
                                                 "example",
                                                 "add_security_recommendation",
                                                 "code_expiration_minutes",
                                                 NULL};

static bool
cut_body(const struct part *part, struct span whole)
{
    struct template *template = part->reader->template;
    struct template_variables variables = {.named = template->named};
    struct error_text problem;
    if (!template_text_cut(whole, &template->body, &variables, &problem))
        return part_fail(part, "text", LINT_VARIABLES, "%s", problem.text);
    template->parameter_count = variables.count;
    memcpy(template->parameter_names, variables.names, sizeof(variables.names));
    return true;
}

/* A body without text, as only authentication has it. */
static bool
read_fixed_body(const struct part *part)
{
    struct template *template = part->reader->template;
    const struct fixed_text *fixed = fixed_text_of(template->language);
    const json_t *advice = json_object_get(part->object, "add_security_recommendation");
    if (advice != NULL && !json_is_boolean(advice))
        return part_fail(part, "add_security_recommendation", LINT_SHAPE, "is not true or false");
    struct buffer *memory = &part->reader->memory;
    size_t start = memory->size;
    reader_keep(part->reader, span_of(fixed->code));
    if (json_is_true(advice))
        reader_keep(part->reader, span_of(fixed->advice));
    template->named = false;
    return cut_body(part,
                    (struct span){.data = memory->data + start, .size = memory->size - start});
}

static bool
read_body(const struct part *part)
{
    struct span whole;
    if (part->reader->template->category == TEMPLATE_AUTHENTICATION &&
        json_object_get(part->object, "text") == NULL)
        return read_fixed_body(part);
    return part_text_limited(part, "text", BODY_MAX, &whole) && cut_body(part, whole);
}

static bool
read_header_text(const struct part *part)
{
    struct template *template = part->reader->template;
    struct template_variables variables = {.named = template->named};
    struct error_text problem;
    struct span whole;
    if (!part_text_limited(part, "text", HEADER_MAX, &whole))
        return false;
    if (memchr(whole.data, '\n', whole.size) != NULL)
        return part_fail(part, "text", LINT_HEADER, "a header has one line");
    if (!template_text_cut(whole, &template->header_text, &variables, &problem))
        return part_fail(part, "text", LINT_VARIABLES, "%s", problem.text);
    if (template->header_text.variable_count > 1)
        return part_fail(part, "text", LINT_HEADER, "%u variables: a header takes one",
                         template->header_text.variable_count);
    template->header_parameter = variables.names[0];
    return true;
}

static bool
read_header(const struct part *part)
{
    struct template *template = part->reader->template;
    uint32_t format;
    if (!part_word(part, "format", headers, &format))
        return false;
    template->header = (enum template_header)(format + 1);
    if (template->header == TEMPLATE_HEADER_TEXT)
        return read_header_text(part);
    if (json_object_get(part->object, "text") != NULL)
        return part_fail(part, "text", LINT_HEADER, "only a header of format TEXT has one");
    return true;
}

/* Authentication has no footer of its own: it says when the code expires. */
static bool
read_expiry(const struct part *part, const json_t *minutes)
{
    struct template *template = part->reader->template;
    json_int_t value = json_integer_value(minutes);
    char text[100];
    if (!json_is_integer(minutes) || value < 1 || value > 90)
        return part_fail(part, "code_expiration_minutes", LINT_EXPIRY,
                         "is not a whole number from 1 to 90");
    struct buffer line;
    const char *pattern = fixed_text_of(template->language)->expiry;
    const char *place = strstr(pattern, "%d");
    check(place != NULL);
    buffer_init(&line, text, sizeof(text));
    buffer_put(&line, pattern, (size_t)(place - pattern));
    buffer_put_u64(&line, (uint64_t)value);
    buffer_put_text(&line, place + 2);
    template->footer = reader_keep(part->reader, buffer_span(&line));
    return true;
}

static bool
read_footer(const struct part *part)
{
    struct template *template = part->reader->template;
    const json_t *minutes = json_object_get(part->object, "code_expiration_minutes");
    if (minutes != NULL && template->category == TEMPLATE_AUTHENTICATION)
        return read_expiry(part, minutes);
    if (!part_text_limited(part, "text", FOOTER_MAX, &template->footer))
        return false;
    if (memmem(template->footer.data, template->footer.size, "{{", 2) != NULL)
        return part_fail(part, "text", LINT_FOOTER, "a footer takes no variable");
    return true;
}

static bool
read_component(const struct part *part, uint32_t *seen)
{
    uint32_t kind;
    const char *word = json_string_value(json_object_get(part->object, "type"));
    if (word != NULL &&
        (strcasecmp(word, "CAROUSEL") == 0 || strcasecmp(word, "LIMITED_TIME_OFFER") == 0 ||
         strcasecmp(word, "CALL_PERMISSION_REQUEST") == 0))
        return part_fail(part, "type", LINT_UNSUPPORTED,
                         "%.30s components are not supported: facteur sends "
                         "notifications with HEADER, BODY, FOOTER and BUTTONS",
                         word);
    if (!part_word(part, "type", components, &kind) || !part_knows(part, known_in_component))
        return false;
    if ((*seen >> kind & 1) != 0)
        return part_fail(part, "type", LINT_COMPONENTS, "a second %s: keep one", components[kind]);
    *seen |= 1u << kind;
    switch ((enum component)kind) {
    case HEADER:
        return read_header(part);
    case BODY:
        return read_body(part);
    case FOOTER:
        return read_footer(part);
    case BUTTONS:
        return template_buttons_read(part);
    case COMPONENT_COUNT:
        break;
    }
    return false;
}

static bool
read_components(const struct part *top)
{
    const json_t *list = json_object_get(top->object, "components");
    uint32_t seen = 0;
    bool good = true;
    if (!json_is_array(list))
        return part_fail(top, "components", LINT_SHAPE,
                         "is not a list: use [{\"type\": \"BODY\", …}]");
    if (json_array_size(list) > COMPONENT_COUNT)
        return part_fail(top, "components", LINT_COMPONENTS,
                         "%zu components: a template has at most %d", json_array_size(list),
                         COMPONENT_COUNT);
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct part part;
        good = part_enter(top, "components", i, &part) && read_component(&part, &seen) && good;
    }
    if (good && (seen >> BODY & 1) == 0)
        return part_fail(top, "components", LINT_COMPONENTS, "no component of type BODY: add one");
    return good;
}

bool
template_name_is_good(struct span name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return name.size > 0;
}

/* "fr", "en_US", "prs_AF", "es_MEX". */
bool
template_language_is_good(struct span language)
{
    size_t lower = 0;
    while (lower < language.size && language.data[lower] >= 'a' && language.data[lower] <= 'z')
        lower++;
    if (lower < 2 || lower > 3 || language.size > TEMPLATE_LANGUAGE_MAX)
        return false;
    if (lower == language.size)
        return true;
    size_t upper = language.size - lower - 1;
    for (size_t i = lower + 1; i < language.size; i++)
        if (language.data[i] < 'A' || language.data[i] > 'Z')
            return false;
    return language.data[lower] == '_' && upper >= 2 && upper <= 3;
}

static bool
read_name(const struct part *top)
{
    struct template *template = top->reader->template;
    if (!part_text(top, "name", true, &template->name))
        return false;
    if (!template_name_is_good(template->name))
        return part_fail(top, "name", LINT_NAME, "use lower-case letters, digits and _ only");
    if (template->name.size > TEMPLATE_NAME_MAX)
        return part_fail(top, "name", LINT_NAME, "%zu bytes: at most %d, shorten it",
                         template->name.size, TEMPLATE_NAME_MAX);
    return true;
}

static bool
read_language(const struct part *top)
{
    struct template *template = top->reader->template;
    if (!part_text(top, "language", true, &template->language))
        return false;
    return template_language_is_good(template->language) ||
           part_fail(top, "language", LINT_LANGUAGE,
                     "is not a language of Meta's: write fr, en_US, …");
}

/* What decides how the components are to be read. */
static bool
read_kind(const struct part *top)
{
    struct template *template = top->reader->template;
    uint32_t category;
    uint32_t format = 0;
    if (!part_word(top, "category", categories, &category))
        return false;
    if (json_object_get(top->object, "parameter_format") != NULL &&
        !part_word(top, "parameter_format", formats, &format))
        return false;
    template->category = (enum template_category)category;
    template->named = format == 1;
    return true;
}

static bool
read_top(const struct part *top)
{
    bool good = part_knows(top, known_at_top);
    good = read_name(top) && good;
    good = read_language(top) && good;
    return read_kind(top) && read_components(top) && good;
}

static void
mix(uint64_t *hash, struct span text)
{
    uint64_t pair[2] = {*hash, span_hash(text) + text.size * 0x9e3779b97f4a7c15u};
    *hash = span_hash((struct span){.data = (const char *)pair, .size = sizeof(pair)});
}

static void
mix_number(uint64_t *hash, uint64_t number)
{
    mix(hash, (struct span){.data = (const char *)&number, .size = sizeof(number)});
}

static uint64_t
version_of(const struct template *template)
{
    uint64_t hash = 1; /* of this way of hashing */
    mix(&hash, template->name);
    mix(&hash, template->language);
    mix_number(&hash, template->category);
    mix_number(&hash, template->named);
    mix_number(&hash, template->header);
    mix(&hash, template->header_text.whole);
    mix(&hash, template->body.whole);
    mix(&hash, template->footer);
    for (uint32_t i = 0; i < template->button_count; i++) {
        const struct template_button *button = &template->buttons[i];
        mix_number(&hash, (uint64_t)button->kind << 1 | button->has_variable);
        mix(&hash, button->text);
        mix(&hash, button->url);
        mix(&hash, button->phone);
    }
    return hash;
}

static struct template *
read_object(const json_t *object, struct span json, struct lint_report *report)
{
    size_t capacity = json.size + FIXED_TEXT_MAX;
    struct template *template = check_alloc(1, sizeof(*template));
    template->memory = check_alloc(1, capacity);
    struct reader reader = {.json = json, .report = report, .template = template};
    buffer_init(&reader.memory, template->memory, capacity);
    struct part top = {.reader = &reader, .object = object};
    if (!read_top(&top)) {
        check(report->errors > 0);
        template_close(template);
        return NULL;
    }
    template->version = version_of(template);
    return template;
}

static void
say_not_json(struct lint_report *report, const json_error_t *place)
{
    struct lint_finding *finding = &report->findings[0];
    *finding = (struct lint_finding){.rule = LINT_NOT_JSON,
                                     .line = place->line > 0 ? (uint32_t)place->line : 1,
                                     .column = place->column > 0 ? (uint32_t)place->column : 1};
    (void)snprintf(finding->text, sizeof(finding->text), "not JSON: %s (column %d)", place->text,
                   place->column);
    report->count = 1;
    report->errors = 1;
}

struct template *
template_read_all(struct span json, struct lint_report *report)
{
    const struct reader reader = {.report = report}; /* no place but the beginning */
    char text[160];
    *report = (struct lint_report){0};
    if (json.size > TEMPLATE_FILE_MAX) {
        (void)snprintf(text, sizeof(text), "%zu bytes: a template has at most %d", json.size,
                       TEMPLATE_FILE_MAX);
        reader_fail(&reader, LINT_TOO_LARGE, "", "", text);
        return NULL;
    }
    json_error_t place;
    json_t *object =
        json_loadb(json.data == NULL ? "" : json.data, json.size, JSON_REJECT_DUPLICATES, &place);
    if (object == NULL) {
        say_not_json(report, &place);
        return NULL;
    }
    struct template *template = NULL;
    if (json_is_object(object))
        template = read_object(object, json, report);
    else
        reader_fail(&reader, LINT_SHAPE, "", "", "not one JSON object: put one template in {…}");
    json_decref(object);
    return template;
}

struct template *
template_read(struct span json, const char *source, struct error_text *error)
{
    struct lint_report report;
    struct template *template = template_read_all(json, &report);
    const struct lint_finding *first = &report.findings[0];
    if (template != NULL)
        return template;
    if (first->rule == LINT_NOT_JSON)
        error_set(error, "%.200s:%u: %s", source, first->line, first->text);
    else
        error_set(error, "%.200s: %s%s%s", source, first->path, first->path[0] != '\0' ? ": " : "",
                  first->text);
    return NULL;
}

void
template_close(struct template *template)
{
    if (template == NULL)
        return;
    free(template->memory);
    free(template);
}

static void
put_line(struct buffer *text, struct span line)
{
    if (line.size == 0)
        return;
    if (text->size > 0)
        buffer_put_char(text, '\n');
    buffer_put_span(text, line);
}

void
template_put_whole(const struct template *template, struct buffer *text)
{
    put_line(text, template->header_text.whole);
    put_line(text, template->body.whole);
    put_line(text, template->footer);
    for (uint32_t i = 0; i < template->button_count; i++)
        put_line(text, template->buttons[i].text);
}

const char *
template_category_text(enum template_category category)
{
    switch (category) {
    case TEMPLATE_UTILITY:
        return "utility";
    case TEMPLATE_AUTHENTICATION:
        return "authentication";
    case TEMPLATE_MARKETING:
        return "marketing";
    }
    return "unknown";
}
