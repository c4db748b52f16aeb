#include "templates/lint.h"
#include "sender/base/check.h"
#include "templates/policy/policy.h"
#include "templates/template_parts.h"
#include "templates/template_text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { ERROR = 1, WARNING = 0 }; /* of LINT_RULE */

static const struct {
    const char *word;
    bool is_error;
    const char *fix;
} rules[] = {
#define LINT_RULE(name, word, severity, fix) {word, (severity) == ERROR, fix},
#include "templates/lint_rules.inc"
#undef LINT_RULE
};

const char *
lint_rule_word(enum lint_rule rule)
{
    check(rule < LINT_RULES);
    return rules[rule].word;
}

const char *
lint_rule_fix(enum lint_rule rule)
{
    check(rule < LINT_RULES);
    return rules[rule].fix;
}

bool
lint_rule_is_error(enum lint_rule rule)
{
    check(rule < LINT_RULES);
    return rules[rule].is_error;
}

/* ---- where a component stands --------------------------------------------------------------- */

struct linting {
    struct reader reader;
    const struct template *template;
    const json_t *object;
};

static const json_t *
find_component(const struct linting *linting, const char *type, char path[LINT_PATH_MAX])
{
    const json_t *list = json_object_get(linting->object, "components");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *component = json_array_get(list, i);
        const char *word = json_string_value(json_object_get(component, "type"));
        if (word == NULL || strcasecmp(word, type) != 0)
            continue;
        (void)snprintf(path, LINT_PATH_MAX, "components[%zu]", i);
        return component;
    }
    path[0] = '\0';
    return NULL;
}

static void
complain(const struct linting *linting, enum lint_rule rule, const char *path, const char *text)
{
    reader_fail(&linting->reader, rule, path, path, text);
}

/* At `key` of the component of that type; "" for the component itself. */
static void
complain_at(const struct linting *linting, enum lint_rule rule, const char *type, const char *key,
            const char *text)
{
    char component[LINT_PATH_MAX];
    char path[LINT_PATH_MAX + 16];
    (void)find_component(linting, type, component);
    (void)snprintf(path, sizeof(path), "%s%s%s", component, key[0] != '\0' ? "." : "", key);
    path[LINT_PATH_MAX - 1] = '\0';
    complain(linting, rule, path, text);
}

/* ---- what Meta is known to reject ----------------------------------------------------------- */

static bool
is_blank(struct span text)
{
    return span_trim(text).size == 0;
}

static uint32_t
count_words(struct span text)
{
    uint32_t count = 0;
    bool inside = false;
    for (size_t i = 0; i < text.size; i++) {
        bool space = text.data[i] == ' ' || text.data[i] == '\n';
        count += !space && !inside ? 1 : 0;
        inside = !space;
    }
    return count;
}

static void
look_at_variables(const struct linting *linting)
{
    const struct template_text *body = &linting->template->body;
    uint32_t words = 0;
    if (body->variable_count == 0 || linting->template->category == TEMPLATE_AUTHENTICATION)
        return;
    if (is_blank(body->literals[0]) || is_blank(body->literals[body->variable_count]))
        complain_at(linting, LINT_EDGE_VARIABLE, "BODY", "text",
                    "a variable at the beginning or at the end");
    for (uint32_t i = 1; i < body->variable_count; i++) {
        if (!is_blank(body->literals[i]))
            continue;
        complain_at(linting, LINT_ADJACENT_VARIABLES, "BODY", "text",
                    "two variables with nothing between them");
        break;
    }
    for (uint32_t i = 0; i <= body->variable_count; i++)
        words += count_words(body->literals[i]);
    char text[120];
    (void)snprintf(text, sizeof(text), "%u words around %u variables", words, body->variable_count);
    if (words < 2 * body->variable_count + 1)
        complain_at(linting, LINT_FEW_WORDS, "BODY", "text", text);
}

static void
look_at_texts(const struct linting *linting)
{
    const struct template *template = linting->template;
    struct span body = template->body.whole;
    if (memmem(body.data, body.size, "\n\n\n", 3) != NULL)
        complain_at(linting, LINT_LINE_BREAKS, "BODY", "text", "more than one empty line");
    struct span header = template->header_text.whole;
    size_t index;
    if (span_find(header, '*', &index) || span_find(header, '~', &index) ||
        span_find(header, '`', &index))
        complain_at(linting, LINT_HEADER_MARKS, "HEADER", "text", "marks in a header");
}

static void
look_at_buttons(const struct linting *linting)
{
    const struct template *template = linting->template;
    char component[LINT_PATH_MAX];
    char path[LINT_PATH_MAX + 48];
    (void)find_component(linting, "BUTTONS", component);
    for (uint32_t i = 0; i < template->button_count; i++) {
        const struct template_button *button = &template->buttons[i];
        for (uint32_t k = 0; k < i; k++) {
            if (!span_equal(button->text, template->buttons[k].text))
                continue;
            (void)snprintf(path, sizeof(path), "%s.buttons[%u].text", component, i);
            complain(linting, LINT_SAME_BUTTON, path, "a second button with this text");
            break;
        }
        (void)snprintf(path, sizeof(path), "%s.buttons[%u].url", component, i);
        if (button->kind == TEMPLATE_BUTTON_URL && span_starts(button->url, SPAN("http://")))
            complain(linting, LINT_PLAIN_HTTP, path, "a link without TLS");
    }
}

