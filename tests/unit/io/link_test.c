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
    enum { NOTHING, CLOSE, RESET, PAUSE } on_open_do, on_bytes_do, on_output_do;
    unsigned opens, closes, bytes_calls, bytes_after_close;
    bool opened, closed_by_us;
    bool echo;        /* to_send follows received */
    bool send_in_odd; /* gives on_output a random number of bytes */
    char reason[512];
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

/* Every callback of either end may end the link, in either way: one on_close, and silence after. */
static void
ends_from(enum kind kind, bool server_ends, int where, int what)
{
    struct pair pair;
    pair_open(&pair, kind);
    pair.client.to_send = 300000;
    pair.server.echo = true;
    struct end *end = server_ends ? &pair.server : &pair.client;
    end->on_open_do = where == 0 ? what : NOTHING;
    end->on_bytes_do = where == 1 ? what : NOTHING;
    end->on_output_do = where == 2 ? what : NOTHING;
    pair_connect(&pair);
    fixture_turn_until(pair.loop, pair.client.closes == 1 && pair.server.link == NULL);
    expect_u64(end->closes, 1);
    expect_u64(end->opens, 1);
    expect(end->opened);
    expect_text(end->reason, what == CLOSE ? "closed" : "reset");
    if (!server_ends)
        expect(pair.server.wrong == 0);
    else
        expect(pair.client.reason[0] != '\0' && strcmp(pair.client.reason, "closed") != 0);
    pair_close(&pair);
    expect_u64(pair.client.closes, 1);
    expect(pair.server.closes <= 1);
}

static void
any_callback_may_end_it(void)
{
    for (enum kind kind = 0; kind < KINDS; kind++)
        for (int where = 0; where < 3; where++)
            for (int side = 0; side < 2; side++) {
                ends_from(kind, side == 1, where, CLOSE);
                ends_from(kind, side == 1, where, RESET);
            }
}

static void
closing_from_on_output_sends_what_was_given(void)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct pair pair;
        pair_open(&pair, kind);
        pair.client.to_send = 300000;
        pair.client.on_output_do = CLOSE;
        pair_connect(&pair);
        fixture_turn_until(pair.loop, pair.client.closes == 1 && pair.server.closes == 1);
        expect_u64(pair.client.given, 64 * 1024);
        expect_u64(pair.client.sent_at_close, 64 * 1024);
        expect_u64(pair.server.received, 64 * 1024);
        expect_text(pair.server.reason, "closed by the client");
        pair_close(&pair);
    }
}

static void
no_callback_comes_from_inside(void)
{
    struct pair pair;
    pair_open(&pair, KIND_TCP);
    pair_connect(&pair);
    link_flush(pair.client.link);
    expect_u64(pair.client.opens + pair.client.closes, 0);
    link_close(pair.client.link); /* before its first turn */
    link_close(pair.client.link);
    link_flush(pair.client.link);
    link_pause(pair.client.link);
    link_resume(pair.client.link);
    expect_u64(pair.client.opens + pair.client.closes, 0);
    loop_turn(pair.loop, 0);
    expect_u64(pair.client.closes, 1);
    expect(!pair.client.opened);
    expect_text(pair.client.reason, "closed");
    pair_close(&pair);
}

/* Fills a listening socket's queue, so that a further connect gets no answer at all. */
static int
deaf_listener(uint16_t *port, int fillers[3])
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    expect(bind(fd, (struct sockaddr *)&address, size) == 0 && listen(fd, 0) == 0);
    expect(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    for (int i = 0; i < 3; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, size);
    }
    *port = ntohs(address.sin_port);
    return fd;
}

