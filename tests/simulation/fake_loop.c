#include "tests/simulation/fake_loop.h"

#include "sender/base/check.h"

#include <stdlib.h>

enum { READY_MAX = 256 };

static const uint64_t LOOP_MAGIC = 0x6c6f6f7066616b65;

struct loop {
    uint64_t magic;
    struct world *world;
    struct timers timers;
    uint64_t now_us;
    struct loop_flush *flushes;
    struct loop_flush **flush_end;
    struct completion *ready; /* in no order */
    int links;                /* opened and not ended */
    void (*on_output)(void *context);
    void *context;
};

struct loop *
loop_open(const struct loop_settings *settings, struct error_text *error)
{
    (void)error;
    struct loop *loop = check_alloc(1, sizeof(*loop));
    loop->magic = LOOP_MAGIC;
    loop->world = world_current();
    loop->now_us = loop->world->now_us;
    loop->flush_end = &loop->flushes;
    timers_open(&loop->timers, settings->timers_max);
    return loop;
}

void
loop_close(struct loop *loop)
{
    check_magic(loop, LOOP_MAGIC);
    while (loop->flushes != NULL || loop->ready != NULL)
        loop_turn(loop, 0);
    check(loop->links == 0); /* somebody did not close what he opened */
    timers_close(&loop->timers);
    loop->magic = 0;
    free(loop);
}

/* As the product's: what a flush asks for itself waits for the next round. */
static void
run_flushes(struct loop *loop)
{
    struct loop_flush *flush = loop->flushes;
    loop->flushes = NULL;
    loop->flush_end = &loop->flushes;
    while (flush != NULL) {
        struct loop_flush *next = flush->next;
        flush->queued = false;
        flush->on_flush(flush);
        flush = next;
    }
}

/* All that is ready when the turn begins, in an order of the dice. */
static void
run_completions(struct loop *loop)
{
    struct completion *ready[READY_MAX];
    uint32_t count = 0;
    for (struct completion *next; loop->ready != NULL; loop->ready = next) {
        check(count < READY_MAX);
        next = loop->ready->next;
        ready[count++] = loop->ready;
    }
    while (count > 0) {
        uint64_t which = random_below(&loop->world->dice, count);
        struct completion *completion = ready[which];
        ready[which] = ready[--count];
        completion->queued = false;
        completion->on_ready(completion);
    }
}

void
loop_turn(struct loop *loop, uint64_t wait_us_max)
{
    check_magic(loop, LOOP_MAGIC);
    (void)wait_us_max; /* the scheduler turns it when there is something to do */
    run_flushes(loop);
    loop->now_us = loop->world->now_us;
    run_completions(loop);
    timers_run(&loop->timers, loop->now_us);
    run_flushes(loop);
}

uint64_t
loop_now_us(const struct loop *loop)
{
    return loop->now_us;
}

struct timers *
loop_timers(struct loop *loop)
{
    return &loop->timers;
}

void
loop_flush_later(struct loop *loop, struct loop_flush *flush)
{
    check(flush->on_flush != NULL);
    if (flush->queued)
        return;
    flush->queued = true;
    flush->next = NULL;
    *loop->flush_end = flush;
    loop->flush_end = &flush->next;
}

/* ---- for links and the scheduler --------------------------------------------------------------
 */

void
loop_complete(struct loop *loop, struct completion *completion)
{
    if (completion->queued)
        return;
    completion->queued = true;
    completion->next = loop->ready;
    loop->ready = completion;
}

void
loop_forget(struct loop *loop, struct completion *completion)
{
    struct completion **place = &loop->ready;
    if (!completion->queued)
        return;
    while (*place != completion)
        place = &(*place)->next;
    *place = completion->next;
    completion->queued = false;
}

bool
loop_is_ready(const struct loop *loop)
{
    return loop->flushes != NULL || loop->ready != NULL ||
           timers_wait_us(&loop->timers, loop->world->now_us) == 0;
}

uint64_t
loop_next_us(const struct loop *loop)
{
    return loop->timers.count > 0 ? loop->timers.heap[0]->due_us : UINT64_MAX;
}

struct world *
loop_world(const struct loop *loop)
{
    return loop->world;
}

void
loop_count_link(struct loop *loop, int change)
{
    loop->links += change;
}

void
loop_on_output(struct loop *loop, void (*on_output)(void *context), void *context)
{
    loop->on_output = on_output;
    loop->context = context;
}

void
loop_tell_output(struct loop *loop)
{
    if (loop->on_output != NULL)
        loop->on_output(loop->context);
}
