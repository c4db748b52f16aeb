#include "sender/pause.h"

#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/outcome.h"
#include "sender/rules/retry.h"
#include "sender/slots.h"
#include "sender/turns.h"

enum {
    STOPPED_WAIT_MS = 60 * 1000, /* token, permission, payment: look again after this */
    OPERATOR_WAIT_MS = 1000,     /* how soon a resumed account is noticed */
};

bool
pause_is_on(const struct account *account)
{
    return account->paused_until_us > loop_now_us(account->worker->loop);
}

/* Spread over a tenth, so that what waited together does not come back together. */
uint64_t
pause_wait_ms(const struct account *account)
{
    uint64_t now_us = loop_now_us(account->worker->loop);
    uint64_t wait_ms =
        account->paused_until_us > now_us ? (account->paused_until_us - now_us) / 1000 : 0;
    return wait_ms + random_below(&account->worker->random, wait_ms / 10 + 1);
}

/* What is ready would hold slots that are not to wait with it, if there are other accounts. */
bool
pause_frees_slots(const struct account *account)
{
    return pause_is_on(account) &&
           (account->paused_by_operator || account->worker->account_count > 1);
}

enum step_next
pause_put_back(struct delivery *delivery)
{
    const struct account *account = delivery->account;
    return outcome_later(delivery, clock_unix_ms() + pause_wait_ms(account), delivery->attempts,
                         account->paused_by_operator
                             ? SPAN("the account is paused")
                             : SPAN("the account was throttled or stopped"));
}

static void
hold_list_back(struct delivery_list *list)
{
    struct delivery *delivery;
    while ((delivery = list_pop(list)) != NULL) {
        (void)pause_put_back(delivery);
        delivery_run(delivery);
    }
}

/* What is not on the wire goes back to wait: granted, it would grow old. */
static void
hold_back(struct account *account)
{
    hold_list_back(&account->sending);
    for (int source = 0; source < SOURCE_COUNT && pause_frees_slots(account); source++) {
        account->ready_count -= account->ready[source].count;
        hold_list_back(&account->ready[source]);
    }
}

static uint64_t
throttle_wait_ms(const struct account *account, const struct verdict *verdict, bool stopped)
{
    uint64_t asked_ms =
        retry_asked_wait_ms(verdict->retry_after_s, verdict->retry_at_s, clock_unix_ms());
    if (asked_ms > 0)
        return asked_ms;
    return stopped ? STOPPED_WAIT_MS : retry_throttle_wait_ms(account->throttles);
}

uint64_t
pause_throttle(struct account *account, const struct verdict *verdict)
{
    struct worker *worker = account->worker;
    bool stopped = verdict->slows == VERDICT_STOPS_ACCOUNT;
    uint64_t now_us = loop_now_us(worker->loop);
    if (!pause_is_on(account)) { /* one storm of answers is one throttle */
        uint64_t wait_ms = throttle_wait_ms(account, verdict, stopped);
        account->throttles++;
        account->paused_until_us = now_us + wait_ms * 1000;
        account->paused_by_operator = false;
        hold_back(account);
        log_line(stopped ? LOG_ERROR : LOG_WARN, stopped ? "account_stopped" : "account_throttled",
                 "account=%s/%s code=%d class=%s wait_ms=%llu",
                 account->settings->keys.business_name, account->settings->keys.account_name,
                 verdict->code, graph_error_class_text(verdict->class),
                 (unsigned long long)wait_ms);
    }
    return pause_wait_ms(account);
}

void
pause_by_operator(struct account *account)
{
    uint64_t until_us = loop_now_us(account->worker->loop) + (uint64_t)OPERATOR_WAIT_MS * 1000;
    if (account->paused_until_us < until_us)
        account->paused_until_us = until_us;
    account->paused_by_operator = true;
    hold_back(account);
    turns_stir(account);
}
