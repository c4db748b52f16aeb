#include "loadtest/emulator_template.h"

#include "sender/base/check.h"

#include <dirent.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

enum {
    FILE_SIZE_MAX = 8 * 1024 * 1024, /* a whole account's templates, as Graph lists them */
    FOLDER_DEPTH_MAX = 8,
    SLOTS = EMULATOR_TEMPLATES_MAX * 2,
};

/* A file's JSON stays for good: the templates borrow its strings. */
struct document {
    json_t *json;
    struct document *next;
};

struct emulator_templates {
    struct document *documents;
    uint32_t count;
    struct emulator_template *all[EMULATOR_TEMPLATES_MAX]; /* owned */
    uint16_t slots[SLOTS]; /* index + 1, open addressing by name and language; 0: free */
    bool replaceable;
};

struct emulator_templates *
emulator_templates_open(void)
{
    return check_alloc(1, sizeof(struct emulator_templates));
}

void
emulator_templates_close(struct emulator_templates *templates)
{
    if (templates == NULL)
        return;
    for (uint32_t i = 0; i < templates->count; i++)
        free(templates->all[i]);
    while (templates->documents != NULL) {
        struct document *document = templates->documents;
        templates->documents = document->next;
        json_decref(document->json);
        free(document);
    }
    free(templates);
}

uint32_t
emulator_characters(struct span text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* Where a name in a language is, or would go. */
static uint32_t
slot_of(const struct emulator_templates *templates, struct span name, struct span language)
{
    uint32_t slot = (uint32_t)((span_hash(name) * 31 + span_hash(language)) % SLOTS);
    for (;; slot = (slot + 1) % SLOTS) {
        if (templates->slots[slot] == 0)
            return slot;
        const struct emulator_template *template = templates->all[templates->slots[slot] - 1];
        if (span_equal(template->name, name) && span_equal(template->language, language))
            return slot;
    }
}

const struct emulator_template *
emulator_templates_find(const struct emulator_templates *templates, struct span name,
                        struct span language)
{
    uint16_t index = templates->slots[slot_of(templates, name, language)];
    return index == 0 ? NULL : templates->all[index - 1];
}

const struct emulator_template *
emulator_templates_at(const struct emulator_templates *templates, uint16_t index)
{
    check(index < templates->count);
    return templates->all[index];
}

uint32_t
emulator_templates_count(const struct emulator_templates *templates)
{
    return templates->count;
}

/* A string member; empty if absent or no string. */
static struct span
string_of(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return (struct span){0};
    return (struct span){.data = json_string_value(value), .size = json_string_length(value)};
}

static bool
is_word(const json_t *object, const char *name, const char *word)
{
    struct span value = string_of(object, name);
    return value.size == strlen(word) && strncasecmp(value.data, word, value.size) == 0;
}

/* The next "{{name}}" of `*text`, which moves behind it; `*before` is what stood in front. */
static bool
next_variable(struct span *text, struct span *before, struct span *name)
{
    const char *open = memmem(text->data, text->size, "{{", 2);
    if (open == NULL)
        return false;
    const char *end = text->data + text->size;
    const char *close = memmem(open, (size_t)(end - open), "}}", 2);
    if (close == NULL)
        return false;
    *before = (struct span){.data = text->data, .size = (size_t)(open - text->data)};
    *name = span_trim((struct span){.data = open + 2, .size = (size_t)(close - open) - 2});
    *text = (struct span){.data = close + 2, .size = (size_t)(end - close) - 2};
    return true;
}

static bool
has_variable(struct span text)
{
    struct span before, name;
    return text.size > 0 && next_variable(&text, &before, &name);
}

static bool
add_parameter(struct emulator_template *template, struct span name)
{
    for (uint32_t i = 0; i < template->parameter_count; i++) {
        if (span_equal(template->parameters[i], name))
            return true;
    }
    if (template->parameter_count == EMULATOR_TEMPLATE_PARAMETERS_MAX)
        return false;
    template->parameters[template->parameter_count++] = name;
    return true;
}

static const char *
read_body(struct emulator_template *template, const json_t *component)
{
    struct span text = string_of(component, "text"), before, name;
    uint64_t number;
    if (text.size == 0) {
        /* Meta writes the text of one-time codes itself; its one variable is the code. */
        bool preset = template->category == EMULATOR_AUTHENTICATION;
        return preset && add_parameter(template, SPAN("1")) ? NULL : "the BODY has no text";
    }
    while (next_variable(&text, &before, &name)) {
        template->body_characters += emulator_characters(before);
        if (name.size == 0 || !add_parameter(template, name))
            return "the BODY has an empty variable, or too many of them";
        template->named = template->named || !span_to_u64(name, &number);
    }
    template->body_characters += emulator_characters(text);
    return NULL;
}

static const char *
read_header(struct emulator_template *template, const json_t *component)
{
    static const struct span formats[] = {
        {"image", 5}, {"video", 5}, {"document", 8}, {"location", 8}};
    template->body_only = false;
    if (is_word(component, "format", "text")) {
        if (has_variable(string_of(component, "text")))
            template->header_type = SPAN("text");
        return NULL;
    }
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        if (is_word(component, "format", formats[i].data)) {
            template->header_type = formats[i];
            return NULL;
        }
    }
    return "the HEADER's format is none of TEXT, IMAGE, VIDEO, DOCUMENT, LOCATION";
}

