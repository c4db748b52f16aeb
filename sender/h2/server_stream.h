/*
 * server_stream - one request and its response, on the server's side.
 *
 * Streams are kept for use again, with the memory they grew, so that a warm server allocates
 * nothing. Private to this folder.
 */
#ifndef FACTEUR_SENDER_H2_SERVER_STREAM_H
#define FACTEUR_SENDER_H2_SERVER_STREAM_H

#include "sender/base/bytes.h"
#include "sender/h2/server.h"

#define H2_SERVER_STREAM_MAGIC 0x6832737472656121u

/* Bytes that grow; the memory is owned. */
struct h2_server_bytes {
    char *data;
    size_t size;     /* bytes */
    size_t capacity; /* bytes */
};

struct h2_server_stream {
    uint64_t magic;
    int32_t id;                        /* 0: free */
    struct h2_server_stream *next_all; /* every stream the server ever made */
    struct h2_server_stream *next;     /* of the free ones, or of those with events due */

    struct h2_server_request request; /* its spans point into `head` and `body` */
    struct buffer head;               /* in head_memory */
    struct h2_server_bytes body;
    struct h2_server_bytes response;
    size_t response_sent;
    bool answered;     /* a response was begun */
    bool response_end; /* no more data will come */

    bool dropped;     /* refused, or above GOAWAY: neither a request nor answered */
    bool request_due; /* on_request is to be called */
    bool end_due;     /* on_stream_end is to be called; nghttp2 does not know the stream any more */
    bool is_due;      /* in the list of those with events due */
    uint32_t error_code;

    char head_memory[H2_SERVER_HEAD_SIZE_MAX];
};

struct h2_server_stream *h2_server_stream_make(void); /* for h2_server_stream_reset() */
void h2_server_stream_free(struct h2_server_stream *stream);
void h2_server_stream_reset(struct h2_server_stream *stream, int32_t id); /* ready for a request */

/* Keeps a request's header if it is one of those asked for. False: there is no room. */
bool h2_server_stream_keep_header(struct h2_server_stream *stream, struct span name,
                                  struct span value);

/* Keeps what fits into `size_max` bytes of body, and notes if that is not all. */
void h2_server_stream_keep_body(struct h2_server_stream *stream, struct span data, size_t size_max);

void h2_server_stream_put_response(struct h2_server_stream *stream, struct span data);
/* Takes up to `size` bytes of the response that were not taken yet. */
size_t h2_server_stream_take_response(struct h2_server_stream *stream, void *data, size_t size);

#endif
