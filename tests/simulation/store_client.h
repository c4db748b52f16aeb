/*
 * store_client - a connection: what it sent, what it is answered, and what it waits for.
 *
 * The part that tests use is in store.h.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_CLIENT_H
#define FACTEUR_TESTS_SIMULATION_STORE_CLIENT_H

#include "tests/simulation/store.h"
#include "tests/simulation/store_list.h"
#include "tests/simulation/store_reader.h"
#include "tests/simulation/store_stream.h"

#define STORE_CLIENT_MAGIC 0x636c6e74u

/* Between MULTI and EXEC, and the keys that are watched meanwhile. */
struct store_transaction {
    bool is_open;
    bool is_refused;          /* a command was refused: EXEC gives it up */
    bool is_overtaken;        /* a watched key has changed: EXEC does nothing */
    size_t count;             /* commands that wait */
    struct store_bytes queue; /* they, as they came: RESP */
    uint32_t flags_any;       /* flags that one of them has */
    uint32_t flags_all;       /* flags that all of them have */
    struct store_list watched;
    uint64_t expires_ms; /* when the first watched key goes; 0: none does */
};

/* Inside XREAD BLOCK. */
struct store_blockade {
    bool is_on;
    struct store_list keys;
    struct store_id *after; /* owned; one a key */
    uint64_t at_most;       /* entries */
    uint64_t until_us;      /* 0: for ever */
};

struct store_client {
    uint32_t magic;
    struct store *store;
    struct store_client *next; /* the one that came after */
    int64_t id;
    bool is_open;
    bool is_ending;          /* closes after this command */
    bool is_resumed;         /* was blocked: what it sent meanwhile is to be looked at */
    struct store_text *name; /* or NULL */
    struct store_reader reader;
    struct store_bytes reply;
    size_t taken; /* bytes of the reply */
    struct store_transaction transaction;
    struct store_blockade blockade;
};

/* NULL: no open connection has this number. */
struct store_client *store_client_find(struct store *store, int64_t id);
/* Ends it; what was answered stays to be taken, unless the whole process is gone. */
void store_client_close(struct store_client *client);
/* Closes all, replies included. */
void store_client_crash_all(struct store *store);

/* A key has changed, or all of them: whoever watches it must know. */
void store_client_touch(struct store *store, struct span key);
void store_client_touch_all(struct store *store);
void store_transaction_forget(struct store_client *client); /* as DISCARD */

/* Blocks, in XREAD. Takes over keys and ids. */
void store_client_block(struct store_client *client, const struct store_blockade *blockade);
void store_client_unblock_now(struct store_client *client); /* the caller has answered */
/* A stream got an entry: looked at when the command is over. */
void store_client_stream_grew(struct store *store, struct span key);
/* The command is over: answers who was blocked for what it brought, and goes on with their input.
 */
void store_client_serve(struct store *store);

#endif
