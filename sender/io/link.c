#include "sender/io/link.h"
#include "sender/base/check.h"
#include "sender/io/dial.h"
#include "sender/io/outbox.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    LINK_RECV_SIZE = 64 * 1024,
    LINK_LINGER_US = 1000000, /* for the last words, when the peer does not take them */
    LINK_PEER_SIZE = 320,
};
static const uint64_t LINK_MAGIC = 0x6c696e6b5f303031;

/*
 * A link only goes down this list; what it skips does not apply to it (an accepted link does not
 * dial, one without TLS has no handshake). From anywhere it may go to CLOSING or ENDING.
 */
enum link_state {
    LINK_STARTING,  /* waits for its first turn, so that no callback comes from link_open() */
    LINK_DIALING,   /* looking up, connecting */
    LINK_HANDSHAKE, /* TLS */
    LINK_OPEN,
    LINK_CLOSING, /* its last words are sent: close_notify, or an alert */
    LINK_ENDING,  /* over; waits until the kernel has given everything back */
    LINK_ENDED,   /* on_close is being called, then it is freed */
};

struct link {
    uint64_t magic;
    enum link_state state;
    struct loop *loop;
    struct link_events events;
    void *context;
    struct link_address address; /* its strings are owned */
    char *server_name;           /* owned, or NULL */
    char peer[LINK_PEER_SIZE];   /* for messages */
    bool accepted;
    uint64_t deadline_us; /* to be open by then */
    struct dial dial;
    struct loop_flush flush; /* all work that is not a completion; the only place that frees */
    struct timer timer;      /* HANDSHAKE: the deadline; CLOSING, or broken: the linger */
    int fd;                  /* -1: none */

    struct tls_context *tls_context; /* NULL: no TLS */
    struct tls *tls;

    struct io_op recv_op;
    bool receiving; /* recv_op is in the kernel */
    bool paused;
    char *recv_data;  /* LINK_RECV_SIZE */
    size_t recv_held; /* of it, came while paused */

    struct io_op send_op;
    bool sending;      /* send_op is in the kernel, and what is in the outbox with it */
    bool wants_output; /* the owner is to be asked */
    int broken;        /* errno of a failed send; what the peer said may still be read */
    struct outbox outbox;

    bool opened; /* on_open has come */
    struct error_text reason;
};

/* ---- Endings ---- */

static void
set_reason(struct link *link, const char *format, ...)
{
    if (link->reason.text[0] != '\0')
        return; /* the first reason is the cause, what follows are consequences */
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(link->reason.text, sizeof(link->reason.text), format, arguments);
    va_end(arguments);
}

static void
explain_loss(struct link *link, int cause)
{
    if (cause == ECONNRESET || cause == EPIPE)
        set_reason(link, "connection reset by %s", link->peer);
    else
        set_reason(link, "connection to %s lost: %s", link->peer, strerror(cause));
}

static void
end(struct link *link)
{
    check(link->state < LINK_ENDING);
    enum link_state state = link->state;
    link->state = LINK_ENDING;
    timer_stop(loop_timers(link->loop), &link->timer);
    if (state == LINK_DIALING && !dial_abort(&link->dial))
        return; /* on_dialed() comes */
    if (link->receiving || link->sending)
        io_cancel_fd(link->loop, link->fd);
    loop_flush_later(link->loop, &link->flush);
}

/* Lets the last words be sent, then ends. */
static void
close_politely(struct link *link)
{
    if (link->state >= LINK_CLOSING)
        return;
    if (link->state < LINK_HANDSHAKE || link->broken != 0) {
        end(link);
        return;
    }
    link->state = LINK_CLOSING;
    timer_start(loop_timers(link->loop), &link->timer, loop_now_us(link->loop) + LINK_LINGER_US);
    loop_flush_later(link->loop, &link->flush);
}

static void
finish(struct link *link)
{
    if (link->receiving || link->sending)
        return; /* the last completion asks for this flush again */
    outbox_end(&link->outbox);
    if (link->fd >= 0)
        close(link->fd);
    link->state = LINK_ENDED;
    link->events.on_close(link->context, link->reason.text, link->opened);

    check(!link->flush.queued && !timer_is_started(&link->timer));
    tls_close(link->tls);
    free((char *)link->address.unix_path);
    free((char *)link->address.host);
    free(link->server_name);
    free(link->recv_data);
    outbox_close(&link->outbox);
    link->magic = 0;
    free(link);
}

