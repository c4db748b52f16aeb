#include "queue/notification.h"
#include "sender/base/json.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

/* ---- the fields --------------------------------------------------------------------------- */

enum kind {
    KIND_TEXT, /* as long as the entry lets it be */
    KIND_NAME, /* at most NOTIFICATION_NAME_MAX bytes */
    KIND_NOTE, /* at most QUEUE_ID_MAX bytes */
    KIND_ID,   /* likewise, and no control characters: it becomes part of a grant's record */
    KIND_TIME, /* Unix milliseconds */
};

struct known_field {
    const char *name;
    size_t name_size;
    enum kind kind;
    size_t offset; /* in struct notification: a span, or a uint64_t of KIND_TIME */
};

#define KNOWN(name, kind, member)                                                                  \
    {                                                                                              \
        name, sizeof(name) - 1, kind, offsetof(struct notification, member)                        \
    }

/* Often used ones first. */
static const struct known_field known_fields[] = {
    KNOWN("to", KIND_NAME, to),
    KNOWN("template", KIND_NAME, template_name),
    KNOWN("lang", KIND_NAME, language),
    KNOWN("id", KIND_ID, id),
    KNOWN("ref", KIND_NOTE, ref),
    KNOWN("params", KIND_TEXT, params),
    KNOWN("expires", KIND_TIME, expires_ms),
    KNOWN("not_before", KIND_TIME, not_before_ms),
    KNOWN("recipient", KIND_NAME, recipient),
    KNOWN("text", KIND_TEXT, text),
    KNOWN("in_reply_to", KIND_NAME, in_reply_to),
};

enum { KNOWN_COUNT = sizeof(known_fields) / sizeof(known_fields[0]) };

static_assert(KNOWN_COUNT + NOTIFICATION_PARAMETERS_MAX < NOTIFICATION_FIELDS_MAX,
              "a line with that many fields has one too many, and its reading finds which");

/* What is met while the fields are read one by one. */
struct reading {
    struct notification *notification;
    uint32_t known;    /* bit i: known_fields[i] was there */
    uint32_t numbered; /* bit n - 1: parameter n was there */
};

static bool
is_plain_text(struct span text)
{
    size_t at;
    return span_is_utf8(text) && !span_find(text, '\0', &at);
}

static bool
has_control(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return true;
    return false;
}

/*
 * Unix milliseconds have 12 to 14 digits between 1973 and 5138; seconds have 10, and are the usual
 * mistake. 0 stands for "not said".
 */
static enum notification_error
read_time(struct span text, uint64_t *time_ms)
{
    if (!span_to_u64(text, time_ms) ||
        (*time_ms != 0 && (*time_ms < 100000000000 || *time_ms > 99999999999999)))
        return NOTIFICATION_BAD_NUMBER;
    return NOTIFICATION_OK;
}

static enum notification_error
read_known(struct reading *reading, size_t index, struct span value)
{
    const struct known_field *known = &known_fields[index];
    char *place = (char *)reading->notification + known->offset;
    if ((reading->known & 1u << index) != 0)
        return NOTIFICATION_DUPLICATE_FIELD;
    reading->known |= 1u << index;
    if (!is_plain_text(value))
        return NOTIFICATION_ENCODING;
    switch (known->kind) {
    case KIND_TIME:
        return read_time(value, (uint64_t *)(void *)place);
    case KIND_NAME:
        if (value.size > NOTIFICATION_NAME_MAX)
            return NOTIFICATION_TOO_LONG;
        break;
    case KIND_ID:
        if (has_control(value))
            return NOTIFICATION_ENCODING;
        if (value.size > QUEUE_ID_MAX)
            return NOTIFICATION_TOO_LONG;
        break;
    case KIND_NOTE:
        if (value.size > QUEUE_ID_MAX)
            return NOTIFICATION_TOO_LONG;
        break;
    case KIND_TEXT:
        break;
    }
    *(struct span *)(void *)place = value;
    return NOTIFICATION_OK;
}

/* ---- parameters --------------------------------------------------------------------------- */

static bool
is_number(struct span name)
{
    for (size_t i = 0; i < name.size; i++)
        if (name.data[i] < '0' || name.data[i] > '9')
            return false;
    return name.size > 0;
}

