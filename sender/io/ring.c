#include "sender/io/ring.h"
#include "sender/base/check.h"

#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <string.h>

enum {
    RING_SQ_MAX = 4096, /* a turn that queues more enters early, which is only a little dearer */
    RING_OWN = 16,      /* operations of the loop's own: resolver, listeners, mailboxes */
};
static const uint64_t IO_OP_MAGIC = 0x696f5f6f70303031;
static const uint64_t IO_OP_DONE = 0x696f5f646f6e6530;

struct ring {
    struct io_uring uring;
    uint32_t operations;     /* queued or in the kernel */
    uint32_t operations_max; /* with room for as many cancellations in the completion ring */
    uint32_t cancels;        /* cancellations whose completion has not come */
};

/* The cause and what to do about it: who meets this is installing facteur, not debugging it. */
static void
explain_refusal(int cause, struct error_text *error)
{
    switch (cause) {
    case EPERM:
    case EACCES:
        error_set(
            error,
            "io_uring is not allowed here: either sysctl kernel.io_uring_disabled is not 0 "
            "(set it to 0, or to 1 with this user in kernel.io_uring_group), or a container's "
            "seccomp profile forbids it (allow io_uring_setup, io_uring_enter and "
            "io_uring_register; with Docker: --security-opt seccomp=PROFILE.json)");
        break;
    case ENOSYS:
        error_set(error, "this kernel has no io_uring, or a sandbox hides it: facteur needs Linux "
                         "6.1 or newer, with io_uring_setup allowed by the seccomp profile");
        break;
    case ENOMEM:
        error_set(error, "not enough locked memory for io_uring: raise RLIMIT_MEMLOCK (ulimit -l, "
                         "LimitMEMLOCK= in a systemd unit), or the memory limit of the container");
        break;
    case EINVAL:
        error_set(error, "this kernel's io_uring is too old: facteur needs Linux 6.1 or newer "
                         "(IORING_SETUP_DEFER_TASKRUN)");
        break;
    case EMFILE:
    case ENFILE:
        error_set(error, "no file descriptor left for io_uring: raise RLIMIT_NOFILE (ulimit -n)");
        break;
    default:
        error_set(error, "io_uring could not be set up: %s", strerror(cause));
    }
}

struct ring *
ring_open(uint32_t operations_max, struct error_text *error)
{
    check(operations_max > 0 && operations_max <= 16384);
    struct ring *ring = check_alloc(1, sizeof(*ring));
    ring->operations_max = operations_max + RING_OWN;

    uint32_t entries =
        ring->operations_max < RING_SQ_MAX ? ring->operations_max : (uint32_t)RING_SQ_MAX;
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                 IORING_SETUP_SUBMIT_ALL,
        .cq_entries = ring->operations_max * 2,
    };
    int result = io_uring_queue_init_params(entries, &ring->uring, &params);
    if (result < 0) {
        explain_refusal(-result, error);
        free(ring);
        return NULL;
    }
    if ((params.features & IORING_FEAT_EXT_ARG) == 0) {
        explain_refusal(EINVAL, error);
        io_uring_queue_exit(&ring->uring);
        free(ring);
        return NULL;
    }
    /* Saves a look-up of the ring's file in every enter. Without it all works the same. */
    (void)io_uring_register_ring_fd(&ring->uring);
    return ring;
}

void
ring_close(struct ring *ring)
{
    check(ring->operations == 0);
    io_uring_queue_exit(&ring->uring);
    free(ring);
}

uint32_t
ring_operations(const struct ring *ring)
{
    return ring->operations;
}