static enum emulator_button
button_of(const json_t *button)
{
    if (is_word(button, "type", "quick_reply"))
        return EMULATOR_BUTTON_QUICK_REPLY;
    if (is_word(button, "type", "url"))
        return has_variable(string_of(button, "url")) ? EMULATOR_BUTTON_URL : EMULATOR_BUTTON_PLAIN;
    if (is_word(button, "type", "copy_code"))
        return EMULATOR_BUTTON_COPY_CODE;
    if (is_word(button, "type", "otp"))
        return EMULATOR_BUTTON_CODE;
    if (is_word(button, "type", "flow"))
        return EMULATOR_BUTTON_FLOW;
    return EMULATOR_BUTTON_PLAIN;
}

static const char *
read_buttons(struct emulator_template *template, const json_t *component)
{
    const json_t *buttons = json_object_get(component, "buttons"), *button;
    size_t i;
    template->body_only = false;
    if (json_array_size(buttons) > EMULATOR_TEMPLATE_BUTTONS_MAX)
        return "more than 10 buttons";
    json_array_foreach((json_t *)buttons, i, button) template->buttons[template->button_count++] =
        button_of(button);
    return NULL;
}

static const char *
read_component(struct emulator_template *template, const json_t *component)
{
    if (is_word(component, "type", "body"))
        return read_body(template, component);
    if (is_word(component, "type", "header"))
        return read_header(template, component);
    if (is_word(component, "type", "buttons"))
        return read_buttons(template, component);
    template->body_only = template->body_only && !is_word(component, "type", "footer");
    return NULL;
}

static enum emulator_template_status
status_of(const json_t *json)
{
    if (string_of(json, "status").size == 0 || is_word(json, "status", "approved"))
        return EMULATOR_TEMPLATE_APPROVED;
    if (is_word(json, "status", "paused"))
        return EMULATOR_TEMPLATE_PAUSED;
    return is_word(json, "status", "disabled") ? EMULATOR_TEMPLATE_DISABLED
                                               : EMULATOR_TEMPLATE_PENDING;
}

