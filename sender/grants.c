#include "sender/grants.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/lease.h"
#include "sender/outcome.h"
#include "sender/pause.h"
#include "sender/slots.h"
#include "sender/stop.h"
#include "sender/turns.h"

#include <stdio.h>
#include <string.h>

enum {
    CELL_SLOTS = 2 * GRANT_MEMBERS_MAX, /* of the table that finds equal cells */
    FREE_TIMES = 3, /* no account has more under way than so many times what is still free */
};

/* The cells of one grant: members of one country, template and price share one. */
struct cells {
    struct grant_cell cells[GRANT_MEMBERS_MAX];
    uint32_t count;
    uint16_t slots[CELL_SLOTS]; /* cell number + 1, open addressing */
};

static uint32_t
find_cell(struct cells *cells, const struct quote *quote, const char *currency)
{
    struct span cell = {quote->cell, quote->cell_size};
    uint64_t slot = (span_hash(cell) ^ quote->millionths) % CELL_SLOTS;
    for (; cells->slots[slot] != 0; slot = (slot + 1) % CELL_SLOTS) {
        const struct grant_cell *known = &cells->cells[cells->slots[slot] - 1];
        if (known->millionths == quote->millionths && span_equal(known->cell, cell) &&
            strcmp(known->day, quote->day) == 0)
            return cells->slots[slot] - 1u;
    }
    check(cells->count < GRANT_MEMBERS_MAX);
    cells->cells[cells->count] = (struct grant_cell){
        .day = quote->day, .cell = cell, .currency = currency, .millionths = quote->millionths};
    cells->slots[slot] = (uint16_t)++cells->count;
    return cells->count - 1;
}

enum { FORMS_SIZE = PHONE_DIGITS_MAX + 2 + PHONE_FOLDED_MAX + 2 }; /* "+521…,+52…" */

/* As the opt-outs name it: the number that is sent to and, where people have two, the one under
 * which both fall together. */
static struct span
name_recipient(const struct delivery *delivery, char forms[FORMS_SIZE])
{
    char folded[PHONE_FOLDED_MAX + 1];
    const struct phone *phone = &delivery->phone;
    struct span e164 = {phone->e164, phone->e164_size};
    if (delivery->notification.recipient.size > 0)
        return delivery->notification.recipient;
    size_t size = phone_fold(phone, folded);
    if (size + 1 == e164.size && memcmp(folded, e164.data + 1, size) == 0)
        return e164;
    int written = snprintf(forms, FORMS_SIZE, "%.*s,+%s", SPAN_ARG(e164), folded);
    check(written > 0 && written < FORMS_SIZE);
    return (struct span){forms, (size_t)written};
}

static void on_grant(void *context, const struct reply *reply);

/* A call's request, and what it borrows from besides the deliveries. */
struct composed {
    struct grant_member members[GRANT_MEMBERS_MAX];
    char forms[GRANT_MEMBERS_MAX][FORMS_SIZE];
    struct cells cells;
    struct grant_request request;
};

/* Its deliveries and its grant's name are what make it the same each time. */
static void
compose(const struct grant_call *grant_call, struct composed *composed)
{
    struct cells *cells = &composed->cells;
    cells->count = 0;
    memset(cells->slots, 0, sizeof(cells->slots));
    for (uint32_t i = 0; i < grant_call->count; i++) {
        struct delivery *delivery = grant_call->deliveries[i];
        delivery->cell =
            find_cell(cells, &delivery->quote, grant_call->account->settings->currency);
        composed->members[i] =
            (struct grant_member){.name = delivery->name,
                                  .attempt = delivery->attempts + 1,
                                  .cell = delivery->cell,
                                  .id = delivery->notification.id,
                                  .recipient = name_recipient(delivery, composed->forms[i])};
    }
    composed->request = (struct grant_request){
        .holder = grant_call->worker->holder,
        .grant = grant_call->grant->name,
        .at_ms = clock_unix_ms(),
        .source = grant_call->grant->source,
        .cells = cells->cells,
        .cell_count = cells->count,
        .members = composed->members,
        .member_count = grant_call->count,
    };
}

