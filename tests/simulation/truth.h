/*
 * truth - what Meta's side of the world knows: each attempt it took, at which price, and whether
 * its receipt has been told. Read from biz_opaque_callback_data with its own eyes.
 */
#ifndef FACTEUR_TESTS_SIMULATION_TRUTH_H
#define FACTEUR_TESTS_SIMULATION_TRUTH_H

#include "sender/base/bytes.h"

struct attempt {
    uint32_t number;  /* of the notification, as its text says */
    uint32_t account; /* index, as its path says */
    char member[64];
    uint64_t attempt;
    char grant[64];
    uint64_t index;
    uint64_t millionths;
    char currency[4];
    char day[16];
    char cell[200];
    char to[24];
    char wamid[40];
    bool failed;       /* by its receipt: not on the bill */
    uint32_t receipts; /* that were told and heard */
    uint64_t at_us;    /* when Meta took it */
};

struct truth {
    struct attempt *attempts;
    uint32_t count;
    uint32_t capacity;
    uint32_t *accepted; /* by the notification's number: how often */
    uint32_t accepted_capacity;
};

/* The index of a new attempt; UINT32_MAX: the request is not as agreed. `body` is the JSON;
 * `fails`: a receipt will say so. */
uint32_t truth_add(struct truth *truth, uint32_t account, struct span body, bool fails);
void truth_close(struct truth *truth);

/* How often Meta took this notification (those that failed by a receipt do not count). */
uint32_t truth_accepted(const struct truth *truth, uint32_t number);

bool truth_knows(const struct truth *truth, struct span token); /* GRANT/INDEX */

struct span truth_recipient(struct span body); /* "to" of a request */

/* The number that a notification's text carries, "N-123"; UINT32_MAX: none. */
uint32_t truth_number(struct span text);

#endif
