/*
 * checkup - what doctor found: one line each, good, or bad with what to do.
 */
#ifndef FACTEUR_SENDER_CLI_CHECKUP_H
#define FACTEUR_SENDER_CLI_CHECKUP_H

#include "sender/cli/cli.h"
#include "sender/sender.h"

struct checkup {
    bool json; /* one object at the end instead of a line at once */
    uint32_t good;
    uint32_t bad;
};

void checkup_begin(struct checkup *checkup, bool json);
/* `name`: what was looked at, one word. */
void checkup_good(struct checkup *checkup, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* A sentence that says what is wrong and what to do. */
void checkup_bad(struct checkup *checkup, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Returns the exit code: EXIT_NO if one was bad. */
int checkup_end(struct checkup *checkup);

/* What doctor looks at, in three files. All of it is optional where it says so. */
struct doctor {
    struct checkup checkup;
    struct cli_store store;
    const char *config_path;
    struct config_file *config; /* or NULL */
    const char *graph;
    const char *ca_file;    /* NULL: the system's */
    const char *token_file; /* NULL: FACTEUR_TOKEN */
    bool json;
};

/* doctor_machine.c: kernel, io_uring, limits, memory. False: nothing can be connected to. */
bool doctor_look_at_machine(struct doctor *doctor);
/* doctor_redis.c: can it be reached, is it fit to carry the queue. */
void doctor_look_at_redis(struct doctor *doctor);
/* doctor_graph.c: the Graph API's name, TLS and HTTP/2. */
void doctor_look_at_graph(struct doctor *doctor);

#endif
