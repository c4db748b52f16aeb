#include "sender/io/tls.h"
#include "sender/base/check.h"
#include "sender/io/span_bio.h"
#include "sender/io/trust.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

enum {
    TLS_RECORD_PLAIN = SSL3_RT_MAX_PLAIN_LENGTH, /* 16 KiB */
    TLS_RECORD_EXTRA = 64,                       /* header, nonce, tag, padding: TLS 1.2's worst */
    TLS_SEALED_MARGIN = 4096,   /* what the handshake still has to say: tickets, Finished */
    TLS_PLAIN_SIZE = 64 * 1024, /* decrypted records given to the owner at once */
    TLS_SESSIONS = 4,           /* hosts whose last session is kept */
    TLS_NAME_MAX = 255,
    TLS_ALPN_MAX = 32,
};
static const uint64_t TLS_MAGIC = 0x746c735f30303031;

struct session {
    char server_name[TLS_NAME_MAX + 1];
    SSL_SESSION *session; /* owned; NULL: free place */
};

struct tls_context {
    SSL_CTX *ssl_ctx;
    BIO_METHOD *bio_method;
    bool is_server;
    unsigned char alpn[TLS_ALPN_MAX + 1]; /* length byte and name; length 0: none */
    struct session sessions[TLS_SESSIONS];
    size_t session_next; /* the place to be overwritten when all are taken */
};

struct tls {
    uint64_t magic;
    struct tls_context *context;
    SSL *ssl;
    enum tls_result result; /* TLS_CLOSED and TLS_FAILED stay */
    bool ready;
    bool shutdown;
    bool receiving;                     /* tls_receive() is under way */
    struct span_bio span_bio;           /* where OpenSSL reads and writes ciphertext */
    char *plain;                        /* decrypted, TLS_PLAIN_SIZE */
    char server_name[TLS_NAME_MAX + 1]; /* client */
    struct error_text error;
};

/* ---- Sessions: the last one of each host, for a shorter handshake next time. ---- */

/* By name, because a resumed session is not verified again: it must be of the same host. */
static struct session *
session_of(struct tls_context *context, const char *server_name)
{
    for (size_t i = 0; i < TLS_SESSIONS; i++) {
        struct session *session = &context->sessions[i];
        if (session->session != NULL && strcmp(session->server_name, server_name) == 0)
            return session;
    }
    return NULL;
}

static int
on_new_session(SSL *ssl, SSL_SESSION *ssl_session)
{
    struct tls *tls = SSL_get_app_data(ssl);
    check_magic(tls, TLS_MAGIC);
    struct session *session = session_of(tls->context, tls->server_name);
    if (session == NULL) {
        session = &tls->context->sessions[tls->context->session_next++ % TLS_SESSIONS];
        memcpy(session->server_name, tls->server_name, sizeof(session->server_name));
    }
    SSL_SESSION_free(session->session);
    session->session = ssl_session;
    return 1; /* the reference is ours now */
}

/* ---- Contexts ---- */

static const char *
last_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    return reason == NULL ? "no reason given" : reason;
}

