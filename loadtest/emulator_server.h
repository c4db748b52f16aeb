/*
 * emulator_server - the emulator's socket: listens, keeps the connections, and plays the faults.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_SERVER_H
#define FACTEUR_LOADTEST_EMULATOR_SERVER_H

#include "loadtest/emulator_service.h"
#include "sender/io/link.h"

enum {
    EMULATOR_CONNECTIONS_MAX = 1024, /* further ones are closed at once */
    EMULATOR_DELAYED_MAX = 65536,    /* answers that wait; further ones are given at once */
    /* Each connection reads and sends at most once at a time; listener and signals wait, too. */
    EMULATOR_OPERATIONS_MAX = 2 * EMULATOR_CONNECTIONS_MAX + 16,
    /* Of a connection: its own, its link's two. */
    EMULATOR_TIMERS_MAX = EMULATOR_DELAYED_MAX + 3 * EMULATOR_CONNECTIONS_MAX + 16,
};

struct emulator_connection;
struct emulator_delayed;

struct emulator_server_settings {
    struct link_address address; /* to listen on */
    struct tls_context *tls;     /* borrowed */
    uint32_t streams_max;        /* SETTINGS_MAX_CONCURRENT_STREAMS */
    uint64_t idle_us;            /* GOAWAY after so long without a stream; 0: never */
};

struct emulator_server {
    struct loop *loop;                /* borrowed */
    struct emulator_service *service; /* borrowed */
    struct emulator_server_settings settings;
    struct listener *listener;
    struct emulator_connection *connections;
    uint32_t connection_count;
    struct emulator_delayed *free_delayed;
    struct emulator_delayed **slabs; /* owned: where the delayed answers live */
    uint32_t slab_count;
};

/* False: see error, and nothing is open. */
bool emulator_server_open(struct emulator_server *server, struct loop *loop,
                          struct emulator_service *service,
                          const struct emulator_server_settings *settings,
                          struct error_text *error);

/* Stops listening and ends all connections; turns the loop until they have gone. */
void emulator_server_close(struct emulator_server *server);

#endif
