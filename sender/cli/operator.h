/*
 * operator - who changes something by hand, and why: asked for by each verb that does, and kept in
 * the account's state or the log of its dead entries.
 */
#ifndef FACTEUR_SENDER_CLI_OPERATOR_H
#define FACTEUR_SENDER_CLI_OPERATOR_H

#include "sender/cli/cli.h"

enum { OPERATOR_WHO_MAX = 128, OPERATOR_WHY_MAX = 512 }; /* bytes; as in library.lua */

struct operator_options {
    const char *who;
    const char *why;
};

#define OPERATOR_ROWS(person)                                                                      \
    {"reason", OPTION_TEXT, &(person)->why, "TEXT", "why: it stands in the log", NULL},            \
    {                                                                                              \
        "by", OPTION_TEXT, &(person)->who, "NAME", "who; default: your user name", "USER"          \
    }

void operator_init(struct operator_options *person);
/* Both are given and short enough. False after saying what is missing. */
bool operator_is_known(const struct operator_options *person, const char *verb);

/* Calls a function of the library for an account, with these arguments. NULL when the connection
 * was lost or Redis said no, which has been said. Valid until the next call. */
const struct reply *operator_call(struct redis_sync *sync, const struct account_keys *keys,
                                  const char *verb, const struct span *words, size_t count);

/* Reads account `index` of the options. False after saying what is wrong with its name. */
bool operator_account(const struct cli_store *store, uint32_t index, const char *verb,
                      struct account_keys *keys);

/* The value beside `name` in a flat list of names and values; data is NULL if there is none. */
struct span operator_value(const struct reply *flat, const char *name);
uint64_t operator_number(const struct reply *flat, const char *name); /* 0 if it is none */

/* Says what Redis answered instead. Returns EXIT_UNAVAILABLE. */
int operator_say_trouble(struct redis_sync *sync, const struct reply *reply, const char *verb);

#endif
