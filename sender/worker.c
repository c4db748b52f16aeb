#include "sender/worker.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/bell.h"
#include "sender/claims.h"
#include "sender/grants.h"
#include "sender/lease.h"
#include "sender/outcome.h"
#include "sender/settlement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ASK_AGAIN_US = 300 * 1000,     /* between two tries when Redis answers errors */
    TURN_WAIT_MAX_US = 200 * 1000, /* how soon a signal is seen at the latest */
    SEND_ROUND = 64,               /* exchanges one account starts before the next has its turn */
    PAUSED_WAIT_US = 1000 * 1000,  /* how soon a resumed account is noticed */
    LONG_PAUSE_MS = 2 * 1000,      /* of an account: its slots are worth more than its waiting */
};

/* ---- lists and pools ------------------------------------------------------------------------ */

void
list_push(struct delivery_list *list, struct delivery *delivery)
{
    check(delivery->next == NULL && list->last != delivery);
    if (list->last != NULL)
        list->last->next = delivery;
    else
        list->first = delivery;
    list->last = delivery;
    list->count++;
}

struct delivery *
list_pop(struct delivery_list *list)
{
    struct delivery *delivery = list->first;
    if (delivery == NULL)
        return NULL;
    list->first = delivery->next;
    if (list->first == NULL)
        list->last = NULL;
    delivery->next = NULL;
    list->count--;
    return delivery;
}

struct delivery *
worker_take_delivery(struct worker *worker)
{
    struct delivery *delivery = list_pop(&worker->free_deliveries);
    if (delivery == NULL)
        return NULL;
    check_magic(delivery, DELIVERY_MAGIC);
    check(delivery->state == DELIVERY_FREE);
    return delivery;
}

/* Everything but the slot's own memory starts anew, so nothing of one message reaches the next. */
static void
clear_delivery(struct worker *worker, struct delivery *delivery)
{
    memset(delivery, 0, offsetof(struct delivery, memory));
    delivery->magic = DELIVERY_MAGIC;
    delivery->worker = worker;
    delivery->arena = (struct arena){.data = delivery->memory, .capacity = SLOT_MEMORY};
}

static void
give_batch_pin(struct worker *worker, struct batch *batch)
{
    check(batch->pins > 0);
    if (--batch->pins > 0)
        return;
    batch->next = worker->free_batches;
    worker->free_batches = batch;
    worker->batches_free++;
}

void
worker_give_delivery(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    check(delivery->next == NULL && delivery->exchange_memory == NULL);
    check(delivery->grant == NULL && delivery->hold == NULL);
    if (delivery->batch != NULL)
        give_batch_pin(worker, delivery->batch);
    if (delivery->edition != NULL)
        editions_give(delivery->edition);
    clear_delivery(worker, delivery);
    list_push(&worker->free_deliveries, delivery);
    worker_work_later(worker);
}

/* ---- sending -------------------------------------------------------------------------------- */

static void
give_exchange_memory(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    if (delivery->large_body != NULL) {
        delivery->large_body->next = worker->free_large;
        worker->free_large = delivery->large_body;
        delivery->large_body = NULL;
    }
    delivery->exchange_memory->next = worker->free_exchanges;
    worker->free_exchanges = delivery->exchange_memory;
    worker->exchanges_free++;
    delivery->exchange_memory = NULL;
}

/* The receipt's explanation of itself: see queue/README.md, biz_opaque_callback_data. */
static struct span
write_callback(const struct delivery *delivery, char *out, size_t size)
{
    const struct account_keys *keys = &delivery->account->settings->keys;
    struct buffer callback;
    buffer_init(&callback, out, size);
    buffer_put_text(&callback, "f1;");
    buffer_put_text(&callback, keys->business_name);
    buffer_put_char(&callback, '/');
    buffer_put_text(&callback, keys->account_name);
    buffer_put_char(&callback, ';');
    buffer_put_span(&callback, delivery->name);
    buffer_put_char(&callback, ';');
    buffer_put_u64(&callback, delivery->attempts + 1);
    buffer_put_char(&callback, ';');
    buffer_put_span(&callback, delivery->grant->name);
    buffer_put_char(&callback, ';');
    buffer_put_u64(&callback, delivery->index);
    buffer_put_char(&callback, ';');
    buffer_put_u64(&callback, delivery->quote.millionths);
    buffer_put_char(&callback, ';');
    buffer_put_text(&callback, delivery->account->settings->currency);
    buffer_put_char(&callback, ';');
    buffer_put_text(&callback, delivery->quote.day);
    buffer_put_char(&callback, ';');
    buffer_put(&callback, delivery->quote.cell, delivery->quote.cell_size);
    buffer_printf(&callback, ";%016llx;", (unsigned long long)delivery->template->version);
    check(!callback.overflow); /* TEMPLATE_NAME_MAX is what makes it fit */
    return buffer_span(&callback);
}

