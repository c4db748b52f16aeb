/*
 * caller - the owner of a client in tests: starts calls, remembers how each ended, and keeps what
 * the client put out.
 */
#ifndef FACTEUR_TESTS_UNIT_H2_CALLER_H
#define FACTEUR_TESTS_UNIT_H2_CALLER_H

#include "sender/base/timers.h" /* container_of */
#include "sender/h2/client.h"
#include "tests/unit/h2/frames.h"
#include "tests/unit/test.h"

enum { CALL_RESPONSE_SIZE = 4096, CALLER_OUT_SIZE = 512 * 1024 };

struct call {
    struct h2_exchange exchange;
    char response_memory[CALL_RESPONSE_SIZE];
    char path[32];
    int ends; /* on_end calls: must come to 1 */
    enum h2_end end;
};

struct caller {
    struct h2_client *client;
    struct buffer out; /* everything the client put out since caller_forget() */
    char *out_memory;
    enum h2_error error; /* the first that was not H2_OK */
    int ends;
    int pongs;
    void (*on_end)(struct caller *caller, struct call *call); /* may be NULL */
    void *context;                                            /* the test's */
};

static inline void
caller_on_end(void *context, struct h2_exchange *exchange, enum h2_end end)
{
    struct caller *caller = context;
    struct call *call = container_of(exchange, struct call, exchange);
    expect(exchange->client == NULL);
    call->ends++;
    call->end = end;
    caller->ends++;
    if (caller->on_end != NULL)
        caller->on_end(caller, call);
}

static inline void
caller_on_pong(void *context)
{
    ((struct caller *)context)->pongs++;
}

static inline void
caller_open(struct caller *caller, uint32_t exchanges_max)
{
    *caller = (struct caller){0};
    caller->out_memory = malloc(CALLER_OUT_SIZE);
    buffer_init(&caller->out, caller->out_memory, CALLER_OUT_SIZE);
    caller->client = h2_client_open(
        &(struct h2_client_settings){.authority = SPAN("graph.example:443"),
                                     .user_agent = SPAN("facteur-test/1"),
                                     .exchanges_max = exchanges_max},
        &(struct h2_client_events){.on_end = caller_on_end, .on_pong = caller_on_pong}, caller);
}

static inline void
caller_close(struct caller *caller)
{
    h2_client_lose(caller->client);
    expect_u64(h2_client_active(caller->client), 0);
    h2_client_close(caller->client);
    free(caller->out_memory);
}

static inline void
caller_note(struct caller *caller, enum h2_error error)
{
    if (caller->error == H2_OK)
        caller->error = error;
}

/* Forgets how the call ended before, and starts it. */
static inline void
caller_start(struct caller *caller, struct call *call, struct span body)
{
    call->ends = 0;
    if (call->path[0] == '\0')
        snprintf(call->path, sizeof(call->path), "/v23.0/1/messages");
    buffer_init(&call->exchange.response, call->response_memory, sizeof(call->response_memory));
    h2_client_start(caller->client, &call->exchange,
                    &(struct h2_request){.method = SPAN("POST"),
                                         .path = span_of(call->path),
                                         .authorization = SPAN("Bearer EAAtest"),
                                         .content_type = SPAN("application/json"),
                                         .body = body});
}

/* Takes all output, at most `chunk` bytes at a time. */
static inline void
caller_drain(struct caller *caller, size_t chunk)
{
    while (h2_client_wants_output(caller->client)) {
        char memory[65536];
        struct buffer part;
        buffer_init(&part, memory, chunk < sizeof(memory) ? chunk : sizeof(memory));
        enum h2_error error = h2_client_output(caller->client, &part);
        caller_note(caller, error);
        buffer_put_span(&caller->out, buffer_span(&part));
        if (error != H2_OK || part.size == 0)
            return;
    }
}

static inline void
caller_forget(struct caller *caller)
{
    buffer_reset(&caller->out);
}

/* Feeds bytes, `chunk` at a time, until an error. */
static inline void
caller_feed(struct caller *caller, struct span bytes, size_t chunk)
{
    for (size_t at = 0; at < bytes.size && caller->error == H2_OK; at += chunk) {
        size_t size = bytes.size - at < chunk ? bytes.size - at : chunk;
        caller_note(caller, h2_client_receive(caller->client, bytes.data + at, size));
    }
}

#endif
