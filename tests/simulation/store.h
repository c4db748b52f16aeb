/*
 * store - a Redis in the test's own memory: the one of the seeded simulation.
 *
 * It speaks RESP2 with any number of connections, runs the real queue/library.lua in Lua 5.1, and
 * answers as Redis 7.0 does: shapes, error texts, stream ids, expiries. It owns no socket, thread
 * or clock: bytes go in and come out, time is what store_set_time() said last, and chance comes
 * from the seed. So the same calls give the same bytes. What is fed is done at once: how late bytes
 * arrive is the caller's business.
 *
 * It knows the commands that facteur uses; any other is answered as unknown, and an option that is
 * not known as a syntax error. tests/scenario/store_conformance_test.py compares it with a real
 * one.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_H
#define FACTEUR_TESTS_SIMULATION_STORE_H

#include "queue/session.h"
#include "sender/base/bytes.h"

struct store;
struct store_mark;

struct store_settings {
    uint64_t seed;   /* of run ids and of the order of what Redis keeps unordered */
    uint64_t now_us; /* Unix microseconds; > 0 */
    /* As Redis with huge hash-max-listpack-*: a hash of any size tells its fields in the order in
     * which they came. Otherwise those beyond Redis' defaults (512 fields, 64 bytes in one) tell
     * them in an order of the seed's, from then on. */
    bool in_order;
    /* The data and the library of this moment, of this store or another: a replica, or the library
     * loaded once for many runs (which is four times as fast). NULL: empty. */
    const struct store_mark *begin;
};

struct store *store_open(const struct store_settings *settings);
/* Connections and marks must have been given back before. NULL is allowed. */
void store_close(struct store *store);

/* Time may go back as well, as a machine's clock may. Answers what was blocked for long enough. */
void store_set_time(struct store *store, uint64_t now_us);
uint64_t store_time(const struct store *store); /* Unix microseconds */
/* When the first blocked command ends without data. False: none is blocked with a time-out. */
bool store_next_timeout(const struct store *store, uint64_t *at_us);

/* ---- connections ---------------------------------------------------------------------------- */

struct store_client;

/* Never fails. Ended by store_disconnect(), whether or not the store has ended it before. */
struct store_client *store_connect(struct store *store);
void store_disconnect(struct store_client *client);

/* Requests, in any pieces, pipelined. What comes while a command is blocked waits behind it. What
 * comes to a connection that is closed is ignored. */
void store_client_feed(struct store_client *client, const char *data, size_t size);
/* Moves reply bytes into `out`, as many as fit. What was answered before the end can still be taken
 * after it, unless the store crashed. */
void store_client_take(struct store_client *client, struct buffer *out);
size_t store_client_pending(const struct store_client *client); /* reply bytes not yet taken */
/* False: the store has ended it (CLIENT KILL, QUIT, bytes that are no RESP, a crash). */
bool store_client_is_open(const struct store_client *client);
bool store_client_is_blocked(const struct store_client *client); /* waits inside XREAD BLOCK */
int64_t store_client_id(const struct store_client *client);      /* as CLIENT ID says */

/* ---- faults --------------------------------------------------------------------------------- */

/* A moment to which a crash can go back: the data and the library as they are now. Cheap: what
 * does not change afterwards is shared. Owned by the caller. */
struct store_mark *store_mark(struct store *store);
void store_mark_drop(struct store_mark *mark); /* NULL is allowed */

/*
 * The process dies and comes back: all connections are closed and their replies lost, what the
 * library kept in Lua variables is gone, the run id is another one. The library itself and the data
 * stay: all of it (NULL: the log was written always), or as it was at `mark` (everysec, or a
 * failover to a replica that lagged). The mark stays the caller's and good.
 */
void store_crash(struct store *store, const struct store_mark *mark);

/* What commands are answered for a while; those that Redis answers even then (INFO, CLIENT …) go
 * on. store_call() is never refused. */
enum store_trouble {
    STORE_WELL,
    STORE_LOADING,    /* reads its files */
    STORE_BUSY,       /* somebody's script runs for too long */
    STORE_READONLY,   /* a replica: ROLE says so too, and writes are refused */
    STORE_MASTERDOWN, /* a replica without its master that does not answer with old data */
    STORE_OOM,        /* maxmemory is reached: whatever takes memory is refused */
    STORE_MISCONF,    /* cannot write its files: writes are refused */
};
void store_set_trouble(struct store *store, enum store_trouble trouble);

/* What INFO memory says, in bytes; `max` 0: no limit. At the start 1 MiB of no limit. It refuses
 * nothing: that is STORE_OOM. */
void store_set_memory(struct store *store, uint64_t used, uint64_t max);

/* ---- direct access, for checks -------------------------------------------------------------- */

/* One command done at once, by nobody's connection. Never blocks. The reply is valid until the next
 * store_call(). */
const struct reply *store_call(struct store *store, const struct span *words, size_t count);
/* The same from texts, closed by NULL: store_words(store, "HGET", key, field, NULL). */
const struct reply *store_words(struct store *store, const char *word, ...)
    __attribute__((sentinel));
/* FUNCTION LOAD REPLACE of queue/library.lua as it is built in. Checks that it is accepted. */
void store_load_library(struct store *store);

/* How many commands were done, those inside functions too: what a run cost, and in a replay the
 * quickest way to see that it went the same way. */
uint64_t store_command_count(const struct store *store);

#endif
