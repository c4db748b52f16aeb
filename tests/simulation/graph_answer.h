/*
 * graph_answer - the bodies that the world's Graph API answers with.
 */
#ifndef FACTEUR_TESTS_SIMULATION_GRAPH_ANSWER_H
#define FACTEUR_TESTS_SIMULATION_GRAPH_ANSWER_H

#include "tests/simulation/truth.h"
#include "tests/simulation/world.h"

enum { GRAPH_ANSWER_MAX = 1024 };

struct graph_answer {
    int status;
    uint32_t retry_after_s; /* 0: none */
    char memory[GRAPH_ANSWER_MAX];
    struct buffer body;
};

void graph_answer_accept(struct graph_answer *answer, const struct attempt *attempt);
/* Of the moods that answer with an error; those that do not answer are not asked. */
void graph_answer_error(struct graph_answer *answer, enum graph_mood mood, struct random *dice);

#endif
