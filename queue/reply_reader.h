/*
 * reply_reader - received bytes become replies in an arena. The only file that knows hiredis.
 *
 * hiredis parses RESP2 and calls object functions of ours, which take a reply's memory from the
 * arena: no malloc per reply. What hiredis keeps for itself is one buffer of unread bytes, which
 * grows to the largest reply met and is then kept (`maxbuf` 0), and a fixed stack of nine tasks:
 * arrays within arrays end at seven.
 *
 * Everything is bounded by the arena: an announced array that cannot fit is refused before its
 * first element, and an announced string once more bytes wait than the arena has.
 */
#ifndef FACTEUR_QUEUE_REPLY_READER_H
#define FACTEUR_QUEUE_REPLY_READER_H

#include "queue/session.h"

struct reply_reader; /* opaque: only its file includes hiredis */

/* `arena` is borrowed: replies are built in it, and it is never reset here. */
struct reply_reader *reply_reader_open(struct arena *arena);
void reply_reader_close(struct reply_reader *reader);

/* Forgets all unread bytes and any error: the connection is another one. Allocates. */
void reply_reader_reset(struct reply_reader *reader);

/* Adds received bytes; they are copied. At most REPLY_READER_SLICE at a time, so that moving what
 * is left to the front of the buffer after a reply stays cheap. */
enum { REPLY_READER_SLICE = 16 * 1024 };
void reply_reader_feed(struct reply_reader *reader, const char *data, size_t size);

enum reply_reader_result {
    REPLY_READER_REPLY, /* `*reply` is whole, and valid until the arena is reset */
    REPLY_READER_MORE,  /* more bytes are needed; a part of a reply may stand in the arena */
    REPLY_READER_BROKEN /* not RESP2, or larger than the arena: `error` says which; until a reset */
};

enum reply_reader_result reply_reader_next(struct reply_reader *reader, const struct reply **reply,
                                           struct error_text *error);

#endif
