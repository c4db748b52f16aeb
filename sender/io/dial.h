/*
 * dial - from an address to a connected descriptor: look-up, then one address after the other.
 *
 * Private to link.c. Embedded in the link; not to be freed between dial_begin() and on_done. The
 * time that is left is shared among the addresses not tried yet, so that one that swallows
 * packets does not take the chance from the others.
 */
#ifndef FACTEUR_SENDER_IO_DIAL_H
#define FACTEUR_SENDER_IO_DIAL_H

#include "sender/io/link.h"
#include "sender/io/resolver.h"

struct dial {
    struct loop *loop;
    struct link_address address; /* borrowed until on_done */
    uint64_t begun_us;
    uint64_t deadline_us;
    struct lookup *lookup; /* under way, or NULL */
    struct resolver_answer answer;
    size_t next; /* which of the answer's addresses is tried next */
    struct io_op connect_op;
    struct timer timer; /* ends the look-up, or the address that is tried */
    int fd;             /* the address that is tried; -1: none */
    bool timed_out;     /* that address had its time */
    bool aborted;
    struct error_text error; /* why there is no descriptor: of the last address that was tried */
    void (*on_done)(struct dial *dial, int fd); /* fd is the receiver's; -1: failed or aborted */
};

/* on_done may come from inside, else from the turn; exactly once. */
void dial_begin(struct dial *dial, struct loop *loop, const struct link_address *address,
                uint64_t deadline_us, void (*on_done)(struct dial *dial, int fd));

/* Between dial_begin() and on_done. True: it is over, and on_done does not come. False: the kernel
 * has something of it; on_done comes later. */
bool dial_abort(struct dial *dial);

#endif