static void
a_deaf_address_costs_only_its_time(void)
{
    struct pair pair;
    pair_open(&pair, KIND_TCP);
    int fillers[3];
    int fd = deaf_listener(&pair.settings.address.port, fillers);
    pair.settings.connect_timeout_us = 200000;
    uint64_t start_us = clock_monotonic_us();
    pair_connect(&pair);
    fixture_turn_until(pair.loop, pair.client.closes == 1);
    uint64_t waited_us = clock_monotonic_us() - start_us;
    expect(waited_us >= 190000 && waited_us < 3000000);
    expect_contains(pair.client.reason, "no connection to 127.0.0.1:");
    expect_contains(pair.client.reason, "does not answer");
    expect(!pair.client.opened);

    /* Closed while it connects: at once, not after the time-out. */
    end_init(&pair.client, pair.loop);
    pair.settings.connect_timeout_us = 60000000;
    pair_connect(&pair);
    loop_turn(pair.loop, 20000);
    expect_u64(loop_operations(pair.loop), 2); /* the connect, and the listener's accept */
    link_close(pair.client.link);
    expect_u64(pair.client.closes, 0);
    fixture_turn_until(pair.loop, pair.client.closes == 1);
    expect_text(pair.client.reason, "closed");
    end_init(&pair.client, pair.loop);
    pair_connect(&pair);
    loop_turn(pair.loop, 20000);
    link_reset(pair.client.link);
    pair_close(&pair); /* loop_close() waits for it */
    expect_text(pair.client.reason, "reset");
    close(fd);
    for (int i = 0; i < 3; i++)
        close(fillers[i]);
}

static void
failures_to_connect_have_words(void)
{
    static const struct {
        const char *unix_path;
        const char *host;
        uint16_t port;
        const char *words;
    } cases[] = {
        {NULL, "127.0.0.1", 1, "connection refused by 127.0.0.1:1: nothing listens there"},
        {NULL, "localhost", 1, "connection refused by localhost:1 ("},
        {NULL, "[::1]", 1, "[::1]:1"},
        {NULL, "255.255.255.255", 443, "255.255.255.255:443"},
        {NULL, "no-such-host.invalid", 443, "no-such-host.invalid"},
        {"/nonexistent/redis.sock", NULL, 0,
         "there is no socket at /nonexistent/redis.sock: is the server running?"},
        {"/a-path-that-is-much-too-long-for-a-unix-socket/a-path-that-is-much-too-long-for-a-unix-"
         "socket/a-path-that-is-much-too-long-for-a-unix-socket",
         NULL, 0, "at most 107 characters"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pair pair;
        pair_open(&pair, KIND_TCP);
        pair.settings.address = (struct link_address){
            .unix_path = cases[i].unix_path, .host = cases[i].host, .port = cases[i].port};
        pair.settings.connect_timeout_us = 3000000;
        pair_connect(&pair);
        fixture_turn_until(pair.loop, pair.client.closes == 1);
        expect_contains(pair.client.reason, cases[i].words);
        expect(!pair.client.opened && pair.client.opens == 0);
        pair_close(&pair);
    }
}

static void
a_name_is_looked_up(void)
{
    struct pair pair;
    pair_open(&pair, KIND_TCP);
    pair.settings.address.host = "localhost"; /* ::1 may come first, where nobody listens */
    pair.client.to_send = 1000;
    pair_connect(&pair);
    fixture_turn_until(pair.loop, pair.server.received == 1000);
    pair_close(&pair);
    expect_text(pair.client.reason, "closed");

    pair_open(&pair, KIND_TCP);
    pair.settings.address.host = "localhost";
    pair_connect(&pair);
    loop_turn(pair.loop, 0); /* under way */
    link_close(pair.client.link);
    fixture_turn_until(pair.loop, pair.client.closes == 1);
    pair_close(&pair);
}

static void
many_links_to_a_name_at_once(void)
{
    enum { LINKS = 15 };
    struct pair pair;
    pair_open(&pair, KIND_TCP);
    pair.settings.address.host = "localhost";
    pair.settings.address.port = 1;
    struct end ends[LINKS];
    for (size_t i = 0; i < LINKS; i++) {
        end_init(&ends[i], pair.loop);
        ends[i].link = link_open(pair.loop, &pair.settings, &events, &ends[i]);
    }
    unsigned closed = 0;
    for (int turn = 0; turn < 1000 && closed < LINKS; turn++) {
        loop_turn(pair.loop, 10000);
        closed = 0;
        for (size_t i = 0; i < LINKS; i++)
            closed += ends[i].closes;
    }
    expect_u64(closed, LINKS);
    for (size_t i = 0; i < LINKS; i++)
        expect_contains(ends[i].reason, "connection refused by localhost:1");
    pair_close(&pair);
}

static void
a_reset_is_told_from_a_close(void)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        if (kind == KIND_UNIX)
            continue; /* has no reset */
        struct pair pair;
        pair_open(&pair, kind);
        pair.client.to_send = 1000;
        pair.server.on_bytes_do = RESET;
        pair_connect(&pair);
        fixture_turn_until(pair.loop, pair.client.closes == 1 && pair.server.closes == 1);
        expect_contains(pair.client.reason, "connection reset by 127.0.0.1:");
        expect(pair.client.opened);
        pair_close(&pair);
    }
}

