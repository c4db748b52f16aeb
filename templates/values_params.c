#include "templates/values_params.h"
#include "templates/template_text.h"

#include <jansson.h>
#include <string.h>

enum {
    LINK_CHARACTERS_MAX = 2000,
    MEDIA_ID_MAX = 64,                 /* digits */
    HEADER_FIELD_CHARACTERS_MAX = 240, /* of a file's name, a place's name or address */
};

struct reading {
    const struct template *template;
    struct arena *arena;
    struct values *values;
    struct span *field; /* what is being read, for the complaint */
};

/* A copy of a JSON string in the arena; not empty, one line. */
static enum values_error
take_string(struct reading *reading, const json_t *value, struct span *text)
{
    if (!json_is_string(value))
        return VALUES_MALFORMED;
    size_t size = json_string_length(value);
    const char *copy = arena_copy(reading->arena, json_string_value(value), size);
    if (copy == NULL)
        return VALUES_ROOM;
    *text = (struct span){.data = copy, .size = size};
    if (span_trim(*text).size == 0)
        return VALUES_MISSING;
    return value_is_one_line(*text) ? VALUES_OK : VALUES_TEXT;
}

/* A key of the JSON object as a span that outlives it. */
static enum values_error
take_key(struct reading *reading, const char *key, struct span *name)
{
    const char *copy = arena_copy(reading->arena, key, strlen(key));
    if (copy == NULL)
        return VALUES_ROOM;
    *name = (struct span){.data = copy, .size = strlen(key)};
    return VALUES_OK;
}

static enum values_error
read_body_list(struct reading *reading, const json_t *list)
{
    if (reading->template->named)
        return VALUES_MALFORMED;
    if (json_array_size(list) > reading->template->parameter_count)
        return VALUES_UNKNOWN;
    for (size_t i = 0; i < json_array_size(list); i++) {
        struct field field = {.name = reading->template->parameter_names[i]};
        *reading->field = field.name;
        enum values_error error = take_string(reading, json_array_get(list, i), &field.value);
        if (error == VALUES_OK)
            error = values_set(reading->template, &field, reading->values);
        if (error != VALUES_OK)
            return error;
    }
    return VALUES_OK;
}

static enum values_error
read_body(struct reading *reading, const json_t *body)
{
    *reading->field = SPAN("params.body");
    if (json_is_array(body))
        return read_body_list(reading, body);
    if (!json_is_object(body))
        return VALUES_MALFORMED;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)body, key, value)
    {
        struct field field;
        enum values_error error = take_key(reading, key, &field.name);
        if (error != VALUES_OK)
            return error;
        *reading->field = field.name;
        error = take_string(reading, value, &field.value);
        if (error == VALUES_OK)
            error = values_set(reading->template, &field, reading->values);
        if (error != VALUES_OK)
            return error;
    }
    return VALUES_OK;
}

/* The keys of each header in the order in which they are given on; the first two of media exclude
 * each other. */
static const struct header_key {
    struct span name;
    uint32_t headers; /* a bit for each enum template_header that takes it */
} header_keys[] = {
#define BIT(header) (1u << TEMPLATE_HEADER_##header)
#define MEDIA       (BIT(IMAGE) | BIT(VIDEO) | BIT(DOCUMENT))
    {{"link", 4}, MEDIA},
    {{"id", 2}, MEDIA},
    {{"filename", 8}, BIT(DOCUMENT)},
    {{"latitude", 8}, BIT(LOCATION)},
    {{"longitude", 9}, BIT(LOCATION)},
    {{"name", 4}, BIT(LOCATION)},
    {{"address", 7}, BIT(LOCATION)},
#undef MEDIA
#undef BIT
};
enum { HEADER_KEY_COUNT = sizeof(header_keys) / sizeof(header_keys[0]) };

/* Meta fetches it itself: with a host, without a space, and over TLS. */
static bool
is_link(struct span link)
{
    struct span scheme = SPAN("https://");
    size_t index;
    if (!span_starts(link, scheme) || span_find(link, ' ', &index))
        return false;
    char first = link.size > scheme.size ? link.data[scheme.size] : '/';
    return first != '/' && first != ':' && first != '?' && first != '#';
}

static bool
is_media_id(struct span id)
{
    for (size_t i = 0; i < id.size; i++)
        if (id.data[i] < '0' || id.data[i] > '9')
            return false;
    return id.size <= MEDIA_ID_MAX;
}