/* Each is put where its number says, so that they end in order; gaps are found at the end. */
static enum notification_error
read_numbered(struct reading *reading, const struct field *field)
{
    struct notification *notification = reading->notification;
    uint64_t number;
    if (notification->named || field->name.data[0] == '0' || !span_to_u64(field->name, &number) ||
        number > NOTIFICATION_PARAMETERS_MAX)
        return NOTIFICATION_PARAMETERS;
    if ((reading->numbered & 1u << (number - 1)) != 0)
        return NOTIFICATION_DUPLICATE_FIELD;
    if (!is_plain_text(field->value))
        return NOTIFICATION_ENCODING;
    reading->numbered |= 1u << (number - 1);
    notification->parameters[number - 1] = *field;
    notification->parameter_count++;
    return NOTIFICATION_OK;
}

static enum notification_error
read_named(struct reading *reading, const struct field *field)
{
    struct notification *notification = reading->notification;
    struct span name = {.data = field->name.data + 2, .size = field->name.size - 2};
    if (reading->numbered != 0 || name.size == 0 ||
        notification->parameter_count == NOTIFICATION_PARAMETERS_MAX)
        return NOTIFICATION_PARAMETERS;
    if (name.size > NOTIFICATION_NAME_MAX)
        return NOTIFICATION_TOO_LONG;
    for (uint32_t i = 0; i < notification->parameter_count; i++)
        if (span_equal(notification->parameters[i].name, name))
            return NOTIFICATION_DUPLICATE_FIELD;
    if (!is_plain_text(name) || !is_plain_text(field->value))
        return NOTIFICATION_ENCODING;
    notification->named = true;
    notification->parameters[notification->parameter_count++] =
        (struct field){.name = name, .value = field->value};
    return NOTIFICATION_OK;
}

/* ---- the whole ---------------------------------------------------------------------------- */

static enum notification_error
read_field(struct reading *reading, const struct field *field)
{
    struct span name = field->name;
    for (size_t i = 0; i < KNOWN_COUNT; i++)
        if (name.size == known_fields[i].name_size &&
            memcmp(name.data, known_fields[i].name, name.size) == 0)
            return read_known(reading, i, field->value);
    if (is_number(name))
        return read_numbered(reading, field);
    if (span_starts(name, SPAN("p.")))
        return read_named(reading, field);
    return NOTIFICATION_UNKNOWN_FIELD;
}

/* The number that was left out, as a name. */
static struct span
gap_name(uint32_t numbered)
{
    static const char names[NOTIFICATION_PARAMETERS_MAX][3] = {
        "1",  "2",  "3",  "4",  "5",  "6",  "7",  "8",  "9",  "10", "11",
        "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22",
        "23", "24", "25", "26", "27", "28", "29", "30", "31", "32",
    };
    return span_of(names[__builtin_ctz(~numbered)]);
}

/* What no field alone can tell. */
static enum notification_error
read_end(const struct reading *reading, struct span *field)
{
    const struct notification *notification = reading->notification;
    *field = SPAN("to");
    if (notification->to.size == 0 && notification->recipient.size == 0)
        return NOTIFICATION_NO_RECIPIENT;
    *field = SPAN("recipient");
    if (notification->to.size > 0 && notification->recipient.size > 0)
        return NOTIFICATION_TWO_RECIPIENTS;
    *field = SPAN("template");
    if (notification->template_name.size == 0 && notification->text.size == 0)
        return NOTIFICATION_NO_TEMPLATE;
    *field = SPAN("text");
    if (notification->template_name.size > 0 && notification->text.size > 0)
        return NOTIFICATION_TWO_CONTENTS;
    *field = SPAN("lang");
    if (notification->template_name.size > 0 && notification->language.size == 0)
        return NOTIFICATION_NO_LANGUAGE;
    *field = SPAN("params");
    if (notification->params.size > 0 && notification->parameter_count > 0)
        return NOTIFICATION_PARAMETERS;
    if ((reading->numbered & (reading->numbered + 1)) != 0) {
        *field = gap_name(reading->numbered);
        return NOTIFICATION_PARAMETERS;
    }
    *field = (struct span){0};
    return NOTIFICATION_OK;
}

