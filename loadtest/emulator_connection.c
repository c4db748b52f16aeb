#include "loadtest/emulator_connection.h"

#include "loadtest/emulator_delayed.h"
#include "sender/base/check.h"
#include "sender/base/log.h"

#include <stdlib.h>
#include <string.h>

#define CONNECTION_MAGIC 0x656d755f636f6e6eu

enum {
    OUTPUT_SIZE = 64 * 1024,
    HANDSHAKE_US = 10 * 1000 * 1000,
    CUT_AFTER_US = 20 * 1000, /* so that the half that is sent leaves first */
    DRIBBLE_PIECES = 10,
    DRIBBLE_EACH_US = 10 * 1000,
};

/* Of HTTP/2. */
enum { CODE_INTERNAL_ERROR = 2, CODE_REFUSED_STREAM = 7 };

static struct emulator_connection *
connection_of(void *context)
{
    struct emulator_connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    return connection;
}

/* What a call of the session left to be done. */
static void
follow_up(struct emulator_connection *connection, enum h2_error error)
{
    if (connection->reset) {
        link_reset(connection->link);
        return;
    }
    switch (error) {
    case H2_OK:
        if (h2_server_wants_output(connection->h2))
            link_flush(connection->link);
        break;
    case H2_PROTOCOL: /* the session's last words are still to be sent: on_output() closes */
        link_flush(connection->link);
        break;
    case H2_ENDED:
        link_close(connection->link);
        break;
    }
}

static void
respond(struct emulator_connection *connection, int32_t stream_id,
        const struct emulator_answer *answer)
{
    const struct field headers[] = {
        {.name = SPAN("content-type"), .value = span_of(answer->content_type)}};
    h2_server_respond(connection->h2, stream_id, answer->status, headers, 1, answer->body);
}

/* Begins an answer whose body comes in pieces, and says how long it would be. */
static void
begin_pieces(struct emulator_delayed *delayed)
{
    char memory[24];
    struct buffer size;
    buffer_init(&size, memory, sizeof memory);
    buffer_put_u64(&size, delayed->size);
    const struct field headers[] = {
        {.name = SPAN("content-type"), .value = span_of(delayed->content_type)},
        {.name = SPAN("content-length"), .value = buffer_span(&size)},
    };
    h2_server_begin(delayed->connection->h2, delayed->stream_id, delayed->status, headers, 2);
}

static void
give_piece(struct emulator_delayed *delayed, uint32_t size)
{
    struct span body = emulator_delayed_body(delayed);
    uint32_t left = delayed->size - delayed->sent;
    struct span piece = {.data = body.data + delayed->sent, .size = size < left ? size : left};
    delayed->sent += (uint32_t)piece.size;
    h2_server_data(delayed->connection->h2, delayed->stream_id, piece,
                   delayed->sent == delayed->size);
}

/* True if it goes on. */
static bool
dribble(struct emulator_delayed *delayed)
{
    if (delayed->step == 0)
        begin_pieces(delayed);
    give_piece(delayed, delayed->size / DRIBBLE_PIECES + 1);
    if (delayed->sent == delayed->size)
        return false;
    emulator_delayed_again(delayed, DRIBBLE_EACH_US);
    return true;
}

static bool
cut(struct emulator_delayed *delayed)
{
    struct emulator_connection *connection = delayed->connection;
    if (delayed->step == 0) {
        begin_pieces(delayed);
        give_piece(delayed, delayed->size / 2);
        emulator_delayed_again(delayed, CUT_AFTER_US);
        return true;
    }
    if (delayed->coin)
        h2_server_reset(connection->h2, delayed->stream_id, CODE_INTERNAL_ERROR);
    else
        link_close(connection->link);
    return false;
}

/* An answer's time has come. True if it is not finished yet. */
static bool
perform(struct emulator_delayed *delayed)
{
    struct emulator_connection *connection = delayed->connection;
    switch (delayed->fault) {
    case EMULATOR_FAULT_RESET_AFTER:
        h2_server_reset(connection->h2, delayed->stream_id, CODE_INTERNAL_ERROR);
        return false;
    case EMULATOR_FAULT_CONNECTION_RESET:
        connection->reset = true;
        return false;
    case EMULATOR_FAULT_CUT:
        return cut(delayed);
    case EMULATOR_FAULT_DRIBBLE:
        return dribble(delayed);
    case EMULATOR_FAULT_GRAPH_5XX:
    case EMULATOR_FAULT_HTML_5XX:
    case EMULATOR_FAULT_LOST_5XX:
    case EMULATOR_FAULT_THROTTLE:
    case EMULATOR_FAULT_PAIR:
    case EMULATOR_FAULT_REFUSED:
    case EMULATOR_FAULT_GOAWAY:
    case EMULATOR_FAULT_BLACK_HOLE:
    case EMULATOR_FAULT_SLOW:
    case EMULATOR_FAULT_NONE:
        break;
    }
    const struct emulator_answer answer = {.status = delayed->status,
                                           .content_type = delayed->content_type,
                                           .body = emulator_delayed_body(delayed)};
    respond(connection, delayed->stream_id, &answer);
    return false;
}

static void
on_due(struct timer *timer)
{
    struct emulator_delayed *delayed = container_of(timer, struct emulator_delayed, timer);
    struct emulator_connection *connection = delayed->connection;
    check_magic(connection, CONNECTION_MAGIC);
    bool more = perform(delayed);
    delayed->step++;
    if (!more)
        emulator_delayed_end(delayed);
    follow_up(connection, H2_OK);
}

