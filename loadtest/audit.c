#include "loadtest/audit_state.h"
#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

static const char *const outcome_texts[AUDIT_OUTCOMES] = {
    "none", "accepted", "refused", "duplicate", "expired", "failed", "dead", "dropped"};

const char *
audit_outcome_text(enum audit_outcome outcome)
{
    check(outcome < AUDIT_OUTCOMES);
    return outcome_texts[outcome];
}

bool
audit_read_outcome(struct span text, enum audit_outcome *outcome)
{
    for (uint32_t i = AUDIT_ACCEPTED; i < AUDIT_OUTCOMES; i++) {
        if (span_equal(text, span_of(outcome_texts[i]))) {
            *outcome = (enum audit_outcome)i;
            return true;
        }
    }
    return false;
}

bool
audit_read_member(struct span name, uint32_t account, struct audit_member *member)
{
    struct span rest = name;
    uint8_t stream = AUDIT_QUEUE;
    if (rest.size > 0 && (rest.data[0] == 'u' || rest.data[0] == 'r')) {
        stream = rest.data[0] == 'u' ? AUDIT_URGENT : AUDIT_REPLIES;
        rest = (struct span){rest.data + 1, rest.size - 1};
    }
    struct span ms = span_split(&rest, '-');
    struct span seq = span_split(&rest, '/');
    uint64_t numbers[3] = {0};
    if (!span_to_u64(ms, &numbers[0]) || !span_to_u64(seq, &numbers[1]) || numbers[1] > UINT32_MAX)
        return false;
    if (rest.data != NULL &&
        (!span_to_u64(rest, &numbers[2]) || numbers[2] == 0 || numbers[2] > 64))
        return false;
    *member = (struct audit_member){.ms = numbers[0],
                                    .seq = (uint32_t)numbers[1],
                                    .index = (uint8_t)numbers[2],
                                    .stream = stream,
                                    .account = (uint8_t)account,
                                    .known = true};
    return true;
}

void
audit_put_member(const struct audit_member *member, struct buffer *out)
{
    static const char *const letters[AUDIT_STREAMS] = {"", "u", "r"};
    check(member->stream < AUDIT_STREAMS);
    buffer_put_text(out, letters[member->stream]);
    buffer_put_u64(out, member->ms);
    buffer_put_char(out, '-');
    buffer_put_u64(out, member->seq);
    if (member->index > 0) {
        buffer_put_char(out, '/');
        buffer_put_u64(out, member->index);
    }
}

const char *
audit_stream_name(enum audit_stream stream)
{
    static const char *const names[AUDIT_STREAMS] = {"queue", "urgent", "replies"};
    check(stream < AUDIT_STREAMS);
    return names[stream];
}

uint64_t
audit_hash(struct span text)
{
    return text.size == 0 ? 0 : span_hash(text) | 1;
}

uint64_t
audit_hash_token(struct span grant, uint64_t index)
{
    return (audit_hash(grant) ^ index * 0x9e3779b97f4a7c15u) | 1;
}

uint32_t
audit_hash_digits(struct span number)
{
    if (number.size > 0 && number.data[0] == '+')
        number = (struct span){number.data + 1, number.size - 1};
    return (uint32_t)(audit_hash(number) >> 16 | 1);
}

/* ---- members and their records ------------------------------------------------------------ */

bool
audit_same_member(const struct audit_member *a, const struct audit_member *b)
{
    return a->ms == b->ms && a->seq == b->seq && a->index == b->index && a->stream == b->stream &&
           a->account == b->account;
}

static uint64_t
hash_member(const struct audit_member *member)
{
    uint64_t h = member->ms * 0x9e3779b97f4a7c15u ^
                 ((uint64_t)member->seq << 24 | (uint64_t)member->index << 16 |
                  (uint64_t)member->stream << 8 | member->account) *
                     0xd6e8feb86659fd93u;
    return h ^ h >> 29;
}

/* The slot that holds the member, or the free one where it belongs. */
static uint32_t *
slot_of(struct audit *audit, const struct audit_member *member)
{
    uint64_t at = hash_member(member) & (audit->slot_count - 1);
    while (audit->slots[at] != 0 &&
           !audit_same_member(&audit->messages[audit->slots[at] - 1].member, member))
        at = (at + 1) & (audit->slot_count - 1);
    return &audit->slots[at];
}

static void
grow_slots(struct audit *audit)
{
    uint32_t *old = audit->slots;
    uint64_t old_count = audit->slot_count;
    audit->slot_count *= 2;
    audit->slots = check_alloc(audit->slot_count, sizeof audit->slots[0]);
    for (uint64_t i = 0; i < old_count; i++)
        if (old[i] != 0)
            *slot_of(audit, &audit->messages[old[i] - 1].member) = old[i];
    free(old);
}