enum notification_error
notification_read(const struct field *fields, size_t count, struct notification *notification,
                  struct span *field)
{
    struct reading reading = {.notification = notification};
    *notification = (struct notification){0};
    *field = (struct span){0};
    if (count == 0)
        return NOTIFICATION_EMPTY;
    for (size_t i = 0; i < count; i++) {
        enum notification_error error = read_field(&reading, &fields[i]);
        if (error != NOTIFICATION_OK) {
            *field = fields[i].name;
            return error;
        }
    }
    return read_end(&reading, field);
}

/* ---- bulk members ------------------------------------------------------------------------- */

/* Numbers are welcome anywhere as their text, and an object as `params`; nothing else is. */
static bool
raw_is_good(const struct field *field)
{
    char first = field->value.data[0];
    if (first == '{')
        return span_equal(field->name, SPAN("params"));
    return first == '-' || (first >= '0' && first <= '9');
}

enum notification_error
notification_read_line(struct span line, struct notification *notification, struct span *field)
{
    struct field fields[NOTIFICATION_FIELDS_MAX];
    struct json_object object = {.fields = fields, .capacity = NOTIFICATION_FIELDS_MAX};
    uint64_t raw;
    *field = SPAN("bulk");
    if (span_trim(line).size == 0)
        return NOTIFICATION_EMPTY;
    switch (json_read_flat(line, &object, &raw)) {
    case JSON_OK:
    case JSON_TOO_MANY: /* then one of those that were read is one too many */
        break;
    case JSON_SYNTAX:
        return NOTIFICATION_MALFORMED;
    case JSON_ENCODING:
        return NOTIFICATION_ENCODING;
    case JSON_DUPLICATE:
        *field = fields[object.count].name;
        return NOTIFICATION_DUPLICATE_FIELD;
    }
    for (size_t i = 0; i < object.count; i++) {
        if ((raw & (uint64_t)1 << i) != 0 && !raw_is_good(&fields[i])) {
            *field = fields[i].name;
            return NOTIFICATION_MALFORMED;
        }
    }
    if (object.count == 0)
        return NOTIFICATION_EMPTY;
    return notification_read(fields, object.count, notification, field);
}

bool
notification_is_bulk(const struct field *fields, size_t count, struct span *bulk)
{
    for (size_t i = 0; i < count; i++) {
        if (span_equal(fields[i].name, SPAN("bulk"))) {
            *bulk = fields[i].value;
            return true;
        }
    }
    return false;
}

uint32_t
notification_split_bulk(struct span bulk, struct span lines[QUEUE_BULK_MAX])
{
    if (bulk.size > 0 && bulk.data[bulk.size - 1] == '\n')
        bulk.size--;
    uint32_t count = 0;
    while (bulk.size > 0 || (count > 0 && bulk.data != NULL)) {
        if (count == QUEUE_BULK_MAX)
            return 0;
        lines[count++] = span_split(&bulk, '\n');
    }
    return count;
}

const char *
notification_error_text(enum notification_error error)
{
    switch (error) {
    case NOTIFICATION_OK:
        return "good";
    case NOTIFICATION_UNKNOWN_FIELD:
        return "unknown field: p. in front makes it a parameter";
    case NOTIFICATION_DUPLICATE_FIELD:
        return "stands twice";
    case NOTIFICATION_NO_RECIPIENT:
        return "missing: give to (a number in E.164) or recipient";
    case NOTIFICATION_TWO_RECIPIENTS:
        return "stands beside to: give one of them";
    case NOTIFICATION_NO_TEMPLATE:
        return "missing: name a template of the catalogue";
    case NOTIFICATION_NO_LANGUAGE:
        return "missing: name a language of the template, as en or pt_BR";
    case NOTIFICATION_BAD_NUMBER:
        return "not Unix milliseconds, which have 13 digits today";
    case NOTIFICATION_TOO_LONG:
        return "too long: id and ref have at most 256 bytes, names 512";
    case NOTIFICATION_ENCODING:
        return "not UTF-8, or with a NUL byte (id: with a control character)";
    case NOTIFICATION_PARAMETERS:
        return "parameters are 1, 2, … up to 32 without a gap, or p.NAME, or params alone";
    case NOTIFICATION_MALFORMED:
        return "not a flat JSON object of texts and numbers";
    case NOTIFICATION_EMPTY:
        return "nothing in it";
    case NOTIFICATION_TWO_CONTENTS:
        return "stands beside template: give one of them";
    }
    return "unknown";
}
