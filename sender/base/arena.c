#include "sender/base/arena.h"
#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

void
arena_open(struct arena *arena, size_t capacity)
{
    *arena = (struct arena){.data = check_alloc(1, capacity), .capacity = capacity};
}

void
arena_close(struct arena *arena)
{
    free(arena->data);
    *arena = (struct arena){0};
}

void
arena_reset(struct arena *arena)
{
    arena->size = 0;
    arena->overflow = false;
}

void *
arena_take(struct arena *arena, size_t size)
{
    size_t start = (arena->size + 7) & ~(size_t)7;
    if (start > arena->capacity || size > arena->capacity - start) {
        arena->overflow = true;
        return NULL;
    }
    arena->size = start + size;
    return arena->data + start;
}

char *
arena_copy(struct arena *arena, const void *data, size_t size)
{
    char *copy = arena_take(arena, size);
    if (copy != NULL && size > 0)
        memcpy(copy, data, size);
    return copy;
}