/* "-33.8568", at most `most` degrees from 0. */
static bool
is_degrees(struct span text, uint64_t most)
{
    struct span fraction = text;
    uint64_t whole;
    if (fraction.data[0] == '-' || fraction.data[0] == '+')
        fraction = (struct span){fraction.data + 1, fraction.size - 1};
    struct span integer = span_split(&fraction, '.');
    if (integer.size > 3 || !span_to_u64(integer, &whole) || whole > most)
        return false;
    if (fraction.data == NULL)
        return true;
    uint64_t digits;
    return fraction.size <= 15 && span_to_u64(fraction, &digits) && (whole < most || digits == 0);
}

static enum values_error
judge_header_field(const struct field *field)
{
    if (span_equal(field->name, SPAN("link"))) {
        if (template_text_characters(field->value) > LINK_CHARACTERS_MAX)
            return VALUES_TOO_LONG;
        return is_link(field->value) ? VALUES_OK : VALUES_LINK;
    }
    if (span_equal(field->name, SPAN("id")))
        return is_media_id(field->value) ? VALUES_OK : VALUES_MEDIA_ID;
    if (span_equal(field->name, SPAN("latitude")))
        return is_degrees(field->value, 90) ? VALUES_OK : VALUES_PLACE;
    if (span_equal(field->name, SPAN("longitude")))
        return is_degrees(field->value, 180) ? VALUES_OK : VALUES_PLACE;
    return template_text_characters(field->value) <= HEADER_FIELD_CHARACTERS_MAX ? VALUES_OK
                                                                                 : VALUES_TOO_LONG;
}

static enum values_error
read_header_object(struct reading *reading, const json_t *header)
{
    struct values *values = reading->values;
    size_t seen = 0;
    for (size_t i = 0; i < HEADER_KEY_COUNT; i++) {
        const struct header_key *key = &header_keys[i];
        const json_t *value = json_object_get(header, key->name.data);
        if (value == NULL || (key->headers >> reading->template->header & 1) == 0)
            continue;
        *reading->field = key->name;
        struct field *field = &values->header_fields[values->header_field_count];
        field->name = key->name;
        enum values_error error = take_string(reading, value, &field->value);
        if (error != VALUES_OK)
            return error;
        error = judge_header_field(field);
        if (error != VALUES_OK)
            return error;
        if (i == 1 && values->header_field_count > 0)
            return VALUES_MALFORMED; /* a link and an id */
        values->header_field_count++;
        seen++;
    }
    *reading->field = SPAN("params.header");
    return seen == json_object_size(header) ? VALUES_OK : VALUES_UNKNOWN;
}

static enum values_error
read_header(struct reading *reading, const json_t *header)
{
    const struct template *template = reading->template;
    *reading->field = SPAN("params.header");
    if (template->header == TEMPLATE_HEADER_NONE)
        return VALUES_UNKNOWN;
    if (template->header != TEMPLATE_HEADER_TEXT)
        return json_is_object(header) ? read_header_object(reading, header) : VALUES_MALFORMED;
    if (template->header_text.variable_count == 0)
        return VALUES_UNKNOWN;
    if (reading->values->header_text.size > 0)
        return VALUES_MALFORMED; /* a field gave it already */
    return take_string(reading, header, &reading->values->header_text);
}

static enum values_error
read_buttons(struct reading *reading, const json_t *buttons)
{
    *reading->field = SPAN("params.buttons");
    if (!json_is_object(buttons))
        return VALUES_MALFORMED;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)buttons, key, value)
    {
        uint32_t index = (uint32_t)(key[0] - '0');
        if (key[0] < '0' || key[0] > '9' || key[1] != '\0' ||
            index >= reading->template->button_count)
            return VALUES_UNKNOWN;
        enum values_error error = take_string(reading, value, &reading->values->buttons[index]);
        if (error != VALUES_OK)
            return error;
    }
    return VALUES_OK;
}

static enum values_error
read_object(struct reading *reading, const json_t *object)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value)
    {
        enum values_error error = VALUES_UNKNOWN;
        *reading->field = SPAN("params");
        if (strcmp(key, "header") == 0)
            error = read_header(reading, value);
        else if (strcmp(key, "body") == 0)
            error = read_body(reading, value);
        else if (strcmp(key, "buttons") == 0)
            error = read_buttons(reading, value);
        if (error != VALUES_OK)
            return error;
    }
    return VALUES_OK;
}

enum values_error
values_params_read(const struct template *template, struct span params, struct arena *arena,
                   struct values *values, struct span *field)
{
    *field = SPAN("params");
    if (params.size > VALUES_PARAMS_MAX)
        return VALUES_ROOM;
    json_error_t place;
    json_t *object = json_loadb(params.data, params.size, JSON_REJECT_DUPLICATES, &place);
    if (!json_is_object(object)) {
        json_decref(object);
        return VALUES_MALFORMED;
    }
    struct reading reading = {
        .template = template, .arena = arena, .values = values, .field = field};
    enum values_error error = read_object(&reading, object);
    json_decref(object);
    return error;
}
