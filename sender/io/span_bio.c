#include "sender/io/span_bio.h"
#include "sender/base/check.h"

#include <openssl/bio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PENDING_SIZE = 4096,      /* at first */
    PENDING_MAX = 128 * 1024, /* a flight with the longest chain of certificates; more is a peer
                                 that makes us talk (key updates) without listening */
};
static const uint64_t SPAN_BIO_MAGIC = 0x7370616e5f62696f;

static bool
pending_put(struct span_bio *span_bio, const char *data, size_t size)
{
    if (span_bio->pending_at == span_bio->pending_size)
        span_bio->pending_at = span_bio->pending_size = 0;
    size_t needed = span_bio->pending_size + size;
    if (needed > PENDING_MAX) {
        span_bio->overflow = true;
        return false;
    }
    if (needed > span_bio->pending_capacity) {
        size_t capacity = span_bio->pending_capacity;
        while (capacity < needed)
            capacity *= 2;
        char *grown = check_alloc(1, capacity);
        memcpy(grown, span_bio->pending, span_bio->pending_size);
        free(span_bio->pending);
        span_bio->pending = grown;
        span_bio->pending_capacity = capacity;
    }
    memcpy(span_bio->pending + span_bio->pending_size, data, size);
    span_bio->pending_size = needed;
    return true;
}

static int
on_write(BIO *bio, const char *data, size_t size, size_t *written)
{
    struct span_bio *span_bio = BIO_get_data(bio);
    check_magic(span_bio, SPAN_BIO_MAGIC);
    *written = 0;
    struct buffer *out = span_bio->out;
    /* In order: once something waits, what comes later waits behind it. */
    if (out != NULL && !span_bio_has_pending(span_bio) && buffer_room(out) >= size)
        buffer_put(out, data, size);
    else if (!pending_put(span_bio, data, size))
        return 0;
    *written = size;
    return 1;
}

static int
on_read(BIO *bio, char *data, size_t size, size_t *taken)
{
    struct span_bio *span_bio = BIO_get_data(bio);
    check_magic(span_bio, SPAN_BIO_MAGIC);
    BIO_clear_retry_flags(bio);
    *taken = size < span_bio->in.size ? size : span_bio->in.size;
    if (*taken == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(data, span_bio->in.data, *taken);
    span_bio->in.data += *taken;
    span_bio->in.size -= *taken;
    return 1;
}

static long
on_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD *
span_bio_method(void)
{
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "span");
    check(method != NULL);
    BIO_meth_set_write_ex(method, on_write);
    BIO_meth_set_read_ex(method, on_read);
    BIO_meth_set_ctrl(method, on_ctrl);
    return method;
}

void
span_bio_open(struct span_bio *span_bio)
{
    *span_bio = (struct span_bio){
        .magic = SPAN_BIO_MAGIC,
        .pending = check_alloc(1, PENDING_SIZE),
        .pending_capacity = PENDING_SIZE,
    };
}

void
span_bio_close(struct span_bio *span_bio)
{
    check_magic(span_bio, SPAN_BIO_MAGIC);
    free(span_bio->pending);
    *span_bio = (struct span_bio){0};
}

BIO *
span_bio_attach(struct span_bio *span_bio, const BIO_METHOD *method)
{
    check_magic(span_bio, SPAN_BIO_MAGIC);
    BIO *bio = BIO_new(method);
    check(bio != NULL);
    BIO_set_data(bio, span_bio);
    BIO_set_init(bio, 1);
    return bio;
}

bool
span_bio_has_pending(const struct span_bio *span_bio)
{
    return span_bio->pending_size > span_bio->pending_at;
}

void
span_bio_move(struct span_bio *span_bio, struct buffer *out)
{
    size_t size = span_bio->pending_size - span_bio->pending_at;
    if (size > buffer_room(out))
        size = buffer_room(out);
    buffer_put(out, span_bio->pending + span_bio->pending_at, size);
    span_bio->pending_at += size;
}
