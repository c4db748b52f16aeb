#include "sender/catalogue_feed.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/base/random.h"
#include "templates/stored.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    FEED_MAGIC = 0x66656564,
    TURN_WAIT_MAX_US = 200 * 1000, /* how soon a close is seen */
    OPEN_WAIT_S = 10,              /* the first editions must be there by then */
    AGAIN_WAIT_US = 1000 * 1000,   /* after Redis refused */
    BLOCK_MS = 20 * 1000,          /* a wait that ends tells that Redis is still there */
    SILENCE_US = 30 * 1000 * 1000, /* and no end of it, that it is not */
    CHANGES_COUNT = 100,           /* log entries read at once */
    ID_SIZE = 48,                  /* bytes of a stream id */
    REPLY_SIZE = 64 * 1024 * 1024, /* bytes of one business's hash; only what is used is touched */
};

struct feed_business {
    struct catalogue_feed *feed;
    struct account_keys keys;
    pthread_mutex_t lock;
    struct edition *newest; /* under the lock; NULL only before the first */
    _Atomic uint64_t serial;

    /* The thread's own. */
    char last_id[ID_SIZE]; /* of the log: what came after it has not been seen */
    uint64_t number;       /* of the hash as it was last read */
    bool stale;            /* to be read (again) */
    bool reading;
};

struct catalogue_feed {
    uint32_t magic;
    struct redis_address redis;
    const struct catalogue *files;
    struct feed_business *businesses;
    uint32_t business_count;
    pthread_t thread;
    _Atomic bool closing;

    pthread_mutex_t lock; /* of the next two */
    pthread_cond_t first; /* every business has an edition, or trouble */
    char trouble[512];
    uint32_t without; /* businesses without an edition; under the lock */

    /* The thread's own. */
    struct loop *loop;
    struct tls_context *tls;
    struct redis_client *client;
    bool watching; /* XREAD under way */
    uint64_t not_before_us;
};

/* ---- publishing ----------------------------------------------------------------------------- */

static void
say_trouble(struct catalogue_feed *feed, const char *trouble)
{
    pthread_mutex_lock(&feed->lock);
    snprintf(feed->trouble, sizeof(feed->trouble), "%s", trouble);
    pthread_mutex_unlock(&feed->lock);
}

static void
publish(struct feed_business *business, struct edition *edition)
{
    struct catalogue_feed *feed = business->feed;
    pthread_mutex_lock(&business->lock);
    struct edition *before = business->newest;
    business->newest = edition;
    pthread_mutex_unlock(&business->lock);
    atomic_fetch_add_explicit(&business->serial, 1, memory_order_release);
    edition_give(before);
    if (before != NULL)
        return;
    pthread_mutex_lock(&feed->lock);
    feed->without--;
    pthread_cond_signal(&feed->first);
    pthread_mutex_unlock(&feed->lock);
}

struct edition *
catalogue_feed_take(struct catalogue_feed *feed, uint32_t index)
{
    check(index < feed->business_count);
    struct feed_business *business = &feed->businesses[index];
    pthread_mutex_lock(&business->lock);
    struct edition *edition = business->newest;
    edition_take(edition);
    pthread_mutex_unlock(&business->lock);
    return edition;
}

uint64_t
catalogue_feed_serial(const struct catalogue_feed *feed, uint32_t index)
{
    check(index < feed->business_count);
    return atomic_load_explicit(&feed->businesses[index].serial, memory_order_acquire);
}

/* ---- reading the hash ----------------------------------------------------------------------- */

static void
on_bad(void *context, const struct error_text *error)
{
    const struct feed_business *business = context;
    log_line(LOG_ERROR, "template_unusable",
             "business=%s cause=\"%s\" meaning=\"messages that name it are refused\"",
             business->keys.business_name, error->text);
}

