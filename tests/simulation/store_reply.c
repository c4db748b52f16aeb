#include "tests/simulation/store_reply.h"

#include "sender/base/check.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

/* A tree takes more memory than its text: `:1\r\n` becomes a struct reply and a pointer to it. */
enum { TREE_FACTOR = (sizeof(struct reply) + sizeof(void *)) / 4 + 1, TREE_SIZE_MIN = 4096 };

void
store_reply_nil(struct store_bytes *reply)
{
    store_bytes_put_text(reply, "$-1\r\n");
}

void
store_reply_nil_array(struct store_bytes *reply)
{
    store_bytes_put_text(reply, "*-1\r\n");
}

void
store_reply_ok(struct store_bytes *reply)
{
    store_bytes_put_text(reply, "+OK\r\n");
}

void
store_reply_status(struct store_bytes *reply, const char *status)
{
    store_bytes_put_text(reply, "+");
    store_bytes_put_text(reply, status);
    store_bytes_put_text(reply, "\r\n");
}

static bool
is_line_end(char c)
{
    return c == '\r' || c == '\n';
}

void
store_reply_error(struct store_bytes *reply, const char *format, ...)
{
    va_list arguments;
    store_bytes_put_text(reply, "-");
    size_t begin = reply->size;
    va_start(arguments, format);
    store_bytes_vprintf(reply, format, arguments);
    va_end(arguments);
    while (reply->size > begin && is_line_end(reply->data[reply->size - 1]))
        reply->size--;
    for (size_t i = begin; i < reply->size; i++)
        if (is_line_end(reply->data[i]))
            reply->data[i] = ' ';
    store_bytes_put_text(reply, "\r\n");
}

static void
put_head(struct store_bytes *reply, char type, int64_t number)
{
    store_bytes_put(reply, &type, 1);
    store_bytes_put_i64(reply, number);
    store_bytes_put(reply, "\r\n", 2);
}

void
store_reply_i64(struct store_bytes *reply, int64_t number)
{
    put_head(reply, ':', number);
}

void
store_reply_text(struct store_bytes *reply, struct span text)
{
    put_head(reply, '$', (int64_t)text.size);
    store_bytes_put(reply, text.data, text.size);
    store_bytes_put(reply, "\r\n", 2);
}

void
store_reply_double(struct store_bytes *reply, double number)
{
    char text[64];
    if (isinf(number))
        snprintf(text, sizeof(text), number > 0 ? "inf" : "-inf");
    else
        snprintf(text, sizeof(text), "%.17g", number);
    store_reply_text(reply, span_of(text));
}

void
store_reply_array(struct store_bytes *reply, size_t count)
{
    put_head(reply, '*', (int64_t)count);
}

static int64_t
read_number(struct span line)
{
    bool is_negative = line.size > 0 && line.data[0] == '-';
    uint64_t sum = 0;
    check(line.size > (is_negative ? 1 : 0));
    for (size_t i = is_negative ? 1 : 0; i < line.size; i++) {
        check(line.data[i] >= '0' && line.data[i] <= '9');
        sum = sum * 10 + (uint64_t)(line.data[i] - '0');
    }
    return (int64_t)(is_negative ? 0 - sum : sum);
}

struct store_reply_head
store_reply_read_head(struct span bytes, size_t *at)
{
    check(*at < bytes.size);
    struct store_reply_head head = {.type = bytes.data[*at]};
    size_t begin = *at + 1;
    size_t end = begin;
    while (end < bytes.size && bytes.data[end] != '\r')
        end++;
    check(end + 2 <= bytes.size);
    struct span line = {.data = bytes.data + begin, .size = end - begin};
    *at = end + 2;
    if (head.type == '+' || head.type == '-') {
        head.text = line;
        return head;
    }
    head.number = read_number(line);
    if (head.type == '$' && head.number >= 0) {
        check(bytes.size - *at >= (size_t)head.number + 2);
        head.text = (struct span){.data = bytes.data + *at, .size = (size_t)head.number};
        *at += (size_t)head.number + 2;
    }
    return head;
}

static struct reply *
read_tree(struct span bytes, size_t *at, struct arena *arena)
{
    struct store_reply_head head = store_reply_read_head(bytes, at);
    struct reply *reply = arena_take(arena, sizeof(*reply));
    check(reply != NULL);
    *reply = (struct reply){.text = head.text};
    if (head.type == ':') {
        reply->type = REPLY_INTEGER;
        reply->integer = head.number;
    } else if (head.type == '+' || head.type == '-') {
        reply->type = head.type == '+' ? REPLY_STATUS : REPLY_ERROR;
    } else if (head.number < 0) {
        reply->type = REPLY_NIL;
    } else if (head.type == '$') {
        reply->type = REPLY_STRING;
    } else {
        check(head.type == '*');
        reply->type = REPLY_ARRAY;
        reply->count = (size_t)head.number;
        reply->elements = arena_take(arena, reply->count * sizeof(struct reply *));
        for (size_t i = 0; i < reply->count; i++)
            reply->elements[i] = read_tree(bytes, at, arena);
    }
    return reply;
}

const struct reply *
store_reply_read(struct span bytes, struct arena *arena)
{
    size_t at = 0;
    size_t needed = bytes.size * TREE_FACTOR + TREE_SIZE_MIN;
    if (arena->capacity < needed) {
        if (arena->data != NULL)
            arena_close(arena);
        arena_open(arena, needed);
    }
    arena_reset(arena);
    const struct reply *reply = read_tree(bytes, &at, arena);
    check(at == bytes.size);
    return reply;
}
