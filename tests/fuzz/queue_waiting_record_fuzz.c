/* A waiting record of any bytes. What is read must lie in the arena. */
#include "queue/calls.h"
#include "sender/base/check.h"

static void
check_inside(const struct arena *arena, struct span span)
{
    check(span.data >= arena->data);
    check(span.data + span.size <= arena->data + arena->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct arena arena;
    struct waiting_record waiting;
    arena_open(&arena, 4096);
    struct span record = {.data = (const char *)data, .size = size};
    if (waiting_record_read(record, &arena, &waiting)) {
        check(waiting.field_count > 0);
        for (size_t i = 0; i < waiting.field_count; i++) {
            check_inside(&arena, waiting.fields[i].name);
            check_inside(&arena, waiting.fields[i].value);
        }
    }
    arena_close(&arena);
    return 0;
}
