#include "sender/base/arena.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

static void
gives_aligned_memory_until_full(void)
{
    struct arena arena;
    arena_open(&arena, 64);
    char *first = arena_take(&arena, 1);
    char *second = arena_take(&arena, 8);
    expect(first != NULL && second == first + 8);
    expect_u64((uintptr_t)second % 8, 0);
    expect(arena_take(&arena, 48) == first + 16);
    expect_u64(arena.size, 64);
    expect(!arena.overflow);
    expect(arena_take(&arena, 1) == NULL);
    expect(arena.overflow);
    arena_close(&arena);
    expect(arena.data == NULL);
}

/* A caller builds a whole object and tests once: one refusal must not be forgotten by a success. */
static void
overflow_stays_until_reset(void)
{
    struct arena arena;
    arena_open(&arena, 32);
    expect(arena_take(&arena, 33) == NULL);
    expect(arena_take(&arena, 4) != NULL);
    expect(arena.overflow);
    arena_reset(&arena);
    expect(!arena.overflow);
    expect_u64(arena.size, 0);
    expect(arena_take(&arena, 32) == arena.data);
    arena_close(&arena);
}

static void
refuses_sizes_that_would_wrap(void)
{
    struct arena arena;
    arena_open(&arena, 100);
    static const size_t sizes[] = {101, SIZE_MAX, SIZE_MAX - 7, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        arena_reset(&arena);
        expect(arena_take(&arena, 3) != NULL);
        expect(arena_take(&arena, sizes[i]) == NULL);
        expect_u64(arena.size, 3);
    }
    /* 97 bytes given out: the next aligned place would be behind the end. */
    arena_reset(&arena);
    expect(arena_take(&arena, 97) != NULL);
    expect(arena_take(&arena, 0) == NULL);
    arena_close(&arena);
}

static void
copies(void)
{
    struct arena arena;
    arena_open(&arena, 16);
    char *copy = arena_copy(&arena, "abc", 4);
    expect_text(copy, "abc");
    expect(arena_copy(&arena, NULL, 0) != NULL);
    expect(arena_copy(&arena, "123456789", 9) == NULL);
    expect(arena.overflow);
    arena_close(&arena);
}

/* Thousands of random takes: no two overlap, none leaves the block. */
static void
pieces_never_overlap(void)
{
    struct random random;
    struct arena arena;
    random_seed(&random, 1);
    arena_open(&arena, 4096);
    for (int round = 0; round < 200; round++) {
        const char *end = arena.data;
        arena_reset(&arena);
        for (;;) {
            size_t size = random_below(&random, 100);
            char *piece = arena_take(&arena, size);
            if (piece == NULL)
                break;
            expect(piece >= end && piece + size <= arena.data + arena.capacity);
            memset(piece, round, size);
            end = piece + size;
        }
        expect((size_t)(end - arena.data) > 4096 - 108);
    }
    arena_close(&arena);
}

int
main(void)
{
    TEST(gives_aligned_memory_until_full);
    TEST(overflow_stays_until_reset);
    TEST(refuses_sizes_that_would_wrap);
    TEST(copies);
    TEST(pieces_never_overlap);
    return test_end();
}
