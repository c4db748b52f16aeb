#include "sender/bell.h"

#include "sender/base/check.h"
#include "sender/base/log.h"
#include "sender/overdue.h"
#include "sender/pause.h"
#include "sender/turns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    INDEX_SIZE = 4 * ACCOUNTS_MAX, /* of the table that finds an account by its keys */
    ACCOUNT_US = 20, /* between two questions, an idle account: some percent of Redis' time */
};

static const char first_id[] = "0-0";

/* ---- whose key is it --------------------------------------------------------------------------
 */

static void
add_to_index(struct worker *worker, uint32_t number)
{
    struct span base = span_of(worker->accounts[number].settings->keys.account);
    uint64_t slot = span_hash(base) % INDEX_SIZE;
    while (worker->account_index[slot] != 0)
        slot = (slot + 1) % INDEX_SIZE;
    worker->account_index[slot] = (uint16_t)(number + 1);
}

static struct account *
find_account(const struct worker *worker, struct span base)
{
    uint64_t slot = span_hash(base) % INDEX_SIZE;
    for (; worker->account_index[slot] != 0; slot = (slot + 1) % INDEX_SIZE) {
        struct account *account = &worker->accounts[worker->account_index[slot] - 1];
        if (span_equal(base, span_of(account->settings->keys.account)))
            return account;
    }
    return NULL;
}

/* "facteur:{acme}:fr" of "facteur:{acme}:fr:queue". */
static struct span
base_of(struct span key)
{
    while (key.size > 0 && key.data[key.size - 1] != ':')
        key.size--;
    key.size -= key.size > 0 ? 1 : 0;
    return key;
}

static const struct account_keys *
keys_of_business(const struct worker *worker, uint32_t number)
{
    return &worker->accounts[worker->businesses[number].account].settings->keys;
}

static struct span
bell_key(const struct worker *worker, uint32_t number, char key[KEYS_BASE_MAX + 16])
{
    int size =
        snprintf(key, KEYS_BASE_MAX + 16, "%s:bell", keys_of_business(worker, number)->business);
    return (struct span){key, (size_t)size};
}

/* ---- what is heard ----------------------------------------------------------------------------
 */

/* Each entry names an account of the business; the last one's id is where to go on. */
static void
hear(struct worker *worker, uint32_t number, const struct reply *entries)
{
    struct business *business = &worker->businesses[number];
    for (size_t i = 0; entries != NULL && entries->type == REPLY_ARRAY && i < entries->count; i++) {
        const struct reply *fields = reply_at(entries->elements[i], 1);
        struct span id;
        struct span name;
        char base[2 * KEYS_BASE_MAX];
        if (reply_text(reply_at(entries->elements[i], 0), &id) &&
            id.size < sizeof(business->bell)) {
            memcpy(business->bell, id.data, id.size);
            business->bell[id.size] = '\0';
        }
        if (!reply_text(reply_at(fields, 1), &name) || name.size > KEYS_NAME_MAX)
            continue;
        int size = snprintf(base, sizeof(base), "%s:%.*s",
                            keys_of_business(worker, number)->business, SPAN_ARG(name));
        struct account *account = find_account(worker, (struct span){base, (size_t)size});
        if (account == NULL)
            continue; /* of another process */
        if (reply_is_text(reply_at(fields, 3), "uncertain"))
            overdue_wake(account);
        else
            pause_look_again(account);
    }
}

static void
on_rest(void *context, const struct reply *reply)
{
    struct business *business = context;
    struct worker *worker = business->worker;
    check_magic(worker, WORKER_MAGIC);
    business->bell_reading = false;
    hear(worker, (uint32_t)(business - worker->businesses), reply);
    worker_work_later(worker);
}

/* XREAD gave one entry only, because those of the queues are large. */
static void
read_rest(struct worker *worker, uint32_t number)
{
    struct business *business = &worker->businesses[number];
    char key[KEYS_BASE_MAX + 16];
    char after[QUEUE_MEMBER_MAX + 1];
    int size = snprintf(after, sizeof(after), "(%s", business->bell);
    const struct span parts[] = {
        SPAN("XRANGE"), bell_key(worker, number, key), {after, (size_t)size}, SPAN("+")};
    if (business->bell_reading || !redis_client_is_ready(worker->redis))
        return; /* the next XREAD gives the next */
    business->bell_reading =
        session_command(redis_client_session(worker->redis), parts, 4, on_rest, business);
    redis_client_flush(worker->redis);
}

static bool
is_bell(const struct worker *worker, struct span key, uint32_t *number)
{
    for (*number = 0; *number < worker->sender->business_count; ++*number) {
        char bell[KEYS_BASE_MAX + 16];
        if (span_equal(key, bell_key(worker, *number, bell)))
            return true;
    }
    return false;
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
        struct span key;
        uint32_t number;
        if (!reply_text(reply_at(reply->elements[i], 0), &key))
            continue;
        struct account *account = find_account(worker, base_of(key));
        if (account != NULL) {
            turns_want_claim(account);
        } else if (is_bell(worker, key, &number)) {
            hear(worker, number, reply_at(reply->elements[i], 1));
            read_rest(worker, number);
        }
    }
    worker_work_later(worker);
}

