/*
 * phone_table_state - the layout of a phone table: for phone_table.c, phone_table_file.c and
 * phone.c only.
 *
 * A walk begins with a number's first three digits, which name a node and a calling code, and takes
 * a digit a step. A node is a number: below leaf_count it is a leaf ("so many more digits,
 * whichever they are"; leaf 0 has no lengths and is where all numbers that do not exist end), from
 * leaf_count on it is a state. A *label* is 0 (no number), or 1 + 2 × the country's place among its
 * calling code's, and 1 more if it is a legacy form: states are shared by all calling codes.
 */
#ifndef FACTEUR_SENDER_COST_PHONE_TABLE_STATE_H
#define FACTEUR_SENDER_COST_PHONE_TABLE_STATE_H

#include "sender/cost/phone.h"
#include "sender/cost/phone_table.h"

enum { PHONE_ROOTS = 1000 };

struct phone_leaf {
    uint16_t lengths; /* bit n: n more digits make a number */
    uint8_t label;
};

struct phone_code {
    uint16_t calling_code;
    uint16_t lengths;       /* bit n: numbers of n digits in all are possible */
    uint16_t first_country; /* into `countries`: the main country, the others behind it */
    uint8_t country_count;  /* 0: no country has this calling code (satellites, freephone) */
};

struct phone_table {
    struct phone_table_about about;
    const uint16_t *root;       /* PHONE_ROOTS nodes, by a number's first three digits */
    const uint8_t *root_code;   /* PHONE_ROOTS: 0, or 1 + index into `codes` */
    const uint16_t (*next)[10]; /* a row a state: its node by digit */
    const uint8_t *accept;      /* a label a state: what a number is that ends there */
    const uint8_t *hint;        /* a place a state: the only country below it, else the main one */
    const struct phone_leaf *leaves;
    const struct phone_code *codes;
    const char (*countries)[3];
};

/* Sets status, reason, country and calling code of `digits`, of which there are at most
 * PHONE_DIGITS_MAX; each is '0' to '9'. */
void phone_table_find(const struct phone_table *table, const char *digits, size_t count,
                      struct phone *phone);

#endif
