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

static bool
all_ended(struct sender *sender, struct worker *const *workers, bool *failed)
{
    bool ended = true;
    for (uint32_t i = 0; i < sender->settings.workers; i++) {
        if (sender->threads[i] == 0)
            continue;
        if (pthread_tryjoin_np(sender->threads[i], NULL) != 0) {
            ended = false;
            continue;
        }
        sender->threads[i] = 0;
        *failed = *failed || workers[i]->failed;
    }
    return ended;
}

static void
begin_drain(struct sender *sender, uint64_t *deadline_ms)
{
    if (atomic_exchange(&sender->draining, true) && *deadline_ms != 0)
        return;
    *deadline_ms = clock_monotonic_us() / 1000 + sender->settings.drain_ms;
    log_line(LOG_INFO, "draining", "deadline_ms=%llu meaning=\"a second signal ends at once\"",
             (unsigned long long)sender->settings.drain_ms);
}

/* First signal: drain. Second, or the deadline: end at once; leases clean up. */
static bool
supervise(struct sender *sender, struct worker *const *workers, const sigset_t *signals)
{
    uint64_t deadline_ms = 0;
    bool failed = false;
    while (!all_ended(sender, workers, &failed)) {
        int number = next_signal(signals);
        if (number != 0 && deadline_ms != 0)
            atomic_store(&sender->aborting, true);
        else if (number != 0 || atomic_load(&sender->draining))
            begin_drain(sender, &deadline_ms);
        if (deadline_ms != 0 && clock_monotonic_us() / 1000 > deadline_ms)
            atomic_store(&sender->aborting, true);
    }
    if (atomic_load(&sender->aborting))
        log_line(LOG_WARN, "ended_at_once",
                 "meaning=\"what was under way is cleaned up by the next worker after the lease\"");
    return !failed;
}

bool
sender_run(struct sender *sender)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
    struct worker **workers = check_alloc(sender->settings.workers, sizeof(struct worker *));
    for (uint32_t i = 0; i < sender->settings.workers; i++) {
        workers[i] = check_alloc(1, sizeof(struct worker));
        workers[i]->number = i;
        workers[i]->sender = sender;
        check(pthread_create(&sender->threads[i], NULL, worker_main, workers[i]) == 0);
    }
    bool good = supervise(sender, workers, &signals);
    for (uint32_t i = 0; i < sender->settings.workers; i++)
        free(workers[i]);
    free(workers);
    return good;
}
