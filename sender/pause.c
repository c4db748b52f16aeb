#include "sender/pause.h"

#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/outcome.h"
#include "sender/rules/retry.h"
#include "sender/slots.h"
#include "sender/turns.h"

#include <inttypes.h>
#include <stdio.h>

enum { THROTTLE_WORDS_MAX = 160 };

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
    if (account->paused_until_us == UINT64_MAX)
        return 0;
    uint64_t wait_ms =
        account->paused_until_us > now_us ? (account->paused_until_us - now_us) / 1000 : 0;
    return wait_ms + random_below(&account->worker->random, wait_ms / 10 + 1);
}

/* What is ready would hold slots that are not to wait with it, if there are other accounts. */
bool
pause_frees_slots(const struct account *account)
{
    return pause_is_on(account) &&
           (account->paused_by != PAUSE_THROTTLED || account->worker->account_count > 1);
}

static const char *
cause_text(enum pause_cause cause)
{
    switch (cause) {
    case PAUSE_THROTTLED:
        return "the account was throttled";
    case PAUSE_BY_OPERATOR:
        return "the account is paused";
    case PAUSE_STOPPED:
        return "the account is stopped";
    }
    return "the account waits";
}

enum step_next
pause_put_back(struct delivery *delivery)
{
    const struct account *account = delivery->account;
    return outcome_later(delivery, clock_unix_ms() + pause_wait_ms(account), delivery->attempts,
                         span_of(cause_text(account->paused_by)));
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
throttle_wait_ms(const struct account *account, const struct verdict *verdict)
{
    uint64_t asked_ms =
        retry_asked_wait_ms(verdict->retry_after_s, verdict->retry_at_s, clock_unix_ms());
    return asked_ms > 0 ? asked_ms : retry_throttle_wait_ms(account->throttles);
}

void
pause_begin(struct account *account, enum pause_cause cause, uint64_t wait_ms)
{
    uint64_t until_us = wait_ms == PAUSE_UNTIL_RUNG
                            ? UINT64_MAX
                            : loop_now_us(account->worker->loop) + wait_ms * 1000;
    if (account->paused_until_us < until_us)
        account->paused_until_us = until_us;
    account->paused_by = cause;
    hold_back(account);
    turns_stir(account);
}

static void
on_told(void *context, const struct reply *reply)
{
    (void)context;
    (void)reply; /* whoever asks is not told this time */
}

/* For those who ask why something waits (queue/README.md, A:state): nothing here reads it. */
static void
tell_throttle(const struct account *account, uint64_t wait_ms, struct span why)
{
    struct worker *worker = account->worker;
    char key[KEYS_BASE_MAX + 16];
    char until[24];
    if (worker->redis == NULL || !redis_client_is_ready(worker->redis))
        return;
    (void)snprintf(until, sizeof(until), "%" PRIu64, clock_unix_ms() + wait_ms);
    const struct span parts[] = {
        SPAN("HSET"),
        keys_of(&account->settings->keys, "state", key, sizeof(key)),
        SPAN("throttled_until"),
        span_of(until),
        SPAN("throttled_for"),
        {why.data != NULL ? why.data : "",
         why.size < THROTTLE_WORDS_MAX ? why.size : THROTTLE_WORDS_MAX},
    };
    (void)session_command(redis_client_session(worker->redis), parts, 6, on_told, NULL);
    redis_client_flush(worker->redis);
}

uint64_t
pause_throttle(struct account *account, const struct verdict *verdict)
{
    if (!pause_is_on(account)) { /* one storm of answers is one throttle */
        uint64_t wait_ms = throttle_wait_ms(account, verdict);
        account->throttles++;
        allowance_cut(&account->allowance, account->granted);
        pause_begin(account, PAUSE_THROTTLED, wait_ms);
        tell_throttle(account, wait_ms, verdict->reason);
        log_line(LOG_WARN, "account_throttled",
                 "account=%s/%s code=%d class=%s status=%d wait_ms=%llu",
                 account->settings->keys.business_name, account->settings->keys.account_name,
                 verdict->code, graph_error_class_text(verdict->class), verdict->status,
                 (unsigned long long)wait_ms);
    }
    return pause_wait_ms(account);
}

void
pause_by_operator(struct account *account)
{
    pause_begin(account, PAUSE_BY_OPERATOR, PAUSE_UNTIL_RUNG);
}

void
pause_look_again(struct account *account)
{
    if (account->paused_until_us == UINT64_MAX)
        account->paused_until_us = 0;
    turns_want_claim(account);
}
