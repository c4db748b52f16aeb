/*
 * chaos_house - a private Redis, an emulator and senders, all of them processes of ours, on a unix
 * socket and loopback, in a folder of their own.
 *
 * Redis may be away (killed, stopped, reading its log) at any time: questions to it then give NULL
 * at once, and its connection is made anew when it is back.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_HOUSE_H
#define FACTEUR_LOADTEST_CHAOS_HOUSE_H

#include "loadtest/chaos_redis.h"
#include "loadtest/load_emulator.h"
#include "loadtest/load_options.h"

enum {
    CHAOS_FOLDER_MAX = 90, /* bytes: a socket's path has 107 at most */
    CHAOS_REDIS_MAX = 2,
    CHAOS_SENDERS_MAX = 8,
    CHAOS_ACCOUNTS_MAX = 8,
    CHAOS_WORKERS = 1, /* of each sender */
    CHAOS_CONNECTIONS = 2,
    CHAOS_STREAMS = 6, /* a connection: few, or each fault would park much of what it meets */
    CHAOS_LEASE_MS = 2000,
    CHAOS_REQUEST_TIMEOUT_MS = 2000,
    CHAOS_UNCERTAIN_WAIT_MS = 5000,
};

struct chaos_house {
    struct loop *loop;
    const struct load_options *options;
    char folder[CHAOS_FOLDER_MAX];
    char programs[CHAOS_PATH_MAX]; /* where facteur-load and facteur-emulator lie */
    char places[400];              /* of every Redis, with commas between */
    char url[128];                 /* of the emulator */
    char ca_file[CHAOS_PATH_MAX];
    struct chaos_redis redis[CHAOS_REDIS_MAX]; /* the second is a replica, with --failover */
    uint32_t master;                           /* which of them is the one that is written to */
    uint16_t ports[CHAOS_REDIS_MAX];           /* of loopback, between them; 0: none */
    struct chaos_child emulator;
    struct chaos_child senders[CHAOS_SENDERS_MAX];
    uint32_t sender_count;
    struct load_redis link; /* to Redis; valid while `linked` */
    bool linked;
    uint64_t look_us;             /* not before: to Redis that is away */
    struct load_emulator control; /* valid while `controlled` */
    bool controlled;
    struct error_text error; /* of what failed last */
};

/* The accounts that a house of `count` has, at most CHAOS_ACCOUNTS_MAX: acme/fr, acme/es, … */
bool chaos_house_accounts(struct load_options *options, uint64_t count, struct error_text *error);

/*
 * Makes the folder and starts everything; waits until each sender is ready. False with a sentence
 * in house->error; chaos_house_close() is needed all the same.
 */
bool chaos_house_open(struct chaos_house *house, struct loop *loop,
                      const struct load_options *options);
/* Ends what runs: by kill -9, each by its pid. Removes the folder unless `keep`. */
void chaos_house_close(struct chaos_house *house, bool keep);

/* Outcomes kept in each account's events: so many that none is trimmed. */
uint64_t chaos_house_events_keep(const struct chaos_house *house);

/* The master: the Redis that is written to. */
struct chaos_redis *chaos_house_master(struct chaos_house *house);
bool chaos_house_start_master(struct chaos_house *house);

/*
 * Failover, in three steps: the replica hears nothing more of its master (but is a replica still);
 * the master dies, and the replica is the master, of all that it had heard; a new replica, with an
 * empty folder, is started from it.
 */
bool chaos_house_cut_off_replica(struct chaos_house *house);
bool chaos_house_promote_replica(struct chaos_house *house);
bool chaos_house_start_replica(struct chaos_house *house);
/* There is one, and it has heard all that the master had said before this call. */
bool chaos_house_has_replica(struct chaos_house *house);

bool chaos_house_start_sender(struct chaos_house *house, uint32_t number);

/* Redis can be asked: it runs, has read its log, and the connection stands. */
bool chaos_house_has_redis(struct chaos_house *house);
/* NULL with a sentence in house->error: it cannot be asked now, or said an error. */
const struct reply *chaos_house_ask(struct chaos_house *house, const char *const *parts);

/* How many members are granted and not settled; by our own reading of A:grants. False: not now. */
bool chaos_house_granted(struct chaos_house *house, uint64_t *granted);
/* Members claimed in an account of which nothing is granted. False: not now. */
bool chaos_house_only_claimed(struct chaos_house *house, uint64_t *claims);
/* Everything of the library's own count is 0: waiting, urgent, claimed, granted, later; and
 * uncertain, if `uncertain_too`. False: not, or Redis cannot be asked now. */
bool chaos_house_is_quiet(struct chaos_house *house, bool uncertain_too);

/* GET, or POST of `body`, from the emulator. False with house->error. */
bool chaos_house_control(struct chaos_house *house, const char *path, const char *body,
                         struct span *answer);

#endif
