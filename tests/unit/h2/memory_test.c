#include "sender/h2/memory.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

static void
gives_the_same_block_again(void)
{
    struct h2_memory memory;
    h2_memory_open(&memory, 1 << 20);
    void *first = h2_memory_take(&memory, 100);
    expect(first != NULL && (uintptr_t)first % 16 == 0);
    h2_memory_give(&memory, first);
    uint64_t mallocs = memory.use.mallocs;
    for (int i = 0; i < 1000; i++) {
        void *again = h2_memory_take(&memory, 90 + i % 20);
        expect(again == first);
        h2_memory_give(&memory, again);
    }
    expect_u64(memory.use.mallocs, mallocs);
    expect_u64(memory.use.live, 0);
    expect_u64(memory.use.taken, memory.use.given);
    h2_memory_close(&memory);
}

static void
every_size_has_room_for_itself(void)
{
    struct h2_memory memory;
    h2_memory_open(&memory, 64 << 20);
    for (size_t size = 0; size < 150 * 1024; size = size < 300 ? size + 1 : size + size / 7) {
        unsigned char *a = h2_memory_take(&memory, size);
        unsigned char *b = h2_memory_take(&memory, size);
        expect(a != NULL && b != NULL);
        if (a == NULL || b == NULL)
            break;
        memset(a, 0xaa, size);
        memset(b, 0xbb, size);
        expect(size == 0 || (a[0] == 0xaa && a[size - 1] == 0xaa));
        h2_memory_give(&memory, a);
        h2_memory_give(&memory, b);
    }
    h2_memory_close(&memory);
}

static void
keeps_the_bytes_when_resized(void)
{
    struct h2_memory memory;
    h2_memory_open(&memory, 1 << 20);
    char *data = h2_memory_resize(&memory, NULL, 10);
    memcpy(data, "abcdefghi", 10);
    static const size_t sizes[] = {20, 5, 100, 1000, 70 * 1024, 200 * 1024, 3};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        data = h2_memory_resize(&memory, data, sizes[i]);
        expect(data != NULL && memcmp(data, "abc", 3) == 0);
    }
    h2_memory_give(&memory, data);
    h2_memory_close(&memory);
}

static void
refuses_beyond_its_limit(void)
{
    struct h2_memory memory;
    h2_memory_open(&memory, 100 * 1024);
    void *blocks[200];
    size_t count = 0;
    while (count < 200 && (blocks[count] = h2_memory_take(&memory, 1000)) != NULL)
        count++;
    expect(count > 50 && count < 100);
    expect(memory.use.held <= memory.use.limit);
    expect(h2_memory_take(&memory, 1 << 20) == NULL);
    expect(h2_memory_take(&memory, SIZE_MAX) == NULL);
    expect_u64(memory.use.refused, 3);

    char *kept = blocks[0]; /* a resize that is refused leaves the block as it was */
    if (kept == NULL)
        return;
    memcpy(kept, "kept", sizeof("kept"));
    expect(h2_memory_resize(&memory, kept, 90 * 1024) == NULL);
    expect_text(kept, "kept");
    while (count > 0)
        h2_memory_give(&memory, blocks[--count]);
    void *again = h2_memory_take(&memory, 1000);
    expect(again != NULL);
    h2_memory_give(&memory, again);
    h2_memory_close(&memory);
}

static void
large_blocks_go_back_to_malloc(void)
{
    struct h2_memory memory;
    h2_memory_open(&memory, 1 << 20);
    for (int i = 0; i < 100; i++) { /* 100 × 200 KiB only fit one after the other */
        void *data = h2_memory_take(&memory, 200 * 1024);
        expect(data != NULL);
        h2_memory_give(&memory, data);
    }
    expect_u64(memory.use.held, 0);
    h2_memory_close(&memory);
}

static void
give_twice(void)
{
    struct h2_memory memory;
    h2_memory_open(&memory, 1 << 20);
    void *data = h2_memory_take(&memory, 10);
    h2_memory_give(&memory, data);
    h2_memory_give(&memory, data);
}

static void
close_with_a_block_out(void)
{
    struct h2_memory memory;
    h2_memory_open(&memory, 1 << 20);
    expect(h2_memory_take(&memory, 10) != NULL);
    h2_memory_close(&memory);
}

static void
finds_blocks_given_twice_or_never(void)
{
    expect_abort(give_twice());
    expect_abort(close_with_a_block_out());
}

static void
survives_a_random_walk(void)
{
    struct h2_memory memory;
    struct random random;
    unsigned char *blocks[64] = {0};
    size_t sizes[64] = {0};
    random_seed(&random, 7);
    h2_memory_open(&memory, 8 << 20);
    for (int step = 0; step < 200000; step++) {
        size_t i = random_below(&random, 64);
        if (blocks[i] != NULL) {
            expect(blocks[i][0] == i && blocks[i][sizes[i] - 1] == i);
            h2_memory_give(&memory, blocks[i]);
            blocks[i] = NULL;
            continue;
        }
        sizes[i] = 1 + random_below(&random, random_chance(&random, 0.02) ? 100000 : 2000);
        blocks[i] = h2_memory_take(&memory, sizes[i]);
        expect(blocks[i] != NULL);
        memset(blocks[i], (int)i, sizes[i]);
    }
    for (size_t i = 0; i < 64; i++)
        h2_memory_give(&memory, blocks[i]);
    expect_u64(memory.use.live, 0);
    h2_memory_close(&memory);
}

int
main(void)
{
    TEST(gives_the_same_block_again);
    TEST(every_size_has_room_for_itself);
    TEST(keeps_the_bytes_when_resized);
    TEST(refuses_beyond_its_limit);
    TEST(large_blocks_go_back_to_malloc);
    TEST(finds_blocks_given_twice_or_never);
    TEST(survives_a_random_walk);
    return test_end();
}
