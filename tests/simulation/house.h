/*
 * house - the processes of a run: each a sender with a worker or two, stepped in turns by the dice.
 *
 * A process may be killed (kill -9: its links are gone, its memory is forgotten), stopped (SIGSTOP:
 * between two turns, or in the middle of one, right before its output reaches the kernel), drained
 * (SIGTERM) or ended at once (a second one), and its machine's wall clock may be wrong.
 */
#ifndef FACTEUR_TESTS_SIMULATION_HOUSE_H
#define FACTEUR_TESTS_SIMULATION_HOUSE_H

#include "sender/worker.h"
#include "tests/simulation/world.h"

enum { HOUSE_HOSTS = 3, HOST_WORKERS = 2, HOUSE_WORKERS = HOUSE_HOSTS * HOST_WORKERS };
enum { HOUSE_ENDS_MAX = 64 };

struct house;

struct host {
    struct house *house;
    uint32_t number;
    char name[8];
    struct sender sender;                 /* a copy of the house's; its accounts are the house's */
    struct worker *workers[HOST_WORKERS]; /* NULL: none */
    uint32_t worker_count;
    struct wall_clock clock;
    uint64_t stopped_until_us; /* SIGSTOP; 0: it runs */
    uint64_t stop_in_turn_us;  /* for so long it will be stopped within its next output; 0: not */
    bool in_turn;              /* one of its workers is in a turn */
    bool kill_wanted;          /* when that turn is over */
};

struct house {
    struct world *world;
    struct sender *sender; /* what all processes are made of; settings are this run's */
    struct host hosts[HOUSE_HOSTS];
    uint64_t turns;
    uint64_t ended_us[HOUSE_ENDS_MAX]; /* when workers ended, in whatever way */
    uint32_t ended_count;
};

/* What does not change from run to run: tables, templates, rate cards. Once a program. */
struct sender *house_build_sender(uint32_t accounts);
void house_free_sender(struct sender *sender);

void house_open(struct house *house, struct world *world, struct sender *sender);
void house_close(struct house *house); /* kills who still runs */

bool host_is_up(const struct host *host);
bool host_is_ending(const struct host *host); /* it drains, or ends at once */
void host_start(struct host *host, uint32_t workers);
void host_kill(struct host *host);
void host_stop(struct host *host, uint64_t for_us, bool in_turn);
void host_drain(struct host *host);
void host_abort(struct host *host); /* the second SIGTERM */

/* Everything that happens until then. */
void house_run_until(struct house *house, uint64_t until_us);

#endif
