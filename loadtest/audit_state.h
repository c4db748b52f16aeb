/*
 * audit_state - what the audit keeps of each notification. Private to audit*.c.
 */
#ifndef FACTEUR_LOADTEST_AUDIT_STATE_H
#define FACTEUR_LOADTEST_AUDIT_STATE_H

#include "loadtest/audit.h"

enum audit_flag {
    AUDIT_FLAG_POLICY = 1,    /* refused for what it says */
    AUDIT_FLAG_POSSIBLE = 2,  /* flagged as a possible duplicate */
    AUDIT_FLAG_PARKED = 4,    /* an `uncertain` event came, and nothing after it */
    AUDIT_FLAG_GONE = 8,      /* a foreign record that turned out to be one of ours */
    AUDIT_FLAG_COPIED = 16,   /* others carry its id */
    AUDIT_FLAG_ID_SENT = 32,  /* its id was accepted once */
    AUDIT_FLAG_REPEATED = 64, /* may have been written twice */
};

struct audit_message {
    struct audit_member member;
    uint64_t wamid; /* hashes; 0: none */
    uint64_t bill_wamid;
    uint64_t price;          /* of the accepted event */
    uint64_t corrected;      /* of corrected events */
    uint64_t proven;         /* charged, and no event yet */
    uint64_t bill_price;     /* all charges of it */
    uint64_t bill_token;     /* of the last one */
    uint64_t exposed;        /* attempts without answer or receipt, as quoted; see finish */
    uint64_t exposed_billed; /* of these, what the bill has */
    uint32_t latency_ms;
    uint32_t bill_to; /* hash of the digits */
    uint32_t twin_of; /* of a foreign one that says it is a notification of ours: which, + 1 */
    char country[2];  /* of the event */
    uint8_t outcome;  /* enum audit_outcome */
    uint8_t dead;     /* the dead record's */
    uint8_t events;   /* final ones, at most 255 */
    uint8_t charges;  /* likewise */
    uint8_t places;   /* bits of enum audit_place */
    uint16_t flags;
};

/* An attempt: of a member without answer or receipt, or of one that was charged more than once. */
struct audit_attempt {
    struct audit_member member;
    uint64_t token;
    uint64_t price;
};

struct audit_attempts {
    struct audit_attempt *list;
    uint64_t count;
    uint64_t capacity;
};

struct audit {
    struct generator generator;
    struct audit_message *messages; /* ours by N, then foreign ones */
    uint64_t count;                 /* ours and foreign */
    uint64_t capacity;
    uint32_t *slots; /* member → index + 1; open addressing, a power of two */
    uint64_t slot_count;
    uint64_t named;                /* slots in use */
    struct audit_attempts exposed; /* of the photograph */
    struct audit_attempts charges; /* all charges of members that have several */
    struct audit_live live;
    uint64_t ledger;
    uint64_t strangers; /* charges of nobody */
    uint64_t strangers_price;
};

/* The record of a member that is known. */
struct audit_message *audit_record(struct audit *audit, const struct audit_member *member);

bool audit_same_member(const struct audit_member *a, const struct audit_member *b);

uint64_t audit_hash(struct span text); /* never 0 for a text that is not empty */
uint32_t audit_hash_digits(struct span number);

#endif
