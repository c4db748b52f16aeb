#include "sender/base/json.h"
#include "sender/base/check.h"

#include <string.h>

/* ---- writing ------------------------------------------------------------------------------ */

/* The size of the well-formed UTF-8 sequence at the start of `span`, 0 if there is none. */
static size_t
sequence_size(struct span span)
{
    unsigned char first = (unsigned char)span.data[0];
    size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (size > span.size || !span_is_utf8((struct span){.data = span.data, .size = size}))
        return 0;
    return size;
}

static void
put_control(struct buffer *buffer, unsigned char c)
{
    switch (c) {
    case '"':
        buffer_put(buffer, "\\\"", 2);
        return;
    case '\\':
        buffer_put(buffer, "\\\\", 2);
        return;
    case '\n':
        buffer_put(buffer, "\\n", 2);
        return;
    case '\r':
        buffer_put(buffer, "\\r", 2);
        return;
    case '\t':
        buffer_put(buffer, "\\t", 2);
        return;
    default:
        buffer_put(buffer, "\\u00", 4);
        buffer_put_hex(buffer, &c, 1);
    }
}

/* True for the bytes that JSON wants escaped; 0x7f needs none but is kept out of logs. */
static bool
needs_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\' || c == 0x7f;
}

/* True if one of the eight bytes of `word` is `byte`. */
static bool
has_byte(uint64_t word, unsigned char byte)
{
    uint64_t other = word ^ (0x0101010101010101u * byte);
    return ((other - 0x0101010101010101u) & ~other & 0x8080808080808080u) != 0;
}

/* How many bytes from the start of `text` stand for themselves. Those of 0x80 and above do where
 * the text is known to be UTF-8. */
static size_t
plain_size(struct span text, bool utf8)
{
    size_t i = 0;
    for (; text.size - i >= 8; i += 8) {
        uint64_t word;
        memcpy(&word, text.data + i, 8);
        uint64_t high = utf8 ? 0 : word & 0x8080808080808080u;
        uint64_t control = (word - 0x2020202020202020u) & ~word & 0x8080808080808080u;
        if (high != 0 || control != 0 || has_byte(word, '"') || has_byte(word, '\\') ||
            has_byte(word, 0x7f))
            break;
    }
    while (i < text.size && !needs_escape((unsigned char)text.data[i]) &&
           (utf8 || (unsigned char)text.data[i] < 0x80))
        i++;
    return i;
}

void
json_put_escaped(struct buffer *buffer, struct span text)
{
    size_t i = plain_size(text, false);
    buffer_put(buffer, text.data, i);
    if (i == text.size)
        return;
    struct span rest = {.data = text.data + i, .size = text.size - i};
    bool utf8 = span_is_utf8(rest);
    while (rest.size > 0) {
        size_t size = plain_size(rest, utf8);
        buffer_put(buffer, rest.data, size);
        rest = (struct span){.data = rest.data + size, .size = rest.size - size};
        if (rest.size == 0)
            return;
        unsigned char c = (unsigned char)rest.data[0];
        size = c < 0x80 ? 1 : sequence_size(rest);
        if (c < 0x80) {
            put_control(buffer, c);
        } else if (size > 0) {
            buffer_put(buffer, rest.data, size);
        } else {
            buffer_put(buffer, "\xef\xbf\xbd", 3);
            size = 1;
        }
        rest = (struct span){.data = rest.data + size, .size = rest.size - size};
    }
}

void
json_put_string(struct buffer *buffer, struct span text)
{
    buffer_put_char(buffer, '"');
    json_put_escaped(buffer, text);
    buffer_put_char(buffer, '"');
}

/* ---- reading ------------------------------------------------------------------------------ */

enum { NESTING_MAX = 16 };

struct reader {
    char *text; /* changed in place: strings are unescaped where they stand */
    size_t size;
    size_t at;
};

static void
skip_space(struct reader *reader)
{
    while (reader->at < reader->size && strchr(" \t\r\n", reader->text[reader->at]) != NULL &&
           reader->text[reader->at] != '\0')
        reader->at++;
}

static bool
take(struct reader *reader, char c)
{
    skip_space(reader);
    if (reader->at >= reader->size || reader->text[reader->at] != c)
        return false;
    reader->at++;
    return true;
}

static bool
hex4(const struct reader *reader, size_t at, uint32_t *value)
{
    if (reader->size - at < 4)
        return false;
    *value = 0;
    for (size_t i = at; i < at + 4; i++) {
        char c = reader->text[i];
        uint32_t digit;
        if (c >= '0' && c <= '9')
            digit = (uint32_t)(c - '0');
        else if ((c | 32) >= 'a' && (c | 32) <= 'f')
            digit = (uint32_t)((c | 32) - 'a' + 10);
        else
            return false;
        *value = *value * 16 + digit;
    }
    return true;
}

