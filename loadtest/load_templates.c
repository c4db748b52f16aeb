#include "loadtest/load_templates.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct span
json_span(const json_t *value)
{
    return value == NULL ? (struct span){0}
                         : (struct span){json_string_value(value), json_string_length(value)};
}

static bool
copy_name(char *out, size_t size, struct span text)
{
    if (text.size == 0 || text.size >= size)
        return false;
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
    return true;
}

static bool
has_variable(const json_t *component, const char *key)
{
    const char *text = json_string_value(json_object_get(component, key));
    return text != NULL && strstr(text, "{{") != NULL;
}

static bool
word_is(const json_t *object, const char *key, const char *word)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text != NULL && strcasecmp(text, word) == 0;
}

/* The example that stands for parameter `index` or `name`, or the empty span. */
static struct span
example_of(const json_t *component, struct span name, size_t index)
{
    const json_t *example = json_object_get(component, "example");
    const json_t *row = json_array_get(json_object_get(example, "body_text"), 0);
    const json_t *at = json_array_get(row, index);
    if (at != NULL)
        return json_span(at);
    const json_t *named = json_object_get(example, "body_text_named_params");
    for (size_t i = 0; i < json_array_size(named); i++) {
        const json_t *one = json_array_get(named, i);
        if (span_equal(json_span(json_object_get(one, "param_name")), name))
            return json_span(json_object_get(one, "example"));
    }
    return (struct span){0};
}

static bool
is_known(const struct load_template *template, struct span name)
{
    for (uint32_t i = 0; i < template->parameter_count; i++)
        if (span_equal(span_of(template->parameters[i].name), name))
            return true;
    return false;
}

/* Every {{…}} of the body, each once, in the order of the text; numbered ones by their number. */
static bool
read_body(struct load_template *template, const json_t *component)
{
    struct span rest = json_span(json_object_get(component, "text"));
    while (rest.size > 0) {
        const char *open = memmem(rest.data, rest.size, "{{", 2);
        if (open == NULL)
            break;
        size_t left = rest.size - (size_t)(open - rest.data) - 2;
        const char *close = memmem(open + 2, left, "}}", 2);
        if (close == NULL)
            return false;
        struct span name = span_trim((struct span){open + 2, (size_t)(close - open) - 2});
        rest = (struct span){close + 2, left - (size_t)(close - open)};
        if (is_known(template, name))
            continue;
        uint32_t index = template->parameter_count;
        if (index == LOAD_PARAMETERS_MAX ||
            !copy_name(template->parameters[index].name, LOAD_NAME_MAX + 1, name))
            return false;
        template->named = template->named || name.data[0]<'0' || name.data[0]> '9';
        template->parameter_count++;
    }
    for (uint32_t i = 0; i < template->parameter_count; i++) {
        struct load_parameter *parameter = &template->parameters[i];
        if (!template->named)
            (void)snprintf(parameter->name, sizeof parameter->name, "%u", i + 1);
        struct span name = span_of(parameter->name);
        parameter->word = load_word_guess(template->named ? name : (struct span){0},
                                          example_of(component, name, i), i);
    }
    return true;
}

static bool
needs_more_than_a_body(const json_t *component)
{
    if (word_is(component, "type", "HEADER"))
        return !word_is(component, "format", "TEXT") || has_variable(component, "text");
    const json_t *buttons = json_object_get(component, "buttons");
    for (size_t i = 0; i < json_array_size(buttons); i++) {
        const json_t *button = json_array_get(buttons, i);
        if (has_variable(button, "url") || word_is(button, "type", "COPY_CODE") ||
            word_is(button, "type", "OTP"))
            return true;
    }
    return false;
}

static bool
read_one(struct load_template *template, const json_t *root)
{
    *template = (struct load_template){0};
    struct span code = json_span(json_object_get(root, "language"));
    if (!copy_name(template->name, sizeof template->name,
                   json_span(json_object_get(root, "name"))) ||
        !copy_name(template->code, sizeof template->code, code) ||
        !load_language_of(code, &template->language))
        return false;
    const json_t *components = json_object_get(root, "components");
    bool has_body = false;
    for (size_t i = 0; i < json_array_size(components); i++) {
        const json_t *component = json_array_get(components, i);
        if (needs_more_than_a_body(component))
            return false;
        if (word_is(component, "type", "BODY")) {
            has_body = true;
            if (!read_body(template, component))
                return false;
        }
    }
    return has_body;
}

bool
load_template_read(struct load_template *template, struct span json)
{
    json_t *root = json_loadb(json.data, json.size, 0, NULL);
    bool good = root != NULL && read_one(template, root);
    json_decref(root);
    return good;
}

static bool
is_wanted(const char *name, const char *const *names)
{
    for (; *names != NULL; names++)
        if (strcmp(*names, name) == 0)
            return true;
    return false;
}

static int
compare(const void *left, const void *right)
{
    const struct load_template *a = left;
    const struct load_template *b = right;
    int by_name = strcmp(a->name, b->name);
    return by_name != 0 ? by_name : strcmp(a->code, b->code);
}

static bool
read_file(struct load_templates *templates, const char *path, const char *const *names,
          struct error_text *error)
{
    json_error_t trouble;
    json_t *root = json_load_file(path, 0, &trouble);
    if (root == NULL) {
        error_set(error, "%s:%d: %s", path, trouble.line, trouble.text);
        return false;
    }
    struct load_template template;
    bool taken = read_one(&template, root) && is_wanted(template.name, names);
    json_decref(root);
    if (!taken)
        return true;
    if (templates->count == LOAD_TEMPLATES_MAX) {
        error_set(error, "%s: more than %d templates to choose from", path, LOAD_TEMPLATES_MAX);
        return false;
    }
    templates->list[templates->count++] = template;
    return true;
}

static bool
read_folder(struct load_templates *templates, DIR *directory, const char *folder,
            const char *const *names, struct error_text *error)
{
    for (struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        size_t size = strlen(entry->d_name);
        if (size < 6 || strcmp(entry->d_name + size - 5, ".json") != 0)
            continue;
        char path[4096];
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        if (!read_file(templates, path, names, error))
            return false;
    }
    return true;
}

bool
load_templates_read(struct load_templates *templates, const char *folder, const char *const *names,
                    struct error_text *error)
{
    templates->count = 0;
    DIR *directory = opendir(folder);
    if (directory == NULL) {
        error_set(error, "%s: %s; name the folder of the templates with --templates", folder,
                  strerror(errno));
        return false;
    }
    bool good = read_folder(templates, directory, folder, names, error);
    (void)closedir(directory);
    if (good && templates->count == 0) {
        error_set(error,
                  "%s: no template named %s that body parameters can fill; name another "
                  "folder with --templates",
                  folder, names[0]);
        return false;
    }
    qsort(templates->list, templates->count, sizeof templates->list[0], compare);
    return good;
}
