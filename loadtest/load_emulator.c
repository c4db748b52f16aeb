#include "loadtest/load_emulator.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_TIMEOUT_US = 5000000, ANSWER_TIMEOUT_US = 30000000, TURN_US = 100000 };

static void
on_open(void *context)
{
    struct load_emulator *emulator = context;
    emulator->open = true;
    link_flush(emulator->link);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct load_emulator *emulator = context;
    enum h2_error error = h2_client_receive(emulator->client, data, size);
    if (error != H2_OK) {
        error_set(&emulator->lost, "%s", h2_error_text(error));
        link_close(emulator->link);
    } else if (h2_client_wants_output(emulator->client)) {
        link_flush(emulator->link);
    }
}

static void
on_output(void *context, struct buffer *out)
{
    struct load_emulator *emulator = context;
    (void)h2_client_output(emulator->client, out);
}

static void
on_close(void *context, const char *reason, bool opened)
{
    (void)opened;
    struct load_emulator *emulator = context;
    if (emulator->lost.text[0] == '\0')
        error_set(&emulator->lost, "%s", reason);
    emulator->link = NULL;
    emulator->open = false;
    emulator->ended = true;
    h2_client_lose(emulator->client);
}

static void
on_end(void *context, struct h2_exchange *exchange, enum h2_end end)
{
    (void)exchange;
    struct load_emulator *emulator = context;
    emulator->answered = true;
    emulator->end = end;
}

static bool
read_url(const char *where, char host[128], uint16_t *port)
{
    static const char scheme[] = "https://";
    if (strncmp(where, scheme, sizeof scheme - 1) != 0)
        return false;
    struct span rest = span_of(where + sizeof scheme - 1);
    struct span authority = span_split(&rest, '/');
    struct span name = span_split(&authority, ':');
    uint64_t number = 443;
    if (authority.data != NULL && (!span_to_u64(authority, &number) || number > UINT16_MAX))
        return false;
    if (name.size == 0 || name.size >= 128)
        return false;
    memcpy(host, name.data, name.size);
    host[name.size] = '\0';
    *port = (uint16_t)number;
    return true;
}

bool
load_emulator_open(struct load_emulator *emulator, struct loop *loop, const char *where,
                   const char *ca_file, struct error_text *error)
{
    static const struct link_events link_events = {
        .on_open = on_open, .on_bytes = on_bytes, .on_output = on_output, .on_close = on_close};
    static const struct h2_client_events h2_events = {.on_end = on_end};
    char host[128];
    struct link_settings settings = {.connect_timeout_us = CONNECT_TIMEOUT_US,
                                     .output_size = 16384};
    *emulator = (struct load_emulator){.loop = loop};
    if (!read_url(where, host, &settings.address.port)) {
        error_set(error, "--emulator %s: write https://host:port", where);
        return false;
    }
    struct tls_client_settings tls = {.ca_file = ca_file, .alpn = "h2"};
    emulator->tls = tls_client_context(&tls, error);
    if (emulator->tls == NULL)
        return false;
    (void)snprintf(emulator->where, sizeof emulator->where, "%s", where);
    settings.address.host = host;
    settings.tls = emulator->tls;
    struct h2_client_settings h2 = {.authority = span_of(where + strlen("https://")),
                                    .user_agent = SPAN("facteur-load/" FACTEUR_VERSION),
                                    .exchanges_max = 1};
    emulator->client = h2_client_open(&h2, &h2_events, emulator);
    emulator->response = check_alloc(1, LOAD_EMULATOR_RESPONSE_MAX);
    emulator->link = link_open(loop, &settings, &link_events, emulator);
    while (!emulator->open && !emulator->ended)
        loop_turn(loop, TURN_US);
    if (emulator->open)
        return true;
    error_set(error, "no emulator at %s: %s; start facteur-emulator, or name it with --emulator",
              where, emulator->lost.text);
    load_emulator_close(emulator);
    return false;
}

void
load_emulator_close(struct load_emulator *emulator)
{
    if (emulator->link != NULL)
        link_close(emulator->link);
    while (!emulator->ended)
        loop_turn(emulator->loop, TURN_US);
    h2_client_close(emulator->client);
    tls_context_close(emulator->tls);
    free(emulator->response);
    *emulator = (struct load_emulator){.ended = true};
}

/* Waits for the answer of the exchange just started, or for its time to be over. */
static void
await_answer(struct load_emulator *emulator)
{
    uint64_t deadline =
        clock_monotonic_us() + ANSWER_TIMEOUT_US; /* the loop's may be of long ago */
    while (!emulator->answered && clock_monotonic_us() < deadline)
        loop_turn(emulator->loop, TURN_US);
    if (!emulator->answered)
        h2_client_cancel(emulator->client, &emulator->exchange);
}

bool
load_emulator_ask(struct load_emulator *emulator, const char *path, const char *body,
                  struct span *answer, struct error_text *error)
{
    struct h2_request request = {.method = body == NULL ? SPAN("GET") : SPAN("POST"),
                                 .path = span_of(path),
                                 .body = span_of(body)};
    *answer = (struct span){0};
    if (emulator->ended || h2_client_room(emulator->client) == 0) {
        error_set(error, "the emulator at %s was lost: %s", emulator->where, emulator->lost.text);
        return false;
    }
    struct h2_exchange *exchange = &emulator->exchange;
    buffer_init(&exchange->response, emulator->response, LOAD_EMULATOR_RESPONSE_MAX);
    emulator->answered = false;
    h2_client_start(emulator->client, exchange, &request);
    link_flush(emulator->link);
    await_answer(emulator);
    if (emulator->end == H2_ANSWERED && exchange->status == 200 && !exchange->truncated) {
        *answer = buffer_span(&exchange->response);
        return true;
    }
    error_set(error, "%s%s: %s, status %d%s; is that facteur-emulator?", emulator->where, path,
              h2_end_text(emulator->end), exchange->status,
              exchange->truncated ? ", answer too long" : "");
    return false;
}
