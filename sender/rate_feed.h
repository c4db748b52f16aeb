/*
 * rate_feed - keeps the rate cards in force: read at start, and again when their files change.
 *
 * The main thread looks at the files once a second (rate_feed_look). What has changed, and then
 * stood still for a second, is read into a new book; if every account can be billed by it, it is
 * published, and each worker goes over to it between two turns. The book before it is freed when
 * the last worker has. So a message is quoted by exactly one card, no worker ever waits or parses,
 * and a bad file changes nothing but the log.
 */
#ifndef FACTEUR_SENDER_RATE_FEED_H
#define FACTEUR_SENDER_RATE_FEED_H

#include "sender/cost/rate_book.h"

struct account_settings; /* sender.h */

struct rate_feed_settings {
    const char *path;                        /* a file or a folder; copied */
    const struct markets *markets;           /* borrowed until the close */
    const struct account_settings *accounts; /* borrowed until the close: currency and zone */
    uint32_t account_count;
    uint32_t workers; /* numbered from 0 */
};

struct rate_feed;

/* NULL if the cards cannot be read or an account cannot be billed by them at `now_ms` (Unix): see
 * rate_feed_judge(). */
struct rate_feed *rate_feed_open(const struct rate_feed_settings *settings, uint64_t now_ms,
                                 struct error_text *error);
void rate_feed_close(struct rate_feed *feed); /* no worker uses it; NULL is allowed */

/* What a worker quotes by. Zeroed: it has not looked yet. */
struct rate_use {
    const struct rate_book *book; /* valid until the worker's next rate_feed_use() */
    uint64_t serial;              /* changes with the book */
};

/* Once a turn, when nothing is kept of the last one's book. Only by worker `worker`. */
void rate_feed_use(struct rate_feed *feed, uint32_t worker, struct rate_use *use);
void rate_feed_leave(struct rate_feed *feed, uint32_t worker); /* it will not look again */

/* Main thread; at most one look a second, however often it is called. `now_us` is monotonic. */
void rate_feed_look(struct rate_feed *feed, uint64_t now_us, uint64_t now_ms);

/*
 * True if each account's currency has a card in force at that moment in the account's zone, with
 * every price that the markets of that day may need. Else `error` names the first account that
 * cannot be billed, what is missing, and what to do.
 */
bool rate_feed_judge(const struct rate_book *book, const struct rate_feed_settings *settings,
                     uint64_t now_ms, struct error_text *error);

#endif
