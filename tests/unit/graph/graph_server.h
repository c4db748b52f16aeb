/*
 * graph_server - a server of ours on a loopback port, in the same loop as the channel under test:
 * it answers, holds, refuses, stops reading or closes, as a test wants.
 */
#ifndef FACTEUR_TESTS_UNIT_GRAPH_GRAPH_SERVER_H
#define FACTEUR_TESTS_UNIT_GRAPH_GRAPH_SERVER_H

#include "sender/h2/server.h"
#include "sender/io/link.h"
#include "tests/unit/test.h"

#include <string.h>

enum { GRAPH_PEERS_MAX = 64, GRAPH_HELD_MAX = 64 };

enum graph_manner {
    GRAPH_ANSWERS,
    GRAPH_HOLDS,   /* requests are kept in `held` until graph_peer_answer() */
    GRAPH_REFUSES, /* REFUSED_STREAM */
    GRAPH_CLOSES,  /* as soon as bytes come */
    GRAPH_LEAVES,  /* GOAWAY to the first bytes */
};

struct graph_server;

struct graph_peer {
    struct graph_server *server;
    struct link *link; /* NULL: gone */
    struct h2_server *h2;
    int32_t held[GRAPH_HELD_MAX];
    uint32_t held_count;
    uint32_t requests;
    bool left;
};

struct graph_server {
    struct loop *loop;
    struct listener *listener;
    enum graph_manner manner;
    uint32_t streams_max;
    struct graph_peer peers[GRAPH_PEERS_MAX]; /* in the order they came; none is used twice */
    uint32_t peer_count;
    uint32_t requests;
};

static inline void
graph_peer_answer(struct graph_peer *peer, uint32_t count)
{
    for (; count > 0 && peer->held_count > 0; count--) {
        h2_server_respond(peer->h2, peer->held[0], 200, NULL, 0, SPAN("{}"));
        memmove(peer->held, peer->held + 1, --peer->held_count * sizeof(peer->held[0]));
    }
    if (peer->link != NULL)
        link_flush(peer->link);
}

static inline void
graph_on_request(void *context, const struct h2_server_request *request)
{
    struct graph_peer *peer = context;
    peer->requests++;
    peer->server->requests++;
    if (peer->server->manner != GRAPH_HOLDS) {
        h2_server_respond(peer->h2, request->stream_id, 200, NULL, 0, SPAN("{}"));
        return;
    }
    if (peer->held_count == GRAPH_HELD_MAX)
        abort();
    peer->held[peer->held_count++] = request->stream_id;
}

static inline bool
graph_on_headers(void *context, int32_t stream_id)
{
    struct graph_peer *peer = context;
    (void)stream_id;
    return peer->server->manner != GRAPH_REFUSES;
}

static inline void
graph_on_open(void *context)
{
    struct graph_peer *peer = context;
    link_flush(peer->link);
}

static inline void
graph_on_bytes(void *context, const char *data, size_t size)
{
    struct graph_peer *peer = context;
    if (peer->server->manner == GRAPH_CLOSES) {
        link_close(peer->link);
        return;
    }
    enum h2_error error = h2_server_receive(peer->h2, data, size);
    if (peer->server->manner == GRAPH_LEAVES && !peer->left) {
        peer->left = true;
        h2_server_goaway(peer->h2, -1);
    }
    link_flush(peer->link);
    if (error != H2_OK)
        link_close(peer->link);
}

static inline void
graph_on_output(void *context, struct buffer *out)
{
    struct graph_peer *peer = context;
    if (h2_server_output(peer->h2, out) != H2_OK)
        link_close(peer->link); /* what was given is sent still */
}

static inline void
graph_on_close(void *context, const char *reason, bool opened)
{
    struct graph_peer *peer = context;
    (void)reason;
    (void)opened;
    peer->link = NULL;
}

static inline void
graph_on_accept(void *context, int fd)
{
    static const struct link_events events = {.on_open = graph_on_open,
                                              .on_bytes = graph_on_bytes,
                                              .on_output = graph_on_output,
                                              .on_close = graph_on_close};
    static const struct h2_server_events h2_events = {.on_request = graph_on_request,
                                                      .on_headers = graph_on_headers};
    struct graph_server *server = context;
    if (server->peer_count == GRAPH_PEERS_MAX)
        abort();
    struct graph_peer *peer = &server->peers[server->peer_count++];
    const struct link_settings settings = {.connect_timeout_us = 1000000, .output_size = 16384};
    const struct h2_server_settings h2_settings = {.streams_max = server->streams_max,
                                                   .body_size_max = 1024};
    *peer = (struct graph_peer){.server = server};
    peer->h2 = h2_server_open(&h2_settings, &h2_events, peer);
    peer->link = link_accepted(server->loop, fd, &settings, &events, peer);
}

static inline uint16_t
graph_server_open(struct graph_server *server, struct loop *loop, uint16_t port)
{
    const struct link_address address = {.host = "127.0.0.1", .port = port};
    struct error_text error = {0};
    *server = (struct graph_server){.loop = loop, .streams_max = 100};
    server->listener = listener_open(loop, &address, graph_on_accept, server, &error);
    if (server->listener == NULL) {
        printf("%s\n", error.text);
        abort();
    }
    return listener_port(server->listener);
}

/* Nothing listens any more; who is connected stays. */
static inline void
graph_server_close(struct graph_server *server)
{
    if (server->listener != NULL)
        listener_close(server->listener);
    server->listener = NULL;
}

static inline void
graph_server_end(struct graph_server *server)
{
    graph_server_close(server);
    for (uint32_t i = 0; i < server->peer_count; i++)
        if (server->peers[i].link != NULL)
            link_reset(server->peers[i].link);
    for (int turn = 0; turn < 100; turn++) {
        bool gone = true;
        for (uint32_t i = 0; i < server->peer_count; i++)
            gone = gone && server->peers[i].link == NULL;
        if (gone)
            break;
        loop_turn(server->loop, 10000);
    }
    for (uint32_t i = 0; i < server->peer_count; i++)
        h2_server_close(server->peers[i].h2);
}

#endif
