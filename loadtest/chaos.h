/*
 * chaos - real processes, killed and stopped and cut off by a seed, and then the audit: was
 * anything lost, sent twice blindly, or charged wrongly?
 *
 *   open        a private Redis, an emulator, senders
 *   work        producers write a part of the messages, a fault hits, and so on; what a fault did
 *               is undone after its time (a sender started again, Redis continued …)
 *   drain       no more faults; until nothing waits any more
 *   receipts    all that the emulator accepted is told twice, in random order
 *   end         the senders are asked to stop, and must end well
 *   audit       as facteur-load audit, and the promises
 */
#ifndef FACTEUR_LOADTEST_CHAOS_H
#define FACTEUR_LOADTEST_CHAOS_H

#include "loadtest/chaos_house.h"
#include "loadtest/chaos_plan.h"
#include "loadtest/chaos_producer.h"
#include "loadtest/chaos_receipts.h"
#include "loadtest/load_check.h"
#include "loadtest/progress.h"

#include <signal.h>

enum {
    CHAOS_UNDOS_MAX = 128,
    CHAOS_TROUBLES_MAX = 8, /* that are kept in words */
};

/* What is to be done after a fault, when its time is over. */
struct chaos_undo {
    enum chaos_undo_kind {
        CHAOS_UNDO_NOTHING,
        CHAOS_START_SENDER,
        CHAOS_CONTINUE_SENDER,
        CHAOS_START_REDIS,
        CHAOS_START_REPLICA,
        CHAOS_CONTINUE_REDIS,
        CHAOS_CONTINUE_EMULATOR,
        CHAOS_STOP_FAULTS, /* the emulator's */
    } kind;
    uint32_t sender;
    uint64_t due_us;
};

/* What happened, in numbers. */
struct chaos_tally {
    uint64_t faults[CHAOS_KIND_COUNT];
    uint64_t hits[CHAOS_KIND_COUNT]; /* of those that wait for an instant: it was that instant */
    uint64_t granted;                /* summed over the faults: what each of them may have parked */
    uint64_t unanswered;             /* summed over the Graph API's faults, likewise */
    uint64_t writes_at_risk;   /* confirmed, and Redis may have forgotten them (everysec, …) */
    uint64_t accepted_at_risk; /* accepted by the emulator in those moments */
    uint64_t restarts;         /* senders that ended because Redis was away when they began */
    uint64_t trouble_count;    /* what should not have happened at all */
    struct error_text troubles[CHAOS_TROUBLES_MAX];
};

struct chaos {
    struct load_options options; /* with the house's addresses */
    struct load_templates templates;
    struct loop *loop;
    struct chaos_house house;
    struct chaos_producer *producer;
    struct chaos_receipts *receipts;
    struct load_check check;
    struct chaos_plan plan;
    struct chaos_tally tally;
    struct chaos_undo undos[CHAOS_UNDOS_MAX];
    uint64_t faults_done;
    uint64_t goal;        /* notification that the producer writes up to */
    uint64_t goal_now;    /* likewise, in this turn */
    uint32_t samples_due; /* faults after which the grants are not counted yet */
    uint64_t looked_us;   /* at the emulator's tally */
    uint64_t accepted;    /* by the emulator, then */
    struct chaos_history accepted_then;
    struct chaos_history written;
    bool draining;    /* no more faults */
    bool failed;      /* cannot go on; see error */
    double seconds;   /* from the first fault's waiting to the last outcome */
    sigset_t signals; /* that interrupt it */
    struct progress progress;
    struct audit_report report;
    struct load_measures measures;
    char title[128];
    struct error_text error;
};

/* The verb. Returns the exit code. */
int chaos_run(const struct load_options *options);

/* One turn: what is due is done, what ended by itself is seen, the producer writes. */
void chaos_turn(struct chaos *chaos);
/* Turns for so long. */
void chaos_wait(struct chaos *chaos, uint64_t wait_ms);
/* The producer writes some more at once, and does not wait for the answers. */
void chaos_write_now(struct chaos *chaos);
/* Something that should not have happened at all: counted, and the first ones kept. */
void chaos_trouble(struct chaos *chaos, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
