#include "sender/stop.h"

#include "sender/base/check.h"
#include "sender/base/log.h"
#include "sender/pause.h"
#include "sender/turns.h"

#include <string.h>

enum {
    LOOK_MS = 1000, /* after a refusal of Meta's: how soon Redis is asked whether it is stopped */
    LOOK_DOUBLINGS_MAX = 6, /* of a worker whose token was refused again and again: 64 s at most */
    TELL_AGAIN_US = 1000 * 1000, /* after an error of Redis' */
    MARK_SIZE = 16,
};

/* ---- words ----------------------------------------------------------------------------------- */

static bool
holds_token(struct span text, const struct account *account)
{
    struct span token = span_of(account->settings->authorization + sizeof("Bearer ") - 1);
    return token.size > 0 && memmem(text.data, text.size, token.data, token.size) != NULL;
}

/* Of the codes of the token itself Meta's words may hold it, whole or in part ("Malformed access
 * token …"), so they are our own. */
static void
keep_words(struct account *account, const struct verdict *verdict)
{
    struct account_stop *stop = &account->stop;
    struct span reason = verdict->reason;
    const struct graph_error *error = error_table_find(verdict->code);
    struct buffer words;
    bool own = verdict->code == 0 || verdict->code == 190 || holds_token(reason, account);
    if (reason.size > sizeof(stop->words))
        reason.size = sizeof(stop->words);
    buffer_init(&words, stop->words, sizeof(stop->words));
    if (own && error != NULL)
        buffer_printf(&words, "(#%d) %s", verdict->code, error->title);
    else if (!own)
        buffer_put_span(&words, reason);
    stop->words_size = (uint32_t)words.size;
}

static struct span
words_of(const struct account *account)
{
    return (struct span){account->stop.words, account->stop.words_size};
}

/* ---- telling Redis ----------------------------------------------------------------------------
 */

static void
leave_list(struct account *account)
{
    struct account **place = &account->worker->stops;
    while (*place != account)
        place = &(*place)->stop.next;
    *place = account->stop.next;
    account->stop.next = NULL;
    account->stop.wanted = false;
}

static void
on_stop(void *context, const struct reply *reply)
{
    struct account *account = context;
    struct worker *worker = account->worker;
    bool first;
    check_magic(worker, WORKER_MAGIC);
    account->stop.telling = false;
    if (reply == NULL)
        return; /* told again when the connection is back */
    if (!stop_read(reply, &first)) {
        (void)trouble_take(worker, account, TROUBLE_STOP, reply);
        worker->stop_after_us = loop_now_us(worker->loop) + TELL_AGAIN_US;
        timer_start(loop_timers(worker->loop), &worker->stop_timer, worker->stop_after_us);
        return;
    }
    trouble_end(worker, account, TROUBLE_STOP);
    leave_list(account);
    if (first)
        log_line(LOG_ERROR, "account_stopped",
                 "account=%s/%s code=%d cause=\"%.*s\" meaning=\"nothing of it is sent, its queue "
                 "is kept\" remedy=\"mend it at Meta's or give it another token; then facteur "
                 "queue resume\"",
                 account->settings->keys.business_name, account->settings->keys.account_name,
                 account->stop.code, SPAN_ARG(words_of(account)));
}

/* What tells one token from another and gives nothing of it away: 16 hex digits of a keyed hash. */
static struct span
mark_of(const struct account *account, char mark[MARK_SIZE])
{
    const struct sender *sender = account->worker->sender;
    struct span token = span_of(account->settings->authorization + sizeof("Bearer ") - 1);
    uint8_t digest[DIGEST_SIZE];
    struct buffer hex;
    digest_hmac(&sender->secrets[account->settings->business], token, digest);
    buffer_init(&hex, mark, MARK_SIZE);
    buffer_put_hex(&hex, digest, MARK_SIZE / 2);
    return buffer_span(&hex);
}

static void
tell(struct account *account)
{
    struct worker *worker = account->worker;
    char mark[MARK_SIZE];
    const struct call call = {redis_client_session(worker->redis), &account->settings->keys,
                              on_stop, account};
    const struct stop_request request = {
        .code = account->stop.code,
        .reason = words_of(account),
        .token = mark_of(account, mark),
        .events_keep = worker->sender->settings.events_keep,
    };
    account->stop.telling = call_stop(&call, &request);
}

