/*
 * arena - memory given out in one direction and taken back all at once.
 *
 * One block, taken at start. What does not fit sets `overflow` and gives NULL; it stays set until
 * arena_reset(), so a caller can build a whole object and test once.
 */
#ifndef FACTEUR_SENDER_BASE_ARENA_H
#define FACTEUR_SENDER_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct arena {
    char *data;      /* owned: arena_open() took it, arena_close() gives it back */
    size_t size;     /* bytes given out */
    size_t capacity; /* bytes */
    bool overflow;
};

void arena_open(struct arena *arena, size_t capacity);
void arena_close(struct arena *arena);
void arena_reset(struct arena *arena);
void *arena_take(struct arena *arena, size_t size); /* aligned to 8; NULL when it does not fit */
char *arena_copy(struct arena *arena, const void *data,
                 size_t size); /* NULL when it does not fit */

#endif
