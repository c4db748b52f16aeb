/*
 * load_follow - reads events as they come, on a connection of its own that blocks in XREAD.
 */
#ifndef FACTEUR_LOADTEST_LOAD_FOLLOW_H
#define FACTEUR_LOADTEST_LOAD_FOLLOW_H

#include "loadtest/load_events.h"

struct load_follow {
    struct load_redis redis;
    struct load_events *events; /* borrowed */
    bool stopped;
    bool failed;
    struct error_text error;
};

/* Begins where `events` has read to. Its callbacks come from the loop's turns. */
bool load_follow_start(struct load_follow *follow, struct loop *loop, const char *where,
                       struct load_events *events, struct error_text *error);
void load_follow_stop(struct load_follow *follow);

#endif
