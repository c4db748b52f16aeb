#include "tests/simulation/store_bytes.h"

#include "sender/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *
store_grown(void *items, size_t size)
{
    void *grown = realloc(items, size);
    check(grown != NULL);
    return grown;
}

static char *
room_for(struct store_bytes *bytes, size_t size)
{
    if (bytes->capacity - bytes->size < size) {
        size_t capacity = bytes->capacity == 0 ? 256 : bytes->capacity * 2;
        while (capacity - bytes->size < size)
            capacity *= 2;
        bytes->data = store_grown(bytes->data, capacity);
        bytes->capacity = capacity;
    }
    return bytes->data + bytes->size;
}

void
store_bytes_free(struct store_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct store_bytes){0};
}

void
store_bytes_put(struct store_bytes *bytes, const void *data, size_t size)
{
    if (size == 0)
        return;
    memcpy(room_for(bytes, size), data, size);
    bytes->size += size;
}

void
store_bytes_put_text(struct store_bytes *bytes, const char *text)
{
    store_bytes_put(bytes, text, strlen(text));
}

void
store_bytes_put_i64(struct store_bytes *bytes, int64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t rest = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (number < 0)
        digits[--at] = '-';
    store_bytes_put(bytes, digits + at, sizeof(digits) - at);
}

void
store_bytes_vprintf(struct store_bytes *bytes, const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    check(size >= 0);
    vsnprintf(room_for(bytes, (size_t)size + 1), (size_t)size + 1, format, again);
    bytes->size += (size_t)size;
    va_end(again);
}

void
store_bytes_printf(struct store_bytes *bytes, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    store_bytes_vprintf(bytes, format, arguments);
    va_end(arguments);
}

void
store_bytes_drop_front(struct store_bytes *bytes, size_t size)
{
    check(size <= bytes->size);
    bytes->size -= size;
    if (bytes->size > 0 && size > 0)
        memmove(bytes->data, bytes->data + size, bytes->size);
}

struct span
store_bytes_span(const struct store_bytes *bytes)
{
    return (struct span){.data = bytes->data, .size = bytes->size};
}

struct store_text *
store_text_new(struct span span)
{
    check(span.size <= UINT32_MAX);
    struct store_text *text = store_grown(NULL, sizeof(*text) + span.size);
    text->references = 1;
    text->size = (uint32_t)span.size;
    if (span.size > 0)
        memcpy(text->data, span.data, span.size);
    return text;
}

struct store_text *
store_text_hold(struct store_text *text)
{
    check(text->references > 0 && text->references < UINT32_MAX);
    text->references++;
    return text;
}

void
store_text_drop(struct store_text *text)
{
    if (text == NULL)
        return;
    check(text->references > 0);
    if (--text->references == 0)
        free(text);
}

struct span
store_text_span(const struct store_text *text)
{
    return (struct span){.data = text->data, .size = text->size};
}
