/*
 * store_dict - names with something each, in the order in which they came.
 *
 * Hashes, sets, sorted sets and the key space are made of it. What hangs at an entry belongs to
 * whoever keeps the dict; the names are the dict's.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_DICT_H
#define FACTEUR_TESTS_SIMULATION_STORE_DICT_H

#include "tests/simulation/store_bytes.h"

struct store_value;

struct store_entry {
    struct store_text *name; /* NULL: was removed */
    uint64_t hash;
    union {
        struct store_text *text;   /* of a hash: the value */
        struct store_value *value; /* of the key space */
        double score;              /* of a sorted set */
    };
};

struct store_dict {
    struct store_entry *entries; /* in order of arrival, with gaps */
    uint32_t used;               /* entries, gaps included */
    uint32_t count;              /* without gaps */
    uint32_t capacity;
    uint32_t *slots; /* open addressing: number of an entry + 1, 0 is free */
    uint32_t slot_count;
};

/* Frees the names and the dict's own memory; what hangs at the entries must be gone before. */
void store_dict_free(struct store_dict *dict);
/* A dict with the same names in the same order; what hangs there is copied bit by bit. */
struct store_dict store_dict_copy(const struct store_dict *dict);

/* Entries are valid until something is added. */
struct store_entry *store_dict_find(const struct store_dict *dict, struct span name);
/* The name must not be there yet. A new entry's text is NULL. */
struct store_entry *store_dict_add(struct store_dict *dict, struct span name);
void store_dict_remove(struct store_dict *dict, struct store_entry *entry);

/*
 * Walks all entries: begin with *position 0; NULL is the end. `shuffle` 0 gives them in order;
 * any other number an order of its own, the same each time until something is added or removed.
 */
struct store_entry *store_dict_next(const struct store_dict *dict, uint32_t *position,
                                    uint64_t shuffle);

#endif
