/*
 * frames - HTTP/2 frames written and read by hand, so that tests can play a peer that no library
 * would let them be.
 */
#ifndef FACTEUR_TESTS_UNIT_H2_FRAMES_H
#define FACTEUR_TESTS_UNIT_H2_FRAMES_H

#include "sender/base/bytes.h"

#include <string.h>

enum frame_type {
    FRAME_DATA,
    FRAME_HEADERS,
    FRAME_PRIORITY,
    FRAME_RST_STREAM,
    FRAME_SETTINGS,
    FRAME_PUSH_PROMISE,
    FRAME_PING,
    FRAME_GOAWAY,
    FRAME_WINDOW_UPDATE,
    FRAME_CONTINUATION,
};

enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8 };
enum {
    SETTING_ENABLE_PUSH = 2,
    SETTING_STREAMS_MAX = 3,
    SETTING_WINDOW = 4,
};
enum {
    CODE_NO_ERROR = 0,
    CODE_PROTOCOL_ERROR = 1,
    CODE_INTERNAL_ERROR = 2,
    CODE_REFUSED_STREAM = 7,
    CODE_CANCEL = 8,
};

enum { FRAME_HEADER_SIZE = 9 };

#define CLIENT_MAGIC SPAN("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")

/* HPACK by hand: indexed fields, and literals that are never entered into a table. */
#define STATUS_200 "\x88"
#define STATUS_500 "\x8e"
#define STATUS_103                                                                                 \
    "\x08\x03"                                                                                     \
    "103"
#define RETRY_AFTER_7                                                                              \
    "\x0f\x26\x01"                                                                                 \
    "7"
#define CONTENT_SIZE_5                                                                             \
    "\x0f\x0d\x01"                                                                                 \
    "5"
#define TRAILER                                                                                    \
    "\x00\x01"                                                                                     \
    "t\x01"                                                                                        \
    "v"

static inline void
put_u32(struct buffer *out, uint32_t value)
{
    unsigned char bytes[4] = {(unsigned char)(value >> 24), (unsigned char)(value >> 16),
                              (unsigned char)(value >> 8), (unsigned char)value};
    buffer_put(out, bytes, sizeof(bytes));
}

static inline void
put_frame_header(struct buffer *out, size_t size, int type, int flags, int32_t stream_id)
{
    unsigned char bytes[5] = {(unsigned char)(size >> 16), (unsigned char)(size >> 8),
                              (unsigned char)size, (unsigned char)type, (unsigned char)flags};
    buffer_put(out, bytes, sizeof(bytes));
    put_u32(out, (uint32_t)stream_id);
}

static inline void
put_frame(struct buffer *out, int type, int flags, int32_t stream_id, struct span payload)
{
    put_frame_header(out, payload.size, type, flags, stream_id);
    buffer_put_span(out, payload);
}

static inline void
put_setting(struct buffer *out, int id, uint32_t value)
{
    put_frame_header(out, 6, FRAME_SETTINGS, 0, 0);
    buffer_put(out, (unsigned char[]){0, (unsigned char)id}, 2);
    put_u32(out, value);
}

static inline void
put_reset(struct buffer *out, int32_t stream_id, uint32_t code)
{
    put_frame_header(out, 4, FRAME_RST_STREAM, 0, stream_id);
    put_u32(out, code);
}

static inline void
put_goaway(struct buffer *out, int32_t last_stream_id, uint32_t code)
{
    put_frame_header(out, 8, FRAME_GOAWAY, 0, 0);
    put_u32(out, (uint32_t)last_stream_id);
    put_u32(out, code);
}

static inline void
put_window_update(struct buffer *out, int32_t stream_id, uint32_t size)
{
    put_frame_header(out, 4, FRAME_WINDOW_UPDATE, 0, stream_id);
    put_u32(out, size);
}

struct frame {
    size_t start; /* offset of its header in what was read */
    int type;
    int flags;
    int32_t stream_id;
    struct span payload;
};

/* Reads the next whole frame at `*at`, jumping over the client's magic. False: there is none. */
static inline bool
next_frame(struct span bytes, size_t *at, struct frame *frame)
{
    if (*at == 0 && span_starts(bytes, CLIENT_MAGIC))
        *at = CLIENT_MAGIC.size;
    if (bytes.size - *at < FRAME_HEADER_SIZE)
        return false;
    const unsigned char *p = (const unsigned char *)bytes.data + *at;
    size_t size = (size_t)p[0] << 16 | (size_t)p[1] << 8 | p[2];
    if (bytes.size - *at - FRAME_HEADER_SIZE < size)
        return false;
    uint32_t id = (uint32_t)p[5] << 24 | (uint32_t)p[6] << 16 | (uint32_t)p[7] << 8 | p[8];
    *frame = (struct frame){
        .start = *at, .type = p[3], .flags = p[4], .stream_id = (int32_t)(id & INT32_MAX)};
    frame->payload = (struct span){bytes.data + *at + FRAME_HEADER_SIZE, size};
    *at += FRAME_HEADER_SIZE + size;
    return true;
}

static inline size_t
count_frames(struct span bytes, int type, int32_t stream_id)
{
    size_t count = 0;
    struct frame frame;
    for (size_t at = 0; next_frame(bytes, &at, &frame);)
        if (frame.type == type && frame.stream_id == stream_id)
            count++;
    return count;
}

/* Bytes of DATA on one stream. */
static inline size_t
count_data(struct span bytes, int32_t stream_id)
{
    size_t size = 0;
    struct frame frame;
    for (size_t at = 0; next_frame(bytes, &at, &frame);)
        if (frame.type == FRAME_DATA && frame.stream_id == stream_id)
            size += frame.payload.size;
    return size;
}

#endif
