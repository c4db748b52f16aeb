/*
 * ring - the system calls of a loop: one io_uring, bytes of memory given to the kernel and back.
 *
 * Private to loop.c. Created in the thread that uses it (SINGLE_ISSUER). Nothing is entered into
 * the kernel before ring_enter(), except when more is queued than the submission ring holds.
 */
#ifndef FACTEUR_SENDER_IO_RING_H
#define FACTEUR_SENDER_IO_RING_H

#include "sender/io/loop.h"

struct ring;

/* NULL on failure, with cause and remedy in `error`. */
struct ring *ring_open(uint32_t operations_max, struct error_text *error);
void ring_close(struct ring *ring);

/* Submits what is queued and waits for one completion, at most `wait_us`; 0 does not wait. */
void ring_enter(struct ring *ring, uint64_t wait_us);

/* Takes all completions out of the ring, in their order: a list through op->next, with op->result
 * set. Their callbacks are the caller's business. */
struct io_op *ring_reap(struct ring *ring);

uint32_t ring_operations(const struct ring *ring); /* queued or in the kernel */

void ring_recv(struct ring *ring, struct io_op *op, int fd, void *data, size_t size);
void ring_send(struct ring *ring, struct io_op *op, int fd, const void *data, size_t size);
void ring_connect(struct ring *ring, struct io_op *op, int fd, const struct sockaddr *address,
                  socklen_t address_size);
void ring_accept(struct ring *ring, struct io_op *op, int fd);
void ring_read(struct ring *ring, struct io_op *op, int fd, void *data, size_t size);
void ring_cancel_fd(struct ring *ring, int fd);

#endif
