/*
 * floor - which of an account's sources goes first: in the order of their precedence, but each that
 * waits has an eighth of what goes, so that none starves behind a busier one. A pure rule.
 *
 * An account's pace may let one message go at a time, so what a source has not had of its eighth is
 * remembered.
 */
#ifndef FACTEUR_SENDER_RULES_FLOOR_H
#define FACTEUR_SENDER_RULES_FLOOR_H

#include <stdint.h>

enum { FLOOR_SOURCES = 3, FLOOR_PART = 8 };

/* For each source, the eighths of a message that it is owed. Zero at start. The first source has no
 * floor: it goes before all others. */
struct floor {
    uint32_t owed[FLOOR_SOURCES];
};

/* How many of each source may go when there is room for `room`; `waiting` in the order of
 * precedence. Their sum is `room`, or all that waits. */
void floor_split(const struct floor *floor, uint32_t room, const uint32_t waiting[FLOOR_SOURCES],
                 uint32_t split[FLOOR_SOURCES]);
/* So many went; `waiting` is what did before. */
void floor_pay(struct floor *floor, const uint32_t waiting[FLOOR_SOURCES],
               const uint32_t gone[FLOOR_SOURCES]);

#endif
