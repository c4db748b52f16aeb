/*
 * Every test begins with a small world in which all is well, spoils one fact, and expects that the
 * audit finds exactly that.
 */
#include "loadtest/audit.h"
#include "loadtest/load_report.h"
#include "tests/unit/test.h"

#include <jansson.h>
#include <string.h>

enum { MESSAGES = 10, PRICE = 55000 };

static struct generator generator = {
    .seed = 1, .messages = MESSAGES, .accounts = 1, .countries = 60, .bulk = false};
static struct audit *audit;
static struct audit_report report;
static const struct audit_view all = {.events_whole = true, .ours_whole = true, .has_bill = true};

static struct audit_member
member_of(uint64_t n)
{
    return (struct audit_member){.ms = 1732377600000 + n, .known = true};
}

static struct span
wamid_of(uint64_t n, char text[32])
{
    (void)snprintf(text, 32, "wamid.%" PRIu64, n);
    return span_of(text);
}

static void
accept_event(uint64_t n, uint64_t price)
{
    char wamid[32];
    struct generated_plan plan;
    generator_plan(&generator, n, &plan);
    struct audit_event event = {.member = member_of(n),
                                .n = n,
                                .outcome = AUDIT_ACCEPTED,
                                .price = price,
                                .wamid = wamid_of(n, wamid),
                                .country = span_of(plan.country->code),
                                .at_ms = 1732377600100 + n};
    audit_event(audit, &event);
}

static void
outcome(uint64_t n, enum audit_outcome what, bool by_policy)
{
    struct audit_event event = {.member = member_of(n),
                                .n = n,
                                .outcome = what,
                                .by_policy = by_policy,
                                .at_ms = 1732377601000};
    audit_event(audit, &event);
}

static uint64_t
token_of(uint64_t n, uint64_t attempt)
{
    char grant[32];
    (void)snprintf(grant, sizeof grant, "h.%" PRIu64, attempt);
    return audit_hash_token(span_of(grant), n);
}

/* The charge of the member's attempt `attempt`. */
static void
charge_attempt(uint64_t n, struct audit_member member, uint64_t attempt, uint64_t price)
{
    char wamid[32];
    struct generated_plan plan;
    generator_plan(&generator, n, &plan);
    struct audit_charge charge = {.member = member,
                                  .token = token_of(n, attempt),
                                  .price = price,
                                  .wamid = wamid_of(n, wamid),
                                  .to = span_of(plan.to)};
    audit_charge(audit, &charge);
}

static void
charge_as(uint64_t n, struct audit_member member, uint64_t price)
{
    charge_attempt(n, member, 1, price);
}

static void
charge(uint64_t n, uint64_t price)
{
    charge_as(n, member_of(n), price);
}

/* Messages `from` to the last are accepted, booked and billed; those before are the test's. */
static void
world(uint64_t from)
{
    audit_close(audit);
    audit = audit_open(&generator);
    for (uint64_t n = from; n < generator.messages; n++) {
        accept_event(n, PRICE);
        audit_ledger(audit, PRICE);
        charge(n, PRICE);
    }
}

static void
finish(void)
{
    audit_finish(audit, &all, &report);
}

/* Exactly this kind of problem, so often. */
static void
expect_only(enum audit_problem kind, uint64_t count)
{
    for (uint32_t i = 0; i < AUDIT_PROBLEM_COUNT; i++) {
        uint64_t expected = i == (uint32_t)kind ? count : 0;
        if (report.problems[i] != expected)
            printf("%s: %" PRIu64 "\n", audit_problem_name((enum audit_problem)i),
                   report.problems[i]);
        expect_u64(report.problems[i], expected);
    }
    expect(report.good == (count == 0));
}

/* ---- all is well ---------------------------------------------------------------------------- */

