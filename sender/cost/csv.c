#include "sender/cost/csv.h"
#include "sender/base/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Takes what is in memory: drops a byte order mark, and refuses what is no text. */
static bool
csv_begin(struct csv *csv, struct error_text *error)
{
    struct span text = {.data = csv->data, .size = csv->size};
    csv->next_line = 1;
    if (span_starts(text, SPAN("\xef\xbb\xbf")))
        csv->at = 3;
    if (csv->size == csv->at) {
        error_set(error, "%s: the file is empty: it needs a header line and rows", csv->source);
        return false;
    }
    if (memchr(csv->data, '\0', csv->size) != NULL || !span_is_utf8(text)) {
        error_set(error, "%s: not a text in UTF-8: save it as CSV with encoding UTF-8",
                  csv->source);
        return false;
    }
    return true;
}

/* Reads the file into csv->data. One byte more than is allowed, to see that it ends. */
static bool
csv_load(struct csv *csv, FILE *file, struct error_text *error)
{
    csv->data = check_alloc(1, CSV_SIZE_MAX + 1);
    csv->size = fread(csv->data, 1, CSV_SIZE_MAX + 1, file);
    if (ferror(file)) {
        error_set(error, "%s: cannot be read: %s", csv->source, strerror(errno));
        return false;
    }
    if (csv->size > CSV_SIZE_MAX) {
        error_set(error, "%s: larger than %d bytes: this is not such a table", csv->source,
                  CSV_SIZE_MAX);
        return false;
    }
    return csv_begin(csv, error);
}

bool
csv_open(struct csv *csv, const char *path, struct error_text *error)
{
    *csv = (struct csv){.source = path};
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        error_set(error, "%s: cannot be opened: %s", path, strerror(errno));
        return false;
    }
    bool loaded = csv_load(csv, file, error);
    (void)fclose(file); /* only read from: nothing can be lost here */
    return loaded;
}

bool
csv_open_text(struct csv *csv, struct span text, const char *source, struct error_text *error)
{
    *csv = (struct csv){.source = source};
    if (text.size > CSV_SIZE_MAX) {
        error_set(error, "%s: larger than %d bytes: this is not such a table", source,
                  CSV_SIZE_MAX);
        return false;
    }
    csv->data = check_alloc(1, text.size + 1);
    if (text.size > 0)
        memcpy(csv->data, text.data, text.size);
    csv->size = text.size;
    return csv_begin(csv, error);
}

void
csv_close(struct csv *csv)
{
    free(csv->data);
    csv->data = NULL;
    csv->size = 0;
}

static bool
is_line_end(const struct csv *csv, size_t at)
{
    return csv->data[at] == '\n' ||
           (csv->data[at] == '\r' && at + 1 < csv->size && csv->data[at + 1] == '\n');
}

/* Steps over the line end at csv->at, if there is one. */
static void
skip_line_end(struct csv *csv)
{
    if (csv->at == csv->size)
        return;
    check(is_line_end(csv, csv->at));
    csv->at += csv->data[csv->at] == '\r' ? 2 : 1;
    csv->next_line++;
}

/* Steps over the rest of a broken line, so that what follows can be read. */
static void
skip_line(struct csv *csv)
{
    while (csv->at < csv->size && !is_line_end(csv, csv->at))
        csv->at++;
    skip_line_end(csv);
}

/* What is between quotes, unquoted in place: it can only become shorter. */
static bool
read_quoted(struct csv *csv, struct span *field, struct error_text *error)
{
    size_t start = ++csv->at;
    size_t end = start;
    while (csv->at < csv->size) {
        char c = csv->data[csv->at++];
        if (c == '"') {
            if (csv->at == csv->size || csv->data[csv->at] != '"') {
                *field = (struct span){.data = csv->data + start, .size = end - start};
                return true;
            }
            csv->at++;
        }
        if (c == '\n')
            csv->next_line++;
        csv->data[end++] = c;
    }
    error_set(error, "%s:%u: a quote is opened and never closed", csv->source, csv->line);
    return false;
}

static bool
read_plain(struct csv *csv, struct span *field, struct error_text *error)
{
    size_t start = csv->at;
    while (csv->at < csv->size && csv->data[csv->at] != ',' && !is_line_end(csv, csv->at)) {
        if (csv->data[csv->at] == '"') {
            error_set(error,
                      "%s:%u: a quote inside a field: put the whole field in quotes and double "
                      "the inner ones",
                      csv->source, csv->line);
            return false;
        }
        csv->at++;
    }
    *field = (struct span){.data = csv->data + start, .size = csv->at - start};
    return true;
}

static bool
read_field(struct csv *csv, struct span *field, struct error_text *error)
{
    bool quoted = csv->at < csv->size && csv->data[csv->at] == '"';
    if (!(quoted ? read_quoted(csv, field, error) : read_plain(csv, field, error)))
        return false;
    if (field->size > CSV_FIELD_MAX) {
        error_set(error, "%s:%u: a field is longer than %d bytes", csv->source, csv->line,
                  CSV_FIELD_MAX);
        return false;
    }
    if (csv->at < csv->size && csv->data[csv->at] != ',' && !is_line_end(csv, csv->at)) {
        error_set(error, "%s:%u: text after a closing quote: a comma or the line's end must follow",
                  csv->source, csv->line);
        return false;
    }
    return true;
}

/* Reads fields up to the line's end. */
static bool
read_row(struct csv *csv, size_t *count, struct error_text *error)
{
    *count = 0;
    while (true) {
        if (*count == CSV_FIELDS_MAX) {
            error_set(error, "%s:%u: more than %d fields", csv->source, csv->line, CSV_FIELDS_MAX);
            return false;
        }
        if (!read_field(csv, &csv->fields[*count], error))
            return false;
        (*count)++;
        if (csv->at == csv->size || csv->data[csv->at] != ',')
            break;
        csv->at++;
    }
    skip_line_end(csv);
    return true;
}

enum csv_next
csv_next(struct csv *csv, struct error_text *error)
{
    while (csv->at < csv->size && is_line_end(csv, csv->at))
        skip_line_end(csv);
    if (csv->at == csv->size)
        return CSV_END;
    size_t count;
    csv->line = csv->next_line;
    if (!read_row(csv, &count, error)) {
        skip_line(csv);
        return CSV_BROKEN;
    }
    if (csv->field_count == 0)
        csv->field_count = count;
    if (count != csv->field_count) {
        error_set(error, "%s:%u: %zu fields, but the header has %zu", csv->source, csv->line, count,
                  csv->field_count);
        return CSV_BROKEN;
    }
    return CSV_ROW;
}

bool
csv_find_column(const struct csv *csv, struct span name, size_t *index)
{
    for (size_t i = 0; i < csv->field_count; i++) {
        if (span_equal(span_trim(csv->fields[i]), name)) {
            *index = i;
            return true;
        }
    }
    return false;
}

bool
csv_need_column(const struct csv *csv, const char *name, size_t *index, struct error_text *error)
{
    if (csv_find_column(csv, span_of(name), index))
        return true;
    error_set(error, "%s:%u: the header line has no column \"%s\"", csv->source, csv->line, name);
    return false;
}
