/*
 * audit - does it all add up? Facts from three sides go in, a report comes out.
 *
 *   the generator   what was written, and what is expected of it
 *   Redis           where each member is, the outcomes told in events, the ledger
 *   the emulator    what it accepted and what it charges
 *
 * Pure: no clock, no socket. Facts may come in any order and while the sender is at work; one about
 * a member whose notification is not known yet is kept under the member's name until somebody says
 * which notification that was. Memory: 112 bytes a notification, and 8 for finding it by its
 * member.
 */
#ifndef FACTEUR_LOADTEST_AUDIT_H
#define FACTEUR_LOADTEST_AUDIT_H

#include "loadtest/generator.h"
#include "sender/base/histogram.h"

enum {
    AUDIT_MESSAGES_MAX = 20000000,
    AUDIT_EXAMPLES_MAX = 5, /* of each kind of problem */
};

#define AUDIT_UNKNOWN                                                                              \
    UINT64_MAX /* a notification that is not, or not yet, known as one of ours                     \
                */

/* Final outcomes. NONE: not told yet. */
enum audit_outcome {
    AUDIT_NONE,
    AUDIT_ACCEPTED,
    AUDIT_REFUSED,
    AUDIT_DUPLICATE,
    AUDIT_EXPIRED,
    AUDIT_FAILED,
    AUDIT_DEAD,
    AUDIT_DROPPED,
    AUDIT_OUTCOMES
};

/* Where Redis has a member; several bits for one member may be a contradiction. */
enum audit_place {
    AUDIT_IN_STREAM = 1, /* queue, urgent or replies, and not left yet */
    AUDIT_CLAIMED = 2,   /* beside the above: some claim covers it */
    AUDIT_GRANTED = 4,   /* beside the above: some grant names it and has not settled it */
    AUDIT_LATER = 8,
    AUDIT_UNCERTAIN = 16,
    AUDIT_IN_DEAD = 32,
    AUDIT_PARKED = 64, /* in dead as uncertain: no receipt came in time; no outcome */
};

/* What can be wrong; the table holds name (JSON), and words for people. */
#define AUDIT_PROBLEMS(X)                                                                          \
    X(LOST, "lost", "nowhere: no outcome and in no place")                                         \
    X(UNTOLD, "untold", "nowhere, but events were trimmed: lost or not, who can tell")             \
    X(TWO_OUTCOMES, "two_outcomes", "more than one final outcome")                                 \
    X(TWO_PLACES, "two_places", "in two places at once")                                           \
    X(NO_EVENT, "no_event", "in dead without an event")                                            \
    X(ACCEPTED_TWICE, "accepted_twice", "accepted twice on the other side: a duplicate")           \
    X(ID_TWICE, "id_twice", "one id accepted under two members: a duplicate")                      \
    X(UNEXPECTED_DUPLICATE, "unexpected_duplicate", "called a duplicate, but its id is alone")     \
    X(BILL_ONLY, "bill_only", "on the bill, neither accepted nor uncertain here")                  \
    X(EVENT_ONLY, "event_only", "accepted here, not on the bill")                                  \
    X(PRICE, "price", "the bill has another price")                                                \
    X(WAMID, "wamid", "the bill has another message id")                                           \
    X(NO_WAMID, "no_wamid", "accepted here without a message id")                                  \
    X(RECIPIENT, "recipient", "sent to somebody else")                                             \
    X(COUNTRY, "country", "charged as another country")                                            \
    X(LEDGER, "ledger", "the ledger is not the sum of the accepted events")                        \
    X(DIFFERENCE, "difference", "bill - ledger - exposure is not zero")                            \
    X(FINE_REFUSED, "fine_refused", "fine, but refused")                                           \
    X(FALSE_ALARM, "false_alarm", "fine, but refused as promotional")                              \
    X(FINE_EXPIRED, "fine_expired", "fine and just written, but expired")                          \
    X(PROMOTIONAL_SENT, "promotional_sent", "promotional, but accepted")                           \
    X(BAD_SENT, "bad_sent", "malformed, but accepted")

enum audit_problem {
#define X(name, json, text) AUDIT_##name,
    AUDIT_PROBLEMS(X)
#undef X
        AUDIT_PROBLEM_COUNT
};

/* The streams of an account. Two of them may give an entry the same id in the same millisecond, so
 * ENTRY has a letter in front for all but the queue's. */
enum audit_stream { AUDIT_QUEUE, AUDIT_URGENT, AUDIT_REPLIES, AUDIT_STREAMS };

/* ENTRY/n of an account, exactly. */
struct audit_member {
    uint64_t ms; /* of the stream id */
    uint32_t seq;
    uint8_t index;   /* 1 … 64 of a bulk entry, 0 of a single one */
    uint8_t stream;  /* enum audit_stream */
    uint8_t account; /* index as in the generator */
    bool known;      /* false: all of it is nothing */
};

/* From "u1732377600000-0/3". False: not a member's name. */
bool audit_read_member(struct span name, uint32_t account, struct audit_member *member);
/* Of an attempt, by its place in a grant. */
uint64_t audit_hash_token(struct span grant, uint64_t index);
/* The member's name, back. */
void audit_put_member(const struct audit_member *member, struct buffer *out);
const char *audit_stream_name(enum audit_stream stream); /* "queue", … static */