static void
a_good_world_is_good(void)
{
    world(0);
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.outcomes[AUDIT_ACCEPTED], MESSAGES);
    expect_u64(report.ledger, MESSAGES * PRICE);
    expect_u64(report.bill, MESSAGES * PRICE);
    expect(report.difference == 0 && report.exposure == 0);
    expect_u64(report.latency_ms.count, MESSAGES);
    expect_u64(histogram_at(&report.latency_ms, 0.5) >= 100, 1);
}

static void
each_message_is_counted_in_one_place(void)
{
    world(6);
    outcome(0, AUDIT_FAILED, false);
    outcome(1, AUDIT_DEAD, false);
    audit_dead(audit, member_of(1), 1, AUDIT_DEAD);
    audit_place(audit, member_of(2), 2, AUDIT_IN_STREAM);
    audit_place(audit, member_of(3), 3, AUDIT_IN_STREAM);
    audit_place(audit, member_of(3), 3, AUDIT_CLAIMED);
    audit_place(audit, member_of(4), AUDIT_UNKNOWN, AUDIT_GRANTED); /* named before it is known */
    audit_place(audit, member_of(4), 4, AUDIT_IN_STREAM);
    audit_place(audit, member_of(5), 5, AUDIT_LATER);
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.outcomes[AUDIT_ACCEPTED], 4);
    expect_u64(report.outcomes[AUDIT_FAILED], 1);
    expect_u64(report.outcomes[AUDIT_DEAD], 1);
    expect_u64(report.waiting, 1);
    expect_u64(report.claimed, 1);
    expect_u64(report.granted, 1);
    expect_u64(report.later, 1);
    expect_u64(report.foreign, 0);
}

static void
what_is_parked_is_exposure(void)
{
    world(2);
    audit_uncertain(audit, member_of(0), 0);
    audit_place(audit, member_of(0), 0, AUDIT_UNCERTAIN);
    audit_exposed(audit, member_of(0), token_of(0, 1), PRICE);
    charge(0, PRICE); /* it did arrive */
    audit_uncertain(audit, member_of(1), AUDIT_UNKNOWN);
    audit_place(audit, member_of(1), 1, AUDIT_PARKED);
    audit_exposed(audit, member_of(1), token_of(1, 1), PRICE); /* it did not */
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.parked, 2);
    expect_u64(report.exposure, 2 * PRICE);
    expect_u64(report.exposure_billed, PRICE);
    expect(report.difference == 0);
}

/* Attempt 1 had no answer, attempt 2 was accepted: both are on the bill. */
static void
each_attempt_is_exposed_until_its_receipt(void)
{
    for (int receipt_came = 0; receipt_came < 2; receipt_came++) {
        world(1);
        accept_event(0, PRICE);
        audit_ledger(audit, PRICE);
        audit_flag_possible(audit, member_of(0));
        charge_attempt(0, member_of(0), 1, PRICE);
        charge_attempt(0, member_of(0), 2, PRICE);
        if (receipt_came) {
            audit_corrected(audit, member_of(0), 0, PRICE);
            audit_ledger(audit, PRICE);
        } else {
            audit_exposed(audit, member_of(0), token_of(0, 1), PRICE);
        }
        finish();
        expect_only(AUDIT_LOST, 0);
        expect_u64(report.possible_duplicates, 1);
        expect_u64(report.exposure_billed, receipt_came ? 0 : PRICE);
    }
}

/* What is exposed is the attempt, not its member: the bill must hold that attempt. */
static void
another_attempts_charge_does_not_explain_it(void)
{
    world(1);
    audit_place(audit, member_of(0), 0, AUDIT_UNCERTAIN);
    audit_exposed(audit, member_of(0), token_of(0, 1), PRICE);
    charge_attempt(0, member_of(0), 2, PRICE);
    finish();
    expect_u64(report.problems[AUDIT_BILL_ONLY], 1);
    expect_u64(report.exposure_billed, 0);
    expect(report.difference == PRICE);
}

static void
what_is_proven_is_charged_before_it_is_told(void)
{
    world(1);
    audit_place(audit, member_of(0), 0, AUDIT_LATER);
    audit_proven(audit, member_of(0), PRICE);
    audit_proven(audit, member_of(0), PRICE); /* seen twice in one scan */
    audit_ledger(audit, PRICE);
    charge(0, PRICE);
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.later, 1);
}