static bool
write_body(struct delivery *delivery, struct span *body)
{
    struct worker *worker = delivery->worker;
    char callback[513];
    const struct request_input input = {
        .to = {delivery->phone.e164, delivery->phone.e164_size},
        .recipient = delivery->notification.recipient,
        .callback = write_callback(delivery, callback, sizeof(callback)),
        .values = &delivery->values,
    };
    const struct request_form *form = edition_form(delivery->edition->edition, delivery->template);
    struct buffer out;
    buffer_init(&out, delivery->exchange_memory->body, BODY_SIZE);
    if (!request_write(form, &input, &out)) {
        if (worker->free_large == NULL)
            return false;
        delivery->large_body = worker->free_large;
        worker->free_large = delivery->large_body->next;
        buffer_init(&out, delivery->large_body->body, LARGE_BODY_SIZE);
        check(request_write(form, &input, &out)); /* values_read() bounded the text */
    }
    *body = buffer_span(&out);
    return true;
}

/* False: it must wait, because the few large bodies are all under way. */
static bool
start_exchange(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    struct span body;
    delivery->exchange_memory = worker->free_exchanges;
    worker->free_exchanges = delivery->exchange_memory->next;
    worker->exchanges_free--;
    if (!write_body(delivery, &body)) {
        give_exchange_memory(delivery);
        return false;
    }
    const struct h2_request request = {
        .method = SPAN("POST"),
        .path = span_of(delivery->account->settings->path),
        .authorization = span_of(delivery->account->settings->authorization),
        .content_type = SPAN("application/json"),
        .body = body,
    };
    delivery->exchange = (struct channel_exchange){.owner = delivery};
    buffer_init(&delivery->exchange.h2.response, delivery->exchange_memory->response,
                RESPONSE_SIZE);
    channel_start(worker->channel, &delivery->exchange, &request);
    return true;
}

static void
on_exchange_end(void *context, struct channel_exchange *exchange, enum h2_end end)
{
    struct worker *worker = context;
    struct delivery *delivery = exchange->owner;
    check_magic(worker, WORKER_MAGIC);
    check_magic(delivery, DELIVERY_MAGIC);
    check(delivery->state == DELIVERY_SENDING && delivery->exchange_memory != NULL);
    delivery->end = end;
    delivery->state = DELIVERY_JUDGING;
    delivery_run(delivery); /* reads the response before its memory is given back */
    give_exchange_memory(delivery);
}

static void
on_channel_room(void *context)
{
    struct worker *worker = context;
    check_magic(worker, WORKER_MAGIC);
    worker_work_later(worker);
}

static void
hold_list_back(struct account *account, struct delivery_list *list, uint64_t wait_ms)
{
    struct delivery *delivery;
    while ((delivery = list_pop(list)) != NULL) {
        uint64_t spread_ms = random_below(&account->worker->random, wait_ms / 10 + 1);
        (void)outcome_later(delivery, clock_unix_ms() + wait_ms + spread_ms, delivery->attempts,
                            SPAN("the account was throttled or stopped"));
        delivery_run(delivery);
    }
}

/* A throttled or stopped account does not send: what was granted goes back to wait. What was not
 * goes back too, if it is for long and there are others: their slots are not to wait with it. */
