/*
 * tls - OpenSSL without sockets: ciphertext in, ciphertext out, plaintext on the other side.
 *
 * TLS 1.2 and 1.3; the peer's certificate and host name are verified against the system's store or
 * a CA file; ALPN; session resumption per context; no early data, ever (it could be replayed, and
 * a replayed send is a double message). Only tls.c includes OpenSSL's TLS headers.
 */
#ifndef FACTEUR_SENDER_IO_TLS_H
#define FACTEUR_SENDER_IO_TLS_H

#include "sender/base/bytes.h"

struct tls_context; /* settings, trust store, sessions: shared by one thread's connections */
struct tls;         /* one connection */

struct tls_client_settings {
    const char *ca_file; /* PEM; NULL: the system's store */
    const char *alpn;    /* "h2", or NULL for none. The peer must choose it. */
};

struct tls_server_settings {
    const char *certificate_file; /* PEM chain */
    const char *key_file;         /* PEM */
    const char *alpn;             /* "h2" */
};

/* NULL on failure, with file and cause in `error`. */
struct tls_context *tls_client_context(const struct tls_client_settings *settings,
                                       struct error_text *error);
struct tls_context *tls_server_context(const struct tls_server_settings *settings,
                                       struct error_text *error);
void tls_context_close(struct tls_context *context);
uint64_t
tls_context_resumptions(const struct tls_context *context); /* handshakes that were short */

enum tls_result {
    TLS_OK,     /* went on as far as the bytes allow */
    TLS_CLOSED, /* the peer said close_notify */
    TLS_FAILED, /* certificate, protocol, ALPN …: tls_error() says it; the connection is finished */
};

/* `server_name`: for SNI and verification (client only; a host name or an IP address). */
struct tls *tls_open_client(struct tls_context *context, const char *server_name);
struct tls *tls_open_server(struct tls_context *context);
void tls_close(struct tls *tls);

bool tls_is_ready(const struct tls *tls);     /* the handshake is done and verified */
const char *tls_error(const struct tls *tls); /* why it failed, in words with a remedy; or "" */

/*
 * Gives received ciphertext. All of it is taken. Goes on with the handshake; what it wants to say
 * is then in the output. `on_plain` is called with decrypted bytes, valid during the call; several
 * records make one call. It may use tls_send() and tls_shutdown(), not tls_receive() or
 * tls_close(). After TLS_CLOSED or TLS_FAILED the same is answered again.
 */
enum tls_result tls_receive(struct tls *tls, const void *data, size_t size,
                            void (*on_plain)(void *context, const char *data, size_t size),
                            void *context);

/*
 * Encrypts `size` bytes of plaintext into `out`, in records as large as TLS allows (16 KiB).
 * `out` must have room for tls_sealed_size_max(size). Only when ready. What tls_output() would have
 * given goes first; what does not fit because of that is kept for tls_output(), in its order.
 */
enum tls_result tls_send(struct tls *tls, const void *data, size_t size, struct buffer *out);
size_t tls_sealed_size_max(size_t plain_size);

/*
 * Moves what the handshake (or close) wants to send into `out`, as much as fits; starts the
 * client's handshake. After TLS_FAILED, too: the alert tells the peer why.
 */
enum tls_result tls_output(struct tls *tls, struct buffer *out);
bool tls_has_output(const struct tls *tls); /* tls_output() would move something */

bool tls_is_resumed(const struct tls *tls); /* the handshake went on with an earlier session */

void tls_shutdown(struct tls *tls); /* queues close_notify for tls_output(); once; not if failed */

#endif
