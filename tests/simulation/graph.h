/*
 * graph - the Graph API of the world: the repository's HTTP/2 server over wires, moods by the dice.
 *
 * What it accepts goes into the truth; what it says of it later goes to `on_taken`, who plays the
 * receipts.
 */
#ifndef FACTEUR_TESTS_SIMULATION_GRAPH_H
#define FACTEUR_TESTS_SIMULATION_GRAPH_H

#include "tests/simulation/net.h"
#include "tests/simulation/truth.h"

enum {
    GRAPH_ACCOUNTS_MAX = 16,
    GRAPH_ID_FIRST = 100000,
    GRAPH_PAIRS = 64,
    GRAPH_PAIR_HITS_MAX = 3
};

struct graph_connection;

struct graph {
    struct world *world;
    struct net_server server; /* "graph.test" */
    struct truth truth;
    struct graph_connection *connections;
    bool token_is_bad[GRAPH_ACCOUNTS_MAX]; /* 190 until the operator brings a new one */
    uint8_t pair_hits[GRAPH_PAIRS];        /* by recipient: how often it was put off */
    uint32_t requests;                     /* read, whatever became of them */
    uint32_t moods[MOOD_COUNT];            /* how often each was met */
    /* An attempt was taken: its receipt, accepted or failed, is on its way from now. */
    void (*on_taken)(void *context, uint32_t attempt, uint64_t answer_us);
    /* A request was read, whatever becomes of it. */
    void (*on_request)(void *context, uint32_t account, uint32_t number);
    void *context;
};

void graph_open(struct graph *graph, struct world *world);
void graph_close(struct graph *graph); /* all its connections have ended */
uint32_t graph_connections(const struct graph *graph);

#endif