static int
on_alpn_select(SSL *ssl, const unsigned char **chosen, unsigned char *chosen_size,
               const unsigned char *offered, unsigned int offered_size, void *argument)
{
    (void)ssl;
    const struct tls_context *context = argument;
    unsigned char *found = NULL;
    if (SSL_select_next_proto(&found, chosen_size, context->alpn, context->alpn[0] + 1U, offered,
                              offered_size) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    *chosen = found;
    return SSL_TLSEXT_ERR_OK;
}

static struct tls_context *
context_open(const SSL_METHOD *method, const char *alpn)
{
    struct tls_context *context = check_alloc(1, sizeof(*context));
    context->ssl_ctx = SSL_CTX_new(method);
    check(context->ssl_ctx != NULL);
    context->bio_method = span_bio_method();
    if (alpn != NULL) {
        size_t size = strlen(alpn);
        check(size > 0 && size < TLS_ALPN_MAX);
        context->alpn[0] = (unsigned char)size;
        memcpy(context->alpn + 1, alpn, size);
    }
    SSL_CTX_set_min_proto_version(context->ssl_ctx, TLS1_2_VERSION);
    SSL_CTX_set_options(context->ssl_ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_max_early_data(context->ssl_ctx, 0);
    SSL_CTX_set_recv_max_early_data(context->ssl_ctx, 0);
    /* Buffers stay: a link is busy all the time or closed. */
    SSL_CTX_clear_mode(context->ssl_ctx, SSL_MODE_RELEASE_BUFFERS);
    return context;
}

void
tls_context_close(struct tls_context *context)
{
    if (context == NULL)
        return;
    for (size_t i = 0; i < TLS_SESSIONS; i++)
        SSL_SESSION_free(context->sessions[i].session);
    SSL_CTX_free(context->ssl_ctx);
    BIO_meth_free(context->bio_method);
    free(context);
}

uint64_t
tls_context_resumptions(const struct tls_context *context)
{
    return (uint64_t)SSL_CTX_sess_hits(context->ssl_ctx);
}

static struct tls_context *
context_refused(struct tls_context *context)
{
    ERR_clear_error();
    tls_context_close(context);
    return NULL;
}

struct tls_context *
tls_client_context(const struct tls_client_settings *settings, struct error_text *error)
{
    struct tls_context *context = context_open(TLS_client_method(), settings->alpn);
    SSL_CTX *ssl_ctx = context->ssl_ctx;
    ERR_clear_error();
    if (settings->ca_file == NULL) {
        if (SSL_CTX_set_default_verify_paths(ssl_ctx) != 1) {
            error_set(error,
                      "the system's certificates cannot be read (%s): install "
                      "ca-certificates or give a CA with --ca-file",
                      last_reason());
            return context_refused(context);
        }
    } else if (SSL_CTX_load_verify_file(ssl_ctx, settings->ca_file) != 1) {
        error_set(error, "%s cannot be read as a CA file (PEM certificates): %s", settings->ca_file,
                  last_reason());
        return context_refused(context);
    }
    if (context->alpn[0] > 0)
        check(SSL_CTX_set_alpn_protos(ssl_ctx, context->alpn, context->alpn[0] + 1U) == 0);
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
    SSL_CTX_sess_set_new_cb(ssl_ctx, on_new_session);
    return context;
}

struct tls_context *
tls_server_context(const struct tls_server_settings *settings, struct error_text *error)
{
    struct tls_context *context = context_open(TLS_server_method(), settings->alpn);
    SSL_CTX *ssl_ctx = context->ssl_ctx;
    context->is_server = true;
    ERR_clear_error();
    if (SSL_CTX_use_certificate_chain_file(ssl_ctx, settings->certificate_file) != 1) {
        error_set(error, "%s cannot be read as a certificate (PEM chain): %s",
                  settings->certificate_file, last_reason());
        return context_refused(context);
    }
    if (SSL_CTX_use_PrivateKey_file(ssl_ctx, settings->key_file, SSL_FILETYPE_PEM) != 1) {
        error_set(error, "%s cannot be read as the private key (PEM) of %s: %s", settings->key_file,
                  settings->certificate_file, last_reason());
        return context_refused(context);
    }
    if (context->alpn[0] > 0)
        SSL_CTX_set_alpn_select_cb(ssl_ctx, on_alpn_select, context);
    /* Tickets only: they need no memory here, and a client may come back on another thread. */
    SSL_CTX_set_session_cache_mode(ssl_ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_session_id_context(ssl_ctx, (const unsigned char *)"facteur", 7);
    return context;
}

/* ---- Failure, in words ---- */

static enum tls_result
fail(struct tls *tls)
{
    tls->result = TLS_FAILED;
    ERR_clear_error();
    return TLS_FAILED;
}

static const char *
reason_text(int reason)
{
    switch (reason) {
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
        return "the peer does not speak TLS: is the port that of a plain service?";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
        return "the peer offers neither TLS 1.2 nor TLS 1.3, and older ones are not safe";
    case SSL_R_NO_SHARED_CIPHER:
    case SSL_R_SSLV3_ALERT_HANDSHAKE_FAILURE:
        return "the peer has no cipher in common with us, or refused the handshake";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
        return "the peer does not trust our certificate: it was not given its CA";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
        return "the peer did not accept our certificate";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
        return "the server asks for a client certificate, which facteur does not have";
    case SSL_R_DECRYPTION_FAILED_OR_BAD_RECORD_MAC:
    case SSL_R_SSLV3_ALERT_BAD_RECORD_MAC:
        return "a record was damaged on its way";
    default:
        return NULL;
    }
}

static void
explain_alpn(struct tls *tls)
{
    const char *alpn = (const char *)tls->context->alpn + 1;
    if (tls->context->is_server)
        error_set(&tls->error, "the client did not ask for %s (ALPN)", alpn);
    else if (strcmp(alpn, "h2") == 0)
        error_set(&tls->error, "the server speaks HTTP/1.1 only: ALPN h2 was not accepted");
    else
        error_set(&tls->error, "the server does not speak %s: ALPN was not accepted", alpn);
}

/* Turns OpenSSL's error queue into tls->error, unless the verify callback has said it already. */
static enum tls_result
fail_from_queue(struct tls *tls, int ssl_error)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    if (tls->error.text[0] != '\0')
        return fail(tls);
    if (reason == SSL_R_TLSV1_ALERT_NO_APPLICATION_PROTOCOL ||
        reason == SSL_R_NO_APPLICATION_PROTOCOL) {
        explain_alpn(tls);
    } else if (reason_text(reason) != NULL) {
        error_set(&tls->error, "%s", reason_text(reason));
    } else if (tls->span_bio.overflow) {
        error_set(&tls->error, "the peer asks and asks (key updates) but does not listen");
    } else if (code == 0) {
        error_set(&tls->error, "TLS ended without a reason (OpenSSL error %d)", ssl_error);
    } else {
        const char *words = ERR_reason_error_string(code);
        error_set(&tls->error, "TLS failed: %s", words == NULL ? "unknown error" : words);
    }
    return fail(tls);
}

static int
on_verify(int good, X509_STORE_CTX *store)
{
    if (good)
        return 1;
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct tls *tls = SSL_get_app_data(ssl);
    check_magic(tls, TLS_MAGIC);
    trust_explain(store, tls->server_name, &tls->error);
    return 0;
}

/* ---- Connections ---- */

static struct tls *
connection_open(struct tls_context *context)
{
    struct tls *tls = check_alloc(1, sizeof(*tls));
    tls->magic = TLS_MAGIC;
    tls->context = context;
    tls->ssl = SSL_new(context->ssl_ctx);
    check(tls->ssl != NULL);
    span_bio_open(&tls->span_bio);
    BIO *bio = span_bio_attach(&tls->span_bio, context->bio_method);
    SSL_set_bio(tls->ssl, bio, bio); /* one for both directions; SSL_free() frees it */
    SSL_set_app_data(tls->ssl, tls);
    tls->plain = check_alloc(1, TLS_PLAIN_SIZE);
    return tls;
}

/* The name as certificates have it: without the dot of the root, without an IPv6 URL's brackets. */
static bool
set_server_name(struct tls *tls, const char *server_name)
{
    size_t size = strlen(server_name);
    if (size > 2 && server_name[0] == '[' && server_name[size - 1] == ']') {
        server_name++;
        size -= 2;
    } else if (size > 1 && server_name[size - 1] == '.') {
        size--;
    }
    if (size == 0 || size > TLS_NAME_MAX)
        return false;
    memcpy(tls->server_name, server_name, size);
    return true;
}

static bool
expect_peer(struct tls *tls)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(tls->ssl);
    unsigned char address[16];
    if (inet_pton(AF_INET, tls->server_name, address) == 1 ||
        inet_pton(AF_INET6, tls->server_name, address) == 1)
        return X509_VERIFY_PARAM_set1_ip_asc(param, tls->server_name) == 1;
    X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
    return X509_VERIFY_PARAM_set1_host(param, tls->server_name, 0) == 1 &&
           SSL_set_tlsext_host_name(tls->ssl, tls->server_name) == 1; /* SNI is for names only */
}

struct tls *
tls_open_client(struct tls_context *context, const char *server_name)
{
    check(!context->is_server && server_name != NULL);
    struct tls *tls = connection_open(context);
    SSL_set_connect_state(tls->ssl);
    SSL_set_verify(tls->ssl, SSL_VERIFY_PEER, on_verify);
    if (!set_server_name(tls, server_name) || !expect_peer(tls)) {
        error_set(&tls->error, "\"%.80s\" cannot be a server's name", server_name);
        (void)fail(tls);
        return tls;
    }
    const struct session *session = session_of(context, tls->server_name);
    if (session != NULL)
        (void)SSL_set_session(tls->ssl, session->session); /* without it: a whole handshake */
    return tls;
}

struct tls *
tls_open_server(struct tls_context *context)
{
    check(context->is_server);
    struct tls *tls = connection_open(context);
    SSL_set_accept_state(tls->ssl);
    return tls;
}

void
tls_close(struct tls *tls)
{
    if (tls == NULL)
        return;
    check_magic(tls, TLS_MAGIC);
    check(!tls->receiving);
    /* A connection that was cut says nothing against its session: without this OpenSSL would mark
     * it as not to be resumed. */
    if (tls->result != TLS_FAILED)
        SSL_set_shutdown(tls->ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
    SSL_free(tls->ssl);
    free(tls->plain);
    span_bio_close(&tls->span_bio);
    tls->magic = 0;
    free(tls);
}

bool
tls_is_ready(const struct tls *tls)
{
    return tls->ready;
}

bool
tls_is_resumed(const struct tls *tls)
{
    return tls->ready && SSL_session_reused(tls->ssl) == 1;
}

const char *
tls_error(const struct tls *tls)
{
    return tls->error.text;
}

bool
tls_has_output(const struct tls *tls)
{
    return span_bio_has_pending(&tls->span_bio);
}

static bool
alpn_is_agreed(const struct tls *tls)
{
    const unsigned char *wanted = tls->context->alpn;
    if (wanted[0] == 0)
        return true;
    const unsigned char *chosen;
    unsigned int size;
    SSL_get0_alpn_selected(tls->ssl, &chosen, &size);
    return size == wanted[0] && memcmp(chosen, wanted + 1, size) == 0;
}

/* Goes on with the handshake as far as the bytes allow. */
static enum tls_result
shake_hands(struct tls *tls)
{
    ERR_clear_error();
    int done = SSL_do_handshake(tls->ssl);
    if (done != 1) {
        int error = SSL_get_error(tls->ssl, done);
        return error == SSL_ERROR_WANT_READ ? TLS_OK : fail_from_queue(tls, error);
    }
    if (!alpn_is_agreed(tls)) {
        explain_alpn(tls);
        return fail(tls);
    }
    tls->ready = true;
    return TLS_OK;
}

/* Decrypts records into `plain` until it is full or the bytes are used up. */
static enum tls_result
decrypt(struct tls *tls, size_t *size)
{
    while (*size < TLS_PLAIN_SIZE) {
        size_t got;
        if (SSL_read_ex(tls->ssl, tls->plain + *size, TLS_PLAIN_SIZE - *size, &got) == 1) {
            *size += got;
            continue;
        }
        int error = SSL_get_error(tls->ssl, 0);
        if (error == SSL_ERROR_WANT_READ)
            return TLS_OK;
        if (error != SSL_ERROR_ZERO_RETURN)
            return fail_from_queue(tls, error);
        tls->result = TLS_CLOSED;
        return TLS_CLOSED;
    }
    return TLS_OK;
}

enum tls_result
tls_receive(struct tls *tls, const void *data, size_t size,
            void (*on_plain)(void *context, const char *data, size_t size), void *context)
{
    check_magic(tls, TLS_MAGIC);
    check(!tls->receiving);
    if (tls->result != TLS_OK)
        return tls->result;
    tls->receiving = true;
    tls->span_bio.in = (struct span){.data = data, .size = size};
    enum tls_result result = tls->ready ? TLS_OK : shake_hands(tls);
    size_t plain_size = 0;
    do {
        plain_size = 0;
        ERR_clear_error();
        if (result == TLS_OK && tls->ready)
            result = decrypt(tls, &plain_size);
        if (plain_size > 0)
            on_plain(context, tls->plain, plain_size);
    } while (result == TLS_OK && plain_size == TLS_PLAIN_SIZE);
    tls->span_bio.in = (struct span){0};
    tls->receiving = false;
    return result;
}

enum tls_result
tls_output(struct tls *tls, struct buffer *out)
{
    check_magic(tls, TLS_MAGIC);
    if (tls->result == TLS_OK && !tls->ready && !tls->receiving)
        (void)shake_hands(tls);
    span_bio_move(&tls->span_bio, out);
    return tls->result;
}

size_t
tls_sealed_size_max(size_t plain_size)
{
    size_t records = plain_size / TLS_RECORD_PLAIN + 1;
    return plain_size + records * TLS_RECORD_EXTRA + TLS_SEALED_MARGIN;
}

enum tls_result
tls_send(struct tls *tls, const void *data, size_t size, struct buffer *out)
{
    check_magic(tls, TLS_MAGIC);
    check(tls->ready);
    check(buffer_room(out) >= tls_sealed_size_max(size));
    if (tls->result == TLS_FAILED)
        return TLS_FAILED;
    check(!tls->shutdown); /* close_notify is the last word */
    span_bio_move(&tls->span_bio, out);
    if (size == 0)
        return tls->result;
    ERR_clear_error();
    tls->span_bio.out = out;
    size_t written = 0;
    int done = SSL_write_ex(tls->ssl, data, size, &written);
    tls->span_bio.out = NULL;
    if (done != 1)
        return fail_from_queue(tls, SSL_get_error(tls->ssl, done));
    check(written == size);
    return tls->result;
}

void
tls_shutdown(struct tls *tls)
{
    check_magic(tls, TLS_MAGIC);
    if (tls->result == TLS_FAILED || !tls->ready || tls->shutdown)
        return;
    tls->shutdown = true;
    ERR_clear_error();
    (void)SSL_shutdown(tls->ssl); /* 0: said, not yet answered, and we do not wait for it */
    ERR_clear_error();
}
