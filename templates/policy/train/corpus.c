#include "templates/policy/train/corpus.h"

#include "sender/base/check.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const labels[CORPUS_LABELS] = {"trans", "near", "ham",  "value",
                                                  "promo", "bait", "mixed"};

bool
corpus_is_promotional(enum corpus_label label)
{
    return label >= CORPUS_PROMO;
}

const char *
corpus_label_text(enum corpus_label label)
{
    return labels[label];
}

/* ---- reading -------------------------------------------------------------------------------- */

static char *
read_file(const char *path, size_t *size, struct error_text *error)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        error_set(error, "%s: cannot be read", path);
        return NULL;
    }
    fseek(file, 0, SEEK_END);
    long length = ftell(file);
    rewind(file);
    char *text = check_alloc((size_t)(length > 0 ? length : 0) + 1, 1);
    *size = fread(text, 1, (size_t)length, file);
    fclose(file);
    return text;
}

static void *
room_for(void *list, uint32_t count, size_t size)
{
    if ((count & (count - 1)) != 0) /* grows at powers of two */
        return list;
    void *larger = realloc(list, (count == 0 ? 1 : 2 * (size_t)count) * size);
    check(larger != NULL);
    return larger;
}

static bool
read_label(struct span line, struct corpus_line *now)
{
    struct span rest = {line.data + 1, line.size - 1};
    struct span label = span_split(&rest, ' ');
    for (int i = 0; i < CORPUS_LABELS; i++) {
        if (!span_equal(label, span_of(labels[i])))
            continue;
        now->label = (enum corpus_label)i;
        now->kind = span_trim(rest);
        return true;
    }
    return false;
}

static bool
read_lines(struct corpus *corpus, const char *path, struct span text, struct error_text *error)
{
    struct corpus_line now = {.language = corpus->language_count};
    uint32_t number = 0;
    while (text.data != NULL) {
        struct span line = span_trim(span_split(&text, '\n'));
        number++;
        if (line.size == 0 || line.data[0] == '#')
            continue;
        if (line.data[0] == '@') {
            if (read_label(line, &now))
                continue;
            error_set(error, "%s:%u: no label: @trans, @near, @ham, @value, @promo, @bait, @mixed",
                      path, number);
            return false;
        }
        if (now.kind.data == NULL || !span_is_utf8(line) || line.size > CORPUS_TEXT_MAX / 2) {
            error_set(error, "%s:%u: before the first label, no UTF-8, or too long", path, number);
            return false;
        }
        now.text = line;
        corpus->lines = room_for(corpus->lines, corpus->line_count, sizeof(*corpus->lines));
        corpus->lines[corpus->line_count++] = now;
    }
    return true;
}

static bool
read_values(struct corpus *corpus, const char *path, struct span text, struct error_text *error)
{
    uint32_t number = 0;
    while (text.data != NULL) {
        struct span rest = span_split(&text, '\n');
        struct corpus_value value;
        number++;
        if (rest.size == 0 || rest.data[0] == '#')
            continue;
        value.slot = span_split(&rest, '\t');
        value.language = span_split(&rest, '\t');
        value.value = span_trim(rest);
        if (value.slot.size == 0 || value.language.size == 0 || value.value.size == 0) {
            error_set(error, "%s:%u: not slot<TAB>language<TAB>value", path, number);
            return false;
        }
        corpus->values = room_for(corpus->values, corpus->value_count, sizeof(*corpus->values));
        corpus->values[corpus->value_count++] = value;
    }
    return true;
}

static int
is_language_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 4 && strcspn(entry->d_name, "-.") < 8 &&
           strcmp(entry->d_name + size - 4, ".txt") == 0;
}

static bool
read_language(struct corpus *corpus, const char *folder, const char *name, struct error_text *error)
{
    char path[4096];
    size_t size = 0;
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    if (corpus->language_count == CORPUS_LANGUAGES_MAX) {
        error_set(error, "%s: one language too many", path);
        return false;
    }
    char *text = read_file(path, &size, error);
    if (text == NULL)
        return false;
    corpus->memory[corpus->language_count] = text;
    snprintf(corpus->languages[corpus->language_count], 8, "%.*s", (int)strcspn(name, "-."), name);
    bool good = read_lines(corpus, path, (struct span){text, size}, error);
    corpus->language_count++;
    return good;
}

