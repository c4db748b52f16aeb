#include "sender/rate_feed.h"

#include "sender/base/check.h"
#include "sender/base/log.h"
#include "sender/cost/rate_holes.h"
#include "sender/sender.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_US = 1000 * 1000, CACHE_LINE = 64 };

/* Which book a worker has gone over to, by its serial; UINT64_MAX: it has left. */
struct feed_worker {
    alignas(CACHE_LINE) _Atomic uint64_t serial;
};

struct rate_feed {
    struct feed_worker workers[WORKERS_MAX];
    alignas(CACHE_LINE) _Atomic uint64_t serial; /* of `newest`; from 1 */
    struct rate_book *_Atomic newest;            /* stored before its serial */

    /* The main thread's own. */
    struct rate_feed_settings settings;
    struct rate_book *before; /* until every worker has gone over; or NULL */
    uint64_t known;           /* fingerprint of the files as they were last read */
    uint64_t seen;            /* as they were at the last look */
    uint64_t look_us;         /* not before */
};

/* ---- judging -----------------------------------------------------------------------------------
 */

static bool
judge_account(const struct rate_book *book, const struct account_settings *account, uint64_t now_ms,
              struct error_text *error)
{
    char day[DAY_SIZE + 1];
    struct rate_hole hole;
    struct rate_date date;
    const char *business = account->keys.business_name;
    const char *name = account->keys.account_name;
    const struct rate_card *card = rate_book_card(book, account->currency);
    zone_day(account->zone, now_ms, day);
    if (card == NULL) {
        error_set(error,
                  "account %s/%s: there is no rate card in %s: add that currency's card to the "
                  "rates, or set the account's currency",
                  business, name, account->currency);
        return false;
    }
    switch (rate_card_find_hole(card, day, &hole)) {
    case RATE_COMPLETE:
        return true;
    case RATE_NO_CARD:
        rate_card_date(card, 0, &date);
        error_set(error,
                  "account %s/%s: no rate card in %s is in force on %s (%s), the first begins on "
                  "%s: add the card before it",
                  business, name, account->currency, day, zone_name(account->zone), date.first_day);
        return false;
    case RATE_HAS_HOLE:
        break;
    }
    struct span market = markets_name(rate_book_markets(book), hole.market);
    rate_card_date(card, hole.date, &date);
    error_set(error,
              "account %s/%s: %s:%u: the %s card of %s, in force on %s (%s), has no %s price for "
              "\"%.*s\", and lacks prices of %u markets: add the rows or the newer card; facteur "
              "rates check names them all",
              business, name, date.file, date.line, account->currency, date.first_day, day,
              zone_name(account->zone), rate_category_text(hole.category), SPAN_ARG(market),
              hole.markets);
    return false;
}

bool
rate_feed_judge(const struct rate_book *book, const struct rate_feed_settings *settings,
                uint64_t now_ms, struct error_text *error)
{
    for (uint32_t i = 0; i < settings->account_count; i++)
        if (!judge_account(book, &settings->accounts[i], now_ms, error))
            return false;
    return true;
}

/* What is whole today and will not be one day is said in time. */
static void
warn(const struct rate_book *book, const struct rate_feed_settings *settings, uint64_t now_ms)
{
    struct rate_findings findings = {0};
    for (uint32_t i = 0; i < settings->account_count; i++) {
        char day[DAY_SIZE + 1];
        const struct account_settings *account = &settings->accounts[i];
        bool seen = false;
        for (uint32_t k = 0; k < i && !seen; k++)
            seen = strcmp(settings->accounts[k].currency, account->currency) == 0;
        if (seen)
            continue;
        zone_day(account->zone, now_ms, day);
        rate_holes_find(book, account->currency, day, &findings);
    }
    for (uint32_t i = 0; i < findings.count; i++)
        if (findings.items[i].level == RATE_ERROR)
            log_line(LOG_WARN, "rate_card_hole", "file=%s line=%u what=\"%s\" remedy=\"%s\"",
                     findings.items[i].file, findings.items[i].line, findings.items[i].what,
                     findings.items[i].remedy);
    rate_findings_close(&findings);
}

static struct rate_book *
read_book(const struct rate_feed_settings *settings, uint64_t now_ms, struct error_text *error)
{
    struct rate_book *book = rate_book_open(settings->path, settings->markets, error);
    if (book == NULL)
        return NULL;
    if (!rate_feed_judge(book, settings, now_ms, error)) {
        rate_book_close(book);
        return NULL;
    }
    warn(book, settings, now_ms);
    return book;
}

