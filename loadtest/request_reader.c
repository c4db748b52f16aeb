#include "loadtest/request_reader.h"

#include "loadtest/request_shape.h"
#include "sender/base/check.h"

#include <stddef.h>
#include <string.h>

/* One pass. Functions return false when the text is not JSON; then nothing else matters. */
struct reader {
    const char *at;
    const char *end;
    char *scratch; /* where the next unescaped string goes */
    struct send_request *request;
    enum request_error error; /* the first that is not REQUEST_NOT_JSON */
    uint32_t depth;
};

/* Where the fields of an object go. */
struct place {
    const struct request_shape *shape;
    char *base;
};

static bool read_value(struct reader *reader, const struct request_field *field,
                       const struct place *place);

static void
complain(struct reader *reader, enum request_error error, struct span field,
         const struct request_shape *shape)
{
    if (reader->error != REQUEST_OK)
        return;
    reader->error = error;
    reader->request->field = field;
    reader->request->parent = shape->name;
}

static inline void
skip_space(struct reader *reader)
{
    while (reader->at < reader->end && (*reader->at == ' ' || *reader->at == '\n' ||
                                        *reader->at == '\r' || *reader->at == '\t'))
        reader->at++;
}

/* Takes `c`, with white space before it. */
static inline bool
take(struct reader *reader, char c)
{
    skip_space(reader);
    if (reader->at == reader->end || *reader->at != c)
        return false;
    reader->at++;
    return true;
}

static inline bool
peek(struct reader *reader, char c)
{
    skip_space(reader);
    return reader->at < reader->end && *reader->at == c;
}

/* A bit for each byte of `word` that a string cannot simply go over: control, quote, backslash,
 * and what is not ASCII. Bytes after a hit may be marked wrongly, the first never is. */
static uint64_t
marks(uint64_t word)
{
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
    return ((word - ones * 0x20) | (quote - ones) | (slash - ones) | word) & highs;
}

