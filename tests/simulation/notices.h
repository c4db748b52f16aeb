/*
 * notices - what the producers of a run write, and what may become of each.
 *
 * A notice is known by its number: its text carries "N-17", so does its `ref`, and what Redis
 * called it (ENTRY or ENTRY/n) is kept.
 */
#ifndef FACTEUR_TESTS_SIMULATION_NOTICES_H
#define FACTEUR_TESTS_SIMULATION_NOTICES_H

#include "tests/simulation/redis.h"

enum { NOTICES_ACCOUNTS = 3, NOTICES_ACCOUNTS_FAIR = 11 };

enum notice_kind {
    NOTICE_PLAIN,
    NOTICE_CODE,      /* a one-time code */
    NOTICE_LATER,     /* not_before is to come */
    NOTICE_SHORT,     /* expires soon: it may be too late */
    NOTICE_EXPIRED,   /* its time was over when it was written */
    NOTICE_BAD,       /* a number, template, parameter or field that cannot be sent */
    NOTICE_OFFER,     /* promotional */
    NOTICE_OPTED_OUT, /* its recipient said stop */
    NOTICE_SAME_ID,   /* shares its id with others */
    NOTICE_KINDS,
};

struct notice {
    uint32_t number;
    uint32_t account;
    enum notice_kind kind;
    bool urgent;
    bool written;    /* Redis took it */
    char id[16];     /* "" for none */
    char member[64]; /* as Redis calls it; "" before it was written */
    uint64_t written_us;
    bool forgotten;      /* Redis took it, and forgot it */
    uint32_t big_before; /* fairness: what had been read of the large account's when it came */
    bool measured;       /* likewise: it was alone of its account */
    bool read;           /* likewise: it was read itself */
    /* What has been told of it: the audit's. */
    bool answered; /* by facteur_enqueue with a no: nothing more becomes of it */
    uint64_t purged_us;
    uint32_t purged; /* by an operator, when it was parked: that was its end */
    uint64_t requeued_us;
    uint32_t requeued; /* by an operator, after an outcome that was told */
    uint32_t ended;    /* final outcomes told */
    uint32_t accepted; /* outcomes `accepted` */
    uint32_t corrected;
    uint32_t flagged;     /* of these two: with possible_duplicate */
    uint32_t resurrected; /* accepted by a receipt after it was dead */
    char last[16];        /* type of the last final outcome */
    bool dead;            /* it is in dead */
};

struct notices {
    struct world *world;
    struct redis *redis;
    struct notice *notices;
    uint32_t count;  /* of this run; numbers go from 0 */
    uint32_t next;   /* the first that is not written yet */
    uint64_t end_us; /* all are to be written by then */
    struct timer timer;
    void (*on_written)(void *context, struct notice *notice);
    bool (*is_careful)(void *context); /* nothing is written now */
    void *context;
    uint32_t account_count;
    uint32_t *index; /* by name and account: number + 1, open addressing; a power of 2 */
    uint32_t index_size;
};

const char *notices_account(uint32_t account); /* "facteur:{acme}:fr" … */
void notices_open(struct notices *notices, struct world *world, struct redis *redis);
void notices_close(struct notices *notices);
/* Redis forgot what was written since then. */
void notices_forget(struct notices *notices, uint64_t since_us);
bool notices_are_written(const struct notices *notices);
/* By what Redis calls it; NULL: none of ours. */
struct notice *notices_find(const struct notices *notices, uint32_t account, struct span member);
const char *notice_kind_text(enum notice_kind kind);

#endif
