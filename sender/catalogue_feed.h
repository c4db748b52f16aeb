/*
 * catalogue_feed - keeps the newest edition of each business's catalogue: files, and Redis' over
 * them.
 *
 * A thread of its own blocks in XREAD on every B:templates:log; when a change is logged it reads
 * B:templates whole, builds an edition and publishes it. So nothing is polled, and no worker ever
 * parses a template. When Redis is away the last edition stays in force.
 */
#ifndef FACTEUR_SENDER_CATALOGUE_FEED_H
#define FACTEUR_SENDER_CATALOGUE_FEED_H

#include "queue/keys.h"
#include "sender/edition.h"
#include "sender/redis_client.h"

struct catalogue_feed_settings {
    const struct redis_address *redis;     /* copied */
    const struct account_keys *businesses; /* one account's keys of each business; copied */
    uint32_t business_count;
    const struct catalogue *files; /* borrowed until the close: the default templates */
};

struct catalogue_feed;

/*
 * Starts the thread and waits until every business has its first edition. NULL if Redis does not
 * give it within seconds; the cause is in `error`. A template of Redis that cannot be read is
 * logged and left out: messages that name it are refused, all others go on.
 */
struct catalogue_feed *catalogue_feed_open(const struct catalogue_feed_settings *settings,
                                           struct error_text *error);
void catalogue_feed_close(struct catalogue_feed *feed); /* NULL is allowed */

/* The newest edition of business `index`, held for the caller. Any thread. */
struct edition *catalogue_feed_take(struct catalogue_feed *feed, uint32_t index);
/* Changes when there is a newer one: a look that costs a load. Any thread. */
uint64_t catalogue_feed_serial(const struct catalogue_feed *feed, uint32_t index);

#endif
