/*
 * receipts - answers of Meta's whose settle came too late, told to Redis once more as what they
 * are: proof.
 *
 * A settle is answered `already` for a member whose grant was taken away (a worker that was stopped
 * for longer than its lease: recover has parked it as uncertain), and for one that our own settle,
 * whose reply was lost, had settled. In the first case what Meta said resolves the doubt: it is
 * recorded, charged once, and exposure goes down. In the second it is known, and nothing happens.
 *
 * Bounded: a delivery stays in its slot until Redis has answered; nothing is allocated. One call
 * waits for its reply at a time, for that is rare.
 */
#ifndef FACTEUR_SENDER_RECEIPTS_H
#define FACTEUR_SENDER_RECEIPTS_H

#include "sender/base/timers.h"
#include "sender/delivery.h"

enum { RECEIPTS_A_CALL = 128 };

struct receipts {
    struct delivery_list waiting; /* of all accounts, as they came */
    struct delivery *calling[RECEIPTS_A_CALL];
    uint32_t calling_count; /* 0: no call is under way */
    uint32_t most;          /* of the next call: halved by a refusal */
    uint64_t after_us;      /* after a refusal: not before */
    struct timer timer;     /* of that */
};

void receipts_open(struct worker *worker);
void receipts_close(struct worker *worker);

/* Is its outcome proof of what Meta did: accepted, or failed for good? */
bool receipts_want(const struct delivery *delivery);

/* Of a granted one in no list, whose outcome is wanted and is not to be settled any more. It is
 * told, and its slot is given back when Redis has heard it. */
void receipts_take(struct delivery *delivery);

/* Once a turn: tells some of what waits. */
void receipts_write(struct worker *worker);

#endif