static bool
read_hex4(struct reader *reader, uint32_t *code)
{
    if (reader->end - reader->at < 4)
        return false;
    *code = 0;
    for (int i = 0; i < 4; i++) {
        char c = *reader->at++;
        char lower = (char)(c | 0x20);
        if (c >= '0' && c <= '9')
            *code = *code << 4 | (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            *code = *code << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* After "\u". A pair of surrogates is one character, a lone one is an error. */
static bool
read_unicode(struct reader *reader)
{
    uint32_t code, low;
    if (!read_hex4(reader, &code) || (code >= 0xdc00 && code <= 0xdfff))
        return false;
    if (code >= 0xd800 && code <= 0xdbff) {
        if (reader->end - reader->at < 2 || reader->at[0] != '\\' || reader->at[1] != 'u')
            return false;
        reader->at += 2;
        if (!read_hex4(reader, &low) || low < 0xdc00 || low > 0xdfff)
            return false;
        code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    char *out = reader->scratch;
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    reader->scratch = out;
    return true;
}

/* After a backslash: writes the character to the scratch. */
static bool
read_escape(struct reader *reader)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    if (reader->at == reader->end)
        return false;
    char c = *reader->at++;
    if (c == 'u')
        return read_unicode(reader);
    const char *found = c == '\0' ? NULL : strchr(from, c);
    if (found == NULL)
        return false;
    *reader->scratch++ = to[found - from];
    return true;
}

/* The rest of a string from its first escape on; what came before it is from `start`. */
static bool
read_escaped(struct reader *reader, const char *start, struct span *string)
{
    char *out = reader->scratch;
    size_t before = (size_t)(reader->at - start);
    memcpy(out, start, before);
    reader->scratch += before;
    while (reader->at < reader->end) {
        unsigned char c = (unsigned char)*reader->at++;
        if (c == '"') {
            *string = (struct span){.data = out, .size = (size_t)(reader->scratch - out)};
            return span_is_utf8(*string);
        }
        if (c < 0x20)
            return false;
        if (c != '\\')
            *reader->scratch++ = (char)c;
        else if (!read_escape(reader))
            return false;
    }
    return false;
}

static bool
read_string(struct reader *reader, struct span *string)
{
    if (!take(reader, '"'))
        return false;
    const char *start = reader->at;
    bool ascii = true;
    while (reader->at < reader->end) {
        uint64_t word;
        while (reader->end - reader->at >= 8) {
            memcpy(&word, reader->at, 8);
            uint64_t found = marks(word);
            if (found != 0) {
                reader->at += __builtin_ctzll(found) / 8;
                break;
            }
            reader->at += 8;
        }
        if (reader->at == reader->end)
            return false;
        unsigned char c = (unsigned char)*reader->at;
        if (c == '"') {
            *string = (struct span){.data = start, .size = (size_t)(reader->at++ - start)};
            return ascii || span_is_utf8(*string);
        }
        if (c == '\\')
            return read_escaped(reader, start, string);
        if (c < 0x20)
            return false;
        ascii = ascii && c < 0x80;
        reader->at++;
    }
    return false;
}

static uint32_t
skip_digits(struct reader *reader)
{
    uint32_t count = 0;
    for (; reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9'; reader->at++)
        count++;
    return count;
}

/* RFC 8259's grammar. `*integer` tells whether it had neither fraction nor exponent. */
static bool
read_number(struct reader *reader, struct span *number, bool *integer)
{
    const char *start = reader->at;
    *integer = true;
    if (reader->at < reader->end && *reader->at == '-')
        reader->at++;
    bool zero = reader->at < reader->end && *reader->at == '0';
    uint32_t digits = skip_digits(reader);
    if (digits == 0 || (zero && digits > 1))
        return false;
    if (reader->at < reader->end && *reader->at == '.') {
        reader->at++;
        *integer = false;
        if (skip_digits(reader) == 0)
            return false;
    }
    if (reader->at < reader->end && (*reader->at == 'e' || *reader->at == 'E')) {
        reader->at++;
        *integer = false;
        if (reader->at < reader->end && (*reader->at == '+' || *reader->at == '-'))
            reader->at++;
        if (skip_digits(reader) == 0)
            return false;
    }
    *number = (struct span){.data = start, .size = (size_t)(reader->at - start)};
    return true;
}

static bool
take_word(struct reader *reader, struct span word)
{
    if ((size_t)(reader->end - reader->at) < word.size ||
        memcmp(reader->at, word.data, word.size) != 0)
        return false;
    reader->at += word.size;
    return true;
}

static bool
enter(struct reader *reader)
{
    reader->at++;
    return ++reader->depth <= REQUEST_DEPTH_MAX;
}

static bool
leave(struct reader *reader)
{
    reader->depth--;
    return true;
}

/* After one value of an object or array: false ends it, `*more` tells whether another follows. */
static bool
read_separator(struct reader *reader, char closing, bool *more)
{
    *more = take(reader, ',');
    return *more || take(reader, closing);
}

static bool skip_value(struct reader *reader);

static bool
skip_object(struct reader *reader)
{
    struct span name;
    bool more = true;
    if (!enter(reader))
        return false;
    if (take(reader, '}'))
        return leave(reader);
    while (more) {
        if (!read_string(reader, &name) || !take(reader, ':') || !skip_value(reader) ||
            !read_separator(reader, '}', &more))
            return false;
    }
    return leave(reader);
}

static bool
skip_array(struct reader *reader)
{
    bool more = true;
    if (!enter(reader))
        return false;
    if (take(reader, ']'))
        return leave(reader);
    while (more) {
        if (!skip_value(reader) || !read_separator(reader, ']', &more))
            return false;
    }
    return leave(reader);
}

static bool
skip_value(struct reader *reader)
{
    struct span ignored;
    bool integer;
    skip_space(reader);
    if (reader->at == reader->end)
        return false;
    switch (*reader->at) {
    case '"':
        return read_string(reader, &ignored);
    case '{':
        return skip_object(reader);
    case '[':
        return skip_array(reader);
    case 't':
        return take_word(reader, SPAN("true"));
    case 'f':
        return take_word(reader, SPAN("false"));
    case 'n':
        return take_word(reader, SPAN("null"));
    default:
        return read_number(reader, &ignored, &integer);
    }
}

/* Short names, compared without a call: eight bytes at a time, the last eight once more. */
static inline bool
is_same(const char *a, const char *b, size_t size)
{
    uint64_t x, y;
    if (size < 8) {
        for (size_t i = 0; i < size; i++) {
            if (a[i] != b[i])
                return false;
        }
        return true;
    }
    for (size_t i = 0; i < size; i += 8) {
        size_t at = i + 8 <= size ? i : size - 8;
        memcpy(&x, a + at, 8);
        memcpy(&y, b + at, 8);
        if (x != y)
            return false;
    }
    return true;
}

/* The field called `name`, looked for from `from` on: producers write fields in our order. */
static uint32_t
find_field(const struct request_shape *shape, struct span name, uint32_t from)
{
    for (uint32_t i = 0; i < shape->count; i++) {
        uint32_t index = from + i < shape->count ? from + i : from + i - shape->count;
        const struct span *known = &shape->fields[index].name;
        if (known->size == name.size && is_same(known->data, name.data, name.size))
            return index;
    }
    return shape->count;
}

/* Takes the name of the field that usually comes next, without looking for its end first. */
static inline bool
take_expected(struct reader *reader, const struct request_shape *shape, uint32_t next)
{
    skip_space(reader);
    if (next >= shape->count)
        return false;
    const struct span *name = &shape->fields[next].name;
    if ((size_t)(reader->end - reader->at) < name->size + 2 || reader->at[0] != '"' ||
        reader->at[name->size + 1] != '"' || !is_same(reader->at + 1, name->data, name->size))
        return false;
    reader->at += name->size + 2;
    return true;
}

/* The index of the next field; shape->count if it is not known, and then `*name` is set. */
static inline bool
read_name(struct reader *reader, const struct request_shape *shape, uint32_t next,
          struct span *name, uint32_t *index)
{
    *index = next;
    if (take_expected(reader, shape, next))
        return take(reader, ':');
    if (!read_string(reader, name) || !take(reader, ':'))
        return false;
    *index = find_field(shape, *name, next);
    return true;
}

static bool
read_object(struct reader *reader, const struct place *place)
{
    const struct request_shape *shape = place->shape;
    uint32_t seen = 0, next = 0;
    bool more = true;
    if (!enter(reader))
        return false;
    if (take(reader, '}'))
        return leave(reader);
    while (more) {
        struct span name;
        uint32_t index;
        bool good;
        if (!read_name(reader, shape, next, &name, &index))
            return false;
        if (index == shape->count) {
            complain(reader, REQUEST_UNKNOWN_FIELD, name, shape);
            good = skip_value(reader);
        } else if ((seen >> index & 1) != 0) {
            complain(reader, REQUEST_TWICE, shape->fields[index].name, shape);
            good = skip_value(reader);
        } else {
            good = read_value(reader, &shape->fields[index], place);
            seen |= UINT32_C(1) << index;
            next = index + 1;
        }
        if (!good || !read_separator(reader, '}', &more))
            return false;
    }
    return leave(reader);
}

/* Skips a value that is not what it must be. */
static bool
refuse(struct reader *reader, enum request_error error, const struct request_field *field,
       const struct place *place)
{
    complain(reader, error, field->name, place->shape);
    return skip_value(reader);
}

static bool
read_component(struct reader *reader)
{
    struct send_request *request = reader->request;
    struct request_component *component = &request->components[request->component_count++];
    *component = (struct request_component){.first = request->parameter_count};
    return read_object(
        reader, &(struct place){.shape = &request_shape_component, .base = (char *)component});
}

static bool
read_parameter(struct reader *reader)
{
    struct send_request *request = reader->request;
    struct request_parameter *parameter = &request->parameters[request->parameter_count++];
    *parameter = (struct request_parameter){0};
    return read_object(
        reader, &(struct place){.shape = &request_shape_parameter, .base = (char *)parameter});
}

static bool
is_full(const struct send_request *request, enum request_value kind)
{
    return kind == VALUE_COMPONENTS ? request->component_count == REQUEST_COMPONENTS_MAX
                                    : request->parameter_count == REQUEST_PARAMETERS_MAX;
}

/* An array of components, or of one component's parameters. */
static bool
read_array(struct reader *reader, const struct request_field *field, const struct place *place)
{
    struct send_request *request = reader->request;
    bool more = true;
    if (!enter(reader))
        return false;
    if (field->kind == VALUE_PARAMETERS)
        ((struct request_component *)(void *)place->base)->first = request->parameter_count;
    if (take(reader, ']'))
        return leave(reader);
    while (more) {
        bool good;
        if (!peek(reader, '{'))
            good = refuse(reader, REQUEST_WRONG_KIND, field, place);
        else if (is_full(request, field->kind))
            good = refuse(reader, REQUEST_TOO_MANY, field, place);
        else if (field->kind == VALUE_COMPONENTS)
            good = read_component(reader);
        else
            good = read_parameter(reader);
        if (!good || !read_separator(reader, ']', &more))
            return false;
    }
    if (field->kind == VALUE_PARAMETERS) {
        struct request_component *component = (struct request_component *)(void *)place->base;
        component->count = request->parameter_count - component->first;
    }
    return leave(reader);
}

static bool
read_index(struct reader *reader, const struct request_field *field, const struct place *place)
{
    struct span *index = (struct span *)(void *)(place->base + field->offset);
    bool integer;
    if (peek(reader, '"'))
        return read_string(reader, index);
    if (reader->at == reader->end || *reader->at < '0' || *reader->at > '9')
        return refuse(reader, REQUEST_WRONG_KIND, field, place);
    if (!read_number(reader, index, &integer))
        return false;
    if (!integer)
        complain(reader, REQUEST_WRONG_KIND, field->name, place->shape);
    return true;
}

static bool
read_value(struct reader *reader, const struct request_field *field, const struct place *place)
{
    switch (field->kind) {
    case VALUE_STRING:
        if (!peek(reader, '"'))
            return refuse(reader, REQUEST_WRONG_KIND, field, place);
        return read_string(reader, (struct span *)(void *)(place->base + field->offset));
    case VALUE_INDEX:
        return read_index(reader, field, place);
    case VALUE_OBJECT:
    case VALUE_NOTED:
        if (!peek(reader, '{'))
            return refuse(reader, REQUEST_WRONG_KIND, field, place);
        if (field->kind == VALUE_NOTED)
            *(bool *)(place->base + field->offset) = true;
        return read_object(reader, &(struct place){.shape = field->shape, .base = place->base});
    case VALUE_COMPONENTS:
    case VALUE_PARAMETERS:
        if (!peek(reader, '['))
            return refuse(reader, REQUEST_WRONG_KIND, field, place);
        return read_array(reader, field, place);
    case VALUE_ANY:
        return skip_value(reader);
    }
    check(false);
}

enum request_error
request_read(struct span json, struct request_scratch *scratch, struct send_request *request)
{
    memset(request, 0, offsetof(struct send_request, components));
    request->field = request->parent = SPAN("");
    if (json.size == 0)
        return REQUEST_NOT_JSON;
    if (json.size > REQUEST_BODY_MAX)
        return REQUEST_TOO_LARGE;
    struct reader reader = {.at = json.data,
                            .end = json.data + json.size,
                            .scratch = scratch->data,
                            .request = request};
    const struct place place = {.shape = &request_shape_root, .base = (char *)request};
    if (!peek(&reader, '{') || !read_object(&reader, &place))
        return REQUEST_NOT_JSON;
    skip_space(&reader);
    return reader.at == reader.end ? reader.error : REQUEST_NOT_JSON;
}

const char *
request_error_text(enum request_error error)
{
    switch (error) {
    case REQUEST_OK:
        return "good";
    case REQUEST_NOT_JSON:
        return "The request body is not valid JSON";
    case REQUEST_TOO_LARGE:
        return "The request body is too large";
    case REQUEST_UNKNOWN_FIELD:
        return "Unexpected key";
    case REQUEST_TWICE:
        return "Key given twice";
    case REQUEST_WRONG_KIND:
        return "Wrong kind of value for key";
    case REQUEST_TOO_MANY:
        return "Too many elements in key";
    }
    return "unknown";
}
