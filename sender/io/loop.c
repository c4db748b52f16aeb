#include "sender/io/loop.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/io/resolver.h"
#include "sender/io/ring.h"

#include <stdlib.h>

enum { LOOP_CLOSE_US_MAX = 5000000 }; /* more than any linger of what was closed before */
static const uint64_t LOOP_MAGIC = 0x6c6f6f7030303031;

struct loop {
    uint64_t magic;
    struct ring *ring;
    struct timers timers;
    uint64_t now_us;               /* as of this turn's waking */
    struct loop_flush *flushes;    /* asked for, in that order */
    struct loop_flush **flush_end; /* where the next goes */
    struct resolver *resolver;     /* opened on first use */
};

struct loop *
loop_open(const struct loop_settings *settings, struct error_text *error)
{
    struct ring *ring = ring_open(settings->operations_max, error);
    if (ring == NULL)
        return NULL;
    struct loop *loop = check_alloc(1, sizeof(*loop));
    loop->magic = LOOP_MAGIC;
    loop->ring = ring;
    loop->now_us = clock_monotonic_us();
    loop->flush_end = &loop->flushes;
    timers_open(&loop->timers, settings->timers_max);
    return loop;
}

void
loop_close(struct loop *loop)
{
    check_magic(loop, LOOP_MAGIC);
    if (loop->resolver != NULL)
        resolver_close(loop->resolver);
    loop->resolver = NULL;

    /* What was closed just before (a link, a listener, a mailbox) still ends in the kernel. */
    uint64_t end_us = clock_monotonic_us() + LOOP_CLOSE_US_MAX;
    while ((ring_operations(loop->ring) > 0 || loop->flushes != NULL) &&
           clock_monotonic_us() < end_us)
        loop_turn(loop, 10000);
    check(ring_operations(loop->ring) == 0); /* somebody did not close what he opened */

    ring_close(loop->ring);
    timers_close(&loop->timers);
    loop->magic = 0;
    free(loop);
}

/* Only what was asked for before: what a flush asks for itself waits for the next round, so two
 * links that wake each other cannot keep the thread from the kernel. */
static void
run_flushes(struct loop *loop)
{
    struct loop_flush *flush = loop->flushes;
    loop->flushes = NULL;
    loop->flush_end = &loop->flushes;
    while (flush != NULL) {
        struct loop_flush *next = flush->next;
        flush->queued = false;
        flush->on_flush(flush); /* may free the flush's owner */
        flush = next;
    }
}

static void
run_completions(struct loop *loop)
{
    struct io_op *op = ring_reap(loop->ring);
    while (op != NULL) {
        struct io_op *next = op->next;
        op->on_done(op, op->result); /* may start the operation again or free its owner */
        op = next;
    }
}

void
loop_turn(struct loop *loop, uint64_t wait_us_max)
{
    check_magic(loop, LOOP_MAGIC);
    run_flushes(loop); /* what was asked for between two turns */

    uint64_t wait_us = timers_wait_us(&loop->timers, clock_monotonic_us());
    if (wait_us > wait_us_max)
        wait_us = wait_us_max;
    if (loop->flushes != NULL)
        wait_us = 0;
    ring_enter(loop->ring, wait_us);
    loop->now_us = clock_monotonic_us();

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

uint32_t
loop_operations(const struct loop *loop)
{
    return ring_operations(loop->ring);
}

struct resolver *
loop_resolver(struct loop *loop)
{
    if (loop->resolver == NULL)
        loop->resolver = resolver_open(loop);
    return loop->resolver;
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

void
io_recv(struct loop *loop, struct io_op *op, int fd, void *data, size_t size)
{
    ring_recv(loop->ring, op, fd, data, size);
}

void
io_send(struct loop *loop, struct io_op *op, int fd, const void *data, size_t size)
{
    ring_send(loop->ring, op, fd, data, size);
}

void
io_connect(struct loop *loop, struct io_op *op, int fd, const struct sockaddr *address,
           socklen_t address_size)
{
    ring_connect(loop->ring, op, fd, address, address_size);
}

void
io_accept(struct loop *loop, struct io_op *op, int fd)
{
    ring_accept(loop->ring, op, fd);
}

void
io_read(struct loop *loop, struct io_op *op, int fd, void *data, size_t size)
{
    ring_read(loop->ring, op, fd, data, size);
}

void
io_cancel_fd(struct loop *loop, int fd)
{
    ring_cancel_fd(loop->ring, fd);
}
