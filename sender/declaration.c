#include "sender/declaration.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/claims.h"
#include "sender/grants.h"
#include "sender/lease.h"
#include "sender/slots.h"
#include "sender/turns.h"
#include "sender/worker.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_MEMBERS_MAX = 4096,                /* of one call: tens of milliseconds of Redis' time */
    CHUNK_BYTES_MAX = REDIS_OUTPUT_SIZE / 8, /* of its records, but for the last */
    LEFT_OUT_WAIT_US =
        10 * 1000 * 1000, /* before accounts that refused are asked again: all wait */
};

static_assert((int)CHUNK_MEMBERS_MAX <= (int)CALLS_DECLARE_MEMBERS_MAX, "the library takes it");
static_assert((int)GRANT_MEMBERS_MAX <= (int)CHUNK_MEMBERS_MAX, "any grant fits a call of its own");
static_assert(REDIS_OUTPUT_SIZE >= 2 * (CHUNK_BYTES_MAX + RECENT_RECORD_MAX),
              "a call fits the output");
#ifndef LIMITS_SMALL /* a simulation has few accounts */
static_assert((int)HOLDS_MAX >= (int)ACCOUNTS_MAX + DELIVERIES_MAX / CALLS_DECLARE_GRANTS_MAX,
              "each call that names something open has a claim to hold it");
#endif

void
declaration_open(struct worker *worker)
{
    worker->declaration.chunk =
        check_alloc(CALLS_DECLARE_GRANTS_MAX, sizeof(worker->declaration.chunk[0]));
}

void
declaration_close(struct worker *worker)
{
    free(worker->declaration.chunk);
}

/* ---- before: what is under way ends, what is only claimed is dropped ---------------------------
 */

static bool
is_under_way(const struct worker *worker)
{
    for (uint32_t i = 0; i < worker->account_count; i++) {
        const struct account *account = &worker->accounts[i];
        if ((account->claiming && account->claim_sent) || account->settling_now ||
            account->recovering)
            return true;
    }
    return grants_under_way(worker);
}

/* What was put off is not on the wire, and its settle may have been done: then somebody else has
 * been granted the member, and ours is not to be held against that one's. */
static bool
is_put_off(const struct delivery *delivery)
{
    return delivery->state == DELIVERY_SETTLING && delivery->outcome.action == SETTLE_LATER;
}

/* An outcome before any grant is judged again by whoever claims the member next. */
static void
drop_ungranted(struct delivery_list *list)
{
    struct delivery_list whole = *list;
    struct delivery *delivery;
    *list = (struct delivery_list){0};
    while ((delivery = list_pop(&whole)) != NULL) {
        if (delivery->grant != NULL && !is_put_off(delivery))
            list_push(list, delivery);
        else
            lease_drop(delivery);
    }
}

static void
drop_claimed(struct worker *worker)
{
    for (uint32_t i = 0; i < worker->account_count; i++) {
        struct account *account = &worker->accounts[i];
        for (int source = 0; source < SOURCE_COUNT; source++)
            drop_ungranted(&account->ready[source]);
        account->ready_count = 0;
        drop_ungranted(&account->settling);
        claims_forget(account);
    }
    grants_forget(worker);
    claims_let_go(worker);
}

/* ---- one account's calls ----------------------------------------------------------------------
 */

static bool
is_of_account(const struct worker *worker, const struct recent_record *record, uint32_t account)
{
    return record->account == account && recent_matters(record, worker->declaration.as_of_us) &&
           span_starts((struct span){record->name, record->name_size}, worker->holder);
}

static struct recent_record *
next_of_account(struct worker *worker, struct recent_record *record)
{
    do {
        record = recent_next(worker->recent, record);
    } while (record != NULL && !is_of_account(worker, record, worker->declaration.account));
    return record;
}

static uint64_t
count_bits(const uint64_t *words, uint32_t member_count)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < (member_count + 63) / 64; i++)
        count += (uint64_t)__builtin_popcountll(words[i]);
    return count;
}

/* Takes records of the account's into the call, as many as one call may have. */
static uint32_t
gather_chunk(struct worker *worker, struct declare_grant *grants)
{
    struct declaration *declaration = &worker->declaration;
    uint32_t count = 0;
    uint64_t members = 0;
    uint64_t bytes = 0;
    while (declaration->next != NULL && count < CALLS_DECLARE_GRANTS_MAX) {
        struct recent_record *record = declaration->next;
        members += record->member_count;
        if (count > 0 && (members > CHUNK_MEMBERS_MAX || bytes > CHUNK_BYTES_MAX))
            break;
        bytes += record->size;
        record->chunk_index = count;
        declaration->chunk[count] = record;
        grants[count] = recent_as_grant(record);
        declaration->accepted += count_bits(grants[count].accepted, record->member_count);
        declaration->open += record->open_count;
        count++;
        declaration->next = next_of_account(worker, record);
    }
    declaration->grants += count;
    return count;
}

static void on_declare(void *context, const struct reply *reply);