static void
on_timer(struct timer *timer)
{
    struct link *link = container_of(timer, struct link, timer);
    check_magic(link, LINK_MAGIC);
    if (link->broken != 0)
        explain_loss(link, link->broken);
    else if (link->state == LINK_HANDSHAKE)
        set_reason(link, "no TLS handshake with %s in time: is it a TLS port?", link->peer);
    end(link);
}

/* ---- Output ---- */

static void
start_sending(struct link *link)
{
    struct span rest = outbox_rest(&link->outbox);
    link->sending = true;
    io_send(link->loop, &link->send_op, link->fd, rest.data, rest.size);
}

static void
fail_tls(struct link *link)
{
    set_reason(link, "TLS with %s: %s", link->peer, tls_error(link->tls));
    close_politely(link); /* the alert tells the peer why */
}

static void
ask(struct link *link)
{
    if (!outbox_has_room(&link->outbox))
        return; /* TLS has much to say itself; the owner is asked when that has left */
    link->wants_output = false;
    struct buffer *page = outbox_page(&link->outbox);
    link->events.on_output(link->context, page);
    if (page->size == 0 || link->state == LINK_ENDING)
        return;
    link->wants_output = true;
    if (outbox_seal(&link->outbox, link->tls) == TLS_FAILED)
        fail_tls(link);
}

/* Sends what there is, if the kernel has nothing of ours: what comes meanwhile waits, and so
 * leaves in fewer and fuller records. */
static void
pump(struct link *link)
{
    check(link->state == LINK_HANDSHAKE || link->state == LINK_OPEN || link->state == LINK_CLOSING);
    if (link->sending || link->broken != 0)
        return;
    outbox_begin(&link->outbox);
    if (link->tls != NULL && tls_output(link->tls, &link->outbox.out) == TLS_FAILED)
        fail_tls(link);
    if (link->state == LINK_OPEN && link->wants_output)
        ask(link);
    if (link->state == LINK_ENDING) /* reset from on_output */
        return;
    if (link->state == LINK_CLOSING && link->tls != NULL) {
        tls_shutdown(link->tls);
        (void)tls_output(link->tls, &link->outbox.out);
    }
    if (outbox_rest(&link->outbox).size > 0)
        start_sending(link);
    else if (link->state == LINK_CLOSING)
        end(link);
}

/*
 * The kernel takes nothing any more. What the peer said before it went (an alert, a GOAWAY) may
 * still lie in the socket, and says more than "broken pipe": read on until that ends.
 */
static void
break_sending(struct link *link, int cause)
{
    link->broken = cause;
    if (link->state == LINK_CLOSING || !link->receiving) {
        explain_loss(link, cause);
        end(link);
        return;
    }
    timer_start(loop_timers(link->loop), &link->timer, loop_now_us(link->loop) + LINK_LINGER_US);
}

static void
on_sent(struct io_op *op, int result)
{
    struct link *link = container_of(op, struct link, send_op);
    check_magic(link, LINK_MAGIC);
    link->sending = false;
    if (result > 0)
        outbox_take(&link->outbox, (size_t)result);
    if (link->state != LINK_ENDING && result <= 0)
        break_sending(link, result == 0 ? EPIPE : -result);
    else if (link->state != LINK_ENDING && outbox_rest(&link->outbox).size > 0)
        start_sending(link); /* interrupted */
    else
        loop_flush_later(link->loop, &link->flush); /* with what the rest of this turn brings */
}

/* ---- Input ---- */

static void
start_receiving(struct link *link)
{
    if (link->state != LINK_HANDSHAKE && link->state != LINK_OPEN)
        return;
    if (link->receiving || link->paused || link->recv_held > 0)
        return;
    link->receiving = true;
    io_recv(link->loop, &link->recv_op, link->fd, link->recv_data, LINK_RECV_SIZE);
}

static void
become_open(struct link *link)
{
    timer_stop(loop_timers(link->loop), &link->timer);
    link->state = LINK_OPEN;
    link->opened = true;
    link->wants_output = true;
    loop_flush_later(link->loop, &link->flush);
    link->events.on_open(link->context);
}

static void
on_plain(void *context, const char *data, size_t size)
{
    struct link *link = context;
    if (link->state == LINK_HANDSHAKE) /* the end of it and the first bytes came together */
        become_open(link);
    if (link->state == LINK_OPEN)
        link->events.on_bytes(link->context, data, size);
}

