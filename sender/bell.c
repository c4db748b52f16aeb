#include "sender/bell.h"

#include "sender/base/check.h"
#include "sender/base/log.h"
#include "sender/turns.h"

#include <stdio.h>
#include <string.h>

static bool
is_idle(const struct account *account)
{
    return !account->has_more && !account->claiming && account->cursor[0][0] != '\0' &&
           account->cursor[1][0] != '\0';
}

static void
on_id(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    if (reply != NULL && reply->type == REPLY_INTEGER)
        worker->bell_id = reply->integer;
    worker_work_later(worker);
}

/* Something came (or the bell was unblocked): whoever is named by the reply has more. */
static void
on_ring(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    check_magic(worker, WORKER_MAGIC);
    worker->bell_ringing = false;
    worker->bell_stale = true;
    if (reply == NULL)
        return;
    if (reply->type == REPLY_ERROR) { /* not at once again: the next empty claim tries */
        worker->bell_stale = false;
        log_line(LOG_WARN, "bell_refused", "cause=\"%.*s\"", SPAN_ARG(reply->text));
    }
    for (size_t i = 0; reply->type == REPLY_ARRAY && i < reply->count; i++) {
        const struct reply *name = reply_at(reply->elements[i], 0);
        for (uint32_t k = 0; name != NULL && k < worker->account_count; k++) {
            struct account *account = &worker->accounts[k];
            struct span base = span_of(account->settings->keys.account);
            if (span_starts(name->text, base) && name->text.size > base.size &&
                name->text.data[base.size] == ':')
                turns_want_claim(account);
        }
    }
    worker_work_later(worker);
}

static void
on_ready(void *context)
{
    struct worker *worker = context;
    const struct span parts[] = {SPAN("CLIENT"), SPAN("ID")};
    worker->bell_id = 0;
    worker->bell_ringing = false;
    worker->bell_stale = true;
    (void)session_command(redis_client_session(worker->bell), parts, 2, on_id, worker);
    redis_client_flush(worker->bell);
}

static void
on_lost(void *context, const char *reason)
{
    struct worker *worker = context;
    (void)reason; /* the command link says it; once is enough */
    worker->bell_ringing = false;
    worker->bell_id = 0;
}

void
bell_open(struct worker *worker, const struct redis_client_settings *settings)
{
    static const struct redis_client_events events = {.on_ready = on_ready, .on_lost = on_lost};
    worker->bell = redis_client_open(worker->loop, settings, &events, worker);
}

static void
block(struct worker *worker, uint32_t idle_count)
{
    static const char *const streams[] = {"urgent", "queue"};
    struct session *session = redis_client_session(worker->bell);
    char key[KEYS_BASE_MAX + 16];
    session_begin(session, 6 + 4 * (size_t)idle_count);
    session_part(session, SPAN("XREAD"));
    session_part(session, SPAN("COUNT"));
    session_part(session, SPAN("1"));
    session_part(session, SPAN("BLOCK"));
    session_part(session, SPAN("0"));
    session_part(session, SPAN("STREAMS"));
    for (uint32_t i = 0; i < worker->account_count; i++)
        for (int s = 0; is_idle(&worker->accounts[i]) && s < 2; s++)
            session_part(session, keys_of(&worker->accounts[i].settings->keys, streams[s], key,
                                          sizeof(key)));
    for (uint32_t i = 0; i < worker->account_count; i++)
        for (int s = 0; is_idle(&worker->accounts[i]) && s < 2; s++)
            session_part(session, span_of(worker->accounts[i].cursor[s]));
    worker->bell_ringing = session_end(session, on_ring, worker);
    worker->bell_stale = false;
    redis_client_flush(worker->bell);
}

static void
on_unblocked(void *context, const struct reply *reply)
{
    (void)context;
    (void)reply; /* the bell's own reply says the rest */
}

static void
unblock(struct worker *worker)
{
    char id[24];
    snprintf(id, sizeof(id), "%lld", (long long)worker->bell_id);
    const struct span parts[] = {SPAN("CLIENT"), SPAN("UNBLOCK"), span_of(id)};
    worker->bell_stale = false; /* asked once; the bell's reply sets it again */
    (void)session_command(redis_client_session(worker->redis), parts, 3, on_unblocked, worker);
    redis_client_flush(worker->redis);
}

void
bell_watch(struct worker *worker)
{
    uint32_t idle = 0;
    if (!worker->bell_stale || worker->bell_id == 0 || !redis_client_is_ready(worker->bell) ||
        !redis_client_is_ready(worker->redis))
        return;
    for (uint32_t i = 0; i < worker->account_count; i++)
        idle += is_idle(&worker->accounts[i]) ? 1 : 0;
    if (worker->bell_ringing)
        unblock(worker);
    else if (idle > 0)
        block(worker, idle);
}
