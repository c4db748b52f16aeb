#include "sender/receipts.h"

#include "sender/base/check.h"
#include "sender/base/log.h"
#include "sender/claims.h"
#include "sender/grants.h"
#include "sender/outcome.h"
#include "sender/slots.h"
#include "sender/worker.h"

#include <assert.h>
#include <string.h>

enum { REFUSED_WAIT_US = 1000 * 1000 };

static_assert((int)RECEIPTS_A_CALL <= (int)CALLS_RECEIPTS_MAX, "the library takes as many");

bool
receipts_want(const struct delivery *delivery)
{
    const struct outcome *outcome = &delivery->outcome;
    return delivery->grant != NULL &&
           (outcome->action == SETTLE_ACCEPT ||
            (outcome->action == SETTLE_DROP && strcmp(outcome->type, "failed") == 0));
}

void
receipts_take(struct delivery *delivery)
{
    check(delivery->state == DELIVERY_SETTLING && receipts_want(delivery));
    delivery->state = DELIVERY_TELLING;
    delivery_run(delivery); /* into the list */
}

/* ---- the reply ------------------------------------------------------------------------------ */

static void
finish(struct delivery *delivery)
{
    grants_release(delivery);
    claims_release(delivery);
    slots_give(delivery);
}

/* (No wamid in the log: it spells the number.) */
static void
note_settled(const struct delivery *delivery, struct span place)
{
    struct sender_counters *counters = &delivery->worker->sender->counters;
    bool accepted = delivery->outcome.action == SETTLE_ACCEPT;
    atomic_fetch_add_explicit(accepted ? &counters->accepted : &counters->failed, 1,
                              memory_order_relaxed);
    log_line(LOG_WARN, accepted ? "accepted_late" : "failed_late",
             "account=%s entry=%.*s place=%.*s", delivery->account->settings->keys.account,
             SPAN_ARG(delivery->name), SPAN_ARG(place));
}

/* Back into the list, at its end: one that Redis never takes keeps no other waiting. */
static void
tell_again(struct receipts *receipts)
{
    for (uint32_t i = 0; i < receipts->calling_count; i++)
        delivery_run(receipts->calling[i]);
    receipts->calling_count = 0;
}

static void
take_refusal(struct worker *worker, const struct reply *reply)
{
    struct receipts *receipts = &worker->receipts;
    (void)trouble_take(worker, receipts->calling[0]->account, TROUBLE_RECEIPTS, reply);
    receipts->most = receipts->calling_count > 1 ? receipts->calling_count / 2 : 1;
    receipts->after_us = loop_now_us(worker->loop) + REFUSED_WAIT_US;
    timer_start(loop_timers(worker->loop), &receipts->timer, receipts->after_us);
    tell_again(receipts);
}

static void
on_receipts(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    struct receipts *receipts = &worker->receipts;
    check_magic(worker, WORKER_MAGIC);
    if (reply == NULL) {
        tell_again(receipts);
        return;
    }
    if (!receipts_are_read(reply, receipts->calling_count)) {
        take_refusal(worker, reply);
        return;
    }
    trouble_end(worker, receipts->calling[0]->account, TROUBLE_RECEIPTS);
    for (uint32_t i = 0; i < receipts->calling_count; i++) {
        struct span place;
        if (receipt_read(reply, i, &place))
            note_settled(receipts->calling[i], place);
        finish(receipts->calling[i]);
    }
    receipts->calling_count = 0;
    receipts->most = RECEIPTS_A_CALL;
    worker_work_later(worker);
}

/* ---- writing -------------------------------------------------------------------------------- */

typedef char recipient_text[OUTCOME_RECIPIENT_MAX];

static struct receipt
receipt_of(const struct delivery *delivery, char recipient[OUTCOME_RECIPIENT_MAX])
{
    const struct quote *quote = &delivery->quote;
    return (struct receipt){
        .accepted = delivery->outcome.action == SETTLE_ACCEPT,
        .member = delivery->name,
        .attempt = delivery->outcome.attempts,
        .grant = delivery->grant->name,
        .index = delivery->index,
        .day = span_of(quote->day),
        .cell = {quote->cell, quote->cell_size},
        .currency = span_of(delivery->account->settings->currency),
        .millionths = quote->millionths,
        .wamid = delivery->outcome.wamid,
        .to = outcome_recipient(delivery, recipient),
        .reason = delivery->outcome.reason,
    };
}

/* Those of the first one's account. What the library would not take is told to nobody but the log:
 * its member stays where it is. */
static uint32_t
gather(struct receipts *receipts, struct receipt *told, recipient_text *recipients)
{
    const struct account *account = receipts->waiting.first->account;
    uint32_t count = 0;
    while (receipts->waiting.first != NULL && receipts->waiting.first->account == account &&
           count < receipts->most) {
        struct delivery *delivery = list_pop(&receipts->waiting);
        told[count] = receipt_of(delivery, recipients[count]);
        if (receipt_is_good(&told[count])) {
            receipts->calling[count++] = delivery;
            continue;
        }
        log_line(LOG_ERROR, "receipt_unfit", "account=%s entry=%.*s",
                 account->settings->keys.account, SPAN_ARG(delivery->name));
        finish(delivery);
    }
    return count;
}

void
receipts_write(struct worker *worker)
{
    struct receipts *receipts = &worker->receipts;
    struct receipt told[RECEIPTS_A_CALL];
    recipient_text recipients[RECEIPTS_A_CALL];
    if (receipts->waiting.count == 0 || receipts->calling_count > 0 ||
        !redis_client_is_ready(worker->redis) || loop_now_us(worker->loop) < receipts->after_us)
        return;
    const struct sender_settings *settings = &worker->sender->settings;
    struct account *account = receipts->waiting.first->account;
    receipts->calling_count = gather(receipts, told, recipients);
    if (receipts->calling_count == 0)
        return;
    const struct call call = {redis_client_session(worker->redis), &account->settings->keys,
                              on_receipts, worker};
    if (call_receipt(&call, settings->events_keep, settings->dedupe_ttl_ms, told,
                     receipts->calling_count))
        redis_client_flush(worker->redis);
    else
        tell_again(receipts); /* no room: the next turn */
}

/* ---- start and end -------------------------------------------------------------------------- */

static void
on_due(struct timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, receipts.timer);
    check_magic(worker, WORKER_MAGIC);
    worker_work_later(worker);
}

void
receipts_open(struct worker *worker)
{
    worker->receipts.most = RECEIPTS_A_CALL;
    timer_init(&worker->receipts.timer, on_due);
}

void
receipts_close(struct worker *worker)
{
    timer_stop(loop_timers(worker->loop), &worker->receipts.timer);
}
