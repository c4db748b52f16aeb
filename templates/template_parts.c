#include "templates/template_parts.h"
#include "sender/base/check.h"
#include "templates/json_place.h"
#include "templates/template_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

void
reader_fail(const struct reader *reader, enum lint_rule rule, const char *path, const char *place,
            const char *text)
{
    struct lint_report *report = reader->report;
    report->errors += lint_rule_is_error(rule) ? 1 : 0;
    if (report->count == LINT_FINDINGS_MAX) {
        report->more = true;
        return;
    }
    struct lint_finding *finding = &report->findings[report->count++];
    struct json_place found = json_place_find(reader->json, place);
    *finding = (struct lint_finding){.rule = rule, .line = found.line, .column = found.column};
    (void)snprintf(finding->path, sizeof(finding->path), "%s", path);
    (void)snprintf(finding->text, sizeof(finding->text), "%s", text);
}

/* "components[1].buttons[0].url" */
static void
join(const struct part *part, const char *key, char path[LINT_PATH_MAX])
{
    (void)snprintf(path, LINT_PATH_MAX, "%s%s%s", part->path,
                   part->path[0] != '\0' && key != NULL ? "." : "", key == NULL ? "" : key);
}

bool
part_fail(const struct part *part, const char *key, enum lint_rule rule, const char *format, ...)
{
    char problem[400];
    char path[LINT_PATH_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(problem, sizeof(problem), format, arguments);
    va_end(arguments);
    join(part, key, path);
    reader_fail(part->reader, rule, path, path, problem);
    return false;
}

/* Edits between two words (insert, drop, change); words longer than the row count as far apart. */
static uint32_t
distance(const char *a, const char *b)
{
    uint8_t row[41];
    size_t size = strlen(b);
    if (size > 40 || strlen(a) > 40)
        return 99;
    for (size_t j = 0; j <= size; j++)
        row[j] = (uint8_t)j;
    for (size_t i = 1; a[i - 1] != '\0'; i++) {
        uint8_t corner = row[0];
        row[0] = (uint8_t)i;
        for (size_t j = 1; j <= size; j++) {
            uint8_t change = (uint8_t)(corner + (a[i - 1] == b[j - 1] ? 0 : 1));
            uint8_t skip = (uint8_t)((row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1);
            corner = row[j];
            row[j] = change < skip ? change : skip;
        }
    }
    return row[size];
}

static const char *
nearest(const char *key, const char *const *known)
{
    const char *best = known[0];
    for (size_t i = 1; known[i] != NULL; i++)
        if (distance(key, known[i]) < distance(key, best))
            best = known[i];
    return best;
}

static bool
is_known(const char *key, const char *const *known)
{
    for (size_t i = 0; known[i] != NULL; i++)
        if (strcmp(key, known[i]) == 0)
            return true;
    return false;
}

bool
part_knows(const struct part *part, const char *const *known)
{
    const char *key;
    json_t *value;
    bool good = true;
    json_object_foreach((json_t *)part->object, key, value)
    {
        char text[200];
        char place[LINT_PATH_MAX];
        if (is_known(key, known))
            continue;
        good = false;
        join(part, key, place);
        (void)snprintf(text, sizeof(text),
                       "\"%.60s\" is not a key of Meta's format: did you mean \"%s\"?", key,
                       nearest(key, known));
        reader_fail(part->reader, LINT_UNKNOWN_KEY, part->path, place, text);
    }
    return good;
}

struct span
reader_keep(struct reader *reader, struct span text)
{
    char *copy = reader->memory.data + reader->memory.size;
    buffer_put_span(&reader->memory, text);
    check(!reader->memory.overflow); /* sized by the JSON, of which every string is a part */
    return (struct span){.data = copy, .size = text.size};
}

/* Line breaks are text; other control characters are a slip that Meta would refuse. */
static bool
has_control(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 && text.data[i] != '\n')
            return true;
    return false;
}

bool
part_text(const struct part *part, const char *key, bool required, struct span *text)
{
    const json_t *value = json_object_get(part->object, key);
    *text = (struct span){0};
    if (value == NULL)
        return !required || part_fail(part, key, LINT_MISSING, "is missing: add it");
    if (!json_is_string(value))
        return part_fail(part, key, LINT_SHAPE, "is not a string: put it in quotes");
    *text = reader_keep(part->reader, (struct span){.data = json_string_value(value),
                                                    .size = json_string_length(value)});
    if (has_control(*text))
        return part_fail(part, key, LINT_CONTROL,
                         "has a tab or another control character: take it out");
    return true;
}

bool
part_text_limited(const struct part *part, const char *key, uint32_t limit, struct span *text)
{
    if (!part_text(part, key, true, text))
        return false;
    uint32_t size = template_text_characters(*text);
    if (span_trim(*text).size == 0)
        return part_fail(part, key, LINT_EMPTY,
                         "is empty: write something or leave the component out");
    if (size > limit)
        return part_fail(part, key, LINT_TOO_LONG,
                         "%u characters: Meta takes at most %u, shorten it", size, limit);
    return true;
}

bool
part_word(const struct part *part, const char *key, const char *const *words, uint32_t *index)
{
    struct span word;
    if (!part_text(part, key, true, &word))
        return false;
    for (uint32_t i = 0; words[i] != NULL; i++) {
        if (word.data != NULL && strlen(words[i]) == word.size &&
            strncasecmp(words[i], word.data, word.size) == 0) {
            *index = i;
            return true;
        }
    }
    char list[200] = "";
    for (uint32_t i = 0; words[i] != NULL; i++) {
        size_t at = strlen(list);
        (void)snprintf(list + at, sizeof(list) - at, "%s%s", i == 0 ? "" : ", ", words[i]);
    }
    return part_fail(part, key, LINT_WORD, "\"%.*s\" is not one of %s",
                     word.size > 40 ? 40 : (int)word.size, word.data, list);
}

bool
part_enter(const struct part *part, const char *key, size_t index, struct part *inner)
{
    *inner = (struct part){.reader = part->reader,
                           .object = json_array_get(json_object_get(part->object, key), index)};
    struct buffer path;
    buffer_init(&path, inner->path, sizeof(inner->path));
    buffer_printf(&path, "%s%s%s[%zu]", part->path, part->path[0] == '\0' ? "" : ".", key, index);
    (void)buffer_text(&path);
    return json_is_object(inner->object) ||
           part_fail(inner, NULL, LINT_SHAPE, "is not an object: use {…}");
}
