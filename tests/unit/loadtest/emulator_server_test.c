/*
 * The emulator's connection on a bad day, with the sender's client on the other side of a real
 * socket, both in one loop: whatever is done to the answers, what the client calls not processed
 * was not accepted, and what it has an answer for was accepted exactly when the answer says so.
 */
#include "loadtest/emulator_server.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/h2/client.h"
#include "tests/unit/test.h"

#include <string.h>

enum { MESSAGES = 3000, BODY_SIZE = 512, RESPONSE_SIZE = 4096, PATIENCE_US = 200 * 1000 };

struct message {
    struct h2_exchange exchange;
    bool under_way;
    bool ended;
    enum h2_end end;
    uint64_t started_us;
    uint32_t accepted; /* how often the emulator says it was */
    char body[BODY_SIZE];
    size_t body_size;
    char response[RESPONSE_SIZE];
};

struct world {
    struct loop *loop;
    struct emulator_service service;
    struct emulator_server server;
    struct link *link; /* of the client */
    struct h2_client *client;
    struct message *messages;
    uint32_t next; /* to be started */
    uint32_t ended;
    uint32_t connections;
};

static const char template_json[] =
    "{\"name\":\"note\",\"language\":\"en\",\"category\":\"UTILITY\",\"components\":["
    "{\"type\":\"BODY\",\"text\":\"Dear {{1}}, hello.\"}]}";

static void connect_client(struct world *world);

static void
on_end(void *context, struct h2_exchange *exchange, enum h2_end end)
{
    struct world *world = context;
    struct message *message = container_of(exchange, struct message, exchange);
    check(!message->ended);
    message->under_way = false;
    message->ended = true;
    message->end = end;
    world->ended++;
}

static void
start_messages(struct world *world)
{
    const struct h2_request head = {.method = SPAN("POST"),
                                    .path = SPAN("/v24.0/1001/messages"),
                                    .authorization = SPAN("Bearer secret"),
                                    .content_type = SPAN("application/json")};
    while (world->next < MESSAGES && h2_client_room(world->client) > 0) {
        struct message *message = &world->messages[world->next++];
        struct h2_request request = head;
        request.body = (struct span){message->body, message->body_size};
        buffer_init(&message->exchange.response, message->response, RESPONSE_SIZE);
        message->started_us = loop_now_us(world->loop);
        message->under_way = true;
        h2_client_start(world->client, &message->exchange, &request);
    }
    if (h2_client_wants_output(world->client))
        link_flush(world->link);
}

/* What is started only when the connection has its SETTINGS has the right maximum of streams. */
static void
on_bytes(void *context, const char *data, size_t size)
{
    struct world *world = context;
    enum h2_error error = h2_client_receive(world->client, data, size);
    expect(error != H2_PROTOCOL);
    if (error != H2_OK)
        link_close(world->link);
    else if (h2_client_is_ready(world->client))
        start_messages(world);
    if (h2_client_wants_output(world->client))
        link_flush(world->link);
}

static void
on_open(void *context)
{
    (void)context;
}

static void
on_output(void *context, struct buffer *out)
{
    (void)h2_client_output(((struct world *)context)->client, out);
}

static void
on_close(void *context, const char *reason, bool opened)
{
    struct world *world = context;
    (void)reason;
    expect(opened);
    h2_client_lose(world->client);
    h2_client_close(world->client);
    world->client = NULL;
    world->link = NULL;
    if (world->ended < MESSAGES)
        connect_client(world);
}

static void
connect_client(struct world *world)
{
    static const struct link_events link_events = {
        .on_open = on_open, .on_bytes = on_bytes, .on_output = on_output, .on_close = on_close};
    static const struct h2_client_events client_events = {.on_end = on_end};
    const struct link_settings settings = {
        .address = {.host = "127.0.0.1", .port = listener_port(world->server.listener)},
        .connect_timeout_us = 5000000,
        .output_size = 65536};
    world->connections++;
    world->client = h2_client_open(&(struct h2_client_settings){.authority = SPAN("localhost"),
                                                                .user_agent = SPAN("test"),
                                                                .exchanges_max = 64},
                                   &client_events, world);
    world->link = link_open(world->loop, &settings, &link_events, world);
}

static void
write_bodies(struct world *world)
{
    for (int i = 0; i < MESSAGES; i++) {
        struct message *message = &world->messages[i];
        message->body_size = (size_t)snprintf(
            message->body, BODY_SIZE,
            "{\"messaging_product\":\"whatsapp\",\"to\":\"+33612345678\",\"type\":\"template\","
            "\"biz_opaque_callback_data\":\"%d\",\"template\":{\"name\":\"%s\",\"language\":"
            "{\"code\":\"en\"},\"components\":[{\"type\":\"body\",\"parameters\":[{\"type\":"
            "\"text\",\"text\":\"Claire\"}]}]}}",
            i, i % 50 == 0 ? "unknown" : "note");
    }
}

