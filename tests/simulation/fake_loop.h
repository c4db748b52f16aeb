/*
 * fake_loop - sender/io/loop.h on the world's time: what the scheduler and the links need of it.
 *
 * A turn is one of the product's: flushes, then what is ready in an order of the dice, then timers,
 * then flushes. There are no operations and no kernel.
 */
#ifndef FACTEUR_TESTS_SIMULATION_FAKE_LOOP_H
#define FACTEUR_TESTS_SIMULATION_FAKE_LOOP_H

#include "sender/io/loop.h"
#include "tests/simulation/world.h"

/* Something of a link that a turn must bring to its owner. Embedded in the link. */
struct completion {
    void (*on_ready)(struct completion *completion); /* may free its owner */
    struct completion *next;
    bool queued;
};

void loop_complete(struct loop *loop, struct completion *completion); /* queued once */
void loop_forget(struct loop *loop, struct completion *completion);   /* not in a turn */

/* For the scheduler: is there anything to do in a turn; and when will a timer be due at the latest;
 * UINT64_MAX: none is started. */
bool loop_is_ready(const struct loop *loop);
uint64_t loop_next_us(const struct loop *loop);

struct world *loop_world(const struct loop *loop);
void loop_count_link(struct loop *loop, int change);
/* kill -9: every link of the loop is gone without a word. Its owners may still be closed. */
void loop_kill_links(struct loop *loop);
/* Called when a link has been given output and before it is under way: here a process may stop. */
void loop_on_output(struct loop *loop, void (*on_output)(void *context), void *context);
void loop_tell_output(struct loop *loop);

#endif
