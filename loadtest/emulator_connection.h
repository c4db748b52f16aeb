/*
 * emulator_connection - one client of the emulator: a link, an HTTP/2 server session, and the
 * answers that wait for their time.
 *
 * A connection frees itself when its link has closed.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_CONNECTION_H
#define FACTEUR_LOADTEST_EMULATOR_CONNECTION_H

#include "loadtest/emulator_server.h"
#include "sender/h2/server.h"

struct emulator_connection {
    uint64_t magic;
    struct emulator_server *server;
    struct link *link;
    struct h2_server *h2;
    struct emulator_delayed *delayed; /* those that wait */
    struct timer idle;
    uint64_t active_us;               /* when something was heard last */
    uint32_t streams;                 /* open ones */
    int32_t answered_max;             /* the highest stream whose request was looked at */
    bool reset;                       /* to be reset as soon as the session is left */
    struct emulator_connection *next; /* the server's list */
    struct emulator_connection *previous;
};

/* Takes over `fd`. */
void emulator_connection_open(struct emulator_server *server, int fd);

#endif
