/*
 * store_keys - the key space: names with values that expire, and cheap copies of all of it.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_KEYS_H
#define FACTEUR_TESTS_SIMULATION_STORE_KEYS_H

#include "tests/simulation/store_value.h"

struct store_keys {
    struct store_dict dict; /* each value is held */
};

void store_keys_free(struct store_keys *keys);
/* Shares the values: costs some memory a key, and nothing for what is in them. */
struct store_keys store_keys_copy(const struct store_keys *keys);

/* What is there at this time, or NULL; an expired key goes. To be read only. */
struct store_value *store_keys_find(struct store_keys *keys, struct span name, uint64_t now_ms);
/* The same, to be changed: a shared value is copied first. */
struct store_value *store_keys_write(struct store_keys *keys, struct span name, uint64_t now_ms);
/* Puts a value there, in place of what there was. Takes over the reference. */
void store_keys_put(struct store_keys *keys, struct span name, struct store_value *value);
bool store_keys_remove(struct store_keys *keys, struct span name); /* false: was not there */

#endif
