#include "sender/h2/memory.h"
#include "sender/base/check.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MEMORY_MAGIC     0x6d656d6f72790001u
#define BLOCK_MAGIC_LIVE 0x6c697665u
#define BLOCK_MAGIC_FREE 0x66726565u

enum {
    CLASS_SIZE_MIN = 64,
    CLASS_SIZE_MAX = 64 * 1024,
    CLASS_LARGE = H2_MEMORY_CLASSES, /* not pooled */
    SLAB_SIZE = 8 * 1024,            /* at least this much is taken at once for a small class */
};

/* 16 bytes, so that what follows keeps malloc's alignment. */
struct h2_memory_block {
    uint32_t magic; /* live or free: a block given back twice is found here */
    uint32_t class_index;
    union {
        uint64_t size; /* live: bytes usable after this header */
        struct h2_memory_block *next_free;
    };
};

struct h2_memory_slab {
    struct h2_memory_slab *next;
    uint64_t size; /* bytes, with this header */
};

static_assert(sizeof(struct h2_memory_block) == 16, "keeps the alignment of malloc");
static_assert(sizeof(struct h2_memory_slab) == 16, "keeps the alignment of malloc");

/* Classes go 64, 96, 128, 192, 256, 384 … 65536, header included. */
static uint64_t
class_size(uint32_t class_index)
{
    uint64_t base = (uint64_t)CLASS_SIZE_MIN << (class_index / 2);
    return class_index % 2 == 0 ? base : base + base / 2;
}

static_assert(H2_MEMORY_CLASSES == 2 * 10 + 1, "CLASS_SIZE_MIN << 10 is CLASS_SIZE_MAX");

static uint32_t
class_of(uint64_t size)
{
    if (size <= CLASS_SIZE_MIN)
        return 0;
    if (size > CLASS_SIZE_MAX)
        return CLASS_LARGE;
    uint32_t doublings = 63 - (uint32_t)__builtin_clzll(size - 1) - 6; /* 64 is 1 << 6 */
    uint64_t base = (uint64_t)CLASS_SIZE_MIN << doublings;
    return 2 * doublings + (size > base + base / 2 ? 2 : 1);
}

static void *
take_from_malloc(struct h2_memory *memory, uint64_t size)
{
    if (size > memory->use.limit - memory->use.held)
        return NULL;
    void *data = malloc(size);
    if (data == NULL)
        return NULL;
    memory->use.held += size;
    memory->use.mallocs++;
    return data;
}

/* Cuts a new slab into free blocks of one class. False: the limit is reached. */
static bool
refill(struct h2_memory *memory, uint32_t class_index)
{
    uint64_t block_size = class_size(class_index);
    uint64_t count = block_size >= SLAB_SIZE ? 1 : SLAB_SIZE / block_size;
    uint64_t slab_size = sizeof(struct h2_memory_slab) + count * block_size;
    struct h2_memory_slab *slab = take_from_malloc(memory, slab_size);
    if (slab == NULL)
        return false;

    *slab = (struct h2_memory_slab){.next = memory->slabs, .size = slab_size};
    memory->slabs = slab;
    char *at = (char *)(slab + 1);
    for (uint64_t i = 0; i < count; i++, at += block_size) {
        struct h2_memory_block *block = (struct h2_memory_block *)at;
        *block = (struct h2_memory_block){.magic = BLOCK_MAGIC_FREE, .class_index = class_index};
        block->next_free = memory->free[class_index];
        memory->free[class_index] = block;
    }
    return true;
}

void
h2_memory_open(struct h2_memory *memory, uint64_t limit)
{
    *memory = (struct h2_memory){.magic = MEMORY_MAGIC, .use.limit = limit};
}

void
h2_memory_close(struct h2_memory *memory)
{
    check_magic(memory, MEMORY_MAGIC);
    check(memory->use.live == 0);
    while (memory->slabs != NULL) {
        struct h2_memory_slab *slab = memory->slabs;
        memory->slabs = slab->next;
        memory->use.held -= slab->size;
        free(slab);
    }
    check(memory->use.held == 0);
    memory->magic = 0;
}

static struct h2_memory_block *
take_large(struct h2_memory *memory, uint64_t size)
{
    struct h2_memory_block *block = take_from_malloc(memory, size);
    if (block != NULL)
        *block = (struct h2_memory_block){.magic = BLOCK_MAGIC_FREE, .class_index = CLASS_LARGE};
    return block;
}

static struct h2_memory_block *
take_pooled(struct h2_memory *memory, uint32_t class_index)
{
    if (memory->free[class_index] == NULL && !refill(memory, class_index))
        return NULL;
    struct h2_memory_block *block = memory->free[class_index];
    check(block->magic == BLOCK_MAGIC_FREE && block->class_index == class_index);
    memory->free[class_index] = block->next_free;
    return block;
}

void *
h2_memory_take(struct h2_memory *memory, size_t size)
{
    check_magic(memory, MEMORY_MAGIC);
    struct h2_memory_block *block = NULL;
    if (size <= memory->use.limit) { /* so that adding the header cannot wrap */
        uint64_t whole = size + sizeof(*block);
        uint32_t class_index = class_of(whole);
        if (class_index == CLASS_LARGE)
            block = take_large(memory, whole);
        else
            block = take_pooled(memory, class_index);
        if (block != NULL)
            block->size =
                (class_index == CLASS_LARGE ? whole : class_size(class_index)) - sizeof(*block);
    }
    if (block == NULL) {
        memory->use.refused++;
        return NULL;
    }
    block->magic = BLOCK_MAGIC_LIVE;
    memory->use.live++;
    memory->use.taken++;
    return block + 1;
}

void
h2_memory_give(struct h2_memory *memory, void *data)
{
    if (data == NULL)
        return;
    check_magic(memory, MEMORY_MAGIC);
    struct h2_memory_block *block = (struct h2_memory_block *)data - 1;
    check(block->magic == BLOCK_MAGIC_LIVE);
    check(memory->use.live > 0);
    block->magic = BLOCK_MAGIC_FREE;
    memory->use.live--;
    memory->use.given++;
    if (block->class_index == CLASS_LARGE) {
        memory->use.held -= block->size + sizeof(*block);
        free(block);
        return;
    }
    block->next_free = memory->free[block->class_index];
    memory->free[block->class_index] = block;
}

void *
h2_memory_resize(struct h2_memory *memory, void *data, size_t size)
{
    if (data == NULL)
        return h2_memory_take(memory, size);
    struct h2_memory_block *block = (struct h2_memory_block *)data - 1;
    check(block->magic == BLOCK_MAGIC_LIVE);
    if (size <= block->size)
        return data;
    void *larger = h2_memory_take(memory, size);
    if (larger == NULL)
        return NULL;
    memcpy(larger, data, block->size);
    h2_memory_give(memory, data);
    return larger;
}
