/*
 * dead_filter - which dead entries a verb is about, and a walk over them.
 */
#ifndef FACTEUR_SENDER_CLI_DEAD_FILTER_H
#define FACTEUR_SENDER_CLI_DEAD_FILTER_H

#include "sender/cli/operator.h"
#include "sender/cli/remedy.h"

struct dead_filter {
    const char *type;           /* "refused", "failed", "dead", "uncertain" */
    const char *because;        /* words that its reason holds */
    const char *template_name;  /* of its original */
    const char *remedy;         /* "requeue", "anew", "decide" */
    uint64_t since_ms;          /* it came in the last … */
    struct option_list entries; /* members, or ENTRYs whose members are meant */
    uint64_t count;             /* the first so many; 0: all */
    const char *from;           /* an id in the stream that nothing before is asked of, or NULL */
};

#define DEAD_FILTER_ROWS(filter)                                                                    \
    {"type", OPTION_TEXT, &(filter)->type, "TYPE", "refused, failed, dead, uncertain", NULL},       \
        {"because", OPTION_TEXT, &(filter)->because, "TEXT", "whose reason holds this text", NULL}, \
        {"template", OPTION_TEXT, &(filter)->template_name, "NAME", "of this template", NULL},      \
        {"remedy",                                                                                  \
         OPTION_TEXT,                                                                               \
         &(filter)->remedy,                                                                         \
         "WORD",                                                                                    \
         "requeue (can be mended), anew (is wrong itself), decide (may be sent)",                   \
         NULL},                                                                                     \
        {"since", OPTION_TIME, &(filter)->since_ms, "TIME", "of the last 2h, 30m, …", NULL},        \
        {"entry", OPTION_LIST, &(filter)->entries, "ENTRY", "only this one; may be given again",    \
         NULL},                                                                                     \
    {                                                                                               \
        "count", OPTION_NUMBER, &(filter)->count, "N", "the first N", NULL                          \
    }

/* One dead entry; all borrowed from Redis' reply. */
struct dead_entry {
    struct span id;     /* in the stream */
    struct span member; /* its name */
    struct span type;
    struct span reason;
    struct span template_name; /* empty if its original names none */
    uint64_t attempts;
    uint64_t at_ms;
    enum remedy remedy;
    const char *advice;         /* what can be done; static */
    const struct reply *fields; /* names and values, flat; the original's begin with "o." */
};

/* Does it say anything at all? Whoever changes something must. */
bool dead_filter_is_empty(const struct dead_filter *filter);
/* False after saying what is wrong, such as an entry that no member is called. */
bool dead_filter_is_good(const struct dead_filter *filter, const char *verb);

/* Returns false to stop the walk. */
typedef bool dead_visit_f(void *context, const struct dead_entry *entry);

/* Calls `visit` for each entry that fits, oldest first. No other command may be sent from inside.
 * False when the connection was lost or Redis said no, which has been said. */
bool dead_filter_walk(const struct dead_filter *filter, struct redis_sync *sync,
                      const struct account_keys *keys, const char *verb, dead_visit_f *visit,
                      void *context);

/* A line of a table of dead entries, and its head. */
void dead_entry_print(const struct dead_entry *entry);
void dead_entry_print_head(void);

#endif
