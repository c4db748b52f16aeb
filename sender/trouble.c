#include "sender/trouble.h"

#include "sender/base/log.h"
#include "sender/redis_library.h"
#include "sender/turns.h"
#include "sender/worker.h"

#include <stdio.h>
#include <string.h>

enum { WAIT_US = 300 * 1000 }; /* between two tries while Redis refuses everything */

static const char *const refused[TROUBLE_CALLS] = {
    [TROUBLE_CLAIM] = "claim_refused",       [TROUBLE_GRANT] = "grant_refused",
    [TROUBLE_SETTLE] = "settle_refused",     [TROUBLE_RECOVER] = "recover_refused",
    [TROUBLE_RECEIPTS] = "receipts_refused", [TROUBLE_OVERDUE] = "overdue_refused",
    [TROUBLE_STOP] = "stop_refused",         [TROUBLE_DECLARE] = "declare_refused",
    [TROUBLE_BEAT] = "beat_refused",         [TROUBLE_LIBRARY] = "library_refused",
};

/* ---- of all of Redis ------------------------------------------------------------------------- */

static void
say_whole(struct worker *worker, enum session_trouble kind, struct span cause)
{
    if (worker->trouble.kind == kind)
        return;
    worker->trouble.kind = kind;
    log_line(LOG_WARN, "redis_trouble",
             "worker=%u cause=\"%.*s\" meaning=\"%s\" meanwhile=\"outcomes are kept; it goes on by "
             "itself\"",
             worker->number, SPAN_ARG(cause), session_trouble_text(kind));
}

static void
end_whole(struct worker *worker)
{
    if (worker->trouble.kind == SESSION_TROUBLE_NONE)
        return;
    worker->trouble = (struct trouble){.kind = SESSION_TROUBLE_NONE};
    log_line(LOG_INFO, "redis_trouble_over", "worker=%u", worker->number);
    turns_stir_all(worker, TURNS_ALL);
    worker_work_later(worker);
}

bool
trouble_is_over(const struct worker *worker)
{
    return loop_now_us(worker->loop) >= worker->trouble.until_us;
}

/* ---- of one account, or of one call -----------------------------------------------------------
 */

static struct trouble_said *
said_of(struct worker *worker, struct account *account)
{
    return account != NULL ? &account->said : &worker->said;
}

/* The same cause met by a claim and by a settle is one trouble. */
static bool
is_said(const struct trouble_said *said, uint64_t hash)
{
    for (int call = 0; call < TROUBLE_CALLS; call++)
        if (said->of[call] == hash)
            return true;
    return false;
}

static void
say_apart(struct worker *worker, struct account *account, enum trouble_call call,
          const struct reply *reply)
{
    struct trouble_said *said = said_of(worker, account);
    enum session_trouble kind = session_trouble_of(reply);
    struct span cause = reply->text;
    if (kind == SESSION_TROUBLE_NONE)
        cause = SPAN("an answer that is not as agreed: does a newer facteur use this Redis?");
    uint64_t hash = span_hash(cause) | 1;
    bool known = is_said(said, hash);
    said->of[call] = hash;
    if (known)
        return;
    log_line(LOG_ERROR, refused[call], "account=%s cause=\"%.*s\" meaning=\"%s\"",
             account != NULL ? account->settings->keys.account : "-", SPAN_ARG(cause),
             kind == SESSION_TROUBLE_NONE ? "it is asked again" : session_trouble_text(kind));
}

static void
end_apart(struct worker *worker, struct account *account, enum trouble_call call)
{
    struct trouble_said *said = said_of(worker, account);
    if (said->of[call] == 0)
        return;
    said->of[call] = 0;
    for (int other = 0; other < TROUBLE_CALLS; other++)
        if (said->of[other] != 0)
            return;
    log_line(LOG_INFO, "refusals_over", "account=%s",
             account != NULL ? account->settings->keys.account : "-");
}

/* ---- taking it --------------------------------------------------------------------------------
 */

enum session_remedy
trouble_take(struct worker *worker, struct account *account, enum trouble_call call,
             const struct reply *reply)
{
    enum session_trouble kind = session_trouble_of(reply);
    enum session_remedy remedy = session_trouble_remedy(kind);
    switch (remedy) {
    case SESSION_REMEDY_NONE: /* no error, and not as agreed */
    case SESSION_REMEDY_APART:
        say_apart(worker, account, call, reply);
        return SESSION_REMEDY_APART;
    case SESSION_REMEDY_LOAD:
        say_whole(worker, kind, reply->text);
        redis_library_look(worker);
        break;
    case SESSION_REMEDY_LEAVE:
        say_whole(worker, kind, reply->text);
        redis_client_leave(worker->redis, session_trouble_text(kind));
        break;
    case SESSION_REMEDY_WAIT:
        say_whole(worker, kind, reply->text);
        break;
    }
    worker->trouble.until_us = loop_now_us(worker->loop) + WAIT_US;
    worker_work_later(worker);
    return remedy;
}

void
trouble_end(struct worker *worker, struct account *account, enum trouble_call call)
{
    end_whole(worker);
    end_apart(worker, account, call);
}
