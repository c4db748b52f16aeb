#include "sender/graph/response.h"
#include "sender/base/check.h"
#include "sender/graph/response_walk.h"

#include <jansson.h>
#include <string.h>

/* An id goes into Redis, logs and comparisons: visible ASCII, and not endless. */
static bool
is_id(struct span id)
{
    if (id.size == 0 || id.size > RESPONSE_ID_MAX)
        return false;
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] <= ' ' || id.data[i] > '~')
            return false;
    return true;
}

/* As much of `text` as fits, cut between characters; control characters become spaces. */
static void
put_words(struct buffer *words, struct span text)
{
    if (text.size == 0)
        return;
    size_t size = text.size < buffer_room(words) ? text.size : buffer_room(words);
    while (size > 0 && size < text.size && ((unsigned char)text.data[size] & 0xc0) == 0x80)
        size--;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        buffer_put_char(words, c < 0x20 || c == 0x7f ? ' ' : (char)c);
    }
}

/* The text of a string member, empty if there is none. Borrowed from `object`. */
static struct span
get_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return (struct span){0};
    return (struct span){.data = json_string_value(value), .size = json_string_length(value)};
}

static bool
read_error(const json_t *error, struct buffer *words, struct response *response)
{
    const json_t *code = json_object_get(error, "code");
    if (!json_is_integer(code) || json_integer_value(code) < INT32_MIN ||
        json_integer_value(code) > INT32_MAX)
        return false;
    struct span message = get_text(error, "message");
    struct span details = get_text(json_object_get(error, "error_data"), "details");
    response->code = (int32_t)json_integer_value(code);
    put_words(words, message);
    if (message.size > 0 && details.size > 0)
        put_words(words, SPAN(": "));
    put_words(words, details);
    response->text = buffer_span(words);
    return true;
}

static bool
read_id(const json_t *messages, struct buffer *words, struct response *response)
{
    struct span id = get_text(json_array_get(messages, 0), "id");
    if (!is_id(id))
        return false;
    response->id = (struct span){.data = words->data + words->size, .size = id.size};
    buffer_put_span(words, id);
    check(!words->overflow);
    return true;
}

/* Either may be there, not both: such a body would mean yes and no. */
static enum response_kind
read_root(const json_t *root, struct buffer *words, struct response *response)
{
    const json_t *error = json_object_get(root, "error");
    const json_t *messages = json_object_get(root, "messages");
    bool has_error = error != NULL && !json_is_null(error);
    bool has_messages = messages != NULL && !json_is_null(messages);
    if (has_error == has_messages)
        return RESPONSE_OTHER;
    if (has_error)
        return read_error(error, words, response) ? RESPONSE_ERROR : RESPONSE_OTHER;
    return read_id(messages, words, response) ? RESPONSE_ID : RESPONSE_OTHER;
}

/* The id as Meta means it: "\/" is '/'. It is borrowed from the body if nothing was escaped. */
static struct span
unescape_slashes(struct span id, struct buffer *words)
{
    size_t index;
    if (!span_find(id, '\\', &index) || id.size > buffer_room(words))
        return id;
    size_t start = words->size;
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] != '\\')
            buffer_put_char(words, id.data[i]);
    return (struct span){.data = words->data + start, .size = words->size - start};
}

static enum response_kind
read_slowly(struct span body, struct buffer *words, struct response *response)
{
    struct span text = span_trim(body);
    if (text.size == 0)
        return RESPONSE_EMPTY;
    if (text.data[0] == '<')
        return RESPONSE_HTML;
    json_t *root = json_loadb(body.data, body.size, JSON_REJECT_DUPLICATES, NULL);
    if (root == NULL)
        return RESPONSE_NOT_JSON;
    enum response_kind kind = read_root(root, words, response);
    json_decref(root);
    return kind;
}

enum response_kind
response_read(struct span body, struct buffer *words, struct response *response)
{
    struct response_walk walk;
    check(buffer_room(words) >= RESPONSE_ID_MAX);
    *response = (struct response){0};
    if (body.size > RESPONSE_SIZE_MAX)
        return RESPONSE_NOT_JSON;
    if (response_walk_find_id(&walk, body, &response->id)) {
        size_t start = words->size;
        response->id = unescape_slashes(response->id, words);
        if (is_id(response->id))
            return RESPONSE_ID;
        words->size = start;
        *response = (struct response){0};
    }
    return read_slowly(body, words, response);
}

const char *
response_kind_text(enum response_kind kind)
{
    switch (kind) {
    case RESPONSE_ID:
        return "a message's id";
    case RESPONSE_ERROR:
        return "an error of Meta's";
    case RESPONSE_EMPTY:
        return "an empty body";
    case RESPONSE_HTML:
        return "a page of HTML";
    case RESPONSE_NOT_JSON:
        return "a body that is not complete JSON";
    case RESPONSE_OTHER:
        return "JSON that is not Graph's";
    }
    return "an unknown body";
}
