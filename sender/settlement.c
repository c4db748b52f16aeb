#include "sender/settlement.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/claims.h"
#include "sender/grants.h"
#include "sender/outcome.h"
#include "sender/receipts.h"
#include "sender/slots.h"
#include "sender/turns.h"

#include <stdlib.h>
#include <string.h>

enum {
    SETTLE_WAIT_US = 200 * 1000, /* after a refusal */
    ROOM_WAIT_US = 1000,         /* the output was full: Redis takes some of it meanwhile */
};

/*
 * A settle being written. Members of one grant with the same outcome, accepted or dropped, go
 * as one group; every other outcome has a group of its own (dead, later, uncertain, before grant).
 */
struct writing {
    struct settle_call *call;
    struct worker *worker;
    char holder_text[QUEUE_HOLDER_SIZE];
    struct span holder; /* in whose name: our own, or an earlier one that was fenced */
    uint64_t at_ms;
    struct buffer outcomes; /* the JSON of all, in the worker's scratch */
    struct settle_group groups[SETTLE_MEMBERS_MAX];
    uint32_t group_count;
    uint32_t delivery_count;
    uint32_t taken;           /* deliveries */
    size_t outcomes_reserved; /* bytes that their JSON may come to */
    /* Arrays that the groups point into; each delivery adds at most one to each. */
    uint32_t indexes[SETTLE_MEMBERS_MAX];
    struct span names[SETTLE_MEMBERS_MAX]; /* of a group: singles, or names of later */
    struct span json[SETTLE_MEMBERS_MAX];
    struct span ids[SETTLE_MEMBERS_MAX];
    struct settle_bulk bulks[SETTLE_MEMBERS_MAX];
    struct settle_cell cells[SETTLE_MEMBERS_MAX];
    uint32_t index_count, name_count, json_count, id_count, bulk_count, cell_count;
};

static struct span
token_of(const struct delivery *delivery)
{
    return delivery->grant != NULL ? delivery->grant->name : delivery->hold->name;
}

/* A claim's or grant's name begins with its holder's. */
static bool
is_of_holder(struct span name, struct span holder)
{
    return span_starts(name, holder);
}

static bool
is_grouped(const struct delivery *delivery)
{
    return delivery->grant != NULL &&
           (delivery->outcome.action == SETTLE_ACCEPT || delivery->outcome.action == SETTLE_DROP);
}

static struct settle_group *
begin_group(struct writing *writing, const struct delivery *delivery)
{
    struct settle_group *group = &writing->groups[writing->group_count];
    const struct outcome *outcome = &delivery->outcome;
    *group = (struct settle_group){
        .token = token_of(delivery),
        .before_grant = delivery->grant == NULL,
        .source = delivery->source,
        .action = outcome->action,
        .time_ms = outcome->time_ms,
        .attempt = outcome->attempts,
        .throttles = outcome->throttles,
        .type = span_of(outcome->type),
        .reason = outcome->reason,
        .release_id = outcome->release_id,
        .indexes = writing->indexes + writing->index_count,
        .cells = writing->cells + writing->cell_count,
        .singles = writing->names + writing->name_count,
        .bulks = writing->bulks + writing->bulk_count,
        .names = writing->names + writing->name_count,
        .outcomes = writing->json + writing->json_count,
        .ids = writing->ids + writing->id_count,
    };
    writing->call->group_start[writing->group_count++] = writing->delivery_count;
    return group;
}

static void
add_place(struct writing *writing, struct settle_group *group, const struct delivery *delivery)
{
    if (delivery->source == SOURCE_LATER) {
        writing->names[writing->name_count++] = delivery->name;
        group->name_count++;
        return;
    }
    if (delivery->member == 0) {
        writing->names[writing->name_count++] = delivery->name;
        group->single_count++;
        return;
    }
    struct span entry = {delivery->name.data, delivery->entry_size};
    uint64_t bit = (uint64_t)1 << (delivery->member - 1);
    /* Members of one entry mostly stand together; the last few are looked through. */
    for (uint32_t back = 1; back <= group->bulk_count && back <= QUEUE_BULK_MAX; back++) {
        struct settle_bulk *bulk = &writing->bulks[writing->bulk_count - back];
        if (span_equal(bulk->entry, entry)) {
            bulk->mask |= bit;
            return;
        }
    }
    writing->bulks[writing->bulk_count++] =
        (struct settle_bulk){.entry = entry, .mask = bit, .total = delivery->total};
    group->bulk_count++;
}

