#include "sender/claims.h"

#include "sender/base/check.h"
#include "sender/base/log.h"
#include "sender/pause.h"
#include "sender/slots.h"
#include "sender/stop.h"
#include "sender/turns.h"

#include <stdio.h>
#include <string.h>

enum {
    CLAIM_WORTH = 64,     /* free slots below which a claim would only take a trickle */
    AHEAD_MIN = 16,       /* what a slow account claims at once all the same */
    AHEAD_US = 500000,    /* of its pace is claimed ahead */
    AHEAD_PART = 8,       /* of the slots that are free, no account claims more than so much */
    AHEAD_MIN_PART = 256, /* ... and a slow one no more than that, when slots are few */
    CLAIM_PARTS_MAX = 26, /* sources of one claim: queue/README.md, "Claim" */
};

static const char too_large[] = "entry: more than 256 KiB or 128 fields";
static const char bad_bulk[] = "bulk: must have 1 to 64 lines";
static_assert(QUEUE_ENTRY_SIZE_MAX == 256 * 1024 && FIELDS_MAX == 128 && QUEUE_BULK_MAX == 64,
              "the limits are what these sentences say");

static struct span
name_claim(const struct worker *worker, uint64_t number, char *out)
{
    int size =
        snprintf(out, QUEUE_GRANT_MAX, "%s.%llu", worker->holder_text, (unsigned long long)number);
    check(size > 0 && size < QUEUE_GRANT_MAX);
    return (struct span){.data = out, .size = (size_t)size};
}

/* ---- a claim's reply becomes deliveries -------------------------------------------------------
 */

struct taking {
    struct account *account;
    struct batch *batch;
    struct claim_hold *hold;
    const struct claim_entry *entry;
};

/* One member: a slot, pinned to the batch until its bytes are in the slot. */
static struct delivery *
take_member(const struct taking *taking, uint32_t member, uint32_t total)
{
    struct worker *worker = taking->account->worker;
    struct delivery *delivery = slots_take(worker);
    check(delivery != NULL); /* a claim asks for no more members than there are free slots */
    struct span entry = taking->entry->name;
    struct buffer name;
    buffer_init(&name, delivery->name_text, sizeof(delivery->name_text));
    buffer_put_span(&name, entry);
    if (member > 0 && taking->hold->source != SOURCE_LATER) {
        buffer_put_char(&name, '/');
        buffer_put_u64(&name, member);
    }
    check(!name.overflow); /* read_entry() judged its length */
    delivery->name = buffer_span(&name);
    delivery->entry_size = (uint32_t)entry.size;
    delivery->member = member;
    delivery->total = total;
    delivery->source = taking->hold->source;
    delivery->account = taking->account;
    delivery->hold = taking->hold;
    delivery->batch = taking->batch;
    taking->batch->pins++;
    taking->hold->deliveries++;
    delivery->state = DELIVERY_READING;
    atomic_fetch_add_explicit(&worker->sender->counters.claimed, 1, memory_order_relaxed);
    return delivery;
}

/* What cannot be taken apart is one delivery that ends in dead, whole, for this reason. */
static void
take_unreadable(const struct taking *taking, const char *reason)
{
    struct delivery *delivery = take_member(taking, 0, 0);
    delivery->unreadable = reason;
    delivery_run(delivery);
}

static void
take_bulk(const struct taking *taking, struct span bulk)
{
    struct span lines[QUEUE_BULK_MAX];
    uint32_t total = notification_split_bulk(bulk, lines);
    if (total == 0) {
        take_unreadable(taking, bad_bulk);
        return;
    }
    for (uint32_t i = 0; i < total; i++) {
        if ((taking->entry->mask >> i & 1) != 0)
            continue; /* left in an earlier life of this entry */
        struct delivery *delivery = take_member(taking, i + 1, total);
        delivery->raw_line = lines[i].data != NULL ? lines[i] : SPAN("");
        delivery_run(delivery);
    }
}

static void
take_fields(const struct taking *taking, const struct field *fields, uint32_t count)
{
    if (count == 1 && span_equal(fields[0].name, SPAN("bulk"))) {
        take_bulk(taking, fields[0].value);
        return;
    }
    struct delivery *delivery = take_member(taking, 0, 0);
    delivery->raw_fields = fields;
    delivery->raw_count = count;
    delivery_run(delivery);
}