static void
hold_back(struct account *account)
{
    uint64_t wait_ms = (account->paused_until_us - loop_now_us(account->worker->loop)) / 1000;
    hold_list_back(account, &account->sending, wait_ms);
    if (wait_ms < LONG_PAUSE_MS || account->worker->account_count == 1)
        return;
    for (int source = 0; source < SOURCE_COUNT; source++)
        hold_list_back(account, &account->ready[source], wait_ms);
    account->ready_count = 0;
}

void
worker_hold_account(struct account *account)
{
    struct worker *worker = account->worker;
    struct delivery *delivery;
    uint64_t until_us = loop_now_us(worker->loop) + PAUSED_WAIT_US;
    if (account->paused_until_us < until_us)
        account->paused_until_us = until_us;
    for (int source = 0; source < SOURCE_COUNT; source++) {
        account->ready_count -= account->ready[source].count;
        while ((delivery = list_pop(&account->ready[source])) != NULL) {
            (void)outcome_later(delivery, clock_unix_ms() + PAUSED_WAIT_US / 1000,
                                delivery->attempts, SPAN("the account is paused"));
            delivery_run(delivery);
        }
    }
    worker_work_later(worker);
}

static bool
is_paused(const struct account *account)
{
    return account->paused_until_us > loop_now_us(account->worker->loop);
}

bool
worker_may_send(const struct worker *worker, const struct account *account)
{
    return lease_holds(worker, account->settings->business) && !is_paused(account) &&
           !account->settle_refused;
}

/* While Meta cannot be reached nothing is popped to be sent; the oldest are looked at all the same.
 */
static void
end_stale(struct account *account)
{
    uint64_t now_ms = account->sending.count > 0 ? clock_unix_ms() : 0;
    while (account->sending.count > 0 && delivery_is_stale(account->sending.first, now_ms))
        delivery_run(list_pop(&account->sending));
}

static uint32_t
send_some(struct account *account, uint32_t room)
{
    struct worker *worker = account->worker;
    uint64_t now_ms = clock_unix_ms();
    uint32_t sent = 0;
    while (account->sending.count > 0 && sent < room && sent < SEND_ROUND &&
           worker->exchanges_free > 0) {
        struct delivery *delivery = list_pop(&account->sending);
        if (delivery_is_stale(delivery, now_ms)) {
            delivery_run(delivery); /* step_send says which */
            continue;
        }
        if (!start_exchange(delivery)) {
            list_push(&account->sending, delivery);
            break;
        }
        sent++;
    }
    return sent;
}

/* In rounds over the accounts, so that none takes all the room. */
static void
send_ready(struct worker *worker)
{
    uint32_t waiting = 0;
    uint32_t room = channel_room(worker->channel);
    bool moved = true;
    while (moved) {
        moved = false;
        waiting = 0;
        for (uint32_t i = 0; i < worker->account_count; i++) {
            struct account *account =
                &worker->accounts[(worker->turn_of + i) % worker->account_count];
            end_stale(account);
            if (account->sending.count == 0)
                continue;
            if (is_paused(account) || worker->draining)
                continue;
            if (worker_may_send(worker, account)) {
                uint32_t sent = send_some(account, room);
                room -= sent;
                moved = moved || sent > 0;
            }
            waiting += account->sending.count;
        }
    }
    if (waiting > 0 && room == 0)
        channel_want(worker->channel);
}

/* ---- the end of a turn ---------------------------------------------------------------------- */

/* The account's pace: what is granted leaves at once, so the pace is kept here. */
static uint32_t
paced_room(const struct account *account, uint32_t room)
{
    uint32_t paced = pace_room(&account->pace, loop_now_us(account->worker->loop));
    if (paced < pace_worth(&account->pace) && paced < account->ready_count)
        return 0; /* the wake timer comes when there is a batch's worth */
    return paced < room ? paced : room;
}

/* The catalogue, the rate cards or the day changed: what waits for a grant is looked through once.
 */