static size_t
put_utf8(char *out, uint32_t code)
{
    if (code < 0x80) {
        out[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        out[0] = (char)(0xc0 | code >> 6);
        out[1] = (char)(0x80 | (code & 63));
        return 2;
    }
    if (code < 0x10000) {
        out[0] = (char)(0xe0 | code >> 12);
        out[1] = (char)(0x80 | (code >> 6 & 63));
        out[2] = (char)(0x80 | (code & 63));
        return 3;
    }
    out[0] = (char)(0xf0 | code >> 18);
    out[1] = (char)(0x80 | (code >> 12 & 63));
    out[2] = (char)(0x80 | (code >> 6 & 63));
    out[3] = (char)(0x80 | (code & 63));
    return 4;
}

/* Reads \uXXXX (the reader stands after the u), and its second half if it is a surrogate. */
static enum json_error
read_unicode(struct reader *reader, uint32_t *code)
{
    if (!hex4(reader, reader->at, code))
        return JSON_SYNTAX;
    reader->at += 4;
    if (*code >= 0xdc00 && *code <= 0xdfff)
        return JSON_ENCODING;
    if (*code < 0xd800 || *code > 0xdbff)
        return JSON_OK;
    uint32_t low;
    if (reader->size - reader->at < 6 || reader->text[reader->at] != '\\' ||
        reader->text[reader->at + 1] != 'u' || !hex4(reader, reader->at + 2, &low) ||
        low < 0xdc00 || low > 0xdfff)
        return JSON_ENCODING;
    reader->at += 6;
    *code = 0x10000 + ((*code - 0xd800) << 10) + (low - 0xdc00);
    return JSON_OK;
}

/* One escape; the reader stands after the backslash. Writes at `out`, never more than was read. */
static enum json_error
read_escape(struct reader *reader, char *out, size_t *written)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    if (reader->at >= reader->size)
        return JSON_SYNTAX;
    char c = reader->text[reader->at++];
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found != NULL) {
        *out = to[found - from];
        *written = 1;
        return JSON_OK;
    }
    if (c != 'u')
        return JSON_SYNTAX;
    uint32_t code;
    enum json_error error = read_unicode(reader, &code);
    if (error == JSON_OK)
        *written = put_utf8(out, code);
    return error;
}

/* The reader stands after the opening quote. */
static enum json_error
read_string(struct reader *reader, struct span *string)
{
    char *start = reader->text + reader->at;
    char *out = start;
    while (reader->at < reader->size) {
        char c = reader->text[reader->at++];
        if (c == '"') {
            *string = (struct span){.data = start, .size = (size_t)(out - start)};
            return span_is_utf8(*string) ? JSON_OK : JSON_ENCODING;
        }
        if ((unsigned char)c < 0x20)
            return JSON_SYNTAX;
        if (c != '\\') {
            *out++ = c;
            continue;
        }
        size_t written = 0;
        enum json_error error = read_escape(reader, out, &written);
        if (error != JSON_OK)
            return error;
        out += written;
    }
    return JSON_SYNTAX;
}

/* Skips a nested value without changing it: brackets must match, strings must end. */
static enum json_error
skip_nested(struct reader *reader)
{
    char open[NESTING_MAX];
    size_t depth = 0;
    while (reader->at < reader->size) {
        char c = reader->text[reader->at++];
        if (c == '"') {
            while (reader->at < reader->size && reader->text[reader->at] != '"')
                reader->at += reader->text[reader->at] == '\\' ? 2 : 1;
            if (reader->at >= reader->size)
                return JSON_SYNTAX;
            reader->at++;
        } else if (c == '{' || c == '[') {
            if (depth == NESTING_MAX)
                return JSON_SYNTAX;
            open[depth++] = c == '{' ? '}' : ']';
        } else if (c == '}' || c == ']') {
            if (depth == 0 || open[--depth] != c)
                return JSON_SYNTAX;
            if (depth == 0)
                return JSON_OK;
        }
    }
    return JSON_SYNTAX;
}

/* Takes digits off the front of `text`; false if there are none. */
static bool
take_digits(struct span *text)
{
    size_t count = 0;
    while (count < text->size && text->data[count] >= '0' && text->data[count] <= '9')
        count++;
    *text = (struct span){.data = text->data + count, .size = text->size - count};
    return count > 0;
}

