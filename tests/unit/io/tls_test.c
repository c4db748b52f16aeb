#include "sender/base/random.h"
#include "sender/io/tls.h"
#include "tests/unit/io/fixture.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

enum { PLAIN_MAX = 4 * 1024 * 1024, WIRE_SIZE = 256 * 1024 };

/* What one side has decrypted. */
struct received {
    char *data;
    size_t size;
    unsigned calls;
};

static struct received at_client, at_server;
static char *wire;

static void
on_plain(void *context, const char *data, size_t size)
{
    struct received *received = context;
    received->calls++;
    expect(size > 0 && received->size + size <= PLAIN_MAX);
    memcpy(received->data + received->size, data, size);
    received->size += size;
}

static void
forget(void)
{
    at_client.size = at_server.size = 0;
    at_client.calls = at_server.calls = 0;
}

static enum tls_result
feed(struct tls *to, const char *data, size_t size, size_t piece, struct received *received)
{
    enum tls_result result = TLS_OK;
    for (size_t at = 0; at < size && result == TLS_OK; at += piece) {
        /* A copy of exactly that size, so that asan sees a byte read too far. */
        size_t length = size - at < piece ? size - at : piece;
        char *copy = malloc(length);
        if (copy == NULL)
            abort();
        memcpy(copy, data + at, length);
        result = tls_receive(to, copy, length, on_plain, received);
        free(copy);
    }
    return result;
}

/* Carries output from one side to the other; false when there was none. */
static bool
carry(struct tls *from, struct tls *to, size_t piece, struct received *received)
{
    struct buffer out;
    buffer_init(&out, wire, WIRE_SIZE);
    (void)tls_output(from, &out);
    expect(!out.overflow);
    (void)feed(to, out.data, out.size, piece, received);
    return out.size > 0;
}

static void
shake_hands(struct tls *client, struct tls *server, size_t piece)
{
    bool more = true;
    for (int round = 0; round < 20 && more; round++) {
        more = carry(client, server, piece, &at_server);
        more |= carry(server, client, piece, &at_client);
    }
    expect(!more);
}

static struct tls_context *
client_context(const char *ca, const char *alpn)
{
    struct error_text error = {0};
    struct tls_context *context = tls_client_context(
        &(struct tls_client_settings){.ca_file = fixture_path(ca), .alpn = alpn}, &error);
    expect_text(error.text, "");
    return context;
}

static struct tls_context *
server_context(const char *name, const char *alpn)
{
    struct error_text error = {0};
    char certificate[32], key[32];
    snprintf(certificate, sizeof(certificate), "%s.crt", name);
    snprintf(key, sizeof(key), "%s.key", name);
    struct tls_context *context = tls_server_context(
        &(struct tls_server_settings){.certificate_file = fixture_path(certificate),
                                      .key_file = fixture_path(key),
                                      .alpn = alpn},
        &error);
    expect_text(error.text, "");
    return context;
}

static void
send_all(struct tls *from, struct tls *to, const char *data, size_t size, size_t piece)
{
    struct buffer out;
    size_t capacity = tls_sealed_size_max(size);
    char *memory = malloc(capacity);
    if (memory == NULL)
        abort();
    buffer_init(&out, memory, capacity);
    expect(tls_send(from, data, size, &out) == TLS_OK);
    expect(!out.overflow && !tls_has_output(from));
    expect(feed(to, out.data, out.size, piece, &at_server) == TLS_OK);
    free(memory);
}

