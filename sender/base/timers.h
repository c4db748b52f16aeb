/*
 * timers - what is to be called when. A binary heap of timers that live in their owners.
 *
 * Times are microseconds of one monotonic clock, given as arguments. One thread.
 */
#ifndef FACTEUR_SENDER_BASE_TIMERS_H
#define FACTEUR_SENDER_BASE_TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
    uint64_t due_us;
    void (*on_due)(struct timer *timer); /* the owner is found with container_of */
    size_t index;                        /* place in the heap + 1; 0: not started */
};

struct timers {
    struct timer **heap; /* owned */
    size_t count;
    size_t capacity;
};

/* The owner of an embedded object: container_of(timer, struct worker, beat_timer). */
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

void timers_open(struct timers *timers, size_t capacity); /* capacity: timers started at once */
void timers_close(struct timers *timers);
void timer_init(struct timer *timer, void (*on_due)(struct timer *timer));
bool timer_is_started(const struct timer *timer);
void timer_start(struct timers *timers, struct timer *timer, uint64_t due_us); /* again: moves it */
void timer_stop(struct timers *timers, struct timer *timer); /* allowed when not started */

/* Calls every timer that is due. A timer is stopped before it is called and may be started again,
 * for later than `now_us`: one that is due at once is called again at once. */
void timers_run(struct timers *timers, uint64_t now_us);

/* Microseconds until the next is due, 0 if one is, UINT64_MAX if there is none. */
uint64_t timers_wait_us(const struct timers *timers, uint64_t now_us);

#endif