static void
a_dropped_one_may_be_charged_later(void)
{
    world(1);
    outcome(0, AUDIT_DROPPED, false);
    charge(0, PRICE);
    audit_corrected(audit, member_of(0), 0, PRICE);
    audit_ledger(audit, PRICE);
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.outcomes[AUDIT_DROPPED], 1);
}

static void
a_parked_one_with_an_outcome_is_found(void)
{
    world(0);
    audit_place(audit, member_of(0), 0, AUDIT_PARKED);
    finish();
    expect_only(AUDIT_TWO_PLACES, 1);
}

static void
what_is_in_flight_is_not_a_difference(void)
{
    world(1);
    audit_place(audit, member_of(0), 0, AUDIT_IN_STREAM);
    audit_place(audit, member_of(0), 0, AUDIT_GRANTED);
    charge(0, PRICE);
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.in_flight_billed, PRICE);
    expect_u64(report.granted, 1);
}

static void
others_money_counts_but_not_their_number(void)
{
    world(0);
    struct audit_event event = {.member = member_of(77),
                                .n = AUDIT_UNKNOWN,
                                .outcome = AUDIT_ACCEPTED,
                                .price = 5,
                                .wamid = SPAN("x"),
                                .at_ms = 1732377600100};
    struct audit_charge theirs = {.member = member_of(77), .price = 5, .wamid = SPAN("x")};
    audit_event(audit, &event);
    audit_charge(audit, &theirs);
    audit_ledger(audit, 5);
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.foreign, 1);
    expect_u64(report.outcomes[AUDIT_ACCEPTED], MESSAGES);
    expect_u64(report.ledger, MESSAGES * PRICE + 5);
}

/* ---- one thing is wrong --------------------------------------------------------------------- */

/* Written twice, because its producer heard no answer: the second is told off as a duplicate, or it
 * is the first that was never there. */
static void
a_repeated_one_counts_once(void)
{
    for (int first_is_the_duplicate = 0; first_is_the_duplicate < 2; first_is_the_duplicate++) {
        world(1);
        struct audit_member again = member_of(0);
        again.seq = 1;
        struct audit_member accepted = first_is_the_duplicate ? again : member_of(0);
        struct audit_member duplicate = first_is_the_duplicate ? member_of(0) : again;
        struct audit_event told = {
            .member = duplicate, .n = 0, .outcome = AUDIT_DUPLICATE, .at_ms = 1732377601000};
        audit_bind(audit, member_of(0), 0);
        audit_repeated(audit, 0);
        audit_event(audit, &told);
        charge_as(0, accepted, PRICE);
        audit_ledger(audit, PRICE);
        told.member = accepted;
        told.outcome = AUDIT_ACCEPTED;
        told.price = PRICE;
        char wamid[32];
        told.wamid = wamid_of(0, wamid);
        audit_event(audit, &told);
        finish();
        expect(report.good);
        expect_u64(report.outcomes[AUDIT_ACCEPTED], MESSAGES);
        expect_u64(report.outcomes[AUDIT_DUPLICATE], 0);
        expect_u64(report.foreign, 1);
    }
}

static void
a_repeated_one_that_is_sent_twice_is_found(void)
{
    world(0);
    struct audit_member again = member_of(0);
    again.seq = 1;
    char wamid[32];
    struct audit_event told = {.member = again,
                               .n = 0,
                               .outcome = AUDIT_ACCEPTED,
                               .price = PRICE,
                               .wamid = wamid_of(0, wamid),
                               .at_ms = 1732377601000};
    audit_repeated(audit, 0);
    audit_event(audit, &told);
    audit_ledger(audit, PRICE);
    charge_as(0, again, PRICE);
    finish();
    expect_only(AUDIT_ID_TWICE, 1);
    expect_u64(report.duplicates, 1);
}