static void
write_call(struct grant_call *grant_call, const struct composed *composed)
{
    struct worker *worker = grant_call->worker;
    const struct call call = {redis_client_session(worker->redis),
                              &grant_call->account->settings->keys, on_grant, grant_call};
    grant_call->sent =
        redis_client_is_ready(worker->redis) && call_grant(&call, &composed->request);
    if (grant_call->sent)
        redis_client_flush(worker->redis);
}

/* ---- the reply ------------------------------------------------------------------------------ */

static void
count_down(struct account *account)
{
    check(account->granted > 0 && account->worker->granted > 0);
    account->granted--;
    account->worker->granted--;
    if (account->ready_count > 0) /* it may have waited for its own part of what is granted */
        turns_want_grant(account);
}

/* It was not granted, so it is settled by its claim. */
static void
leave_grant(struct delivery *delivery)
{
    delivery->grant = NULL;
    count_down(delivery->account);
}

static void
refuse_duplicate(struct delivery *delivery, struct span owner)
{
    char text[128];
    int size = snprintf(text, sizeof(text), "id: first used by %.*s", SPAN_ARG(owner));
    leave_grant(delivery);
    outcome_drop(delivery, "duplicate", (struct span){text, (size_t)size});
}

static void
refuse_opted_out(struct delivery *delivery)
{
    leave_grant(delivery);
    outcome_refuse(delivery, "%s: this recipient has opted out",
                   delivery->notification.recipient.size > 0 ? "recipient" : "to");
}

/* A receipt of an earlier attempt has come meanwhile. */
static void
leave_proven(struct delivery *delivery)
{
    leave_grant(delivery);
    outcome_proven(delivery);
}

static void
grants_free(struct worker *worker, struct grant_hold *grant)
{
    grant->next = worker->free_grants;
    worker->free_grants = grant;
}

static void
end_call(struct grant_call *grant_call)
{
    if (grant_call->grant->unsettled == 0)
        grants_free(grant_call->worker, grant_call->grant);
    grant_call->used = false;
}

/* Nothing was granted: back into ready. */
static void
take_back(struct grant_call *grant_call)
{
    for (uint32_t i = 0; i < grant_call->count; i++) {
        leave_grant(grant_call->deliveries[i]);
        delivery_run(grant_call->deliveries[i]); /* still granting */
    }
    grant_call->grant->unsettled = 0;
    recent_undo(grant_call->grant->recent);
    end_call(grant_call);
}

/*
 * Redis answered an error (LOADING, BUSY, READONLY, …), so this call was not done. But if it was a
 * repetition, the first may have been: then it is asked again under its name, until there is an
 * answer. Else it is taken back, and keeps no other account's call from being written.
 */
static void
end_refused(struct grant_call *grant_call, const struct reply *reply)
{
    struct account *account = grant_call->account;
    (void)trouble_take(grant_call->worker, account, TROUBLE_GRANT, reply);
    if (grant_call->in_doubt) {
        grant_call->sent = false;
        worker_ask_again(grant_call->worker);
        return;
    }
    worker_refuse(account);
    take_back(grant_call);
}

/* Whether it was granted is not known, or does not matter any more. */
static void
drop_all(struct grant_call *grant_call)
{
    recent_doubt(grant_call->grant->recent, loop_now_us(grant_call->worker->loop));
    for (uint32_t i = 0; i < grant_call->count; i++)
        lease_drop(grant_call->deliveries[i]); /* the last one frees the grant */
    grant_call->used = false;
}

void
grants_forget(struct worker *worker)
{
    for (uint32_t i = 0; i < GRANT_CALLS_MAX; i++)
        if (worker->grant_calls[i].used && !worker->grant_calls[i].sent)
            drop_all(&worker->grant_calls[i]);
}

bool
grants_under_way(const struct worker *worker)
{
    for (uint32_t i = 0; i < GRANT_CALLS_MAX; i++)
        if (worker->grant_calls[i].used && worker->grant_calls[i].sent)
            return true;
    return false;
}

