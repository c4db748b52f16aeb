#include "sender/base/check.h"
#include "sender/base/log.h"
#include "sender/io/link.h"
#include "sender/io/resolver.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    LISTENER_BACKLOG = 1024,
    LISTENER_RETRY_US = 100000, /* out of file descriptors: trying at once would only spin */
};
static const uint64_t LISTENER_MAGIC = 0x6c697374656e3031;

struct listener {
    uint64_t magic;
    struct loop *loop;
    struct io_op accept_op;
    struct timer retry; /* started while accepting rests */
    int fd;
    bool accepting; /* accept_op is in the kernel */
    bool closed;    /* freed as soon as accept_op is back */
    uint16_t port;  /* 0: a unix socket */
    char *unix_path;
    void (*on_accept)(void *context, int fd);
    void *context;
};

static void
release(struct listener *listener)
{
    timer_stop(loop_timers(listener->loop), &listener->retry);
    close(listener->fd);
    if (listener->unix_path != NULL)
        (void)unlink(listener->unix_path);
    free(listener->unix_path);
    listener->magic = 0;
    free(listener);
}

static void
start_accepting(struct listener *listener)
{
    listener->accepting = true;
    io_accept(listener->loop, &listener->accept_op, listener->fd);
}

static void
on_retry(struct timer *timer)
{
    start_accepting(container_of(timer, struct listener, retry));
}

static void
on_accept_done(struct io_op *op, int result)
{
    struct listener *listener = container_of(op, struct listener, accept_op);
    check_magic(listener, LISTENER_MAGIC);
    listener->accepting = false;
    if (listener->closed) {
        if (result >= 0) /* it came in just before the cancellation */
            close(result);
        release(listener);
        return;
    }
    if (result == -EMFILE || result == -ENFILE || result == -ENOBUFS || result == -ENOMEM) {
        log_line(LOG_WARN, "accept_failed", "cause=\"%s\" remedy=\"raise RLIMIT_NOFILE\"",
                 strerror(-result));
        timer_start(loop_timers(listener->loop), &listener->retry,
                    loop_now_us(listener->loop) + LISTENER_RETRY_US);
        return;
    }
    start_accepting(listener); /* other errors are those of one connection that has gone already */
    if (result >= 0)
        listener->on_accept(listener->context, result);
}

static int
bind_unix(const char *path, struct error_text *error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof(address.sun_path)) {
        error_set(error, "a unix socket's path has at most %zu characters: %s",
                  sizeof(address.sun_path) - 1, path);
        return -1;
    }
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    if (errno == EADDRINUSE)
        error_set(error, "%s exists already: is another process listening there? else remove it",
                  path);
    else
        error_set(error, "cannot listen on %s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static int
bind_info(const struct addrinfo *info)
{
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    const int on = 1;
    const int off = 0;
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (info->ai_family == AF_INET6) /* "any" is any, IPv4 too */
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0)
        return fd;
    int cause = errno;
    close(fd);
    errno = cause;
    return -1;
}

/* Names are looked up on the spot: a listener opens at start, where nothing waits yet. */
static int
bind_host(const char *host, uint16_t port, struct error_text *error)
{
    bool any = host == NULL || host[0] == '\0';
    struct addrinfo hints = {
        .ai_family = any ? AF_INET6 : AF_UNSPEC,
        .ai_socktype = SOCK_STREAM,
        .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
    };
    struct addrinfo *info = NULL;
    int code = resolver_ask(any ? NULL : host, port, &hints, &info);
    if (code != 0) {
        error_set(error, "cannot listen on %s: %s", any ? "any address" : host, gai_strerror(code));
        return -1;
    }
    int fd = bind_info(info);
    if (fd < 0 && any) { /* a machine without IPv6 */
        freeaddrinfo(info);
        info = NULL;
        hints.ai_family = AF_INET;
        if (resolver_ask(NULL, port, &hints, &info) == 0)
            fd = bind_info(info);
    }
    if (fd < 0)
        error_set(error, "cannot listen on %s:%u: %s", any ? "*" : host, (unsigned)port,
                  strerror(errno));
    if (info != NULL)
        freeaddrinfo(info);
    return fd;
}

static uint16_t
port_of(int fd)
{
    struct sockaddr_storage address = {0};
    socklen_t size = sizeof(address);
    check(getsockname(fd, (struct sockaddr *)&address, &size) == 0);
    if (address.ss_family == AF_INET)
        return ntohs(((struct sockaddr_in *)&address)->sin_port);
    if (address.ss_family == AF_INET6)
        return ntohs(((struct sockaddr_in6 *)&address)->sin6_port);
    return 0;
}

struct listener *
listener_open(struct loop *loop, const struct link_address *address,
              void (*on_accept)(void *context, int fd), void *context, struct error_text *error)
{
    check(on_accept != NULL);
    int fd = address->unix_path != NULL ? bind_unix(address->unix_path, error)
                                        : bind_host(address->host, address->port, error);
    if (fd < 0)
        return NULL;
    if (listen(fd, LISTENER_BACKLOG) != 0) {
        error_set(error, "cannot listen: %s", strerror(errno));
        close(fd);
        return NULL;
    }
    struct listener *listener = check_alloc(1, sizeof(*listener));
    listener->magic = LISTENER_MAGIC;
    listener->loop = loop;
    listener->accept_op.on_done = on_accept_done;
    timer_init(&listener->retry, on_retry);
    listener->fd = fd;
    listener->port = port_of(fd);
    if (address->unix_path != NULL) {
        listener->unix_path = strdup(address->unix_path);
        check(listener->unix_path != NULL);
    }
    listener->on_accept = on_accept;
    listener->context = context;
    start_accepting(listener);
    return listener;
}

uint16_t
listener_port(const struct listener *listener)
{
    return listener->port;
}

void
listener_close(struct listener *listener)
{
    check_magic(listener, LISTENER_MAGIC);
    check(!listener->closed);
    listener->closed = true;
    if (listener->accepting)
        io_cancel_fd(listener->loop, listener->fd);
    else
        release(listener); /* it rests, out of file descriptors */
}
