/*
 * store_value - what stands under a key: one of Redis' types, and when it expires.
 *
 * A value that several hold (the data and the marks) is not changed: store_keys_write() copies it
 * first.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_VALUE_H
#define FACTEUR_TESTS_SIMULATION_STORE_VALUE_H

#include "tests/simulation/store_list.h"
#include "tests/simulation/store_ranking.h"
#include "tests/simulation/store_stream.h"

enum store_type {
    STORE_STRING,
    STORE_LIST,
    STORE_HASH,
    STORE_SET,
    STORE_RANKING, /* Redis says zset */
    STORE_STREAM
};

struct store_value {
    uint32_t references;
    enum store_type type;
    uint64_t expires_ms; /* Unix milliseconds; 0: never */
    bool is_scattered;   /* a hash or set that Redis would tell in no order any more */
    union {
        struct store_text *text; /* STRING: held */
        struct store_list list;
        struct store_dict dict; /* HASH: values are held texts. SET: nothing hangs there */
        struct store_ranking ranking;
        struct store_stream stream;
    };
};

struct store_value *store_value_new(enum store_type type); /* one reference; a STRING is NULL yet */
struct store_value *store_value_hold(struct store_value *value);
void store_value_drop(struct store_value *value);
struct store_value *store_value_copy(const struct store_value *value);
const char *store_type_name(enum store_type type); /* as TYPE says */
/* Nothing is in it, so its key must go. An empty stream stays. */
bool store_value_is_empty(const struct store_value *value);

/* Of a hash: true if the field is new. */
bool store_value_set_field(struct store_value *hash, struct span field, struct span value);
void store_value_remove_field(struct store_value *value, struct store_entry *entry);

#endif