static void
take_stream_entry(const struct taking *taking)
{
    struct field fields[FIELDS_MAX];
    const struct reply *flat = taking->entry->fields;
    if (taking->entry->too_large || flat == NULL || flat->count > 2 * FIELDS_MAX) {
        take_unreadable(taking, too_large);
        return;
    }
    uint32_t count = (uint32_t)flat->count / 2;
    for (uint32_t i = 0; i < count; i++)
        fields[i] = (struct field){.name = flat->elements[2 * i]->text,
                                   .value = flat->elements[2 * i + 1]->text};
    take_fields(taking, fields, count);
}

/* A member that waited: its record holds its fields, or its line, and the attempts made. */
static void
take_waiting(const struct taking *taking)
{
    struct waiting_record waiting;
    if (!waiting_record_read(taking->entry->record, &taking->batch->arena, &waiting) ||
        waiting.field_count > FIELDS_MAX) {
        take_unreadable(taking, "entry: its record in later cannot be read");
        return;
    }
    struct delivery *delivery = take_member(taking, 0, 0);
    delivery->attempts = waiting.attempt;
    delivery->throttles = waiting.throttles;
    delivery->possible_duplicate = waiting.possible_duplicate;
    if (waiting.is_member) {
        delivery->raw_line = waiting.line.data != NULL ? waiting.line : SPAN("");
    } else {
        delivery->raw_fields = waiting.fields;
        delivery->raw_count = (uint32_t)waiting.field_count;
    }
    delivery_run(delivery);
}

static void
finish_if_empty(struct claim_hold *hold)
{
    if (hold->deliveries > 0)
        return;
    hold->next = hold->account->finished;
    hold->account->finished = hold;
    turns_want_settle(hold->account);
}

/* False: not as agreed, or with a name that no stream gives. */
static bool
read_entry(const struct claim_part *part, size_t index, struct claim_entry *entry)
{
    size_t number_size = part->source == SOURCE_LATER ? 0 : 3; /* "/64" of a bulk member */
    return claim_read_entry(part, index, entry) &&
           entry->name.size + number_size <= QUEUE_MEMBER_MAX && entry->name.size > 0;
}

static struct claim_hold *
take_hold(struct account *account, enum source source, struct span name)
{
    struct worker *worker = account->worker;
    struct claim_hold *hold = worker->free_holds;
    check(hold != NULL); /* CLAIM_PARTS_MAX were set aside */
    worker->free_holds = hold->next;
    worker->holds_free--;
    *hold = (struct claim_hold){.account = account, .source = source};
    memcpy(hold->name_text, name.data, name.size);
    hold->name = (struct span){.data = hold->name_text, .size = name.size};
    return hold;
}

struct claim_hold *
claims_hold(struct account *account, struct span name)
{
    return take_hold(account, SOURCE_LATER, name);
}

/*
 * False: not as agreed. Then the hold is never finished, so that what was not taken stays claimed
 * and is given back when this worker leaves.
 */
static bool
take_part(struct account *account, struct batch *batch, const struct claim_reply *claim,
          size_t index)
{
    struct claim_part part;
    if (!claim_read_part(claim, index, &part) || part.claim.size >= QUEUE_GRANT_MAX)
        return false;
    struct claim_hold *hold = take_hold(account, part.source, part.claim);
    hold->deliveries = 1; /* ours, so that it is not finished while it is being taken */
    for (size_t i = 0; i < part.entry_count; i++) {
        struct claim_entry entry;
        if (account->worker->free_deliveries.count < QUEUE_BULK_MAX ||
            !read_entry(&part, i, &entry))
            return false;
        const struct taking taking = {account, batch, hold, &entry};
        if (part.source == SOURCE_LATER)
            take_waiting(&taking);
        else
            take_stream_entry(&taking);
    }
    hold->deliveries--;
    finish_if_empty(hold);
    return true;
}

/* The reply moves into a batch of ours, because its deliveries outlive this call. */
static struct batch *
take_batch(struct worker *worker)
{
    struct batch *batch = worker->free_batches;
    check(batch != NULL && batch->pins == 0);
    worker->free_batches = batch->next;
    worker->batches_free--;
    arena_reset(&batch->arena);
    session_take_arena(redis_client_session(worker->redis), &batch->arena);
    batch->pins = 1;
    return batch;
}

/* The reply is of a function of ours, but perhaps of a newer one than we know. */
static void
take_parts(struct account *account, const struct claim_reply *claim)
{
    struct batch *batch = take_batch(account->worker);
    bool good = claim->part_count <= CLAIM_PARTS_MAX;
    for (size_t i = 0; good && i < claim->part_count; i++)
        good = take_part(account, batch, claim, i);
    if (!good)
        log_line(LOG_ERROR, "claim_unreadable",
                 "account=%s remedy=\"does a newer facteur use this Redis? Use that one\"",
                 account->settings->keys.account);
    slots_unpin(account->worker, batch);
}

