#include "loadtest/load_events.h"
#include "sender/base/check.h"
#include "sender/base/json.h"

#include <stdio.h>
#include <string.h>

enum { PAGE_ENTRIES = 100, OUTCOME_FIELDS_MAX = 40 };

void
load_events_init(struct load_events *events, struct audit *audit, const struct generator *generator,
                 const struct account_keys *accounts, uint32_t account_count)
{
    check(account_count <= LOAD_ACCOUNTS_MAX);
    *events = (struct load_events){
        .audit = audit, .generator = generator, .account_count = account_count};
    for (uint32_t i = 0; i < account_count; i++) {
        (void)snprintf(events->streams[i].key, sizeof events->streams[i].key, "%s:events",
                       accounts[i].account);
        (void)snprintf(events->streams[i].last, LOAD_STREAM_ID_MAX, "0-0");
    }
}

struct span
load_field(const struct reply *fields, const char *name)
{
    if (fields == NULL || fields->type != REPLY_ARRAY)
        return (struct span){0};
    for (size_t i = 0; i + 1 < fields->count; i += 2)
        if (reply_is_text(fields->elements[i], name))
            return fields->elements[i + 1]->text;
    return (struct span){0};
}

/* ---- one outcome ---------------------------------------------------------------------------- */

struct outcome_fields {
    struct span type, entry, id, ref, country, price, currency, wamid, reason, findings, at,
        possible;
};

static void
sort_fields(const struct json_object *object, struct outcome_fields *fields)
{
    const struct {
        const char *name;
        struct span *value;
    } wanted[] = {
        {"type", &fields->type},
        {"entry", &fields->entry},
        {"id", &fields->id},
        {"ref", &fields->ref},
        {"country", &fields->country},
        {"price", &fields->price},
        {"currency", &fields->currency},
        {"wamid", &fields->wamid},
        {"reason", &fields->reason},
        {"findings", &fields->findings},
        {"at", &fields->at},
        {"possible_duplicate", &fields->possible},
    };
    for (size_t i = 0; i < object->count; i++)
        for (size_t k = 0; k < sizeof wanted / sizeof wanted[0]; k++)
            if (span_equal(object->fields[i].name, span_of(wanted[k].name)))
                *wanted[k].value = object->fields[i].value;
}

static void
keep_refused(struct load_events *events, uint64_t n, const struct outcome_fields *fields)
{
    if (events->refused_count == LOAD_REFUSED_MAX || n == AUDIT_UNKNOWN)
        return;
    struct load_refused *refused = &events->refused[events->refused_count];
    if (fields->findings.size >= sizeof refused->findings)
        return;
    refused->n = n;
    (void)snprintf(refused->reason, sizeof refused->reason, "%.*s", SPAN_ARG(fields->reason));
    (void)snprintf(refused->findings, sizeof refused->findings, "%.*s", SPAN_ARG(fields->findings));
    events->refused_count++;
}