static void
take(struct link *link, size_t size)
{
    if (link->tls == NULL) {
        link->events.on_bytes(link->context, link->recv_data, size);
        return;
    }
    enum tls_result result = tls_receive(link->tls, link->recv_data, size, on_plain, link);
    if (link->state == LINK_HANDSHAKE && tls_is_ready(link->tls))
        become_open(link);
    if (result == TLS_FAILED) {
        fail_tls(link);
    } else if (result == TLS_CLOSED) {
        set_reason(link, "closed by %s", link->peer);
        close_politely(link);
    }
    if (link->state < LINK_ENDING && tls_has_output(link->tls))
        loop_flush_later(link->loop, &link->flush);
}

static void
lose(struct link *link, int cause)
{
    if (cause == 0)
        cause = link->broken;
    if (cause != 0)
        explain_loss(link, cause);
    else if (link->state == LINK_HANDSHAKE)
        set_reason(link, "%s closed the connection during the TLS handshake", link->peer);
    else if (link->tls != NULL)
        set_reason(link, "%s closed the connection without TLS's close_notify", link->peer);
    else
        set_reason(link, "closed by %s", link->peer);
    end(link);
}

static void
on_received(struct io_op *op, int result)
{
    struct link *link = container_of(op, struct link, recv_op);
    check_magic(link, LINK_MAGIC);
    link->receiving = false;
    if (link->state != LINK_HANDSHAKE && link->state != LINK_OPEN) {
        loop_flush_later(link->loop, &link->flush);
        return;
    }
    if (link->paused) { /* an end is met again when reading goes on */
        link->recv_held = result > 0 ? (size_t)result : 0;
        return;
    }
    if (result > 0)
        take(link, (size_t)result);
    else
        lose(link, -result);
    start_receiving(link);
}

/* ---- Beginnings ---- */

enum { SILENCE_MS = 30 * 1000, ASK_S = 20, ASK_AGAIN_S = 5 };

/* A unix socket has none of these options, and needs none. A peer that is gone without a word (its
 * host died, a NAT forgot us) would otherwise be noticed after a quarter of an hour, or never. */
static void
set_options(int fd)
{
    const int on = 1;
    const unsigned silence_ms = SILENCE_MS;
    const int ask_s = ASK_S;
    const int again_s = ASK_AGAIN_S;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &silence_ms, sizeof(silence_ms));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &ask_s, sizeof(ask_s));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &again_s, sizeof(again_s));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

static void
establish(struct link *link, int fd)
{
    link->fd = fd;
    set_options(fd);
    if (link->tls_context == NULL) {
        become_open(link);
        start_receiving(link);
        return;
    }
    link->state = LINK_HANDSHAKE;
    timer_start(loop_timers(link->loop), &link->timer, link->deadline_us);
    const char *name = link->server_name != NULL ? link->server_name : link->address.host;
    link->tls = link->accepted
                    ? tls_open_server(link->tls_context)
                    : tls_open_client(link->tls_context, name != NULL ? name : "localhost");
    pump(link);
    start_receiving(link);
}

static void
on_dialed(struct dial *dial, int fd)
{
    struct link *link = container_of(dial, struct link, dial);
    check_magic(link, LINK_MAGIC);
    if (link->state == LINK_ENDING) { /* closed meanwhile */
        check(fd < 0);
        loop_flush_later(link->loop, &link->flush);
    } else if (fd < 0) {
        set_reason(link, "%s", dial->error.text);
        link->state = LINK_ENDING;
        loop_flush_later(link->loop, &link->flush);
    } else {
        establish(link, fd);
    }
}

static void
start(struct link *link)
{
    if (link->accepted) {
        establish(link, link->fd);
        return;
    }
    link->state = LINK_DIALING;
    dial_begin(&link->dial, link->loop, &link->address, link->deadline_us, on_dialed);
}

