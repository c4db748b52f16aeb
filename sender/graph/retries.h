/*
 * retries - by which schedule an attempt that costs one is made again: a general one, and for some
 * classes of Meta's errors their own.
 *
 * Throttles and stops are not in here: how long they wait is Meta's to say (rules/retry.h), and
 * they cost no attempt. Classes that fail for good are tried again only if they were given a
 * schedule.
 */
#ifndef FACTEUR_SENDER_GRAPH_RETRIES_H
#define FACTEUR_SENDER_GRAPH_RETRIES_H

#include "sender/graph/verdict.h"
#include "sender/rules/retry.h"

/* Class of the error table, its name in configurations, what it is. */
#define RETRY_CLASSES(X)                                                                           \
    X(RETRY_LIMITED, retry_limited, "trouble at Meta's: 1, 131000, 131053")                        \
    X(NONE, unknown, "a 5xx of Graph's whose code facteur does not know")                          \
    X(DEFER_24H, defer_24h, "131049; fails at once without a schedule")                            \
    X(STOP_TEMPLATE, stop_template, "paused, missing: 132015 …; fails at once without a schedule") \
    X(STOP_COUNTRY, stop_country, "130497; fails at once without a schedule")

enum retry_class {
#define RETRY_CLASS(class, name, help) RETRY_CLASS_##class,
    RETRY_CLASSES(RETRY_CLASS)
#undef RETRY_CLASS
        RETRY_CLASS_COUNT,
};

struct retries {
    struct retry_schedule general;
    struct retry_schedule own[RETRY_CLASS_COUNT];
    bool has_own[RETRY_CLASS_COUNT];
};

/* The general schedule: `none`, or as retry_schedule_read() takes it. Errors likewise. */
bool retries_read(struct retries *retries, struct span schedule, struct error_text *error);
/* The schedule of one class. False with a sentence in `error` that names the classes there are. */
bool retries_read_class(struct retries *retries, struct span class, struct span schedule,
                        struct error_text *error);
/* "retry_limited=5s, 1m; unknown=none": several. */
bool retries_read_classes(struct retries *retries, struct span text, struct error_text *error);

/* Is what this verdict says to be tried again? Of one that fails: only by a schedule of its own. */
bool retries_want(const struct retries *retries, const struct verdict *verdict);

/* By which schedule: that of the verdict's class, or the general one. */
const struct retry_schedule *retries_schedule(const struct retries *retries,
                                              const struct verdict *verdict);

const char *retry_class_text(enum retry_class class); /* static */

#endif
