/*
 * The story of a notification, read top to bottom: each step does its part and says what is next.
 *
 *   read → check → render → screen → quote → grant → send → judge → settle
 *
 * Redis is met three times a batch (claim, grant, settle), never once a message: step_grant,
 * step_send and step_settle put the delivery into a list, and the end of the turn takes the lists.
 */
#include "sender/attempt.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/outcome.h"
#include "sender/pause.h"
#include "sender/slots.h"
#include "sender/turns.h"
#include "sender/worker.h"

#include <string.h>

enum {
    NO_CARD_WAIT_MS = 60 * 1000,         /* no rate card in force: an operator must bring one */
    GRANT_AGE_MAX_US = 20 * 1000 * 1000, /* granted and not sent for so long: give it back */
    READY_MIN = 16, /* ready at the slowest pace: as many as are claimed ahead then */
    READY_WAIT_US = 10 * 1000 * 1000, /* what would be ready for so long waits in later */
};

/* ---- read: the entry becomes a notification -------------------------------------------------- */

/* Copies the entry into the slot so that its batch is free again; what is too large stays there. */
static const struct field *
keep_fields(struct delivery *delivery)
{
    size_t bytes = 0;
    for (uint32_t i = 0; i < delivery->raw_count; i++)
        bytes += delivery->raw_fields[i].name.size + delivery->raw_fields[i].value.size + 16;
    bytes += delivery->raw_count * sizeof(struct field);
    if (bytes > SLOT_MEMORY / 2) /* the rest is for reasons, findings and the wamid */
        return NULL;
    struct field *fields = arena_take(&delivery->arena, delivery->raw_count * sizeof(struct field));
    for (uint32_t i = 0; i < delivery->raw_count; i++) {
        const struct field *raw = &delivery->raw_fields[i];
        fields[i].name.data = arena_copy(&delivery->arena, raw->name.data, raw->name.size);
        fields[i].name.size = raw->name.size;
        fields[i].value.data = arena_copy(&delivery->arena, raw->value.data, raw->value.size);
        fields[i].value.size = raw->value.size;
    }
    check(!delivery->arena.overflow);
    return fields;
}

static void
unpin_batch(struct delivery *delivery)
{
    slots_unpin(delivery->worker, delivery->batch);
    delivery->batch = NULL;
}

static enum notification_error
read_single(struct delivery *delivery, struct span *field)
{
    const struct field *fields = keep_fields(delivery);
    bool kept = fields != NULL;
    enum notification_error error = notification_read(
        kept ? fields : delivery->raw_fields, delivery->raw_count, &delivery->notification, field);
    if (kept && error == NOTIFICATION_OK && delivery->notification.params.size == 0)
        unpin_batch(delivery);
    return error;
}

static enum notification_error
read_member(struct delivery *delivery, struct span *field)
{
    struct span line = delivery->raw_line;
    bool kept = line.size <= SLOT_MEMORY / 2;
    if (kept)
        line.data = arena_copy(&delivery->arena, line.data, line.size);
    enum notification_error error = notification_read_line(line, &delivery->notification, field);
    if (kept && error == NOTIFICATION_OK && delivery->notification.params.size == 0)
        unpin_batch(delivery);
    return error;
}

/* A bad entry is never lost and never stops the queue: it is kept in dead with its field's name. */
static enum step_next
step_read(struct delivery *delivery)
{
    if (delivery->unreadable != NULL)
        return outcome_refuse(delivery, "%s", delivery->unreadable);
    struct span field = {0};
    enum notification_error error = delivery->raw_line.data != NULL ? read_member(delivery, &field)
                                                                    : read_single(delivery, &field);
    if (error != NOTIFICATION_OK)
        return outcome_refuse(delivery, "%.*s: %s", SPAN_ARG(field),
                              notification_error_text(error));
    delivery->state = DELIVERY_CHECKING;
    return STEP_MORE;
}

/* ---- check: is it time, and to whom ---------------------------------------------------------- */

/* When the producer wrote it: the milliseconds of its ENTRY, behind its stream's letter. */
static uint64_t
entry_ms(const struct delivery *delivery)
{
    uint64_t ms = 0;
    struct span rest = delivery->name;
    if (rest.size > 0 && (rest.data[0] < '0' || rest.data[0] > '9'))
        rest = (struct span){rest.data + 1, rest.size - 1};
    (void)span_to_u64(span_split(&rest, '-'), &ms);
    return ms;
}

