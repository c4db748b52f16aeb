/*
 * fake_worker - a worker without Redis, Graph API or thread: enough of one that a delivery can be
 * walked through its steps. The catalogue is the one of the repository; Redis' feed is played here.
 */
#ifndef FACTEUR_TESTS_UNIT_SENDER_FAKE_WORKER_H
#define FACTEUR_TESTS_UNIT_SENDER_FAKE_WORKER_H

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/slots.h"
#include "sender/turns.h"
#include "tests/unit/test.h"

#include <string.h>

struct fake_worker {
    struct sender sender;
    struct account_settings settings;
    struct account account;
    struct worker worker;
    struct edition *edition;
    struct rate_book *book;
    struct batch batch;
    struct claim_hold hold;
    struct grant_hold grant;
    struct exchange_memory exchange_memory;
    struct delivery delivery;
    struct field fields[32];
    char entry[64];
};

static struct edition *fake_edition; /* of the one worker there is */

/* The linker takes these instead of the feed's own, which would need Redis. */
struct edition *
catalogue_feed_take(struct catalogue_feed *feed, uint32_t index)
{
    (void)feed;
    (void)index;
    edition_take(fake_edition);
    return fake_edition;
}

uint64_t
catalogue_feed_serial(const struct catalogue_feed *feed, uint32_t index)
{
    (void)feed;
    (void)index;
    return 1;
}

static inline void
fake_die(const struct error_text *error)
{
    printf("%s\n", error->text);
    exit(1);
}

static inline void
fake_no_work(struct loop_flush *flush)
{
    (void)flush;
}

static inline void
fake_open_sender(struct fake_worker *fake)
{
    struct error_text error = {0};
    struct sender *sender = &fake->sender;
    if (!keys_read(SPAN("acme/fr"), &fake->settings.keys, &error))
        fake_die(&error);
    memcpy(fake->settings.currency, "USD", 4);
    fake->settings.zone = zone_utc();
    sender->accounts = &fake->settings;
    sender->account_count = sender->business_count = 1;
    sender->phones = phone_table_builtin();
    sender->settings.max_age_ms = 24 * 3600 * 1000;
    sender->settings.max_age_codes_ms = 10 * 60 * 1000;
    sender->settings.uncertain_wait_ms = 600 * 1000;
    sender->settings.lease_ms = 10 * 1000;
    if (!retries_read(&fake->settings.attempts.retries, SPAN("5s, 30s"), &error))
        fake_die(&error);
    digest_key_init(&sender->secrets[0], "secret", 6);
    sender->markets = markets_open(FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv", &error);
    if (sender->markets == NULL)
        fake_die(&error);
    fake->book =
        rate_book_open(FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv", sender->markets, &error);
    if (fake->book == NULL)
        fake_die(&error);
    struct catalogue *catalogue =
        catalogue_open_folder(FACTEUR_SOURCE_DIR "/templates/catalogue", &error);
    if (catalogue == NULL)
        fake_die(&error);
    fake->edition = edition_open(catalogue);
}

static inline void
fake_open(struct fake_worker *fake)
{
    struct error_text error = {0};
    const struct loop_settings loop = {.operations_max = 8, .timers_max = 8};
    memset(fake, 0, sizeof(*fake));
    fake_open_sender(fake);
    fake_edition = fake->edition;
    struct worker *worker = &fake->worker;
    worker->magic = WORKER_MAGIC;
    worker->sender = &fake->sender;
    worker->loop = loop_open(&loop, &error);
    if (worker->loop == NULL)
        fake_die(&error);
    worker->work.on_flush = fake_no_work;
    random_seed(&worker->random, 1);
    memcpy(worker->holder_text, "0123456789abcdef", QUEUE_HOLDER_SIZE);
    worker->holder = span_of(worker->holder_text);
    worker->accounts = &fake->account;
    worker->account_count = 1;
    fake->account.settings = &fake->settings;
    fake->account.worker = worker;
    turns_open(worker);
    worker->text = check_alloc(1, TEXT_SIZE);
    worker->editions = editions_open(NULL, 1);
    worker->rates.book = fake->book;
    arena_open(&fake->batch.arena, BATCH_ARENA_SIZE);
}

static inline void
fake_close(struct fake_worker *fake)
{
    if (fake->delivery.edition != NULL)
        editions_give(fake->delivery.edition);
    editions_close(fake->worker.editions);
    edition_give(fake->edition);
    rate_book_close(fake->book);
    markets_close(fake->sender.markets);
    arena_close(&fake->batch.arena);
    free(fake->worker.text);
    loop_close(fake->worker.loop);
}

/* An empty slot whose entry was written `age_ms` ago. */
static inline struct delivery *
fake_delivery(struct fake_worker *fake, uint64_t age_ms)
{
    struct delivery *delivery = &fake->delivery;
    if (delivery->edition != NULL)
        editions_give(delivery->edition);
    memset(delivery, 0, sizeof(*delivery));
    for (int source = 0; source < SOURCE_COUNT; source++)
        fake->account.ready[source] = (struct delivery_list){0};
    fake->account.sending = fake->account.settling = (struct delivery_list){0};
    fake->account.ready_count = 0;
    arena_reset(&fake->batch.arena);
    fake->batch.pins = 2; /* the delivery's, and the test's own */
    fake->hold = (struct claim_hold){.name = SPAN("0123456789abcdef.1"),
                                     .account = &fake->account,
                                     .source = SOURCE_QUEUE,
                                     .deliveries = 1};
    snprintf(fake->entry, sizeof(fake->entry), "%" PRIu64 "-0", clock_unix_ms() - age_ms);
    delivery->magic = DELIVERY_MAGIC;
    delivery->worker = &fake->worker;
    delivery->account = &fake->account;
    delivery->hold = &fake->hold;
    delivery->batch = &fake->batch;
    delivery->name = span_of(fake->entry);
    delivery->entry_size = (uint32_t)delivery->name.size;
    delivery->arena = (struct arena){.data = delivery->memory, .capacity = SLOT_MEMORY};
    delivery->state = DELIVERY_READING;
    return delivery;
}

/* Names and values in turn, the last one NULL. */
static inline struct delivery *
fake_entry(struct fake_worker *fake, const char *const *words, uint64_t age_ms)
{
    struct delivery *delivery = fake_delivery(fake, age_ms);
    uint32_t count = 0;
    for (; words[2 * count] != NULL; count++)
        fake->fields[count] =
            (struct field){span_of(words[2 * count]), span_of(words[2 * count + 1])};
    delivery->raw_fields = fake->fields;
    delivery->raw_count = count;
    return delivery;
}

/* One that was granted `age_us` ago, by the worker's own name, and is about to be sent. The
 * account's pauses are forgotten. */
static inline struct delivery *
fake_granted(struct fake_worker *fake, const char *const *words, uint64_t age_us)
{
    struct delivery *delivery = fake_entry(fake, words, 0);
    fake->account.paused_until_us = 0;
    fake->account.throttles = 0;
    delivery_run(delivery);
    expect(delivery->state == DELIVERY_GRANTING);
    expect(list_pop(&fake->account.ready[SOURCE_QUEUE]) == delivery);
    fake->account.ready_count = 0;
    fake->grant = (struct grant_hold){.name = SPAN("0123456789abcdef.2"),
                                      .unsettled = 1,
                                      .granted_us = loop_now_us(fake->worker.loop) - age_us};
    delivery->grant = &fake->grant;
    delivery->state = DELIVERY_SENDING;
    return delivery;
}

#endif
