#include "sender/base/random.h"
#include "sender/io/link.h"
#include "tests/unit/io/fixture.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

enum { ECHO_SIZE = 10 * 1000 * 1000 };

/* Byte `index` of the stream that everybody sends. */
static char
byte_at(uint64_t index)
{
    return (char)(index * 31 + (index >> 8) * 7 + (index >> 16));
}

/* One end of a link under test: sends `to_send` bytes, checks what comes, echoes if told. */
struct end {
    struct loop *loop;
    struct link *link;
    struct random random;
    uint64_t to_send;
    uint64_t given; /* to on_output */
    uint64_t received;
    uint64_t wrong; /* bytes that are not those of byte_at() */
    uint64_t sent_at_close;
    unsigned opens, closes, bytes_calls, bytes_after_close;
    bool opened, closed_by_us;
    char reason[512];
    enum { NOTHING, CLOSE, RESET, PAUSE } on_open_do, on_bytes_do, on_output_do;
    bool echo;           /* to_send follows received */
    bool send_in_odd;    /* gives on_output a random number of bytes */
    uint64_t pause_each; /* pauses after so many bytes; 0: never */
    uint64_t pause_next;
    struct timer resume;
};

static void
act(struct end *end, int what)
{
    if (what == CLOSE) {
        end->closed_by_us = true;
        link_close(end->link);
    } else if (what == RESET) {
        end->closed_by_us = true;
        link_reset(end->link);
    } else if (what == PAUSE) {
        link_pause(end->link);
    }
}

static void
on_open(void *context)
{
    struct end *end = context;
    end->opens++;
    expect(link_is_open(end->link));
    act(end, end->on_open_do);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct end *end = context;
    end->bytes_calls++;
    end->bytes_after_close += end->closed_by_us;
    for (size_t i = 0; i < size; i++)
        end->wrong += data[i] != byte_at(end->received + i);
    end->received += size;
    if (end->echo) {
        end->to_send = end->received;
        link_flush(end->link);
    }
    act(end, end->on_bytes_do);
    if (end->pause_each > 0 && end->received >= end->pause_next) {
        end->pause_next = end->received + end->pause_each;
        link_pause(end->link);
        timer_start(loop_timers(end->loop), &end->resume, loop_now_us(end->loop) + 1000);
    }
}

static void
on_resume(struct timer *timer)
{
    link_resume(container_of(timer, struct end, resume)->link);
}

static void
on_output(void *context, struct buffer *out)
{
    struct end *end = context;
    uint64_t size = end->to_send - end->given;
    if (size > buffer_room(out))
        size = buffer_room(out);
    if (end->send_in_odd && size > 1)
        size = 1 + random_below(&end->random, size);
    for (uint64_t i = 0; i < size; i++)
        buffer_put_char(out, byte_at(end->given + i));
    end->given += size;
    act(end, end->on_output_do);
}

static void
on_close(void *context, const char *reason, bool opened)
{
    struct end *end = context;
    end->closes++;
    end->opened = opened;
    end->sent_at_close = link_bytes_sent(end->link);
    snprintf(end->reason, sizeof(end->reason), "%s", reason);
    timer_stop(loop_timers(end->loop), &end->resume);
    end->link = NULL;
}

static const struct link_events events = {on_open, on_bytes, on_output, on_close};

enum kind { KIND_TCP, KIND_UNIX, KIND_TLS, KINDS };

/* A client and a server on one loop. */
struct pair {
    struct loop *loop;
    struct end client, server;
    struct listener *listener;
    struct tls_context *client_tls, *server_tls;
    struct link_settings settings;        /* the client's */
    struct link_settings server_settings; /* the accepted link's */
};

static void
end_init(struct end *end, struct loop *loop)
{
    *end = (struct end){.loop = loop};
    random_seed(&end->random, 7);
    timer_init(&end->resume, on_resume);
}

static void
on_accept(void *context, int fd)
{
    struct pair *pair = context;
    expect(pair->server.link == NULL);
    pair->server.link =
        link_accepted(pair->loop, fd, &pair->server_settings, &events, &pair->server);
}