static void
plaintext_arrives_in_any_pieces(void)
{
    struct tls_context *ours = client_context("good.crt", "h2");
    struct tls_context *theirs = server_context("good", "h2");
    static const size_t pieces[] = {1, 2, 7, 16389, WIRE_SIZE};
    for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
        struct tls *client = tls_open_client(ours, "good.example");
        struct tls *server = tls_open_server(theirs);
        forget();
        expect(!tls_is_ready(client) && !tls_is_ready(server));
        shake_hands(client, server, pieces[i]);
        expect(tls_is_ready(client) && tls_is_ready(server));
        expect_text(tls_error(client), "");
        static const size_t sizes[] = {0, 1, 16383, 16384, 16385, 100000};
        size_t expected = 0;
        for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++) {
            char *data = at_client.data; /* as good as any memory */
            for (size_t b = 0; b < sizes[s]; b++)
                data[b] = (char)(b * 7 + s);
            send_all(client, server, data, sizes[s], pieces[i]);
            expect_u64(at_server.size, expected + sizes[s]);
            expect(memcmp(at_server.data + expected, data, sizes[s]) == 0);
            expected += sizes[s];
        }
        tls_close(client);
        tls_close(server);
    }
    tls_context_close(ours);
    tls_context_close(theirs);
}

/* 64 KiB must leave as four records and a little, not as many small ones. */
static void
records_are_full(void)
{
    struct tls_context *ours = client_context("good.crt", "h2");
    struct tls_context *theirs = server_context("good", "h2");
    struct tls *client = tls_open_client(ours, "good.example");
    struct tls *server = tls_open_server(theirs);
    shake_hands(client, server, WIRE_SIZE);
    struct buffer out;
    buffer_init(&out, wire, WIRE_SIZE);
    memset(at_client.data, 'x', 65536);
    expect(tls_send(client, at_client.data, 65536, &out) == TLS_OK);
    size_t records = 0;
    for (size_t at = 0; at + 5 <= out.size; records++)
        at += 5 + ((size_t)(uint8_t)out.data[at + 3] << 8) + (uint8_t)out.data[at + 4];
    expect_u64(records, 4);
    expect(out.size <= 65536 + 4 * 64);
    forget();
    expect(feed(server, out.data, out.size, WIRE_SIZE, &at_server) == TLS_OK);
    expect_u64(at_server.calls, 1); /* several records, one call */
    tls_close(client);
    tls_close(server);
    tls_context_close(ours);
    tls_context_close(theirs);
}

