/*
 * limits - every maximum of the sender on one page: its unit, its reason, and how it relates.
 *
 * All of it is taken when a worker starts. Full means: stop reading from Redis, never: lose.
 * Memory of a worker, bytes, about: DELIVERIES_MAX * (sizeof(struct delivery)) +
 * BATCHES_MAX * BATCH_ARENA_SIZE + exchanges * EXCHANGE_MEMORY + LARGE_BODIES * LARGE_BODY_SIZE.
 */
#ifndef FACTEUR_SENDER_LIMITS_H
#define FACTEUR_SENDER_LIMITS_H

#include "queue/keys.h"

#include <assert.h>

/* Built with LIMITS_SMALL a worker starts in no time and meets its limits: for the simulation,
 * which starts them by the thousand. */
#ifdef LIMITS_SMALL
#define LIMIT(usual, small) (small)
#else
#define LIMIT(usual, small) (usual)
#endif

enum {
    WORKERS_MAX = 64,     /* threads; one a core, and no machine we know has more to spare */
    ACCOUNTS_MAX = 1024,  /* accounts of one process */
    BUSINESSES_MAX = 256, /* businesses of one process: each costs a beat every LEASE / 4 */

    DELIVERIES_MAX = LIMIT(8192, 256), /* slots a worker: notifications between claim and settle */
    SLOT_MEMORY = 1536, /* bytes a slot keeps of its entry; a larger entry pins its batch */
    FIELDS_MAX = 128,   /* fields of one entry; an entry with more is refused */

    BATCHES_MAX = LIMIT(16, 4),         /* claim replies held at once: only large entries pin one */
    CLAIM_MEMBERS_MAX = LIMIT(512, 96), /* members asked for by one claim */
    CLAIM_BYTES_MAX = LIMIT(512 * 1024, 64 * 1024), /* bytes of entries asked for by one claim */
    /* The reply's bytes, its objects, and parsed `params`. */
    BATCH_ARENA_SIZE = LIMIT(3 * 1024 * 1024, 1400 * 1024),

    /* Claims open at once: each has at least one delivery or is closing; grants likewise. */
    HOLDS_MAX = LIMIT(2048, 128),
    GRANTS_MAX = LIMIT(2048, 64),
    GRANT_MEMBERS_MAX = LIMIT(512, 24),  /* members of one grant */
    GRANT_CALLS_MAX = 4,                 /* grant calls waiting for Redis */
    SETTLE_MEMBERS_MAX = LIMIT(512, 24), /* members of one settle call */
    SETTLE_CALLS_MAX = 8, /* settle calls waiting for Redis: one an account at most */

    /* What was granted lately, to be declared again: 45 bytes a member as a rule, so some 700,000
     * of them, or 70,000 a second. */
    RECENT_SIZE = LIMIT(32 * 1024 * 1024, 1024 * 1024),
    /* Of one grant: every name and id as long as it may be. */
    RECENT_RECORD_MAX = LIMIT(512 * 1024, 32 * 1024),

    TEXT_SIZE = 160 * 1024,       /* what the customer will read: 32,768 characters, and the rest */
    BODY_SIZE = 4096,             /* request bodies that fit a small one; the usual is 500 bytes */
    LARGE_BODY_SIZE = 256 * 1024, /* 32,768 characters, all of them escaped */
    LARGE_BODIES = 8,             /* large bodies under way at once */
    RESPONSE_SIZE = 4096,         /* bytes kept of a response; Graph's largest seen is 1 KiB */
    EXCHANGES_MAX = 4096,         /* under way at once a worker: connections x streams */
    OUTCOME_SIZE_MAX = 24 * 1024, /* bytes of one outcome's JSON: every byte of its names escaped */
    /* Of one settle's outcomes: what would not fit waits. */
    OUTCOMES_SIZE = LIMIT(2 * 1024 * 1024, 64 * 1024),

    /* Commands of one turn: a settle and its outcomes fit. */
    REDIS_OUTPUT_SIZE = LIMIT(8 * 1024 * 1024, 512 * 1024),
    REDIS_WAITING_MAX = 4096, /* commands without a reply */
};

static_assert(DELIVERIES_MAX >= CLAIM_MEMBERS_MAX + QUEUE_BULK_MAX,
              "one claim must always fit into free slots");
static_assert((int)CLAIM_MEMBERS_MAX >= (int)QUEUE_BULK_MAX, "a bulk entry is claimed whole");
static_assert(BATCH_ARENA_SIZE >= CLAIM_BYTES_MAX + QUEUE_ENTRY_SIZE_MAX + 1024 * 1024,
              "a claim's reply fits its arena: entries, one entry past the limit, objects");
static_assert(OUTCOMES_SIZE >= OUTCOME_SIZE_MAX, "the largest outcome fits a settle of its own");
static_assert(REDIS_OUTPUT_SIZE >= 2 * OUTCOMES_SIZE, "a settle with its outcomes fits the output");
static_assert(HOLDS_MAX * 4 >= DELIVERIES_MAX && GRANTS_MAX * 4 >= DELIVERIES_MAX,
              "slots are not idle for want of a claim or a grant");

#endif