static void
look_through_ready(struct account *account)
{
    char day[DAY_SIZE + 1];
    struct worker *worker = account->worker;
    uint64_t serial = catalogue_feed_serial(worker->sender->feed, account->settings->business);
    zone_day(account->settings->zone, clock_unix_ms(), day);
    if (serial == account->catalogue_serial && worker->rates.serial == account->rates_serial &&
        strcmp(day, account->ready_day) == 0)
        return;
    account->catalogue_serial = serial;
    account->rates_serial = worker->rates.serial;
    memcpy(account->ready_day, day, sizeof(day));
    for (int source = 0; source < SOURCE_COUNT; source++) {
        struct delivery_list ready = account->ready[source];
        struct delivery *delivery;
        account->ready[source] = (struct delivery_list){0};
        account->ready_count -= ready.count;
        while ((delivery = list_pop(&ready)) != NULL)
            delivery_grant_again(delivery);
    }
}

/* No connection is to be had: what would be granted could not leave. */
static bool
is_unreachable(const struct worker *worker)
{
    return channel_room(worker->channel) == 0 && channel_active(worker->channel) == 0 &&
           channel_trouble(worker->channel)[0] != '\0';
}

static void
grant_ready(struct worker *worker)
{
    /* Twice what can be under way: one half on the wire, the other granted while it is. */
    uint32_t limit = 2 * channel_capacity(worker->channel);
    uint32_t worth = GRANT_MEMBERS_MAX / 8 < limit / 2 ? GRANT_MEMBERS_MAX / 8 : limit / 2;
    for (uint32_t i = 0; i < worker->account_count; i++) {
        struct account *account = &worker->accounts[(worker->turn_of + i) % worker->account_count];
        if (account->ready_count == 0 || !worker_may_send(worker, account))
            continue;
        if (is_unreachable(worker)) {
            channel_want(worker->channel);
            return;
        }
        look_through_ready(account);
        uint32_t room = limit > worker->granted ? limit - worker->granted : 0;
        /* No trickle: a grant is a call and a record, so wait until it is worth one. */
        if (room < worth && room < account->ready_count)
            continue;
        room = paced_room(account, room);
        uint32_t asked = room > 0 ? grants_ask(account, room) : 0;
        pace_take(&account->pace, asked, loop_now_us(worker->loop));
        if (asked > 0 && channel_room(worker->channel) == 0)
            channel_want(worker->channel); /* connect while Redis grants */
    }
}

static void
claim_more(struct worker *worker)
{
    uint64_t now_us = loop_now_us(worker->loop);
    for (uint32_t i = 0; i < worker->account_count; i++) {
        struct account *account = &worker->accounts[(worker->turn_of + i) % worker->account_count];
        if (account->due_us != 0 && account->due_us <= now_us) {
            account->due_us = 0;
            account->may_have_more = true;
        }
        if (account->may_have_more && worker_may_send(worker, account))
            (void)claims_ask(account);
    }
}

static void
set_wake_timer(struct worker *worker)
{
    uint64_t now_us = loop_now_us(worker->loop);
    uint64_t next_us = worker->ask_again_us > now_us ? worker->ask_again_us : UINT64_MAX;
    for (uint32_t i = 0; i < worker->account_count; i++) {
        const struct account *account = &worker->accounts[i];
        uint32_t worth = pace_worth(&account->pace);
        if (worth > account->ready_count)
            worth = account->ready_count;
        const uint64_t times_us[] = {account->due_us, account->paused_until_us,
                                     account->settle_after_us,
                                     worth > 0 ? pace_next_us(&account->pace, worth, now_us) : 0};
        for (size_t k = 0; k < sizeof(times_us) / sizeof(times_us[0]); k++)
            if (times_us[k] > now_us && times_us[k] < next_us)
                next_us = times_us[k];
    }
    if (next_us != UINT64_MAX)
        timer_start(loop_timers(worker->loop), &worker->wake_timer, next_us);
    else
        timer_stop(loop_timers(worker->loop), &worker->wake_timer);
}

/* Calls whose replies went with a connection, and those that had no room in the output. */
void
worker_ask_again(struct worker *worker)
{
    worker->ask_again_us = loop_now_us(worker->loop) + ASK_AGAIN_US;
    worker_work_later(worker);
}

static void
ask_lost(struct worker *worker)
{
    if (loop_now_us(worker->loop) < worker->ask_again_us)
        return; /* Redis answers errors: not in every turn */
    grants_ask_lost(worker);
    for (uint32_t i = 0; i < worker->account_count; i++)
        claims_ask_lost(&worker->accounts[i]);
}

