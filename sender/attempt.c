#include "sender/attempt.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/outcome.h"
#include "sender/pause.h"
#include "sender/stop.h"
#include "sender/worker.h"

enum { REFUSALS_MAX = 4 /* not processed so often in a row: the peer wants a pause */ };

/* ---- the pair of account and recipient ------------------------------------------------------- */

/* As Meta counts it: people with two forms of one number are one. */
static uint64_t
pair_key(const struct delivery *delivery)
{
    char folded[PHONE_FOLDED_MAX + 1];
    struct span recipient = delivery->notification.recipient;
    if (recipient.size == 0)
        recipient = (struct span){folded, phone_fold(&delivery->phone, folded)};
    uint64_t account = (uint64_t)(delivery->account - delivery->worker->accounts) + 1;
    return span_hash(recipient) ^ account * 0x9e3779b97f4a7c15u;
}

bool
attempt_waits_for_pair(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    uint64_t now_us = loop_now_us(worker->loop);
    if (!pairs_are_busy(&worker->pairs, now_us))
        return false;
    uint64_t wait_us = pairs_wait_us(&worker->pairs, pair_key(delivery), now_us);
    if (wait_us == 0)
        return false;
    (void)outcome_later(delivery, clock_unix_ms() + wait_us / 1000 + 1, delivery->attempts,
                        SPAN("Meta's limit of messages to one recipient: behind another one"));
    return true;
}

void
attempt_begin(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    uint64_t now_us = loop_now_us(worker->loop);
    if (pairs_are_busy(&worker->pairs, now_us))
        pairs_note_sent(&worker->pairs, pair_key(delivery), now_us);
}

/* ---- later ----------------------------------------------------------------------------------- */

static uint64_t
asked_wait_ms(const struct verdict *verdict)
{
    return retry_asked_wait_ms(verdict->retry_after_s, verdict->retry_at_s, clock_unix_ms());
}

/* It waits by Meta's own rule, and so do the others to the same recipient; nobody else does. */
static enum step_next
wait_for_pair(struct delivery *delivery, const struct verdict *verdict)
{
    struct worker *worker = delivery->worker;
    uint64_t wait_ms = retry_pair_wait_ms(delivery->throttles);
    uint64_t asked_ms = asked_wait_ms(verdict);
    if (wait_ms < asked_ms)
        wait_ms = asked_ms;
    pairs_throttle(&worker->pairs, pair_key(delivery), wait_ms * 1000, loop_now_us(worker->loop));
    delivery->throttles++;
    return outcome_later(delivery, clock_unix_ms() + wait_ms, delivery->attempts, verdict->reason);
}

static enum step_next
try_again(struct delivery *delivery, const struct verdict *verdict)
{
    const struct retries *retries = &delivery->account->settings->attempts.retries;
    uint64_t wait_ms;
    uint64_t asked_ms = asked_wait_ms(verdict);
    delivery->attempts++;
    delivery->throttles = 0;
    if (!retry_wait_ms(retries_schedule(retries, verdict), delivery->attempts,
                       random_unit(&delivery->worker->random), &wait_ms))
        return outcome_dead(delivery, "dead", false, verdict->reason);
    if (wait_ms < asked_ms)
        wait_ms = asked_ms;
    return outcome_later(delivery, clock_unix_ms() + wait_ms, delivery->attempts, verdict->reason);
}

/* It is good, and goes when its account may send again. */
static enum step_next
wait_for_mending(struct delivery *delivery, const struct verdict *verdict)
{
    struct span words = stop_by_meta(delivery->account, verdict);
    return outcome_later(delivery, clock_unix_ms() + pause_wait_ms(delivery->account),
                         delivery->attempts, words);
}

static enum step_next
try_later(struct delivery *delivery, const struct verdict *verdict)
{
    switch (verdict->slows) {
    case VERDICT_SLOWS_PAIR:
        return wait_for_pair(delivery, verdict);
    case VERDICT_STOPS_ACCOUNT:
        return wait_for_mending(delivery, verdict);
    case VERDICT_SLOWS_ACCOUNT:
        return outcome_later(delivery, clock_unix_ms() + pause_throttle(delivery->account, verdict),
                             delivery->attempts, verdict->reason);
    case VERDICT_SLOWS_NOBODY:
        return try_again(delivery, verdict);
    }
    check(!"a verdict slows somebody, or nobody");
    return STEP_DONE;
}

/* ---- the other ends -------------------------------------------------------------------------- */

static enum step_next
fail(struct delivery *delivery, const struct verdict *verdict)
{
    if (retries_want(&delivery->account->settings->attempts.retries, verdict))
        return try_again(delivery, verdict);
    delivery->attempts++;
    if (verdict->class == GRAPH_ERROR_STOP_TEMPLATE) /* can be mended at Meta, then requeued */
        return outcome_dead(delivery, "failed", true, verdict->reason);
    return outcome_drop(delivery, "failed", verdict->reason);
}

static enum step_next
doubt(struct delivery *delivery, const struct verdict *verdict)
{
    if (verdict->slows == VERDICT_SLOWS_ACCOUNT)
        (void)pause_throttle(delivery->account, verdict);
    return outcome_uncertain(delivery,
                             clock_unix_ms() + delivery->worker->sender->settings.uncertain_wait_ms,
                             verdict->reason);
}

enum step_next
attempt_judge(struct delivery *delivery)
{
    struct verdict verdict;
    /* Free: it never reached Meta. The same grant, again; but a peer that takes nothing is not
     * asked without end: then it is a throttle, and costs no attempt either. */
    if (delivery->end == H2_NOT_PROCESSED && ++delivery->refusals < REFUSALS_MAX) {
        delivery->state = DELIVERY_SENDING;
        return STEP_MORE;
    }
    verdict_judge(&delivery->exchange.h2, delivery->end, &verdict);
    switch (verdict.kind) {
    case VERDICT_ACCEPTED:
        delivery->account->throttles = 0;
        allowance_grow(&delivery->account->allowance);
        stop_forget(delivery->account);
        return outcome_accept(delivery, verdict.wamid);
    case VERDICT_FAILED:
        return fail(delivery, &verdict);
    case VERDICT_LATER:
        return try_later(delivery, &verdict);
    case VERDICT_UNCERTAIN:
        return doubt(delivery, &verdict);
    }
    check(!"a verdict of no kind");
    return STEP_DONE;
}
