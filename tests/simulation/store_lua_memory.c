#include "tests/simulation/store_lua_memory.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    STEP = 16,    /* sizes are rounded up to it */
    CLASSES = 64, /* up to 1 KiB; larger blocks come from malloc */
    SLAB_SIZE = 64 * 1024,
};

struct slab {
    struct slab *next;
    char data[];
};

struct block {
    struct block *next;
};

struct store_lua_memory {
    struct slab *slabs;
    char *at; /* of the newest slab: what was never given */
    size_t left;
    struct block *free[CLASSES];
};

struct store_lua_memory *
store_lua_memory_open(void)
{
    return check_alloc(1, sizeof(struct store_lua_memory));
}

void
store_lua_memory_close(struct store_lua_memory *memory)
{
    if (memory == NULL)
        return;
    while (memory->slabs != NULL) {
        struct slab *slab = memory->slabs;
        memory->slabs = slab->next;
        free(slab);
    }
    free(memory);
}

/* CLASSES: a large one. `size` > 0. */
static size_t
class_of(size_t size)
{
    size_t class = (size - 1) / STEP;
    return class < CLASSES ? class : CLASSES;
}

static void *
take(struct store_lua_memory *memory, size_t class)
{
    struct block *block = memory->free[class];
    if (block != NULL) {
        memory->free[class] = block->next;
        return block;
    }
    size_t size = (class + 1) * STEP;
    if (memory->left < size) {
        struct slab *slab = malloc(sizeof(*slab) + SLAB_SIZE);
        check(slab != NULL);
        slab->next = memory->slabs;
        memory->slabs = slab;
        memory->at = slab->data;
        memory->left = SLAB_SIZE;
    }
    char *data = memory->at;
    memory->at += size;
    memory->left -= size;
    return data;
}

static void
give(struct store_lua_memory *memory, void *data, size_t class)
{
    struct block *block = data;
    block->next = memory->free[class];
    memory->free[class] = block;
}

void *
store_lua_memory_resize(void *context, void *block, size_t old_size, size_t new_size)
{
    struct store_lua_memory *memory = context;
    size_t old_class = block != NULL ? class_of(old_size) : CLASSES;
    if (new_size == 0) {
        if (block != NULL && old_class < CLASSES)
            give(memory, block, old_class);
        else
            free(block);
        return NULL;
    }
    size_t new_class = class_of(new_size);
    if (new_class == CLASSES && old_class == CLASSES)
        return realloc(block, new_size);
    if (block != NULL && new_class == old_class)
        return block;
    void *data = new_class < CLASSES ? take(memory, new_class) : malloc(new_size);
    check(data != NULL);
    if (block == NULL)
        return data;
    memcpy(data, block, old_size < new_size ? old_size : new_size);
    if (old_class < CLASSES)
        give(memory, block, old_class);
    else
        free(block);
    return data;
}
