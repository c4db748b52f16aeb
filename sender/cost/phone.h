/*
 * phone - a phone number as a producer wrote it → E.164 and country, or why not.
 *
 * The country comes from the longest prefix whose total length fits (data/prefixes.csv, derived
 * from Google libphonenumber metadata, Apache-2.0; see NOTICE). A number is never guessed: national
 * forms and 00… are refused with a hint.
 */
#ifndef FACTEUR_SENDER_COST_PHONE_H
#define FACTEUR_SENDER_COST_PHONE_H

#include "sender/base/bytes.h"

enum { PHONE_DIGITS_MAX = 15 };

enum phone_status {
    PHONE_VALID,    /* a prefix and a length that the numbering plans have */
    PHONE_UNLISTED, /* calling code known, but no such length or range: the country is known */
    PHONE_INVALID,  /* `reason` says why */
};

enum phone_reason {
    PHONE_GOOD,
    PHONE_EMPTY,
    PHONE_BAD_CHARACTER,    /* something else than digits, + in front, and " .-()" */
    PHONE_INTERNATIONAL_00, /* begins with 00: write + instead */
    PHONE_NATIONAL,         /* begins with 0: write + and the country's calling code */
    PHONE_TOO_SHORT,
    PHONE_TOO_LONG,     /* more than 15 digits */
    PHONE_UNKNOWN_CODE, /* no country has this calling code */
    PHONE_UNASSIGNED,   /* with PHONE_UNLISTED */
};

struct phone {
    enum phone_status status;
    enum phone_reason reason;
    char e164[PHONE_DIGITS_MAX + 2]; /* "+" and digits, NUL-terminated; "" if invalid */
    uint8_t e164_size;               /* without the NUL */
    char country[3];                 /* ISO 3166 alpha-2, or "" */
    uint16_t calling_code;           /* 33; 0 if unknown */
};

void phone_read(struct span text, struct phone *phone); /* pure, any thread */
/* A business-scoped user id, "FR.1349…": two letters, a dot, 1-128 alphanumerics. */
bool phone_read_scoped_id(struct span text, struct phone *phone);
const char *phone_reason_text(enum phone_reason reason); /* what to do, for people; static */
const char *phone_status_text(enum phone_status status); /* "valid", "unlisted", "invalid" */

#endif
