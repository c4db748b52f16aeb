/*
 * world - one simulated run: its time, its dice, its agenda, its weather and its story.
 *
 * Everything that happens in a run happens in one thread, at a time of the world's, in an order
 * that the dice give. The dice begin with the seed: the same seed is the same run, to the byte.
 *
 * The product reads clocks and secrets through headers without a context, so one world at a time is
 * the current one (world_use()).
 */
#ifndef FACTEUR_TESTS_SIMULATION_WORLD_H
#define FACTEUR_TESTS_SIMULATION_WORLD_H

#include "sender/base/bytes.h"
#include "sender/base/random.h"
#include "sender/base/timers.h"
#include "tests/simulation/weather.h"

enum { WORLD_AGENDA_MAX = 1 << 16 };

/* A machine's wall clock, beside the world's: how far it was set wrong. */
struct wall_clock {
    int64_t wrong_ms;
};

struct world {
    uint64_t seed;
    struct random dice;
    struct weather weather;
    uint64_t now_us;             /* monotonic; starts at WORLD_START_US */
    struct timers agenda;        /* all that is to happen, but for the workers' own timers */
    const struct wall_clock *at; /* whose code runs now; NULL: nobody's, its clock is right */
    const char *teller;          /* whose log lines are told */
    bool tells;                  /* --verbose: the story goes to standard output */
    uint64_t things;             /* that happened: tells two runs apart at once */
    uint32_t faults;             /* broken beliefs found by the audit */
};

/* 2026-11-23 14:00 UTC: the rate cards of the repository are in force. */
#define WORLD_UNIX_MS  1795442400000u
#define WORLD_START_US 1000000u

void world_open(struct world *world, uint64_t seed, bool tells);
void world_close(struct world *world);
void world_use(struct world *world);
struct world *world_current(void); /* the one in use */

/* Unix time of the world itself, in microseconds: what a right clock shows. */
uint64_t world_unix_us(const struct world *world);

/* Dice. A chance is in a million. */
bool world_chance(struct world *world, uint32_t in_a_million);
uint64_t world_between(struct world *world, uint64_t least, uint64_t most); /* both included */

/* What is due by now is done. */
void world_run_agenda(struct world *world);
uint64_t world_next_us(const struct world *world); /* when the agenda goes on; UINT64_MAX: never */

/* One line of the story. Nothing is formatted when nobody listens. */
#define world_tell(world, who, ...)                                                                \
    do {                                                                                           \
        if ((world)->tells)                                                                        \
            world_tell_line(world, who, __VA_ARGS__);                                              \
    } while (0)
void world_tell_line(const struct world *world, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A broken belief: told with the seed, counted; the run goes on. */
void world_fault(struct world *world, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
