#include "templates/template_text.h"

#include <string.h>

struct cutter {
    struct span rest; /* not yet cut */
    struct template_text *text;
    struct template_variables *variables;
    struct error_text *problem;
};

uint32_t
template_text_characters(struct span text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* The place of `pair` ("{{" or "}}") in `span`. */
static bool
find_pair(struct span span, const char *pair, size_t *index)
{
    const char *found = span.size == 0 ? NULL : memmem(span.data, span.size, pair, 2);
    if (found == NULL)
        return false;
    *index = (size_t)(found - span.data);
    return true;
}

static bool
is_name(struct span name)
{
    bool letter = false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
        letter = letter || c > '9';
    }
    return letter;
}

static bool
is_number(struct span name, uint64_t *number)
{
    return span_to_u64(name, number) && name.data[0] != '0';
}

/* A positional variable's name is set at its number, so that order in the text does not matter. */
static bool
take_number(struct cutter *cutter, struct span name, uint8_t *index)
{
    uint64_t number;
    if (!is_number(name, &number)) {
        if (is_name(name))
            error_set(cutter->problem,
                      "variable {{%.*s}} has a name: set parameter_format to \"NAMED\", or number "
                      "the variables from 1",
                      SPAN_ARG(name));
        else
            error_set(cutter->problem,
                      "variable {{%.*s}} is not a number: write {{1}}, without spaces",
                      SPAN_ARG(name));
        return false;
    }
    if (number > TEMPLATE_PARAMETERS_MAX) {
        error_set(cutter->problem, "variable {{%.*s}}: at most %d variables are allowed",
                  SPAN_ARG(name), TEMPLATE_PARAMETERS_MAX);
        return false;
    }
    *index = (uint8_t)(number - 1);
    cutter->variables->names[*index] = name;
    if (number > cutter->variables->count)
        cutter->variables->count = (uint32_t)number;
    return true;
}

static bool
take_name(struct cutter *cutter, struct span name, uint8_t *index)
{
    struct template_variables *variables = cutter->variables;
    if (!is_name(name)) {
        error_set(cutter->problem,
                  "variable {{%.*s}}: a name has lower-case letters, digits and _, no spaces, and "
                  "at least one letter or _ (parameter_format is \"NAMED\")",
                  SPAN_ARG(name));
        return false;
    }
    for (uint32_t i = 0; i < variables->count; i++) {
        if (span_equal(variables->names[i], name)) {
            *index = (uint8_t)i;
            return true;
        }
    }
    if (variables->count == TEMPLATE_PARAMETERS_MAX) {
        error_set(cutter->problem, "variable {{%.*s}}: at most %d variables are allowed",
                  SPAN_ARG(name), TEMPLATE_PARAMETERS_MAX);
        return false;
    }
    *index = (uint8_t)variables->count;
    variables->names[variables->count++] = name;
    return true;
}

/* What a name is shown as in an error: long garbage is cut. */
static struct span
shown(struct span name)
{
    return (struct span){.data = name.data, .size = name.size > 60 ? 60 : name.size};
}

static void
put_literal(struct template_text *text, struct span literal)
{
    text->literals[text->variable_count] = literal;
    text->literal_size += (uint32_t)literal.size;
    text->literal_characters += template_text_characters(literal);
}

/* Cuts one literal and the variable after it. `open` is where its {{ stands. */
static bool
cut_variable(struct cutter *cutter, size_t open)
{
    struct span rest = cutter->rest;
    struct span literal = {.data = rest.data, .size = open};
    struct span after = {.data = rest.data + open + 2, .size = rest.size - open - 2};
    size_t close;
    if (!find_pair(after, "}}", &close)) {
        error_set(cutter->problem, "\"{{\" without \"}}\": close the variable");
        return false;
    }
    if (cutter->text->variable_count == TEMPLATE_PARAMETERS_MAX) {
        error_set(cutter->problem, "more than %d variables", TEMPLATE_PARAMETERS_MAX);
        return false;
    }
    struct span name = shown((struct span){.data = after.data, .size = close});
    uint8_t index = 0;
    if (name.size != close || name.size == 0) {
        error_set(cutter->problem, "variable {{%.*s}}: a variable has a number or a short name",
                  SPAN_ARG(name));
        return false;
    }
    if (!(cutter->variables->named ? take_name(cutter, name, &index)
                                   : take_number(cutter, name, &index)))
        return false;
    put_literal(cutter->text, literal);
    cutter->text->variables[cutter->text->variable_count++] = index;
    cutter->rest = (struct span){.data = after.data + close + 2, .size = after.size - close - 2};
    return true;
}

static bool
numbers_have_no_gap(const struct template_variables *variables, struct error_text *problem)
{
    for (uint32_t i = 0; i < variables->count; i++) {
        if (variables->names[i].size == 0) {
            error_set(problem, "variable {{%u}} without {{%u}}: number them from 1",
                      variables->count, i + 1);
            return false;
        }
    }
    return true;
}

bool
template_text_cut(struct span whole, struct template_text *text,
                  struct template_variables *variables, struct error_text *problem)
{
    *text = (struct template_text){.whole = whole};
    *variables = (struct template_variables){.named = variables->named};
    struct cutter cutter = {
        .rest = whole, .text = text, .variables = variables, .problem = problem};
    size_t open;
    size_t close;
    while (find_pair(cutter.rest, "{{", &open)) {
        if (find_pair(cutter.rest, "}}", &close) && close < open)
            break;
        if (!cut_variable(&cutter, open))
            return false;
    }
    if (find_pair(cutter.rest, "}}", &close)) {
        error_set(problem, "\"}}\" without \"{{\": open the variable");
        return false;
    }
    put_literal(text, cutter.rest);
    return variables->named || numbers_have_no_gap(variables, problem);
}
