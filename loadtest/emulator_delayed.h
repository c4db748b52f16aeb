/*
 * emulator_delayed - an answer that waits for its time, or is given piece by piece.
 *
 * Kept in slabs that the server owns, and by each connection in a list, so that they end with it.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_DELAYED_H
#define FACTEUR_LOADTEST_EMULATOR_DELAYED_H

#include "loadtest/emulator_connection.h"

enum { EMULATOR_DELAYED_BODY = 512 }; /* bytes kept in place; longer answers are rare */

struct emulator_delayed {
    struct timer timer;
    struct emulator_connection *connection;
    int32_t stream_id;
    uint32_t step; /* how often it was due */
    enum emulator_fault fault;
    bool coin;
    int status;
    const char *content_type; /* static */
    uint32_t size;            /* of the body */
    uint32_t sent;            /* of it, when given in pieces */
    char *large;              /* owned: a body that is longer than `body`; else NULL */
    struct emulator_delayed *next;
    struct emulator_delayed *previous;
    char body[EMULATOR_DELAYED_BODY];
};

/* Copies the answer and starts its timer; `on_due` is called with its timer. False: all are in
 * use. */
bool emulator_delayed_start(struct emulator_connection *connection, int32_t stream_id,
                            const struct emulator_answer *answer,
                            void (*on_due)(struct timer *timer));
void emulator_delayed_again(struct emulator_delayed *delayed, uint64_t after_us);
void emulator_delayed_end(struct emulator_delayed *delayed);
struct span emulator_delayed_body(const struct emulator_delayed *delayed);

void emulator_delayed_close(struct emulator_server *server); /* none may be in use */

#endif