/* The templates of a HGETALL, and the number of its last change. */
static uint32_t
read_pairs(struct feed_business *business, const struct reply *reply,
           struct stored_template *stored, uint64_t *number)
{
    uint32_t count = 0;
    *number = 0;
    for (size_t i = 0; i + 1 < reply->count; i += 2) {
        struct span field = reply->elements[i]->text;
        struct span value = reply->elements[i + 1]->text;
        struct error_text error;
        if (span_equal(field, SPAN(STORED_COUNTER)))
            (void)span_to_u64(value, number);
        else if (!stored_read(field, value, &stored[count], &error))
            on_bad(business, &error);
        count += stored[count].name.size > 0 ? 1 : 0;
    }
    return count;
}

static void
build(struct feed_business *business, const struct reply *reply)
{
    const struct catalogue *files = business->feed->files;
    const struct stored_complaints complaints = {on_bad, business};
    struct stored_template *stored = check_alloc(reply->count / 2 + 1, sizeof(*stored));
    struct error_text error;
    uint64_t number;
    uint64_t start_us = clock_monotonic_us();
    uint32_t count = read_pairs(business, reply, stored, &number);
    struct catalogue *catalogue = NULL;
    if (number != business->number || atomic_load(&business->serial) == 0)
        catalogue = stored_catalogue(stored, count, files, &complaints, &error);
    else
        error.text[0] = '\0'; /* a reconnect, and nothing has changed */
    free(stored);
    if (catalogue != NULL) {
        log_line(LOG_INFO, "catalogue", "business=%s version=%llu templates=%u stored=%u us=%llu",
                 business->keys.business_name, (unsigned long long)number,
                 catalogue_count(catalogue), count,
                 (unsigned long long)(clock_monotonic_us() - start_us));
        business->number = number;
        publish(business, edition_open(catalogue));
    } else if (error.text[0] != '\0') {
        log_line(LOG_ERROR, "catalogue_refused",
                 "business=%s cause=\"%s\" meaning=\"the one before it stays in force\"",
                 business->keys.business_name, error.text);
        say_trouble(business->feed, error.text);
    }
}

static void
refused(struct feed_business *business, const struct reply *reply)
{
    char trouble[256];
    snprintf(trouble, sizeof(trouble), "reading %s:templates: %.*s", business->keys.business,
             reply->text.size > 150 ? 150 : (int)reply->text.size, reply->text.data);
    log_line(LOG_WARN, "catalogue_unreadable", "cause=\"%s\"", trouble);
    say_trouble(business->feed, trouble);
    business->feed->not_before_us = loop_now_us(business->feed->loop) + AGAIN_WAIT_US;
    business->stale = true;
}

static void
on_all(void *context, const struct reply *reply)
{
    struct feed_business *business = context;
    check_magic(business->feed, FEED_MAGIC);
    business->reading = false;
    if (reply == NULL)
        return; /* the connection is lost; the next one reads everything */
    if (reply->type != REPLY_ARRAY)
        refused(business, reply);
    else
        build(business, reply);
}

/* Where the log ends, asked before the hash is read: a change between the two is seen twice. */
static void
on_log_end(void *context, const struct reply *reply)
{
    struct feed_business *business = context;
    const struct reply *entry = reply == NULL ? NULL : reply_at(reply, 0);
    const struct reply *id = entry == NULL ? NULL : reply_at(entry, 0);
    snprintf(business->last_id, ID_SIZE, "0-0");
    if (id != NULL && id->text.size > 0 && id->text.size < ID_SIZE)
        snprintf(business->last_id, ID_SIZE, "%.*s", SPAN_ARG(id->text));
}

static void
read_all(struct feed_business *business)
{
    struct session *session = redis_client_session(business->feed->client);
    char hash[KEYS_BASE_MAX + 16];
    char log[KEYS_BASE_MAX + 24];
    snprintf(hash, sizeof(hash), "%s:templates", business->keys.business);
    snprintf(log, sizeof(log), "%s:templates:log", business->keys.business);
    const struct span end[] = {SPAN("XREVRANGE"), span_of(log),  SPAN("+"),
                               SPAN("-"),         SPAN("COUNT"), SPAN("1")};
    const struct span all[] = {SPAN("HGETALL"), span_of(hash)};
    business->stale = false;
    business->reading = true;
    check(session_command(session, end, 6, on_log_end, business));
    check(session_command(session, all, 2, on_all, business));
}

