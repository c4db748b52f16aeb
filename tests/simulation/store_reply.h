/*
 * store_reply - RESP2 written, and read again: into a tree for checks. (Lua reads it itself.)
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_REPLY_H
#define FACTEUR_TESTS_SIMULATION_STORE_REPLY_H

#include "queue/session.h"
#include "tests/simulation/store_bytes.h"

void store_reply_nil(struct store_bytes *reply);
void store_reply_nil_array(struct store_bytes *reply);
void store_reply_ok(struct store_bytes *reply);
void store_reply_status(struct store_bytes *reply, const char *status);
/* `format` begins with the code: "ERR no such thing". Line ends become spaces. */
void store_reply_error(struct store_bytes *reply, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void store_reply_i64(struct store_bytes *reply, int64_t number);
void store_reply_text(struct store_bytes *reply, struct span text);
void store_reply_double(struct store_bytes *reply, double number); /* a text, 17 digits */
void store_reply_array(struct store_bytes *reply, size_t count);   /* its elements follow */

/* One element's head: its type (`$`, `*`, `:`, `+`, `-`), its number (-1: nil) or its text, read
 * from *at, which moves behind it. What is written here is whole, so reading checks. */
struct store_reply_head {
    char type;
    int64_t number;   /* `:`: the number. `$`, `*`: size, count, or -1 */
    struct span text; /* `$`, `+`, `-` */
};
struct store_reply_head store_reply_read_head(struct span bytes, size_t *at);

/* A whole reply as a tree in the arena, which is made larger if needed. Texts are borrowed from
 * `bytes`. */
const struct reply *store_reply_read(struct span bytes, struct arena *arena);

#endif