/* What is wrong, or NULL. */
static const char *
read_template(struct emulator_template *template, const json_t *json)
{
    const json_t *components = json_object_get(json, "components"), *component;
    size_t i;
    template->name = string_of(json, "name");
    template->language = string_of(json, "language");
    template->status = status_of(json);
    template->body_only = true;
    template->named = is_word(json, "parameter_format", "named");
    if (template->name.size == 0 || template->language.size == 0)
        return "it has no \"name\" or no \"language\"";
    if (!emulator_category_read(string_of(json, "category"), &template->category))
        return "\"category\" is none of UTILITY, AUTHENTICATION, MARKETING";
    if (!json_is_array(components))
        return "it has no array \"components\"";
    json_array_foreach((json_t *)components, i, component)
    {
        const char *wrong = read_component(template, component);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static bool
add_one(struct emulator_templates *templates, const json_t *json, const char *source,
        struct error_text *error)
{
    struct emulator_template *template = check_alloc(1, sizeof *template);
    const char *wrong = read_template(template, json);
    uint32_t slot = wrong == NULL ? slot_of(templates, template->name, template->language) : 0;
    uint16_t known = wrong == NULL ? templates->slots[slot] : 0;
    if (known != 0 && !templates->replaceable)
        wrong = "this name and language are there already";
    if (wrong == NULL && known == 0 && templates->count == EMULATOR_TEMPLATES_MAX)
        wrong = "too many templates";
    if (wrong != NULL) {
        error_set(error, "%s: template \"%.*s\": %s", source, SPAN_ARG(template->name), wrong);
        free(template);
        return false;
    }
    if (known != 0) { /* an edit: what was counted under its number stays so */
        template->index = (uint16_t)(known - 1);
        free(templates->all[known - 1]);
        templates->all[known - 1] = template;
        return true;
    }
    template->index = (uint16_t)templates->count;
    templates->all[templates->count++] = template;
    templates->slots[slot] = (uint16_t)templates->count;
    return true;
}

void
emulator_templates_allow_edits(struct emulator_templates *templates)
{
    templates->replaceable = true;
}

bool
emulator_templates_add(struct emulator_templates *templates, struct span json, const char *source,
                       struct error_text *error)
{
    json_error_t failure;
    json_t *root = json_loadb(json.data, json.size, JSON_REJECT_DUPLICATES, &failure), *one;
    size_t i;
    if (root == NULL) {
        error_set(error, "%s:%d: %s", source, failure.line, failure.text);
        return false;
    }
    struct document *document = check_alloc(1, sizeof *document);
    *document = (struct document){.json = root, .next = templates->documents};
    templates->documents = document;
    const json_t *list = json_is_object(root) ? json_object_get(root, "data") : root;
    if (!json_is_array(list))
        return add_one(templates, root, source, error);
    json_array_foreach((json_t *)list, i, one)
    {
        if (!add_one(templates, one, source, error))
            return false;
    }
    return true;
}

static bool
add_file(struct emulator_templates *templates, const char *path, struct error_text *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        error_set(error, "%s: %s", path, strerror(errno));
        return false;
    }
    char *data = check_alloc(1, FILE_SIZE_MAX);
    size_t size = fread(data, 1, FILE_SIZE_MAX, file);
    bool good = ferror(file) == 0 && size < FILE_SIZE_MAX;
    fclose(file);
    if (!good)
        error_set(error, "%s: cannot be read, or is larger than 8 MiB", path);
    good = good && emulator_templates_add(templates, (struct span){data, size}, path, error);
    free(data);
    return good;
}

static bool read_folder(struct emulator_templates *templates, const char *folder, int depth,
                        struct error_text *error);

static bool
read_item(struct emulator_templates *templates, const char *path, int depth,
          struct error_text *error)
{
    struct stat status;
    size_t size = strlen(path);
    if (stat(path, &status) != 0) {
        error_set(error, "%s: %s", path, strerror(errno));
        return false;
    }
    if (S_ISDIR(status.st_mode))
        return read_folder(templates, path, depth + 1, error);
    if (size < 5 || strcmp(path + size - 5, ".json") != 0)
        return true;
    return add_file(templates, path, error);
}

/* In the order of names, so that a template's index does not depend on the file system. */
static bool
read_folder(struct emulator_templates *templates, const char *folder, int depth,
            struct error_text *error)
{
    struct dirent **names;
    if (depth > FOLDER_DEPTH_MAX) {
        error_set(error, "%s: more than %d folders in each other", folder, FOLDER_DEPTH_MAX);
        return false;
    }
    int count = scandir(folder, &names, NULL, alphasort);
    if (count < 0) {
        error_set(error, "%s: %s: name the folder of the template files with --templates", folder,
                  strerror(errno));
        return false;
    }
    bool good = true;
    for (int i = 0; i < count; i++) {
        char path[4096];
        int size = snprintf(path, sizeof path, "%s/%s", folder, names[i]->d_name);
        if (good && names[i]->d_name[0] != '.' && size < (int)sizeof path)
            good = read_item(templates, path, depth, error);
        free(names[i]);
    }
    free(names);
    return good;
}

bool
emulator_templates_read_folder(struct emulator_templates *templates, const char *folder,
                               struct error_text *error)
{
    return read_folder(templates, folder, 0, error);
}