static void
a_lost_one_is_found(void)
{
    world(1);
    finish();
    expect_only(AUDIT_LOST, 1);
    expect_u64(report.lost, 1);
    expect_u64(report.examples[AUDIT_LOST][0].n, 0);
    world(1);
    audit_uncertain(audit, member_of(0), 0); /* an event alone is no place */
    finish();
    expect_only(AUDIT_LOST, 1);
}

static void
a_blind_duplicate_is_found(void)
{
    world(0);
    charge(3, PRICE);
    audit_ledger(audit, 0);
    finish();
    expect_u64(report.problems[AUDIT_ACCEPTED_TWICE], 1);
    expect_u64(report.problems[AUDIT_DIFFERENCE], 1); /* it costs, too */
    expect_u64(report.duplicates, 1);
    expect(report.difference == PRICE);
    expect(!report.good);
}

static void
a_flagged_duplicate_is_only_possible(void)
{
    world(1);
    char wamid[32];
    struct audit_event event = {.member = member_of(0),
                                .n = 0,
                                .outcome = AUDIT_ACCEPTED,
                                .possible_duplicate = true,
                                .price = PRICE,
                                .wamid = wamid_of(0, wamid),
                                .at_ms = 1732377600100};
    audit_event(audit, &event);
    audit_ledger(audit, PRICE);
    charge(0, PRICE);
    charge(0, PRICE);
    finish();
    expect_u64(report.duplicates, 0);
    expect_u64(report.possible_duplicates, 1);
    expect_u64(report.problems[AUDIT_ACCEPTED_TWICE], 0);
}

static void
a_wrong_price_is_found(void)
{
    world(1);
    accept_event(0, PRICE);
    audit_ledger(audit, PRICE);
    charge(0, PRICE + 1);
    finish();
    expect_u64(report.problems[AUDIT_PRICE], 1);
    expect(report.difference == 1);
}

static void
a_wrong_price_of_a_parked_one_is_found(void)
{
    world(1);
    audit_place(audit, member_of(0), 0, AUDIT_UNCERTAIN);
    audit_exposed(audit, member_of(0), token_of(0, 1), PRICE + 1);
    charge(0, PRICE);
    finish();
    expect_only(AUDIT_PRICE, 1);
}

static void
a_missing_charge_of_the_ledger_is_found(void)
{
    world(1);
    accept_event(0, PRICE);
    charge(0, PRICE);
    finish();
    expect_u64(report.problems[AUDIT_LEDGER], 1);
    expect_u64(report.problems[AUDIT_DIFFERENCE], 1);
    expect(report.difference == PRICE);
}

static void
two_wrongs_that_cancel_out_are_found(void)
{
    world(2);
    accept_event(0, PRICE + 7);
    accept_event(1, PRICE - 7);
    audit_ledger(audit, 2 * PRICE);
    charge(0, PRICE);
    charge(1, PRICE);
    finish();
    expect_only(AUDIT_PRICE, 2);
    expect(report.difference == 0);
}

static void
two_outcomes_are_found(void)
{
    world(0);
    outcome(4, AUDIT_FAILED, false);
    finish();
    expect_only(AUDIT_TWO_OUTCOMES, 1);
    world(0);
    audit_dead(audit, member_of(4), 4, AUDIT_DEAD);
    finish();
    expect_only(AUDIT_TWO_OUTCOMES, 1);
}

static void
two_places_are_found(void)
{
    world(0);
    audit_place(audit, member_of(4), 4, AUDIT_IN_STREAM); /* accepted, yet it will be sent again */
    finish();
    expect_only(AUDIT_TWO_PLACES, 1);
    world(1);
    audit_place(audit, member_of(0), 0, AUDIT_IN_STREAM);
    audit_place(audit, member_of(0), 0, AUDIT_LATER);
    finish();
    expect_only(AUDIT_TWO_PLACES, 1);
}

static void
a_dead_one_without_event_is_found(void)
{
    world(1);
    audit_dead(audit, member_of(0), 0, AUDIT_FAILED);
    finish();
    expect_only(AUDIT_NO_EVENT, 1);
    expect_u64(report.outcomes[AUDIT_FAILED], 1);
}

