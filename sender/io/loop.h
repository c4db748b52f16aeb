/*
 * loop - one thread's turn: submit and wait, reap into a list, run completions, flush.
 *
 * The loop owns an io_uring (SINGLE_ISSUER | DEFER_TASKRUN) and the timers. Everything here belongs
 * to the thread that opened it. Operations live in their owners: the address of a struct io_op is
 * its user_data, so an owner may not be freed while one of its operations is in the kernel, not
 * even after it was cancelled (man 7 io_uring_cancelation: two completions, in any order).
 *
 * Only sender/io/ring.c includes <liburing.h>; loop.c is the turn, ring.c the system calls.
 */
#ifndef FACTEUR_SENDER_IO_LOOP_H
#define FACTEUR_SENDER_IO_LOOP_H

#include "sender/base/bytes.h"
#include "sender/base/timers.h"

#include <sys/socket.h>

struct loop;

struct io_op {
    uint64_t magic;                                /* IO_OP_MAGIC while in the kernel */
    void (*on_done)(struct io_op *op, int result); /* result >= 0, or a negative errno */
    struct io_op *next;                            /* the turn's list of completions */
    int result;
};

/* Asks to be flushed once at the end of this turn: how all output of a turn leaves in one write. */
struct loop_flush {
    void (*on_flush)(struct loop_flush *flush);
    struct loop_flush *next;
    bool queued;
};

struct loop_settings {
    /* Most operations in the kernel at once: sizes the rings. Two a link (LINK_OPERATIONS), one a
     * listener and a mailbox; a few of the loop's own are added. More is a broken belief. */
    uint32_t operations_max;
    uint32_t timers_max; /* most timers started at once; one of them a link and a listener */
};

/*
 * Opens the ring. NULL on failure, with the cause and the remedy in `error`: an old kernel,
 * io_uring disabled by sysctl kernel.io_uring_disabled, a container's seccomp profile,
 * RLIMIT_MEMLOCK.
 */
struct loop *loop_open(const struct loop_settings *settings, struct error_text *error);
/*
 * Everything on it must have been closed before. What of that is still ending (a closed link saying
 * goodbye) is waited for, so on_close may still come from here.
 */
void loop_close(struct loop *loop);

/* One turn. Waits at most `wait_us_max` for a completion, less if a timer is due earlier. */
void loop_turn(struct loop *loop, uint64_t wait_us_max);

uint64_t loop_now_us(const struct loop *loop); /* monotonic, as of this turn's waking */
struct timers *loop_timers(struct loop *loop);
uint32_t loop_operations(const struct loop *loop); /* in the kernel now */
struct resolver *loop_resolver(struct loop *loop); /* for links; opened on first use */
void loop_flush_later(struct loop *loop, struct loop_flush *flush); /* queued once, however often */

/* Operations. `op->on_done` must be set; the memory must stay until it is called. */
void io_recv(struct loop *loop, struct io_op *op, int fd, void *data, size_t size);
void io_send(struct loop *loop, struct io_op *op, int fd, const void *data, size_t size);
void io_connect(struct loop *loop, struct io_op *op, int fd, const struct sockaddr *address,
                socklen_t address_size);                     /* `address` must stay, too */
void io_accept(struct loop *loop, struct io_op *op, int fd); /* one connection; result: its fd */
void io_read(struct loop *loop, struct io_op *op, int fd, void *data, size_t size);
/* Asks the kernel to end whatever is under way on `fd`; each ends with -ECANCELED or its result. */
void io_cancel_fd(struct loop *loop, int fd);

#endif