static void
settle_all(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->account_count; i++)
        settlement_write(&worker->accounts[i]);
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

static void
work(struct loop_flush *flush)
{
    struct worker *worker = container_of(flush, struct worker, work);
    check_magic(worker, WORKER_MAGIC);
    if (worker->done)
        return; /* links that close wake it once more, when the channel is gone already */
    worker->turn_of = worker->account_count > 0 ? (worker->turn_of + 1) % worker->account_count : 0;
    if (worker->fenced && !worker->leaving)
        lease_start_over(worker);
    if (!worker->draining && atomic_load_explicit(&worker->sender->draining, memory_order_relaxed))
        begin_drain(worker);
    for (uint32_t i = 0; i < worker->account_count; i++)
        if (is_paused(&worker->accounts[i]))
            hold_back(&worker->accounts[i]);
    send_ready(worker);
    settle_all(worker);
    if (!redis_client_is_ready(worker->redis)) {
        set_wake_timer(worker);
        return;
    }
    ask_lost(worker);
    if (!worker->draining) {
        grant_ready(worker);
        claim_more(worker);
        bell_watch(worker);
    } else if (!worker->leaving && is_drained(worker)) {
        lease_leave(worker);
    }
    worker->done = worker->leaving && worker->leave_replies >= worker->sender->business_count;
    set_wake_timer(worker);
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
 * claim that nobody would ever hear of. So that one is ended before anything is asked. */
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
    check_magic(worker, WORKER_MAGIC);
    log_line(LOG_INFO, "redis_ready", "worker=%u", worker->number);
    end_old_connection(worker);
    if (worker->holder.size == 0)
        lease_begin(worker);
    else
        lease_beat(worker);
    ask_lost(worker);
    worker_work_later(worker);
}

static void
on_redis_lost(void *context, const char *reason)
{
    struct worker *worker = context;
    check_magic(worker, WORKER_MAGIC);
    log_line(LOG_WARN, "redis_lost", "worker=%u cause=\"%s\"", worker->number, reason);
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
open_pools(struct worker *worker)
{
    worker->deliveries = check_alloc(DELIVERIES_MAX, sizeof(*worker->deliveries));
    for (uint32_t i = 0; i < DELIVERIES_MAX; i++) {
        clear_delivery(worker, &worker->deliveries[i]);
        list_push(&worker->free_deliveries, &worker->deliveries[i]);
    }
    worker->batches = check_alloc(BATCHES_MAX, sizeof(*worker->batches));
    for (uint32_t i = 0; i < BATCHES_MAX; i++) {
        arena_open(&worker->batches[i].arena, BATCH_ARENA_SIZE);
        worker->batches[i].next = worker->free_batches;
        worker->free_batches = &worker->batches[i];
    }
    worker->batches_free = BATCHES_MAX;
    worker->holds = check_alloc(HOLDS_MAX, sizeof(*worker->holds));
    worker->grants = check_alloc(GRANTS_MAX, sizeof(*worker->grants));
    for (uint32_t i = 0; i < HOLDS_MAX; i++) {
        worker->holds[i].next = worker->free_holds;
        worker->free_holds = &worker->holds[i];
    }
    worker->holds_free = HOLDS_MAX;
    for (uint32_t i = 0; i < GRANTS_MAX; i++) {
        worker->grants[i].next = worker->free_grants;
        worker->free_grants = &worker->grants[i];
    }
}

static void
open_exchange_memory(struct worker *worker)
{
    uint32_t count = channel_capacity(worker->channel);
    worker->exchanges = check_alloc(count, sizeof(*worker->exchanges));
    for (uint32_t i = 0; i < count; i++) {
        worker->exchanges[i].next = worker->free_exchanges;
        worker->free_exchanges = &worker->exchanges[i];
    }
    worker->exchanges_free = count;
    worker->large = check_alloc(LARGE_BODIES, sizeof(*worker->large));
    for (uint32_t i = 0; i < LARGE_BODIES; i++) {
        worker->large[i].next = worker->free_large;
        worker->free_large = &worker->large[i];
    }
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
        worker->accounts[i].may_have_more = true;
        pace_bucket_init(&worker->accounts[i].pace, &sender->accounts[i].pace,
                         sender->settings.workers, loop_now_us(worker->loop));
        worker->accounts[i].settle_most = SETTLE_MEMBERS_MAX;
    }
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
    if (!settings->redis.tls)
        return true;
    worker->redis_tls = tls_client_context(&redis, error);
    return worker->redis_tls != NULL;
}

