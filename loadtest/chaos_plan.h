/*
 * chaos_plan - which fault comes next: by seed and number alone, so a run's faults can be repeated.
 * (When exactly they hit is up to the machine.)
 */
#ifndef FACTEUR_LOADTEST_CHAOS_PLAN_H
#define FACTEUR_LOADTEST_CHAOS_PLAN_H

#include "sender/base/bytes.h"

/* name, word on the command line, share of a mixed run in parts of the sum, help. */
#define CHAOS_KINDS(X)                                                                             \
    X(KILL_SENDER, "kill-sender", 24, "kill -9 of a sender, whatever it is doing")                 \
    X(KILL_CLAIMED, "kill-claimed", 6, "... that has claimed and granted nothing yet")             \
    X(KILL_SENT, "kill-sent", 4, "... all it sent is accepted, and no answer came")                \
    X(KILL_UNREAD, "kill-unread", 3, "... what it sent is only read after its death")              \
    X(KILL_SETTLING, "kill-settling", 5, "... the answers came, its settle is not read yet")       \
    X(STOP_SENDER, "stop-sender", 14, "SIGSTOP of a sender for longer than its lease")             \
    X(DOZE_SENDER, "doze-sender", 6, "SIGSTOP of a sender for less than its lease")                \
    X(RESTART_REDIS, "restart-redis", 12, "kill -9 of Redis, and started again on its log")        \
    X(STOP_REDIS, "stop-redis", 6, "Redis answers nothing for a while")                            \
    X(KILL_ALL, "kill-all", 6, "kill -9 of Redis and all senders at once")                         \
    X(FAILOVER, "failover", 18, "Redis is gone, its replica takes over (with --failover only)")    \
    X(CUT, "cut", 5, "connections to the Graph API cut, within answers and between")               \
    X(BLACK_HOLE, "black-hole", 3, "the Graph API hears nothing beyond the request's time-out")    \
    X(ERRORS, "errors", 3, "5xx with and without Graph's body, throttles")                         \
    X(DRIBBLE, "dribble", 3, "answers in small pieces, GOAWAY, refused streams")

enum chaos_kind {
#define CHAOS_KIND(name, word, share, help) CHAOS_##name,
    CHAOS_KINDS(CHAOS_KIND)
#undef CHAOS_KIND
        CHAOS_KIND_COUNT
};

struct chaos_plan {
    uint64_t seed;
    uint32_t kinds;   /* a bit for each kind that may come; at least one */
    uint32_t senders; /* > 0 */
    uint32_t lease_ms;
    uint32_t request_timeout_ms;
};

struct chaos_fault {
    enum chaos_kind kind;
    uint32_t sender;       /* which one it hits, if it hits one */
    bool at_once;          /* does not wait for work under way, or for the last fault to be over */
    uint32_t delay_ms;     /* from work being under way to the fault */
    uint32_t length_ms;    /* how long it lasts; of a kill: until it is started again */
    uint32_t forgotten_ms; /* what Redis forgets when its log is not synced always */
    double strength;       /* of the emulator's faults: the share of requests, 0 … 1 */
};

void chaos_plan_fault(const struct chaos_plan *plan, uint64_t number, struct chaos_fault *fault);

/* "kill-sender,cut" to bits. False with a sentence in `error`. */
bool chaos_read_kinds(struct span text, uint32_t *kinds, struct error_text *error);
/* All that can come: with a replica its failover, instead of what needs Redis to come back. */
uint32_t chaos_kinds_of_house(bool has_replica);

const char *chaos_kind_text(enum chaos_kind kind); /* its word; static */
const char *chaos_kind_help(enum chaos_kind kind); /* static */

#endif