/* One final outcome, as an event tells it. */
struct audit_event {
    struct audit_member member;
    uint64_t n; /* or AUDIT_UNKNOWN */
    enum audit_outcome outcome;
    bool by_policy;          /* refused for what it says */
    bool possible_duplicate; /* sent again knowingly */
    uint64_t price;          /* millionths */
    struct span wamid;
    struct span country; /* alpha-2, or empty */
    uint64_t at_ms;      /* Unix */
};

/* One line of the emulator's bill. */
struct audit_charge {
    struct audit_member member;
    uint64_t token; /* audit_hash_token() of the attempt; 0: unknown */
    uint64_t price;
    struct span wamid;
    struct span to; /* "+33…" or bare digits */
    struct span country;
};

struct audit_example {
    uint64_t n; /* or AUDIT_UNKNOWN */
    struct audit_member member;
    char detail[96];
};

/* How much of the world was seen. */
struct audit_view {
    bool events_whole; /* no event was missed */
    bool ours_whole;   /* no event since ours were written was missed */
    bool has_bill;     /* every charge was given */
};

struct audit_report {
    uint64_t seed;
    uint64_t generated;
    uint64_t outcomes[AUDIT_OUTCOMES]; /* of ours; [AUDIT_NONE] is 0 */
    uint64_t refused_by_policy;
    uint64_t parked, later, waiting, claimed, granted; /* without outcome, each counted once */
    uint64_t lost;
    uint64_t duplicates, possible_duplicates;
    uint64_t foreign; /* members that are not ours */
    struct audit_view view;
    uint64_t trimmed; /* outcomes whose events were gone: accepted ones are known by the bill */
    uint64_t expected[GENERATED_KINDS];
    int64_t ledger, events, bill; /* millionths, ours and foreign */
    int64_t exposure;             /* all attempts without answer or receipt, as quoted */
    int64_t exposure_billed;      /* of that, what the bill has */
    int64_t in_flight_billed;     /* granted, on the bill, not settled: the sender is at work */
    int64_t difference;           /* bill - ledger - exposure_billed - in_flight_billed */
    uint64_t first_ms, last_ms;   /* of the final outcomes */
    struct histogram latency_ms;  /* from XADD to outcome */
    uint64_t problems[AUDIT_PROBLEM_COUNT];
    struct audit_example examples[AUDIT_PROBLEM_COUNT][AUDIT_EXAMPLES_MAX];
    bool good; /* no problem of any kind */
};

/* What is known while it goes on. */
struct audit_live {
    uint64_t done;     /* ours with a final outcome, or parked */
    uint64_t accepted; /* of all members seen, like the following ones */
    uint64_t refused;
    uint64_t other;
    uint64_t parked;
    uint64_t money; /* millionths of the accepted */
};

struct audit;

struct audit *audit_open(const struct generator *generator); /* copied; its templates unused */
void audit_close(struct audit *audit);

/* Somebody saw notification `n` under this name. */
void audit_bind(struct audit *audit, struct audit_member member, uint64_t n);
/* Its producer heard no answer and wrote `n` again: it may be there as two members. What counts is
 * the one that was not told off as a duplicate; the other belongs to nobody. */
void audit_repeated(struct audit *audit, uint64_t n);
void audit_event(struct audit *audit, const struct audit_event *event);
void audit_uncertain(struct audit *audit, struct audit_member member, uint64_t n); /* the event */
/* The event of a charge that came after the outcome, or besides it. */
void audit_corrected(struct audit *audit, struct audit_member member, uint64_t n, uint64_t price);
void audit_place(struct audit *audit, struct audit_member member, uint64_t n,
                 enum audit_place place);
/* An attempt of which neither answer nor receipt has told: what it may cost. */
void audit_exposed(struct audit *audit, struct audit_member member, uint64_t token, uint64_t price);
/* An attempt that a receipt proved while its member is on its way again: charged, told later. */
void audit_proven(struct audit *audit, struct audit_member member, uint64_t price);
/* Whatever becomes of it, it is known that it may be sent twice. */
void audit_flag_possible(struct audit *audit, struct audit_member member);
/* A record in the dead stream, with the outcome's word it was given. */
void audit_dead(struct audit *audit, struct audit_member member, uint64_t n,
                enum audit_outcome outcome);
void audit_charge(struct audit *audit, const struct audit_charge *charge);
/* A charge that names no member of ours: somebody else's, or callback data that was spoilt. */
void audit_stranger(struct audit *audit, uint64_t price);
/* Cells of the ledger: added up. */
void audit_ledger(struct audit *audit, uint64_t millionths);
/* Places are a photograph: forgets the last one before another is taken. */
void audit_forget_places(struct audit *audit);

/* The member of notification `n`; `known` is false if nobody has named it. */
struct audit_member audit_member_of(const struct audit *audit, uint64_t n);
const struct audit_live *audit_live(const struct audit *audit);

/* Judges. Once, at the end. */
void audit_finish(struct audit *audit, const struct audit_view *view, struct audit_report *report);

const char *audit_outcome_text(enum audit_outcome outcome);             /* "accepted", … static */
bool audit_read_outcome(struct span text, enum audit_outcome *outcome); /* false: not a final one */
const char *audit_problem_name(enum audit_problem problem);             /* as in JSON; static */
const char *audit_problem_text(enum audit_problem problem);

#endif
