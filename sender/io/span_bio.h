/*
 * span_bio - where OpenSSL reads and writes: bytes that somebody else holds, and no socket.
 *
 * Private to tls.c. Reading takes from a span; writing goes straight into a buffer while one is
 * given, else into memory of its own until it is moved out.
 */
#ifndef FACTEUR_SENDER_IO_SPAN_BIO_H
#define FACTEUR_SENDER_IO_SPAN_BIO_H

#include "sender/base/bytes.h"

struct bio_st;        /* OpenSSL's BIO */
struct bio_method_st; /* OpenSSL's BIO_METHOD */

struct span_bio {
    uint64_t magic;
    struct span in;      /* received, not read by OpenSSL yet */
    struct buffer *out;  /* borrowed while something is sealed, else NULL */
    char *pending;       /* written while there was no `out`, or no room in it */
    size_t pending_at;   /* of it, already moved */
    size_t pending_size; /* bytes written */
    size_t pending_capacity;
    bool overflow; /* more waits than ever should: writing failed */
};

struct bio_method_st *span_bio_method(void); /* the caller's, for BIO_meth_free() */

void span_bio_open(struct span_bio *span_bio);
void span_bio_close(struct span_bio *span_bio);

/* A BIO on it, which the receiver frees before span_bio_close(). */
struct bio_st *span_bio_attach(struct span_bio *span_bio, const struct bio_method_st *method);

bool span_bio_has_pending(const struct span_bio *span_bio);
void span_bio_move(struct span_bio *span_bio, struct buffer *out); /* as much as fits */

#endif