static uint64_t
add_foreign(struct audit *audit)
{
    if (audit->count == audit->capacity) {
        uint64_t capacity = audit->capacity * 2;
        struct audit_message *messages = check_alloc(capacity, sizeof messages[0]);
        memcpy(messages, audit->messages, audit->count * sizeof messages[0]);
        free(audit->messages);
        audit->messages = messages;
        audit->capacity = capacity;
    }
    check(audit->count < UINT32_MAX - 1);
    return audit->count++;
}

static bool
is_done(const struct audit_message *message)
{
    return message->outcome != AUDIT_NONE || (message->flags & AUDIT_FLAG_PARKED) != 0;
}

/* A foreign record turns out to be notification `n`'s. */
static void
adopt(struct audit *audit, uint32_t *slot, uint64_t n)
{
    struct audit_message *foreign = &audit->messages[*slot - 1];
    uint16_t flags = audit->messages[n].flags;
    audit->messages[n] = *foreign;
    audit->messages[n].flags |= flags;
    audit->live.done += is_done(foreign);
    foreign->flags = AUDIT_FLAG_GONE;
    foreign->member.known = false;
    *slot = (uint32_t)n + 1;
}

static struct audit_message *
record_of(struct audit *audit, struct audit_member member, uint64_t n)
{
    check(member.known && (n == AUDIT_UNKNOWN || n < audit->generator.messages));
    bool free_n = n != AUDIT_UNKNOWN && !audit->messages[n].member.known;
    uint32_t *slot = slot_of(audit, &member);
    if (*slot != 0) {
        bool foreign = *slot - 1 >= audit->generator.messages;
        if (foreign && free_n)
            adopt(audit, slot, n);
        else if (foreign && n != AUDIT_UNKNOWN)
            audit->messages[*slot - 1].twin_of = (uint32_t)n + 1;
        return &audit->messages[*slot - 1];
    }
    /* A second member that says it is `n` is a foreign one: `n` was written twice. */
    uint64_t index = free_n ? n : add_foreign(audit);
    audit->messages[index].member = member;
    audit->messages[index].twin_of = free_n || n == AUDIT_UNKNOWN ? 0 : (uint32_t)n + 1;
    *slot = (uint32_t)index + 1;
    if (++audit->named * 2 > audit->slot_count)
        grow_slots(audit);
    return &audit->messages[index];
}

struct audit_message *
audit_record(struct audit *audit, const struct audit_member *member)
{
    uint32_t slot = *slot_of(audit, member);
    check(slot != 0);
    return &audit->messages[slot - 1];
}

static void
add_attempt(struct audit_attempts *attempts, const struct audit_attempt *attempt)
{
    if (attempts->count == attempts->capacity) {
        uint64_t capacity = attempts->capacity * 2 + 64;
        struct audit_attempt *list = check_alloc(capacity, sizeof list[0]);
        if (attempts->count > 0)
            memcpy(list, attempts->list, attempts->count * sizeof list[0]);
        free(attempts->list);
        attempts->list = list;
        attempts->capacity = capacity;
    }
    attempts->list[attempts->count++] = *attempt;
}

struct audit *
audit_open(const struct generator *generator)
{
    check(generator->messages <= AUDIT_MESSAGES_MAX);
    struct audit *audit = check_alloc(1, sizeof *audit);
    audit->generator = *generator;
    audit->count = generator->messages;
    audit->capacity = generator->messages + 1024;
    audit->messages = check_alloc(audit->capacity, sizeof audit->messages[0]);
    audit->slot_count = 4096;
    while (audit->slot_count < generator->messages * 2)
        audit->slot_count *= 2;
    audit->slots = check_alloc(audit->slot_count, sizeof audit->slots[0]);
    return audit;
}

void
audit_close(struct audit *audit)
{
    if (audit == NULL)
        return;
    free(audit->slots);
    free(audit->messages);
    free(audit->exposed.list);
    free(audit->charges.list);
    free(audit);
}

/* ---- facts -------------------------------------------------------------------------------- */

void
audit_bind(struct audit *audit, struct audit_member member, uint64_t n)
{
    (void)record_of(audit, member, n);
}

void
audit_repeated(struct audit *audit, uint64_t n)
{
    check(n < audit->generator.messages);
    audit->messages[n].flags |= AUDIT_FLAG_REPEATED;
}

struct audit_member
audit_member_of(const struct audit *audit, uint64_t n)
{
    check(n < audit->generator.messages);
    return audit->messages[n].member;
}

const struct audit_live *
audit_live(const struct audit *audit)
{
    return &audit->live;
}

