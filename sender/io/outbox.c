#include "sender/io/outbox.h"
#include "sender/base/check.h"

#include <stdlib.h>

enum {
    OUTBOX_MARGIN = 4096,        /* for TLS's own words before the owner's records */
    OUTBOX_RECORD_HEADER = 5,    /* of a TLS record: type, version, length */
    OUTBOX_RECORD_PLAIN = 16384, /* plaintext in a full one */
};

void
outbox_open(struct outbox *outbox, size_t output_size, bool with_tls)
{
    *outbox = (struct outbox){.output_size = output_size};
    size_t capacity = output_size;
    if (with_tls) {
        outbox->page = check_alloc(1, output_size);
        capacity = tls_sealed_size_max(output_size) + OUTBOX_MARGIN;
    }
    buffer_init(&outbox->out, check_alloc(1, capacity), capacity);
}

void
outbox_close(struct outbox *outbox)
{
    free(outbox->page);
    free(outbox->out.data);
    *outbox = (struct outbox){0};
}

void
outbox_begin(struct outbox *outbox)
{
    buffer_reset(&outbox->out);
    outbox->taken = outbox->sealed_at = outbox->plain_size = 0;
}

bool
outbox_has_room(const struct outbox *outbox)
{
    return buffer_room(&outbox->out) >=
           (outbox->page == NULL ? outbox->output_size : tls_sealed_size_max(outbox->output_size));
}

struct buffer *
outbox_page(struct outbox *outbox)
{
    check(outbox_has_room(outbox) && outbox->plain_size == 0);
    outbox->sealed_at = outbox->out.size;
    char *memory = outbox->page == NULL ? outbox->out.data : outbox->page;
    buffer_init(&outbox->plain, memory, outbox->output_size);
    return &outbox->plain;
}

enum tls_result
outbox_seal(struct outbox *outbox, struct tls *tls)
{
    outbox->plain_size = outbox->plain.size;
    if (tls != NULL)
        return tls_send(tls, outbox->plain.data, outbox->plain.size, &outbox->out);
    outbox->out.size = outbox->plain.size;
    return TLS_OK;
}

struct span
outbox_rest(const struct outbox *outbox)
{
    return (struct span){.data = outbox->out.data + outbox->taken,
                         .size = outbox->out.size - outbox->taken};
}

void
outbox_take(struct outbox *outbox, size_t size)
{
    check(size <= outbox->out.size - outbox->taken);
    outbox->taken += size;
    if (outbox->taken < outbox->out.size)
        return;
    outbox->bytes_sent += outbox->plain_size;
    outbox_begin(outbox);
}

/* A record of which one byte left may be complete at the peer for all we know. */
static size_t
plain_taken(const struct outbox *outbox)
{
    if (outbox->page == NULL)
        return outbox->taken;
    size_t at = outbox->sealed_at;
    size_t plain = 0;
    while (at + OUTBOX_RECORD_HEADER <= outbox->out.size && at < outbox->taken) {
        const unsigned char *header = (const unsigned char *)outbox->out.data + at;
        at += OUTBOX_RECORD_HEADER + ((size_t)header[3] << 8) + header[4];
        plain += OUTBOX_RECORD_PLAIN;
    }
    return plain < outbox->plain_size ? plain : outbox->plain_size;
}

void
outbox_end(struct outbox *outbox)
{
    outbox->bytes_sent += plain_taken(outbox);
    outbox_begin(outbox);
}
