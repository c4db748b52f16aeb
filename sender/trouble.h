/*
 * trouble - Redis answers errors: said once, waited for, and gone on from by itself.
 *
 * What the whole of Redis refuses (it loads, a script holds it up, its disk is full) stops every
 * call of this worker for a while. What concerns one account (a key of a wrong type) stops only
 * that one: trouble_take() says it, and the caller waits as it did. Outcomes stay in memory.
 */
#ifndef FACTEUR_SENDER_TROUBLE_H
#define FACTEUR_SENDER_TROUBLE_H

#include "queue/session.h"

#include <stdint.h>

struct account;
struct worker;

enum trouble_call {
    TROUBLE_CLAIM,
    TROUBLE_GRANT,
    TROUBLE_SETTLE,
    TROUBLE_RECOVER,
    TROUBLE_RECEIPTS,
    TROUBLE_OVERDUE,
    TROUBLE_STOP,
    TROUBLE_DECLARE,
    TROUBLE_BEAT, /* of no account, from here on */
    TROUBLE_LIBRARY,
    TROUBLE_CALLS,
};

/* Of a worker: what the whole of Redis refuses. */
struct trouble {
    enum session_trouble kind; /* as it was said; NONE */
    uint64_t until_us;         /* nothing is asked before */
};

/* Of an account, and of a worker's own calls: what was said of each call, as a hash; 0: nothing. */
struct trouble_said {
    uint64_t of[TROUBLE_CALLS];
};

/*
 * A call was answered with an error, or not as agreed, and was not done. Says it unless it was
 * said, and does what helps: waits, loads the library, or looks for the master. APART is left to
 * the caller. `account` NULL: it concerned none.
 */
enum session_remedy trouble_take(struct worker *worker, struct account *account,
                                 enum trouble_call call, const struct reply *reply);

/* It was answered well: what was said is over. */
void trouble_end(struct worker *worker, struct account *account, enum trouble_call call);

/* False while all calls wait. */
bool trouble_is_over(const struct worker *worker);

#endif