/* ---- examples ------------------------------------------------------------------------------- */

static bool
has_named_example(const json_t *list, struct span name)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        if (span_equal(span_of(json_string_value(json_object_get(one, "param_name"))), name) &&
            json_is_string(json_object_get(one, "example")))
            return true;
    }
    return false;
}

static bool
body_has_examples(const struct template *template, const json_t *example)
{
    const json_t *row = json_array_get(json_object_get(example, "body_text"), 0);
    const json_t *named = json_object_get(example, "body_text_named_params");
    if (!template->named)
        return json_array_size(row) == template->parameter_count;
    for (uint32_t i = 0; i < template->parameter_count; i++)
        if (!has_named_example(named, template->parameter_names[i]))
            return false;
    return true;
}

static void
look_at_examples(const struct linting *linting)
{
    const struct template *template = linting->template;
    char path[LINT_PATH_MAX];
    const json_t *body = find_component(linting, "BODY", path);
    if (template->category != TEMPLATE_AUTHENTICATION && template->parameter_count > 0 &&
        !body_has_examples(template, json_object_get(body, "example")))
        complain_at(linting, LINT_NO_EXAMPLE, "BODY", "",
                    template->named
                        ? "no example.body_text_named_params for each variable of the body"
                        : "no example.body_text with one example for each variable of the body");
    const json_t *header = find_component(linting, "HEADER", path);
    bool needs =
        template->header_text.variable_count > 0 || template->header == TEMPLATE_HEADER_IMAGE ||
        template->header == TEMPLATE_HEADER_VIDEO || template->header == TEMPLATE_HEADER_DOCUMENT;
    if (needs && json_object_get(header, "example") == NULL)
        complain_at(linting, LINT_NO_EXAMPLE, "HEADER", "", "no example of the header");
}

static void
look_at_authentication(const struct linting *linting)
{
    const struct template *template = linting->template;
    if (template->category != TEMPLATE_AUTHENTICATION)
        return;
    if (template->header != TEMPLATE_HEADER_NONE)
        complain_at(linting, LINT_AUTHENTICATION, "HEADER", "", "one-time codes have no header");
    bool code = false;
    for (uint32_t i = 0; i < template->button_count; i++)
        code = code || template->buttons[i].kind == TEMPLATE_BUTTON_OTP ||
               template->buttons[i].kind == TEMPLATE_BUTTON_COPY_CODE;
    if (!code || template->button_count != 1)
        complain(linting, LINT_AUTHENTICATION, "components",
                 "one-time codes have one button, of type OTP");
}

/* ---- what it says --------------------------------------------------------------------------- */

/* In which component's text byte `offset` of template_put_whole() is. */
static const char *
component_at(const struct template *template, uint32_t offset)
{
    size_t end = template->header_text.whole.size;
    if (end > 0 && offset < end)
        return "HEADER";
    end += (end > 0 ? 1 : 0) + template->body.whole.size;
    if (offset < end)
        return "BODY";
    end += template->footer.size > 0 ? 1 + template->footer.size : 0;
    return offset < end ? "FOOTER" : "BUTTONS";
}

static void
judge_words(const struct linting *linting)
{
    const struct template *template = linting->template;
    char memory[TEMPLATE_WHOLE_MAX];
    struct buffer whole;
    struct judgement judgement;
    char text[300];
    buffer_init(&whole, memory, sizeof(memory));
    template_put_whole(template, &whole);
    policy_judge_template(template, &judgement);
    for (uint32_t i = 0; judgement.promotional && i < judgement.finding_count; i++) {
        const struct finding *finding = &judgement.findings[i];
        if (whole.overflow || finding->end > whole.size)
            break;
        uint32_t size = finding->end - finding->start;
        const char *type = component_at(template, finding->start);
        (void)snprintf(text, sizeof(text), "promotional: \"%.*s\" (%s)",
                       (int)(size > 120 ? 120 : size), whole.data + finding->start, finding->rule);
        complain_at(linting, LINT_PROMOTIONAL, type,
                    strcmp(type, "BUTTONS") == 0 ? "buttons" : "text", text);
    }
    if (judgement.promotional && judgement.finding_count == 0)
        complain_at(linting, LINT_PROMOTIONAL, "BODY", "text", "promotional");
}

static void
look_at_everything(const struct linting *linting)
{
    look_at_variables(linting);
    look_at_texts(linting);
    look_at_buttons(linting);
    look_at_examples(linting);
    look_at_authentication(linting);
    if (linting->template->category == TEMPLATE_MARKETING)
        complain(linting, LINT_MARKETING, "category", "promotional content does not go out");
    judge_words(linting);
}

struct template *
lint_read(struct span json, struct lint_report *report)
{
    struct template *template = template_read_all(json, report);
    if (template == NULL)
        return NULL;
    json_t *object = json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES, NULL);
    check(object != NULL); /* template_read_all() read it */
    const struct linting linting = {
        .reader = {.json = json, .report = report}, .template = template, .object = object};
    look_at_everything(&linting);
    json_decref(object);
    if (report->errors == 0)
        return template;
    template_close(template);
    return NULL;
}