/* Does this answer need more than to be given now? */
static bool
is_delayed(const struct emulator_answer *answer)
{
    return answer->delay_us > 0 || answer->fault == EMULATOR_FAULT_RESET_AFTER ||
           answer->fault == EMULATOR_FAULT_CONNECTION_RESET ||
           answer->fault == EMULATOR_FAULT_CUT || answer->fault == EMULATOR_FAULT_DRIBBLE;
}

static void
give(struct emulator_connection *connection, int32_t stream_id,
     const struct emulator_answer *answer)
{
    if (answer->fault == EMULATOR_FAULT_REFUSED) {
        h2_server_reset(connection->h2, stream_id, CODE_REFUSED_STREAM);
        return;
    }
    if (stream_id > connection->answered_max)
        connection->answered_max = stream_id;
    if (answer->fault == EMULATOR_FAULT_GOAWAY)
        h2_server_goaway(connection->h2, connection->answered_max);
    if (answer->fault == EMULATOR_FAULT_BLACK_HOLE)
        return;
    if (is_delayed(answer) && emulator_delayed_start(connection, stream_id, answer, on_due))
        return;
    if (is_delayed(answer))
        log_line(LOG_WARN, "answers_waiting_full",
                 "max=%d remedy=\"less latency or fewer streams\"", EMULATOR_DELAYED_MAX);
    respond(connection, stream_id, answer);
}

static void
on_request(void *context, const struct h2_server_request *request)
{
    struct emulator_connection *connection = connection_of(context);
    struct emulator_answer answer;
    if (connection->reset)
        return; /* what comes after a reset was never read */
    emulator_service_answer(connection->server->service,
                            &(struct emulator_request){
                                .path = request->path,
                                .method = request->method,
                                .authorization = request->authorization,
                                .body = request->body,
                                .too_large = request->too_large,
                                .now_us = loop_now_us(connection->server->loop),
                            },
                            &answer);
    give(connection, request->stream_id, &answer);
}

static bool
on_headers(void *context, int32_t stream_id)
{
    (void)stream_id;
    connection_of(context)->streams++;
    return true;
}

static void
on_stream_end(void *context, int32_t stream_id, uint32_t error_code)
{
    (void)stream_id;
    (void)error_code;
    struct emulator_connection *connection = connection_of(context);
    if (connection->streams > 0)
        connection->streams--;
}

static void
on_idle(struct timer *timer)
{
    struct emulator_connection *connection = container_of(timer, struct emulator_connection, idle);
    struct loop *loop = connection->server->loop;
    uint64_t idle_us = connection->server->settings.idle_us;
    uint64_t due_us = connection->active_us + idle_us;
    if (connection->streams == 0 && due_us <= loop_now_us(loop)) {
        h2_server_goaway(connection->h2, -1);
        link_flush(connection->link);
        return;
    }
    if (due_us <= loop_now_us(loop))
        due_us = loop_now_us(loop) + idle_us;
    timer_start(loop_timers(loop), timer, due_us);
}

static void
on_open(void *context)
{
    struct emulator_connection *connection = connection_of(context);
    struct loop *loop = connection->server->loop;
    if (connection->server->settings.idle_us > 0)
        timer_start(loop_timers(loop), &connection->idle,
                    loop_now_us(loop) + connection->server->settings.idle_us);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct emulator_connection *connection = connection_of(context);
    connection->active_us = loop_now_us(connection->server->loop);
    follow_up(connection, h2_server_receive(connection->h2, data, size));
}

static void
on_output(void *context, struct buffer *out)
{
    struct emulator_connection *connection = connection_of(context);
    enum h2_error error = h2_server_output(connection->h2, out);
    if (error != H2_OK && !h2_server_wants_output(connection->h2))
        link_close(connection->link);
}

static void
on_close(void *context, const char *reason, bool opened)
{
    (void)opened;
    (void)reason;
    struct emulator_connection *connection = connection_of(context);
    struct emulator_server *server = connection->server;
    while (connection->delayed != NULL)
        emulator_delayed_end(connection->delayed);
    timer_stop(loop_timers(server->loop), &connection->idle);
    h2_server_close(connection->h2);
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        server->connections = connection->next;
    server->connection_count--;
    connection->magic = 0;
    free(connection);
}

void
emulator_connection_open(struct emulator_server *server, int fd)
{
    static const struct link_events link_events = {
        .on_open = on_open, .on_bytes = on_bytes, .on_output = on_output, .on_close = on_close};
    static const struct h2_server_events h2_events = {
        .on_request = on_request, .on_headers = on_headers, .on_stream_end = on_stream_end};
    const struct link_settings link_settings = {.tls = server->settings.tls,
                                                .connect_timeout_us = HANDSHAKE_US,
                                                .output_size = OUTPUT_SIZE};
    const struct h2_server_settings h2_settings = {.streams_max = server->settings.streams_max,
                                                   .body_size_max = REQUEST_BODY_MAX};
    struct emulator_connection *connection = check_alloc(1, sizeof *connection);
    connection->magic = CONNECTION_MAGIC;
    connection->server = server;
    connection->active_us = loop_now_us(server->loop);
    timer_init(&connection->idle, on_idle);
    connection->next = server->connections;
    if (connection->next != NULL)
        connection->next->previous = connection;
    server->connections = connection;
    server->connection_count++;
    connection->h2 = h2_server_open(&h2_settings, &h2_events, connection);
    connection->link = link_accepted(server->loop, fd, &link_settings, &link_events, connection);
}