/* ---- the link ---------------------------------------------------------------------------------
 */

static void
on_id(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    if (reply != NULL && reply->type == REPLY_INTEGER)
        worker->bell_id = reply->integer;
    worker_work_later(worker);
}

/* What rang meanwhile was not heard, and this may be a Redis that has forgotten some of it: all are
 * looked at once. */
static void
on_ready(void *context)
{
    struct worker *worker = context;
    const struct span parts[] = {SPAN("CLIENT"), SPAN("ID")};
    worker->bell_id = 0;
    worker->bell_ringing = false;
    worker->bell_stale = true;
    for (uint32_t i = 0; i < worker->sender->business_count; i++)
        worker->businesses[i].bell[0] = '\0';
    for (uint32_t i = 0; i < worker->account_count; i++) {
        pause_look_again(&worker->accounts[i]);
        overdue_wake(&worker->accounts[i]);
    }
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

static void
on_timer(struct timer *timer)
{
    worker_work_later(container_of(timer, struct worker, bell_timer));
}

void
bell_open(struct worker *worker, const struct redis_client_settings *settings)
{
    static const struct redis_client_events events = {.on_ready = on_ready, .on_lost = on_lost};
    timer_init(&worker->bell_timer, on_timer);
    worker->account_index = check_alloc(INDEX_SIZE, sizeof(*worker->account_index));
    for (uint32_t i = 0; i < worker->account_count; i++)
        add_to_index(worker, i);
    worker->bell = redis_client_open(worker->loop, settings, &events, worker);
}

void
bell_close(struct worker *worker)
{
    timer_stop(loop_timers(worker->loop), &worker->bell_timer);
    redis_client_free(worker->bell);
    free(worker->account_index);
}

/* ---- watching ---------------------------------------------------------------------------------
 */

static bool
is_idle(const struct account *account)
{
    return !account->has_more && !account->claiming && account->cursor[0][0] != '\0' &&
           account->cursor[1][0] != '\0';
}

static void
put_keys(struct worker *worker, struct session *session)
{
    static const char *const streams[] = {"urgent", "queue"};
    char key[KEYS_BASE_MAX + 16];
    for (uint32_t i = 0; i < worker->sender->business_count; i++)
        session_part(session, bell_key(worker, i, key));
    for (uint32_t i = 0; i < worker->account_count; i++)
        for (int s = 0; is_idle(&worker->accounts[i]) && s < 2; s++)
            session_part(session, keys_of(&worker->accounts[i].settings->keys, streams[s], key,
                                          sizeof(key)));
}

static void
put_ids(struct worker *worker, struct session *session)
{
    for (uint32_t i = 0; i < worker->sender->business_count; i++) {
        const char *bell = worker->businesses[i].bell;
        session_part(session, span_of(bell[0] != '\0' ? bell : first_id));
    }
    for (uint32_t i = 0; i < worker->account_count; i++)
        for (int s = 0; is_idle(&worker->accounts[i]) && s < 2; s++)
            session_part(session, span_of(worker->accounts[i].cursor[s]));
}

static void
block(struct worker *worker)
{
    struct session *session = redis_client_session(worker->bell);
    uint32_t idle = 0;
    for (uint32_t i = 0; i < worker->account_count; i++)
        idle += is_idle(&worker->accounts[i]) ? 1 : 0;
    session_begin(session, 6 + 2 * worker->sender->business_count + 4 * (size_t)idle);
    session_part(session, SPAN("XREAD"));
    session_part(session, SPAN("COUNT"));
    session_part(session, SPAN("1"));
    session_part(session, SPAN("BLOCK"));
    session_part(session, SPAN("0"));
    session_part(session, SPAN("STREAMS"));
    put_keys(worker, session);
    put_ids(worker, session);
    worker->bell_ringing = session_end(session, on_ring, worker);
    worker->bell_stale = false;
    worker->bell_after_us = loop_now_us(worker->loop) + (uint64_t)idle * ACCOUNT_US;
    redis_client_flush(worker->bell);
}

static void
on_unblocked(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    /* The bell's own reply says the rest. Where this is forbidden, a new connection does it. */
    if (reply != NULL && reply->type == REPLY_ERROR)
        redis_client_leave(worker->bell, "CLIENT UNBLOCK was refused");
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
    if (!worker->bell_stale || worker->bell_id == 0 || !redis_client_is_ready(worker->bell) ||
        !redis_client_is_ready(worker->redis))
        return;
    if (loop_now_us(worker->loop) < worker->bell_after_us) {
        timer_start(loop_timers(worker->loop), &worker->bell_timer, worker->bell_after_us);
        return;
    }
    if (worker->bell_ringing)
        unblock(worker);
    else
        block(worker);
}