static void
a_charge_for_nothing_is_found(void)
{
    world(1);
    outcome(0, AUDIT_FAILED, false);
    charge(0, PRICE);
    finish();
    expect_u64(report.problems[AUDIT_BILL_ONLY], 1);
    expect_u64(report.problems[AUDIT_DIFFERENCE], 1);
    world(0);
    audit_stranger(audit, PRICE);
    finish();
    expect_u64(report.problems[AUDIT_BILL_ONLY], 1);
    expect(report.difference == PRICE);
}

static void
an_acceptance_that_nobody_made_is_found(void)
{
    world(1);
    accept_event(0, PRICE);
    audit_ledger(audit, PRICE);
    finish();
    expect_u64(report.problems[AUDIT_EVENT_ONLY], 1);
    expect(report.difference == -PRICE);
}

static void
an_acceptance_without_message_id_is_found(void)
{
    world(1);
    struct audit_event event = {.member = member_of(0),
                                .n = 0,
                                .outcome = AUDIT_ACCEPTED,
                                .price = PRICE,
                                .at_ms = 1732377600100};
    audit_event(audit, &event);
    audit_ledger(audit, PRICE);
    charge(0, PRICE);
    finish();
    expect_only(AUDIT_NO_WAMID, 1);
}

static void
a_swapped_answer_is_found(void)
{
    world(1);
    accept_event(0, PRICE);
    audit_ledger(audit, PRICE);
    struct generated_plan plan;
    generator_plan(&generator, 0, &plan);
    struct audit_charge other = {
        .member = member_of(0), .price = PRICE, .wamid = SPAN("another"), .to = span_of(plan.to)};
    audit_charge(audit, &other);
    finish();
    expect_only(AUDIT_WAMID, 1);
}

static void
a_wrong_recipient_is_found(void)
{
    world(1);
    char wamid[32];
    accept_event(0, PRICE);
    audit_ledger(audit, PRICE);
    struct audit_charge other = {.member = member_of(0),
                                 .price = PRICE,
                                 .wamid = wamid_of(0, wamid),
                                 .to = SPAN("+33600000000")};
    audit_charge(audit, &other);
    finish();
    expect_only(AUDIT_RECIPIENT, 1);
}

static void
a_wrong_country_is_found(void)
{
    world(1);
    char wamid[32];
    struct audit_event event = {.member = member_of(0),
                                .n = 0,
                                .outcome = AUDIT_ACCEPTED,
                                .price = PRICE,
                                .wamid = wamid_of(0, wamid),
                                .country = SPAN("AQ"),
                                .at_ms = 1732377600100};
    audit_event(audit, &event);
    audit_ledger(audit, PRICE);
    charge(0, PRICE);
    finish();
    expect_only(AUDIT_COUNTRY, 1);
}

/* ---- what was expected of them -------------------------------------------------------------- */

static void
a_fine_one_that_is_refused_is_found(void)
{
    world(3);
    outcome(0, AUDIT_REFUSED, false);
    outcome(1, AUDIT_REFUSED, true);
    outcome(2, AUDIT_EXPIRED, false);
    finish();
    expect_u64(report.problems[AUDIT_FINE_REFUSED], 1);
    expect_u64(report.problems[AUDIT_FALSE_ALARM], 1);
    expect_u64(report.problems[AUDIT_FINE_EXPIRED], 1);
    expect_u64(report.refused_by_policy, 1);
}

static void
a_promotional_one_that_is_sent_is_found(void)
{
    generator.promotional = 1;
    world(0);
    finish();
    expect_only(AUDIT_PROMOTIONAL_SENT, MESSAGES);
    expect_u64(report.expected[GENERATED_PROMOTIONAL], MESSAGES);
    world(MESSAGES);
    for (uint64_t n = 0; n < MESSAGES; n++)
        outcome(n, AUDIT_REFUSED, true);
    finish();
    expect_only(AUDIT_LOST, 0);
    generator.promotional = 0;
}