void
ring_enter(struct ring *ring, uint64_t wait_us)
{
    int result;
    if (wait_us == 0) {
        /* DEFER_TASKRUN: completions are made only while we are in the kernel to collect them. */
        result = io_uring_submit_and_get_events(&ring->uring);
    } else {
        struct __kernel_timespec timeout = {
            .tv_sec = (long long)(wait_us / 1000000),
            .tv_nsec = (long long)(wait_us % 1000000) * 1000,
        };
        struct io_uring_cqe *cqe;
        result = io_uring_submit_and_wait_timeout(&ring->uring, &cqe, 1, &timeout, NULL);
    }
    /* EAGAIN and EBUSY: the kernel is short of memory or wants completions reaped first; what it
     * did not take stays queued for the next turn. */
    check(result >= 0 || result == -ETIME || result == -EINTR || result == -EAGAIN ||
          result == -EBUSY);
}

struct io_op *
ring_reap(struct ring *ring)
{
    struct io_op *first = NULL;
    struct io_op **last = &first;
    struct io_uring_cqe *cqe;
    unsigned head;
    unsigned count = 0;
    io_uring_for_each_cqe(&ring->uring, head, cqe)
    {
        count++;
        struct io_op *op = io_uring_cqe_get_data(cqe);
        if (op == NULL) { /* a cancellation: what it hit completes by itself */
            check(ring->cancels > 0);
            ring->cancels--;
            continue;
        }
        check_magic(op, IO_OP_MAGIC);
        op->magic = IO_OP_DONE;
        op->result = cqe->res;
        op->next = NULL;
        *last = op;
        last = &op->next;
        check(ring->operations > 0);
        ring->operations--;
    }
    io_uring_cq_advance(&ring->uring, count);
    return first;
}

static struct io_uring_sqe *
take_sqe(struct ring *ring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&ring->uring);
    if (sqe == NULL) {
        (void)io_uring_submit(&ring->uring);
        sqe = io_uring_get_sqe(&ring->uring);
    }
    check(sqe != NULL);
    return sqe;
}

static struct io_uring_sqe *
begin(struct ring *ring, struct io_op *op)
{
    check(op->on_done != NULL && op->magic != IO_OP_MAGIC);
    check(ring->operations < ring->operations_max); /* loop_settings.operations_max is too small */
    ring->operations++;
    op->magic = IO_OP_MAGIC;
    return take_sqe(ring);
}

void
ring_recv(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_recv(sqe, fd, data, size, 0);
    /* After processing there is mostly nothing to read yet: trying first would be wasted. */
    sqe->ioprio |= IORING_RECVSEND_POLL_FIRST;
    io_uring_sqe_set_data(sqe, op);
}

void
ring_send(struct ring *ring, struct io_op *op, int fd, const void *data, size_t size)
{
    struct io_uring_sqe *sqe = begin(ring, op);
    /* WAITALL: the kernel goes on with the rest of a short send by itself. */
    io_uring_prep_send(sqe, fd, data, size, MSG_WAITALL | MSG_NOSIGNAL);
    io_uring_sqe_set_data(sqe, op);
}

void
ring_connect(struct ring *ring, struct io_op *op, int fd, const struct sockaddr *address,
             socklen_t address_size)
{
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_connect(sqe, fd, address, address_size);
    io_uring_sqe_set_data(sqe, op);
}

void
ring_accept(struct ring *ring, struct io_op *op, int fd)
{
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_accept(sqe, fd, NULL, NULL, SOCK_CLOEXEC);
    io_uring_sqe_set_data(sqe, op);
}

void
ring_read(struct ring *ring, struct io_op *op, int fd, void *data, size_t size)
{
    struct io_uring_sqe *sqe = begin(ring, op);
    io_uring_prep_read(sqe, fd, data, (unsigned)size, 0);
    io_uring_sqe_set_data(sqe, op);
}

void
ring_cancel_fd(struct ring *ring, int fd)
{
    check(ring->cancels < ring->operations_max); /* each has its place in the completion ring */
    struct io_uring_sqe *sqe = take_sqe(ring);
    io_uring_prep_cancel_fd(sqe, fd, IORING_ASYNC_CANCEL_ALL);
    io_uring_sqe_set_data(sqe, NULL);
    ring->cancels++;
}
