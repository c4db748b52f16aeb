/*
 * declaration - a Redis that may have forgotten is told what may be on the wire, before anybody
 * claims.
 *
 * Wanted when the worker comes to another Redis, or to one that was started anew or was a replica
 * meanwhile (its identity changed), and whenever an answer says `declare`. Until it is made the
 * worker claims, grants, sends and settles nothing; answers of Meta's are taken, and outcomes stay
 * in memory. What is done (queue/calls.h, "declare"):
 *
 *   1. replies that are under way are waited for;
 *   2. what is claimed and not granted is dropped: it is given back by the first call;
 *   3. for each account, its recent grants are named; what is open goes on as member of `later`;
 *   4. for each business, `declared`.
 *
 * All of it is made again from the start if the connection is lost in between. An account whose
 * keys are of a wrong type is left out, and asked again ten seconds later; the others go on.
 */
#ifndef FACTEUR_SENDER_DECLARATION_H
#define FACTEUR_SENDER_DECLARATION_H

#include "queue/calls.h"

struct recent_record;
struct worker;

struct declaration {
    bool wanted;       /* nothing is claimed, granted, sent or settled */
    bool again;        /* wanted once more while it was being made */
    bool begun;        /* what is claimed only was dropped */
    bool calling;      /* one call waits for its reply */
    uint32_t account;  /* whose turn it is; then the businesses' */
    uint32_t business; /* likewise */
    uint64_t begun_us;
    uint64_t as_of_us;          /* when Redis was last there: what is recent counts back from it */
    uint64_t again_us;          /* when accounts that were left out are asked again; 0: none was */
    struct recent_record *next; /* of the account, not named yet */
    bool named;                 /* the account has had a call */
    struct recent_record **chunk; /* named by the call under way; CALLS_DECLARE_GRANTS_MAX */
    uint32_t chunk_count;
    char claim_text[QUEUE_GRANT_MAX]; /* of the call under way: holds what is open */
    struct span claim;
    uint64_t grants, accepted, open, ours; /* for the log */
};

void declaration_open(struct worker *worker);
void declaration_close(struct worker *worker);

/* `cause` for the log: it says once that it begins, and once that it is over. */
void declaration_want(struct worker *worker, const char *cause);

/* The next step, if none waits for a reply. Called in every turn; needs a Redis that is ready and
 * has the library. True: none is wanted, the worker may go on. */
bool declaration_go_on(struct worker *worker);

/* The connection was lost: what was said is said again on the next one. */
void declaration_lost(struct worker *worker);

/* The worker was fenced: its new name has nothing to declare. */
void declaration_drop(struct worker *worker);

#endif
