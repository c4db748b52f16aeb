/*
 * audit_bill - the ledger against the truth: every cell, to the millionth, and the prices told.
 */
#ifndef FACTEUR_TESTS_SIMULATION_AUDIT_BILL_H
#define FACTEUR_TESTS_SIMULATION_AUDIT_BILL_H

#include "tests/simulation/run.h"

struct bill_cell {
    char day[16];
    char field[256]; /* CELL#CUR */
    uint64_t count;
    uint64_t millionths;
    uint64_t maybe_count; /* of what Redis forgot: its charges may be lost */
    uint64_t maybe_millionths;
    uint64_t booked_count;
    uint64_t booked_millionths;
};

struct audit_bill {
    struct run *run;
    struct bill_cell *cells; /* what Meta bills, by cell */
    uint32_t count;
    uint64_t told_millionths;
    uint64_t told_count;
};

void audit_bill_open(struct audit_bill *bill, struct run *run); /* reads the truth and the ledger */
void audit_bill_tell(struct audit_bill *bill, struct span price); /* of an event */
void audit_bill_close(struct audit_bill *bill);                   /* judges */

#endif
