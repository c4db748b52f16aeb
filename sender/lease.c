#include "sender/lease.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/claims.h"
#include "sender/grants.h"
#include "sender/overdue.h"
#include "sender/pause.h"
#include "sender/slots.h"
#include "sender/turns.h"

#include <stdlib.h>
#include <string.h>

enum { LOOK_AROUND_US = 60 * 1000 * 1000 };

static uint64_t
lease_us(const struct worker *worker)
{
    return worker->sender->settings.lease_ms * 1000;
}

static const struct account_keys *
keys_of_business(const struct worker *worker, const struct business *business)
{
    return &worker->accounts[business->account].settings->keys;
}

/* ---- recovery ------------------------------------------------------------------------------- */

static void recover(struct account *account);

static void
on_recover(void *context, const struct reply *reply)
{
    struct account *account = context;
    uint64_t claims;
    uint64_t uncertain;
    check_magic(account->worker, WORKER_MAGIC);
    account->recovering = false;
    worker_work_later(account->worker); /* a declaration may have waited for this reply */
    if (reply == NULL)
        return; /* still wanted: asked again with the next beat */
    if (!recover_read(reply, &claims, &uncertain)) {
        (void)trouble_take(account->worker, account, TROUBLE_RECOVER, reply);
        return;
    }
    trouble_end(account->worker, account, TROUBLE_RECOVER);
    account->recover_wanted = claims > 0 || uncertain > 0; /* one call does only so much */
    if (!account->recover_wanted)
        return;
    log_line(LOG_WARN, "worker_recovered",
             "account=%s claims_given_back=%llu uncertain=%llu policy=park",
             account->settings->keys.account, (unsigned long long)claims,
             (unsigned long long)uncertain);
    turns_want_claim(account);
    recover(account);
}

/* Cleans up after every holder of the business that is gone. */
static void
recover(struct account *account)
{
    struct worker *worker = account->worker;
    const struct sender_settings *settings = &worker->sender->settings;
    const struct call call = {redis_client_session(worker->redis), &account->settings->keys,
                              on_recover, account};
    account->recovering =
        call_recover(&call, clock_unix_ms() + settings->uncertain_wait_ms, settings->events_keep);
    redis_client_flush(worker->redis);
}

static void
recover_wanted(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->account_count; i++)
        if (worker->accounts[i].recover_wanted && !worker->accounts[i].recovering)
            recover(&worker->accounts[i]);
}

/* Somebody of the business is gone. Whoever saw it first may die before it has cleaned up, so all
 * who notice want it, and want it until there is nothing left to do. */
static void
want_recover_of(struct account *account)
{
    account->recover_wanted = true;
    turns_want_claim(account); /* what it had taken, or put into later, may be ours to take */
}

static void
want_recover(struct worker *worker, uint32_t business)
{
    for (uint32_t i = 0; i < worker->account_count; i++)
        if (worker->accounts[i].settings->business == business)
            want_recover_of(&worker->accounts[i]);
}

/* ---- the others ----------------------------------------------------------------------------- */

static void
on_fence(void *context, const struct reply *reply)
{
    struct business *business = context;
    struct worker *worker = business->worker;
    check_magic(worker, WORKER_MAGIC);
    want_recover(worker,
                 (uint32_t)(business - worker->businesses)); /* lost: it may have been a yes */
    if (reply != NULL)
        recover_wanted(worker);
}

static void
fence(struct worker *worker, uint32_t number, const struct other_worker *other)
{
    struct business *business = &worker->businesses[number];
    log_line(LOG_WARN, "worker_died", "holder=%s beat=%llu", other->holder,
             (unsigned long long)other->watch.beat);
    const struct call call = {redis_client_session(worker->redis),
                              keys_of_business(worker, business), on_fence, business};
    (void)call_fence(&call, span_of(other->holder), other->watch.beat); /* no room: a lease later */
}

static struct other_worker *
find_other(struct business *business, struct span holder)
{
    for (uint32_t i = 0; i < business->other_count; i++)
        if (span_equal(span_of(business->others[i].holder), holder))
            return &business->others[i];
    if (business->other_count == OTHERS_MAX || holder.size != QUEUE_HOLDER_SIZE)
        return NULL;
    struct other_worker *other = &business->others[business->other_count++];
    *other = (struct other_worker){0};
    memcpy(other->holder, holder.data, holder.size);
    return other;
}