static void
remember_granted(const struct grant_call *grant_call, struct span marks)
{
    struct composed composed;
    compose(grant_call, &composed);
    recent_granted(grant_call->grant->recent, &composed.request, marks,
                   loop_now_us(grant_call->worker->loop));
}

static void
resume_granted(struct grant_call *grant_call, const struct grant_reply *grant)
{
    remember_granted(grant_call, grant->marks);
    uint32_t index = 0;
    size_t owner = 0;
    for (uint32_t i = 0; i < grant_call->count; i++) {
        struct delivery *delivery = grant_call->deliveries[i];
        if (grant->marks.data[i] == 'g') {
            delivery->index = index++;
            delivery->state = DELIVERY_SENDING;
        } else {
            grant_call->grant->unsettled--;
            if (grant->marks.data[i] == 'd')
                refuse_duplicate(delivery, grant->owners[owner++]->text);
            else if (grant->marks.data[i] == 'p')
                leave_proven(delivery);
            else
                refuse_opted_out(delivery);
        }
        delivery_run(delivery);
    }
}

static void
on_grant(void *context, const struct reply *reply)
{
    struct grant_call *grant_call = context;
    struct worker *worker = grant_call->worker;
    check_magic(worker, WORKER_MAGIC);
    struct grant_reply grant;
    worker_work_later(worker); /* a declaration may have waited for this reply */
    if (reply == NULL) {
        grant_call->sent = false; /* written again when the connection is back */
        grant_call->in_doubt = true;
        return;
    }
    if (grant_call->holder != worker->holders) { /* fenced since: they must not be sent */
        drop_all(grant_call);
        return;
    }
    if (!grant_read(reply, grant_call->count, &grant)) {
        end_refused(grant_call, reply);
        return;
    }
    trouble_end(worker, grant_call->account, TROUBLE_GRANT);
    if (grant.declare) { /* it stays as it is, and is dropped when that is made */
        grant_call->sent = false;
        declaration_want(worker, "a grant was answered so");
        return;
    }
    if (grant.wait) {
        take_back(grant_call);
        worker_wait_for_others(grant_call->account);
        return;
    }
    if (grant.fenced) {
        worker->fenced = true;
        drop_all(grant_call);
        worker_work_later(worker);
        return;
    }
    if (grant.paused || grant.stopped) {
        take_back(grant_call);
        grant.stopped ? stop_by_redis(grant_call->account) : pause_by_operator(grant_call->account);
        return;
    }
    resume_granted(grant_call, &grant);
    end_call(grant_call);
    worker_work_later(worker);
}

/* ---- asking --------------------------------------------------------------------------------- */

static struct grant_call *
free_call(struct worker *worker)
{
    for (uint32_t i = 0; i < GRANT_CALLS_MAX; i++)
        if (!worker->grant_calls[i].used)
            return &worker->grant_calls[i];
    return NULL;
}

static struct grant_hold *
take_grant(struct worker *worker, enum source source)
{
    struct grant_hold *grant = worker->free_grants;
    worker->free_grants = grant->next;
    *grant = (struct grant_hold){.source = source, .granted_us = loop_now_us(worker->loop)};
    int size = snprintf(grant->name_text, sizeof(grant->name_text), "%s.%llu", worker->holder_text,
                        (unsigned long long)++worker->names);
    grant->name = (struct span){grant->name_text, (size_t)size};
    return grant;
}

