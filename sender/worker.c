#include "sender/worker.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/bell.h"
#include "sender/claims.h"
#include "sender/exchanges.h"
#include "sender/grants.h"
#include "sender/lease.h"
#include "sender/overdue.h"
#include "sender/pause.h"
#include "sender/settlement.h"
#include "sender/slots.h"
#include "sender/stop.h"
#include "sender/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    REFUSED_WAIT_US = 1000 * 1000, /* an account's claims and grants, after an error of Redis' */
    ASK_AGAIN_US = 300 * 1000,     /* between two tries when Redis answers errors */
    OTHERS_WAIT_US = 250 * 1000,   /* ... while others have not declared what they sent */
    REDIS_LOST_MAX_US = 5 * 1000 * 1000, /* half of what others wait for our declaration */
    REDIS_SILENCE_US = 10 * 1000 * 1000, /* no answer for so long: it is looked for elsewhere */
    REDIS_BACKOFF_MAX_US = 1000 * 1000,
    TURN_WAIT_MAX_US = 200 * 1000, /* how soon a signal is seen at the latest */
};

/* ---- the end of a turn ---------------------------------------------------------------------- */

bool
worker_may_call(const struct worker *worker)
{
    return redis_client_is_ready(worker->redis) && trouble_is_over(worker) &&
           worker->library == REDIS_LIBRARY_GOOD && !worker->declaration.wanted;
}

/* A Redis that is away may be another when it comes back, in which others would be given what this
 * worker was granted, if it did not say so in time. */
static bool
is_long_lost(const struct worker *worker)
{
    return worker->redis_lost_us != 0 &&
           loop_now_us(worker->loop) - worker->redis_lost_us > REDIS_LOST_MAX_US;
}

bool
worker_may_send(const struct worker *worker, const struct account *account)
{
    return lease_holds(worker, account->settings->business) && !pause_is_on(account) &&
           !account->settle_refused && !account->left_out && !worker->declaration.wanted &&
           !is_long_lost(worker);
}

bool
worker_may_ask(const struct worker *worker, const struct account *account)
{
    return worker_may_send(worker, account) && loop_now_us(worker->loop) >= account->ask_after_us;
}

void
worker_refuse(struct account *account)
{
    account->ask_after_us = loop_now_us(account->worker->loop) + REFUSED_WAIT_US;
    turns_stir(account);
    turns_wait(account);
}

void
worker_wait_for_others(struct account *account)
{
    struct worker *worker = account->worker;
    account->ask_after_us = loop_now_us(worker->loop) + OTHERS_WAIT_US;
    account->has_more = true;
    turns_stir(account);
    turns_wait(account);
    if (!worker->claims_wait)
        log_line(LOG_INFO, "claims_wait",
                 "worker=%u meaning=\"Redis was started anew: another worker has not told yet what "
                 "it had sent; ten seconds at most\"",
                 worker->number);
    worker->claims_wait = true;
}

void
worker_wake_at(struct worker *worker, uint64_t due_us)
{
    if (!timer_is_started(&worker->wake_timer) || worker->wake_timer.due_us > due_us)
        timer_start(loop_timers(worker->loop), &worker->wake_timer, due_us);
}

void
worker_ask_again(struct worker *worker)
{
    worker->ask_again_us = loop_now_us(worker->loop) + ASK_AGAIN_US;
    worker_wake_at(worker, worker->ask_again_us);
}

/* Calls whose replies went with a connection, and those that had no room in the output. */
static void
ask_lost(struct worker *worker)
{
    if (!worker->redis_known || loop_now_us(worker->loop) < worker->ask_again_us)
        return; /* the old connection may still speak; or Redis answers errors: not in every turn */
    grants_ask_lost(worker);
    if (worker->claims_lost)
        claims_ask_lost(worker);
}

/* SIGTERM: nothing new; what is on the wire is waited for, what is not goes back. */
static void
begin_drain(struct worker *worker)
{
    worker->draining = true;
    channel_drain(worker->channel);
    for (uint32_t i = 0; i < worker->account_count; i++) {
        struct account *account = &worker->accounts[i];
        struct delivery_list sending = account->sending;
        account->sending = (struct delivery_list){0};
        struct delivery *delivery;
        while ((delivery = list_pop(&sending)) != NULL)
            delivery_run(delivery); /* step_send gives it back */
    }
}

