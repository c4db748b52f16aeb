#include "sender/io/dial.h"
#include "sender/base/check.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum { DIAL_PEER_SIZE = 384 };

static void try_next(struct dial *dial);

/* The address being tried, for messages: "graph.example:443 (192.0.2.7)", "/run/redis.sock". */
static const char *
peer_text(const struct dial *dial, char memory[DIAL_PEER_SIZE])
{
    struct buffer out;
    buffer_init(&out, memory, DIAL_PEER_SIZE);
    if (dial->address.unix_path != NULL) {
        buffer_printf(&out, "%s", dial->address.unix_path);
        return buffer_text(&out);
    }
    buffer_printf(&out, "%.255s:%u", dial->address.host, (unsigned)dial->address.port);
    struct resolver_address literal;
    char number[64];
    if (dial->next > 0 && !resolver_literal(dial->address.host, 0, &literal)) {
        const struct resolver_address *address = &dial->answer.addresses[dial->next - 1];
        if (getnameinfo((const struct sockaddr *)&address->bytes, address->size, number,
                        sizeof(number), NULL, 0, NI_NUMERICHOST) == 0)
            buffer_printf(&out, " (%s)", number);
    }
    return buffer_text(&out);
}

static void
explain_failure(struct dial *dial, int cause)
{
    char memory[DIAL_PEER_SIZE];
    const char *peer = peer_text(dial, memory);
    switch (cause) {
    case ECONNREFUSED:
        error_set(&dial->error, "connection refused by %s: nothing listens there", peer);
        break;
    case ENOENT:
        error_set(&dial->error, "there is no socket at %s: is the server running?", peer);
        break;
    case EACCES:
    case EPERM:
        error_set(&dial->error, "connecting to %s is not allowed: by %s", peer,
                  dial->address.unix_path != NULL ? "the socket's file permissions" : "a firewall");
        break;
    case ENETUNREACH:
    case EHOSTUNREACH:
        error_set(&dial->error, "there is no route to %s: check the network", peer);
        break;
    case EMFILE:
    case ENFILE:
        error_set(&dial->error, "no file descriptor left for %s: raise RLIMIT_NOFILE (ulimit -n)",
                  peer);
        break;
    default:
        error_set(&dial->error, "no connection to %s: %s", peer, strerror(cause));
    }
}

static void
explain_timeout(struct dial *dial, const char *what)
{
    char memory[DIAL_PEER_SIZE];
    uint64_t waited_ms = (loop_now_us(dial->loop) - dial->begun_us) / 1000;
    error_set(&dial->error, "no connection to %s within %" PRIu64 " ms: %s",
              peer_text(dial, memory), waited_ms, what);
}

static void
end(struct dial *dial, int fd)
{
    timer_stop(loop_timers(dial->loop), &dial->timer);
    dial->fd = -1;
    dial->on_done(dial, fd); /* may free the owner */
}

static void
on_connected(struct io_op *op, int result)
{
    struct dial *dial = container_of(op, struct dial, connect_op);
    int fd = dial->fd;
    if (result == 0 && !dial->aborted) {
        end(dial, fd);
        return;
    }
    close(fd);
    dial->fd = -1;
    if (dial->aborted) {
        end(dial, -1);
        return;
    }
    if (dial->timed_out)
        explain_timeout(dial, "it does not answer (a firewall? a wrong address?)");
    else
        explain_failure(dial, -result);
    try_next(dial);
}

static void
try_address(struct dial *dial, struct resolver_address *address)
{
    dial->timed_out = false;
    dial->fd = socket(address->bytes.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (dial->fd < 0) {
        explain_failure(dial, errno);
        return;
    }
    uint64_t now_us = loop_now_us(dial->loop);
    uint64_t left_us = dial->deadline_us > now_us ? dial->deadline_us - now_us : 0;
    uint64_t share_us = left_us / (dial->answer.count - dial->next + 1);
    timer_start(loop_timers(dial->loop), &dial->timer, now_us + share_us);
    io_connect(dial->loop, &dial->connect_op, dial->fd, (struct sockaddr *)&address->bytes,
               address->size);
}

/* Ends when there is no address left; the error is then that of the last one tried. */
static void
try_next(struct dial *dial)
{
    while (dial->fd < 0 && dial->next < dial->answer.count)
        try_address(dial, &dial->answer.addresses[dial->next++]);
    if (dial->fd < 0)
        end(dial, -1);
}

static void
on_answer(void *context, const struct resolver_answer *answer)
{
    struct dial *dial = context;
    dial->lookup = NULL;
    dial->answer = *answer;
    dial->error = answer->error;
    try_next(dial);
}

static void
on_due(struct timer *timer)
{
    struct dial *dial = container_of(timer, struct dial, timer);
    if (dial->lookup != NULL) {
        resolver_abandon(dial->lookup);
        dial->lookup = NULL;
        explain_timeout(dial, "the name servers do not answer (see /etc/resolv.conf)");
        end(dial, -1);
        return;
    }
    check(dial->fd >= 0);
    dial->timed_out = true;
    io_cancel_fd(dial->loop, dial->fd); /* goes on in on_connected() */
}

static bool
unix_address(const char *path, struct resolver_address *address)
{
    struct sockaddr_un *bytes = (struct sockaddr_un *)&address->bytes;
    if (strlen(path) >= sizeof(bytes->sun_path))
        return false;
    bytes->sun_family = AF_UNIX;
    memcpy(bytes->sun_path, path, strlen(path) + 1);
    address->size = sizeof(*bytes);
    return true;
}

void
dial_begin(struct dial *dial, struct loop *loop, const struct link_address *address,
           uint64_t deadline_us, void (*on_done)(struct dial *dial, int fd))
{
    check(address->unix_path != NULL || address->host != NULL);
    *dial = (struct dial){
        .loop = loop,
        .address = *address,
        .begun_us = loop_now_us(loop),
        .deadline_us = deadline_us,
        .connect_op = {.on_done = on_connected},
        .fd = -1,
        .on_done = on_done,
    };
    timer_init(&dial->timer, on_due);
    struct resolver_address *first = &dial->answer.addresses[0];
    if (address->unix_path != NULL) {
        dial->answer.count = unix_address(address->unix_path, first) ? 1 : 0;
        if (dial->answer.count == 0)
            error_set(&dial->error, "a unix socket's path has at most %zu characters: %.200s",
                      sizeof(((struct sockaddr_un *)0)->sun_path) - 1, address->unix_path);
        try_next(dial);
    } else if (resolver_literal(address->host, address->port, first)) {
        dial->answer.count = 1;
        try_next(dial);
    } else {
        timer_start(loop_timers(loop), &dial->timer, deadline_us);
        dial->lookup =
            resolver_lookup(loop_resolver(loop), address->host, address->port, on_answer, dial);
    }
}

bool
dial_abort(struct dial *dial)
{
    dial->aborted = true;
    timer_stop(loop_timers(dial->loop), &dial->timer);
    if (dial->lookup != NULL)
        resolver_abandon(dial->lookup);
    dial->lookup = NULL;
    if (dial->fd < 0)
        return true;
    io_cancel_fd(dial->loop, dial->fd);
    return false;
}
