#include "sender/cli/attempt_history.h"

#include "sender/base/json.h"
#include "sender/cli/print.h"

#include <stdio.h>

/* The size of the JSON string that `text` begins with, its quotes included; 0: it is none. */
static size_t
string_size(struct span text)
{
    if (text.size == 0 || text.data[0] != '"')
        return 0;
    for (size_t i = 1; i < text.size; i++) {
        if (text.data[i] == '\\')
            i++;
        else if (text.data[i] == '"')
            return i + 1;
    }
    return 0;
}

/* "1732377600000 2 (#131000) Something went wrong" */
static bool
read_line(struct span text, struct attempt_line *line)
{
    struct span rest = text;
    bool good = span_to_u64(span_split(&rest, ' '), &line->at_ms) &&
                span_to_u64(span_split(&rest, ' '), &line->attempt);
    line->words = rest;
    return good;
}

/* Unescapes the string into the history's memory, as the value of an object that is read flat. */
static bool
read_string(struct span string, struct buffer *memory, struct attempt_line *line)
{
    struct field field;
    struct json_object object = {.fields = &field, .capacity = 1};
    size_t start = memory->size;
    buffer_put_text(memory, "{\"x\":");
    buffer_put_span(memory, string);
    buffer_put_char(memory, '}');
    return !memory->overflow &&
           json_read_flat((struct span){memory->data + start, memory->size - start}, &object,
                          NULL) == JSON_OK &&
           read_line(field.value, line);
}

bool
attempt_history_read(struct span json, struct attempt_history *history)
{
    struct buffer memory;
    struct span rest = span_trim(json);
    history->count = 0;
    buffer_init(&memory, history->memory, sizeof(history->memory));
    if (rest.size == 0)
        return true;
    if (rest.size < 2 || rest.data[0] != '[' || rest.data[rest.size - 1] != ']')
        return false;
    rest = (struct span){rest.data + 1, rest.size - 2};
    while (rest.size > 0) {
        size_t size = string_size(rest);
        if (size == 0 || history->count == ATTEMPT_HISTORY_MAX ||
            !read_string((struct span){rest.data, size}, &memory, &history->lines[history->count]))
            return false;
        history->count++;
        rest = (struct span){rest.data + size, rest.size - size};
        if (rest.size > 0 && (rest.data[0] != ',' || rest.size == 1))
            return false;
        rest = rest.size > 0 ? (struct span){rest.data + 1, rest.size - 1} : rest;
    }
    return true;
}

void
attempt_history_print(const struct attempt_history *history)
{
    for (uint32_t i = 0; i < history->count; i++) {
        printf("  attempt %llu at ", (unsigned long long)history->lines[i].attempt);
        print_time(history->lines[i].at_ms);
        printf(": ");
        print_plain(history->lines[i].words);
        putchar('\n');
    }
}

void
attempt_history_print_json(const struct attempt_history *history)
{
    printf(",\"history\":[");
    for (uint32_t i = 0; i < history->count; i++) {
        printf("%s{\"at\":%llu,\"attempt\":%llu,\"reason\":", i == 0 ? "" : ",",
               (unsigned long long)history->lines[i].at_ms,
               (unsigned long long)history->lines[i].attempt);
        print_json_text(history->lines[i].words);
        putchar('}');
    }
    putchar(']');
}
