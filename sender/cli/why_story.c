#include "sender/cli/why_story.h"

#include "sender/base/clock.h"
#include "sender/base/json.h"
#include "sender/cli/attempt_history.h"
#include "sender/cli/print.h"
#include "sender/cost/money.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { SENTENCE_SIZE = 4096, OUTCOME_FIELDS_MAX = 48, OUTCOME_COPY_MAX = 64 * 1024 };

/* ---- words ------------------------------------------------------------------------------------
 */

static void
put_time(struct buffer *out, uint64_t at_ms)
{
    time_t seconds = (time_t)(at_ms / 1000);
    struct tm parts;
    char text[32];
    if (localtime_r(&seconds, &parts) != NULL &&
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &parts) > 0)
        buffer_put_text(out, text);
    else
        buffer_put_u64(out, at_ms);
}

/* "3 s", "5 min", "2 h", "4 days". */
static void
put_duration(struct buffer *out, uint64_t ms)
{
    static const struct {
        uint64_t ms;
        uint64_t until_ms;
        const char *unit;
    } units[] = {{1, 1000, "ms"},
                 {1000, 120 * 1000, "s"},
                 {60 * 1000, 2 * 3600 * 1000, "min"},
                 {3600 * 1000, 48 * 3600 * 1000, "h"},
                 {24 * 3600 * 1000, UINT64_MAX, "days"}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (ms >= units[i].until_ms)
            continue;
        buffer_printf(out, "%llu %s", (unsigned long long)(ms / units[i].ms), units[i].unit);
        return;
    }
}

static uint64_t
span_ms(uint64_t from_ms, uint64_t to_ms)
{
    return to_ms > from_ms ? to_ms - from_ms : 0;
}

static void
put_price(struct buffer *out, uint64_t millionths, struct span currency)
{
    money_put(out, (int64_t)millionths);
    buffer_put_char(out, ' ');
    buffer_put_span(out, currency);
}

/* ---- the places of the library ----------------------------------------------------------------
 */

static void
put_pause(struct buffer *out, const struct reply *facts)
{
    buffer_put_text(out, "the account was paused by ");
    buffer_put_span(out, operator_value(facts, "paused_by"));
    buffer_put_text(out, " at ");
    put_time(out, operator_number(facts, "paused_at"));
    buffer_put_text(out, " (");
    buffer_put_span(out, operator_value(facts, "paused_for"));
    buffer_put_text(out, "): facteur queue resume lets it go on");
}

static void
put_stop(struct buffer *out, const struct reply *facts)
{
    buffer_put_text(out, "the account was stopped at ");
    put_time(out, operator_number(facts, "stopped_at"));
    buffer_put_text(out, " because Meta refuses it (");
    buffer_put_span(out, operator_value(facts, "stopped_for"));
    buffer_put_text(out, "): mend that and facteur queue resume, or give it another token");
}

static void
put_throttle(struct buffer *out, const struct reply *facts)
{
    uint64_t until_ms = operator_number(facts, "throttled_until");
    buffer_put_text(out, "Meta has had too much of this account (");
    buffer_put_span(out, operator_value(facts, "throttled_for"));
    buffer_put_text(out, "): it goes on by itself in ");
    put_duration(out, span_ms(operator_number(facts, "now"), until_ms));
}

/* What holds everything up, if something does. True: it was said. */
static bool
put_obstacle(struct buffer *out, const struct reply *facts)
{
    if (operator_value(facts, "paused_by").data != NULL)
        put_pause(out, facts);
    else if (operator_value(facts, "stopped_for").data != NULL)
        put_stop(out, facts);
    else if (operator_value(facts, "throttled_for").data != NULL)
        put_throttle(out, facts);
    else if (operator_number(facts, "workers") == 0)
        buffer_put_text(out, "no sender is running for this business: start facteur run");
    else
        return false;
    return true;
}

static void
put_duplicate(struct buffer *out, const struct reply *facts)
{
    if (operator_value(facts, "possible_duplicate").data != NULL)
        buffer_put_text(out, ". An earlier attempt may have reached the customer");
}

static void
put_bulk(struct buffer *out, const struct reply *facts)
{
    if (operator_value(facts, "members").data != NULL)
        buffer_printf(out, ". It is a bulk of %llu, %llu of which have left: ask for one as %.*s/1",
                      (unsigned long long)operator_number(facts, "members"),
                      (unsigned long long)operator_number(facts, "left"),
                      SPAN_ARG(operator_value(facts, "member")));
}