static uint64_t
end_of_use_ms(const struct delivery *delivery, uint64_t max_age_ms)
{
    const struct notification *notification = &delivery->notification;
    if (notification->expires_ms != 0)
        return notification->expires_ms;
    uint64_t start_ms = entry_ms(delivery);
    if (notification->not_before_ms > start_ms)
        start_ms = notification->not_before_ms;
    return start_ms + max_age_ms;
}

/* It may have waited since it was checked: for its account's pace, for the Graph API. */
bool
delivery_expire(struct delivery *delivery, uint64_t now_ms)
{
    check(delivery->next == NULL && delivery->end_ms != 0);
    if (now_ms < delivery->end_ms)
        return false;
    (void)outcome_drop(delivery, "expired", SPAN("expires: its time was over before it was sent"));
    delivery_run(delivery);
    return true;
}

static enum step_next
step_check(struct delivery *delivery)
{
    const struct sender_settings *settings = &delivery->worker->sender->settings;
    const struct notification *notification = &delivery->notification;
    uint64_t now_ms = clock_unix_ms();
    delivery->end_ms = end_of_use_ms(delivery, settings->max_age_ms);
    if (now_ms >= delivery->end_ms)
        return outcome_drop(delivery, "expired", SPAN("expires: its time was over"));
    if (notification->not_before_ms > now_ms)
        return outcome_later(delivery, notification->not_before_ms, delivery->attempts,
                             SPAN("not_before"));
    if (notification->template_name.size == 0)
        return outcome_refuse(delivery, "template: missing; free text is a reply: write it to the "
                                        "stream replies");
    if (notification->recipient.size > 0) {
        if (!phone_read_scoped_id(notification->recipient, &delivery->phone))
            return outcome_refuse(delivery, "recipient: not a business-scoped user id, such as "
                                            "FR.13491208655302741918");
    } else {
        phone_read_by(delivery->worker->sender->phones, notification->to, &delivery->phone);
        if (delivery->phone.status == PHONE_INVALID ||
            (delivery->phone.status == PHONE_UNLISTED &&
             delivery->account->settings->strict_numbers))
            return outcome_refuse(delivery, "to: %s", phone_reason_text(delivery->phone.reason));
    }
    delivery->state = DELIVERY_RENDERING;
    return STEP_MORE;
}

/* ---- render: what the customer will read ----------------------------------------------------- */

static enum step_next
refuse_unknown(struct delivery *delivery, bool name_known)
{
    const struct notification *notification = &delivery->notification;
    if (name_known)
        return outcome_refuse(delivery, "lang: template \"%.*s\" is not in language \"%.*s\"",
                              SPAN_ARG(notification->template_name),
                              SPAN_ARG(notification->language));
    return outcome_refuse(delivery, "template: \"%.*s\" is not in the catalogue",
                          SPAN_ARG(notification->template_name));
}

/* `params` is parsed into memory that lives as long as the delivery: its batch, if it has one. */
static struct arena *
values_arena(struct delivery *delivery)
{
    return delivery->batch != NULL ? &delivery->batch->arena : &delivery->arena;
}

/* In the newest edition of its business, which it holds from here to its end. */
static const struct template *
find_template(struct delivery *delivery, bool *name_known)
{
    const struct account_settings *settings = delivery->account->settings;
    const struct notification *notification = &delivery->notification;
    check(delivery->edition == NULL);
    delivery->edition = editions_take(delivery->worker->editions, settings->business);
    return fallback_find(&settings->fallback, edition_catalogue(delivery->edition->edition),
                         notification->template_name, notification->language, name_known);
}

static enum step_next
step_render(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    const struct notification *notification = &delivery->notification;
    bool name_known = false;
    const struct template *template = find_template(delivery, &name_known);
    if (template == NULL)
        return refuse_unknown(delivery, name_known);
    delivery->template = template;
    if (template->category == TEMPLATE_MARKETING)
        return outcome_refuse(delivery, "template: its category is marketing, and promotional "
                                        "content does not go out");
    if (template->category == TEMPLATE_AUTHENTICATION)
        delivery->end_ms = end_of_use_ms(delivery, worker->sender->settings.max_age_codes_ms);
    if (clock_unix_ms() >= delivery->end_ms)
        return outcome_drop(delivery, "expired",
                            template->category == TEMPLATE_AUTHENTICATION
                                ? SPAN("expires: a code this old is of no use")
                                : SPAN("expires: its time was over"));
    const struct values_input input = {
        .fields = notification->parameters,
        .count = notification->parameter_count,
        .named = notification->named,
        .params = notification->params,
    };
    struct span field = {0};
    enum values_error error =
        values_read(template, &input, values_arena(delivery), &delivery->values, &field);
    if (error != VALUES_OK)
        return outcome_refuse(delivery, "parameter %.*s: %s", SPAN_ARG(field),
                              values_error_text(error));
    delivery->state = DELIVERY_SCREENING;
    return STEP_MORE;
}