/* ---- watching the logs ---------------------------------------------------------------------- */

static struct feed_business *
find_business(struct catalogue_feed *feed, struct span key)
{
    for (uint32_t i = 0; i < feed->business_count; i++) {
        struct span base = span_of(feed->businesses[i].keys.business);
        if (span_starts(key, base) && key.size > base.size && key.data[base.size] == ':')
            return &feed->businesses[i];
    }
    return NULL;
}

static void
on_changes(void *context, const struct reply *reply)
{
    struct catalogue_feed *feed = context;
    check_magic(feed, FEED_MAGIC);
    feed->watching = false;
    if (reply == NULL)
        return;
    if (reply->type == REPLY_ERROR) {
        log_line(LOG_WARN, "catalogue_unwatched", "cause=\"%.*s\"", SPAN_ARG(reply->text));
        feed->not_before_us = loop_now_us(feed->loop) + AGAIN_WAIT_US;
    }
    for (size_t i = 0; reply->type == REPLY_ARRAY && i < reply->count; i++) {
        const struct reply *key = reply_at(reply->elements[i], 0);
        struct feed_business *business = key == NULL ? NULL : find_business(feed, key->text);
        if (business != NULL)
            business->stale = true;
    }
}

static void
watch(struct catalogue_feed *feed)
{
    struct session *session = redis_client_session(feed->client);
    char log[KEYS_BASE_MAX + 24];
    session_begin(session, 6 + 2 * (size_t)feed->business_count);
    session_part(session, SPAN("XREAD"));
    session_part(session, SPAN("COUNT"));
    session_part_u64(session, CHANGES_COUNT);
    session_part(session, SPAN("BLOCK"));
    session_part_u64(session, BLOCK_MS);
    session_part(session, SPAN("STREAMS"));
    for (uint32_t i = 0; i < feed->business_count; i++) {
        snprintf(log, sizeof(log), "%s:templates:log", feed->businesses[i].keys.business);
        session_part(session, span_of(log));
    }
    for (uint32_t i = 0; i < feed->business_count; i++)
        session_part(session, span_of(feed->businesses[i].last_id));
    feed->watching = session_end(session, on_changes, feed);
    check(feed->watching);
}

/* Between two turns: first what is stale, and when all of it is read, watch again. */
static void
go_on(struct catalogue_feed *feed)
{
    bool reading = false;
    if (!redis_client_is_ready(feed->client) || feed->watching ||
        loop_now_us(feed->loop) < feed->not_before_us)
        return;
    for (uint32_t i = 0; i < feed->business_count; i++) {
        struct feed_business *business = &feed->businesses[i];
        if (business->stale && !business->reading)
            read_all(business);
        reading = reading || business->reading;
    }
    if (!reading)
        watch(feed);
    redis_client_flush(feed->client);
}

/* ---- the thread ----------------------------------------------------------------------------- */

static void
on_ready(void *context)
{
    struct catalogue_feed *feed = context;
    check_magic(feed, FEED_MAGIC);
    feed->not_before_us = 0;
    for (uint32_t i = 0; i < feed->business_count; i++)
        feed->businesses[i].stale = true;
}

static void
on_lost(void *context, const char *reason)
{
    struct catalogue_feed *feed = context;
    check_magic(feed, FEED_MAGIC);
    say_trouble(feed, reason);
}