static void
put_waiting(struct buffer *out, const struct reply *facts)
{
    enum { AHEAD_MAX = 1000 }; /* the library counts no further */
    struct span source = operator_value(facts, "source");
    uint64_t ahead = operator_number(facts, "ahead");
    buffer_put_text(out, " waits in the stream ");
    buffer_put_span(out, source);
    buffer_printf(out, ", %llu%s %s before it; ", (unsigned long long)ahead,
                  ahead >= AHEAD_MAX ? " or more" : "", ahead == 1 ? "entry" : "entries");
    if (span_equal(source, SPAN("replies")))
        buffer_put_text(out, "this sender takes nothing from replies");
    else if (!put_obstacle(out, facts))
        buffer_put_text(out, "it goes as soon as a worker has room for it");
    put_bulk(out, facts);
}

static void
put_claimed(struct buffer *out, const struct reply *facts)
{
    buffer_put_text(out, " was taken by worker ");
    buffer_put_span(out, operator_value(facts, "holder"));
    buffer_put_char(out, ' ');
    put_duration(out, span_ms(operator_number(facts, "at"), operator_number(facts, "now")));
    buffer_put_text(out, " ago and waits there");
    if (operator_value(facts, "proven").data != NULL) {
        buffer_put_text(out,
                        ", but Meta has accepted an earlier attempt of it: it is not sent again, "
                        "and leaves with that outcome");
        return;
    }
    size_t size = out->size;
    buffer_put_text(out, ": ");
    if (!put_obstacle(out, facts)) {
        out->size = size;
        buffer_put_text(out, " for its turn (the account's pace, or room on the connections)");
    }
    buffer_put_text(out, "; if that worker dies, another takes it when its lease is over");
    put_bulk(out, facts);
}

static void
put_granted(struct buffer *out, const struct reply *facts)
{
    buffer_put_text(out, " is on its way to Meta: attempt ");
    buffer_put_span(out, operator_value(facts, "attempt"));
    buffer_put_text(out, ", since ");
    put_duration(out, span_ms(operator_number(facts, "at"), operator_number(facts, "now")));
    buffer_put_text(out, ", by worker ");
    buffer_put_span(out, operator_value(facts, "holder"));
    buffer_put_text(out, ", for ");
    put_price(out, operator_number(facts, "price"), operator_value(facts, "currency"));
    buffer_put_text(out, "; it has an answer within the request's time-out (30s unless configured) "
                         "or becomes uncertain");
}

static void
put_later(struct buffer *out, const struct reply *facts)
{
    uint64_t due_ms = operator_number(facts, "due");
    uint64_t now_ms = operator_number(facts, "now");
    struct span reason = operator_value(facts, "reason");
    uint64_t attempts = operator_number(facts, "attempt");
    if (due_ms > now_ms) {
        buffer_put_text(out, " waits until ");
        put_time(out, due_ms);
        buffer_put_text(out, " (in ");
        put_duration(out, due_ms - now_ms);
        buffer_put_char(out, ')');
    } else {
        buffer_put_text(out, " is due");
    }
    if (span_equal(reason, SPAN("not_before"))) {
        buffer_put_text(out, " because its producer said so (not_before)");
    } else {
        buffer_printf(out, " for attempt %llu: ", (unsigned long long)attempts + 1);
        buffer_put_span(out, reason);
    }
    buffer_put_text(out, "; ");
    if (!put_obstacle(out, facts))
        buffer_put_text(out, due_ms > now_ms ? "nothing needs to be done"
                                             : "the next claim takes it, within a few seconds");
    put_duplicate(out, facts);
}

static void
put_uncertain(struct buffer *out, const struct reply *facts)
{
    uint64_t until_ms = operator_number(facts, "until");
    bool awaited = until_ms > operator_number(facts, "now");
    buffer_put_text(out, " is uncertain: attempt ");
    buffer_put_span(out, operator_value(facts, "attempt"));
    buffer_put_text(out, " at ");
    put_time(out, operator_number(facts, "at"));
    buffer_put_text(out, " had no answer (");
    buffer_put_span(out, operator_value(facts, "reason"));
    buffer_put_text(out, "), so nobody knows whether Meta sent it. ");
    buffer_put_text(out, awaited ? "A receipt is awaited until " : "A receipt was awaited until ");
    put_time(out, until_ms);
    buffer_put_text(out, "; then it is parked in dead, given up or sent again, as the sender's "
                         "setting `uncertain` says (codes: `uncertain_codes`). ");
    put_price(out, operator_number(facts, "price"), operator_value(facts, "currency"));
    buffer_put_text(out, " may be on the bill");
    put_duplicate(out, facts);
}

/* ---- printing ---------------------------------------------------------------------------------
 */

