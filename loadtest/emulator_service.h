/*
 * emulator_service - the emulated Graph API without a socket: requests in, answers out.
 *
 * Rolls the dice, judges, books what is accepted, writes the answer, and keeps the tally. How an
 * answer is spoiled or delayed on the wire is told in the answer and done by the connection.
 *
 *   POST /v24.0/{phone}/messages         a message
 *   GET  /emulator/tally                 counts, bill and CPU time
 *   GET  /emulator/accepted?from=&limit= what was accepted, JSON lines, in order
 *   POST /emulator/faults                {"cut":0.01}: other rates from now on
 *   POST /emulator/reset                 forget everything that was counted and kept
 *
 * Each request counts once: requests = accepted + the sum of refused + unanswered_refusals.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_SERVICE_H
#define FACTEUR_LOADTEST_EMULATOR_SERVICE_H

#include "loadtest/emulator_bill.h"
#include "loadtest/emulator_fault.h"
#include "loadtest/emulator_judge.h"
#include "loadtest/emulator_latency.h"
#include "loadtest/emulator_log.h"

enum {
    EMULATOR_ANSWER_MAX = 4096,  /* bytes of a message's answer, the longest details escaped */
    EMULATOR_LINES_MAX = 100000, /* of one GET /emulator/accepted */
    EMULATOR_LINES_USUAL = 1000, /* when no limit is asked for */
};

struct emulator_service {
    struct emulator_judge judge;
    struct emulator_bill *bill; /* borrowed; NULL: nothing is billed */
    const char *currency;       /* of the bill; borrowed */
    struct emulator_faults faults;
    struct emulator_latency latency;
    uint64_t seed;

    struct emulator_log *log; /* owned from emulator_service_open() on */
    struct emulator_judgement judgement;
    uint64_t number; /* of requests: those for messages */
    uint64_t accepted;
    uint64_t duplicates;
    uint64_t bad_requests;
    uint64_t bad_to;
    uint64_t marketing;                          /* accepted ones that are promotional */
    uint64_t unanswered_refusals;                /* not accepted, and no error of Graph's either */
    uint64_t refused[EMULATOR_ERROR_KINDS];      /* by Graph's errors */
    uint64_t fault_counts[EMULATOR_FAULT_KINDS]; /* that happened */

    char answer_data[EMULATOR_ANSWER_MAX];
    struct buffer page; /* of the /emulator paths; its memory is owned and grows */
};

struct emulator_answer {
    enum emulator_fault fault; /* what the connection has to do to it */
    bool coin;                 /* for faults that have two forms */
    bool control;              /* of an /emulator path: never delayed */
    int status;
    const char *content_type;
    struct span body;  /* valid until the next call */
    uint64_t delay_us; /* before it is given */
};

/* The fields above the blank line must be set, the rest 0. */
void emulator_service_open(struct emulator_service *service);
void emulator_service_close(struct emulator_service *service);

void emulator_service_answer(struct emulator_service *service,
                             const struct emulator_request *request,
                             struct emulator_answer *answer);

/* The tally as JSON; valid until the next call. `cpu_us`: of the process so far. */
struct span emulator_service_tally(struct emulator_service *service, uint64_t cpu_us);

#endif
