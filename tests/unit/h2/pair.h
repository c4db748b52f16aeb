/*
 * pair - a client and a server of ours in one memory, with a pipe each way that is as slow, as
 * chopped and as short-lived as a test wants.
 */
#ifndef FACTEUR_TESTS_UNIT_H2_PAIR_H
#define FACTEUR_TESTS_UNIT_H2_PAIR_H

#include "sender/h2/server.h"
#include "tests/unit/h2/caller.h"

struct pair {
    struct caller caller;
    struct h2_server *server;
    enum h2_error server_error; /* the first that was not H2_OK */
    size_t chunk;               /* bytes moved at once */
    void (*on_request)(struct pair *pair, const struct h2_server_request *request);
    bool (*on_headers)(struct pair *pair, int32_t stream_id); /* NULL: all are welcome */
    int requests;
    int ends;                 /* on_stream_end calls */
    uint32_t last_error_code; /* of the last on_stream_end */
    int32_t last_stream_id;   /* of the last on_request */
    void *context;
};

static inline void
pair_on_request(void *context, const struct h2_server_request *request)
{
    struct pair *pair = context;
    pair->requests++;
    pair->last_stream_id = request->stream_id;
    if (pair->on_request != NULL)
        pair->on_request(pair, request);
}

static inline bool
pair_on_headers(void *context, int32_t stream_id)
{
    struct pair *pair = context;
    return pair->on_headers == NULL || pair->on_headers(pair, stream_id);
}

static inline void
pair_on_stream_end(void *context, int32_t stream_id, uint32_t error_code)
{
    struct pair *pair = context;
    expect(stream_id > 0);
    pair->ends++;
    pair->last_error_code = error_code;
}

static inline void
pair_open(struct pair *pair, const struct h2_server_settings *settings)
{
    *pair = (struct pair){.chunk = 65536};
    caller_open(&pair->caller, 100);
    pair->server = h2_server_open(settings,
                                  &(struct h2_server_events){.on_request = pair_on_request,
                                                             .on_headers = pair_on_headers,
                                                             .on_stream_end = pair_on_stream_end},
                                  pair);
}

static inline void
pair_close(struct pair *pair)
{
    caller_close(&pair->caller);
    h2_server_close(pair->server);
}

static inline void
pair_note(struct pair *pair, enum h2_error error)
{
    if (pair->server_error == H2_OK)
        pair->server_error = error;
}

/* Moves up to `size` bytes from client to server. Returns how many moved. */
static inline size_t
pair_upstream(struct pair *pair, size_t size)
{
    char memory[65536];
    struct buffer part;
    buffer_init(&part, memory, size < sizeof(memory) ? size : sizeof(memory));
    caller_note(&pair->caller, h2_client_output(pair->caller.client, &part));
    if (part.size > 0)
        pair_note(pair, h2_server_receive(pair->server, part.data, part.size));
    return part.size;
}

static inline size_t
pair_downstream(struct pair *pair, size_t size)
{
    char memory[65536];
    struct buffer part;
    buffer_init(&part, memory, size < sizeof(memory) ? size : sizeof(memory));
    pair_note(pair, h2_server_output(pair->server, &part));
    if (part.size > 0)
        caller_note(&pair->caller, h2_client_receive(pair->caller.client, part.data, part.size));
    return part.size;
}

/* Until nothing moves any more, in either direction. */
static inline void
pair_run(struct pair *pair)
{
    size_t moved;
    do {
        moved = pair_upstream(pair, pair->chunk);
        moved += pair_downstream(pair, pair->chunk);
    } while (moved > 0);
    expect(!h2_client_wants_output(pair->caller.client));
    expect(!h2_server_wants_output(pair->server));
}

#endif
