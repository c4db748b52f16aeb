#include "sender/rules/pairs.h"

#include <stddef.h>

enum {
    SLOT_US = 6 * 1000 * 1000,     /* Meta's pace of a pair: one message in six seconds */
    DISTANCE_US = 5 * 1000 * 1000, /* kept after one was sent: a slot, less what timers differ */
    MEMORY_US = 30 * 1000 * 1000,  /* a pair that was still for so long is like any other */
    LOOK_MAX = 8,                  /* places that a key may be in */
};

static uint64_t
later_of(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t
until_of(const struct pair *pair)
{
    return later_of(pair->held_us, pair->distant_us);
}

static uint64_t
end_of(const struct pair *pair)
{
    return later_of(until_of(pair), pair->slot_us) + MEMORY_US;
}

/* The pair's place if it is remembered, else NULL. */
static struct pair *
find(struct pairs *pairs, uint64_t key, uint64_t now_us)
{
    for (uint64_t i = 0; i < LOOK_MAX; i++) {
        struct pair *pair = &pairs->pairs[(key + i) % PAIRS_MAX];
        if (pair->key == key && pair->held_us != 0)
            return end_of(pair) > now_us ? pair : NULL;
    }
    return NULL;
}

/* A place for it: its own, an empty one, or that of the pair which is free first. */
static struct pair *
take_place(struct pairs *pairs, uint64_t key)
{
    struct pair *place = &pairs->pairs[key % PAIRS_MAX];
    for (uint64_t i = 0; i < LOOK_MAX; i++) {
        struct pair *pair = &pairs->pairs[(key + i) % PAIRS_MAX];
        if (pair->key == key && pair->held_us != 0)
            return pair;
        if (end_of(pair) < end_of(place))
            place = pair;
    }
    *place = (struct pair){.key = key};
    return place;
}

static void
note_busy(struct pairs *pairs, const struct pair *pair)
{
    pairs->busy_until_us = later_of(pairs->busy_until_us, end_of(pair));
}

void
pairs_throttle(struct pairs *pairs, uint64_t key, uint64_t wait_us, uint64_t now_us)
{
    struct pair *pair = take_place(pairs, key);
    pair->held_us = later_of(pair->held_us, now_us + wait_us);
    pair->distant_us = 0; /* Meta's own rule counts now */
    note_busy(pairs, pair);
}

/* Six seconds behind whoever goes next. */
static uint64_t
next_slot(const struct pair *pair)
{
    return later_of(later_of(pair->slot_us, pair->held_us) + SLOT_US,
                    pair->distant_us + SLOT_US - DISTANCE_US);
}

uint64_t
pairs_wait_us(struct pairs *pairs, uint64_t key, uint64_t now_us)
{
    struct pair *pair = pairs_are_busy(pairs, now_us) ? find(pairs, key, now_us) : NULL;
    if (pair == NULL || until_of(pair) <= now_us)
        return 0;
    pair->slot_us = next_slot(pair);
    note_busy(pairs, pair);
    return pair->slot_us - now_us;
}

void
pairs_note_sent(struct pairs *pairs, uint64_t key, uint64_t now_us)
{
    struct pair *pair = pairs_are_busy(pairs, now_us) ? find(pairs, key, now_us) : NULL;
    if (pair == NULL)
        return;
    pair->distant_us = now_us + DISTANCE_US;
    note_busy(pairs, pair);
}

bool
pairs_are_busy(const struct pairs *pairs, uint64_t now_us)
{
    return pairs->busy_until_us > now_us;
}
