/*
 * weather - what a seed has decided: how the net, Redis, Meta and the machines behave in this run.
 *
 * Most runs have most faults off, so that what is rare is also met alone.
 */
#ifndef FACTEUR_TESTS_SIMULATION_WEATHER_H
#define FACTEUR_TESTS_SIMULATION_WEATHER_H

#include "sender/base/random.h"

/* What the Graph API does with a request. The first six accept it. */
enum graph_mood {
    MOOD_ACCEPT,
    MOOD_ACCEPT_SLOWLY,
    MOOD_ACCEPT_SILENTLY, /* accepted, and no answer ever */
    MOOD_ACCEPT_AND_CUT,  /* accepted; the connection breaks within the answer */
    MOOD_ACCEPT_AND_RESET,
    MOOD_ACCEPT_AND_ERR,  /* accepted, and a 5xx that is not Graph's */
    MOOD_FAIL_BY_RECEIPT, /* taken without an answer; a receipt says it failed */
    MOOD_SWALLOW,         /* not accepted, no answer ever */
    MOOD_CUT,             /* not accepted; the connection breaks */
    MOOD_RESET,           /* not accepted; the stream is reset after the request was read */
    MOOD_ERR,             /* not accepted; a 5xx that is not Graph's */
    MOOD_RETRY,           /* 131000: try again, costs an attempt */
    MOOD_THROTTLE,        /* 130429, 80007, 429 */
    MOOD_UNAVAILABLE,     /* 503 with Graph's body and Retry-After */
    MOOD_PAIR,            /* 131056 */
    MOOD_TOKEN,           /* 190: until the operator brings a new token */
    MOOD_PERMANENT,       /* 131026 */
    MOOD_REFUSE,          /* REFUSED_STREAM, before it is read */
    MOOD_GOAWAY,          /* accepted, and the connection takes no more */
    MOOD_COUNT,
};

enum { POLICY_PARK, POLICY_DROP, POLICY_RESEND, POLICIES };

/* Chances are in a million. */
struct weather {
    /* The net. */
    uint32_t latency_us; /* one way, at most */
    uint32_t split;      /* bytes arrive in pieces */
    uint32_t cut;        /* a connection breaks, at each sending */
    uint32_t hole;       /* a connection is a black hole for a while, at each sending */
    uint32_t dial_fails; /* a connect or a handshake fails */
    uint32_t late_bytes; /* what was in flight when a connection broke still arrives, late */
    bool had_holes;      /* before it cleared up */
    bool had_failed_dials;
    /* Meta. */
    uint32_t moods[MOOD_COUNT]; /* weights */
    uint32_t answer_us;         /* an answer takes at most */
    uint32_t receipt_us;        /* a receipt takes at most */
    uint32_t receipt_early;     /* a receipt overtakes its answer */
    uint32_t receipt_twice;
    /* Machines. */
    uint32_t hosts;       /* processes with a worker or two each */
    uint32_t kills;       /* in the whole run, at most */
    uint32_t stops;       /* SIGSTOP, likewise */
    uint32_t drains;      /* SIGTERM, likewise */
    uint32_t clock_jumps; /* of a host's wall clock, likewise */
    uint32_t slow_turns;  /* a turn takes up to half a second */
    /* Redis. */
    uint32_t crashes;     /* restarts, in the whole run */
    bool forgets;         /* a restart goes back up to a second: everysec, or a failover */
    bool careful;         /* then: producers write nothing of what will be forgotten */
    uint32_t troubles;    /* LOADING, BUSY, READONLY, OOM …, likewise */
    uint32_t redis_jumps; /* of Redis' clock, likewise */
    uint32_t flushes;     /* the function library is lost, likewise */
    /* People. */
    uint32_t accounts;
    uint32_t notifications;
    uint32_t pauses;      /* pause and resume, in the whole run */
    uint32_t requeues;    /* likewise */
    uint32_t purges;      /* likewise */
    uint32_t changes;     /* of the catalogue, likewise */
    uint32_t calls;       /* a notification is written by facteur_enqueue */
    uint32_t paces;       /* an account has a pace of its own */
    uint32_t odd;         /* a notification that is not to be sent as it is */
    uint32_t bulk;        /* an entry is a bulk entry */
    uint32_t policy;      /* of uncertain ones */
    uint32_t code_policy; /* likewise, of one-time codes */
    bool fair;            /* one account has a huge backlog; all is well but Meta's limits */
    uint32_t backlog;     /* then: the first notices, all of account 0, all at once */
    uint64_t busy_us;     /* how long faults and producers last */
};

void weather_draw(struct weather *weather, struct random *dice);
/* A run that is only about fairness: with this many waiting. */
void weather_draw_fair(struct weather *weather, struct random *dice, uint32_t backlog);
/* The faults end: what was begun ends by itself. */
void weather_clear(struct weather *weather);
const char *graph_mood_text(enum graph_mood mood);

#endif