/* Takes one byte off the front of `text` if it is `a` or `b`. */
static bool
take_either(struct span *text, char a, char b)
{
    if (text->size == 0 || (text->data[0] != a && text->data[0] != b))
        return false;
    *text = (struct span){.data = text->data + 1, .size = text->size - 1};
    return true;
}

/* A number of RFC 8259: no plus, no leading zeros, digits on both sides of a point. It is given on
 * as it stands, so what is not JSON's must not pass here. */
static bool
is_number(struct span text)
{
    (void)take_either(&text, '-', '-');
    if (text.size > 1 && text.data[0] == '0' && text.data[1] >= '0' && text.data[1] <= '9')
        return false;
    if (!take_digits(&text))
        return false;
    if (take_either(&text, '.', '.') && !take_digits(&text))
        return false;
    if (take_either(&text, 'e', 'E')) {
        (void)take_either(&text, '+', '-');
        if (!take_digits(&text))
            return false;
    }
    return text.size == 0;
}

static enum json_error
read_value(struct reader *reader, struct span *value, bool *raw)
{
    skip_space(reader);
    *raw = true;
    size_t start = reader->at;
    if (start >= reader->size)
        return JSON_SYNTAX;
    if (reader->text[start] == '"') {
        *raw = false;
        reader->at++;
        return read_string(reader, value);
    }
    enum json_error error = JSON_OK;
    if (reader->text[start] == '{' || reader->text[start] == '[') {
        error = skip_nested(reader);
        *value = (struct span){.data = reader->text + start, .size = reader->at - start};
        return error == JSON_OK && !span_is_utf8(*value) ? JSON_ENCODING : error;
    }
    while (reader->at < reader->size && strchr(",}] \t\r\n", reader->text[reader->at]) == NULL)
        reader->at++;
    *value = (struct span){.data = reader->text + start, .size = reader->at - start};
    if (span_equal(*value, SPAN("true")) || span_equal(*value, SPAN("false")) ||
        span_equal(*value, SPAN("null")) || is_number(*value))
        return JSON_OK;
    reader->at = start;
    return JSON_SYNTAX;
}

static bool
name_is_new(const struct json_object *object, struct span name)
{
    for (size_t i = 0; i < object->count; i++)
        if (span_equal(object->fields[i].name, name))
            return false;
    return true;
}

static enum json_error
read_member(struct reader *reader, struct json_object *object, uint64_t *raw)
{
    struct field field;
    bool is_raw;
    if (!take(reader, '"'))
        return JSON_SYNTAX;
    enum json_error error = read_string(reader, &field.name);
    if (error != JSON_OK)
        return error;
    if (!take(reader, ':'))
        return JSON_SYNTAX;
    error = read_value(reader, &field.value, &is_raw);
    if (error != JSON_OK)
        return error;
    if (object->count == object->capacity)
        return JSON_TOO_MANY;
    object->fields[object->count] = field;
    if (!name_is_new(object, field.name))
        return JSON_DUPLICATE;
    if (is_raw && raw != NULL && object->count < 64)
        *raw |= (uint64_t)1 << object->count;
    object->count++;
    return JSON_OK;
}

static enum json_error
read_object(struct reader *reader, struct json_object *object, uint64_t *raw)
{
    if (!take(reader, '{'))
        return JSON_SYNTAX;
    if (take(reader, '}'))
        goto end;
    do {
        enum json_error error = read_member(reader, object, raw);
        if (error != JSON_OK)
            return error;
    } while (take(reader, ','));
    if (!take(reader, '}'))
        return JSON_SYNTAX;
end:
    skip_space(reader);
    return reader->at == reader->size ? JSON_OK : JSON_SYNTAX;
}

enum json_error
json_read_flat(struct span text, struct json_object *object, uint64_t *raw)
{
    /* The caller lends memory that may be changed; the span type only hides it from others. */
    struct reader reader = {.text = (char *)(uintptr_t)text.data, .size = text.size};
    object->count = 0;
    object->error_at = 0;
    if (raw != NULL)
        *raw = 0;
    enum json_error error = read_object(&reader, object, raw);
    if (error != JSON_OK)
        object->error_at = reader.at < text.size ? reader.at : text.size;
    return error;
}

const char *
json_error_text(enum json_error error)
{
    switch (error) {
    case JSON_OK:
        return "good";
    case JSON_SYNTAX:
        return "not a JSON object";
    case JSON_TOO_MANY:
        return "too many fields";
    case JSON_ENCODING:
        return "not valid UTF-8";
    case JSON_DUPLICATE:
        return "a field stands twice";
    }
    return "unknown";
}