static void
print_sentence(const struct buffer *sentence)
{
    print_plain(buffer_span(sentence));
    printf(".\n");
}

static void
print_head(const struct why_story *story, struct span place, struct span member)
{
    printf("{\"name\":");
    print_json_text(span_of(story->name));
    printf(",\"account\":\"%s/%s\",\"place\":", story->keys->business_name,
           story->keys->account_name);
    print_json_text(place);
    printf(",\"member\":");
    print_json_text(member);
}

static void
print_tail(const struct buffer *sentence)
{
    printf(",\"sentence\":");
    print_json_text(buffer_span(sentence));
    printf("}\n");
}

/* Numbers are written as such: all of them are below 2^53. */
static void
print_facts(const struct reply *facts)
{
    for (size_t i = 0; i + 1 < facts->count; i += 2) {
        struct span name = facts->elements[i]->text;
        struct span value = facts->elements[i + 1]->text;
        uint64_t number;
        if (span_equal(name, SPAN("place")) || span_equal(name, SPAN("member")))
            continue;
        bool is_name = span_equal(name, SPAN("id")) || span_equal(name, SPAN("holder")) ||
                       span_equal(name, SPAN("reason")) || span_equal(name, SPAN("paused_by")) ||
                       (name.size > 4 && memcmp(name.data + name.size - 4, "_for", 4) == 0);
        putchar(',');
        print_json_text(name);
        putchar(':');
        if (!is_name && span_to_u64(value, &number))
            printf("%llu", (unsigned long long)number);
        else
            print_json_text(value);
    }
}

void
why_story_place(const struct why_story *story, const struct reply *facts)
{
    static const struct {
        const char *place;
        void (*put)(struct buffer *out, const struct reply *facts);
    } places[] = {{"waiting", put_waiting},
                  {"claimed", put_claimed},
                  {"granted", put_granted},
                  {"later", put_later},
                  {"uncertain", put_uncertain}};
    char memory[SENTENCE_SIZE];
    struct buffer sentence;
    struct span place = operator_value(facts, "place");
    struct span member = operator_value(facts, "member");
    bool known = false;
    buffer_init(&sentence, memory, sizeof(memory));
    buffer_put_span(&sentence, member);
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        if (!span_equal(place, span_of(places[i].place)))
            continue;
        places[i].put(&sentence, facts);
        known = true;
    }
    if (!known)
        buffer_put_text(&sentence, " stands in its stream behind the cursor and in no claim, which "
                                   "should not be: nobody will take it. XADD it anew");
    if (!story->json) {
        print_sentence(&sentence);
        return;
    }
    print_head(story, place, member);
    print_facts(facts);
    print_tail(&sentence);
}

/* ---- dead -------------------------------------------------------------------------------------
 */

/* What can be done, up to the verb that does it, which its name follows. */
static void
put_remedy(struct buffer *out, const struct dead_entry *entry)
{
    buffer_put_text(out, "; it is kept in dead. ");
    switch (entry->remedy) {
    case REMEDY_REQUEUE:
        buffer_printf(out, "To have it sent: %s, then facteur dead requeue --entry ",
                      entry->advice);
        return;
    case REMEDY_ANEW:
        buffer_printf(
            out,
            "It would be refused again as it stands (%s): enqueue it anew, corrected, then "
            "facteur dead purge --entry ",
            entry->advice);
        return;
    case REMEDY_DECIDE:
        buffer_put_text(out, "A receipt still settles it; to send it again, perhaps a second time: "
                             "facteur dead requeue --entry ");
        return;
    }
}

void
why_story_dead(const struct why_story *story, const struct dead_entry *entry)
{
    char memory[SENTENCE_SIZE];
    struct buffer sentence;
    buffer_init(&sentence, memory, sizeof(memory));
    buffer_put_span(&sentence, entry->member);
    if (span_equal(entry->type, SPAN("refused")))
        buffer_put_text(&sentence, " was refused at ");
    else if (span_equal(entry->type, SPAN("failed")))
        buffer_put_text(&sentence, " was refused by Meta at ");
    else if (span_equal(entry->type, SPAN("uncertain")))
        buffer_put_text(&sentence, " is parked: no answer came and no receipt, so nobody knows "
                                   "whether Meta sent it; since ");
    else
        buffer_printf(&sentence, " was given up after %llu attempts at ",
                      (unsigned long long)entry->attempts);
    put_time(&sentence, entry->at_ms);
    buffer_put_text(&sentence, ": ");
    buffer_put_span(&sentence, entry->reason);
    put_remedy(&sentence, entry);
    buffer_put_span(&sentence, entry->member);
    struct attempt_history history;
    if (!attempt_history_read(operator_value(entry->fields, "history"), &history))
        history.count = 0; /* somebody else's word */
    if (!story->json) {
        print_sentence(&sentence);
        attempt_history_print(&history);
        return;
    }
    print_head(story, SPAN("dead"), entry->member);
    printf(",\"type\":");
    print_json_text(entry->type);
    printf(",\"reason\":");
    print_json_text(entry->reason);
    printf(",\"attempts\":%llu,\"at\":%llu", (unsigned long long)entry->attempts,
           (unsigned long long)entry->at_ms);
    attempt_history_print_json(&history);
    print_tail(&sentence);
}