static void
look_at_all(struct worker *worker, uint32_t number, const struct reply *reply)
{
    struct business *business = &worker->businesses[number];
    for (uint32_t i = 0; i < business->other_count; i++)
        business->others[i].seen = false;
    for (size_t i = 2; i + 1 < reply->count; i += 2) {
        uint64_t beat;
        struct span holder = reply->elements[i]->text;
        if (span_equal(holder, worker->holder) || !span_to_u64(reply->elements[i + 1]->text, &beat))
            continue;
        struct other_worker *other = find_other(business, holder);
        if (other == NULL)
            continue;
        other->seen = true;
        if (beat_look(&other->watch, beat, loop_now_us(worker->loop), lease_us(worker)))
            fence(worker, number, other);
    }
    for (uint32_t i = 0; i < business->other_count;) {
        if (business->others[i].seen) {
            i++;
            continue;
        }
        business->others[i] = business->others[--business->other_count];
        want_recover(worker, number);
    }
}

/* ---- our own beat --------------------------------------------------------------------------- */

/* One account with each beat, and none more often than once a minute: should the bell ever not have
 * been heard, it is found out. */
static void
look_around(struct worker *worker)
{
    struct account *account = &worker->accounts[worker->look_next++ % worker->account_count];
    uint64_t now_us = loop_now_us(worker->loop);
    if (now_us - account->looked_us < LOOK_AROUND_US)
        return;
    account->looked_us = now_us;
    if (now_us - account->asked_us >= LOOK_AROUND_US)
        pause_look_again(account);
    overdue_wake(account);
}

static void
on_beat(void *context, const struct reply *reply)
{
    struct business *business = context;
    struct worker *worker = business->worker;
    check_magic(worker, WORKER_MAGIC);
    if (reply == NULL)
        return;                      /* lease_lost() comes after all of them */
    if (business->beats_stale > 0) { /* replies come in order: those of the old name first */
        business->beats_stale--;
        return;
    }
    uint64_t asked_us = business->asked_us;
    business->asked_us = 0;
    if (reply_at(reply, 0) == NULL) {
        (void)trouble_take(worker, NULL, TROUBLE_BEAT, reply);
        return;
    }
    trouble_end(worker, NULL, TROUBLE_BEAT);
    if (!reply_is_text(reply_at(reply, 0), "ok")) {
        worker->fenced = true;
        worker_work_later(worker);
        return;
    }
    uint32_t number = (uint32_t)(business - worker->businesses);
    bool was_new = business->is_new;
    bool held = lease_holds(worker, number);
    business->is_new = false;
    business->confirmed_us = asked_us;
    look_at_all(worker, number, reply);
    if (was_new)
        want_recover(worker, number);
    recover_wanted(worker);
    look_around(worker);
    if (!held)
        turns_stir_all(worker, number);
    worker_work_later(worker);
}

void
lease_beat(struct worker *worker)
{
    uint64_t now_us = loop_now_us(worker->loop);
    for (uint32_t i = 0; i < worker->sender->business_count; i++) {
        struct business *business = &worker->businesses[i];
        if (business->asked_us != 0 || !worker_may_call(worker))
            continue;
        const struct call call = {redis_client_session(worker->redis),
                                  keys_of_business(worker, business), on_beat, business};
        business->asked_us = now_us;
        if (!call_beat(&call, worker->holder, ++business->beat, business->is_new))
            business->asked_us = 0;
    }
    redis_client_flush(worker->redis);
    timer_start(loop_timers(worker->loop), &worker->beat_timer, now_us + lease_us(worker) / 4);
}