static void
note_cursor(char *to, struct span cursor)
{
    if (cursor.size > 0 && cursor.size < QUEUE_MEMBER_MAX) {
        memcpy(to, cursor.data, cursor.size);
        to[cursor.size] = '\0';
    }
}

static void
note_due(struct account *account, const struct claim_reply *claim)
{
    account->due_us = 0;
    if (claim->next_due_ms < 0)
        return;
    uint64_t due_ms = (uint64_t)claim->next_due_ms;
    uint64_t wait_ms = due_ms > claim->now_ms ? due_ms - claim->now_ms : 0;
    account->due_us = loop_now_us(account->worker->loop) + wait_ms * 1000;
}

/* What a claim under way may need was set aside when it was asked for. */
static void
end_claim(struct account *account)
{
    struct worker *worker = account->worker;
    check(account->claiming && worker->claims_under_way > 0);
    account->claiming = false;
    worker->claims_under_way--;
    worker->slots_reserved -= account->slots_reserved;
    account->slots_reserved = 0;
}

/* It is asked again, under the same name, when there is somebody to ask. */
static void
set_lost(struct account *account)
{
    account->claim_sent = false;
    account->worker->claims_lost = true;
}

/* As for a grant: an error is a no, unless this was a repetition of one that may have been done. */
static void
end_refused(struct account *account, const struct reply *reply)
{
    (void)trouble_take(account->worker, account, TROUBLE_CLAIM, reply);
    if (account->claim_in_doubt) {
        set_lost(account);
        worker_ask_again(account->worker);
        return;
    }
    end_claim(account);
    worker_refuse(account);
}

static void
on_claim(void *context, const struct reply *reply)
{
    struct account *account = context;
    struct worker *worker = account->worker;
    check_magic(worker, WORKER_MAGIC);
    worker_work_later(worker); /* a declaration may have waited for this reply */
    if (reply == NULL) { /* what it took, if anything, is asked for again under the same name */
        set_lost(account);
        account->claim_in_doubt = true;
        return;
    }
    struct claim_reply claim;
    if (account->claim_holder != worker->holders) {
        end_claim(account);
        turns_stir(account);
        return; /* asked under a name that was fenced since: others have those entries now */
    }
    if (!claim_read(reply, &claim)) {
        end_refused(account, reply);
        return;
    }
    end_claim(account);
    trouble_end(worker, account, TROUBLE_CLAIM);
    if (claim.declare) {
        declaration_want(worker, "a claim was answered so");
        return;
    }
    if (claim.wait) {
        worker_wait_for_others(account);
        return;
    }
    if (claim.fenced) {
        worker->fenced = true;
        worker_work_later(worker);
        return;
    }
    if (claim.paused || claim.stopped) {
        claim.stopped ? stop_by_redis(account) : pause_by_operator(account);
        return;
    }
    stop_is_over(account);
    worker->claims_wait = false;
    note_cursor(account->cursor[0], claim.cursor_urgent);
    note_cursor(account->cursor[1], claim.cursor_queue);
    note_due(account, &claim);
    account->has_more = claim.part_count > 0 || account->wanted_again;
    if (claim.part_count == 0)
        worker->bell_stale = true; /* this account may sleep now: the bell must watch it */
    uint32_t free_slots = worker->free_deliveries.count;
    take_parts(account, &claim);
    share_pay(&worker->claims, &account->claim_turn, free_slots - worker->free_deliveries.count);
    turns_stir(account);
    turns_wait(account);
    worker_work_later(worker);
}

/* Writes the call (again): a claim repeated under its name gives what is left of it. */
static void
write_claim(struct account *account)
{
    struct worker *worker = account->worker;
    char name[QUEUE_GRANT_MAX];
    const struct call call = {redis_client_session(worker->redis), &account->settings->keys,
                              on_claim, account};
    const struct claim_request request = {
        .holder = worker->holder,
        .claim = name_claim(worker, account->claim_number, name),
        .members_max = account->slots_reserved - QUEUE_BULK_MAX,
        .bytes_max = CLAIM_BYTES_MAX,
    };
    account->claim_holder = worker->holders;
    account->claim_sent = call_claim(&call, &request);
    if (!account->claim_sent)
        set_lost(account);
    redis_client_flush(worker->redis);
}

