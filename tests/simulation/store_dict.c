#include "tests/simulation/store_dict.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_MIN = 16 };

static uint32_t
home_of(const struct store_dict *dict, uint64_t hash)
{
    return (uint32_t)((hash ^ hash >> 32) & (dict->slot_count - 1));
}

static void
put_slot(struct store_dict *dict, uint32_t number)
{
    uint32_t slot = home_of(dict, dict->entries[number].hash);
    while (dict->slots[slot] != 0)
        slot = (slot + 1) & (dict->slot_count - 1);
    dict->slots[slot] = number + 1;
}

/* Closes the gaps and makes the slots anew, with room for as many again. */
static void
rebuild(struct store_dict *dict)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < dict->used; i++)
        if (dict->entries[i].name != NULL)
            dict->entries[kept++] = dict->entries[i];
    check(kept == dict->count);
    dict->used = kept;
    uint32_t slots = SLOTS_MIN;
    while (slots < dict->count * 4)
        slots *= 2;
    free(dict->slots);
    dict->slots = check_alloc(slots, sizeof(*dict->slots));
    dict->slot_count = slots;
    dict->capacity = slots / 2;
    dict->entries = store_grown(dict->entries, dict->capacity * sizeof(*dict->entries));
    for (uint32_t i = 0; i < dict->used; i++)
        put_slot(dict, i);
}

void
store_dict_free(struct store_dict *dict)
{
    for (uint32_t i = 0; i < dict->used; i++)
        store_text_drop(dict->entries[i].name);
    free(dict->entries);
    free(dict->slots);
    *dict = (struct store_dict){0};
}

struct store_dict
store_dict_copy(const struct store_dict *dict)
{
    struct store_dict copy = *dict;
    if (dict->slot_count == 0)
        return copy;
    copy.entries = store_grown(NULL, dict->capacity * sizeof(*copy.entries));
    memcpy(copy.entries, dict->entries, dict->used * sizeof(*copy.entries));
    copy.slots = store_grown(NULL, dict->slot_count * sizeof(*copy.slots));
    memcpy(copy.slots, dict->slots, dict->slot_count * sizeof(*copy.slots));
    for (uint32_t i = 0; i < copy.used; i++)
        if (copy.entries[i].name != NULL)
            store_text_hold(copy.entries[i].name);
    return copy;
}

struct store_entry *
store_dict_find(const struct store_dict *dict, struct span name)
{
    if (dict->count == 0)
        return NULL;
    uint64_t hash = span_hash(name);
    for (uint32_t slot = home_of(dict, hash); dict->slots[slot] != 0;
         slot = (slot + 1) & (dict->slot_count - 1)) {
        struct store_entry *entry = &dict->entries[dict->slots[slot] - 1];
        if (entry->hash == hash && entry->name != NULL &&
            span_equal(store_text_span(entry->name), name))
            return entry;
    }
    return NULL;
}

struct store_entry *
store_dict_add(struct store_dict *dict, struct span name)
{
    if (dict->used == dict->capacity)
        rebuild(dict);
    struct store_entry *entry = &dict->entries[dict->used];
    *entry = (struct store_entry){.name = store_text_new(name), .hash = span_hash(name)};
    put_slot(dict, dict->used);
    dict->used++;
    dict->count++;
    return entry;
}

/* The slot stays and leads to the gap, until the next rebuild: others may stand behind it. */
void
store_dict_remove(struct store_dict *dict, struct store_entry *entry)
{
    check(entry->name != NULL && dict->count > 0);
    store_text_drop(entry->name);
    entry->name = NULL;
    dict->count--;
}

static uint32_t
common_divisor(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

/* Steps of a size that shares no divisor with the number of entries meet each of them once. */
static uint32_t
shuffled(uint32_t position, uint32_t used, uint64_t shuffle)
{
    uint32_t step = (uint32_t)(shuffle % used) | 1;
    while (common_divisor(step, used) != 1)
        step += 2;
    return (uint32_t)(((uint64_t)position * step + (shuffle >> 32)) % used);
}

struct store_entry *
store_dict_next(const struct store_dict *dict, uint32_t *position, uint64_t shuffle)
{
    while (*position < dict->used) {
        uint32_t at = *position;
        ++*position;
        struct store_entry *entry =
            &dict->entries[shuffle == 0 ? at : shuffled(at, dict->used, shuffle)];
        if (entry->name != NULL)
            return entry;
    }
    return NULL;
}