static void
a_bad_one_that_is_sent_is_found(void)
{
    generator.bad = 1;
    world(0);
    finish();
    expect_only(AUDIT_BAD_SENT, MESSAGES);
    generator.bad = 0;
}

/* The first N of the generator that repeats another's id. */
static uint64_t
first_copy(struct generated_plan *plan)
{
    for (uint64_t n = 0; n < generator.messages; n++) {
        generator_plan(&generator, n, plan);
        if (plan->id_of != n)
            return n;
    }
    return AUDIT_UNKNOWN;
}

static void
one_id_sent_twice_is_found(void)
{
    struct generated_plan plan;
    generator.messages = 200;
    generator.duplicates = 0.02;
    uint64_t copy = first_copy(&plan);
    expect(copy != AUDIT_UNKNOWN);
    uint64_t copies = 0;
    for (uint64_t n = 0; n < generator.messages; n++) {
        struct generated_plan other;
        generator_plan(&generator, n, &other);
        copies += other.id_of != n;
    }
    world(0); /* all of them accepted, copies too */
    finish();
    expect_only(AUDIT_ID_TWICE, copies);
    expect_u64(report.duplicates, copies);
    generator.messages = MESSAGES;
    generator.duplicates = 0;
}

static void
a_duplicate_whose_id_is_alone_is_found(void)
{
    world(1);
    outcome(0, AUDIT_DUPLICATE, false);
    finish();
    expect_only(AUDIT_UNEXPECTED_DUPLICATE, 1);
}

/* ---- what is not known at once -------------------------------------------------------------- */

static void
an_event_may_come_before_its_message_is_known(void)
{
    world(1);
    struct audit_event event = {.member = member_of(0),
                                .n = AUDIT_UNKNOWN,
                                .outcome = AUDIT_FAILED,
                                .at_ms = 1732377600100};
    audit_event(audit, &event);
    expect_u64(audit_live(audit)->done, MESSAGES - 1);
    audit_bind(audit, member_of(0), 0);
    expect_u64(audit_live(audit)->done, MESSAGES);
    audit_bind(audit, member_of(0), 0);
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.foreign, 0);
    expect_u64(report.outcomes[AUDIT_FAILED], 1);
}

static void
done_counts_each_message_once(void)
{
    world(MESSAGES);
    expect_u64(audit_live(audit)->done, 0);
    audit_uncertain(audit, member_of(0), 0);
    expect_u64(audit_live(audit)->done, 1);
    expect_u64(audit_live(audit)->parked, 1);
    accept_event(0, PRICE); /* its receipt came */
    expect_u64(audit_live(audit)->done, 1);
    expect_u64(audit_live(audit)->parked, 0);
    expect_u64(audit_live(audit)->money, PRICE);
    audit_uncertain(audit, member_of(0), 0); /* late news of what is settled */
    expect_u64(audit_live(audit)->parked, 0);
}

static void
streams_may_give_the_same_id(void)
{
    world(2);
    struct audit_member urgent = member_of(0);
    urgent.stream = AUDIT_URGENT;
    audit_place(audit, member_of(0), 0, AUDIT_IN_STREAM);
    audit_place(audit, urgent, 1, AUDIT_LATER);
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.waiting, 1);
    expect_u64(report.later, 1);
}

static void
trimmed_events_are_known_from_bill_and_dead(void)
{
    world(2);
    audit_bind(audit, member_of(0), 0);
    charge(0, PRICE);
    audit_ledger(audit, PRICE);
    audit_dead(audit, member_of(1), 1, AUDIT_DEAD);
    struct audit_view trimmed = {.has_bill = true};
    audit_finish(audit, &trimmed, &report);
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.trimmed, 2);
    expect_u64(report.outcomes[AUDIT_ACCEPTED], MESSAGES - 1);
    expect_u64(report.outcomes[AUDIT_DEAD], 1);
}

