#include "sender/base/timers.h"
#include "sender/base/check.h"

#include <stdlib.h>

void
timers_open(struct timers *timers, size_t capacity)
{
    *timers = (struct timers){.heap = check_alloc(capacity, sizeof(struct timer *)),
                              .capacity = capacity};
}

void
timers_close(struct timers *timers)
{
    free(timers->heap);
    *timers = (struct timers){0};
}

void
timer_init(struct timer *timer, void (*on_due)(struct timer *timer))
{
    *timer = (struct timer){.on_due = on_due};
}

bool
timer_is_started(const struct timer *timer)
{
    return timer->index != 0;
}

static void
place(struct timers *timers, size_t index, struct timer *timer)
{
    timers->heap[index] = timer;
    timer->index = index + 1;
}

static void
move_up(struct timers *timers, size_t index, struct timer *timer)
{
    while (index > 0 && timers->heap[(index - 1) / 2]->due_us > timer->due_us) {
        place(timers, index, timers->heap[(index - 1) / 2]);
        index = (index - 1) / 2;
    }
    place(timers, index, timer);
}

static void
move_down(struct timers *timers, size_t index, struct timer *timer)
{
    for (;;) {
        size_t child = index * 2 + 1;
        if (child >= timers->count)
            break;
        if (child + 1 < timers->count &&
            timers->heap[child + 1]->due_us < timers->heap[child]->due_us)
            child++;
        if (timers->heap[child]->due_us >= timer->due_us)
            break;
        place(timers, index, timers->heap[child]);
        index = child;
    }
    place(timers, index, timer);
}

void
timer_start(struct timers *timers, struct timer *timer, uint64_t due_us)
{
    check(timer->on_due != NULL);
    timer_stop(timers, timer);
    check(timers->count < timers->capacity);
    timer->due_us = due_us;
    move_up(timers, timers->count++, timer);
}

void
timer_stop(struct timers *timers, struct timer *timer)
{
    if (timer->index == 0)
        return;
    size_t index = timer->index - 1;
    check(index < timers->count && timers->heap[index] == timer);
    timer->index = 0;
    struct timer *last = timers->heap[--timers->count];
    if (last == timer)
        return;
    if (index > 0 && timers->heap[(index - 1) / 2]->due_us > last->due_us)
        move_up(timers, index, last);
    else
        move_down(timers, index, last);
}

void
timers_run(struct timers *timers, uint64_t now_us)
{
    while (timers->count > 0 && timers->heap[0]->due_us <= now_us) {
        struct timer *timer = timers->heap[0];
        timer_stop(timers, timer);
        timer->on_due(timer);
    }
}

uint64_t
timers_wait_us(const struct timers *timers, uint64_t now_us)
{
    if (timers->count == 0)
        return UINT64_MAX;
    uint64_t due_us = timers->heap[0]->due_us;
    return due_us <= now_us ? 0 : due_us - now_us;
}
