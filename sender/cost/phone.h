/*
 * phone - a phone number as a producer wrote it → E.164, country and status, or why not.
 *
 * Status and country are two answers: which country a number belongs to hardly ever changes, which
 * ranges are in use changes every month. So what the numbering plans do not list (yet) still has a
 * country, a market and a price, and whoever sends decides (`--strict` refuses it). A number is
 * never guessed and never rewritten: national forms and 00… are refused with a hint, and the forms
 * that WhatsApp itself keeps from older numbering plans are sent as they are.
 */
#ifndef FACTEUR_SENDER_COST_PHONE_H
#define FACTEUR_SENDER_COST_PHONE_H

#include "sender/base/bytes.h"

struct phone_table; /* the world's numbering plans: phone_table.h */

enum { PHONE_DIGITS_MAX = 15, PHONE_FOLDED_MAX = PHONE_DIGITS_MAX };

enum phone_status {
    PHONE_VALID,    /* the numbering plans have it */
    PHONE_LEGACY,   /* a form of WhatsApp's own ids whose number of today the plans have: Mexico
                     * with the old 1, Brazil without the 9, Côte d'Ivoire and Benin with eight
                     * digits (Argentina's two forms are both valid). Sent as it is */
    PHONE_UNLISTED, /* calling code and length are possible, but no plan has this range */
    PHONE_INVALID,  /* `reason` says why; e164 is "", the country is set where it is known */
};

enum phone_reason {
    PHONE_GOOD,             /* with PHONE_VALID and PHONE_LEGACY */
    PHONE_EMPTY,            /* no digits */
    PHONE_BAD_CHARACTER,    /* something else than digits, + in front, and " .-()" */
    PHONE_INTERNATIONAL_00, /* begins with 00: write + instead */
    PHONE_NATIONAL,         /* begins with 0: write + and the country's calling code */
    PHONE_TOO_SHORT,        /* for its country */
    PHONE_TOO_LONG,         /* for its country, or more than 15 digits */
    PHONE_BAD_LENGTH,       /* between two lengths that its country has */
    PHONE_UNKNOWN_CODE,     /* no country has this calling code */
    PHONE_NO_COUNTRY,       /* +800, +881, +883 …: freephone, satellites, networks */
    PHONE_UNASSIGNED,       /* with PHONE_UNLISTED */
};

struct phone {
    enum phone_status status;
    enum phone_reason reason;
    char e164[PHONE_DIGITS_MAX + 2]; /* "+" and digits, NUL-terminated; "" if invalid */
    uint8_t e164_size;               /* without the NUL */
    char country[3];                 /* ISO 3166 alpha-2 (and XK, AC, TA), or "" */
    uint16_t calling_code;           /* 33; 0 if unknown */
};

/*
 * Reads a number by the built-in table. Spaces, dots, dashes and parentheses are dropped, also the
 * no-break spaces and direction marks that contact cards carry; the + may be missing, for webhooks
 * give bare digits. Pure, any thread. The second takes another table.
 */
void phone_read(struct span text, struct phone *phone);
void phone_read_by(const struct phone_table *table, struct span text, struct phone *phone);

/* The same for who wants E.164 and nothing else: one optional + and digits; any other byte is
 * PHONE_BAD_CHARACTER. */
void phone_read_plain(const struct phone_table *table, struct span text, struct phone *phone);

/* A business-scoped user id, "FR.1349…": two letters, a dot, 1-128 alphanumerics. Its phone has a
 * country and no number. */
bool phone_read_scoped_id(struct span text, struct phone *phone);

/*
 * The digits under which the forms of one person fall together: Mexico without the 1 of mobiles,
 * Argentina without their 9, Brazil without the ninth digit (where the eight others are a mobile's:
 * 6 to 9 in front; otherwise they could be somebody's landline). For telling people apart only
 * (deduplication, limits a pair): never sent, never shown. Writes at most PHONE_FOLDED_MAX digits
 * and a NUL to `digits`, returns how many; 0 for a business-scoped id. `phone` is not invalid.
 */
size_t phone_fold(const struct phone *phone, char digits[PHONE_FOLDED_MAX + 1]);

const char *phone_reason_text(enum phone_reason reason); /* what to do, for people; static */
const char *phone_status_text(enum phone_status status); /* "valid", "legacy" …; static */

#endif