static void
a_cut_is_told_from_close_notify(void)
{
    struct pair pair;
    pair_open(&pair, KIND_TLS);
    pair_connect(&pair);
    fixture_turn_until(pair.loop, pair.client.opens == 1 && pair.server.opens == 1);
    /* A server without TLS's manners: its socket ends, nothing is said. Its descriptor is the
     * highest one of this process. */
    for (int fd = 64; fd > 2; fd--) {
        struct sockaddr_in local = {0};
        socklen_t size = sizeof(local);
        if (getsockname(fd, (struct sockaddr *)&local, &size) == 0 && local.sin_family == AF_INET &&
            ntohs(local.sin_port) == pair.settings.address.port && shutdown(fd, SHUT_WR) == 0)
            break;
    }
    fixture_turn_until(pair.loop, pair.client.closes == 1);
    expect_contains(pair.client.reason, "without TLS's close_notify");
    pair_close(&pair);
}

/* What bytes_sent says must hold whatever happens: it decides what may be sent again. */
static void
bytes_sent_is_exact_when_cut(void)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct pair pair;
        pair_open(&pair, kind);
        pair.settings.output_size = 256 * 1024;
        pair.client.to_send = 1000 * 1000 * 1000;
        pair_connect(&pair);
        fixture_turn_until(pair.loop, pair.server.received > 1000000);
        link_pause(pair.server.link);
        uint64_t given = 0;
        do { /* until the kernel takes no more */
            given = pair.client.given;
            for (int i = 0; i < 20; i++)
                loop_turn(pair.loop, 2000);
        } while (pair.client.given > given);
        uint64_t start_us = clock_monotonic_us();
        link_close(pair.client.link);
        fixture_turn_until(pair.loop, pair.client.closes == 1);
        uint64_t lingered_us = clock_monotonic_us() - start_us;
        expect(lingered_us > 900000 && lingered_us < 5000000);
        expect(pair.client.sent_at_close < pair.client.given);
        link_resume(pair.server.link);
        fixture_turn_until(pair.loop, pair.server.closes == 1);
        expect_u64(pair.server.wrong, 0);
        expect(pair.server.received <= pair.client.sent_at_close);
        if (kind == KIND_TLS) /* the record that was cut counts as sent */
            expect(pair.client.sent_at_close - pair.server.received <= 16384);
        else
            expect_u64(pair.server.received, pair.client.sent_at_close);
        pair_close(&pair);
    }
}

/* A black hole: what was received when paused is not seen, and nothing is lost when it goes on. */
static void
pausing_holds_everything(void)
{
    for (enum kind kind = 0; kind < KINDS; kind++) {
        struct pair pair;
        pair_open(&pair, kind);
        pair.server.on_open_do = PAUSE;
        pair.client.to_send = 200000;
        pair_connect(&pair);
        fixture_turn_until(pair.loop, pair.client.opens == 1 && pair.server.opens == 1);
        for (int i = 0; i < 20; i++)
            loop_turn(pair.loop, 1000);
        if (kind != KIND_TLS) /* there the handshake's end may bring the first bytes along */
            expect_u64(pair.server.bytes_calls, 0);
        pair.server.on_open_do = NOTHING;
        link_resume(pair.server.link);
        link_resume(pair.server.link);
        expect(pair.server.received < 200000);
        fixture_turn_until(pair.loop, pair.server.received == 200000);
        expect_u64(pair.server.wrong, 0);
        pair_close(&pair);
    }
}

static void
on_accept_paused(void *context, int fd)
{
    struct pair *pair = context;
    on_accept(context, fd);
    link_pause(pair->server.link);
}

