/*
 * sender - the running program: its settings, what all workers read, and its workers.
 *
 * Everything in struct sender is written before the first worker starts and only read after, but
 * for the two flags and the counters, which are atomic. Workers share nothing else.
 */
#ifndef FACTEUR_SENDER_SENDER_H
#define FACTEUR_SENDER_SENDER_H

#include "queue/keys.h"
#include "sender/attempt_settings.h"
#include "sender/catalogue_feed.h"
#include "sender/cost/phone_table.h"
#include "sender/cost/quote.h"
#include "sender/graph/request.h"
#include "sender/io/digest.h"
#include "sender/limits.h"
#include "sender/rate_feed.h"
#include "sender/redis_client.h"
#include "sender/rules/pace.h"
#include "templates/fallback.h"

#include <pthread.h>
#include <stdatomic.h>

struct account_settings {
    struct account_keys keys;
    char phone_number_id[32];
    char path[96];            /* "/v26.0/PHONE_NUMBER_ID/messages" */
    uint32_t business;        /* index into the sender's businesses */
    char authorization[1024]; /* "Bearer …"; never logged */
    bool strict_numbers;      /* refuse unlisted numbers; otherwise they are sent */
    struct pace pace;         /* of this process; no limit if its count is 0 */
    struct fallback fallback; /* languages to try */
    struct attempt_settings attempts;
    char currency[4];        /* of its rate card and its ledger */
    const struct zone *zone; /* whose midnight changes its day and its card */
};

struct graph_address {
    char host[256];
    uint16_t port;
    char version[16];    /* "v26.0" */
    char authority[280]; /* host, and the port if it is not 443 */
};

struct sender_settings {
    struct redis_address redis;
    struct graph_address graph;
    char ca_file[256]; /* of the Graph API; "" for the system's store */
    uint32_t workers;
    uint32_t connections_max; /* a worker */
    uint32_t exchanges_max;   /* on one connection */
    uint64_t lease_ms;
    uint64_t request_timeout_ms;
    uint64_t uncertain_wait_ms;
    uint64_t max_age_ms;       /* without `expires` */
    uint64_t max_age_codes_ms; /* of one-time codes */
    uint64_t dedupe_ttl_ms;
    uint64_t events_keep;
    uint64_t drain_ms;     /* after SIGTERM, the longest wait for what is under way */
    bool clear_recipients; /* write recipients into events as they are */
};

/* How the workers tell of themselves; every counter only grows. */
struct sender_counters {
    _Atomic uint64_t claimed;
    _Atomic uint64_t accepted;
    _Atomic uint64_t refused;
    _Atomic uint64_t failed;
    _Atomic uint64_t later;
    _Atomic uint64_t uncertain;
    _Atomic uint64_t other; /* duplicate, expired, dead */
    _Atomic uint64_t late;  /* outcomes that came after their grant was taken away */
};

struct sender {
    struct sender_settings settings;
    struct attempt_settings attempts; /* of accounts that say nothing else */
    struct account_settings *accounts;
    uint32_t account_count;
    uint32_t businesses[BUSINESSES_MAX]; /* one account's index of each business, for its keys */
    struct digest_key secrets[BUSINESSES_MAX];
    uint32_t business_count;
    struct catalogue *files;     /* the default templates; the feed lays Redis' over them */
    struct catalogue_feed *feed; /* the catalogue in force, by business */
    const struct phone_table *phones;
    struct markets *markets;
    struct zone_table zones; /* of the accounts */
    struct rate_feed *rates; /* the cards in force */
    struct sender_counters counters;
    _Atomic bool draining;          /* no new claims; finish what is under way */
    _Atomic bool aborting;          /* end at once: leases will clean up */
    pthread_t threads[WORKERS_MAX]; /* 0: joined */
    struct worker **workers;
    uint64_t drain_end_ms; /* monotonic; 0: not draining */
    bool failed;           /* a worker could not start */
};

struct sender_events {
    /* SIGHUP: a new sender from the settings as they are now, or NULL after saying why not. */
    struct sender *(*reload)(void *context);
    /* The workers of `sender` have ended: it is the callee's to free. */
    void (*ended)(void *context, struct sender *sender);
    void *context;
};

/* SIGTERM, SIGINT and SIGHUP wait for sender_run() from here on. Before any thread is started. */
void sender_block_signals(void);

/*
 * Runs the workers until they have drained (SIGTERM, SIGINT) or were told to end at once (a second
 * signal, or drain_ms). `sender` is ended through `events->ended`, as is each that a SIGHUP
 * brought. Returns false if a worker could not start; the cause has been logged.
 */
bool sender_run(struct sender *sender, const struct sender_events *events);

#endif
