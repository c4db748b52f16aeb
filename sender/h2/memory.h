/*
 * memory - the allocator given to nghttp2: pooled, bounded, one for each connection.
 *
 * nghttp2 takes and gives small blocks for every stream and frame. Here each size class keeps its
 * free blocks in a list, so that once warm an exchange calls malloc not even once; `mallocs` in the
 * statistics is the proof. The bound is what a hostile peer can make a connection cost: beyond
 * it nghttp2 is told that memory ran out, which ends that connection and nothing else.
 *
 * One thread. A block is never moved between two memories.
 */
#ifndef FACTEUR_SENDER_H2_MEMORY_H
#define FACTEUR_SENDER_H2_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* 64 bytes to 64 KiB, two classes for each doubling. Larger blocks come straight from malloc. */
enum { H2_MEMORY_CLASSES = 21 };

struct h2_memory_block; /* the header in front of each block */
struct h2_memory_slab;  /* what malloc gave, cut into blocks of one class */

struct h2_memory_use {
    uint64_t limit;   /* bytes: `held` never exceeds it */
    uint64_t held;    /* bytes taken from malloc and not given back */
    uint64_t live;    /* blocks nghttp2 holds now */
    uint64_t taken;   /* blocks given to nghttp2 since open */
    uint64_t given;   /* blocks nghttp2 gave back since open */
    uint64_t mallocs; /* calls of malloc since open: stands still once warm */
    uint64_t refused; /* blocks denied because of `limit`, or because malloc failed */
};

struct h2_memory {
    uint64_t magic;
    struct h2_memory_use use;
    struct h2_memory_block *free[H2_MEMORY_CLASSES];
    struct h2_memory_slab *slabs; /* owned */
};

/* `limit` in bytes. The memory stays where it is until closed: nghttp2 keeps its address. */
void h2_memory_open(struct h2_memory *memory, uint64_t limit);

/* Gives everything back to malloc. Every block must have been given back: nghttp2's session first.
 */
void h2_memory_close(struct h2_memory *memory);

void *h2_memory_take(struct h2_memory *memory, size_t size); /* aligned to 16; NULL: limit */
void h2_memory_give(struct h2_memory *memory, void *data);   /* NULL is allowed */
/* As realloc: on NULL the old block stays as it was. */
void *h2_memory_resize(struct h2_memory *memory, void *data, size_t size);

#endif
