#include "sender/h2/server_stream.h"
#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

enum { KEEP_SIZE_MAX = 256 * 1024, GROW_SIZE_MIN = 1024 };

static void
bytes_add(struct h2_server_bytes *bytes, struct span data)
{
    if (data.size == 0)
        return;
    if (data.size > bytes->capacity - bytes->size) {
        size_t capacity = bytes->capacity == 0 ? GROW_SIZE_MIN : bytes->capacity;
        while (capacity - bytes->size < data.size) {
            check(capacity <= SIZE_MAX / 2);
            capacity *= 2;
        }
        char *larger = realloc(bytes->data, capacity);
        check(larger != NULL);
        bytes->data = larger;
        bytes->capacity = capacity;
    }
    memcpy(bytes->data + bytes->size, data.data, data.size);
    bytes->size += data.size;
}

/* Empties it, and gives back what one large exchange left behind. */
static void
bytes_reset(struct h2_server_bytes *bytes)
{
    if (bytes->capacity > KEEP_SIZE_MAX) {
        free(bytes->data);
        *bytes = (struct h2_server_bytes){0};
    }
    bytes->size = 0;
}

struct h2_server_stream *
h2_server_stream_make(void)
{
    struct h2_server_stream *stream = check_alloc(1, sizeof(*stream));
    stream->magic = H2_SERVER_STREAM_MAGIC;
    return stream;
}

void
h2_server_stream_free(struct h2_server_stream *stream)
{
    check_magic(stream, H2_SERVER_STREAM_MAGIC);
    stream->magic = 0;
    free(stream->body.data);
    free(stream->response.data);
    free(stream);
}

void
h2_server_stream_reset(struct h2_server_stream *stream, int32_t id)
{
    check_magic(stream, H2_SERVER_STREAM_MAGIC);
    check(!stream->is_due);
    stream->id = id;
    stream->next = NULL;
    stream->request = (struct h2_server_request){.stream_id = id};
    buffer_init(&stream->head, stream->head_memory, sizeof(stream->head_memory));
    bytes_reset(&stream->body);
    bytes_reset(&stream->response);
    stream->response_sent = 0;
    stream->answered = false;
    stream->response_end = false;
    stream->dropped = false;
    stream->request_due = false;
    stream->end_due = false;
    stream->error_code = 0;
}

bool
h2_server_stream_keep_header(struct h2_server_stream *stream, struct span name, struct span value)
{
    struct span *kept;
    if (span_equal(name, SPAN(":method")))
        kept = &stream->request.method;
    else if (span_equal(name, SPAN(":path")))
        kept = &stream->request.path;
    else if (span_equal(name, SPAN("authorization")))
        kept = &stream->request.authorization;
    else if (span_equal(name, SPAN("content-type")))
        kept = &stream->request.content_type;
    else
        return true;
    if (value.size > buffer_room(&stream->head))
        return false;
    *kept = (struct span){.data = stream->head.data + stream->head.size, .size = value.size};
    buffer_put_span(&stream->head, value);
    return true;
}

void
h2_server_stream_keep_body(struct h2_server_stream *stream, struct span data, size_t size_max)
{
    size_t room = size_max - stream->body.size;
    if (data.size > room) {
        stream->request.too_large = true;
        data.size = room;
    }
    bytes_add(&stream->body, data);
    stream->request.body = (struct span){.data = stream->body.data, .size = stream->body.size};
}

void
h2_server_stream_put_response(struct h2_server_stream *stream, struct span data)
{
    if (stream->response_sent == stream->response.size) {
        stream->response_sent = 0;
        stream->response.size = 0;
    }
    bytes_add(&stream->response, data);
}

size_t
h2_server_stream_take_response(struct h2_server_stream *stream, void *data, size_t size)
{
    size_t left = stream->response.size - stream->response_sent;
    size_t part = left < size ? left : size;
    if (part > 0)
        memcpy(data, stream->response.data + stream->response_sent, part);
    stream->response_sent += part;
    return part;
}