static void
add_charge(struct writing *writing, struct settle_group *group, const struct delivery *delivery)
{
    for (uint32_t back = 1; back <= group->cell_count; back++) {
        struct settle_cell *cell = &writing->cells[writing->cell_count - back];
        if (cell->cell == delivery->cell) {
            cell->count++;
            cell->millionths += delivery->quote.millionths;
            return;
        }
    }
    writing->cells[writing->cell_count++] = (struct settle_cell){
        .cell = delivery->cell, .count = 1, .millionths = delivery->quote.millionths};
    group->cell_count++;
}

static void
add_event(struct writing *writing, struct settle_group *group, const struct delivery *delivery)
{
    size_t start = writing->outcomes.size;
    outcome_put_json(delivery, writing->at_ms, &writing->outcomes);
    check(!writing->outcomes.overflow);
    if (writing->outcomes.size == start)
        return;
    writing->json[writing->json_count++] =
        (struct span){writing->outcomes.data + start, writing->outcomes.size - start};
    group->outcome_count++;
}

/* Ids are taken at grant: what ends before has none to keep, unless an earlier attempt took it.
 * One that is to be released is always named, because facteur_enqueue takes it as well, and only
 * its owner's is released. */
static void
add_id(struct writing *writing, struct settle_group *group, const struct delivery *delivery)
{
    enum settle_action action = delivery->outcome.action;
    bool is_owner = delivery->grant != NULL || delivery->attempts > 0 ||
                    delivery->possible_duplicate || delivery->outcome.release_id ||
                    action == SETTLE_FREE;
    if (delivery->notification.id.size == 0 || !is_owner || action == SETTLE_LATER ||
        action == SETTLE_UNCERTAIN)
        return;
    writing->ids[writing->id_count++] = delivery->notification.id;
    group->id_count++;
}

static void
add_delivery(struct writing *writing, struct settle_group *group, struct delivery *delivery)
{
    add_place(writing, group, delivery);
    if (delivery->grant != NULL) {
        writing->indexes[writing->index_count++] = delivery->index;
        group->member_count++;
    }
    if (delivery->outcome.action == SETTLE_ACCEPT)
        add_charge(writing, group, delivery);
    add_event(writing, group, delivery);
    add_id(writing, group, delivery);
    writing->call->deliveries[writing->delivery_count++] = delivery;
}

/* Turns the list round: it was built from its end, and XDEL is several times cheaper when the ids
 * come in the order of the stream. */
static struct delivery *
in_order(struct delivery *delivery)
{
    struct delivery *first = NULL;
    while (delivery != NULL) {
        struct delivery *next = delivery->next;
        delivery->next = first;
        first = delivery;
        delivery = next;
    }
    return first;
}

/* The members of one grant that were set aside for one action become one group. */
static void
add_grouped(struct writing *writing, struct delivery **list)
{
    struct delivery *delivery = in_order(*list);
    *list = NULL;
    if (delivery == NULL)
        return;
    struct settle_group *group = begin_group(writing, delivery);
    while (delivery != NULL) {
        struct delivery *next = delivery->next;
        delivery->next = NULL;
        add_delivery(writing, group, delivery);
        delivery = next;
    }
}

/*
 * The next delivery that fits: of the same holder (after a fence, outcomes of the old name may
 * still come), and with room for its JSON, which may be thirty times the usual if its producer is
 * hostile.
 */
