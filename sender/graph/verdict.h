/*
 * verdict - what an attempt came to, decided in one place from the response or its absence.
 *
 * An *answer* is a complete body with messages[].id or error.code. Anything else after the request
 * was handed out is uncertain, whatever its HTTP status: a proxy's 502, a cut body, a page of HTML,
 * a 200 without Graph's body.
 */
#ifndef FACTEUR_SENDER_GRAPH_VERDICT_H
#define FACTEUR_SENDER_GRAPH_VERDICT_H

#include "sender/base/bytes.h"
#include "sender/graph/error_table.h"
#include "sender/h2/client.h"

enum verdict_kind {
    VERDICT_ACCEPTED,  /* Meta gave a wamid */
    VERDICT_FAILED,    /* Meta said no for good */
    VERDICT_LATER,     /* try again; `costs_attempt` tells whether it counts */
    VERDICT_UNCERTAIN, /* it may have been accepted */
};

/* Whom the answer holds up besides its own notification. */
enum verdict_slows {
    VERDICT_SLOWS_NOBODY,
    VERDICT_SLOWS_PAIR,    /* this recipient, from this account: Meta's pair limit */
    VERDICT_SLOWS_ACCOUNT, /* a throttle or an outage */
    VERDICT_STOPS_ACCOUNT, /* token, permission, payment, the number: somebody must mend it */
};

struct verdict {
    enum verdict_kind kind;
    enum verdict_slows slows;
    bool costs_attempt;           /* false: not processed, or a throttle */
    enum graph_error_class class; /* of the error, if Meta gave one */
    int32_t code;                 /* Meta's error code, or -1 */
    int status;                   /* HTTP status, 0 without a response */
    uint32_t retry_after_s;       /* asked for by the server, or 0 */
    uint64_t retry_at_s;          /* the same as a date, Unix seconds, or 0 */
    struct span wamid;            /* of an accepted one, at most 128 bytes; borrowed, see below */
    struct span reason;    /* words for people: "(#131026) Message undeliverable"; borrowed */
    char reason_text[160]; /* memory for `reason` where it is composed */
};

/*
 * `exchange` as it ended. The verdict's spans are valid as long as the exchange's response is and
 * the verdict stays where it is: they may point into its own reason_text, so copy what a copy
 * needs.
 *
 *   2xx and messages[0].id            accepted
 *   error.code of the table           by its class: failed; later (retry_limited costs an attempt,
 *                                     throttles do not); stop_phone and stop_account are later and
 *                                     free: the account must stop, its notifications are good
 *   error.code not in the table       429, 503: later, free, as a throttle; other 4xx: failed;
 *                                     other 5xx: later; any other status: uncertain, for it says
 *                                     yes and no
 *   not processed                     later, free; where trying again at once does not help, it
 *                                     is for the account to wait
 *   anything else                     uncertain, whatever its status; 429 and 503 slow the account
 *                                     all the same, or the whole queue would become uncertain
 */
void verdict_judge(const struct h2_exchange *exchange, enum h2_end end, struct verdict *verdict);
const char *verdict_kind_text(enum verdict_kind kind);

#endif
