/*
 * entry_pipe - entries on their way to a stream: many are under way at once, each is kept until
 * Redis has taken it, and none is written while it should have no more (too many wait already, its
 * memory is full, it is not to be changed for a while).
 *
 * For the command line: an entry is kept in memory of its own.
 */
#ifndef FACTEUR_SENDER_CLI_ENTRY_PIPE_H
#define FACTEUR_SENDER_CLI_ENTRY_PIPE_H

#include "queue/enqueue.h"
#include "sender/redis_sync.h"

struct entry_pipe;

struct entry_pipe_settings {
    struct redis_sync *sync;         /* borrowed */
    const struct account_keys *keys; /* borrowed */
    const char *stream;              /* "queue" or "urgent" */
    uint64_t backlog_max;            /* entries that may stand in it; 0: as many as there are */
    bool no_wait;                    /* end instead of waiting */
    /* Nothing is written for this reason (the end of a sentence): several times a second. */
    void (*on_wait)(void *context, const char *why);
    void *context;
};

struct entry_pipe *entry_pipe_open(const struct entry_pipe_settings *settings);
void entry_pipe_close(struct entry_pipe *pipe); /* NULL is allowed */

/* One entry, which carries so many notifications; fields are copied. Waits while it has to. False:
 * nothing more can be written, entry_pipe_trouble() says why. */
bool entry_pipe_put(struct entry_pipe *pipe, const struct field *fields, size_t count,
                    uint32_t members);
/* Waits until Redis has taken all of them. False likewise. */
bool entry_pipe_finish(struct entry_pipe *pipe);

/* Notifications in entries that Redis has said it has; and in those of which it said nothing (the
 * connection was lost): they may be there or not. */
uint64_t entry_pipe_taken(const struct entry_pipe *pipe);
uint64_t entry_pipe_in_doubt(const struct entry_pipe *pipe);

/* Why it ended, as the end of a sentence; "" while it did not. */
const char *entry_pipe_trouble(const struct entry_pipe *pipe);

#endif
