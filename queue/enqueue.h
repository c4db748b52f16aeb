/*
 * enqueue - the producers' side: fields become entries of a stream, one each or in bulk.
 *
 * What is written is not judged here: notification_read() says beforehand whether a worker would
 * take it. A bulk entry costs Redis a quarter of single ones.
 */
#ifndef FACTEUR_QUEUE_ENQUEUE_H
#define FACTEUR_QUEUE_ENQUEUE_H

#include "queue/calls.h"
#include "queue/notification.h"

/* Where entries go; the reply is the entry's name, or an error. */
struct enqueue_target {
    struct call call;
    const char *stream; /* "queue" or "urgent" */
};

/* One entry with these fields. False when the session has no room: nothing was written. */
bool enqueue_single(const struct enqueue_target *target, const struct field *fields, size_t count);

/* Gathers notifications as JSON lines into one entry's field `bulk`. */
struct bulk_writer {
    struct buffer text;   /* the lines, without a newline at the end; memory borrowed */
    uint32_t members;     /* lines in it */
    uint32_t members_max; /* 1 to QUEUE_BULK_MAX */
};

/* `capacity`: bytes of one entry, at most QUEUE_ENTRY_SIZE_MAX - 4, for `bulk` counts too. */
void bulk_writer_init(struct bulk_writer *writer, void *memory, size_t capacity,
                      uint32_t members_max);

/*
 * Adds one notification. Values are UTF-8; other bytes would become U+FFFD. False when it does not
 * fit any more: nothing was added, and the writer wants to be flushed first. If it is empty
 * already, this notification is too large for a bulk entry and goes alone.
 */
bool bulk_writer_add(struct bulk_writer *writer, const struct field *fields, size_t count);

/* Writes the entry and empties the writer; true with nothing written if it was empty. False when
 * the session has no room: nothing was written, and the writer keeps what it has. */
bool bulk_writer_flush(struct bulk_writer *writer, const struct enqueue_target *target);

/*
 * One line of JSON as fields, changed in place: names, strings, numbers as their text, objects (of
 * `params`) as theirs. True with `*count` fields, which may be 0 for a blank line. False with a
 * sentence's end in `*why` (static): the line is no flat JSON object.
 */
bool enqueue_read_line(struct span line, struct field fields[NOTIFICATION_FIELDS_MAX],
                       size_t *count, const char **why);

#endif
