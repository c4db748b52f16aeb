#include "sender/sender.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/worker.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum { LOOK_MS = 100 }; /* how often the main thread looks whether all workers ended */

/* The next signal of the set, or 0 after LOOK_MS. */
static int
next_signal(const sigset_t *signals)
{
    const struct timespec wait = {.tv_nsec = LOOK_MS * 1000 * 1000};
    int number = sigtimedwait(signals, NULL, &wait);
    return number > 0 ? number : 0;
}

/* ---- one sender's workers -------------------------------------------------------------------- */

static void
start_workers(struct sender *sender)
{
    sender->workers = check_alloc(sender->settings.workers, sizeof(struct worker *));
    for (uint32_t i = 0; i < sender->settings.workers; i++) {
        struct worker *worker = check_alloc(1, sizeof(*worker));
        worker->number = i;
        worker->sender = sender;
        sender->workers[i] = worker;
        check(pthread_create(&sender->threads[i], NULL, worker_main, worker) == 0);
    }
}

/* Joins who has ended. True when all have; then the workers' memory is free. */
static bool
all_ended(struct sender *sender)
{
    for (uint32_t i = 0; i < sender->settings.workers; i++) {
        if (sender->threads[i] == 0)
            continue;
        if (pthread_tryjoin_np(sender->threads[i], NULL) != 0)
            return false;
        sender->threads[i] = 0;
        sender->failed = sender->failed || sender->workers[i]->failed;
    }
    for (uint32_t i = 0; i < sender->settings.workers; i++)
        free(sender->workers[i]);
    free(sender->workers);
    sender->workers = NULL;
    return true;
}

static void
begin_drain(struct sender *sender)
{
    atomic_store(&sender->draining, true);
    sender->drain_end_ms = clock_monotonic_us() / 1000 + sender->settings.drain_ms;
    log_line(LOG_INFO, "draining", "deadline_ms=%llu meaning=\"a second signal ends at once\"",
             (unsigned long long)sender->settings.drain_ms);
}

static void
end_at_once(struct sender *sender)
{
    if (!atomic_exchange(&sender->aborting, true))
        log_line(LOG_WARN, "ended_at_once",
                 "meaning=\"what was under way is cleaned up by the next worker after the lease\"");
}

/* True while workers of it run. A worker that could not start drains the others. */
static bool
look_after(struct sender *sender)
{
    if (sender == NULL)
        return false;
    rate_feed_look(sender->rates, clock_monotonic_us(), clock_unix_ms());
    if (sender->drain_end_ms == 0 && atomic_load(&sender->draining))
        begin_drain(sender);
    if (sender->drain_end_ms != 0 && clock_monotonic_us() / 1000 > sender->drain_end_ms)
        end_at_once(sender);
    return !all_ended(sender);
}

/* ---- signals ----------------------------------------------------------------------------------
 */

/*
 * SIGHUP: a whole new sender beside the old one, which then drains. Claims and grants are in Redis,
 * so the two are to each other as two hosts are. What is bad is said, and the old one goes on.
 */
static void
reload(struct sender **sender, struct sender **ending, const struct sender_events *events)
{
    if (*ending != NULL || atomic_load(&(*sender)->draining)) {
        log_line(LOG_WARN, "reload_refused", "cause=\"the last reload is still draining\"");
        return;
    }
    struct sender *fresh = events->reload(events->context);
    if (fresh == NULL) {
        log_line(LOG_ERROR, "reload_refused", "meaning=\"the settings before it stay in force\"");
        return;
    }
    start_workers(fresh);
    begin_drain(*sender);
    *ending = *sender;
    *sender = fresh;
    log_line(LOG_INFO, "reloaded", "accounts=%u workers=%u", fresh->account_count,
             fresh->settings.workers);
}

/* First SIGTERM: drain. Second: end at once; leases clean up. */
static void
obey(int number, struct sender **sender, struct sender **ending, const struct sender_events *events)
{
    if (number == SIGHUP) {
        reload(sender, ending, events);
    } else if (number != 0 && (*sender)->drain_end_ms == 0) {
        begin_drain(*sender);
    } else if (number != 0) {
        end_at_once(*sender);
        if (*ending != NULL)
            end_at_once(*ending);
    }
}

void
sender_block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool
sender_run(struct sender *sender, const struct sender_events *events)
{
    sigset_t signals;
    struct sender *ending = NULL;
    bool running = true;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    start_workers(sender);
    while (running || ending != NULL) {
        obey(next_signal(&signals), &sender, &ending, events);
        if (ending != NULL && !look_after(ending)) {
            events->ended(events->context, ending);
            ending = NULL;
        }
        running = running && look_after(sender);
    }
    bool good = !sender->failed;
    events->ended(events->context, sender);
    return good;
}