/* ---- open and close ----------------------------------------------------------------------------
 */

struct rate_feed *
rate_feed_open(const struct rate_feed_settings *settings, uint64_t now_ms, struct error_text *error)
{
    check(settings->workers <= WORKERS_MAX);
    /* Before the reading: what changes meanwhile is then seen as a change. */
    uint64_t fingerprint = rate_book_fingerprint(settings->path);
    struct rate_book *book = read_book(settings, now_ms, error);
    if (book == NULL)
        return NULL;
    struct rate_feed *feed = aligned_alloc(CACHE_LINE, sizeof(*feed));
    check(feed != NULL);
    memset(feed, 0, sizeof(*feed));
    feed->settings = *settings;
    feed->settings.path = strdup(settings->path);
    check(feed->settings.path != NULL);
    feed->known = fingerprint;
    feed->seen = fingerprint;
    atomic_store(&feed->newest, book);
    atomic_store(&feed->serial, 1);
    return feed;
}

void
rate_feed_close(struct rate_feed *feed)
{
    if (feed == NULL)
        return;
    rate_book_close(feed->before);
    rate_book_close(atomic_load(&feed->newest));
    free((char *)feed->settings.path);
    free(feed);
}

/* ---- workers -----------------------------------------------------------------------------------
 */

/*
 * Important: the worker's serial is what lets the main thread free the book before, so it is stored
 * when nothing of that book is in use any more, and the newer book is loaded after its serial was
 * seen.
 */
void
rate_feed_use(struct rate_feed *feed, uint32_t worker, struct rate_use *use)
{
    check(worker < feed->settings.workers);
    uint64_t serial = atomic_load_explicit(&feed->serial, memory_order_acquire);
    if (use->serial == serial)
        return;
    use->book = atomic_load_explicit(&feed->newest, memory_order_acquire);
    use->serial = serial;
    atomic_store_explicit(&feed->workers[worker].serial, serial, memory_order_release);
}

void
rate_feed_leave(struct rate_feed *feed, uint32_t worker)
{
    check(worker < feed->settings.workers);
    atomic_store_explicit(&feed->workers[worker].serial, UINT64_MAX, memory_order_release);
}

static bool
all_went_over(const struct rate_feed *feed)
{
    uint64_t serial = atomic_load_explicit(&feed->serial, memory_order_relaxed);
    for (uint32_t i = 0; i < feed->settings.workers; i++)
        if (atomic_load_explicit(&feed->workers[i].serial, memory_order_acquire) < serial)
            return false;
    return true;
}

/* ---- the main thread ---------------------------------------------------------------------------
 */

static void
publish(struct rate_feed *feed, struct rate_book *book)
{
    check(feed->before == NULL);
    feed->before = atomic_exchange_explicit(&feed->newest, book, memory_order_acq_rel);
    atomic_fetch_add_explicit(&feed->serial, 1, memory_order_release);
}

static void
read_again(struct rate_feed *feed, uint64_t now_ms)
{
    struct error_text error;
    struct rate_book *book = read_book(&feed->settings, now_ms, &error);
    if (book == NULL) {
        log_line(LOG_ERROR, "rates_refused",
                 "path=%s cause=\"%s\" meaning=\"the cards before it stay in force\"",
                 feed->settings.path, error.text);
        return;
    }
    uint32_t cards = 0;
    for (uint32_t i = 0; i < rate_book_count(book); i++)
        cards += rate_card_date_count(rate_book_at(book, i));
    publish(feed, book);
    log_line(LOG_INFO, "rates", "path=%s currencies=%u cards=%u", feed->settings.path,
             rate_book_count(book), cards);
}

void
rate_feed_look(struct rate_feed *feed, uint64_t now_us, uint64_t now_ms)
{
    if (feed->before != NULL && all_went_over(feed)) {
        rate_book_close(feed->before);
        feed->before = NULL;
    }
    if (now_us < feed->look_us)
        return;
    feed->look_us = now_us + LOOK_US;
    uint64_t fingerprint = rate_book_fingerprint(feed->settings.path);
    bool is_still = fingerprint == feed->seen; /* or somebody is writing it */
    feed->seen = fingerprint;
    if (fingerprint == feed->known || !is_still || feed->before != NULL)
        return;
    feed->known = fingerprint;
    read_again(feed, now_ms);
}
