/*
 * store_server - the simulation's Redis on a unix socket, for tests that compare it with a real
 * one.
 *
 *   store_server SOCKET [SEED]      without a seed everything is told in the order in which it came
 *
 * The machine's clock is its clock, or the file that FACTEUR_CLOCK names (moved_clock.c). SIGUSR1:
 * it dies and comes back on its log, in place. SIGUSR2: the next trouble of enum store_trouble,
 * after the last one none. SIGTERM ends it.
 */
#include "sender/base/check.h"
#include "tests/simulation/store.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum { PEERS_MAX = 200, INPUT_SIZE = 64 * 1024, SIGNALS = 0, LISTENER = 1, FIRST_PEER = 2 };

struct peer {
    struct store_client *client;
    char output[INPUT_SIZE]; /* taken from the store, not yet written */
    size_t output_size;
};

struct server {
    struct store *store;
    struct pollfd polls[FIRST_PEER + PEERS_MAX];
    struct peer *peers[FIRST_PEER + PEERS_MAX];
    nfds_t count;
    enum store_trouble trouble;
    const volatile uint64_t *moved_us; /* NULL: the machine's clock */
    bool is_ending;
};

static const volatile uint64_t *
open_clock(const char *path)
{
    int file = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return NULL;
    void *map = mmap(NULL, sizeof(uint64_t), PROT_READ, MAP_SHARED, file, 0);
    check(map != MAP_FAILED);
    close(file);
    return map;
}

static uint64_t
clock_us(const struct server *server)
{
    struct timespec now;
    if (server->moved_us != NULL)
        return *server->moved_us;
    check(clock_gettime(CLOCK_REALTIME, &now) == 0);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static int
listen_on(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check(listener >= 0 && strlen(path) < sizeof(address.sun_path));
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    (void)unlink(path);
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 64) != 0) {
        fprintf(stderr, "store_server: cannot listen on %s: %s\n", path, strerror(errno));
        exit(69);
    }
    return listener;
}

static void
add_poll(struct server *server, int descriptor)
{
    check(server->count < FIRST_PEER + PEERS_MAX);
    server->polls[server->count++] = (struct pollfd){.fd = descriptor, .events = POLLIN};
}

static void
drop_peer(struct server *server, nfds_t i)
{
    store_disconnect(server->peers[i]->client);
    free(server->peers[i]);
    close(server->polls[i].fd);
    server->count--;
    server->polls[i] = server->polls[server->count];
    server->peers[i] = server->peers[server->count];
}

static void
accept_peer(struct server *server)
{
    int descriptor = accept4(server->polls[LISTENER].fd, NULL, NULL, SOCK_CLOEXEC);
    if (descriptor < 0)
        return;
    server->peers[server->count] = check_alloc(1, sizeof(struct peer));
    server->peers[server->count]->client = store_connect(server->store);
    add_poll(server, descriptor);
}

/* Writes what the store has for the peer. False: it is gone, or the store has ended it. */
static bool
write_peer(struct peer *peer, struct pollfd *poll_entry)
{
    poll_entry->events = POLLIN;
    for (;;) {
        struct buffer room;
        buffer_init(&room, peer->output + peer->output_size,
                    sizeof(peer->output) - peer->output_size);
        store_client_take(peer->client, &room);
        peer->output_size += room.size;
        if (peer->output_size == 0)
            return store_client_is_open(peer->client);
        ssize_t size =
            send(poll_entry->fd, peer->output, peer->output_size, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0 && (errno == EAGAIN || errno == EINTR)) {
            poll_entry->events = POLLIN | POLLOUT;
            return true;
        }
        if (size <= 0)
            return false;
        peer->output_size -= (size_t)size;
        memmove(peer->output, peer->output + size, peer->output_size);
    }
}

static bool
read_peer(struct peer *peer, const struct pollfd *poll_entry)
{
    static char input[INPUT_SIZE];
    ssize_t size = recv(poll_entry->fd, input, sizeof(input), MSG_DONTWAIT);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR;
    if (size > 0)
        store_client_feed(peer->client, input, (size_t)size);
    return size > 0;
}

static void
next_trouble(struct server *server)
{
    server->trouble = server->trouble == STORE_MISCONF ? STORE_WELL : server->trouble + 1;
    store_set_trouble(server->store, server->trouble);
}

static void
read_signal(struct server *server)
{
    struct signalfd_siginfo signal_info;
    if (read(server->polls[SIGNALS].fd, &signal_info, sizeof(signal_info)) != sizeof(signal_info))
        return;
    if (signal_info.ssi_signo == SIGUSR1)
        store_crash(server->store, NULL);
    else if (signal_info.ssi_signo == SIGUSR2)
        next_trouble(server);
    else
        server->is_ending = true;
}

static int
wait_ms(const struct server *server)
{
    uint64_t at_us;
    uint64_t now_us = clock_us(server);
    if (!store_next_timeout(server->store, &at_us))
        return -1;
    uint64_t left_ms = at_us <= now_us ? 0 : (at_us - now_us) / 1000 + 1;
    return left_ms > 20 ? 20 : (int)left_ms; /* a moved clock wakes nobody */
}

/* One turn: what came is done, then everybody is told what there is for them. */
static void
turn(struct server *server)
{
    if (poll(server->polls, server->count, wait_ms(server)) < 0)
        return;
    store_set_time(server->store, clock_us(server));
    if ((server->polls[SIGNALS].revents & POLLIN) != 0)
        read_signal(server);
    nfds_t known = server->count;
    if ((server->polls[LISTENER].revents & POLLIN) != 0 && known < FIRST_PEER + PEERS_MAX)
        accept_peer(server);
    bool is_gone[FIRST_PEER + PEERS_MAX] = {false};
    for (nfds_t i = FIRST_PEER; i < known; i++)
        if ((server->polls[i].revents & (POLLIN | POLLHUP | POLLERR)) != 0)
            is_gone[i] = !read_peer(server->peers[i], &server->polls[i]);
    for (nfds_t i = server->count; i-- > FIRST_PEER;)
        if (!write_peer(server->peers[i], &server->polls[i]) || is_gone[i])
            drop_peer(server, i);
}

int
main(int argc, char **argv)
{
    struct server server = {0};
    sigset_t signals;
    if (argc < 2 || argc > 3) {
        fprintf(stderr, "usage: store_server SOCKET [SEED]\n");
        return 64;
    }
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGUSR1);
    sigaddset(&signals, SIGUSR2);
    sigprocmask(SIG_BLOCK, &signals, NULL);
    server.moved_us = open_clock(getenv("FACTEUR_CLOCK"));
    server.store =
        store_open(&(struct store_settings){.seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 0,
                                            .now_us = clock_us(&server),
                                            .in_order = argc == 2});
    add_poll(&server, signalfd(-1, &signals, SFD_CLOEXEC));
    add_poll(&server, listen_on(argv[1]));
    while (!server.is_ending)
        turn(&server);
    while (server.count > FIRST_PEER)
        drop_peer(&server, server.count - 1);
    store_close(server.store);
    close(server.polls[SIGNALS].fd);
    close(server.polls[LISTENER].fd);
    return 0;
}
