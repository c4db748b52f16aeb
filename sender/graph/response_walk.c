#include "sender/graph/response_walk.h"

#include <string.h>

enum {
    WALK_DEPTH_MAX = 16,
    WALK_NUMBER_MAX = 17 /* bytes: no reader calls such a number too big */
};

static bool skip_value(struct response_walk *walk, uint32_t depth);

static void
skip_space(struct response_walk *walk)
{
    while (walk->at < walk->end &&
           (*walk->at == ' ' || *walk->at == '\n' || *walk->at == '\r' || *walk->at == '\t'))
        walk->at++;
}

/* The next byte that is not white space, stepped over if it is `expected`. */
static bool
take(struct response_walk *walk, char expected)
{
    skip_space(walk);
    if (walk->at == walk->end || *walk->at != expected)
        return false;
    walk->at++;
    return true;
}

/* A string as it stands between its quotes, with no escape or, if `slashes`, none but \/ . */
static bool
take_string(struct response_walk *walk, bool slashes, struct span *text)
{
    if (!take(walk, '"'))
        return false;
    const char *start = walk->at;
    while (walk->at < walk->end && *walk->at != '"') {
        if ((unsigned char)*walk->at < 0x20)
            return false;
        if (*walk->at == '\\' && (!slashes || ++walk->at == walk->end || *walk->at != '/'))
            return false;
        walk->at++;
    }
    if (walk->at == walk->end)
        return false;
    *text = (struct span){.data = start, .size = (size_t)(walk->at - start)};
    walk->at++;
    return true;
}

/* Any string but one with \u, whose surrogates would have to be paired. */
static bool
skip_string(struct response_walk *walk)
{
    if (!take(walk, '"'))
        return false;
    while (walk->at < walk->end && *walk->at != '"') {
        if ((unsigned char)*walk->at < 0x20)
            return false;
        if (*walk->at == '\\' &&
            (++walk->at == walk->end || strchr("\"\\/bfnrt", *walk->at) == NULL || *walk->at == 0))
            return false;
        walk->at++;
    }
    if (walk->at == walk->end)
        return false;
    walk->at++;
    return true;
}

static size_t
skip_digits(struct response_walk *walk)
{
    const char *start = walk->at;
    while (walk->at < walk->end && *walk->at >= '0' && *walk->at <= '9')
        walk->at++;
    return (size_t)(walk->at - start);
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?  An exponent is no part of any answer. */
static bool
skip_number(struct response_walk *walk)
{
    const char *start = walk->at;
    if (*walk->at == '-')
        walk->at++;
    bool zero = walk->at < walk->end && *walk->at == '0';
    size_t digits = skip_digits(walk);
    if (digits == 0 || (zero && digits > 1))
        return false;
    if (walk->at < walk->end && *walk->at == '.') {
        walk->at++;
        if (skip_digits(walk) == 0)
            return false;
    }
    return walk->at - start <= WALK_NUMBER_MAX;
}

static bool
skip_word(struct response_walk *walk, struct span word)
{
    struct span rest = {.data = walk->at, .size = (size_t)(walk->end - walk->at)};
    if (!span_starts(rest, word))
        return false;
    walk->at += word.size;
    return true;
}

static bool
skip_object(struct response_walk *walk, uint32_t depth)
{
    walk->at++;
    if (take(walk, '}'))
        return true;
    do {
        if (!skip_string(walk) || !take(walk, ':') || !skip_value(walk, depth + 1))
            return false;
    } while (take(walk, ','));
    return take(walk, '}');
}

static bool
skip_array(struct response_walk *walk, uint32_t depth)
{
    walk->at++;
    if (take(walk, ']'))
        return true;
    do {
        if (!skip_value(walk, depth + 1))
            return false;
    } while (take(walk, ','));
    return take(walk, ']');
}

static bool
skip_value(struct response_walk *walk, uint32_t depth)
{
    skip_space(walk);
    if (walk->at == walk->end || depth > WALK_DEPTH_MAX)
        return false;
    switch (*walk->at) {
    case '{':
        return skip_object(walk, depth);
    case '[':
        return skip_array(walk, depth);
    case '"':
        return skip_string(walk);
    case 't':
        return skip_word(walk, SPAN("true"));
    case 'f':
        return skip_word(walk, SPAN("false"));
    case 'n':
        return skip_word(walk, SPAN("null"));
    default:
        return skip_number(walk);
    }
}

/* {"id":"wamid.…", …} */
static bool
take_message(struct response_walk *walk)
{
    bool found = false;
    if (!take(walk, '{'))
        return false;
    do {
        struct span name;
        if (!take_string(walk, false, &name) || !take(walk, ':'))
            return false;
        if (!span_equal(name, SPAN("id"))) {
            if (!skip_value(walk, 0))
                return false;
            continue;
        }
        if (found || !take_string(walk, true, &walk->id))
            return false;
        found = true;
    } while (take(walk, ','));
    return found && take(walk, '}');
}

/* [{"id":"wamid.…"}, …] */
static bool
take_messages(struct response_walk *walk)
{
    if (walk->found || !take(walk, '[') || !take_message(walk))
        return false;
    walk->found = true;
    while (take(walk, ','))
        if (!skip_value(walk, 0))
            return false;
    return take(walk, ']');
}

bool
response_walk_find_id(struct response_walk *walk, struct span body, struct span *id)
{
    *walk = (struct response_walk){0};
    if (body.size == 0)
        return false;
    *walk = (struct response_walk){.at = body.data, .end = body.data + body.size};
    if (!span_is_utf8(body) || !take(walk, '{'))
        return false;
    do {
        struct span name;
        if (!take_string(walk, false, &name) || !take(walk, ':'))
            return false;
        if (span_equal(name, SPAN("error")))
            return false;
        if (!(span_equal(name, SPAN("messages")) ? take_messages(walk) : skip_value(walk, 0)))
            return false;
    } while (take(walk, ','));
    if (!take(walk, '}') || !walk->found)
        return false;
    skip_space(walk);
    *id = walk->id;
    return walk->at == walk->end;
}
