#include "loadtest/emulator_csv.h"

#include "sender/base/check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
emulator_csv_fail(struct emulator_csv *csv, const char *format, ...)
{
    char words[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(words, sizeof words, format, arguments);
    va_end(arguments);
    if (csv->failed)
        return;
    csv->failed = true;
    error_set(&csv->error, "%s:%u: %s", csv->path, csv->line, words);
}

/* The whole file into csv->data and csv->rest. */
static bool
read_file(struct emulator_csv *csv)
{
    FILE *file = fopen(csv->path, "rb");
    if (file == NULL) {
        csv->failed = true;
        error_set(&csv->error, "%s: %s", csv->path, strerror(errno));
        return false;
    }
    csv->data = check_alloc(1, EMULATOR_CSV_SIZE_MAX);
    size_t size = fread(csv->data, 1, EMULATOR_CSV_SIZE_MAX, file);
    bool bad = ferror(file) != 0;
    fclose(file);
    if (bad || size == EMULATOR_CSV_SIZE_MAX) {
        csv->failed = true;
        error_set(&csv->error, "%s: %s", csv->path,
                  bad ? "cannot be read" : "larger than 4 MiB: is it the right file?");
        return false;
    }
    csv->rest = (struct span){.data = csv->data, .size = size};
    return true;
}

/* After an opening quote: the field is unquoted in place, over the bytes it came from. */
static bool
read_quoted(struct emulator_csv *csv, struct span *line, struct span *field)
{
    char *out = csv->data + (line->data - csv->data);
    const char *at = line->data + 1, *end = line->data + line->size;
    *field = (struct span){.data = out};
    for (; at < end; at++) {
        if (*at != '"') {
            *out++ = *at;
        } else if (at + 1 < end && at[1] == '"') {
            *out++ = '"';
            at++;
        } else {
            field->size = (size_t)(out - field->data);
            at++;
            *line = (struct span){.data = at, .size = (size_t)(end - at)};
            return at == end || *at == ',';
        }
    }
    return false;
}

static bool
read_row(struct emulator_csv *csv, struct span line, struct span *row, uint32_t *count)
{
    *count = 0;
    for (;;) {
        if (*count == EMULATOR_CSV_COLUMNS_MAX) {
            emulator_csv_fail(csv, "more than %d columns", EMULATOR_CSV_COLUMNS_MAX);
            return false;
        }
        struct span *field = &row[(*count)++];
        if (line.size > 0 && line.data[0] == '"') {
            if (!read_quoted(csv, &line, field)) {
                emulator_csv_fail(csv, "a quoted field is not closed, or goes on after its quote");
                return false;
            }
        } else {
            size_t comma = line.size;
            span_find(line, ',', &comma);
            *field = (struct span){.data = line.data, .size = comma};
            line = (struct span){.data = line.data + comma, .size = line.size - comma};
        }
        if (line.size == 0)
            return true;
        line = (struct span){.data = line.data + 1, .size = line.size - 1};
    }
}

/* The next line that is not empty, without its line break. */
static bool
next_line(struct emulator_csv *csv, struct span *line)
{
    while (csv->rest.size > 0) {
        csv->line++;
        *line = span_split(&csv->rest, '\n');
        if (line->size > 0 && line->data[line->size - 1] == '\r')
            line->size--;
        if (line->size > 0)
            return true;
    }
    return false;
}

bool
emulator_csv_open(struct emulator_csv *csv, const char *path)
{
    *csv = (struct emulator_csv){.path = path};
    struct span line;
    if (!read_file(csv)) {
        emulator_csv_close(csv);
        return false;
    }
    if (span_starts(csv->rest, SPAN("\xef\xbb\xbf")))
        csv->rest = (struct span){.data = csv->rest.data + 3, .size = csv->rest.size - 3};
    if (!next_line(csv, &line))
        emulator_csv_fail(csv, "the file is empty: it must begin with a header line");
    else if (read_row(csv, line, csv->header, &csv->column_count))
        return true;
    emulator_csv_close(csv);
    return false;
}

void
emulator_csv_close(struct emulator_csv *csv)
{
    free(csv->data);
    csv->data = NULL;
    csv->rest = (struct span){0};
}

bool
emulator_csv_next(struct emulator_csv *csv)
{
    struct span line;
    uint32_t count;
    if (csv->failed || !next_line(csv, &line) || !read_row(csv, line, csv->row, &count))
        return false;
    if (count != csv->column_count) {
        emulator_csv_fail(csv, "%u fields, but the header has %u", count, csv->column_count);
        return false;
    }
    return true;
}

bool
emulator_csv_column(struct emulator_csv *csv, const char *name, uint32_t *column)
{
    for (*column = 0; *column < csv->column_count; (*column)++) {
        if (span_equal(csv->header[*column], span_of(name)))
            return true;
    }
    *column = 0;
    emulator_csv_fail(csv, "the header has no column \"%s\"", name);
    return false;
}