/* Everything that has an outcome is settled, and nothing is under way: what is left is claimed
 * only. */
static bool
is_drained(const struct worker *worker)
{
    for (uint32_t i = 0; i < worker->account_count; i++) {
        const struct account *account = &worker->accounts[i];
        if (account->claiming || account->settling.count > 0 || account->settling_now)
            return false;
    }
    return worker->granted == 0 && channel_active(worker->channel) == 0;
}

/* The timer is one for all of them. */
static void
wake_for_waits(struct worker *worker)
{
    const uint64_t times_us[] = {worker->trouble.until_us, worker->ask_again_us,
                                 worker->declaration.again_us};
    for (size_t i = 0; i < sizeof(times_us) / sizeof(times_us[0]); i++)
        if (times_us[i] > loop_now_us(worker->loop))
            worker_wake_at(worker, times_us[i]);
}

/* False: Redis is not there, or something must be done first. */
static bool
is_in_order(struct worker *worker)
{
    if (!redis_client_is_ready(worker->redis))
        return false;
    wake_for_waits(worker);
    if (!trouble_is_over(worker))
        return false;
    if (worker->library == REDIS_LIBRARY_UNKNOWN)
        redis_library_look(worker);
    if (worker->library != REDIS_LIBRARY_GOOD || !declaration_go_on(worker))
        return false;
    if (worker->holder.size == 0)
        lease_begin(worker);
    else if (worker->trouble.kind != SESSION_TROUBLE_NONE)
        lease_beat(worker); /* is it over? Its answer says so, when nothing else is asked */
    return true;
}

static void
work(struct loop_flush *flush)
{
    struct worker *worker = container_of(flush, struct worker, work);
    check_magic(worker, WORKER_MAGIC);
    if (worker->done)
        return; /* links that close wake it once more, when the channel is gone already */
    if (worker->fenced && !worker->leaving)
        lease_start_over(worker);
    if (!worker->draining && atomic_load_explicit(&worker->sender->draining, memory_order_relaxed))
        begin_drain(worker);
    exchanges_send(worker);
    if (!is_in_order(worker))
        return;
    stop_tell(worker);
    settlement_write_all(worker);
    receipts_write(worker);
    ask_lost(worker);
    if (!worker->draining) {
        grants_ask_ready(worker);
        claims_ask_more(worker);
        bell_watch(worker);
    } else if (!worker->leaving && is_drained(worker)) {
        lease_leave(worker);
    }
    worker->done = worker->leaving && worker->leave_replies >= worker->sender->business_count;
}

void
worker_work_later(struct worker *worker)
{
    loop_flush_later(worker->loop, &worker->work);
}

/* ---- Redis comes and goes ------------------------------------------------------------------- */

static void
on_redis_id(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    if (reply != NULL && reply->type == REPLY_INTEGER)
        worker->redis_id = reply->integer;
}

static void
on_old_ended(void *context, const struct reply *reply)
{
    (void)context;
    (void)reply; /* it was gone already, or it is now */
}

/* What still lies in the buffer of the connection before could be done after its repetition: a
 * claim that nobody would ever hear of. So that one is ended before anything is repeated. */
static void
end_old_connection(struct worker *worker)
{
    struct session *session = redis_client_session(worker->redis);
    const struct span ask[] = {SPAN("CLIENT"), SPAN("ID")};
    if (worker->redis_id != 0) {
        char id[24];
        snprintf(id, sizeof(id), "%lld", (long long)worker->redis_id);
        const struct span end[] = {SPAN("CLIENT"), SPAN("KILL"), SPAN("ID"), span_of(id)};
        (void)session_command(session, end, 4, on_old_ended, worker);
    }
    worker->redis_id = 0;
    (void)session_command(session, ask, 2, on_redis_id, worker);
}