static uint32_t
ask_source(struct account *account, enum source source, uint32_t room)
{
    struct worker *worker = account->worker;
    struct delivery_list *ready = &account->ready[source];
    uint64_t now_ms = clock_unix_ms();
    if (ready->count == 0 || room == 0 || worker->free_grants == NULL ||
        !recent_make_room(worker->recent, loop_now_us(worker->loop)))
        return 0;
    struct grant_call *grant_call = free_call(worker);
    if (grant_call == NULL)
        return 0;
    grant_call->used = true;
    grant_call->worker = worker;
    grant_call->account = account;
    grant_call->holder = worker->holders;
    grant_call->in_doubt = false;
    grant_call->grant = take_grant(worker, source);
    grant_call->count = 0;
    while (ready->count > 0 && grant_call->count < room && grant_call->count < GRANT_MEMBERS_MAX) {
        struct delivery *delivery = list_pop(ready);
        account->ready_count--;
        if (delivery_expire(delivery, now_ms))
            continue;
        delivery->grant = grant_call->grant;
        grant_call->deliveries[grant_call->count++] = delivery;
    }
    if (grant_call->count == 0) { /* they had all expired */
        end_call(grant_call);
        return 0;
    }
    grant_call->grant->unsettled = grant_call->count;
    worker->granted += grant_call->count;
    account->granted += grant_call->count;
    struct composed composed;
    compose(grant_call, &composed);
    recent_ask(worker->recent, (uint32_t)(account - worker->accounts), &composed.request,
               &grant_call->grant->recent);
    write_call(grant_call, &composed); /* no room: it is written with the next turn's lost ones */
    return grant_call->count;
}

/* Writes grants for what is ready of this account, at most `room` members. Returns how many. */
static uint32_t
ask_account(struct account *account, uint32_t room)
{
    static const enum source order[FLOOR_SOURCES] = {SOURCE_URGENT, SOURCE_LATER, SOURCE_QUEUE};
    uint32_t waiting[FLOOR_SOURCES];
    uint32_t split[FLOOR_SOURCES];
    uint32_t asked[FLOOR_SOURCES];
    uint32_t sum = 0;
    for (int i = 0; i < FLOOR_SOURCES; i++)
        waiting[i] = account->ready[order[i]].count;
    floor_split(&account->floor, room, waiting, split);
    for (int i = 0; i < FLOOR_SOURCES; i++) {
        asked[i] = ask_source(account, order[i], split[i]);
        sum += asked[i];
    }
    floor_pay(&account->floor, waiting, asked);
    if (account->has_more && !account->claiming) /* it may have had enough ready: now it has less */
        share_join(&account->worker->claims, &account->claim_turn); /* this turn asks yet */
    return sum;
}

/* The catalogue, the rate cards or the day changed: what waits for a grant is looked through once.
 */
static void
look_through_ready(struct account *account)
{
    char day[DAY_SIZE + 1];
    struct worker *worker = account->worker;
    uint64_t serial = catalogue_feed_serial(worker->sender->feed, account->settings->business);
    zone_day(account->settings->zone, clock_unix_ms(), day);
    if (serial == account->catalogue_serial && worker->rates.serial == account->rates_serial &&
        strcmp(day, account->ready_day) == 0)
        return;
    account->catalogue_serial = serial;
    account->rates_serial = worker->rates.serial;
    memcpy(account->ready_day, day, sizeof(day));
    for (int source = 0; source < SOURCE_COUNT; source++) {
        struct delivery_list ready = account->ready[source];
        struct delivery *delivery;
        account->ready[source] = (struct delivery_list){0};
        account->ready_count -= ready.count;
        while ((delivery = list_pop(&ready)) != NULL)
            delivery_grant_again(delivery);
    }
}

/* No connection is to be had: what would be granted could not leave. */
static bool
is_unreachable(const struct worker *worker)
{
    return channel_room(worker->channel) == 0 && channel_active(worker->channel) == 0 &&
           channel_trouble(worker->channel)[0] != '\0';
}

/*
 * How many more of this account may be under way. In all it is twice what the channel can have: one
 * half on the wire, the other granted while it is. An account has at most three times what is still
 * free, so that one whose answers do not come leaves room for those who come later; and no more
 * than Meta seems to take.
 */
static uint32_t
room_of(const struct account *account)
{
    const struct worker *worker = account->worker;
    uint32_t limit = 2 * channel_capacity(worker->channel);
    uint32_t free_room = limit > worker->granted ? limit - worker->granted : 0;
    uint64_t most = (uint64_t)FREE_TIMES * free_room;
    uint32_t allowed = allowance_size(&account->allowance);
    if (most <= account->granted || allowed <= account->granted)
        return 0;
    uint64_t room = (most - account->granted + FREE_TIMES) / (FREE_TIMES + 1);
    return room < allowed - account->granted ? (uint32_t)room : allowed - account->granted;
}