static void
trimmed_events_leave_it_open(void)
{
    struct audit_view trimmed = {.has_bill = true};
    world(1);
    audit_finish(audit, &trimmed, &report);
    expect_only(AUDIT_UNTOLD, 1);
    expect_u64(report.lost, 0);
    trimmed.ours_whole = true; /* only others' were trimmed */
    world(1);
    audit_finish(audit, &trimmed, &report);
    expect_only(AUDIT_LOST, 1);
}

static void
a_second_photograph_forgets_the_first(void)
{
    world(1);
    audit_place(audit, member_of(0), 0, AUDIT_IN_STREAM);
    audit_forget_places(audit);
    audit_ledger(audit, (MESSAGES - 1) * PRICE);
    outcome(0, AUDIT_FAILED, false);
    finish();
    expect_only(AUDIT_LOST, 0);
}

static void
many_foreigners_make_it_grow(void)
{
    world(0);
    for (uint64_t i = 0; i < 20000; i++) {
        struct audit_member theirs = {
            .ms = 5 + i / 64, .index = (uint8_t)(1 + i % 64), .known = true};
        audit_place(audit, theirs, AUDIT_UNKNOWN, AUDIT_IN_STREAM);
    }
    finish();
    expect_only(AUDIT_LOST, 0);
    expect_u64(report.foreign, 20000);
}

/* ---- names and JSON ------------------------------------------------------------------------- */

static void
members_are_read_and_written(void)
{
    static const struct {
        const char *text;
        bool good;
    } cases[] = {{"1732377600000-0", true},
                 {"1732377600000-17/64", true},
                 {"u1732377600000-0/1", true},
                 {"r1732377600000-2", true},
                 {"1732377600000-0/0", false},
                 {"1732377600000-0/65", false},
                 {"1732377600000", false},
                 {"-0", false},
                 {"", false},
                 {"u", false},
                 {"x1732377600000-0", false},
                 {"1732377600000-0/", false},
                 {"1732377600000-99999999999", false},
                 {"uu1-0", false}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct audit_member member;
        bool good = audit_read_member(span_of(cases[i].text), 3, &member);
        if (good != cases[i].good)
            printf("%s\n", cases[i].text);
        expect(good == cases[i].good);
        if (!good || !cases[i].good)
            continue;
        char memory[64];
        struct buffer text;
        buffer_init(&text, memory, sizeof memory);
        audit_put_member(&member, &text);
        expect_text(buffer_text(&text), cases[i].text);
        expect_u64(member.account, 3);
    }
}

static void
json_has_what_scripts_rely_on(void)
{
    static const char *const keys[] = {"messages",
                                       "accepted",
                                       "refused",
                                       "dead",
                                       "lost",
                                       "duplicates",
                                       "possible_duplicates",
                                       "parked",
                                       "exposure",
                                       "ledger_difference",
                                       "rate"};
    world(1);
    finish();
    char memory[8192];
    struct buffer text;
    struct load_measures measures = {.title = "t",
                                     .currency = "USD",
                                     .sender_us = 2.5,
                                     .redis_us = -1,
                                     .emulator_us = -1,
                                     .rate = 1000};
    buffer_init(&text, memory, sizeof memory);
    load_report_json(&text, &report, &measures);
    expect(!text.overflow);
    json_t *json = json_loadb(text.data, text.size, 0, NULL);
    expect(json_is_object(json));
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        expect(json_is_number(json_object_get(json, keys[i])));
    expect_u64(json_integer_value(json_object_get(json, "lost")), 1);
    const json_t *cpu = json_object_get(json, "cpu_us");
    expect(json_is_real(json_object_get(cpu, "sender")));
    expect(json_is_null(json_object_get(cpu, "redis")));
    expect(json_is_null(json_object_get(cpu, "emulator")));
    const json_t *latency = json_object_get(json, "latency_ms");
    expect(json_is_integer(json_object_get(latency, "p50")));
    expect(json_is_integer(json_object_get(latency, "p99")));
    expect_u64(json_integer_value(json_object_get(json_object_get(json, "problems"), "lost")), 1);
    expect(json_is_false(json_object_get(json, "good")));
    expect(memchr(text.data, '\n', text.size) == NULL);
    json_decref(json);
}

