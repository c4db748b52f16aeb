#include "templates/stored.h"
#include "sender/base/check.h"
#include "sender/base/json.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEYS_MAX = 16 };

/* ---- one record ----------------------------------------------------------------------------- */

/* What a name is shown as in an error: long garbage is cut. */
static int
shown(struct span text)
{
    return text.size > 80 ? 80 : (int)text.size;
}

static bool
read_field(struct span field, struct stored_template *stored, struct error_text *error)
{
    struct span rest = field;
    stored->name = span_split(&rest, '/');
    stored->language = rest;
    if (template_name_is_good(stored->name) && stored->name.size <= TEMPLATE_NAME_MAX &&
        template_language_is_good(stored->language))
        return true;
    error_set(error, "Redis: \"%.*s\" is not NAME/LANGUAGE of a template", shown(field),
              field.data);
    *stored = (struct stored_template){0};
    return false;
}

static bool
take(struct stored_template *stored, const struct field *field, bool is_raw)
{
    static const struct {
        struct span name;
        size_t offset;
    } texts[] = {
        {{"version", 7}, offsetof(struct stored_template, version)},
        {{"who", 3}, offsetof(struct stored_template, who)},
        {{"why", 3}, offsetof(struct stored_template, why)},
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (!span_equal(field->name, texts[i].name))
            continue;
        *(struct span *)(void *)((char *)stored + texts[i].offset) = field->value;
        return !is_raw;
    }
    if (span_equal(field->name, SPAN("at")))
        return is_raw && span_to_u64(field->value, &stored->at_ms);
    if (!span_equal(field->name, SPAN("template")))
        return true; /* more keys may come */
    if (!is_raw || (field->value.data[0] != '{' && !span_equal(field->value, SPAN("null"))))
        return false;
    if (field->value.data[0] == '{')
        stored->json = field->value;
    return true;
}

/* Always false. */
static bool
forget_text(struct stored_template *stored)
{
    *stored = (struct stored_template){.name = stored->name, .language = stored->language};
    return false;
}

bool
stored_read(struct span field, struct span value, struct stored_template *stored,
            struct error_text *error)
{
    *stored = (struct stored_template){0};
    struct field fields[KEYS_MAX];
    struct json_object object = {.fields = fields, .capacity = KEYS_MAX};
    uint64_t raw;
    bool has_template = false;
    if (!read_field(field, stored, error))
        return false;
    enum json_error problem = json_read_flat(value, &object, &raw);
    if (problem != JSON_OK) {
        error_set(error, "Redis: template %.*s: its record is %s (byte %zu): add it again",
                  shown(field), field.data, json_error_text(problem), object.error_at + 1);
        return forget_text(stored);
    }
    for (size_t i = 0; i < object.count; i++) {
        has_template = has_template || span_equal(fields[i].name, SPAN("template"));
        if (take(stored, &fields[i], (raw >> i & 1) != 0))
            continue;
        error_set(error,
                  "Redis: template %.*s: \"%.*s\" of its record is not as expected: add it "
                  "again",
                  shown(field), field.data, shown(fields[i].name), fields[i].name.data);
        return forget_text(stored);
    }
    if (!has_template)
        error_set(error, "Redis: template %.*s: its record has no \"template\": add it again",
                  shown(field), field.data);
    return has_template;
}

void
stored_put_field(const struct stored_template *stored, struct buffer *out)
{
    buffer_put_span(out, stored->name);
    buffer_put_char(out, '/');
    buffer_put_span(out, stored->language);
}

void
stored_put_value(const struct stored_template *stored, struct buffer *out)
{
    buffer_put_text(out, "{\"version\":");
    json_put_string(out, stored->version);
    buffer_put_text(out, ",\"who\":");
    json_put_string(out, stored->who);
    buffer_put_text(out, ",\"at\":");
    buffer_put_u64(out, stored->at_ms);
    buffer_put_text(out, ",\"why\":");
    json_put_string(out, stored->why);
    buffer_put_text(out, ",\"template\":");
    buffer_put_span(out, stored->json.size == 0 ? SPAN("null") : stored->json);
    buffer_put_char(out, '}');
}

/* ---- all of them over the files ------------------------------------------------------------- */

/* False, and told, if it is no good template or not the one its field names. */
static bool
add_stored(struct catalogue *catalogue, const struct stored_template *stored,
           struct error_text *error)
{
    char source[STORED_FIELD_MAX + 32];
    (void)snprintf(source, sizeof(source), "Redis: template %.*s/%.*s", SPAN_ARG(stored->name),
                   SPAN_ARG(stored->language));
    struct template *template = template_read(stored->json, source, error);
    if (template == NULL)
        return false;
    if (span_equal(template->name, stored->name) &&
        span_equal(template->language, stored->language))
        return catalogue_take(catalogue, template, stored->json, source, error);
    error_set(error, "%s: its text is that of %.*s/%.*s: add both again", source,
              SPAN_ARG(template->name), SPAN_ARG(template->language));
    template_close(template);
    return false;
}

/* A file that nothing stored hides; it was read before, so it is good. */
static void
add_files(struct catalogue *catalogue, const struct catalogue *files, const bool *hidden)
{
    struct error_text error;
    for (uint32_t i = 0; i < catalogue_count(files); i++)
        check(hidden[i] || catalogue_add(catalogue, catalogue_json(files, i),
                                         catalogue_source(files, i), &error));
}

struct catalogue *
stored_catalogue(const struct stored_template *stored, uint32_t count,
                 const struct catalogue *files, const struct stored_complaints *complaints,
                 struct error_text *error)
{
    uint32_t file_count = files == NULL ? 0 : catalogue_count(files);
    bool *hidden = check_alloc((uint64_t)file_count + 1, sizeof(*hidden));
    uint64_t total = file_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct template *file =
            files == NULL ? NULL : catalogue_find(files, stored[i].name, stored[i].language, NULL);
        if (file != NULL) {
            hidden[file->index] = true;
            total--;
        }
        total += stored[i].json.size > 0 ? 1 : 0;
    }
    struct catalogue *catalogue = NULL;
    if (total > CATALOGUE_TEMPLATES_MAX)
        error_set(error, "%llu templates, those of Redis and those of files: at most %d",
                  (unsigned long long)total, CATALOGUE_TEMPLATES_MAX);
    else
        catalogue = catalogue_open_empty((uint32_t)total);
    for (uint32_t i = 0; catalogue != NULL && i < count; i++) {
        struct error_text bad;
        if (stored[i].json.size > 0 && !add_stored(catalogue, &stored[i], &bad))
            complaints->on_bad(complaints->context, &bad);
    }
    if (catalogue != NULL && files != NULL)
        add_files(catalogue, files, hidden);
    free(hidden);
    return catalogue;
}