/*
 * What is worth having claimed before it can be granted: as much as two rounds of exchanges (of
 * what Meta takes), or half a second of the account's pace. An urgent one that comes next waits
 * behind no more than that. And no more than a part of the free slots: those that wait do not wait
 * in the others' place, however many they are.
 */
static uint32_t
ahead_max(const struct account *account)
{
    const struct worker *worker = account->worker;
    const struct pace *pace = &account->pace.pace;
    uint64_t free_slots = worker->free_deliveries.count - worker->slots_reserved;
    uint64_t ahead = 2 * (uint64_t)channel_capacity(worker->channel);
    uint64_t least = free_slots / AHEAD_MIN_PART;
    if (pace->count > 0 && pace->count * AHEAD_US / pace->period_us < ahead)
        ahead = pace->count * AHEAD_US / pace->period_us;
    if (ahead > 2 * (uint64_t)allowance_size(&account->allowance))
        ahead = 2 * (uint64_t)allowance_size(&account->allowance);
    if (ahead > free_slots / AHEAD_PART)
        ahead = free_slots / AHEAD_PART;
    if (ahead > CLAIM_MEMBERS_MAX)
        return CLAIM_MEMBERS_MAX;
    if (least > AHEAD_MIN)
        least = AHEAD_MIN;
    if (ahead < least)
        ahead = least;
    return ahead > 0 ? (uint32_t)ahead : 1;
}

/* False: the worker has no room for another claim of anybody's. */
static bool
has_room(const struct worker *worker)
{
    return worker->free_deliveries.count - worker->slots_reserved >= CLAIM_WORTH + QUEUE_BULK_MAX &&
           worker->batches_free > worker->claims_under_way &&
           worker->holds_free >= (worker->claims_under_way + 1) * CLAIM_PARTS_MAX;
}

static void
ask(struct account *account, uint32_t ahead)
{
    struct worker *worker = account->worker;
    uint32_t members = worker->free_deliveries.count - worker->slots_reserved;
    /* A bulk entry counts 64 and may pass the limit, so the last 64 slots are not asked for. */
    if (members > ahead + QUEUE_BULK_MAX)
        members = ahead + QUEUE_BULK_MAX;
    if (members > CLAIM_MEMBERS_MAX)
        members = CLAIM_MEMBERS_MAX;
    account->claim_number = ++worker->names;
    account->claiming = true;
    account->asked_us = loop_now_us(worker->loop);
    account->claim_in_doubt = false;
    account->wanted_again = false;
    account->slots_reserved = members;
    worker->slots_reserved += members;
    worker->claims_under_way++;
    write_claim(account);
}

/* What an account has to wait for alone takes it out of the ring; what all have to wait for ends
 * the round, and it stays the first. */
void
claims_ask_more(struct worker *worker)
{
    struct account *account;
    while ((account = turns_first_claim(worker)) != NULL) {
        uint32_t ahead = ahead_max(account);
        bool wants = account->has_more && !account->claiming && account->ready_count < ahead &&
                     worker_may_ask(worker, account);
        if (wants && !has_room(worker))
            return;
        share_leave(&worker->claims, &account->claim_turn);
        if (wants)
            ask(account, ahead);
        else
            turns_wait(account);
    }
}

void
claims_ask_lost(struct worker *worker)
{
    worker->claims_lost = false;
    for (uint32_t i = 0; i < worker->account_count; i++)
        if (worker->accounts[i].claiming && !worker->accounts[i].claim_sent)
            write_claim(&worker->accounts[i]);
}

void
claims_release(struct delivery *delivery)
{
    struct claim_hold *hold = delivery->hold;
    if (hold == NULL)
        return; /* it was let go */
    check(hold->deliveries > 0);
    hold->deliveries--;
    delivery->hold = NULL;
    finish_if_empty(hold);
}

void
claims_forget(struct account *account)
{
    if (account->claiming && !account->claim_sent)
        end_claim(account);
}

void
claims_let_go(struct worker *worker)
{
    for (uint32_t i = 0; i < DELIVERIES_MAX; i++)
        worker->deliveries[i].hold = NULL;
    for (uint32_t i = 0; i < worker->account_count; i++)
        worker->accounts[i].finished = NULL;
    worker->free_holds = NULL;
    worker->holds_free = HOLDS_MAX;
    for (uint32_t i = 0; i < HOLDS_MAX; i++) {
        worker->holds[i].deliveries = 0;
        worker->holds[i].next = worker->free_holds;
        worker->free_holds = &worker->holds[i];
    }
}