static void
on_flush(struct loop_flush *flush)
{
    struct link *link = container_of(flush, struct link, flush);
    check_magic(link, LINK_MAGIC);
    switch (link->state) {
    case LINK_STARTING:
        start(link);
        break;
    case LINK_DIALING:
        break;
    case LINK_HANDSHAKE:
    case LINK_OPEN:
        if (link->recv_held > 0 && !link->paused) {
            size_t size = link->recv_held;
            link->recv_held = 0;
            take(link, size);
        }
        start_receiving(link);
        if (link->state < LINK_ENDING)
            pump(link);
        break;
    case LINK_CLOSING:
        pump(link);
        break;
    case LINK_ENDING:
        finish(link);
        break;
    case LINK_ENDED:
        check(link->state != LINK_ENDED);
    }
}

static char *
copy(const char *text)
{
    if (text == NULL)
        return NULL;
    char *copied = strdup(text);
    check(copied != NULL);
    return copied;
}

static struct link *
create(struct loop *loop, const struct link_settings *settings, const struct link_events *events,
       void *context)
{
    check(events->on_open != NULL && events->on_bytes != NULL && events->on_output != NULL &&
          events->on_close != NULL);
    check(settings->output_size > 0 && settings->output_size <= LINK_OUTPUT_MAX);
    check(settings->connect_timeout_us > 0);
    struct link *link = check_alloc(1, sizeof(*link));
    link->magic = LINK_MAGIC;
    link->loop = loop;
    link->events = *events;
    link->context = context;
    link->server_name = copy(settings->server_name);
    link->deadline_us = loop_now_us(loop) + settings->connect_timeout_us;
    link->fd = -1;
    link->tls_context = settings->tls;
    link->flush.on_flush = on_flush;
    timer_init(&link->timer, on_timer);
    link->recv_op.on_done = on_received;
    link->send_op.on_done = on_sent;
    link->recv_data = check_alloc(1, LINK_RECV_SIZE);
    outbox_open(&link->outbox, settings->output_size, settings->tls != NULL);
    loop_flush_later(loop, &link->flush);
    return link;
}

struct link *
link_open(struct loop *loop, const struct link_settings *settings, const struct link_events *events,
          void *context)
{
    const struct link_address *address = &settings->address;
    check(address->unix_path != NULL || address->host != NULL);
    struct link *link = create(loop, settings, events, context);
    link->address = (struct link_address){
        .unix_path = copy(address->unix_path),
        .host = copy(address->host),
        .port = address->port,
    };
    if (address->unix_path != NULL)
        snprintf(link->peer, sizeof(link->peer), "%s", address->unix_path);
    else
        snprintf(link->peer, sizeof(link->peer), "%s:%u", address->host, (unsigned)address->port);
    return link;
}

struct link *
link_accepted(struct loop *loop, int fd, const struct link_settings *settings,
              const struct link_events *events, void *context)
{
    check(fd >= 0);
    struct link *link = create(loop, settings, events, context);
    link->accepted = true;
    link->fd = fd;
    snprintf(link->peer, sizeof(link->peer), "the client");
    /* A non-blocking descriptor would make io_uring answer EAGAIN instead of waiting. */
    int flags = fcntl(fd, F_GETFL);
    if (flags >= 0 && (flags & O_NONBLOCK) != 0)
        (void)fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    return link;
}

/* ---- The owner's calls ---- */

void
link_flush(struct link *link)
{
    check_magic(link, LINK_MAGIC);
    link->wants_output = true;
    if (link->state == LINK_OPEN && !link->sending)
        loop_flush_later(link->loop, &link->flush);
}

void
link_close(struct link *link)
{
    check_magic(link, LINK_MAGIC);
    if (link->state >= LINK_CLOSING)
        return;
    set_reason(link, "closed");
    close_politely(link);
}

void
link_reset(struct link *link)
{
    check_magic(link, LINK_MAGIC);
    if (link->state >= LINK_ENDING)
        return;
    set_reason(link, "reset");
    const struct linger linger = {.l_onoff = 1, .l_linger = 0};
    if (link->fd >= 0)
        (void)setsockopt(link->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
    end(link);
}

void
link_pause(struct link *link)
{
    check_magic(link, LINK_MAGIC);
    link->paused = true;
}

void
link_resume(struct link *link)
{
    check_magic(link, LINK_MAGIC);
    if (!link->paused)
        return;
    link->paused = false;
    if (link->state == LINK_HANDSHAKE || link->state == LINK_OPEN)
        loop_flush_later(link->loop, &link->flush);
}

bool
link_is_open(const struct link *link)
{
    return link->state == LINK_OPEN;
}

uint64_t
link_bytes_sent(const struct link *link)
{
    return link->outbox.bytes_sent;
}