static void
a_handshake_that_stalls_ends(void)
{
    struct pair pair;
    pair_open(&pair, KIND_TLS);
    struct error_text error = {0};
    struct listener *stalling = listener_open(
        pair.loop, &(struct link_address){.host = "127.0.0.1"}, on_accept_paused, &pair, &error);
    pair.settings.address.port = listener_port(stalling);
    pair.settings.connect_timeout_us = 100000;
    pair_connect(&pair);
    fixture_turn_until(pair.loop, pair.client.closes == 1);
    expect_contains(pair.client.reason, "no TLS handshake with 127.0.0.1:");
    expect(!pair.client.opened);

    /* The same from the server's side: a client that says nothing. */
    pair.server_settings.connect_timeout_us = 100000;
    link_close(pair.server.link);
    fixture_turn_until(pair.loop, pair.server.link == NULL);
    end_init(&pair.client, pair.loop);
    end_init(&pair.server, pair.loop);
    pair.settings.address.port = listener_port(pair.listener);
    pair.settings.tls = NULL;
    pair_connect(&pair);
    fixture_turn_until(pair.loop, pair.server.closes == 1);
    expect_contains(pair.server.reason, "no TLS handshake with the client in time");
    listener_close(stalling);
    pair_close(&pair);
}

static void
tls_failures_are_said_on_both_sides(void)
{
    struct error_text error = {0};
    struct tls_context *strict = tls_client_context(
        &(struct tls_client_settings){.ca_file = fixture_path("other.crt"), .alpn = "h2"}, &error);
    struct tls_context *http1 = tls_client_context(
        &(struct tls_client_settings){.ca_file = fixture_path("good.crt"), .alpn = "http/1.1"},
        &error);
    const struct {
        struct tls_context *tls;
        const char *server_name;
        bool plain_server;
        const char *client_words;
        const char *server_words;
    } cases[] = {
        {strict, NULL, false, "--ca-file", "was not given its CA"},
        {NULL, "good.example", false, "is not for good.example but for 127.0.0.1", "certificate"},
        {http1, NULL, false, "the server does not speak http/1.1", "did not ask for h2"},
        {NULL, NULL, true, "does not speak TLS", "by the client"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct pair pair;
        pair_open(&pair, KIND_TLS);
        if (cases[i].tls != NULL)
            pair.settings.tls = cases[i].tls;
        pair.settings.server_name = cases[i].server_name;
        if (cases[i].plain_server)
            pair.server_settings.tls = NULL;
        pair.server.to_send = 100; /* bytes that are no TLS, if it is plain */
        pair_connect(&pair);
        fixture_turn_until(pair.loop, pair.client.closes == 1 && pair.server.closes == 1);
        expect_contains(pair.client.reason, cases[i].client_words);
        expect_contains(pair.server.reason, cases[i].server_words);
        expect(!pair.client.opened);
        pair_close(&pair);
    }
    tls_context_close(strict);
    tls_context_close(http1);
}

static void
the_second_link_resumes_its_session(void)
{
    struct pair pair;
    pair_open(&pair, KIND_TLS);
    for (int i = 0; i < 3; i++) {
        end_init(&pair.client, pair.loop);
        end_init(&pair.server, pair.loop);
        pair.client.to_send = 10;
        pair.server.echo = true;
        pair_connect(&pair);
        fixture_turn_until(pair.loop, pair.client.received == 10);
        i == 1 ? link_reset(pair.client.link) : link_close(pair.client.link);
        fixture_turn_until(pair.loop, pair.client.closes == 1 && pair.server.closes == 1);
    }
    /* How many were whole handshakes is OpenSSL's count, on the server's side. */
    expect_u64(tls_context_resumptions(pair.server_tls), 2);
    pair_close(&pair);
}

int
main(void)
{
    fixture_certificate("good", "127.0.0.1", -1, 29);
    fixture_certificate("other", "127.0.0.1", -1, 29);
    TEST(echoes_10_mb_over_each_kind);
    TEST(any_callback_may_end_it);
    TEST(closing_from_on_output_sends_what_was_given);
    TEST(no_callback_comes_from_inside);
    TEST(a_deaf_address_costs_only_its_time);
    TEST(failures_to_connect_have_words);
    TEST(a_name_is_looked_up);
    TEST(many_links_to_a_name_at_once);
    TEST(a_reset_is_told_from_a_close);
    TEST(a_cut_is_told_from_close_notify);
    TEST(bytes_sent_is_exact_when_cut);
    TEST(pausing_holds_everything);
    TEST(a_handshake_that_stalls_ends);
    TEST(tls_failures_are_said_on_both_sides);
    TEST(the_second_link_resumes_its_session);
    return test_end();
}
