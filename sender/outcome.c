#include "sender/outcome.h"

#include "sender/base/check.h"
#include "sender/base/json.h"
#include "sender/worker.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    REASON_MAX = 300,
    WORDS_MAX = 80,
    JSON_REST_SIZE = 2048, /* of an outcome: all but a producer's names and Meta's words */
};

static_assert(OUTCOME_SIZE_MAX >=
                  6 * (2 * QUEUE_ID_MAX + 3 * NOTIFICATION_NAME_MAX + 2 * REASON_MAX) +
                      SLOT_MEMORY + JSON_REST_SIZE,
              "no outcome is larger than what is set aside for one");

/* Into the slot; when the slot is full, the beginning that fits (an explanation, not an address).
 */
static struct span
keep(struct delivery *delivery, struct span text)
{
    size_t room = delivery->arena.capacity - delivery->arena.size;
    size_t size = text.size < REASON_MAX ? text.size : REASON_MAX;
    room = room > 8 ? room - 8 : 0;
    if (size > room)
        size = room;
    char *copy = arena_copy(&delivery->arena, text.data, size);
    return (struct span){.data = copy, .size = copy == NULL ? 0 : size};
}

static enum step_next
decide(struct delivery *delivery, enum settle_action action, const char *type, struct span reason)
{
    check(delivery->state != DELIVERY_FREE && delivery->state < DELIVERY_SETTLING);
    struct span findings = delivery->outcome.findings;
    delivery->outcome = (struct outcome){
        .action = action,
        .type = type,
        .reason = keep(delivery, reason),
        .findings = findings,
        .attempts = delivery->attempts,
        .throttles = delivery->throttles,
    };
    delivery->state = DELIVERY_SETTLING;
    return STEP_MORE;
}

enum step_next
outcome_refuse(struct delivery *delivery, const char *format, ...)
{
    char text[REASON_MAX + 1];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    return outcome_dead(delivery, "refused", !delivery->possible_duplicate, span_of(text));
}

enum step_next
outcome_dead(struct delivery *delivery, const char *type, bool release_id, struct span reason)
{
    enum step_next next = decide(delivery, SETTLE_DEAD, type, reason);
    delivery->outcome.release_id = release_id;
    return next;
}

enum step_next
outcome_drop(struct delivery *delivery, const char *type, struct span reason)
{
    /* What expired and surely never left gives its id back. */
    bool is_free = !delivery->possible_duplicate && strcmp(type, "expired") == 0;
    return decide(delivery, is_free ? SETTLE_FREE : SETTLE_DROP, type, reason);
}

enum step_next
outcome_proven(struct delivery *delivery)
{
    return decide(delivery, SETTLE_FREE, NULL, (struct span){0});
}

enum step_next
outcome_later(struct delivery *delivery, uint64_t due_ms, uint32_t attempts, struct span reason)
{
    enum step_next next = decide(delivery, SETTLE_LATER, NULL, reason);
    delivery->outcome.time_ms = due_ms;
    delivery->outcome.attempts = attempts;
    return next;
}

enum step_next
outcome_uncertain(struct delivery *delivery, uint64_t until_ms, struct span reason)
{
    enum step_next next = decide(delivery, SETTLE_UNCERTAIN, "uncertain", reason);
    delivery->outcome.time_ms = until_ms;
    delivery->outcome.attempts = delivery->attempts + 1;
    return next;
}

enum step_next
outcome_accept(struct delivery *delivery, struct span wamid)
{
    enum step_next next = decide(delivery, SETTLE_ACCEPT, "accepted", (struct span){0});
    delivery->outcome.wamid = keep(delivery, wamid);
    delivery->outcome.attempts = delivery->attempts + 1;
    return next;
}

void
outcome_add_findings(struct delivery *delivery, const struct judgement *judgement, struct span text)
{
    char memory[POLICY_FINDINGS_MAX * (WORDS_MAX * 3 + 64)];
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    buffer_put_char(&out, '[');
    for (uint32_t i = 0; i < judgement->finding_count; i++) {
        const struct finding *finding = &judgement->findings[i];
        check(finding->start <= finding->end && finding->end <= text.size);
        size_t size = finding->end - finding->start;
        struct span words = {text.data + finding->start, size < WORDS_MAX ? size : WORDS_MAX};
        size_t before = out.size;
        buffer_put_text(&out, i == 0 ? "{\"rule\":" : ",{\"rule\":");
        json_put_string(&out, span_of(finding->rule));
        buffer_put_text(&out, ",\"words\":");
        json_put_string(&out, words);
        buffer_put_char(&out, '}');
        if (out.overflow || out.size > sizeof(memory) - 2) {
            out.size = before; /* the weightiest come first: what is left out weighs least */
            break;
        }
    }
    buffer_put_char(&out, ']');
    char *copy = arena_copy(&delivery->arena, out.data, out.size);
    delivery->outcome.findings = (struct span){copy, copy == NULL ? 0 : out.size};
}

