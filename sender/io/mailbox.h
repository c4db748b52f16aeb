/*
 * mailbox - how another thread wakes a loop: a lock-protected list and an eventfd.
 *
 * For slow things only (name resolution, signals, the end of a sibling): nothing on the path of a
 * notification goes through it.
 */
#ifndef FACTEUR_SENDER_IO_MAILBOX_H
#define FACTEUR_SENDER_IO_MAILBOX_H

#include "sender/io/loop.h"

struct letter {
    void (*on_delivery)(struct letter *letter); /* on the loop's thread */
    struct letter *next;
};

struct mailbox;
struct mailbox *mailbox_open(struct loop *loop); /* the loop reads it from now on */
void
mailbox_close(struct mailbox *mailbox); /* before loop_close(); undelivered letters are dropped */
void mailbox_post(struct mailbox *mailbox,
                  struct letter *letter); /* any thread; letter is the poster's until delivered */

#endif
