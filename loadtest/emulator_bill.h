/*
 * emulator_bill - what each accepted message costs and what all of them cost, as Meta would bill
 * it: country → market of the day → price of the card in force, in millionths, integers only.
 *
 * The emulator's own reading of markets.csv and rates.csv, so that a mistake of the sender's
 * cannot cancel out in the audit. All prices are looked up at start; a message is two additions.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_BILL_H
#define FACTEUR_LOADTEST_EMULATOR_BILL_H

#include "loadtest/emulator_country.h"

enum emulator_category {
    EMULATOR_UTILITY,
    EMULATOR_AUTHENTICATION,
    EMULATOR_MARKETING,
    EMULATOR_CATEGORIES,
};

struct emulator_bill_settings {
    const char *markets_path;
    const char *rates_path;
    const char *currency;                       /* "USD": rows of another are not looked at */
    const char *day;                            /* "YYYY-MM-DD" */
    const struct emulator_countries *countries; /* borrowed for the bill's life */
};

struct emulator_bill_line {
    uint64_t count;
    uint64_t millionths;
};

struct emulator_bill;

/* NULL: see error. Every country must have a price in every category. */
struct emulator_bill *emulator_bill_open(const struct emulator_bill_settings *settings,
                                         struct error_text *error);
void emulator_bill_close(struct emulator_bill *bill); /* NULL is allowed */

/* Books one message and returns its price in millionths. */
uint64_t emulator_bill_charge(struct emulator_bill *bill, uint16_t country,
                              enum emulator_category category);
void emulator_bill_reset(struct emulator_bill *bill);

uint64_t emulator_bill_price(const struct emulator_bill *bill, uint16_t country,
                             enum emulator_category category);
struct emulator_bill_line emulator_bill_total(const struct emulator_bill *bill);
struct emulator_bill_line emulator_bill_of(const struct emulator_bill *bill, uint16_t country);
struct span emulator_bill_market(const struct emulator_bill *bill, uint16_t country);

bool emulator_category_read(struct span text, enum emulator_category *category); /* any case */
const char *emulator_category_text(enum emulator_category category);

/* "0.0455" → 45500. At most six decimals that are not zero. */
bool emulator_millionths_read(struct span text, uint64_t *millionths);

#endif
