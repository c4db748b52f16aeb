/*
 * attempt_history - the attempts that a dead entry remembers: when, which, and in whose words it
 * ended. They stand in its field `history`, a JSON array of "MS ATTEMPT WORDS".
 */
#ifndef FACTEUR_SENDER_CLI_ATTEMPT_HISTORY_H
#define FACTEUR_SENDER_CLI_ATTEMPT_HISTORY_H

#include "sender/base/bytes.h"

enum { ATTEMPT_HISTORY_MAX = 16, ATTEMPT_HISTORY_SIZE = 16 * 1024 };

struct attempt_line {
    uint64_t at_ms;
    uint64_t attempt;
    struct span words; /* into the history's memory */
};

struct attempt_history {
    struct attempt_line lines[ATTEMPT_HISTORY_MAX]; /* oldest first */
    uint32_t count;
    char memory[ATTEMPT_HISTORY_SIZE];
};

/* Reads the field's value; an empty one has no lines. False: it is none of ours, or too long. */
bool attempt_history_read(struct span json, struct attempt_history *history);

/* A line each, or `,"history":[…]` as a further member of a JSON object. */
void attempt_history_print(const struct attempt_history *history);
void attempt_history_print_json(const struct attempt_history *history);

#endif
