/* store_list - texts in a row: Redis' list. Places count from 0. */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_LIST_H
#define FACTEUR_TESTS_SIMULATION_STORE_LIST_H

#include "tests/simulation/store_bytes.h"

struct store_list {
    struct store_text **items; /* owned; the first stands at items[first] */
    uint32_t first;
    uint32_t count;
    uint32_t capacity; /* of items */
};

void store_list_free(struct store_list *list);
struct store_list store_list_copy(const struct store_list *list); /* shares the texts */
struct span store_list_at(const struct store_list *list, uint32_t place);
void store_list_insert(struct store_list *list, uint32_t place, struct span text);
void store_list_remove(struct store_list *list, uint32_t place);

#endif