static void
open_channel(struct worker *worker)
{
    const struct sender_settings *settings = &worker->sender->settings;
    const struct channel_settings channel = {
        .address = {.host = settings->graph.host, .port = settings->graph.port},
        .tls = worker->graph_tls,
        .authority = span_of(settings->graph.authority),
        .user_agent = SPAN("facteur/" FACTEUR_VERSION),
        .connections_max = settings->connections_max,
        .exchanges_max = settings->exchanges_max,
        .connect_timeout_us = 5 * 1000 * 1000,
        .request_timeout_us = settings->request_timeout_ms * 1000,
        .idle_us = 10 * 1000 * 1000,
        .ping_timeout_us = 2 * 1000 * 1000,
        .seed = random_next(&worker->random),
    };
    static const struct channel_events events = {.on_end = on_exchange_end,
                                                 .on_room = on_channel_room};
    worker->channel = channel_open(worker->loop, &channel, &events, worker);
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
    };
    static const struct redis_client_events events = {.on_ready = on_redis_ready,
                                                      .on_lost = on_redis_lost};
    worker->redis = redis_client_open(worker->loop, &settings, &events, worker);
    settings.output_size = 256 * 1024 + (size_t)ACCOUNTS_MAX * 2 * (KEYS_BASE_MAX + 64);
    bell_open(worker, &settings);
}

static bool
worker_open(struct worker *worker, struct error_text *error)
{
    const struct loop_settings loop = {
        .operations_max = 4 * CHANNEL_CONNECTIONS_MAX + 64,
        .timers_max = 4 * CHANNEL_CONNECTIONS_MAX + 64,
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
    open_pools(worker);
    open_accounts(worker);
    open_channel(worker);
    open_exchange_memory(worker);
    open_redis(worker);
    return true;
}

static void
worker_close(struct worker *worker)
{
    timer_stop(loop_timers(worker->loop), &worker->beat_timer);
    timer_stop(loop_timers(worker->loop), &worker->wake_timer);
    channel_close(worker->channel);
    redis_client_close(worker->redis);
    redis_client_close(worker->bell);
    while (!channel_is_closed(worker->channel) || !redis_client_is_closed(worker->redis) ||
           !redis_client_is_closed(worker->bell))
        loop_turn(worker->loop, TURN_WAIT_MAX_US);
    channel_free(worker->channel);
    redis_client_free(worker->redis);
    redis_client_free(worker->bell);
    loop_close(worker->loop);
    tls_context_close(worker->graph_tls);
    if (worker->redis_tls != NULL)
        tls_context_close(worker->redis_tls);
    for (uint32_t i = 0; i < BATCHES_MAX; i++)
        arena_close(&worker->batches[i].arena);
    free(worker->deliveries);
    free(worker->batches);
    free(worker->holds);
    free(worker->grants);
    free(worker->exchanges);
    free(worker->large);
    free(worker->text);
    free(worker->scratch);
    free(worker->writing);
    editions_close(worker->editions);
    free(worker->accounts);
    free(worker->businesses);
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
    while (!worker->done &&
           !atomic_load_explicit(&worker->sender->aborting, memory_order_relaxed)) {
        rate_feed_use(worker->sender->rates, worker->number, &worker->rates);
        loop_turn(worker->loop, TURN_WAIT_MAX_US);
        if (!worker->draining &&
            atomic_load_explicit(&worker->sender->draining, memory_order_relaxed))
            worker_work_later(worker);
    }
    worker->done = true; /* also if told to end at once: to Redis that is exactly what a crash is */
    worker_close(worker);
    rate_feed_leave(worker->sender->rates, worker->number);
    return worker;
}