static void
a_certificate_is_judged(void)
{
    static const struct {
        const char *server; /* whose certificate */
        const char *ca;
        const char *server_name; /* whom we ask for */
        const char *words[3];    /* of the error; none: it is trusted */
    } cases[] = {
        {"good", "good.crt", "good.example", {NULL}},
        {"good", "good.crt", "GOOD.example", {NULL}},
        {"good", "good.crt", "good.example.", {NULL}},
        {"good", "good.crt", "other.example", {"not for other.example", "for good.example"}},
        {"good", "good.crt", "good.example.org", {"for good.example:"}},
        {"good", "good.crt", "127.0.0.1", {"not for 127.0.0.1", "good.example"}},
        {"address", "address.crt", "127.0.0.1", {NULL}},
        {"address", "address.crt", "127.0.0.2", {"not for 127.0.0.2 but for 127.0.0.1"}},
        {"address6", "address6.crt", "::1", {NULL}},
        {"address6", "address6.crt", "[::1]", {NULL}},
        {"wildcard", "wildcard.crt", "a.good.example", {NULL}},
        {"wildcard", "wildcard.crt", "a.b.good.example", {"not for", "*.good.example"}},
        {"expired", "expired.crt", "good.example", {"has expired on", "renewed"}},
        {"early", "early.crt", "good.example", {"is not valid before", "clock"}},
        {"good",
         "address.crt",
         "good.example",
         {"not trusted here", "\"good.example\"", "--ca-file"}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_context *ours = client_context(cases[i].ca, "h2");
        struct tls_context *theirs = server_context(cases[i].server, "h2");
        struct tls *client = tls_open_client(ours, cases[i].server_name);
        struct tls *server = tls_open_server(theirs);
        shake_hands(client, server, 1000);
        bool trusted = cases[i].words[0] == NULL;
        expect_u64(tls_is_ready(client), trusted);
        if (trusted)
            expect_text(tls_error(client), "");
        for (size_t w = 0; w < 3 && cases[i].words[w] != NULL; w++)
            expect_contains(tls_error(client), cases[i].words[w]);
        if (!trusted) { /* the server hears why, and neither goes on */
            expect(tls_error(server)[0] != '\0');
            expect(tls_receive(client, "x", 1, on_plain, &at_client) == TLS_FAILED);
        }
        tls_close(client);
        tls_close(server);
        tls_context_close(ours);
        tls_context_close(theirs);
    }
}

static void
names_that_cannot_be(void)
{
    struct tls_context *ours = client_context("good.crt", "h2");
    char longest[400];
    memset(longest, 'a', sizeof(longest));
    longest[sizeof(longest) - 1] = '\0';
    const char *const names[] = {"", longest};
    for (size_t i = 0; i < 2; i++) {
        struct tls *client = tls_open_client(ours, names[i]);
        struct buffer out;
        buffer_init(&out, wire, WIRE_SIZE);
        expect(tls_output(client, &out) == TLS_FAILED);
        expect_u64(out.size, 0);
        expect_contains(tls_error(client), "cannot be a server's name");
        tls_close(client);
    }
    tls_context_close(ours);
}

static void
alpn_must_be_agreed(void)
{
    static const struct {
        const char *client, *server; /* what each asks for */
        const char *client_error;    /* NULL: agreed */
        const char *server_error;
    } cases[] = {
        {"h2", "h2", NULL, NULL},
        {NULL, NULL, NULL, NULL},
        {"h2", NULL, "the server speaks HTTP/1.1 only: ALPN h2 was not accepted", NULL},
        {"h2", "http/1.1", "the server speaks HTTP/1.1 only: ALPN h2 was not accepted",
         "the client did not ask for http/1.1 (ALPN)"},
        {"redis", NULL, "the server does not speak redis: ALPN was not accepted", NULL},
        {NULL, "h2", NULL, "the client did not ask for h2 (ALPN)"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls_context *ours = client_context("good.crt", cases[i].client);
        struct tls_context *theirs = server_context("good", cases[i].server);
        struct tls *client = tls_open_client(ours, "good.example");
        struct tls *server = tls_open_server(theirs);
        shake_hands(client, server, 100000);
        expect_u64(tls_is_ready(client), cases[i].client_error == NULL);
        expect_text(tls_error(client), cases[i].client_error == NULL ? "" : cases[i].client_error);
        if (cases[i].server_error != NULL)
            expect_text(tls_error(server), cases[i].server_error);
        tls_close(client);
        tls_close(server);
        tls_context_close(ours);
        tls_context_close(theirs);
    }
}

/* One connection; whether it was resumed. `cut`: it ends without close_notify. */
static bool
connect_once(struct tls_context *ours, struct tls_context *theirs, const char *name, bool cut)
{
    struct tls *client = tls_open_client(ours, name);
    struct tls *server = tls_open_server(theirs);
    shake_hands(client, server, 500);
    expect(tls_is_ready(client) && tls_is_ready(server));
    bool resumed = tls_is_resumed(client);
    expect_u64(tls_is_resumed(server), resumed);
    if (!cut) {
        tls_shutdown(client);
        carry(client, server, 10, &at_server);
    }
    tls_close(client);
    tls_close(server);
    return resumed;
}

static void
the_second_connection_resumes(void)
{
    struct tls_context *ours = client_context("both.crt", "h2");
    struct tls_context *theirs = server_context("both", "h2");
    expect(!connect_once(ours, theirs, "both.example", false));
    expect(connect_once(ours, theirs, "both.example", true));
    expect(connect_once(ours, theirs, "both.example", false)); /* though the last one was cut */
    /* A session is the host's it was made with: for another one everything is verified anew. */
    expect(!connect_once(ours, theirs, "localhost", false));
    expect(connect_once(ours, theirs, "localhost", false));
    expect(connect_once(ours, theirs, "both.example", false));

    /* Another server with other ticket keys refuses the session and shakes hands in full. */
    struct tls_context *restarted = server_context("both", "h2");
    expect(!connect_once(ours, restarted, "both.example", false));
    expect(connect_once(ours, restarted, "both.example", false));
    tls_context_close(ours);
    tls_context_close(theirs);
    tls_context_close(restarted);
}

static void
sessions_of_many_hosts_are_bounded(void)
{
    struct tls_context *ours = client_context("wildcard.crt", "h2");
    struct tls_context *theirs = server_context("wildcard", "h2");
    char name[32];
    for (int i = 0; i < 12; i++) {
        snprintf(name, sizeof(name), "h%d.good.example", i);
        expect(!connect_once(ours, theirs, name, false));
    }
    expect(connect_once(ours, theirs, "h11.good.example", false));
    expect(!connect_once(ours, theirs, "h0.good.example", false)); /* forgotten */
    tls_context_close(ours);
    tls_context_close(theirs);
}

static void
close_notify_is_heard(void)
{
    struct tls_context *ours = client_context("good.crt", "h2");
    struct tls_context *theirs = server_context("good", "h2");
    struct tls *client = tls_open_client(ours, "good.example");
    struct tls *server = tls_open_server(theirs);
    shake_hands(client, server, WIRE_SIZE);
    forget();
    struct buffer out;
    buffer_init(&out, wire, WIRE_SIZE);
    expect(tls_send(client, "last", 4, &out) == TLS_OK);
    tls_shutdown(client);
    tls_shutdown(client); /* said once */
    expect(tls_has_output(client));
    (void)tls_output(client, &out);
    expect(!tls_has_output(client));
    expect(feed(server, out.data, out.size, WIRE_SIZE, &at_server) == TLS_CLOSED);
    expect_span(((struct span){.data = at_server.data, .size = at_server.size}), SPAN("last"));
    expect(tls_receive(server, "more", 4, on_plain, &at_server) == TLS_CLOSED);
    expect_text(tls_error(server), "");

    /* The other direction is still open. */
    buffer_reset(&out);
    expect(tls_send(server, "answer", 6, &out) == TLS_CLOSED && out.size > 0);
    forget();
    expect(feed(client, out.data, out.size, 1, &at_client) == TLS_OK);
    expect_u64(at_client.size, 6);
    tls_close(client);
    tls_close(server);
    tls_context_close(ours);
    tls_context_close(theirs);
}

static void
what_is_not_tls_is_refused(void)
{
    static const struct {
        struct span bytes;
        const char *words;
    } cases[] = {
        {{.data = "HTTP/1.1 400 Bad Request\r\n\r\n", .size = 28}, "does not speak TLS"},
        {{.data = "+PONG\r\n+PONG\r\n", .size = 14}, "does not speak TLS"},
        {{.data = "\x15\x03\x01\x00\x02\x02\x28", .size = 7}, "refused the handshake"},
        {{.data = "\x15\x03\x01\x00\x02\x02\x46", .size = 7}, "neither TLS 1.2 nor TLS 1.3"},
        {{.data = "\x15\x03\x01\x00\x02\x02\x78", .size = 7}, "ALPN h2 was not accepted"},
        {{.data = "\x16\x03\x03\xff\xff\xff\xff\xff\xff\xff", .size = 10}, "TLS failed"},
        {{.data = "\x17\x03\x03\x00\x05hello", .size = 10}, "TLS"},
    };
    struct tls_context *ours = client_context("good.crt", "h2");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        for (size_t piece = 1; piece < 100; piece += 98) {
            struct tls *client = tls_open_client(ours, "good.example");
            struct buffer out;
            buffer_init(&out, wire, WIRE_SIZE);
            expect(tls_output(client, &out) == TLS_OK && out.size > 0);
            expect(feed(client, cases[i].bytes.data, cases[i].bytes.size, piece, &at_client) ==
                   TLS_FAILED);
            expect_contains(tls_error(client), cases[i].words);
            expect(!tls_is_ready(client));
            tls_close(client);
        }
    }
    tls_context_close(ours);
}

/* Damages one byte of a good conversation, everywhere in turn: it may only fail or be ignored. */
static void
a_damaged_byte_never_goes_through(void)
{
    struct tls_context *ours = client_context("good.crt", "h2");
    struct tls_context *theirs = server_context("good", "h2");
    struct random random;
    random_seed(&random, 11);
    for (int i = 0; i < 300; i++) {
        struct tls *client = tls_open_client(ours, "good.example");
        struct tls *server = tls_open_server(theirs);
        shake_hands(client, server, WIRE_SIZE);
        struct buffer out;
        buffer_init(&out, wire, WIRE_SIZE);
        expect(tls_send(client, "a notification", 14, &out) == TLS_OK);
        out.data[random_below(&random, out.size)] ^= (char)(1 + random_below(&random, 255));
        forget();
        enum tls_result result = feed(server, out.data, out.size, 1 + i % 3, &at_server);
        expect(result == TLS_FAILED || at_server.size == 0);
        expect_u64(at_server.size, 0);
        expect(result != TLS_FAILED || tls_error(server)[0] != '\0');
        tls_close(client);
        tls_close(server);
    }
    for (int i = 0; i < 300; i++) { /* random bytes from the start */
        struct tls *server = tls_open_server(theirs);
        char junk[200];
        for (size_t b = 0; b < sizeof(junk); b++)
            junk[b] = (char)random_next(&random);
        junk[0] = i % 2 == 0 ? 0x16 : junk[0]; /* half of them begin like a handshake */
        (void)feed(server, junk, sizeof(junk), 1 + random_below(&random, 200), &at_server);
        expect(!tls_is_ready(server));
        tls_close(server);
    }
    tls_context_close(ours);
    tls_context_close(theirs);
}

/* The output is offered in rooms of one byte, and comes whole and in order all the same. */
static void
output_leaves_in_any_room(void)
{
    struct tls_context *ours = client_context("good.crt", "h2");
    struct tls_context *theirs = server_context("good", "h2");
    struct tls *client = tls_open_client(ours, "good.example");
    struct tls *server = tls_open_server(theirs);
    for (int i = 0; i < 20000 && !(tls_is_ready(client) && tls_is_ready(server)); i++) {
        struct tls *from = i % 2 == 0 ? client : server;
        struct tls *to = i % 2 == 0 ? server : client;
        char byte[1];
        struct buffer out;
        buffer_init(&out, byte, sizeof(byte));
        (void)tls_output(from, &out);
        (void)feed(to, out.data, out.size, 1, i % 2 == 0 ? &at_server : &at_client);
    }
    expect(tls_is_ready(client) && tls_is_ready(server));
    /* The server's tickets still wait: what it sends comes behind them, also without an output. */
    forget();
    struct buffer out;
    buffer_init(&out, wire, WIRE_SIZE);
    expect(tls_send(server, "hello", 5, &out) == TLS_OK);
    expect(feed(client, out.data, out.size, 1, &at_client) == TLS_OK);
    expect_u64(at_client.size, 5);
    tls_close(client);
    tls_close(server);
    tls_context_close(ours);
    tls_context_close(theirs);
}

static void
contexts_name_the_file_that_is_wrong(void)
{
    struct error_text error = {0};
    expect(tls_client_context(&(struct tls_client_settings){.ca_file = "/nonexistent/ca.pem"},
                              &error) == NULL);
    expect_contains(error.text, "/nonexistent/ca.pem cannot be read as a CA file");
    expect(tls_client_context(&(struct tls_client_settings){.ca_file = fixture_path("good.key")},
                              &error) == NULL);
    expect_contains(error.text, "good.key");
    struct tls_server_settings settings = {.certificate_file = "/nonexistent/crt",
                                           .key_file = fixture_path("good.key")};
    expect(tls_server_context(&settings, &error) == NULL);
    expect_contains(error.text, "/nonexistent/crt cannot be read as a certificate");
    settings.certificate_file = fixture_path("good.crt");
    settings.key_file = fixture_path("address.key"); /* somebody else's */
    expect(tls_server_context(&settings, &error) == NULL);
    expect_contains(error.text, "address.key cannot be read as the private key");

    struct tls_context *system = tls_client_context(&(struct tls_client_settings){0}, &error);
    expect(system != NULL);
    tls_context_close(system);
    tls_context_close(NULL);
    tls_close(NULL);

    expect(!certificate_write_self_signed("/nonexistent/a.crt", "/nonexistent/a.key", "a", &error));
    expect_contains(error.text, "/nonexistent/a.key cannot be written");
    expect(!certificate_write_self_signed(fixture_path("x.crt"), fixture_path("x.key"), "a,DNS:b",
                                          &error));
    expect_contains(error.text, "a name or an address");
}

/* ---- A peer that is OpenSSL as everybody has it, for the versions and for old habits ---- */

struct stranger {
    SSL_CTX *ssl_ctx;
    SSL *ssl;
    BIO *in, *out;
};

static void
stranger_open(struct stranger *stranger, int version)
{
    stranger->ssl_ctx = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_security_level(stranger->ssl_ctx, 0);
    SSL_CTX_set_min_proto_version(stranger->ssl_ctx, TLS1_VERSION);
    SSL_CTX_set_max_proto_version(stranger->ssl_ctx, version);
    SSL_CTX_set_cipher_list(stranger->ssl_ctx, "ALL:@SECLEVEL=0");
    SSL_CTX_set_alpn_protos(stranger->ssl_ctx, (const unsigned char *)"\x02h2", 3);
    stranger->ssl = SSL_new(stranger->ssl_ctx);
    stranger->in = BIO_new(BIO_s_mem());
    stranger->out = BIO_new(BIO_s_mem());
    SSL_set_bio(stranger->ssl, stranger->in, stranger->out);
    SSL_set_connect_state(stranger->ssl);
}

static void
stranger_close(struct stranger *stranger)
{
    SSL_free(stranger->ssl);
    SSL_CTX_free(stranger->ssl_ctx);
    ERR_clear_error();
}

/* Carries bytes both ways until nothing moves; what the server answers to the last of them. */
static enum tls_result
stranger_talk(struct stranger *stranger, struct tls *server)
{
    enum tls_result result = TLS_OK;
    for (int round = 0; round < 10; round++) {
        char byte;
        if (!SSL_is_init_finished(stranger->ssl))
            (void)SSL_do_handshake(stranger->ssl);
        else
            (void)SSL_peek(stranger->ssl, &byte, 1); /* takes tickets and key updates */
        char *data = NULL;
        long size = BIO_get_mem_data(stranger->out, &data);
        if (size > 0)
            result = feed(server, data, (size_t)size, 1000, &at_server);
        (void)BIO_reset(stranger->out);
        struct buffer out;
        buffer_init(&out, wire, WIRE_SIZE);
        (void)tls_output(server, &out);
        if (out.size > 0)
            BIO_write(stranger->in, out.data, (int)out.size);
        else if (size <= 0)
            break;
    }
    return result;
}

static void
only_tls_1_2_and_1_3_are_spoken(void)
{
    static const struct {
        int version;
        bool good;
    } cases[] = {{TLS1_VERSION, false},
                 {TLS1_1_VERSION, false},
                 {TLS1_2_VERSION, true},
                 {TLS1_3_VERSION, true}};
    struct tls_context *theirs = server_context("good", "h2");
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct tls *server = tls_open_server(theirs);
        struct stranger stranger;
        stranger_open(&stranger, cases[i].version);
        (void)stranger_talk(&stranger, server);
        expect_u64(tls_is_ready(server), cases[i].good);
        if (cases[i].good) {
            expect_u64(SSL_version(stranger.ssl), cases[i].version);
            forget();
            struct buffer out;
            buffer_init(&out, wire, WIRE_SIZE);
            char page[40000];
            memset(page, 'p', sizeof(page));
            expect(tls_send(server, page, sizeof(page), &out) == TLS_OK);
            expect(out.size <= tls_sealed_size_max(sizeof(page)));
            BIO_write(stranger.in, out.data, (int)out.size);
            size_t got = 0, all = 0;
            while (SSL_read_ex(stranger.ssl, page, sizeof(page), &got) == 1)
                all += got;
            expect_u64(all, sizeof(page));
        } else {
            expect_contains(tls_error(server), "neither TLS 1.2 nor TLS 1.3");
        }
        tls_close(server);
        stranger_close(&stranger);
    }
    tls_context_close(theirs);
}

