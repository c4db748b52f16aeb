/*
 * net - who can be reached under which name: the two servers of a world.
 */
#ifndef FACTEUR_TESTS_SIMULATION_NET_H
#define FACTEUR_TESTS_SIMULATION_NET_H

#include "tests/simulation/wire.h"

/* A server of the world. It takes a connection by wire_accept(). */
struct net_server {
    const char *name; /* the host that links connect to */
    void (*on_connect)(void *context, struct wire *wire);
    void *context;
    bool down; /* refuses */
    struct net_server *next;
};

void net_listen(struct net_server *server);
void net_forget(struct net_server *server);
struct net_server *net_find(const char *name); /* NULL: no such host */

#endif
