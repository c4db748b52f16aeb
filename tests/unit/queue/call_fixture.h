/*
 * call_fixture - for tests of calls: a session whose output is looked at, and replies from text.
 */
#ifndef FACTEUR_TESTS_UNIT_QUEUE_CALL_FIXTURE_H
#define FACTEUR_TESTS_UNIT_QUEUE_CALL_FIXTURE_H

#include "queue/calls.h"
#include "tests/unit/test.h"

#include <string.h>

/* ---- what was written --------------------------------------------------------------------- */

static struct account_keys keys;
static struct session *session;
static struct call call;
static char memory[256 * 1024];

static void
on_reply(void *context, const struct reply *reply)
{
    (void)context;
    (void)reply;
}

static void
open_call(size_t output_size)
{
    struct session_settings settings = {
        .output_size = output_size, .arena_size = 4096, .waiting_max = 8};
    struct error_text error;
    expect(keys_read(SPAN("acme/fr"), &keys, &error));
    session = session_open(&settings);
    session_connected(session);
    call = (struct call){.session = session, .keys = &keys, .on_reply = on_reply};
}

static void
close_call(void)
{
    session_close(session);
}

/* `parts` are separated by `;`, and stand for the exact bytes: an array of bulk strings. */
static void
expect_sent(const char *parts)
{
    static char wanted_memory[sizeof(memory)];
    struct buffer out;
    struct buffer wanted;
    struct span rest = span_of(parts);
    size_t count = 1;
    size_t at;
    for (struct span tail = rest; span_find(tail, ';', &at); count++)
        (void)span_split(&tail, ';');
    buffer_init(&wanted, wanted_memory, sizeof(wanted_memory));
    buffer_printf(&wanted, "*%zu\r\n", count);
    for (size_t i = 0; i < count; i++) {
        struct span part = span_split(&rest, ';');
        buffer_printf(&wanted, "$%zu\r\n", part.size);
        buffer_put_span(&wanted, part);
        buffer_put_text(&wanted, "\r\n");
    }
    buffer_init(&out, memory, sizeof(memory));
    session_output(session, &out);
    expect_span(buffer_span(&out), buffer_span(&wanted));
}

#define HOLDER SPAN("0123456789abcdef")
#define AB     "facteur:{acme}:fr;facteur:{acme}"

/* ---- replies, in a small notation: ["ok" 12 nil [+a -b]] ---------------------------------- */

static struct arena arena;

static struct reply *
parse(const char **at)
{
    struct reply *reply = arena_take(&arena, sizeof(*reply));
    struct reply *elements[64];
    const char *text;
    *reply = (struct reply){0};
    while (**at == ' ')
        ++*at;
    switch (*(text = *at)) {
    case '[':
        reply->type = REPLY_ARRAY;
        for (++*at; **at != ']';) {
            elements[reply->count++] = parse(at);
            while (**at == ' ')
                ++*at;
        }
        ++*at;
        reply->elements = arena_take(&arena, (reply->count + 1) * sizeof(void *));
        memcpy(reply->elements, elements, reply->count * sizeof(void *));
        return reply;
    case '"':
        reply->type = REPLY_STRING;
        reply->text.data = text + 1;
        reply->text.size = strcspn(text + 1, "\"");
        *at += reply->text.size + 2;
        return reply;
    case '+':
    case '-':
        if (text[1] >= '0' && text[1] <= '9')
            break;
        reply->type = *text == '+' ? REPLY_STATUS : REPLY_ERROR;
        reply->text.data = text + 1;
        reply->text.size = strcspn(text + 1, " ]");
        *at += reply->text.size + 1;
        return reply;
    case 'n':
        reply->type = REPLY_NIL;
        *at += 3;
        return reply;
    default:
        break;
    }
    char *end;
    reply->type = REPLY_INTEGER;
    reply->integer = strtoll(text, &end, 10);
    *at = end;
    return reply;
}

/* Valid until the next call. */
static const struct reply *
reply_of(const char *text)
{
    arena_reset(&arena);
    return text == NULL ? NULL : parse(&text);
}

/* What no reader may take for good: lost, errors, and shapes of nothing. */
static const char *const bad_for_all[] = {
    NULL, "nil", "5", "+OK", "\"ok\"", "-ERR", "[]", "[nil]", "[5]", "[\"ok\"]", "[-fenced 1]",
};
enum { BAD_FOR_ALL = sizeof(bad_for_all) / sizeof(bad_for_all[0]) };

#endif