/* What it may be granted now. 0 with `*for_others`: it waits for what others have under way, and
 * nothing of its own would bring it back into the ring. */
static uint32_t
wanted_room(struct account *account, bool *for_others)
{
    uint32_t worth = GRANT_MEMBERS_MAX / 8;
    uint32_t room = room_of(account);
    if (worth > channel_capacity(account->worker->channel))
        worth = channel_capacity(account->worker->channel);
    if (worth > allowance_size(&account->allowance) / 2)
        worth = allowance_size(&account->allowance) / 2;
    /* No trickle: a grant is a call and a record, so wait until it is worth one. */
    if (room < worth && room < account->ready_count) {
        *for_others = account->granted == 0;
        return 0;
    }
    uint32_t paced = pace_room(&account->pace, loop_now_us(account->worker->loop));
    if (paced < pace_worth(&account->pace) && paced < account->ready_count)
        return 0; /* its timer comes when there is a batch's worth */
    return paced < room ? paced : room;
}

/* False: the worker has no call left, or no grant, for anybody. */
static bool
has_room(struct worker *worker)
{
    return free_call(worker) != NULL && worker->free_grants != NULL &&
           recent_make_room(worker->recent, loop_now_us(worker->loop));
}

/* One account's turn: what its share gives. */
static void
take_turn(struct account *account, uint32_t room)
{
    struct worker *worker = account->worker;
    uint32_t credit = share_credit(&worker->grants_wanted);
    uint32_t asked = ask_account(account, credit < room ? credit : room);
    pace_take(&account->pace, asked, loop_now_us(worker->loop));
    share_pay(&worker->grants_wanted, &account->grant_turn, asked);
    if (asked > 0 && channel_room(worker->channel) == 0)
        channel_want(worker->channel); /* connect while Redis grants */
}

/* What an account has to wait for alone takes it out of the ring: its timer, or the next of it that
 * is settled, brings it back. */
void
grants_ask_ready(struct worker *worker)
{
    struct account *account;
    while ((account = turns_first_grant(worker)) != NULL) {
        bool may_ask = account->ready_count > 0 && worker_may_ask(worker, account);
        if (may_ask && is_unreachable(worker)) {
            channel_want(worker->channel);
            return;
        }
        if (may_ask)
            look_through_ready(account);
        bool for_others = false;
        uint32_t room = may_ask ? wanted_room(account, &for_others) : 0;
        if (for_others || (room > 0 && !has_room(worker)))
            return;
        if (room > 0 && account->ready_count > 0) {
            take_turn(account, room);
            continue;
        }
        share_leave(&worker->grants_wanted, &account->grant_turn);
        turns_wait(account);
    }
}

static void
ask_lost(struct grant_call *grant_call)
{
    struct composed composed;
    compose(grant_call, &composed);
    write_call(grant_call, &composed);
}

void
grants_ask_lost(struct worker *worker)
{
    for (uint32_t i = 0; i < GRANT_CALLS_MAX; i++)
        if (worker->grant_calls[i].used && !worker->grant_calls[i].sent)
            ask_lost(&worker->grant_calls[i]);
}

static enum recent_end
end_of(const struct delivery *delivery)
{
    if (delivery->state != DELIVERY_SETTLING && delivery->state != DELIVERY_TELLING)
        return RECENT_OTHER; /* it was dropped */
    if (delivery->outcome.action == SETTLE_ACCEPT)
        return RECENT_ACCEPTED;
    return delivery->outcome.action == SETTLE_UNCERTAIN ? RECENT_UNCERTAIN : RECENT_OTHER;
}

void
grants_release(struct delivery *delivery)
{
    struct grant_hold *grant = delivery->grant;
    if (grant == NULL)
        return;
    if (grant->recent != NULL)
        recent_settle(grant->recent, delivery->index, end_of(delivery),
                      loop_now_us(delivery->worker->loop));
    delivery->grant = NULL;
    check(grant->unsettled > 0);
    count_down(delivery->account);
    if (--grant->unsettled == 0)
        grants_free(delivery->worker, grant);
}