static void
on_redis_ready(void *context)
{
    struct worker *worker = context;
    const char *identity = redis_client_identity(worker->redis);
    bool same = identity[0] != '\0' && strcmp(identity, worker->redis_identity) == 0;
    check_magic(worker, WORKER_MAGIC);
    log_line(LOG_INFO, "redis_ready", "worker=%u place=%s", worker->number,
             redis_client_place(worker->redis));
    worker->redis_trouble[0] = '\0';
    worker->trouble.until_us = 0;
    snprintf(worker->redis_identity, sizeof(worker->redis_identity), "%s", identity);
    if (!same) { /* it has no connection of before, and gives its numbers to others */
        worker->redis_id = 0;
        worker->library = REDIS_LIBRARY_UNKNOWN;
    }
    end_old_connection(worker);
    worker->redis_known = true;
    if (worker->holder.size > 0) { /* what blocks does not notice that nobody is there */
        redis_client_leave(worker->bell, "the other connection was lost");
        if (!same)
            declaration_want(worker, "another Redis, or one that was started anew");
        lease_beat(worker);
    }
    worker->redis_lost_us = 0;
    worker_work_later(worker);
}

static void
on_redis_lost(void *context, const char *reason)
{
    struct worker *worker = context;
    check_magic(worker, WORKER_MAGIC);
    if (strcmp(reason, worker->redis_trouble) != 0) /* once, not at every try */
        log_line(LOG_WARN, "redis_lost", "worker=%u cause=\"%s\"", worker->number, reason);
    snprintf(worker->redis_trouble, sizeof(worker->redis_trouble), "%s", reason);
    worker->redis_known = false;
    if (worker->redis_lost_us == 0)
        worker->redis_lost_us = redis_client_heard_us(worker->redis);
    redis_library_lost(worker);
    declaration_lost(worker);
    lease_lost(worker);
}

static void
on_beat_due(struct timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, beat_timer);
    check_magic(worker, WORKER_MAGIC);
    lease_beat(worker);
}

static void
on_wake(struct timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, wake_timer);
    check_magic(worker, WORKER_MAGIC);
    worker_work_later(worker);
}

/* ---- start and end -------------------------------------------------------------------------- */

static void
open_scratch(struct worker *worker)
{
    worker->text = check_alloc(1, TEXT_SIZE);
    worker->scratch_size = OUTCOMES_SIZE;
    worker->scratch = check_alloc(1, worker->scratch_size);
    worker->writing = settlement_memory();
}

static void
open_accounts(struct worker *worker)
{
    const struct sender *sender = worker->sender;
    worker->account_count = sender->account_count;
    worker->accounts = check_alloc(sender->account_count, sizeof(*worker->accounts));
    for (uint32_t i = 0; i < sender->account_count; i++) {
        worker->accounts[i].settings = &sender->accounts[i];
        worker->accounts[i].worker = worker;
        pace_bucket_init(&worker->accounts[i].pace, &sender->accounts[i].pace,
                         sender->settings.workers, loop_now_us(worker->loop));
        worker->accounts[i].settle_most = SETTLE_MEMBERS_MAX;
    }
    turns_open(worker);
    for (uint32_t i = 0; i < worker->account_count; i++)
        turns_want_claim(&worker->accounts[i]);
    worker->businesses = check_alloc(sender->business_count, sizeof(*worker->businesses));
    for (uint32_t i = 0; i < sender->business_count; i++)
        worker->businesses[i].account = sender->businesses[i];
    worker->editions = editions_open(sender->feed, sender->business_count);
}

static bool
open_tls(struct worker *worker, struct error_text *error)
{
    const struct sender_settings *settings = &worker->sender->settings;
    const struct tls_client_settings graph = {
        .ca_file = settings->ca_file[0] != '\0' ? settings->ca_file : NULL, .alpn = "h2"};
    const struct tls_client_settings redis = {
        .ca_file = settings->redis.ca_file[0] != '\0' ? settings->redis.ca_file : NULL};
    worker->graph_tls = tls_client_context(&graph, error);
    if (worker->graph_tls == NULL)
        return false;
    if (!redis_address_wants_tls(&settings->redis))
        return true;
    worker->redis_tls = tls_client_context(&redis, error);
    return worker->redis_tls != NULL;
}

/* It must be found again well before the lease is over. */
static uint64_t
backoff_max_us(const struct worker *worker)
{
    uint64_t most_us = worker->sender->settings.lease_ms * 1000 / 8;
    return most_us < REDIS_BACKOFF_MAX_US ? most_us : REDIS_BACKOFF_MAX_US;
}

