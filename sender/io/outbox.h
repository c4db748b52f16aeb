/*
 * outbox - what a link has for the kernel: one filling at a time, and how much of it was taken.
 *
 * Private to link.c. With TLS the owner's plaintext lies on a page of its own and is sealed behind
 * what TLS itself has to say; without it the owner writes where the kernel reads.
 */
#ifndef FACTEUR_SENDER_IO_OUTBOX_H
#define FACTEUR_SENDER_IO_OUTBOX_H

#include "sender/io/tls.h"

struct outbox {
    size_t output_size;  /* plaintext in one filling, at most */
    char *page;          /* owned; NULL without TLS */
    struct buffer plain; /* over `page`, or over the end of `out` */
    struct buffer out;   /* owned memory: what goes to the kernel */
    size_t taken;        /* of it, by the kernel */
    size_t sealed_at;    /* where records with the owner's plaintext begin */
    size_t plain_size;   /* the owner's plaintext in this filling */
    uint64_t bytes_sent; /* plaintext of earlier fillings, all taken */
};

void outbox_open(struct outbox *outbox, size_t output_size, bool with_tls);
void outbox_close(struct outbox *outbox);

void outbox_begin(struct outbox *outbox);          /* an empty filling */
bool outbox_has_room(const struct outbox *outbox); /* for a page of plaintext */
struct buffer *outbox_page(struct outbox *outbox); /* an empty one, for the owner */
enum tls_result outbox_seal(struct outbox *outbox, struct tls *tls); /* what is on the page */

struct span outbox_rest(const struct outbox *outbox); /* what the kernel has not taken yet */
void outbox_take(struct outbox *outbox, size_t size); /* the kernel took that much */
void outbox_end(struct outbox *outbox); /* counts what was taken of an unfinished filling */

#endif
