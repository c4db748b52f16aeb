/*
 * Reads a waiting record, which the library's cjson wrote: {"attempt":N, …, "fields":["k","v",…]}.
 *
 * Not sender/base/json.h: a producer's values may be any bytes, and cjson passes them through. All
 * is read from a copy in the arena, in which the strings are unescaped where they stand.
 */
#include "queue/calls.h"

#include <string.h>

enum { NESTING_MAX = 8 };

struct reader {
    char *at;
    const char *end;
    bool has_attempt; /* a record without its number of attempts would be tried for ever */
};

static bool
take(struct reader *reader, char c)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\t' ||
                                        *reader->at == '\n' || *reader->at == '\r'))
        reader->at++;
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

/* Steps over a string's rest, behind its opening quote, and changes nothing. */
static bool
skip_string(struct reader *reader)
{
    while (reader->at < reader->end) {
        char c = *reader->at++;
        if (c == '"')
            return true;
        if (c == '\\' && reader->at < reader->end)
            reader->at++;
    }
    return false;
}

/* Steps over an array's or object's rest, behind its opening bracket. */
static bool
skip_nested(struct reader *reader)
{
    unsigned depth = 1;
    while (reader->at < reader->end && depth > 0) {
        char c = *reader->at++;
        if (c == '"' && !skip_string(reader))
            return false;
        if ((c == '[' || c == '{') && ++depth > NESTING_MAX)
            return false;
        if (c == ']' || c == '}')
            depth--;
    }
    return depth == 0;
}

/* Steps over any value; brackets are not matched by kind, for nothing is taken from inside. */
static bool
skip_value(struct reader *reader)
{
    if (take(reader, '"'))
        return skip_string(reader);
    if (take(reader, '[') || take(reader, '{'))
        return skip_nested(reader);
    char *start = reader->at;
    while (reader->at < reader->end && *reader->at != ',' && *reader->at != '}')
        reader->at++;
    return reader->at > start;
}

/* ---- strings ------------------------------------------------------------------------------ */

static bool
read_hex4(struct reader *reader, uint32_t *code)
{
    if (reader->end - reader->at < 4)
        return false;
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = *reader->at++;
        char small = (char)(c | 32);
        if (c >= '0' && c <= '9')
            *code = *code << 4 | (uint32_t)(c - '0');
        else if (small >= 'a' && small <= 'f')
            *code = *code << 4 | (uint32_t)(small - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* Behind \u: one code point, which may need a second half. */
static bool
read_code(struct reader *reader, uint32_t *code)
{
    if (!read_hex4(reader, code) || (*code >= 0xdc00 && *code <= 0xdfff))
        return false;
    if (*code < 0xd800 || *code > 0xdbff)
        return true;
    uint32_t low;
    if (reader->end - reader->at < 6 || reader->at[0] != '\\' || reader->at[1] != 'u')
        return false;
    reader->at += 2;
    if (!read_hex4(reader, &low) || low < 0xdc00 || low > 0xdfff)
        return false;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

/* UTF-8 is never longer than the escape it came from. */
static char *
put_code(char *out, uint32_t code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 63));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 63));
        *out++ = (char)(0x80 | (code >> 6 & 63));
        *out++ = (char)(0x80 | (code & 63));
    }
    return out;
}

/* Behind a backslash. */
static bool
read_escape(struct reader *reader, char **out)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return false;
    char c = *reader->at++;
    const char *found = memchr(from, c, sizeof(from) - 1);
    if (found != NULL) {
        *(*out)++ = to[found - from];
        return true;
    }
    uint32_t code;
    if (c != 'u' || !read_code(reader, &code))
        return false;
    *out = put_code(*out, code);
    return true;
}

/* A string with its opening quote, unescaped in place. */
static bool
read_string(struct reader *reader, struct span *string)
{
    if (!take(reader, '"'))
        return false;
    char *start = reader->at;
    char *out = start;
    while (reader->at < reader->end) {
        char c = *reader->at++;
        if (c == '"') {
            *string = (struct span){.data = start, .size = (size_t)(out - start)};
            return true;
        }
        if (c != '\\')
            *out++ = c;
        else if (!read_escape(reader, &out))
            return false;
    }
    return false;
}

/* ---- the record --------------------------------------------------------------------------- */

static bool
read_number(struct reader *reader, uint32_t *value)
{
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
    struct span digits = {.data = reader->at};
    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9') {
        reader->at++;
        digits.size++;
    }
    uint64_t number;
    if (!span_to_u64(digits, &number) || number > UINT32_MAX)
        return false;
    *value = (uint32_t)number;
    return true;
}

/* Only `true` sets it. */
static bool
read_flag(struct reader *reader, bool *flag)
{
    while (reader->at < reader->end && *reader->at == ' ')
        reader->at++;
    *flag = reader->end - reader->at >= 4 && memcmp(reader->at, "true", 4) == 0;
    return skip_value(reader);
}

/* How many strings the array holds, behind its opening bracket. */
static bool
count_strings(struct reader reader, size_t *count)
{
    *count = 0;
    do {
        if (!take(&reader, '"') || !skip_string(&reader))
            return false;
        ++*count;
    } while (take(&reader, ','));
    return take(&reader, ']');
}

static bool
read_fields(struct reader *reader, struct arena *arena, struct waiting_record *waiting)
{
    size_t count;
    if (waiting->fields != NULL || !take(reader, '[') || !count_strings(*reader, &count) ||
        count % 2 != 0)
        return false;
    waiting->field_count = count / 2;
    waiting->fields = arena_take(arena, waiting->field_count * sizeof(waiting->fields[0]));
    if (waiting->fields == NULL)
        return false;
    for (size_t i = 0; i < waiting->field_count; i++) {
        struct field *field = &waiting->fields[i];
        if ((i > 0 && !take(reader, ',')) || !read_string(reader, &field->name) ||
            !take(reader, ',') || !read_string(reader, &field->value))
            return false;
    }
    return take(reader, ']');
}

static bool
read_pair(struct reader *reader, struct arena *arena, struct waiting_record *waiting)
{
    struct span name;
    if (!read_string(reader, &name) || !take(reader, ':'))
        return false;
    if (span_equal(name, SPAN("attempt"))) {
        reader->has_attempt = true;
        return read_number(reader, &waiting->attempt);
    }
    if (span_equal(name, SPAN("throttles")))
        return read_number(reader, &waiting->throttles);
    if (span_equal(name, SPAN("possible_duplicate")))
        return read_flag(reader, &waiting->possible_duplicate);
    if (span_equal(name, SPAN("fields")))
        return read_fields(reader, arena, waiting);
    return skip_value(reader);
}

bool
waiting_record_read(struct span record, struct arena *arena, struct waiting_record *waiting)
{
    *waiting = (struct waiting_record){0};
    char *copy = arena_copy(arena, record.data, record.size);
    if (copy == NULL)
        return false;
    struct reader reader = {.at = copy, .end = copy + record.size};
    if (!take(&reader, '{'))
        return false;
    do {
        if (!read_pair(&reader, arena, waiting))
            return false;
    } while (take(&reader, ','));
    if (!take(&reader, '}') || reader.at != reader.end || waiting->fields == NULL ||
        !reader.has_attempt)
        return false;
    waiting->is_member =
        waiting->field_count == 1 && span_equal(waiting->fields[0].name, SPAN("member"));
    if (waiting->is_member)
        waiting->line = waiting->fields[0].value;
    return true;
}