static struct delivery *
next_fitting(struct writing *writing, struct account *account)
{
    const struct delivery *first = account->settling.first;
    if (first == NULL || writing->taken == account->settle_most ||
        !is_of_holder(token_of(first), writing->holder))
        return NULL;
    size_t size = outcome_json_size_max(first);
    if (size > writing->outcomes.capacity - writing->outcomes_reserved)
        return NULL;
    writing->outcomes_reserved += size;
    writing->taken++;
    return list_pop(&account->settling);
}

/* Takes what has an outcome: single groups at once, the rest set aside with its grant. */
static void
gather(struct writing *writing, struct account *account)
{
    struct grant_hold *touched[SETTLE_MEMBERS_MAX];
    uint32_t touched_count = 0;
    struct delivery *delivery;
    while ((delivery = next_fitting(writing, account)) != NULL) {
        if (!is_grouped(delivery)) {
            add_delivery(writing, begin_group(writing, delivery), delivery);
            continue;
        }
        struct grant_hold *grant = delivery->grant;
        if (grant->settling[0] == NULL && grant->settling[1] == NULL)
            touched[touched_count++] = grant;
        struct delivery **list =
            &grant->settling[delivery->outcome.action == SETTLE_ACCEPT ? 0 : 1];
        delivery->next = *list;
        *list = delivery;
    }
    for (uint32_t i = 0; i < touched_count; i++) {
        add_grouped(writing, &touched[i]->settling[0]);
        add_grouped(writing, &touched[i]->settling[1]);
    }
    writing->call->group_count = writing->group_count;
    writing->call->group_start[writing->group_count] = writing->delivery_count;
}

/* ---- the reply ------------------------------------------------------------------------------ */

static void
count_outcome(struct sender_counters *counters, const struct delivery *delivery)
{
    _Atomic uint64_t *counter = &counters->other;
    switch (delivery->outcome.action) {
    case SETTLE_ACCEPT:
        counter = &counters->accepted;
        break;
    case SETTLE_LATER:
        counter = &counters->later;
        break;
    case SETTLE_UNCERTAIN:
        counter = &counters->uncertain;
        break;
    case SETTLE_DEAD:
        counter = &counters->refused;
        break;
    case SETTLE_DROP:
    case SETTLE_FREE:
        if (delivery->outcome.type != NULL && strcmp(delivery->outcome.type, "failed") == 0)
            counter = &counters->failed;
        break;
    }
    atomic_fetch_add_explicit(counter, 1, memory_order_relaxed);
}

static void
finish_delivery(struct delivery *delivery)
{
    struct account *account = delivery->account;
    if (delivery->outcome.action == SETTLE_LATER)
        turns_want_claim(account); /* look once: it tells when the next is due */
    grants_release(delivery);
    claims_release(delivery);
    slots_give(delivery);
}

