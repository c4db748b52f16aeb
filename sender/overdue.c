#include "sender/overdue.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/turns.h"

enum {
    MEMBERS_MAX = 256,              /* of one call: some 10 ms of Redis' time */
    WAIT_MIN_US = 1000 * 1000,      /* between two looks at an account */
    WAIT_MAX_US = 60 * 1000 * 1000, /* likewise, if nothing is known to be due */
    START_US = 2 * 1000 * 1000,     /* the first looks are spread over */
    REFUSED_WAIT_US = 5 * 1000 * 1000,
};

static const uint64_t NEVER = UINT64_MAX;

static void
set_timer(struct worker *worker)
{
    uint64_t next_us = NEVER;
    for (uint32_t i = 0; i < worker->account_count; i++) {
        const struct account *account = &worker->accounts[i];
        if (!account->overdue_asking && account->overdue_us < next_us)
            next_us = account->overdue_us;
    }
    if (next_us != NEVER)
        timer_start(loop_timers(worker->loop), &worker->overdue_timer, next_us);
    else
        timer_stop(loop_timers(worker->loop), &worker->overdue_timer);
}

static void
look_after(struct account *account, uint64_t wait_us)
{
    account->overdue_us = wait_us == NEVER ? NEVER : loop_now_us(account->worker->loop) + wait_us;
    set_timer(account->worker);
}

/* How long until there may be something to do; NEVER: the bell rings. */
static uint64_t
next_wait_us(const struct account *account, const struct overdue_reply *overdue)
{
    uint64_t most_us = account->worker->sender->settings.uncertain_wait_ms * 1000;
    uint64_t now_ms = clock_unix_ms();
    if (overdue->parked + overdue->dropped + overdue->resent >= MEMBERS_MAX)
        return 0;
    if (most_us > WAIT_MAX_US)
        most_us = WAIT_MAX_US;
    if (overdue->next_until_ms < 0)
        return NEVER;
    uint64_t wait_us = (uint64_t)overdue->next_until_ms > now_ms
                           ? ((uint64_t)overdue->next_until_ms - now_ms) * 1000
                           : 0;
    if (wait_us > most_us)
        wait_us = most_us;
    return wait_us > WAIT_MIN_US ? wait_us : WAIT_MIN_US;
}

static void
on_overdue(void *context, const struct reply *reply)
{
    struct account *account = context;
    struct overdue_reply overdue;
    check_magic(account->worker, WORKER_MAGIC);
    account->overdue_asking = false;
    if (reply == NULL) {
        look_after(account, WAIT_MIN_US);
        return;
    }
    if (!overdue_read(reply, &overdue)) {
        (void)trouble_take(account->worker, account, TROUBLE_OVERDUE, reply);
        look_after(account, REFUSED_WAIT_US);
        return;
    }
    trouble_end(account->worker, account, TROUBLE_OVERDUE);
    if (overdue.parked + overdue.dropped + overdue.resent > 0)
        log_line(LOG_WARN, "uncertain_over",
                 "account=%s parked=%llu dropped=%llu sent_again=%llu meaning=\"no receipt came "
                 "in time\"",
                 account->settings->keys.account, (unsigned long long)overdue.parked,
                 (unsigned long long)overdue.dropped, (unsigned long long)overdue.resent);
    if (overdue.resent > 0)
        turns_want_claim(account);
    uint64_t wait_us = next_wait_us(account, &overdue);
    look_after(account, account->overdue_rung && wait_us == NEVER ? WAIT_MIN_US : wait_us);
}

static void
look(struct account *account)
{
    struct worker *worker = account->worker;
    const struct call call = {redis_client_session(worker->redis), &account->settings->keys,
                              on_overdue, account};
    const struct overdue_request request = {
        .policy = account->settings->attempts.uncertain,
        .codes_policy = account->settings->attempts.uncertain_codes,
        .events_keep = worker->sender->settings.events_keep,
        .dedupe_ttl_ms = worker->sender->settings.dedupe_ttl_ms,
        .members_max = MEMBERS_MAX,
    };
    account->overdue_rung = false;
    account->overdue_asking = worker_may_call(worker) && call_overdue(&call, &request);
    if (!account->overdue_asking)
        account->overdue_us = loop_now_us(worker->loop) + WAIT_MIN_US;
}

static void
on_due(struct timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, overdue_timer);
    uint64_t now_us = loop_now_us(worker->loop);
    check_magic(worker, WORKER_MAGIC);
    if (worker->draining)
        return;
    for (uint32_t i = 0; i < worker->account_count; i++) {
        struct account *account = &worker->accounts[i];
        if (!account->overdue_asking && account->overdue_us <= now_us)
            look(account);
    }
    redis_client_flush(worker->redis);
    set_timer(worker);
}

void
overdue_open(struct worker *worker)
{
    timer_init(&worker->overdue_timer, on_due);
    if (worker->number != 0)
        return;
    for (uint32_t i = 0; i < worker->account_count; i++)
        worker->accounts[i].overdue_us =
            loop_now_us(worker->loop) + random_below(&worker->random, START_US);
    set_timer(worker);
}

void
overdue_wake(struct account *account)
{
    struct worker *worker = account->worker;
    if (worker->number != 0)
        return;
    if (account->overdue_asking)
        account->overdue_rung = true; /* what was asked may have come too early for it */
    else if (account->overdue_us == NEVER)
        look_after(account, random_below(&worker->random, WAIT_MIN_US));
}

void
overdue_close(struct worker *worker)
{
    timer_stop(loop_timers(worker->loop), &worker->overdue_timer);
}
