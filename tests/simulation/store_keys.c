#include "tests/simulation/store_keys.h"

#include "sender/base/check.h"

#include <stdlib.h>

void
store_keys_free(struct store_keys *keys)
{
    uint32_t position = 0;
    for (struct store_entry *entry; (entry = store_dict_next(&keys->dict, &position, 0)) != NULL;)
        store_value_drop(entry->value);
    store_dict_free(&keys->dict);
}

struct store_keys
store_keys_copy(const struct store_keys *keys)
{
    struct store_keys copy = {.dict = store_dict_copy(&keys->dict)};
    uint32_t position = 0;
    for (struct store_entry *entry; (entry = store_dict_next(&copy.dict, &position, 0)) != NULL;)
        store_value_hold(entry->value);
    return copy;
}

static void
remove_entry(struct store_keys *keys, struct store_entry *entry)
{
    store_value_drop(entry->value);
    entry->value = NULL;
    store_dict_remove(&keys->dict, entry);
}

static struct store_entry *
living_entry(struct store_keys *keys, struct span name, uint64_t now_ms)
{
    struct store_entry *entry = store_dict_find(&keys->dict, name);
    if (entry == NULL || entry->value->expires_ms == 0 || entry->value->expires_ms >= now_ms)
        return entry;
    remove_entry(keys, entry);
    return NULL;
}

struct store_value *
store_keys_find(struct store_keys *keys, struct span name, uint64_t now_ms)
{
    const struct store_entry *entry = living_entry(keys, name, now_ms);
    return entry == NULL ? NULL : entry->value;
}

struct store_value *
store_keys_write(struct store_keys *keys, struct span name, uint64_t now_ms)
{
    struct store_entry *entry = living_entry(keys, name, now_ms);
    if (entry == NULL)
        return NULL;
    if (entry->value->references > 1) {
        struct store_value *copy = store_value_copy(entry->value);
        store_value_drop(entry->value);
        entry->value = copy;
    }
    return entry->value;
}

void
store_keys_put(struct store_keys *keys, struct span name, struct store_value *value)
{
    struct store_entry *entry = store_dict_find(&keys->dict, name);
    if (entry == NULL)
        entry = store_dict_add(&keys->dict, name);
    else
        store_value_drop(entry->value);
    entry->value = value;
}

bool
store_keys_remove(struct store_keys *keys, struct span name)
{
    struct store_entry *entry = store_dict_find(&keys->dict, name);
    if (entry == NULL)
        return false;
    remove_entry(keys, entry);
    return true;
}
