#include "loadtest/audit_state.h"
#include "sender/base/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct finish {
    struct audit *audit;
    struct audit_report *report;
};

/* Places of what has no outcome. */
enum { WAITING = AUDIT_IN_STREAM | AUDIT_LATER | AUDIT_UNCERTAIN | AUDIT_PARKED };

static void problem(const struct finish *finish, enum audit_problem kind,
                    const struct audit_message *message, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* Counts it and keeps the first few with what is wrong with them. `message` NULL: of the whole. */
static void
problem(const struct finish *finish, enum audit_problem kind, const struct audit_message *message,
        const char *format, ...)
{
    uint64_t before = finish->report->problems[kind]++;
    if (before >= AUDIT_EXAMPLES_MAX)
        return;
    struct audit_example *example = &finish->report->examples[kind][before];
    uint64_t index =
        message == NULL ? AUDIT_UNKNOWN : (uint64_t)(message - finish->audit->messages);
    example->n = index < finish->audit->generator.messages ? index : AUDIT_UNKNOWN;
    example->member = message == NULL ? (struct audit_member){0} : message->member;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(example->detail, sizeof example->detail, format, arguments);
    va_end(arguments);
}

static bool
has(const struct audit_message *message, uint16_t flag)
{
    return (message->flags & flag) != 0;
}

/* ---- one place or one outcome --------------------------------------------------------------- */

static bool
is_ours(const struct finish *finish, const struct audit_message *message)
{
    return (uint64_t)(message - finish->audit->messages) < finish->audit->generator.messages;
}

/* Every event that there ever was about such a message was seen. */
static bool
events_are_whole(const struct finish *finish, const struct audit_message *message)
{
    const struct audit_view *view = &finish->report->view;
    return is_ours(finish, message) ? view->ours_whole : view->events_whole;
}

/* What the events could not tell: the dead record's word, or the bill where events were trimmed. */
static void
complete_outcome(const struct finish *finish, struct audit_message *message)
{
    bool whole = events_are_whole(finish, message);
    bool in_dead = (message->places & AUDIT_IN_DEAD) != 0;
    if (in_dead && message->outcome == AUDIT_NONE) {
        message->outcome = message->dead;
        finish->report->trimmed += !whole;
        if (whole)
            problem(finish, AUDIT_NO_EVENT, message, "as %s", audit_outcome_text(message->dead));
    } else if (in_dead && message->outcome != message->dead) {
        problem(finish, AUDIT_TWO_OUTCOMES, message, "%s in an event, %s in dead",
                audit_outcome_text(message->outcome), audit_outcome_text(message->dead));
    }
    bool somewhere = (message->places & WAITING) != 0;
    if (message->outcome == AUDIT_NONE && !somewhere && message->charges > 0 && !whole) {
        message->outcome = AUDIT_ACCEPTED;
        message->price = message->bill_price;
        message->wamid = message->bill_wamid;
        finish->report->trimmed++;
    }
}

static void
find_place(const struct finish *finish, const struct audit_message *message)
{
    struct audit_report *report = finish->report;
    uint8_t waiting = message->places & WAITING;
    uint32_t places = (uint32_t)__builtin_popcount(waiting) + (message->outcome != AUDIT_NONE);
    if (places > 1)
        problem(finish, AUDIT_TWO_PLACES, message, "outcome %s%s%s%s%s",
                audit_outcome_text(message->outcome),
                (waiting & AUDIT_IN_STREAM) != 0 ? ", in its stream" : "",
                (waiting & AUDIT_LATER) != 0 ? ", in later" : "",
                (waiting & AUDIT_UNCERTAIN) != 0 ? ", in uncertain" : "",
                (waiting & AUDIT_PARKED) != 0 ? ", parked" : "");
    if (message->events > 1)
        problem(finish, AUDIT_TWO_OUTCOMES, message, "%u events, one says %s", message->events,
                audit_outcome_text(message->outcome));
    if (message->outcome != AUDIT_NONE)
        report->outcomes[message->outcome]++;
    else if ((waiting & (AUDIT_UNCERTAIN | AUDIT_PARKED)) != 0)
        report->parked++;
    else if (waiting != 0 && (message->places & AUDIT_GRANTED) != 0)
        report->granted++;
    else if ((waiting & AUDIT_LATER) != 0)
        report->later++;
    else if (waiting != 0 && (message->places & AUDIT_CLAIMED) != 0)
        report->claimed++;
    else if (waiting != 0)
        report->waiting++;
    else
        problem(finish, report->view.ours_whole ? AUDIT_LOST : AUDIT_UNTOLD, message, "%s",
                has(message, AUDIT_FLAG_PARKED) ? "an event called it uncertain"
                : message->member.known         ? "it was seen once"
                                                : "it was never seen");
}

/* ---- money ---------------------------------------------------------------------------------- */

/* The charge of this attempt of the member's, or NULL. `*only` is filled for its one charge. */
static const struct audit_attempt *
find_charge(const struct audit *audit, const struct audit_message *message, uint64_t token,
            struct audit_attempt *only)
{
    *only = (struct audit_attempt){.token = message->bill_token, .price = message->bill_price};
    if (message->charges == 1)
        return message->bill_token == token ? only : NULL;
    for (uint64_t i = 0; message->charges > 1 && i < audit->charges.count; i++) {
        const struct audit_attempt *charge = &audit->charges.list[i];
        if (charge->token == token && audit_same_member(&charge->member, &message->member))
            return charge;
    }
    return NULL;
}

/* What is exposed, and what of it the bill has. */
static void
look_at_exposed(const struct finish *finish)
{
    struct audit *audit = finish->audit;
    for (uint64_t i = 0; i < audit->count; i++)
        audit->messages[i].exposed = audit->messages[i].exposed_billed = 0;
    for (uint64_t i = 0; i < audit->exposed.count; i++) {
        const struct audit_attempt *attempt = &audit->exposed.list[i];
        struct audit_message *message = audit_record(audit, &attempt->member);
        struct audit_attempt only;
        const struct audit_attempt *charge = find_charge(audit, message, attempt->token, &only);
        message->exposed += attempt->price;
        message->exposed_billed += charge == NULL ? 0 : charge->price;
        if (charge != NULL && charge->price != attempt->price)
            problem(finish, AUDIT_PRICE, message,
                    "%" PRIu64 " here, %" PRIu64 " on the bill (millionths)", attempt->price,
                    charge->price);
    }
}

static void
count_charges(const struct finish *finish, const struct audit_message *message)
{
    if (message->charges > 1 && has(message, AUDIT_FLAG_POSSIBLE)) {
        finish->report->possible_duplicates += message->charges - 1u;
    } else if (message->charges > 1) {
        finish->report->duplicates += message->charges - 1u;
        problem(finish, AUDIT_ACCEPTED_TWICE, message, "%u times", message->charges);
    }
}

/* `rest`: what the bill has of it, and neither ledger nor exposure. */
static void
judge_rest(const struct finish *finish, const struct audit_message *message, int64_t rest)
{
    bool accepted = message->outcome == AUDIT_ACCEPTED;
    if (accepted && message->charges == 0) {
        problem(finish, AUDIT_EVENT_ONLY, message, "%" PRIu64 " millionths", message->price);
    } else if (rest > 0 && (message->places & AUDIT_GRANTED) != 0) {
        finish->report->in_flight_billed += rest;
    } else if (rest != 0 && accepted && message->charges == 1 && message->exposed_billed == 0) {
        problem(finish, AUDIT_PRICE, message,
                "%" PRId64 " here, %" PRIu64 " on the bill (millionths)",
                (int64_t)message->bill_price - rest, message->bill_price);
    } else if (rest > 0) {
        problem(finish, AUDIT_BILL_ONLY, message, "%s here; %" PRId64 " millionths",
                message->outcome == AUDIT_NONE ? "no outcome"
                                               : audit_outcome_text(message->outcome),
                rest);
    } else if (rest < 0) {
        problem(finish, AUDIT_EVENT_ONLY, message, "%" PRId64 " millionths too many", -rest);
    }
}

static void
audit_money_of(const struct finish *finish, const struct audit_message *message)
{
    struct audit_report *report = finish->report;
    bool accepted = message->outcome == AUDIT_ACCEPTED;
    uint64_t booked = (accepted ? message->price : 0) + message->corrected + message->proven;
    report->events += (int64_t)booked;
    report->exposure += (int64_t)message->exposed;
    report->bill += (int64_t)message->bill_price;
    if (!report->view.has_bill)
        return;
    report->exposure_billed += (int64_t)message->exposed_billed;
    count_charges(finish, message);
    judge_rest(finish, message,
               (int64_t)message->bill_price - (int64_t)booked - (int64_t)message->exposed_billed);
    if (accepted && message->wamid == 0)
        problem(finish, AUDIT_NO_WAMID, message, "%" PRIu64 " millionths", message->price);
    else if (accepted && message->charges == 1 && message->exposed_billed == 0 &&
             message->wamid != message->bill_wamid)
        problem(finish, AUDIT_WAMID, message, "the answer was another message's");
}

static void
close_the_books(const struct finish *finish)
{
    struct audit_report *report = finish->report;
    report->ledger = (int64_t)finish->audit->ledger;
    if (report->view.events_whole && report->ledger != report->events)
        problem(finish, AUDIT_LEDGER, NULL, "ledger - events = %" PRId64 " millionths",
                report->ledger - report->events);
    if (!report->view.has_bill)
        return;
    report->bill += (int64_t)finish->audit->strangers_price;
    if (finish->audit->strangers > 0)
        problem(finish, AUDIT_BILL_ONLY, NULL,
                "%" PRIu64 " charges name no member of these accounts", finish->audit->strangers);
    report->difference =
        report->bill - report->ledger - report->exposure_billed - report->in_flight_billed;
    if (report->difference != 0)
        problem(finish, AUDIT_DIFFERENCE, NULL, "%" PRId64 " millionths", report->difference);
}

/* ---- what was expected ---------------------------------------------------------------------- */

static void
expect_of_accepted(const struct finish *finish, const struct audit_message *message,
                   const struct generated_plan *plan)
{
    const char *expected = plan->country->code;
    if (plan->kind == GENERATED_PROMOTIONAL)
        problem(finish, AUDIT_PROMOTIONAL_SENT, message, "it held an offer");
    if (plan->kind == GENERATED_BAD)
        problem(finish, AUDIT_BAD_SENT, message, "its fault: %s",
                generated_fault_text(plan->fault));
    if (message->country[0] != '\0' && memcmp(message->country, expected, 2) != 0)
        problem(finish, AUDIT_COUNTRY, message, "%.2s instead of %s", message->country, expected);
    if (message->charges > 0 && message->bill_to != audit_hash_digits(span_of(plan->to)))
        problem(finish, AUDIT_RECIPIENT, message, "instead of %s", plan->to);
    struct audit_message *owner = &finish->audit->messages[plan->id_of];
    if (has(owner, AUDIT_FLAG_ID_SENT)) {
        finish->report->duplicates++;
        problem(finish, AUDIT_ID_TWICE, message, "its id is %" PRIu64 "-%" PRIu64,
                finish->audit->generator.seed, plan->id_of);
    }
    owner->flags |= AUDIT_FLAG_ID_SENT;
}

static void
compare_with_plan(const struct finish *finish, const struct audit_message *message,
                  const struct generated_plan *plan, uint64_t n)
{
    struct audit_report *report = finish->report;
    bool by_policy = has(message, AUDIT_FLAG_POLICY);
    report->expected[plan->kind]++;
    report->refused_by_policy += message->outcome == AUDIT_REFUSED && by_policy;
    if (message->outcome == AUDIT_ACCEPTED)
        expect_of_accepted(finish, message, plan);
    if (message->outcome == AUDIT_REFUSED && plan->kind == GENERATED_FINE)
        problem(finish, by_policy ? AUDIT_FALSE_ALARM : AUDIT_FINE_REFUSED, message, "to %s",
                plan->to);
    if (message->outcome == AUDIT_EXPIRED && plan->kind == GENERATED_FINE)
        problem(finish, AUDIT_FINE_EXPIRED, message, "after %u ms", message->latency_ms);
    bool alone = plan->id_of == n && !has(message, AUDIT_FLAG_COPIED);
    if (message->outcome == AUDIT_DUPLICATE && alone)
        problem(finish, AUDIT_UNEXPECTED_DUPLICATE, message, "nothing else carries that id");
}

static void
mark_copies(struct audit *audit)
{
    if (audit->generator.duplicates <= 0)
        return;
    for (uint64_t n = 0; n < audit->generator.messages; n++) {
        struct generated_plan plan;
        generator_plan(&audit->generator, n, &plan);
        if (plan.id_of != n)
            audit->messages[plan.id_of].flags |= AUDIT_FLAG_COPIED;
    }
}

static void
take_time(struct audit_report *report, const struct audit_message *message)
{
    uint64_t at_ms = message->member.ms + message->latency_ms;
    histogram_add(&report->latency_ms, message->latency_ms);
    if (report->first_ms == 0 || at_ms < report->first_ms)
        report->first_ms = at_ms;
    if (at_ms > report->last_ms)
        report->last_ms = at_ms;
}

/* A notification that was written twice, and neither is a duplicate: both must not be sent. */
static void
expect_of_twin(const struct finish *finish, const struct audit_message *message)
{
    struct generated_plan plan;
    if (message->twin_of == 0 || message->outcome != AUDIT_ACCEPTED)
        return;
    generator_plan(&finish->audit->generator, message->twin_of - 1, &plan);
    expect_of_accepted(finish, message, &plan);
}

static bool
has_come_to_nothing(const struct audit_message *message)
{
    return message->outcome == AUDIT_DUPLICATE ||
           (message->outcome == AUDIT_NONE && message->places == 0);
}

/* Its producer wrote it again: the record of ours is the one that did not come to nothing. */
static void
choose_twin(struct audit *audit, struct audit_message *twin)
{
    struct audit_message *ours = &audit->messages[twin->twin_of - 1];
    if (!has(ours, AUDIT_FLAG_REPEATED) || has(twin, AUDIT_FLAG_GONE) ||
        !has_come_to_nothing(ours) || has_come_to_nothing(twin))
        return;
    struct audit_message other = *ours;
    *ours = *twin;
    ours->flags |= other.flags & (AUDIT_FLAG_REPEATED | AUDIT_FLAG_COPIED | AUDIT_FLAG_ID_SENT);
    ours->twin_of = 0;
    other.twin_of = twin->twin_of;
    *twin = other;
}

static void
complete_all(const struct finish *finish)
{
    struct audit *audit = finish->audit;
    for (uint64_t i = 0; i < audit->count; i++)
        if (!has(&audit->messages[i], AUDIT_FLAG_GONE))
            complete_outcome(finish, &audit->messages[i]);
    for (uint64_t i = audit->generator.messages; i < audit->count; i++)
        if (audit->messages[i].twin_of != 0)
            choose_twin(audit, &audit->messages[i]);
}

static void
finish_one(const struct finish *finish, uint64_t index)
{
    struct audit_message *message = &finish->audit->messages[index];
    if (has(message, AUDIT_FLAG_GONE))
        return;
    audit_money_of(finish, message);
    if (!is_ours(finish, message)) {
        finish->report->foreign++;
        expect_of_twin(finish, message);
        return;
    }
    find_place(finish, message);
    if (message->events > 0)
        take_time(finish->report, message);
    struct generated_plan plan;
    generator_plan(&finish->audit->generator, index, &plan);
    compare_with_plan(finish, message, &plan, index);
}

void
audit_finish(struct audit *audit, const struct audit_view *view, struct audit_report *report)
{
    memset(report, 0, sizeof *report);
    report->seed = audit->generator.seed;
    report->generated = audit->generator.messages;
    report->view = *view;
    struct finish finish = {.audit = audit, .report = report};
    mark_copies(audit);
    look_at_exposed(&finish);
    complete_all(&finish);
    for (uint64_t i = 0; i < audit->count; i++)
        finish_one(&finish, i);
    close_the_books(&finish);
    report->lost = report->problems[AUDIT_LOST];
    report->good = true;
    for (uint32_t i = 0; i < AUDIT_PROBLEM_COUNT; i++)
        report->good = report->good && report->problems[i] == 0;
}

const char *
audit_problem_name(enum audit_problem kind)
{
    static const char *const names[] = {
#define X(name, json, text) json,
        AUDIT_PROBLEMS(X)
#undef X
    };
    check(kind < AUDIT_PROBLEM_COUNT);
    return names[kind];
}

const char *
audit_problem_text(enum audit_problem kind)
{
    static const char *const texts[] = {
#define X(name, json, text) text,
        AUDIT_PROBLEMS(X)
#undef X
    };
    check(kind < AUDIT_PROBLEM_COUNT);
    return texts[kind];
}