/* Gives up on what waits too long, as a sender would. */
static void
lose_patience(struct world *world)
{
    uint64_t now_us = loop_now_us(world->loop);
    for (uint32_t i = 0; i < world->next; i++) {
        struct message *message = &world->messages[i];
        if (message->under_way && now_us - message->started_us > PATIENCE_US)
            h2_client_cancel(world->client, &message->exchange);
    }
    if (world->client != NULL) {
        if (h2_client_is_ready(world->client) && link_is_open(world->link))
            start_messages(world);
        if (h2_client_wants_output(world->client))
            link_flush(world->link);
    }
}

static void
count_accepted(struct world *world)
{
    struct emulator_log_reader reader;
    struct emulator_accepted accepted;
    emulator_log_seek(world->service.log, 0, &reader);
    while (emulator_log_read(&reader, &accepted)) {
        uint64_t number;
        check(span_to_u64(accepted.callback, &number) && number < MESSAGES);
        world->messages[number].accepted++;
    }
}

static void
compare_books(struct world *world)
{
    uint32_t ends[3] = {0}, lost_but_accepted = 0;
    for (int i = 0; i < MESSAGES; i++) {
        const struct message *message = &world->messages[i];
        const struct h2_exchange *exchange = &message->exchange;
        bool wamid = memmem(exchange->response.data, exchange->response.size, "wamid.", 6) != NULL;
        expect(message->ended && message->accepted <= 1);
        ends[message->end]++;
        if (message->end == H2_NOT_PROCESSED)
            expect_u64(message->accepted, 0);
        if (message->end == H2_ANSWERED && exchange->status == 200)
            expect(wamid && message->accepted == 1);
        if (message->end == H2_ANSWERED && exchange->status / 100 == 4)
            expect_u64(message->accepted, 0);
        lost_but_accepted += message->end == H2_LOST && message->accepted == 1;
    }
    printf("%u connections: %u answered, %u not processed, %u lost (%u of them accepted)\n",
           world->connections, ends[H2_ANSWERED], ends[H2_NOT_PROCESSED], ends[H2_LOST],
           lost_but_accepted);
    expect(ends[H2_ANSWERED] > 0);
}

/* Sends all messages through the faults. */
static void
run(const char *faults, const char *latency)
{
    struct error_text error = {0};
    char copy[512];
    struct world *world = check_alloc(1, sizeof *world);
    world->messages = check_alloc(MESSAGES, sizeof *world->messages);
    write_bodies(world);
    struct emulator_templates *templates = emulator_templates_open();
    expect(emulator_templates_add(templates, span_of(template_json), "test", &error));
    struct emulator_service *service = &world->service;
    service->seed = 5;
    service->currency = "";
    service->judge.templates = templates;
    service->judge.phones[0] =
        (struct emulator_phone){.id = SPAN("1001"), .calling_code = SPAN("33")};
    service->judge.phone_count = 1;
    snprintf(copy, sizeof copy, "%s", faults);
    expect(emulator_faults_read(&service->faults, span_of(copy), &error));
    expect(emulator_latency_read(span_of(latency), &service->latency, &error));
    emulator_service_open(service);
    world->loop = loop_open(&(struct loop_settings){.operations_max = EMULATOR_OPERATIONS_MAX + 16,
                                                    .timers_max = EMULATOR_TIMERS_MAX + 16},
                            &error);
    check(world->loop != NULL);
    const struct emulator_server_settings settings = {
        .address = {.host = "127.0.0.1"}, .streams_max = 50, .idle_us = 1000000};
    expect(emulator_server_open(&world->server, world->loop, service, &settings, &error));

    connect_client(world);
    uint64_t end_us = clock_monotonic_us() + 60 * 1000000;
    while (world->ended < MESSAGES && clock_monotonic_us() < end_us) {
        loop_turn(world->loop, 10000);
        lose_patience(world);
    }
    expect_u64(world->ended, MESSAGES);
    while (world->link != NULL) {
        link_close(world->link);
        loop_turn(world->loop, 10000);
    }
    count_accepted(world);
    compare_books(world);
    emulator_server_close(&world->server);
    loop_close(world->loop);
    emulator_service_close(service);
    emulator_templates_close(templates);
    free(world->messages);
    free(world);
}

static void
a_good_day(void)
{
    run("{}", "0");
}

static void
a_slow_day(void)
{
    run("{}", "1ms-10ms");
}

static void
connections_end_all_the_time(void)
{
    run("{\"goaway\":0.05,\"connection_reset\":0.02}", "0");
    run("{\"goaway\":0.05,\"connection_reset\":0.02}", "0-3ms");
}

static void
everything_goes_wrong(void)
{
    const char *faults = "{\"5xx\":0.03,\"throttle\":0.02,\"pair\":0.02,\"refused\":0.03,"
                         "\"goaway\":0.01,\"reset_after\":0.02,\"connection_reset\":0.005,"
                         "\"black_hole\":0.01,\"cut\":0.01,\"dribble\":0.02}";
    run(faults, "0");
    run(faults, "1ms-4ms");
}

int
main(void)
{
    TEST(a_good_day);
    TEST(a_slow_day);
    TEST(connections_end_all_the_time);
    TEST(everything_goes_wrong);
    return test_end();
}