static bool
is_of_no_outcome(struct span type)
{
    static const char *const types[] = {"sent", "delivered", "read", "undelivered", "stopped"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (span_equal(type, span_of(types[i])))
            return true;
    return false;
}

static void
tell_final(struct load_events *events, struct audit_event *event,
           const struct outcome_fields *fields)
{
    event->wamid = fields->wamid;
    event->country = fields->country;
    event->possible_duplicate = span_equal(fields->possible, SPAN("true"));
    /* Findings are an array: "[]" is none. */
    event->by_policy = event->outcome == AUDIT_REFUSED && fields->findings.size > 2;
    bool priced = fields->price.size == 0 || span_to_u64(fields->price, &event->price);
    events->unreadable += !priced || !span_to_u64(fields->at, &event->at_ms);
    if (event->by_policy)
        keep_refused(events, event->n, fields);
    if (event->outcome == AUDIT_ACCEPTED && events->currency[0] == '\0')
        (void)snprintf(events->currency, sizeof events->currency, "%.*s",
                       SPAN_ARG(fields->currency));
    audit_event(events->audit, event);
}

static void
tell_corrected(struct load_events *events, const struct audit_event *event,
               const struct outcome_fields *fields)
{
    uint64_t price = 0;
    events->unreadable += !span_to_u64(fields->price, &price);
    audit_corrected(events->audit, event->member, event->n, price);
    if (span_equal(fields->possible, SPAN("true")))
        audit_flag_possible(events->audit, event->member);
}

static void
tell_audit(struct load_events *events, uint32_t account, const struct outcome_fields *fields)
{
    struct audit_event event = {.n = AUDIT_UNKNOWN};
    uint64_t n = 0;
    if (generator_read_ref(events->generator, fields->ref, &n))
        event.n = n;
    if (is_of_no_outcome(fields->type))
        events->others++;
    else if (!audit_read_member(fields->entry, account, &event.member))
        events->unreadable++;
    else if (span_equal(fields->type, SPAN("uncertain")))
        audit_uncertain(events->audit, event.member, event.n);
    else if (span_equal(fields->type, SPAN("corrected")))
        tell_corrected(events, &event, fields);
    else if (audit_read_outcome(fields->type, &event.outcome))
        tell_final(events, &event, fields);
    else
        events->unreadable += 1;
}

void
load_events_outcome(struct load_events *events, uint32_t account, struct span json)
{
    if (json.size > sizeof events->line) {
        events->unreadable++;
        return;
    }
    memcpy(events->line, json.data, json.size);
    struct field memory[OUTCOME_FIELDS_MAX];
    struct json_object object = {.fields = memory, .capacity = OUTCOME_FIELDS_MAX};
    if (json_read_flat((struct span){events->line, json.size}, &object, NULL) != JSON_OK) {
        events->unreadable++;
        return;
    }
    struct outcome_fields fields = {0};
    sort_fields(&object, &fields);
    tell_audit(events, account, &fields);
}

/* ---- entries -------------------------------------------------------------------------------- */

void
load_events_entry(struct load_events *events, uint32_t account, const struct reply *entry)
{
    check(account < events->account_count);
    struct load_event_stream *stream = &events->streams[account];
    const struct reply *id = reply_at(entry, 0);
    const struct reply *fields = reply_at(entry, 1);
    if (id == NULL || fields == NULL || id->text.size >= LOAD_STREAM_ID_MAX) {
        events->unreadable++;
        return;
    }
    (void)snprintf(stream->last, LOAD_STREAM_ID_MAX, "%.*s", SPAN_ARG(id->text));
    uint64_t count = 0;
    uint64_t upto = 0;
    if (!span_to_u64(load_field(fields, "n"), &count) ||
        !span_to_u64(load_field(fields, "upto"), &upto) || upto < count)
        events->unreadable++;
    else if (upto - count > stream->upto)
        events->missed += upto - count - stream->upto;
    if (upto > stream->upto)
        stream->upto = upto;
    struct span rest = load_field(fields, "outcomes");
    while (rest.size > 0) {
        struct span line = span_split(&rest, '\n');
        if (line.size > 0)
            load_events_outcome(events, account, line);
    }
}

static bool
read_stream(struct load_events *events, uint32_t account, struct load_redis *redis,
            struct error_text *error)
{
    struct load_event_stream *stream = &events->streams[account];
    for (;;) {
        char from[LOAD_STREAM_ID_MAX + 1];
        (void)snprintf(from, sizeof from, "(%s", stream->last);
        const char *const parts[] = {"XRANGE", stream->key, from, "+", "COUNT", "100", NULL};
        const struct reply *reply = load_redis_ask(redis, parts, error);
        if (reply == NULL)
            return false;
        for (size_t i = 0; i < reply->count; i++)
            load_events_entry(events, account, reply->elements[i]);
        if (reply->count < PAGE_ENTRIES)
            return true;
    }
}

bool
load_events_read(struct load_events *events, struct load_redis *redis, struct error_text *error)
{
    for (uint32_t i = 0; i < events->account_count; i++)
        if (!read_stream(events, i, redis, error))
            return false;
    return true;
}