static void
put_text(struct buffer *out, const char *name, struct span value)
{
    if (value.size == 0)
        return;
    buffer_put_text(out, ",\"");
    buffer_put_text(out, name);
    buffer_put_text(out, "\":");
    json_put_string(out, value);
}

static void
put_number(struct buffer *out, const char *name, uint64_t value)
{
    buffer_put_text(out, ",\"");
    buffer_put_text(out, name);
    buffer_put_text(out, "\":");
    buffer_put_u64(out, value);
}

/* A recipient is not written down in clear: events are kept, read and copied by many. */
struct span
outcome_recipient(const struct delivery *delivery, char memory[OUTCOME_RECIPIENT_MAX])
{
    const struct sender *sender = delivery->worker->sender;
    struct span to = {delivery->phone.e164, delivery->phone.e164_size};
    uint8_t digest[DIGEST_SIZE];
    struct buffer hex;
    if (to.size == 0)
        to = delivery->notification.recipient;
    if (to.size == 0 || sender->settings.clear_recipients)
        return to;
    digest_hmac(&sender->secrets[delivery->account->settings->business], to, digest);
    buffer_init(&hex, memory, OUTCOME_RECIPIENT_MAX);
    buffer_put_hex(&hex, digest, sizeof(digest));
    return buffer_span(&hex);
}

static void
put_price(const struct delivery *delivery, struct buffer *out)
{
    const struct sender *sender = delivery->worker->sender;
    const struct quote *quote = &delivery->quote;
    if (quote->day[0] == '\0')
        return;
    put_text(out, "market", markets_name(sender->markets, quote->market));
    put_text(out, "category", span_of(rate_category_text(quote->category)));
    bool charged =
        delivery->outcome.action == SETTLE_ACCEPT || delivery->outcome.action == SETTLE_UNCERTAIN;
    put_number(out, "price", charged ? quote->millionths : 0);
    put_text(out, "currency", span_of(delivery->account->settings->currency));
}

/* What a hostile producer can make long is counted as if each byte became six (a control character
 * is \u0001); the rest (words, numbers, names of our own tables) fits JSON_REST_SIZE. */
size_t
outcome_json_size_max(const struct delivery *delivery)
{
    const struct notification *notification = &delivery->notification;
    const struct outcome *outcome = &delivery->outcome;
    if (outcome->type == NULL)
        return 0;
    size_t names = notification->id.size + notification->ref.size + notification->recipient.size +
                   notification->template_name.size + notification->language.size;
    return 6 * (names + outcome->wamid.size + outcome->reason.size) + outcome->findings.size +
           JSON_REST_SIZE;
}

void
outcome_put_json(const struct delivery *delivery, uint64_t at_ms, struct buffer *out)
{
    const struct outcome *outcome = &delivery->outcome;
    char recipient[OUTCOME_RECIPIENT_MAX];
    if (outcome->type == NULL)
        return;
    buffer_put_text(out, "{\"type\":\"");
    buffer_put_text(out, outcome->type);
    buffer_put_char(out, '"');
    put_text(out, "entry", delivery->name);
    put_text(out, "id", delivery->notification.id);
    put_text(out, "ref", delivery->notification.ref);
    put_text(out, "to", outcome_recipient(delivery, recipient));
    put_text(out, "country", span_of(delivery->phone.country));
    put_text(out, "template", delivery->notification.template_name);
    /* The language it was written in: not always the one that was asked for. */
    put_text(out, "lang",
             delivery->template != NULL ? delivery->template->language
                                        : delivery->notification.language);
    if (delivery->template != NULL)
        buffer_printf(out, ",\"version\":\"%016llx\"",
                      (unsigned long long)delivery->template->version);
    put_price(delivery, out);
    put_number(out, "attempt", outcome->attempts);
    put_text(out, "wamid", outcome->wamid);
    if (delivery->possible_duplicate)
        buffer_put_text(out, ",\"possible_duplicate\":true");
    put_text(out, "reason", outcome->reason);
    if (outcome->findings.size > 0) {
        buffer_put_text(out, ",\"findings\":");
        buffer_put_span(out, outcome->findings);
    }
    put_number(out, "at", at_ms);
    buffer_put_char(out, '}');
}