/* ---- an outcome -------------------------------------------------------------------------------
 */

static struct span
text_of(const struct json_object *outcome, const char *name)
{
    for (size_t i = 0; i < outcome->count; i++)
        if (span_equal(outcome->fields[i].name, span_of(name)))
            return outcome->fields[i].value;
    return (struct span){"", 0};
}

static uint64_t
number_in(const struct json_object *outcome, const char *name)
{
    uint64_t number = 0;
    (void)span_to_u64(text_of(outcome, name), &number);
    return number;
}

static void
put_outcome(struct buffer *out, const struct json_object *outcome)
{
    struct span type = text_of(outcome, "type");
    struct span reason = text_of(outcome, "reason");
    buffer_put_span(out, text_of(outcome, "entry"));
    if (span_equal(type, SPAN("accepted")))
        buffer_put_text(out, " was accepted by Meta at ");
    else if (span_equal(type, SPAN("failed")))
        buffer_put_text(out, " was refused by Meta at ");
    else if (span_equal(type, SPAN("duplicate")))
        buffer_put_text(out, " was dropped as a duplicate at ");
    else if (span_equal(type, SPAN("dropped")))
        buffer_put_text(out, " was given up, for no answer and no receipt came, at ");
    else if (span_equal(type, SPAN("corrected")))
        buffer_put_text(out, " was accepted by an earlier attempt too, as its receipt says, at ");
    else
        buffer_printf(out, " was %.*s at ", SPAN_ARG(type));
    put_time(out, number_in(outcome, "at"));
    if (span_equal(type, SPAN("accepted")) || span_equal(type, SPAN("corrected"))) {
        buffer_printf(out, ", attempt %llu, for ",
                      (unsigned long long)number_in(outcome, "attempt"));
        put_price(out, number_in(outcome, "price"), text_of(outcome, "currency"));
        buffer_put_text(out, ": ");
        buffer_put_span(out, text_of(outcome, "wamid"));
    } else if (reason.size > 0) {
        buffer_put_text(out, ": ");
        buffer_put_span(out, reason);
    }
    if (span_equal(type, SPAN("refused")) || span_equal(type, SPAN("dead")))
        buffer_put_text(out, "; its entry was purged since, see facteur dead log");
    if (span_equal(text_of(outcome, "possible_duplicate"), SPAN("true")))
        buffer_put_text(out, "; the customer may have it twice");
}

void
why_story_outcome(const struct why_story *story, struct span line)
{
    char memory[SENTENCE_SIZE];
    struct buffer sentence;
    struct field fields[OUTCOME_FIELDS_MAX];
    struct json_object outcome = {.fields = fields, .capacity = OUTCOME_FIELDS_MAX};
    char *copy = malloc(line.size + 1);
    buffer_init(&sentence, memory, sizeof(memory));
    if (copy == NULL)
        return;
    memcpy(copy, line.data, line.size); /* it is unescaped where it stands */
    if (json_read_flat((struct span){copy, line.size}, &outcome, NULL) != JSON_OK)
        buffer_put_text(&sentence, "its outcome cannot be read");
    else
        put_outcome(&sentence, &outcome);
    if (!story->json) {
        print_sentence(&sentence);
    } else {
        print_head(story, SPAN("gone"), text_of(&outcome, "entry"));
        printf(",\"outcome\":%.*s", SPAN_ARG(line));
        print_tail(&sentence);
    }
    free(copy);
}

void
why_story_none(const struct why_story *story)
{
    char memory[SENTENCE_SIZE];
    struct buffer sentence;
    buffer_init(&sentence, memory, sizeof(memory));
    buffer_printf(&sentence,
                  "nothing is known of %.300s in %s/%s: it was never written there, or its outcome "
                  "is older than what events keep (facteur run --events-keep)",
                  story->name, story->keys->business_name, story->keys->account_name);
    if (!story->json) {
        print_sentence(&sentence);
        return;
    }
    print_head(story, SPAN("none"), SPAN(""));
    print_tail(&sentence);
}
