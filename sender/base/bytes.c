#include "sender/base/bytes.h"
#include "sender/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct span
span_of(const char *text)
{
    return (struct span){.data = text, .size = text == NULL ? 0 : strlen(text)};
}

bool
span_find(struct span haystack, char needle, size_t *index)
{
    const char *found = haystack.size == 0 ? NULL : memchr(haystack.data, needle, haystack.size);
    if (found == NULL)
        return false;
    *index = (size_t)(found - haystack.data);
    return true;
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct span
span_trim(struct span span)
{
    while (span.size > 0 && is_space(span.data[0]))
        span = (struct span){.data = span.data + 1, .size = span.size - 1};
    while (span.size > 0 && is_space(span.data[span.size - 1]))
        span.size--;
    return span;
}

struct span
span_split(struct span *rest, char separator)
{
    size_t index;
    struct span whole = *rest;
    if (!span_find(whole, separator, &index)) {
        *rest = (struct span){0};
        return whole;
    }
    *rest = (struct span){.data = whole.data + index + 1, .size = whole.size - index - 1};
    return (struct span){.data = whole.data, .size = index};
}

bool
span_to_u64(struct span span, uint64_t *value)
{
    uint64_t sum = 0;
    if (span.size == 0 || span.size > 19)
        return false;
    for (size_t i = 0; i < span.size; i++) {
        if (span.data[i] < '0' || span.data[i] > '9')
            return false;
        sum = sum * 10 + (uint64_t)(span.data[i] - '0');
    }
    if (sum > INT64_MAX)
        return false;
    *value = sum;
    return true;
}

/* The size of the sequence that starts at `p`, or 0 if it is not well-formed (Unicode table 3-7).
 */
static size_t
utf8_sequence(const unsigned char *p, size_t left)
{
    if (p[0] < 0x80)
        return 1;
    if (p[0] < 0xc2 || p[0] > 0xf4)
        return 0;
    size_t size = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    if (left < size)
        return 0;
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    if (p[0] == 0xe0)
        low = 0xa0;
    else if (p[0] == 0xed)
        high = 0x9f;
    else if (p[0] == 0xf0)
        low = 0x90;
    else if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < size; i++)
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    return size;
}

bool
span_is_utf8(struct span span)
{
    const unsigned char *p = (const unsigned char *)span.data;
    size_t i = 0;
    while (i < span.size) {
        uint64_t word;
        if (span.size - i >= 8 && (memcpy(&word, p + i, 8), (word & 0x8080808080808080u) == 0)) {
            i += 8;
            continue;
        }
        size_t size = utf8_sequence(p + i, span.size - i);
        if (size == 0)
            return false;
        i += size;
    }
    return true;
}

uint64_t
span_hash(struct span span)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < span.size; i++)
        hash = (hash ^ (unsigned char)span.data[i]) * 0x100000001b3u;
    return hash;
}

void
buffer_init(struct buffer *buffer, void *memory, size_t capacity)
{
    *buffer = (struct buffer){.data = memory, .capacity = capacity};
}

void
buffer_reset(struct buffer *buffer)
{
    buffer->size = 0;
    buffer->overflow = false;
}

struct span
buffer_span(const struct buffer *buffer)
{
    return (struct span){.data = buffer->data, .size = buffer->size};
}

size_t
buffer_room(const struct buffer *buffer)
{
    return buffer->capacity - buffer->size;
}

/* Sign and digits in one piece, so that a number is written whole or not at all. */
static void
put_decimal(struct buffer *buffer, uint64_t value, bool negative)
{
    char digits[21];
    size_t at = sizeof(digits);
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    if (negative)
        digits[--at] = '-';
    buffer_put(buffer, digits + at, sizeof(digits) - at);
}

void
buffer_put_u64(struct buffer *buffer, uint64_t value)
{
    put_decimal(buffer, value, false);
}

void
buffer_put_i64(struct buffer *buffer, int64_t value)
{
    put_decimal(buffer, value < 0 ? 0 - (uint64_t)value : (uint64_t)value, value < 0);
}

void
buffer_put_hex(struct buffer *buffer, const void *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *bytes = data;
    if (size > buffer_room(buffer) / 2) {
        buffer->overflow = true;
        return;
    }
    for (size_t i = 0; i < size; i++) {
        char pair[2] = {digits[bytes[i] >> 4], digits[bytes[i] & 15]};
        buffer_put(buffer, pair, 2);
    }
}

void
buffer_printf(struct buffer *buffer, const char *format, ...)
{
    char text[2048];
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (size < 0 || (size_t)size >= sizeof(text)) {
        buffer->overflow = true;
        return;
    }
    buffer_put(buffer, text, (size_t)size);
}

const char *
buffer_text(struct buffer *buffer)
{
    check(buffer->capacity > 0);
    if (buffer->size == buffer->capacity) {
        buffer->size--;
        buffer->overflow = true;
    }
    buffer->data[buffer->size] = '\0';
    return buffer->data;
}

void
error_set(struct error_text *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error->text, sizeof(error->text), format, arguments);
    va_end(arguments);
}