/* ---- screen: the content policy -------------------------------------------------------------- */

static enum step_next
refuse_promotional(struct delivery *delivery, const struct judgement *judgement, struct span text,
                   const char *where)
{
    outcome_add_findings(delivery, judgement, text);
    if (judgement->finding_count == 0)
        return outcome_refuse(delivery, "policy: promotional (%s)", where);
    const struct finding *first = &judgement->findings[0];
    size_t size = first->end - first->start;
    return outcome_refuse(delivery, "policy: promotional (%s): \"%.*s\" (%s)", where,
                          (int)(size < 80 ? size : 80), text.data + first->start, first->rule);
}

/* On the whole text and on each parameter alone: an offer hides best in a parameter. */
static enum step_next
step_screen(struct delivery *delivery)
{
    struct worker *worker = delivery->worker;
    const struct template *template = delivery->template;
    struct judgement judgement;
    struct buffer text;
    for (uint32_t i = 0; i < template->parameter_count; i++) {
        policy_judge_parameter(delivery->values.body[i], template->language, &judgement);
        if (judgement.promotional)
            return refuse_promotional(delivery, &judgement, delivery->values.body[i],
                                      "in a parameter");
    }
    if (delivery->values.header_text.size > 0) {
        policy_judge_parameter(delivery->values.header_text, template->language, &judgement);
        if (judgement.promotional)
            return refuse_promotional(delivery, &judgement, delivery->values.header_text,
                                      "in the header's parameter");
    }
    buffer_init(&text, worker->text, TEXT_SIZE);
    if (!values_render(template, &delivery->values, &text))
        return outcome_refuse(delivery, "template: the text is longer than Meta takes");
    policy_judge(buffer_span(&text), template->language, &judgement);
    if (judgement.promotional)
        return refuse_promotional(delivery, &judgement, buffer_span(&text), "in the text");
    delivery->state = DELIVERY_QUOTING;
    return STEP_MORE;
}

/* ---- quote: what it will cost if Meta accepts it ----------------------------------------------
 */

static enum step_next
step_quote(struct delivery *delivery)
{
    const struct sender *sender = delivery->worker->sender;
    const struct account_settings *account = delivery->account->settings;
    const struct quote_input input = {
        .markets = sender->markets,
        .card = rate_book_card(delivery->worker->rates.book, account->currency),
        .zone = account->zone,
        .phone = &delivery->phone,
        .template = delivery->template,
        .account = span_of(account->keys.account_name),
        .now_ms = clock_unix_ms(),
    };
    if (!quote_make(&input, &delivery->quote)) {
        log_line(LOG_ERROR, "no_rate_card",
                 "account=%s/%s currency=%s day=%s market=\"%.*s\" category=%s remedy=\"add the "
                 "card to the rates; messages to this market wait\"",
                 account->keys.business_name, account->keys.account_name, account->currency,
                 delivery->quote.day,
                 SPAN_ARG(markets_name(sender->markets, delivery->quote.market)),
                 rate_category_text(delivery->quote.category));
        return outcome_later(delivery, clock_unix_ms() + NO_CARD_WAIT_MS, delivery->attempts,
                             SPAN("no rate card in force has a price for it"));
    }
    delivery->state = DELIVERY_GRANTING;
    return STEP_MORE;
}

/* ---- grant: one atomic call for the batch, at the end of the turn -----------------------------
 */

/* A bulk entry is claimed whole, but at a slow pace most of it is not to hold slots, and nothing
 * urgent is to wait behind it. */
static bool
is_far_behind(const struct delivery *delivery, uint64_t *wait_us)
{
    const struct account *account = delivery->account;
    if (delivery->source == SOURCE_URGENT || account->ready_count < READY_MIN)
        return false;
    *wait_us = pace_wait_us(&account->pace, account->ready_count + account->settling.count + 1,
                            loop_now_us(delivery->worker->loop));
    return *wait_us > READY_WAIT_US;
}

static enum step_next
step_grant(struct delivery *delivery)
{
    uint64_t wait_us;
    if (pause_frees_slots(delivery->account))
        return pause_put_back(delivery);
    if (attempt_waits_for_pair(delivery))
        return STEP_MORE;
    if (is_far_behind(delivery, &wait_us))
        return outcome_later(delivery, clock_unix_ms() + wait_us / 1000, delivery->attempts,
                             SPAN("its account's pace: many others go before it"));
    list_push(&delivery->account->ready[delivery->source], delivery);
    delivery->account->ready_count++;
    turns_want_grant(delivery->account);
    return STEP_WAIT;
}