static void
without_a_bill_there_is_no_difference(void)
{
    world(0);
    struct audit_view no_bill = {.events_whole = true, .ours_whole = true};
    audit_finish(audit, &no_bill, &report);
    expect_only(AUDIT_LOST, 0);
    char memory[8192];
    struct buffer text;
    struct load_measures measures = {.title = "t"};
    buffer_init(&text, memory, sizeof memory);
    load_report_json(&text, &report, &measures);
    json_t *json = json_loadb(text.data, text.size, 0, NULL);
    expect(json_is_null(json_object_get(json, "ledger_difference")));
    json_decref(json);
}

static void
money_is_written_for_eyes(void)
{
    static const struct {
        int64_t millionths;
        const char *text;
    } cases[] = {{0, "USD 0.0000"},
                 {1234567800, "USD 1,234.5678"},
                 {1, "USD 0.000001"},
                 {-55000, "USD -0.0550"},
                 {1234567890123456, "USD 1,234,567,890.123456"},
                 {INT64_MIN, "USD -9,223,372,036,854.775808"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char memory[64];
        struct buffer text;
        buffer_init(&text, memory, sizeof memory);
        load_report_put_money(&text, "USD", cases[i].millionths);
        expect_text(buffer_text(&text), cases[i].text);
    }
}

int
main(void)
{
    TEST(a_good_world_is_good);
    TEST(each_message_is_counted_in_one_place);
    TEST(what_is_parked_is_exposure);
    TEST(each_attempt_is_exposed_until_its_receipt);
    TEST(another_attempts_charge_does_not_explain_it);
    TEST(what_is_proven_is_charged_before_it_is_told);
    TEST(a_dropped_one_may_be_charged_later);
    TEST(a_parked_one_with_an_outcome_is_found);
    TEST(what_is_in_flight_is_not_a_difference);
    TEST(others_money_counts_but_not_their_number);
    TEST(a_repeated_one_counts_once);
    TEST(a_repeated_one_that_is_sent_twice_is_found);
    TEST(a_lost_one_is_found);
    TEST(a_blind_duplicate_is_found);
    TEST(a_flagged_duplicate_is_only_possible);
    TEST(a_wrong_price_is_found);
    TEST(a_wrong_price_of_a_parked_one_is_found);
    TEST(a_missing_charge_of_the_ledger_is_found);
    TEST(two_wrongs_that_cancel_out_are_found);
    TEST(two_outcomes_are_found);
    TEST(two_places_are_found);
    TEST(a_dead_one_without_event_is_found);
    TEST(a_charge_for_nothing_is_found);
    TEST(an_acceptance_that_nobody_made_is_found);
    TEST(an_acceptance_without_message_id_is_found);
    TEST(a_swapped_answer_is_found);
    TEST(a_wrong_recipient_is_found);
    TEST(a_wrong_country_is_found);
    TEST(a_fine_one_that_is_refused_is_found);
    TEST(a_promotional_one_that_is_sent_is_found);
    TEST(a_bad_one_that_is_sent_is_found);
    TEST(one_id_sent_twice_is_found);
    TEST(a_duplicate_whose_id_is_alone_is_found);
    TEST(an_event_may_come_before_its_message_is_known);
    TEST(done_counts_each_message_once);
    TEST(streams_may_give_the_same_id);
    TEST(trimmed_events_are_known_from_bill_and_dead);
    TEST(trimmed_events_leave_it_open);
    TEST(a_second_photograph_forgets_the_first);
    TEST(many_foreigners_make_it_grow);
    TEST(members_are_read_and_written);
    TEST(json_has_what_scripts_rely_on);
    TEST(without_a_bill_there_is_no_difference);
    TEST(money_is_written_for_eyes);
    audit_close(audit);
    return test_end();
}