static bool
hex_has(struct span hex, uint32_t index)
{
    if (index / 4 >= hex.size)
        return false;
    char digit = hex.data[index / 4];
    unsigned value = (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
    return (value >> (index % 4) & 1) != 0;
}

/* By a settle of ours whose reply was lost it is booked. By a recover it is uncertain, and its
 * price is exposure: then what Meta said is told as a receipt. */
static void
end_late(struct delivery *delivery)
{
    atomic_fetch_add_explicit(&delivery->worker->sender->counters.late, 1, memory_order_relaxed);
    if (receipts_want(delivery))
        receipts_take(delivery);
    else
        finish_delivery(delivery);
}

/*
 * The group was not done because some (or all) of its members were settled before: by our own
 * settle whose reply was lost, or because our grant was taken away. These are finished; the
 * others, if there are any, are settled again without them.
 */
static void
end_already(struct settle_call *call, uint32_t group, struct span already)
{
    for (uint32_t i = call->group_start[group]; i < call->group_start[group + 1]; i++) {
        struct delivery *delivery = call->deliveries[i];
        bool settled =
            already.size == 0 || delivery->grant == NULL || hex_has(already, delivery->index);
        if (!settled) {
            delivery_run(delivery); /* still settling: into the list again */
            continue;
        }
        end_late(delivery);
    }
}

static void
end_group(struct settle_call *call, uint32_t group)
{
    for (uint32_t i = call->group_start[group]; i < call->group_start[group + 1]; i++) {
        count_outcome(&call->worker->sender->counters, call->deliveries[i]);
        finish_delivery(call->deliveries[i]);
    }
}

static void
free_holds(struct worker *worker, struct claim_hold *hold)
{
    while (hold != NULL) {
        struct claim_hold *next = hold->next;
        hold->next = worker->free_holds;
        worker->free_holds = hold;
        worker->holds_free++;
        hold = next;
    }
}

static void
settle_again(struct settle_call *call)
{
    for (uint32_t i = 0; i < call->group_start[call->group_count]; i++)
        delivery_run(call->deliveries[i]);
    while (call->finished != NULL) {
        struct claim_hold *hold = call->finished;
        call->finished = hold->next;
        hold->next = call->account->finished;
        call->account->finished = hold;
    }
    turns_stir(call->account);
}

/*
 * Redis did nothing of it: an error of the whole (loading, read-only), or one outcome that it will
 * never take. Halving what is asked for leaves the bad one alone in the end, and the others go on.
 */
static void
take_refusal(struct settle_call *call, const struct reply *reply)
{
    struct account *account = call->account;
    uint32_t count = call->group_start[call->group_count];
    if (trouble_take(call->worker, account, TROUBLE_SETTLE, reply) != SESSION_REMEDY_APART) {
        settle_again(call);
        return;
    }
    account->settle_refused = count > 0;
    account->settle_most = count > 1 ? count / 2 : 1;
    account->settle_after_us = loop_now_us(call->worker->loop) + SETTLE_WAIT_US;
    settle_again(call);
}

/* In our name: first that, then this again. In one that was fenced: nobody declares for it any
 * more, so what is proof is told as a receipt, and the rest is where Redis has it. */
static void
take_declare(struct settle_call *call)
{
    const struct worker *worker = call->worker;
    const struct span name =
        call->group_count > 0 ? token_of(call->deliveries[0]) : call->finished->name;
    if (is_of_holder(name, worker->holder)) {
        settle_again(call);
        declaration_want(call->worker, "a settle was answered so");
        return;
    }
    for (uint32_t i = 0; i < call->group_count; i++)
        end_already(call, i, (struct span){0});
    free_holds(call->worker, call->finished);
    call->finished = NULL;
    turns_stir(call->account);
}

static void
on_settle(void *context, const struct reply *reply)
{
    struct settle_call *call = context;
    struct account *account = call->account;
    check_magic(call->worker, WORKER_MAGIC);
    account->settling_now = false;
    call->used = false;
    worker_work_later(call->worker);
    if (reply == NULL) {
        settle_again(call);
        return;
    }
    if (settle_wants_declare(reply)) {
        take_declare(call);
        return;
    }
    if (!settle_is_read(reply, call->group_count)) {
        take_refusal(call, reply);
        return;
    }
    account->settle_refused = false;
    account->settle_most *= account->settle_most <= SETTLE_MEMBERS_MAX / 2 ? 2 : 1;
    if (account->settle_most > SETTLE_MEMBERS_MAX / 2)
        trouble_end(call->worker, account, TROUBLE_SETTLE);
    for (uint32_t i = 0; i < call->group_count; i++) {
        struct span already = {0};
        if (settle_read(reply, i, &already))
            end_group(call, i);
        else
            end_already(call, i, already);
    }
    free_holds(call->worker, call->finished);
    call->finished = NULL;
    turns_stir(account);
}

/* ---- writing -------------------------------------------------------------------------------- */

static struct settle_call *
free_call(struct worker *worker)
{
    for (uint32_t i = 0; i < SETTLE_CALLS_MAX; i++)
        if (!worker->settle_calls[i].used)
            return &worker->settle_calls[i];
    return NULL;
}

/* A settle speaks in one holder's name: whose outcome is the oldest. */
static struct span
next_holder(const struct account *account)
{
    const struct delivery *first = account->settling.first;
    struct span name = first != NULL ? token_of(first) : account->finished->name;
    return (struct span){name.data, QUEUE_HOLDER_SIZE};
}

static struct writing *
begin_writing(struct account *account, struct settle_call *call)
{
    struct worker *worker = account->worker;
    struct writing *writing = worker->writing;
    call->used = true;
    call->worker = worker;
    call->account = account;
    call->finished = NULL;
    memset(writing, 0, offsetof(struct writing, groups));
    writing->call = call;
    writing->worker = worker;
    writing->at_ms = clock_unix_ms();
    writing->group_count = writing->delivery_count = 0;
    writing->taken = 0;
    writing->outcomes_reserved = 0;
    writing->index_count = writing->name_count = writing->json_count = 0;
    writing->id_count = writing->bulk_count = writing->cell_count = 0;
    buffer_init(&writing->outcomes, worker->scratch, worker->scratch_size);
    memcpy(writing->holder_text, next_holder(account).data, QUEUE_HOLDER_SIZE);
    writing->holder = (struct span){writing->holder_text, QUEUE_HOLDER_SIZE};
    return writing;
}

/* Names the holder's claims of which no delivery is left. After a refusal they go alone: one that
 * Redis cannot read must not keep outcomes back. */
static uint32_t
gather_finished(struct writing *writing, struct account *account, struct span *claims)
{
    uint32_t count = 0;
    struct claim_hold **place = &account->finished;
    if (account->settle_refused && writing->taken > 0)
        return 0;
    while (*place != NULL && count < SETTLE_MEMBERS_MAX) {
        struct claim_hold *hold = *place;
        if (!is_of_holder(hold->name, writing->holder)) {
            place = &hold->next;
            continue;
        }
        *place = hold->next;
        claims[count++] = hold->name;
        hold->next = writing->call->finished;
        writing->call->finished = hold;
    }
    return count;
}

static void
send_settle(struct writing *writing, struct account *account)
{
    struct worker *worker = writing->worker;
    struct settle_call *call = writing->call;
    struct span claims[SETTLE_MEMBERS_MAX];
    const struct call redis_call = {redis_client_session(worker->redis), &account->settings->keys,
                                    on_settle, call};
    const struct settle_request request = {
        .holder = writing->holder,
        .events_keep = worker->sender->settings.events_keep,
        .dedupe_ttl_ms = worker->sender->settings.dedupe_ttl_ms,
        .groups = writing->groups,
        .group_count = writing->group_count,
        .claims = claims,
        .claim_count = gather_finished(writing, account, claims),
    };
    account->settling_now = call_settle(&redis_call, &request);
    if (account->settling_now) {
        redis_client_flush(worker->redis);
        return;
    }
    account->settle_after_us = loop_now_us(worker->loop) + ROOM_WAIT_US;
    call->used = false;
    settle_again(call);
}

/* The account leaves the ring: the reply, or its timer, brings it back. */
void
settlement_write_all(struct worker *worker)
{
    struct account *account;
    while (redis_client_is_ready(worker->redis) && (account = turns_first_settle(worker)) != NULL) {
        struct settle_call *call = free_call(worker);
        bool wants = (account->settling.count > 0 || account->finished != NULL) &&
                     !account->settling_now && !account->left_out &&
                     loop_now_us(worker->loop) >= account->settle_after_us;
        if (wants && call == NULL)
            return;
        share_leave(&worker->settles, &account->settle_turn);
        if (!wants) {
            turns_wait(account);
            continue;
        }
        struct writing *writing = begin_writing(account, call);
        gather(writing, account);
        share_pay(&worker->settles, &account->settle_turn, writing->taken);
        send_settle(writing, account);
    }
}

struct writing *
settlement_memory(void)
{
    return check_alloc(1, sizeof(struct writing));
}
