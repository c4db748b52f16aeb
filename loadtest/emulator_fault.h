/*
 * emulator_fault - what goes wrong, how often, and for which request.
 *
 * Which request is hit depends on the seed and the request's number alone, so a run can be
 * repeated. At most one fault a request.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_FAULT_H
#define FACTEUR_LOADTEST_EMULATOR_FAULT_H

#include "sender/base/random.h"
#include "sender/base/bytes.h"

/* name, text, accepted: whether the message is accepted and billed all the same, help. */
#define EMULATOR_FAULTS(X)                                                                         \
    X(GRAPH_5XX, "5xx_graph", false, "HTTP 500 or 503 with Graph's error body; not accepted")      \
    X(HTML_5XX, "5xx_html", false, "HTTP 502 with a proxy's page; not accepted, but who knows")    \
    X(LOST_5XX, "5xx_lost", true, "HTTP 504 with a proxy's page; accepted all the same")           \
    X(THROTTLE, "throttle", false, "130429, the account's rate limit; not accepted")               \
    X(PAIR, "pair", false, "131056, the pair's rate limit; not accepted")                          \
    X(REFUSED, "refused", false, "RST_STREAM(REFUSED_STREAM); not accepted")                       \
    X(GOAWAY, "goaway", true, "answers, GOAWAY after this stream, closes when drained")            \
    X(RESET_AFTER, "reset_after", true, "accepted, then RST_STREAM(INTERNAL_ERROR), no answer")    \
    X(CONNECTION_RESET, "connection_reset", true, "accepted, then a TCP reset, no answer")         \
    X(BLACK_HOLE, "black_hole", true, "accepted, never answered")                                  \
    X(CUT, "cut", true, "accepted; half the body, then RST_STREAM or the end of the connection")   \
    X(DRIBBLE, "dribble", true, "accepted; the answer comes in small pieces over 100 ms")          \
    X(SLOW, "slow", true, "accepted; the answer comes after 5 s")

enum emulator_fault {
#define EMULATOR_FAULT(name, text, accepted, help) EMULATOR_FAULT_##name,
    EMULATOR_FAULTS(EMULATOR_FAULT)
#undef EMULATOR_FAULT
        EMULATOR_FAULT_NONE,
};
enum { EMULATOR_FAULT_KINDS = EMULATOR_FAULT_NONE };

struct emulator_faults {
    double rates[EMULATOR_FAULT_KINDS]; /* share of requests, 0..1; their sum is at most 1 */
};

/* Sets one rate: "5xx_graph=0.01"; "5xx" shares its rate among the three. False: see error. */
bool emulator_faults_set(struct emulator_faults *faults, struct span name, struct span rate,
                         struct error_text *error);

/* The same from one flat JSON object, {"cut":0.01}; rates not named stay. Nothing changes on
 * failure. `json` is changed. */
bool emulator_faults_read(struct emulator_faults *faults, struct span json,
                          struct error_text *error);

/* Which fault the next number of `random` means. */
enum emulator_fault emulator_faults_roll(const struct emulator_faults *faults,
                                         struct random *random);

/* The dice of one request. */
void emulator_dice(struct random *random, uint64_t seed, uint64_t number);

const char *emulator_fault_text(enum emulator_fault fault); /* its name; static */
const char *emulator_fault_help(enum emulator_fault fault); /* static */
bool emulator_fault_accepts(enum emulator_fault fault);     /* true for none */

#endif