void
lease_begin(struct worker *worker)
{
    uint8_t nonce[QUEUE_HOLDER_SIZE / 2];
    struct buffer name;
    random_secret(nonce, sizeof(nonce));
    buffer_init(&name, worker->holder_text, sizeof(worker->holder_text));
    buffer_put_hex(&name, nonce, sizeof(nonce));
    worker->holder = span_of(buffer_text(&name));
    worker->fenced = false;
    worker->holders++;
    for (uint32_t i = 0; i < worker->sender->business_count; i++) {
        struct business *business = &worker->businesses[i];
        business->worker = worker;
        business->is_new = true;
        business->confirmed_us = 0;
        business->beats_stale += business->asked_us != 0 ? 1 : 0;
        business->asked_us = 0;
    }
    lease_beat(worker);
}

void
lease_lost(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->sender->business_count; i++) {
        worker->businesses[i].asked_us = 0;
        worker->businesses[i].beats_stale = 0;
    }
}

bool
lease_holds(const struct worker *worker, uint32_t business)
{
    const struct business *own = &worker->businesses[business];
    return !worker->fenced && own->confirmed_us != 0 &&
           loop_now_us(worker->loop) - own->confirmed_us < lease_us(worker) / 2;
}

/* ---- the ends ------------------------------------------------------------------------------- */

static void
drop_list(struct delivery_list *list)
{
    while (list->count > 0)
        lease_drop(list_pop(list));
}

void
lease_drop(struct delivery *delivery)
{
    grants_release(delivery);
    claims_release(delivery);
    slots_give(delivery);
}

void
lease_start_over(struct worker *worker)
{
    log_line(LOG_ERROR, "worker_fenced",
             "holder=%s meaning=\"declared dead after a stop; what it had not sent was given to "
             "others\"",
             worker->holder_text);
    for (uint32_t i = 0; i < worker->account_count; i++) {
        struct account *account = &worker->accounts[i];
        for (int source = 0; source < SOURCE_COUNT; source++)
            drop_list(&account->ready[source]);
        account->ready_count = 0;
        drop_list(&account->sending);
        claims_forget(account);
    }
    grants_forget(worker);
    declaration_drop(worker);
    lease_begin(worker);
}

static void
on_leave(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    if (reply != NULL && reply->type == REPLY_INTEGER && reply->integer == 0)
        log_line(LOG_WARN, "leave_refused",
                 "holder=%s meaning=\"something of it is pending; the lease will clean up\"",
                 worker->holder_text);
    if (reply_is_text(reply_at(reply, 0), "declare")) { /* Redis was started anew just now */
        worker->leaving = false;
        declaration_want(worker, "a goodbye was answered so");
    }
    worker->leave_replies++;
    worker_work_later(worker);
}

static void
on_return(void *context, const struct reply *reply)
{
    (void)context;
    if (reply != NULL && reply->type == REPLY_ERROR)
        log_line(LOG_WARN, "return_refused", "cause=\"%.*s\"", SPAN_ARG(reply->text));
}

/* Every claim of this worker is given back: only those that still hold something matter. */
static void
return_claims(struct worker *worker, struct account *account)
{
    struct span claims[HOLDS_MAX];
    uint32_t count = 0;
    for (uint32_t i = 0; i < HOLDS_MAX; i++) {
        const struct claim_hold *hold = &worker->holds[i];
        if (hold->account == account && hold->deliveries > 0)
            claims[count++] = hold->name;
    }
    if (count == 0)
        return;
    const struct call call = {redis_client_session(worker->redis), &account->settings->keys,
                              on_return, account};
    (void)call_return(&call, worker->holder, claims, count);
}

void
lease_leave(struct worker *worker)
{
    worker->leaving = true;
    worker->leave_replies = 0;
    for (uint32_t i = 0; i < worker->account_count; i++)
        return_claims(worker, &worker->accounts[i]);
    for (uint32_t i = 0; i < worker->sender->business_count; i++) {
        const struct business *business = &worker->businesses[i];
        struct account_keys *keys = check_alloc(worker->account_count, sizeof(*keys));
        uint32_t count = 0;
        for (uint32_t k = 0; k < worker->account_count; k++)
            if (worker->accounts[k].settings->business == i)
                keys[count++] = worker->accounts[k].settings->keys;
        const struct call call = {redis_client_session(worker->redis),
                                  keys_of_business(worker, business), on_leave, worker};
        if (!call_leave(&call, worker->holder, keys, count))
            worker->leave_replies++;
        free(keys);
    }
    redis_client_flush(worker->redis);
}
