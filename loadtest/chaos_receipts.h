/*
 * chaos_receipts - plays Meta's receipts: whatever the emulator truly accepted is told to
 * facteur_receipt, as webhooks would tell it. Some early, while the member is anywhere; at the end
 * all of them twice, in random order.
 *
 * Never waits while it works: a call is answered in some later turn, and is repeated when Redis was
 * lost. The callback data says all that a receipt needs.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_RECEIPTS_H
#define FACTEUR_LOADTEST_CHAOS_RECEIPTS_H

#include "loadtest/chaos_house.h"

/* Where a member was when a receipt settled its attempt, as the library says it. */
#define CHAOS_PLACES(X)                                                                            \
    X(GRANTED, "granted")                                                                          \
    X(CLAIMED, "claimed")                                                                          \
    X(WAITING, "waiting")                                                                          \
    X(LATER, "later")                                                                              \
    X(UNCERTAIN, "uncertain")                                                                      \
    X(DEAD, "dead")                                                                                \
    X(GONE, "gone")

enum chaos_place {
#define CHAOS_PLACE(name, text) CHAOS_PLACE_##name,
    CHAOS_PLACES(CHAOS_PLACE)
#undef CHAOS_PLACE
        CHAOS_PLACE_COUNT
};
const char *chaos_place_text(enum chaos_place place); /* static */

struct chaos_receipts_tally {
    uint64_t read;                       /* that the emulator accepted */
    uint64_t told;                       /* receipts answered */
    uint64_t early;                      /* of these, while faults went on */
    uint64_t known;                      /* that changed nothing */
    uint64_t settled[CHAOS_PLACE_COUNT]; /* by where the member was */
    uint64_t unreadable;                 /* callback data that is not of ours */
};

struct chaos_receipts;

/* `early`: the share that is told while it goes on, 0 … 1. All borrowed. */
struct chaos_receipts *chaos_receipts_open(struct chaos_house *house, double early);
void chaos_receipts_close(struct chaos_receipts *receipts); /* NULL is allowed */

/* One turn: looks what the emulator accepted, and tells what is due. */
void chaos_receipts_turn(struct chaos_receipts *receipts, uint64_t now_us);

/* From now on all of them, twice. False with house->error: the emulator could not be asked. */
bool chaos_receipts_begin_all(struct chaos_receipts *receipts);
bool chaos_receipts_are_told(const struct chaos_receipts *receipts);
/* What an answer said that is neither of a receipt nor of a lost connection; "" if none did. */
const char *chaos_receipts_refusal(const struct chaos_receipts *receipts);

const struct chaos_receipts_tally *chaos_receipts_tally(const struct chaos_receipts *receipts);

#endif
