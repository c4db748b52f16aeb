/*
 * load_places - where every member is: a photograph of streams, later, uncertain and dead, and the
 * ledger. Reads the keys as queue/README.md describes them, and calls no function of the library.
 *
 * The photograph takes many reads, and a sender at work moves members meanwhile; so it is taken
 * between two fingerprints, and again when they differ.
 */
#ifndef FACTEUR_LOADTEST_LOAD_PLACES_H
#define FACTEUR_LOADTEST_LOAD_PLACES_H

#include "loadtest/audit.h"
#include "loadtest/load_redis.h"
#include "queue/keys.h"

enum { LOAD_CLAIMS_MAX = 4096 };

struct load_claim {
    uint8_t stream; /* enum audit_stream */
    uint64_t first_ms, first_seq, last_ms, last_seq;
};

struct load_places {
    struct load_redis *redis;          /* borrowed */
    struct audit *audit;               /* borrowed */
    const struct generator *generator; /* borrowed */
    const struct account_keys *accounts;
    uint32_t account_count;
    char currency[8]; /* of the ledger; "" if it is empty */
    bool currencies;  /* the ledger has more than one: sums are of unlike things */
    uint64_t strange; /* records that are not as agreed */
    uint64_t overdue; /* uncertain ones whose time is over: nobody did what the policy says */
    struct error_text error;
    uint32_t claim_count;
    struct load_claim claims[LOAD_CLAIMS_MAX];
};

/* Forgets the last photograph and takes one. False with a sentence in places->error. */
bool load_places_read(struct load_places *places);

/* A number that changes whenever anything moved. False with a sentence in places->error. */
bool load_places_fingerprint(struct load_places *places, uint64_t *fingerprint);

/* How many members of A:grants, as HGETALL gives it, are not settled. */
uint64_t load_places_granted(const struct reply *grants);

/* N from a member's text, well-formed JSON or not: looks for the ref that the generator wrote. */
uint64_t load_places_find_ref(const struct generator *generator, struct span line);

#endif