/* False: there is no room in the output now. */
static bool
call_chunk(struct worker *worker)
{
    struct declaration *declaration = &worker->declaration;
    const struct sender_settings *settings = &worker->sender->settings;
    const struct account *account = &worker->accounts[declaration->account];
    struct declare_grant grants[CALLS_DECLARE_GRANTS_MAX];
    const struct call call = {redis_client_session(worker->redis), &account->settings->keys,
                              on_declare, worker};
    if (session_room(call.session) < REDIS_OUTPUT_SIZE / 2)
        return false;
    int size = snprintf(declaration->claim_text, sizeof(declaration->claim_text), "%s.%llu",
                        worker->holder_text, (unsigned long long)++worker->names);
    declaration->claim = (struct span){declaration->claim_text, (size_t)size};
    declaration->chunk_count = gather_chunk(worker, grants);
    const struct declare_request request = {
        .holder = worker->holder,
        .claim = declaration->claim,
        .uncertain_until_ms = clock_unix_ms() + settings->uncertain_wait_ms,
        .events_keep = settings->events_keep,
        .dedupe_ttl_ms = settings->dedupe_ttl_ms,
        .grants = grants,
        .grant_count = declaration->chunk_count,
    };
    check(call_declare(&call, &request));
    declaration->calling = declaration->named = true;
    redis_client_flush(worker->redis);
    return true;
}

/* ---- the reply --------------------------------------------------------------------------------
 */

/* Of a grant in this call, or NULL. */
static const struct recent_record *
chunk_record(const struct declaration *declaration, const struct delivery *delivery)
{
    const struct recent_record *record = delivery->grant != NULL ? delivery->grant->recent : NULL;
    if (record == NULL || record->chunk_index >= declaration->chunk_count ||
        declaration->chunk[record->chunk_index] != record)
        return NULL;
    return record;
}

/* From now on it is a member of `later`, held by the declaration's claim, whatever it was. */
static void
adopt(struct worker *worker, struct delivery *delivery, struct claim_hold **hold)
{
    struct declaration *declaration = &worker->declaration;
    if (*hold == NULL)
        *hold = claims_hold(delivery->account, declaration->claim);
    claims_release(delivery);
    delivery->hold = *hold;
    (*hold)->deliveries++;
    delivery->source = delivery->grant->source = SOURCE_LATER;
    delivery->member = delivery->total = 0;
}

/* What is not ours any more and has not left is not sent. */
static void
drop_unsent(struct account *account)
{
    struct delivery_list whole = account->sending;
    struct delivery *delivery;
    account->sending = (struct delivery_list){0};
    while ((delivery = list_pop(&whole)) != NULL) {
        if (delivery->disowned)
            lease_drop(delivery);
        else
            list_push(&account->sending, delivery);
    }
}

static void
take_answer(struct worker *worker, const struct declare_reply *reply)
{
    struct declaration *declaration = &worker->declaration;
    struct claim_hold *hold = NULL;
    for (uint32_t i = 0; i < DELIVERIES_MAX; i++) {
        struct delivery *delivery = &worker->deliveries[i];
        const struct recent_record *record = chunk_record(declaration, delivery);
        if (record == NULL)
            continue;
        adopt(worker, delivery, &hold);
        delivery->disowned =
            !settle_bit(declare_read_open(reply, record->chunk_index), delivery->index);
        declaration->ours += delivery->disowned ? 0 : 1;
    }
    drop_unsent(&worker->accounts[declaration->account]);
}

static void
begin_account(struct worker *worker, uint32_t account)
{
    struct declaration *declaration = &worker->declaration;
    declaration->account = account;
    declaration->named = false;
    declaration->next = account < worker->account_count ? next_of_account(worker, NULL) : NULL;
}

static void
begin_again(struct worker *worker)
{
    worker->declaration.begun = worker->declaration.again = false;
}

static void
on_declare(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    struct declaration *declaration = &worker->declaration;
    struct account *account = &worker->accounts[declaration->account];
    struct declare_reply answer;
    check_magic(worker, WORKER_MAGIC);
    declaration->calling = false;
    worker_work_later(worker);
    if (reply == NULL || !declaration->wanted)
        return; /* lost, or fenced meanwhile */
    if (!declare_read(reply, declaration->chunk_count, &answer)) {
        if (trouble_take(worker, account, TROUBLE_DECLARE, reply) == SESSION_REMEDY_APART) {
            account->left_out = true;
            declaration->again_us = loop_now_us(worker->loop) + LEFT_OUT_WAIT_US;
            begin_account(worker, declaration->account + 1);
        } else {
            begin_again(worker);
        }
        return;
    }
    trouble_end(worker, account, TROUBLE_DECLARE);
    if (answer.fenced) {
        worker->fenced = true;
        return;
    }
    account->left_out = false;
    take_answer(worker, &answer);
}

/* ---- the businesses, and the end --------------------------------------------------------------
 */

