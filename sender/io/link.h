/*
 * link - one connection: TCP or unix socket, with TLS or without, outgoing or accepted.
 *
 * Pull, not push: a link asks its owner for output when it can send, so what was produced during
 * a turn leaves in one write, in full TLS records, and what never was asked for has provably not
 * left. Two buffers: the owner fills one with plaintext, the other is the kernel's (without TLS the
 * owner writes where the kernel reads). Reading is single-shot; the owner sees plaintext.
 *
 * A link is opened once and closed once; a reconnect is a new link. All calls from its loop's
 * thread. No callback comes from inside link_open() or link_flush(): they come from the turn.
 */
#ifndef FACTEUR_SENDER_IO_LINK_H
#define FACTEUR_SENDER_IO_LINK_H

#include "sender/io/loop.h"
#include "sender/io/tls.h"

struct link;

enum {
    LINK_OPERATIONS = 2, /* of a link in the kernel at once: for loop_settings.operations_max */
    LINK_TIMERS = 1,     /* likewise, for timers_max */
    LINK_OUTPUT_MAX = 1 << 20,
};

struct link_events {
    /* Connected, and the TLS handshake done if there is one. Output is asked for from now on. */
    void (*on_open)(void *context);
    /* Plaintext; valid during the call. link_close() may be called from here. */
    void (*on_bytes)(void *context, const char *data, size_t size);
    /*
     * Fill `out` with what is to be sent, as much as there is up to its capacity. Asked again when
     * that has left, until nothing is given; then link_flush() is needed. link_close() from here
     * still sends what was given.
     */
    void (*on_output)(void *context, struct buffer *out);
    /*
     * The link is finished: `reason` in words ("connection refused by 127.0.0.1:8443", "certificate
     * has expired …"). Called exactly once, also after link_close() (reason "closed"), when nothing
     * of it is in the kernel any more; the link frees itself after this call. `opened`: on_open had
     * come.
     */
    void (*on_close)(void *context, const char *reason, bool opened);
};

struct link_address {
    const char *unix_path; /* or NULL */
    const char *host;      /* name or IP address, if unix_path is NULL */
    uint16_t port;
};

struct link_settings {
    struct link_address address; /* copied */
    struct tls_context *tls;     /* borrowed, outlives the link; NULL: no TLS */
    const char *server_name;     /* for TLS; NULL: the address's host. Copied */
    uint64_t connect_timeout_us; /* name, connect and handshake together; > 0 */
    size_t output_size;          /* plaintext asked for at once, bytes (e.g. 64 KiB) */
};

/* Never fails: what goes wrong comes through on_close. */
struct link *link_open(struct loop *loop, const struct link_settings *settings,
                       const struct link_events *events, void *context);

/* For a listener: takes over `fd`. `settings->address` is ignored, tls is a server context. */
struct link *link_accepted(struct loop *loop, int fd, const struct link_settings *settings,
                           const struct link_events *events, void *context);

/* There is output: it is asked for at the end of this turn (or when the send in flight is done). */
void link_flush(struct link *link);

/*
 * Ends the link. What is under way is sent and close_notify said, for at most a second; output not
 * yet asked for is not sent, and no on_bytes, on_output or on_open comes any more. Any time, in any
 * callback, also twice, but not after on_close.
 */
void link_close(struct link *link);

/* Ends it at once with a TCP reset: for the emulator's faults. */
void link_reset(struct link *link);

/*
 * Stops and starts reading: back-pressure, and the emulator's black hole. Called from on_bytes,
 * what was decrypted in the same go may still come once. While paused nothing is read at all: no
 * handshake goes on, and the peer's close is not noticed.
 */
void link_pause(struct link *link);
void link_resume(struct link *link);

bool link_is_open(const struct link *link);

/*
 * Plaintext bytes that the kernel has taken; with TLS a record counts as soon as one byte of it was
 * taken. Exact in on_close: what was given to `out` beyond it never left this machine.
 */
uint64_t link_bytes_sent(const struct link *link);

/*
 * A listening socket. Accepts until closed, which may happen in on_accept; `fd` is the caller's.
 * A unix socket's path must not exist; it is removed at the end. One operation, one timer.
 */
struct listener;
struct listener *listener_open(struct loop *loop, const struct link_address *address,
                               void (*on_accept)(void *context, int fd), void *context,
                               struct error_text *error); /* NULL: see error. host "" is any */
uint16_t listener_port(const struct listener *listener);  /* the real one when 0 was asked for */
void listener_close(struct listener *listener);

#endif
