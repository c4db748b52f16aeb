/*
 * redis_library - the function library under a running worker: is it there, and is it ours?
 *
 * It goes when somebody flushes the functions, or when a worker comes to a Redis that never had
 * it. Then it is loaded again: if it is missing by whoever is first, if it is older than ours over
 * it. A newer one is left alone: an older facteur must not take over.
 */
#ifndef FACTEUR_SENDER_REDIS_LIBRARY_H
#define FACTEUR_SENDER_REDIS_LIBRARY_H

#include <stdbool.h>

struct worker;

enum redis_library {
    REDIS_LIBRARY_UNKNOWN, /* to be looked at before anything is called */
    REDIS_LIBRARY_ASKED,
    REDIS_LIBRARY_GOOD,
};

/* Asks what is there, and loads ours if need be; worker->library tells. Not again while it asks. */
void redis_library_look(struct worker *worker);

/* The connection was lost: what was asked has no answer. */
void redis_library_lost(struct worker *worker);

#endif
