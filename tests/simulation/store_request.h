/*
 * store_request - one command on its way: its words, who asks, and where the reply goes. With the
 * readers that commands share: each judges one word and answers what Redis answers if it is bad.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_REQUEST_H
#define FACTEUR_TESTS_SIMULATION_STORE_REQUEST_H

#include "tests/simulation/store.h"
#include "tests/simulation/store_reply.h"
#include "tests/simulation/store_value.h"

struct store_request {
    struct store *store;
    struct store_client *client; /* NULL: nobody's, from a function or store_call() */
    const struct span *words;    /* borrowed; words[0] names the command */
    size_t count;
    struct store_bytes *reply;
    bool may_block;
    bool in_function;
};

/* Readers of one word. False: an error was answered. */
bool store_request_i64(const struct store_request *request, size_t index, int64_t *number);
bool store_request_double(const struct store_request *request, size_t index, double *number);
bool store_request_is(const struct store_request *request, size_t index, const char *word);
void store_request_syntax(const struct store_request *request); /* ERR syntax error */
void store_request_arity(const struct store_request *request);  /* wrong number of arguments */

/*
 * The value of the key that words[index] names. False: it has another type, WRONGTYPE was answered.
 * True: *value, or NULL if there is no such key. `find` is for reading, `edit` for changing what is
 * there, `open` makes the key if it is missing.
 */
bool store_request_find(const struct store_request *request, size_t index, enum store_type type,
                        struct store_value **value);
bool store_request_edit(const struct store_request *request, size_t index, enum store_type type,
                        struct store_value **value);
bool store_request_open(const struct store_request *request, size_t index, enum store_type type,
                        struct store_value **value);
/* After a change: whoever watches the key learns it, and an empty one goes. */
void store_request_changed(const struct store_request *request, size_t index);

/* The cursor of SCAN and its like, and the options from words[first] on; without MATCH the pattern
 * is `*`. Everything is told at once, so the reply's cursor is always 0. False: an error was
 * answered. */
bool store_request_cursor(const struct store_request *request, size_t index);
bool store_request_scan(const struct store_request *request, size_t first, struct span *pattern);
/* Answers it: `found` holds `count` elements, and is freed. */
void store_request_scanned(const struct store_request *request, struct store_bytes *found,
                           size_t count);

/* Strict decimal with a sign, as Redis reads whole numbers; and its floating ones. */
bool store_read_i64(struct span text, int64_t *number);
bool store_read_double(struct span text, double *number);
bool store_is_word(struct span text, const char *word); /* without regard to case */
/* Redis' patterns: * ? [a-z] and a backslash before what stands for itself. */
bool store_is_match(struct span pattern, struct span text);

#endif