/* What has been withdrawn or corrected while it waited must not go out as it was, nor at the price
 * of a card that is in force no more. */
void
delivery_grant_again(struct delivery *delivery)
{
    const struct template *before = delivery->template;
    struct edition_use *edition = delivery->edition;
    bool name_known;
    check(delivery->state == DELIVERY_GRANTING && delivery->grant == NULL);
    delivery->edition = NULL;
    const struct template *template = find_template(delivery, &name_known);
    if (template == NULL || template->version != before->version) {
        editions_give(edition);
        editions_give(delivery->edition);
        delivery->edition = NULL;
        delivery->template = NULL;
        delivery->state = DELIVERY_RENDERING;
    } else {
        editions_give(delivery->edition);
        delivery->edition = edition; /* its values may borrow from that template */
        delivery->state = DELIVERY_QUOTING;
    }
    delivery_run(delivery);
}

/* ---- send: when the channel has room ----------------------------------------------------------
 */

static bool
grant_is_old(const struct delivery *delivery)
{
    const struct worker *worker = delivery->worker;
    const struct grant_hold *grant = delivery->grant;
    return delivery->disowned || loop_now_us(worker->loop) - grant->granted_us > GRANT_AGE_MAX_US ||
           !span_starts(grant->name, worker->holder); /* of a name that was fenced */
}

bool
delivery_is_stale(const struct delivery *delivery, uint64_t now_ms)
{
    check(delivery->state == DELIVERY_SENDING && delivery->grant != NULL);
    return grant_is_old(delivery) || now_ms >= delivery->end_ms;
}

static enum step_next
step_send(struct delivery *delivery)
{
    check(delivery->grant != NULL);
    if (clock_unix_ms() >= delivery->end_ms)
        return outcome_drop(delivery, "expired",
                            SPAN("expires: its time was over before it could be sent"));
    if (grant_is_old(delivery) || delivery->worker->draining)
        return outcome_later(delivery, clock_unix_ms(), delivery->attempts,
                             SPAN("granted but not sent in time"));
    if (pause_is_on(delivery->account))
        return pause_put_back(delivery);
    if (delivery->refusals == 0 && attempt_waits_for_pair(delivery))
        return STEP_MORE;
    attempt_begin(delivery);
    list_push(&delivery->account->sending, delivery);
    turns_want_send(delivery->account);
    return STEP_WAIT;
}

/* ---- judge: what the answer, or its absence, means --------------------------------------------
 */

static enum step_next
step_judge(struct delivery *delivery)
{
    return attempt_judge(delivery);
}

/* ---- settle: one atomic call for the batch, at the end of the turn ----------------------------
 */

static enum step_next
step_settle(struct delivery *delivery)
{
    list_push(&delivery->account->settling, delivery);
    turns_want_settle(delivery->account);
    return STEP_WAIT;
}

/* ---- tell: an answer whose settle came too late -----------------------------------------------
 */

static enum step_next
step_tell(struct delivery *delivery)
{
    list_push(&delivery->worker->receipts.waiting, delivery);
    worker_work_later(delivery->worker);
    return STEP_WAIT;
}

/* ---- the table ------------------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum step_next (*step)(struct delivery *delivery);
} steps[] = {
    [DELIVERY_FREE] = {"free", NULL},
    [DELIVERY_READING] = {"reading", step_read},
    [DELIVERY_CHECKING] = {"checking", step_check},
    [DELIVERY_RENDERING] = {"rendering", step_render},
    [DELIVERY_SCREENING] = {"screening", step_screen},
    [DELIVERY_QUOTING] = {"quoting", step_quote},
    [DELIVERY_GRANTING] = {"granting", step_grant},
    [DELIVERY_SENDING] = {"sending", step_send},
    [DELIVERY_JUDGING] = {"judging", step_judge},
    [DELIVERY_SETTLING] = {"settling", step_settle},
    [DELIVERY_TELLING] = {"telling", step_tell},
};

void
delivery_run(struct delivery *delivery)
{
    enum step_next next;
    do {
        check_magic(delivery, DELIVERY_MAGIC);
        check(delivery->state > DELIVERY_FREE && delivery->state <= DELIVERY_TELLING);
        check(delivery->next == NULL);
        next = steps[delivery->state].step(delivery);
    } while (next == STEP_MORE);
    check(next == STEP_WAIT);
}

const char *
delivery_state_text(enum delivery_state state)
{
    return steps[state].name;
}
