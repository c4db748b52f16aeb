/*
 * resolver - host names to addresses without stopping the loop.
 *
 * getaddrinfo() blocks, so it runs on one helper thread a loop, which lives only while there is
 * something to look up. Look-ups wait in a line, at most one a link; those of the same host that
 * wait when an answer comes share it, so 50 connections that open at once ask once. Nothing is
 * remembered longer: the next connect asks again.
 */
#ifndef FACTEUR_SENDER_IO_RESOLVER_H
#define FACTEUR_SENDER_IO_RESOLVER_H

#include "sender/io/loop.h"

enum { RESOLVER_HOST_MAX = 255, RESOLVER_ADDRESSES_MAX = 8 };

struct resolver;
struct lookup;

struct resolver_address {
    struct sockaddr_storage bytes;
    socklen_t size;
};

struct resolver_answer {
    struct resolver_address addresses[RESOLVER_ADDRESSES_MAX]; /* in the order to be tried */
    size_t count; /* 0: it failed, and `error` says why and what to do */
    struct error_text error;
};

/*
 * getaddrinfo(), which blocks, and which knows localhost as RFC 6761 has it: loopback, also on a
 * machine without /etc/hosts (a container, a fresh chroot). Freed with freeaddrinfo().
 */
struct addrinfo;
int resolver_ask(const char *host, uint16_t port, const struct addrinfo *hints,
                 struct addrinfo **found);

/* An IP address written as such ("127.0.0.1", "::1", "[::1]"): false if `host` is a name. */
bool resolver_literal(const char *host, uint16_t port, struct resolver_address *address);

struct resolver *resolver_open(struct loop *loop);
void resolver_close(struct resolver *resolver); /* never waits for a name server */

/*
 * `on_answer` comes once, from the loop's turn; the answer is valid during the call. The look-up
 * ends with it, or with resolver_abandon(), after which it does not come.
 */
struct lookup *resolver_lookup(struct resolver *resolver, const char *host, uint16_t port,
                               void (*on_answer)(void *context,
                                                 const struct resolver_answer *answer),
                               void *context);
void resolver_abandon(struct lookup *lookup);

#endif