static bool
is_ours(const struct audit *audit, const struct audit_message *message)
{
    return (uint64_t)(message - audit->messages) < audit->generator.messages;
}

static void
count_live(struct audit_live *live, const struct audit_event *event)
{
    if (event->outcome == AUDIT_ACCEPTED) {
        live->accepted++;
        live->money += event->price;
    } else if (event->outcome == AUDIT_REFUSED) {
        live->refused++;
    } else {
        live->other++;
    }
}

void
audit_event(struct audit *audit, const struct audit_event *event)
{
    check(event->outcome != AUDIT_NONE && event->outcome < AUDIT_OUTCOMES);
    struct audit_message *message = record_of(audit, event->member, event->n);
    bool was_done = is_done(message);
    if ((message->flags & AUDIT_FLAG_PARKED) != 0) {
        message->flags &= (uint16_t)~AUDIT_FLAG_PARKED;
        audit->live.parked--;
    }
    message->events += message->events < UINT8_MAX;
    if (message->outcome != AUDIT_ACCEPTED)
        message->outcome = (uint8_t)event->outcome;
    if (event->by_policy)
        message->flags |= AUDIT_FLAG_POLICY;
    if (event->possible_duplicate)
        message->flags |= AUDIT_FLAG_POSSIBLE;
    if (event->outcome == AUDIT_ACCEPTED) {
        message->price = event->price;
        message->wamid = audit_hash(event->wamid);
    }
    if (event->country.size == 2)
        memcpy(message->country, event->country.data, 2);
    uint64_t latency = event->at_ms > event->member.ms ? event->at_ms - event->member.ms : 0;
    message->latency_ms = latency < UINT32_MAX ? (uint32_t)latency : UINT32_MAX;
    audit->live.done += is_ours(audit, message) && !was_done;
    count_live(&audit->live, event);
}

void
audit_uncertain(struct audit *audit, struct audit_member member, uint64_t n)
{
    struct audit_message *message = record_of(audit, member, n);
    if (is_done(message))
        return;
    message->flags |= AUDIT_FLAG_PARKED;
    audit->live.parked++;
    audit->live.done += is_ours(audit, message);
}

void
audit_corrected(struct audit *audit, struct audit_member member, uint64_t n, uint64_t price)
{
    record_of(audit, member, n)->corrected += price;
}

void
audit_place(struct audit *audit, struct audit_member member, uint64_t n, enum audit_place place)
{
    record_of(audit, member, n)->places |= (uint8_t)place;
}

void
audit_exposed(struct audit *audit, struct audit_member member, uint64_t token, uint64_t price)
{
    (void)record_of(audit, member, AUDIT_UNKNOWN);
    add_attempt(&audit->exposed,
                &(struct audit_attempt){.member = member, .token = token, .price = price});
}

void
audit_proven(struct audit *audit, struct audit_member member, uint64_t price)
{
    record_of(audit, member, AUDIT_UNKNOWN)->proven = price;
}

void
audit_flag_possible(struct audit *audit, struct audit_member member)
{
    record_of(audit, member, AUDIT_UNKNOWN)->flags |= AUDIT_FLAG_POSSIBLE;
}

void
audit_dead(struct audit *audit, struct audit_member member, uint64_t n, enum audit_outcome outcome)
{
    struct audit_message *message = record_of(audit, member, n);
    message->places |= AUDIT_IN_DEAD;
    message->dead = (uint8_t)outcome;
}

void
audit_charge(struct audit *audit, const struct audit_charge *charge)
{
    struct audit_message *message = record_of(audit, charge->member, AUDIT_UNKNOWN);
    struct audit_attempt attempt = {
        .member = message->member, .token = message->bill_token, .price = message->bill_price};
    if (message->charges == 1)
        add_attempt(&audit->charges, &attempt);
    attempt.token = charge->token;
    attempt.price = charge->price;
    if (message->charges > 0)
        add_attempt(&audit->charges, &attempt);
    message->charges += message->charges < UINT8_MAX;
    message->bill_price += charge->price;
    message->bill_token = charge->token;
    message->bill_wamid = audit_hash(charge->wamid);
    message->bill_to = audit_hash_digits(charge->to);
}

void
audit_stranger(struct audit *audit, uint64_t price)
{
    audit->strangers++;
    audit->strangers_price += price;
}

void
audit_ledger(struct audit *audit, uint64_t millionths)
{
    audit->ledger += millionths;
}

void
audit_forget_places(struct audit *audit)
{
    audit->ledger = 0;
    audit->exposed.count = 0;
    for (uint64_t i = 0; i < audit->count; i++) {
        audit->messages[i].places = 0;
        audit->messages[i].dead = AUDIT_NONE;
        audit->messages[i].proven = 0;
    }
}