/* TLS 1.3 lets a peer ask for key updates without end, each of which we answer. */
static void
key_updates_are_answered_in_bounds(void)
{
    struct tls_context *theirs = server_context("good", "h2");
    struct tls *server = tls_open_server(theirs);
    struct stranger stranger;
    stranger_open(&stranger, TLS1_3_VERSION);
    (void)stranger_talk(&stranger, server);
    expect(tls_is_ready(server));
    expect(SSL_key_update(stranger.ssl, SSL_KEY_UPDATE_REQUESTED) == 1);
    expect(SSL_write(stranger.ssl, "x", 1) == 1);
    forget();
    expect(stranger_talk(&stranger, server) == TLS_OK);
    expect_u64(at_server.size, 1);

    enum tls_result result = TLS_OK;
    for (int i = 0; i < 20000 && result == TLS_OK; i++) { /* and never listens */
        SSL_key_update(stranger.ssl, SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(stranger.ssl);
        char *data = NULL;
        long size = BIO_get_mem_data(stranger.out, &data);
        result = feed(server, data, (size_t)size, 1000, &at_server);
        (void)BIO_reset(stranger.out);
    }
    expect(result == TLS_FAILED);
    expect_contains(tls_error(server), "does not listen");
    struct buffer out;
    buffer_init(&out, wire, WIRE_SIZE);
    (void)tls_output(server, &out);
    expect(out.size <= 128 * 1024);
    tls_close(server);
    stranger_close(&stranger);
    tls_context_close(theirs);
}

int
main(void)
{
    at_client.data = malloc(PLAIN_MAX);
    at_server.data = malloc(PLAIN_MAX);
    wire = malloc(WIRE_SIZE);
    if (at_client.data == NULL || at_server.data == NULL || wire == NULL)
        return 1;
    fixture_certificate("good", "good.example", -1, 29);
    fixture_certificate("address", "127.0.0.1", -1, 29);
    fixture_certificate("address6", "::1", -1, 29);
    fixture_certificate("wildcard", "*.good.example", -1, 29);
    fixture_certificate("expired", "good.example", -30, -1);
    fixture_certificate("early", "good.example", 1, 29);
    struct error_text error = {0};
    expect(certificate_write_self_signed(fixture_path("both.crt"), fixture_path("both.key"),
                                         "both.example", &error));
    TEST(plaintext_arrives_in_any_pieces);
    TEST(records_are_full);
    TEST(a_certificate_is_judged);
    TEST(names_that_cannot_be);
    TEST(alpn_must_be_agreed);
    TEST(the_second_connection_resumes);
    TEST(sessions_of_many_hosts_are_bounded);
    TEST(close_notify_is_heard);
    TEST(what_is_not_tls_is_refused);
    TEST(a_damaged_byte_never_goes_through);
    TEST(output_leaves_in_any_room);
    TEST(contexts_name_the_file_that_is_wrong);
    TEST(only_tls_1_2_and_1_3_are_spoken);
    TEST(key_updates_are_answered_in_bounds);
    free(at_client.data);
    free(at_server.data);
    free(wire);
    return test_end();
}