static void
finish(struct worker *worker)
{
    struct declaration *declaration = &worker->declaration;
    uint64_t now_us = loop_now_us(worker->loop);
    uint64_t covers_us = recent_covers_us(worker->recent, declaration->as_of_us);
    log_line(LOG_INFO, "declared",
             "worker=%u grants=%llu accepted=%llu open=%llu ours=%llu covers_ms=%llu us=%llu",
             worker->number, (unsigned long long)declaration->grants,
             (unsigned long long)declaration->accepted, (unsigned long long)declaration->open,
             (unsigned long long)declaration->ours, (unsigned long long)covers_us / 1000,
             (unsigned long long)(now_us - declaration->begun_us));
    declaration->wanted = false;
    for (uint32_t i = 0; i < worker->account_count; i++)
        turns_want_claim(&worker->accounts[i]);
    turns_stir_all(worker, TURNS_ALL);
    if (declaration->again_us != 0)
        worker_wake_at(worker, declaration->again_us);
    lease_beat(worker);
}

static void
on_declared(void *context, const struct reply *reply)
{
    struct worker *worker = context;
    struct declaration *declaration = &worker->declaration;
    bool fenced = false;
    check_magic(worker, WORKER_MAGIC);
    declaration->calling = false;
    worker_work_later(worker);
    if (reply == NULL || !declaration->wanted)
        return;
    if (!declared_read(reply, &fenced)) {
        if (trouble_take(worker, NULL, TROUBLE_DECLARE, reply) != SESSION_REMEDY_APART)
            begin_again(worker);
        else /* its workers' key is of a wrong type: its accounts wait, the others go on */
            declaration->business++;
        return;
    }
    trouble_end(worker, NULL, TROUBLE_DECLARE);
    worker->fenced = worker->fenced || fenced;
    declaration->business++;
}

static void
call_business(struct worker *worker)
{
    const struct business *business = &worker->businesses[worker->declaration.business];
    const struct call call = {redis_client_session(worker->redis),
                              &worker->accounts[business->account].settings->keys, on_declared,
                              worker};
    worker->declaration.calling = call_declared(&call, worker->holder);
    redis_client_flush(worker->redis);
}

/* ---- step by step ------------------------------------------------------------------------------
 */

static void
begin(struct worker *worker)
{
    struct declaration *declaration = &worker->declaration;
    drop_claimed(worker);
    declaration->begun = true;
    declaration->again = false;
    declaration->business = 0;
    declaration->again_us = 0;
    declaration->grants = declaration->accepted = declaration->open = declaration->ours = 0;
    begin_account(worker, 0);
}

/* A business in which this name was never announced has nothing to be told. */
static bool
is_new(const struct worker *worker, uint32_t business)
{
    return worker->businesses[business].is_new;
}

static void
step(struct worker *worker)
{
    struct declaration *declaration = &worker->declaration;
    while (declaration->account < worker->account_count) {
        const struct account *account = &worker->accounts[declaration->account];
        bool all_named = declaration->named && declaration->next == NULL;
        if (!all_named && !is_new(worker, account->settings->business)) {
            (void)call_chunk(worker);
            return;
        }
        begin_account(worker, declaration->account + 1);
    }
    while (declaration->business < worker->sender->business_count) {
        if (!is_new(worker, declaration->business)) {
            call_business(worker);
            return;
        }
        declaration->business++;
    }
    finish(worker);
}

static void
want(struct worker *worker)
{
    struct declaration *declaration = &worker->declaration;
    declaration->wanted = true;
    declaration->begun = declaration->again = declaration->calling = false;
    declaration->begun_us = loop_now_us(worker->loop);
    declaration->as_of_us =
        worker->redis_lost_us != 0 ? worker->redis_lost_us : declaration->begun_us;
    worker_work_later(worker);
}

void
declaration_want(struct worker *worker, const char *cause)
{
    if (worker->declaration.wanted) {
        worker->declaration.again = true;
        return;
    }
    want(worker);
    log_line(LOG_WARN, "declaring",
             "worker=%u cause=\"%s\" meaning=\"Redis is told what may be on its way to Meta; "
             "nothing is claimed meanwhile\"",
             worker->number, cause);
}

bool
declaration_go_on(struct worker *worker)
{
    struct declaration *declaration = &worker->declaration;
    check(redis_client_is_ready(worker->redis));
    if (!declaration->wanted && declaration->again_us != 0 &&
        loop_now_us(worker->loop) >= declaration->again_us)
        want(worker);
    if (!declaration->wanted)
        return true;
    if (declaration->calling)
        return false;
    if (declaration->again)
        begin_again(worker);
    if (!declaration->begun && is_under_way(worker))
        return false;
    if (!declaration->begun)
        begin(worker);
    step(worker);
    return !declaration->wanted;
}

void
declaration_lost(struct worker *worker)
{
    worker->declaration.calling = false;
    begin_again(worker);
}

void
declaration_drop(struct worker *worker)
{
    worker->declaration.wanted = worker->declaration.calling = false;
}
