#include "sender/rules/floor.h"

enum { OWED_MAX = 512 * FLOOR_PART }; /* a batch: what it did not get long ago is let off */

static uint32_t
least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

void
floor_split(const struct floor *floor, uint32_t room, const uint32_t waiting[FLOOR_SOURCES],
            uint32_t split[FLOOR_SOURCES])
{
    uint64_t sum = 0;
    for (int i = 0; i < FLOOR_SOURCES; i++)
        sum += waiting[i];
    uint32_t going = sum < room ? (uint32_t)sum : room;
    uint32_t left = going;
    for (int i = 0; i < FLOOR_SOURCES; i++) {
        uint64_t due = i == 0 ? 0 : ((uint64_t)floor->owed[i] + going) / FLOOR_PART;
        split[i] = least(due < waiting[i] ? (uint32_t)due : waiting[i], left);
        left -= split[i];
    }
    for (int i = 0; i < FLOOR_SOURCES; i++) {
        uint32_t more = least(waiting[i] - split[i], left);
        split[i] += more;
        left -= more;
    }
}

void
floor_pay(struct floor *floor, const uint32_t waiting[FLOOR_SOURCES],
          const uint32_t gone[FLOOR_SOURCES])
{
    uint32_t sum = 0;
    for (int i = 0; i < FLOOR_SOURCES; i++)
        sum += gone[i];
    for (int i = 1; i < FLOOR_SOURCES; i++) {
        uint64_t owed = (uint64_t)floor->owed[i] + sum;
        uint64_t had = (uint64_t)gone[i] * FLOOR_PART;
        if (waiting[i] == 0 || owed <= had)
            floor->owed[i] = 0;
        else
            floor->owed[i] = owed - had < OWED_MAX ? (uint32_t)(owed - had) : OWED_MAX;
    }
}