static void
open_redis(struct worker *worker)
{
    struct redis_client_settings settings = {
        .address = &worker->sender->settings.redis,
        .tls = worker->redis_tls,
        .output_size = REDIS_OUTPUT_SIZE,
        .arena_size = BATCH_ARENA_SIZE,
        .waiting_max = REDIS_WAITING_MAX,
        .seed = random_next(&worker->random),
        .silence_us = REDIS_SILENCE_US,
        .backoff_max_us = backoff_max_us(worker),
        .master_only = true,
    };
    static const struct redis_client_events events = {.on_ready = on_redis_ready,
                                                      .on_lost = on_redis_lost};
    worker->redis = redis_client_open(worker->loop, &settings, &events, worker);
    settings.silence_us = 0; /* it blocks; the command link notices, and takes it along */
    settings.output_size = 256 * 1024 + (size_t)ACCOUNTS_MAX * 2 * (KEYS_BASE_MAX + 64);
    bell_open(worker, &settings);
}

bool
worker_open(struct worker *worker, struct error_text *error)
{
    const struct loop_settings loop = {
        .operations_max = 4 * CHANNEL_CONNECTIONS_MAX + 64,
        .timers_max = 4 * CHANNEL_CONNECTIONS_MAX + 64 + ACCOUNTS_MAX,
    };
    uint64_t seed;
    worker->magic = WORKER_MAGIC;
    worker->loop = loop_open(&loop, error);
    if (worker->loop == NULL || !open_tls(worker, error))
        return false;
    random_secret(&seed, sizeof(seed));
    random_seed(&worker->random, seed);
    worker->work.on_flush = work;
    timer_init(&worker->beat_timer, on_beat_due);
    timer_init(&worker->wake_timer, on_wake);
    stop_open(worker);
    receipts_open(worker);
    slots_open(worker);
    declaration_open(worker);
    open_accounts(worker);
    exchanges_open(worker);
    open_scratch(worker);
    open_redis(worker);
    overdue_open(worker);
    return true;
}

bool
worker_turn(struct worker *worker)
{
    const struct sender *sender = worker->sender;
    if (worker->done || atomic_load_explicit(&sender->aborting, memory_order_relaxed))
        return false;
    rate_feed_use(sender->rates, worker->number, &worker->rates);
    loop_turn(worker->loop, TURN_WAIT_MAX_US);
    if (!worker->draining && atomic_load_explicit(&sender->draining, memory_order_relaxed))
        worker_work_later(worker);
    return true;
}

void
worker_close(struct worker *worker)
{
    worker->done = true; /* also if told to end at once: to Redis that is exactly what a crash is */
    timer_stop(loop_timers(worker->loop), &worker->beat_timer);
    timer_stop(loop_timers(worker->loop), &worker->wake_timer);
    stop_close(worker);
    receipts_close(worker);
    overdue_close(worker);
    channel_close(worker->channel);
    redis_client_close(worker->redis);
    redis_client_close(worker->bell);
    while (!channel_is_closed(worker->channel) || !redis_client_is_closed(worker->redis) ||
           !redis_client_is_closed(worker->bell))
        loop_turn(worker->loop, TURN_WAIT_MAX_US);
    exchanges_close(worker);
    redis_client_free(worker->redis);
    bell_close(worker);
    loop_close(worker->loop);
    tls_context_close(worker->graph_tls);
    if (worker->redis_tls != NULL)
        tls_context_close(worker->redis_tls);
    slots_close(worker);
    declaration_close(worker);
    free(worker->text);
    free(worker->scratch);
    free(worker->writing);
    editions_close(worker->editions);
    free(worker->accounts);
    free(worker->businesses);
    rate_feed_leave(worker->sender->rates, worker->number);
}

void *
worker_main(void *context)
{
    struct worker *worker = context;
    struct error_text error;
    if (!worker_open(worker, &error)) {
        log_line(LOG_ERROR, "worker_not_started", "worker=%u cause=\"%s\"", worker->number,
                 error.text);
        worker->failed = true;
        rate_feed_leave(worker->sender->rates, worker->number);
        atomic_store(&worker->sender->draining, true);
        return worker;
    }
    while (worker_turn(worker)) {
    }
    worker_close(worker);
    return worker;
}