static void
pair_tls(struct pair *pair)
{
    struct error_text error = {0};
    pair->client_tls = tls_client_context(
        &(struct tls_client_settings){.ca_file = fixture_path("good.crt"), .alpn = "h2"}, &error);
    pair->server_tls = tls_server_context(
        &(struct tls_server_settings){.certificate_file = fixture_path("good.crt"),
                                      .key_file = fixture_path("good.key"),
                                      .alpn = "h2"},
        &error);
    expect_text(error.text, "");
    pair->settings.tls = pair->client_tls;
    pair->server_settings.tls = pair->server_tls;
}

static void
pair_open(struct pair *pair, enum kind kind)
{
    *pair = (struct pair){.loop = fixture_loop()};
    end_init(&pair->client, pair->loop);
    end_init(&pair->server, pair->loop);
    struct link_address address = {.host = "127.0.0.1"};
    if (kind == KIND_UNIX)
        address = (struct link_address){.unix_path = fixture_path("link.sock")};
    struct error_text error = {0};
    pair->listener = listener_open(pair->loop, &address, on_accept, pair, &error);
    expect_text(error.text, "");
    address.port = listener_port(pair->listener);
    expect(kind == KIND_UNIX ? address.port == 0 : address.port > 0);
    pair->settings = (struct link_settings){
        .address = address, .connect_timeout_us = 5000000, .output_size = 64 * 1024};
    pair->server_settings = pair->settings;
    if (kind == KIND_TLS)
        pair_tls(pair);
}

static void
pair_connect(struct pair *pair)
{
    pair->client.link = link_open(pair->loop, &pair->settings, &events, &pair->client);
}

static void
pair_close(struct pair *pair)
{
    if (pair->client.link != NULL)
        link_close(pair->client.link);
    if (pair->server.link != NULL)
        link_close(pair->server.link);
    listener_close(pair->listener);
    loop_close(pair->loop);
    tls_context_close(pair->client_tls);
    tls_context_close(pair->server_tls);
    expect_u64(pair->client.closes, pair->client.opens > 0 || pair->client.closes > 0);
    expect(pair->client.link == NULL && pair->server.link == NULL);
    expect_u64(pair->client.bytes_after_close + pair->server.bytes_after_close, 0);
}

static void
echoes(enum kind kind, bool with_pauses)
{
    struct pair pair;
    pair_open(&pair, kind);
    pair.settings.output_size = 50001; /* not a whole number of records */
    pair.client.to_send = ECHO_SIZE;
    pair.client.send_in_odd = true;
    pair.server.echo = true;
    if (with_pauses) {
        pair.server.pause_each = 300000;
        pair.client.pause_each = 700000;
    }
    pair_connect(&pair);
    fixture_turn_until(pair.loop, pair.client.received >= ECHO_SIZE);
    expect_u64(pair.client.received, ECHO_SIZE);
    expect_u64(pair.client.wrong + pair.server.wrong, 0);
    expect_u64(pair.client.opens, 1);
    expect_u64(pair.server.opens, 1);
    expect_u64(link_bytes_sent(pair.client.link), ECHO_SIZE);
    link_close(pair.client.link);
    fixture_turn_until(pair.loop, pair.client.link == NULL && pair.server.link == NULL);
    expect_text(pair.client.reason, "closed");
    expect_text(pair.server.reason, "closed by the client");
    expect(pair.client.opened && pair.server.opened);
    expect_u64(pair.client.sent_at_close, ECHO_SIZE);
    expect_u64(pair.server.sent_at_close, ECHO_SIZE);
    pair_close(&pair);
}

static void
echoes_10_mb_over_each_kind(void)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        echoes(kind, false);
        echoes(kind, true);
    }
}

int
main(void)
{
    fixture_certificate("good", "127.0.0.1", -1, 29);
    TEST(echoes_10_mb_over_each_kind);
    return test_end();
}