void
stop_tell(struct worker *worker)
{
    if (worker->stops == NULL || !redis_client_is_ready(worker->redis) ||
        loop_now_us(worker->loop) < worker->stop_after_us)
        return;
    for (struct account *account = worker->stops; account != NULL; account = account->stop.next)
        if (!account->stop.telling)
            tell(account);
    redis_client_flush(worker->redis);
}

/* ---- another token ----------------------------------------------------------------------------
 */

static void
go_on(struct account *account)
{
    account->stop.noticed = false;
    account->paused_until_us = 0;
    turns_want_claim(account);
}

static void
on_token(void *context, const struct reply *reply)
{
    struct account *account = context;
    enum token_answer answer;
    check_magic(account->worker, WORKER_MAGIC);
    account->stop.asking = false;
    if (reply == NULL || !token_read(reply, &answer))
        return; /* asked again with the next claim that is answered `stopped` */
    switch (answer) {
    case TOKEN_STARTED:
        log_line(LOG_INFO, "account_started", "account=%s/%s cause=\"another token\"",
                 account->settings->keys.business_name, account->settings->keys.account_name);
        go_on(account);
        return;
    case TOKEN_GOOD:
        go_on(account);
        return;
    case TOKEN_STOPPED: /* somebody else found out about this one */
        account->stop.token_refused = true;
        return;
    }
    check(!"every answer to a token is taken");
}

static void
offer_token(struct account *account)
{
    struct worker *worker = account->worker;
    char mark[MARK_SIZE];
    const struct call call = {redis_client_session(worker->redis), &account->settings->keys,
                              on_token, account};
    if (account->stop.token_refused || account->stop.asking || worker->draining)
        return;
    account->stop.asking = call_token(&call, mark_of(account, mark));
    redis_client_flush(worker->redis);
}

/* ---- stopped and going on ---------------------------------------------------------------------
 */

/* One storm of answers is one stop. A worker that is being replaced says nothing: its successor
 * may have a better token already. */
struct span
stop_by_meta(struct account *account, const struct verdict *verdict)
{
    struct account_stop *stop = &account->stop;
    struct worker *worker = account->worker;
    if (stop->noticed && pause_is_on(account))
        return words_of(account);
    uint32_t doublings = stop->in_row < LOOK_DOUBLINGS_MAX ? stop->in_row : LOOK_DOUBLINGS_MAX;
    keep_words(account, verdict);
    stop->code = verdict->code >= 0 ? verdict->code : verdict->status;
    stop->noticed = stop->token_refused = true;
    stop->in_row++;
    pause_begin(account, PAUSE_STOPPED, (uint64_t)LOOK_MS << doublings);
    if (!stop->wanted && !worker->draining) {
        stop->wanted = true;
        stop->next = worker->stops;
        worker->stops = account;
    }
    worker_work_later(worker);
    return words_of(account);
}

void
stop_by_redis(struct account *account)
{
    account->stop.noticed = true;
    pause_begin(account, PAUSE_STOPPED, PAUSE_UNTIL_RUNG);
    offer_token(account);
}

void
stop_is_over(struct account *account)
{
    if (!account->stop.noticed || pause_is_on(account)) /* asked before the stop */
        return;
    account->stop.noticed = account->stop.token_refused = false;
    log_line(LOG_INFO, "account_goes_on", "account=%s/%s", account->settings->keys.business_name,
             account->settings->keys.account_name);
}

void
stop_forget(struct account *account)
{
    account->stop.in_row = 0;
}

/* ---- start and end --------------------------------------------------------------------------- */

static void
on_due(struct timer *timer)
{
    struct worker *worker = container_of(timer, struct worker, stop_timer);
    check_magic(worker, WORKER_MAGIC);
    worker_work_later(worker);
}

void
stop_open(struct worker *worker)
{
    timer_init(&worker->stop_timer, on_due);
}

void
stop_close(struct worker *worker)
{
    timer_stop(loop_timers(worker->loop), &worker->stop_timer);
}