static bool
open_client(struct catalogue_feed *feed, struct error_text *error)
{
    static const struct redis_client_events events = {.on_ready = on_ready, .on_lost = on_lost};
    const struct loop_settings loop = {.operations_max = 16, .timers_max = 16};
    struct redis_client_settings settings = {
        .address = &feed->redis,
        .output_size = 64 * 1024 + (size_t)feed->business_count * (4 * KEYS_BASE_MAX + 256),
        .arena_size = REPLY_SIZE,
        .waiting_max = 2 * feed->business_count + 16,
        .silence_us = SILENCE_US,
        .master_only = true,
    };
    feed->loop = loop_open(&loop, error);
    if (feed->loop == NULL)
        return false;
    if (redis_address_wants_tls(&feed->redis)) {
        const struct tls_client_settings tls = {
            .ca_file = feed->redis.ca_file[0] != '\0' ? feed->redis.ca_file : NULL};
        feed->tls = tls_client_context(&tls, error);
        if (feed->tls == NULL)
            return false;
        settings.tls = feed->tls;
    }
    random_secret(&settings.seed, sizeof(settings.seed));
    feed->client = redis_client_open(feed->loop, &settings, &events, feed);
    return true;
}

static void
close_client(struct catalogue_feed *feed)
{
    if (feed->client != NULL) {
        redis_client_close(feed->client);
        while (!redis_client_is_closed(feed->client))
            loop_turn(feed->loop, TURN_WAIT_MAX_US);
        redis_client_free(feed->client);
    }
    if (feed->tls != NULL)
        tls_context_close(feed->tls);
    if (feed->loop != NULL)
        loop_close(feed->loop);
}

static void *
feed_main(void *context)
{
    struct catalogue_feed *feed = context;
    struct error_text error;
    check_magic(feed, FEED_MAGIC);
    if (open_client(feed, &error)) {
        while (!atomic_load_explicit(&feed->closing, memory_order_relaxed)) {
            loop_turn(feed->loop, TURN_WAIT_MAX_US);
            go_on(feed);
        }
    } else {
        say_trouble(feed, error.text);
    }
    close_client(feed);
    return NULL;
}

/* ---- open and close ------------------------------------------------------------------------- */

static bool
wait_for_first(struct catalogue_feed *feed, struct error_text *error)
{
    struct timespec end;
    int code = 0;
    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += OPEN_WAIT_S;
    pthread_mutex_lock(&feed->lock);
    while (feed->without > 0 && code == 0)
        code = pthread_cond_timedwait(&feed->first, &feed->lock, &end);
    bool good = feed->without == 0;
    if (!good)
        error_set(error, "the catalogue in Redis: %s",
                  feed->trouble[0] != '\0' ? feed->trouble : "no answer");
    pthread_mutex_unlock(&feed->lock);
    return good;
}

struct catalogue_feed *
catalogue_feed_open(const struct catalogue_feed_settings *settings, struct error_text *error)
{
    struct catalogue_feed *feed = check_alloc(1, sizeof(*feed));
    feed->magic = FEED_MAGIC;
    feed->redis = *settings->redis;
    feed->files = settings->files;
    feed->business_count = settings->business_count;
    feed->without = settings->business_count;
    feed->businesses =
        check_alloc((uint64_t)settings->business_count + 1, sizeof(*feed->businesses));
    for (uint32_t i = 0; i < settings->business_count; i++) {
        feed->businesses[i].feed = feed;
        feed->businesses[i].keys = settings->businesses[i];
        pthread_mutex_init(&feed->businesses[i].lock, NULL);
    }
    pthread_mutex_init(&feed->lock, NULL);
    pthread_cond_init(&feed->first, NULL);
    check(pthread_create(&feed->thread, NULL, feed_main, feed) == 0);
    if (wait_for_first(feed, error))
        return feed;
    catalogue_feed_close(feed);
    return NULL;
}

void
catalogue_feed_close(struct catalogue_feed *feed)
{
    if (feed == NULL)
        return;
    atomic_store(&feed->closing, true);
    check(pthread_join(feed->thread, NULL) == 0);
    for (uint32_t i = 0; i < feed->business_count; i++) {
        edition_give(feed->businesses[i].newest);
        pthread_mutex_destroy(&feed->businesses[i].lock);
    }
    pthread_cond_destroy(&feed->first);
    pthread_mutex_destroy(&feed->lock);
    memset(&feed->redis, 0, sizeof(feed->redis)); /* the password */
    free(feed->businesses);
    free(feed);
}
