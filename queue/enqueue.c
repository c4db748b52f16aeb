#include "queue/enqueue.h"
#include "sender/base/check.h"
#include "sender/base/json.h"

/* XADD A:STREAM * and then `part_count` parts that the caller writes. */
static void
begin(const struct enqueue_target *target, size_t part_count)
{
    struct session *session = target->call.session;
    const struct span key[] = {span_of(target->call.keys->account), SPAN(":"),
                               span_of(target->stream)};
    session_begin(session, 3 + part_count);
    session_part(session, SPAN("XADD"));
    session_part_joined(session, key, 3);
    session_part(session, SPAN("*"));
}

static bool
end(const struct enqueue_target *target)
{
    return session_end(target->call.session, target->call.on_reply, target->call.context);
}

bool
enqueue_single(const struct enqueue_target *target, const struct field *fields, size_t count)
{
    check(count > 0);
    begin(target, 2 * count);
    for (size_t i = 0; i < count; i++) {
        session_part(target->call.session, fields[i].name);
        session_part(target->call.session, fields[i].value);
    }
    return end(target);
}

void
bulk_writer_init(struct bulk_writer *writer, void *memory, size_t capacity, uint32_t members_max)
{
    check(members_max > 0 && members_max <= QUEUE_BULK_MAX);
    check(capacity <= QUEUE_ENTRY_SIZE_MAX - (sizeof("bulk") - 1));
    *writer = (struct bulk_writer){.members_max = members_max};
    buffer_init(&writer->text, memory, capacity);
}

/* Every value is a JSON string: `params` too, whose text may hold newlines that would end the
 * line. A reader gets the same bytes back either way. */
static void
put_line(struct buffer *text, const struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        buffer_put_char(text, i == 0 ? '{' : ',');
        json_put_string(text, fields[i].name);
        buffer_put_char(text, ':');
        json_put_string(text, fields[i].value);
    }
    buffer_put_char(text, '}');
}

bool
bulk_writer_add(struct bulk_writer *writer, const struct field *fields, size_t count)
{
    check(count > 0);
    if (writer->members == writer->members_max)
        return false;
    size_t size = writer->text.size;
    if (writer->members > 0)
        buffer_put_char(&writer->text, '\n');
    put_line(&writer->text, fields, count);
    if (writer->text.overflow) {
        writer->text.size = size;
        writer->text.overflow = false;
        return false;
    }
    writer->members++;
    return true;
}

bool
bulk_writer_flush(struct bulk_writer *writer, const struct enqueue_target *target)
{
    if (writer->members == 0)
        return true;
    begin(target, 2);
    session_part(target->call.session, SPAN("bulk"));
    session_part(target->call.session, buffer_span(&writer->text));
    if (!end(target))
        return false;
    buffer_reset(&writer->text);
    writer->members = 0;
    return true;
}

bool
enqueue_read_line(struct span line, struct field fields[NOTIFICATION_FIELDS_MAX], size_t *count,
                  const char **why)
{
    struct json_object object = {.fields = fields, .capacity = NOTIFICATION_FIELDS_MAX};
    *count = 0;
    if (span_trim(line).size == 0)
        return true;
    enum json_error error = json_read_flat(line, &object, NULL);
    *count = object.count;
    *why = json_error_text(error);
    return error == JSON_OK;
}