bool
corpus_open(struct corpus *corpus, const char *folder, struct error_text *error)
{
    struct dirent **names;
    char path[4096];
    size_t size = 0;
    *corpus = (struct corpus){0};
    snprintf(path, sizeof(path), "%s/values.tsv", folder);
    int count = scandir(folder, &names, is_language_file, alphasort);
    if (count <= 0) {
        error_set(error, "%s: no folder with LANG.txt files", folder);
        return false;
    }
    bool good = true;
    for (int i = 0; i < count; i++) {
        good = good && read_language(corpus, folder, names[i]->d_name, error);
        free(names[i]);
    }
    free(names);
    char *values = good ? read_file(path, &size, error) : NULL;
    corpus->memory[CORPUS_LANGUAGES_MAX] = values;
    good = values != NULL && read_values(corpus, path, (struct span){values, size}, error);
    if (!good)
        corpus_close(corpus);
    return good;
}

void
corpus_close(struct corpus *corpus)
{
    for (uint32_t i = 0; i <= CORPUS_LANGUAGES_MAX; i++)
        free(corpus->memory[i]);
    free(corpus->lines);
    free(corpus->values);
    *corpus = (struct corpus){0};
}

/* ---- expanding ------------------------------------------------------------------------------ */

struct expansion {
    const struct corpus *corpus;
    const struct corpus_line *line;
    struct random *random;
    struct buffer *out;
    struct error_text *error;
};

static bool
put_slot(const struct expansion *expansion, struct span slot)
{
    const struct corpus *corpus = expansion->corpus;
    struct span language = span_of(corpus->languages[expansion->line->language]);
    uint32_t found = 0;
    struct span value = {0};
    for (uint32_t i = 0; i < corpus->value_count; i++) {
        const struct corpus_value *one = &corpus->values[i];
        if (span_equal(one->slot, slot) &&
            (span_equal(one->language, language) || span_equal(one->language, SPAN("*"))) &&
            random_below(expansion->random, ++found) == 0)
            value = one->value;
    }
    if (found == 0) {
        error_set(expansion->error, "%s.txt: no value for {%.*s} in \"%.*s\"",
                  corpus->languages[expansion->line->language], SPAN_ARG(slot),
                  SPAN_ARG(expansion->line->text));
        return false;
    }
    /* A # in a value is any digit. */
    for (size_t i = 0; i < value.size; i++)
        buffer_put_char(expansion->out, value.data[i] == '#'
                                            ? (char)('0' + random_below(expansion->random, 10))
                                            : value.data[i]);
    return true;
}

/* Text without brackets. */
static bool
put_plain(const struct expansion *expansion, struct span text)
{
    for (size_t i = 0; i < text.size; i++) {
        size_t end;
        if (text.data[i] == '\\' && i + 1 < text.size) {
            buffer_put_char(expansion->out, text.data[++i]);
        } else if (text.data[i] == '{' &&
                   span_find((struct span){text.data + i, text.size - i}, '}', &end)) {
            if (!put_slot(expansion, (struct span){text.data + i + 1, end - 1}))
                return false;
            i += end;
        } else {
            buffer_put_char(expansion->out, text.data[i]);
        }
    }
    return true;
}

static bool
put_one_of(const struct expansion *expansion, struct span choices)
{
    struct span rest = choices;
    struct span chosen = {0};
    uint32_t count = 0;
    while (rest.data != NULL) {
        struct span choice = span_split(&rest, '|');
        if (random_below(expansion->random, ++count) == 0)
            chosen = choice;
    }
    return put_plain(expansion, chosen);
}

bool
corpus_expand(const struct corpus *corpus, const struct corpus_line *line, struct random *random,
              struct buffer *out, struct error_text *error)
{
    struct expansion expansion = {corpus, line, random, out, error};
    struct span rest = line->text;
    buffer_reset(out);
    while (rest.size > 0) {
        size_t open;
        size_t close;
        if (!span_find(rest, '[', &open) || (open > 0 && rest.data[open - 1] == '\\'))
            return put_plain(&expansion, rest);
        struct span inside = {rest.data + open + 1, rest.size - open - 1};
        if (!span_find(inside, ']', &close)) {
            error_set(error, "%s.txt: a [ without ] in \"%.*s\"", corpus->languages[line->language],
                      SPAN_ARG(line->text));
            return false;
        }
        if (!put_plain(&expansion, (struct span){rest.data, open}) ||
            !put_one_of(&expansion, (struct span){inside.data, close}))
            return false;
        rest = (struct span){inside.data + close + 1, inside.size - close - 1};
    }
    return true;
}
