#include "loadtest/load_places.h"
#include "loadtest/load_events.h"
#include "loadtest/load_ledger.h"
#include "sender/base/check.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = KEYS_BASE_MAX + 32, TEXT_MAX = 128, OVERDUE_SECONDS = 5 };

uint64_t
load_places_find_ref(const struct generator *generator, struct span line)
{
    static const char mark[] = "\"ref\":\"";
    const char *at = memmem(line.data, line.size, mark, sizeof mark - 1);
    if (at == NULL)
        return AUDIT_UNKNOWN;
    at += sizeof mark - 1;
    struct span rest = {at, line.size - (size_t)(at - line.data)};
    uint64_t n = 0;
    struct span ref = span_split(&rest, '"');
    return generator_read_ref(generator, ref, &n) ? n : AUDIT_UNKNOWN;
}

static uint64_t
read_ref(const struct load_places *places, struct span ref)
{
    uint64_t n = 0;
    return generator_read_ref(places->generator, ref, &n) ? n : AUDIT_UNKNOWN;
}

/* "facteur:{acme}:fr:later" */
static const char *
key_of(const struct load_places *places, uint32_t account, const char *name, char key[KEY_MAX])
{
    (void)snprintf(key, KEY_MAX, "%s:%s", places->accounts[account].account, name);
    return key;
}

static const struct reply *
ask(struct load_places *places, const char *const *parts)
{
    return load_redis_ask(places->redis, parts, &places->error);
}

/* ---- hashes and streams, page by page ------------------------------------------------------- */

typedef void item_f(struct load_places *places, uint32_t account, struct span name,
                    struct span value);
typedef void entry_f(struct load_places *places, uint32_t account, struct span id,
                     const struct reply *fields);

/* A hash that grows and shrinks meanwhile may give an item twice: `on_item` must bear that. */
static bool
each_item(struct load_places *places, uint32_t account, const char *key, item_f *on_item)
{
    char cursor[32] = "0";
    do {
        const char *const parts[] = {"HSCAN", key, cursor, "COUNT", "500", NULL};
        const struct reply *reply = ask(places, parts);
        const struct reply *items = reply_at(reply, 1);
        if (reply == NULL)
            return false;
        if (items == NULL || reply_at(reply, 0)->text.size >= sizeof cursor)
            return true;
        (void)snprintf(cursor, sizeof cursor, "%.*s", SPAN_ARG(reply_at(reply, 0)->text));
        for (size_t i = 0; i + 1 < items->count; i += 2)
            on_item(places, account, items->elements[i]->text, items->elements[i + 1]->text);
    } while (strcmp(cursor, "0") != 0);
    return true;
}

static bool
each_entry(struct load_places *places, uint32_t account, const char *name, entry_f *on_entry)
{
    char key[KEY_MAX];
    char from[TEXT_MAX] = "-";
    for (;;) {
        const char *const parts[] = {
            "XRANGE", key_of(places, account, name, key), from, "+", "COUNT", "100", NULL};
        const struct reply *reply = ask(places, parts);
        if (reply == NULL)
            return false;
        for (size_t i = 0; i < reply->count; i++) {
            const struct reply *id = reply_at(reply->elements[i], 0);
            const struct reply *fields = reply_at(reply->elements[i], 1);
            if (id == NULL || fields == NULL || id->text.size >= TEXT_MAX - 1)
                continue;
            (void)snprintf(from, sizeof from, "(%.*s", SPAN_ARG(id->text));
            on_entry(places, account, id->text, fields);
        }
        if (reply->count < 100)
            return true;
    }
}

/* ---- streams -------------------------------------------------------------------------------- */

static uint32_t
hex_digit(char c)
{
    return c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
           : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                                  : 0;
}

/* Members left of the bulk entry `entry`, as a mask; 0 when none has. */
static uint64_t
left_of(struct load_places *places, uint32_t account, const struct audit_member *member)
{
    char key[KEY_MAX];
    char memory[TEXT_MAX];
    struct buffer entry;
    buffer_init(&entry, memory, sizeof memory);
    audit_put_member(member, &entry);
    const char *const parts[] = {"HGET", key_of(places, account, "left", key), buffer_text(&entry),
                                 NULL};
    const struct reply *reply = ask(places, parts);
    uint64_t mask = 0;
    if (reply == NULL || reply->type != REPLY_STRING || reply->text.size > 16)
        return 0;
    for (size_t i = 0; i < reply->text.size; i++)
        mask = mask << 4 | hex_digit(reply->text.data[i]);
    return mask;
}

static bool
in_claim(const struct load_places *places, const struct audit_member *member)
{
    for (uint32_t i = 0; i < places->claim_count; i++) {
        const struct load_claim *claim = &places->claims[i];
        bool after = member->ms > claim->first_ms ||
                     (member->ms == claim->first_ms && member->seq >= claim->first_seq);
        bool before = member->ms < claim->last_ms ||
                      (member->ms == claim->last_ms && member->seq <= claim->last_seq);
        if (claim->stream == member->stream && after && before)
            return true;
    }
    return false;
}

static void
in_stream(struct load_places *places, struct audit_member member, uint64_t n)
{
    audit_place(places->audit, member, n, AUDIT_IN_STREAM);
    if (in_claim(places, &member))
        audit_place(places->audit, member, n, AUDIT_CLAIMED);
}

/* Bulk entries are remembered and looked up in `left` after the page: the page's reply would be
 * gone. Instead each is copied as what matters of it: which notifications its lines are. */
struct bulk_entry {
    struct audit_member member;
    uint32_t count;
    uint64_t n[QUEUE_BULK_MAX];
};

enum { BULK_PAGE = 100 };

struct stream_page {
    uint32_t count;
    struct bulk_entry bulks[BULK_PAGE];
};

static void
read_bulk(struct load_places *places, struct span bulk, struct bulk_entry *entry)
{
    while (bulk.size > 0 && entry->count < QUEUE_BULK_MAX) {
        struct span line = span_split(&bulk, '\n');
        entry->n[entry->count++] = load_places_find_ref(places->generator, line);
    }
}

/* One page of a stream. Returns how many entries it had, -1 when Redis was lost. */
static int
read_stream_page(struct load_places *places, uint32_t account, enum audit_stream stream,
                 char from[TEXT_MAX], struct stream_page *page)
{
    char key[KEY_MAX];
    const char *const parts[] = {"XRANGE", key_of(places, account, audit_stream_name(stream), key),
                                 from,     "+",
                                 "COUNT",  "100",
                                 NULL};
    const struct reply *reply = ask(places, parts);
    if (reply == NULL)
        return -1;
    page->count = 0;
    for (size_t i = 0; i < reply->count && i < BULK_PAGE; i++) {
        const struct reply *id = reply_at(reply->elements[i], 0);
        const struct reply *fields = reply_at(reply->elements[i], 1);
        struct audit_member member;
        if (id == NULL || fields == NULL || id->text.size >= TEXT_MAX - 1)
            continue;
        (void)snprintf(from, TEXT_MAX, "(%.*s", SPAN_ARG(id->text));
        if (!audit_read_member(id->text, account, &member))
            continue;
        member.stream = stream;
        struct span bulk = load_field(fields, "bulk");
        if (bulk.data == NULL) {
            in_stream(places, member, read_ref(places, load_field(fields, "ref")));
            continue;
        }
        struct bulk_entry *entry = &page->bulks[page->count++];
        entry->member = member;
        entry->count = 0;
        read_bulk(places, bulk, entry);
    }
    return (int)reply->count;
}

static bool
read_stream(struct load_places *places, uint32_t account, enum audit_stream stream)
{
    static struct stream_page page;
    char from[TEXT_MAX] = "-";
    int count = BULK_PAGE;
    while (count == BULK_PAGE) {
        count = read_stream_page(places, account, stream, from, &page);
        for (uint32_t i = 0; i < page.count && count >= 0; i++) {
            const struct bulk_entry *entry = &page.bulks[i];
            uint64_t left = left_of(places, account, &entry->member);
            for (uint32_t line = 0; line < entry->count; line++) {
                struct audit_member member = entry->member;
                member.index = (uint8_t)(line + 1);
                if ((left >> line & 1) == 0)
                    in_stream(places, member, entry->n[line]);
            }
        }
    }
    return count >= 0;
}

/* ---- claims, grants ------------------------------------------------------------------------- */

static bool
read_stream_id(struct span text, uint64_t *ms, uint64_t *seq)
{
    struct span rest = text;
    return span_to_u64(span_split(&rest, '-'), ms) && span_to_u64(rest, seq);
}

/* HOLDER SOURCE FIRST LAST AT */
static void
on_claim(struct load_places *places, uint32_t account, struct span name, struct span value)
{
    (void)name;
    struct span rest = value;
    (void)span_split(&rest, '\t');
    struct span source = span_split(&rest, '\t');
    struct span first = span_split(&rest, '\t');
    struct span last = span_split(&rest, '\t');
    if (span_equal(source, SPAN("later"))) {
        while (first.size > 0) {
            struct audit_member member;
            if (audit_read_member(span_split(&first, ' '), account, &member))
                audit_place(places->audit, member, AUDIT_UNKNOWN, AUDIT_CLAIMED);
        }
        return;
    }
    struct load_claim claim = {.stream =
                                   span_equal(source, SPAN("urgent")) ? AUDIT_URGENT : AUDIT_QUEUE};
    if (places->claim_count < LOAD_CLAIMS_MAX &&
        read_stream_id(first, &claim.first_ms, &claim.first_seq) &&
        read_stream_id(last, &claim.last_ms, &claim.last_seq))
        places->claims[places->claim_count++] = claim;
    else
        places->strange++;
}

static bool
bit_is_set(struct span hex, uint32_t index)
{
    if (index / 4 >= hex.size)
        return false;
    return (hex_digit(hex.data[index / 4]) >> index % 4 & 1) != 0;
}

typedef void granted_f(void *context, struct span member);

/* A record is followed by nothing, or by its bitmap under GRANT#; both are in one HGETALL. */
static void
read_grant(struct span record, struct span settled, granted_f *on_granted, void *context)
{
    struct span rest = record;
    (void)span_split(&rest, '\n');
    uint32_t index = 0;
    while (rest.size > 0) {
        struct span line = span_split(&rest, '\n');
        if (line.size == 0 || span_starts(line, SPAN("c\t")))
            continue;
        if (!bit_is_set(settled, index))
            on_granted(context, span_split(&line, '\t'));
        index++;
    }
}

/* Gives each member that is granted and not settled. */
static void
each_granted(const struct reply *grants, granted_f *on_granted, void *context)
{
    for (size_t i = 0; i + 1 < grants->count; i += 2) {
        struct span name = grants->elements[i]->text;
        if (name.size > 0 && name.data[name.size - 1] == '#')
            continue;
        char bitmap[TEXT_MAX];
        (void)snprintf(bitmap, sizeof bitmap, "%.*s#", SPAN_ARG(name));
        read_grant(grants->elements[i + 1]->text, load_field(grants, bitmap), on_granted, context);
    }
}

static void
count_granted(void *context, struct span member)
{
    (void)member;
    ++*(uint64_t *)context;
}

uint64_t
load_places_granted(const struct reply *grants)
{
    uint64_t count = 0;
    each_granted(grants, count_granted, &count);
    return count;
}

struct grants_of {
    struct load_places *places;
    uint32_t account;
};

static void
on_granted(void *context, struct span name)
{
    const struct grants_of *of = context;
    struct audit_member member;
    if (audit_read_member(name, of->account, &member))
        audit_place(of->places->audit, member, AUDIT_UNKNOWN, AUDIT_GRANTED);
    else
        of->places->strange++;
}

static bool
read_grants(struct load_places *places, uint32_t account)
{
    char key[KEY_MAX];
    struct grants_of of = {places, account};
    const char *const parts[] = {"HGETALL", key_of(places, account, "grants", key), NULL};
    const struct reply *reply = ask(places, parts);
    if (reply != NULL)
        each_granted(reply, on_granted, &of);
    return reply != NULL;
}

/* ---- later, uncertain, dead ----------------------------------------------------------------- */

/* N of a waiting record's fields: ["ref","1/17",…] or ["member","{…}"]. */
static uint64_t
ref_of_record(const struct load_places *places, const json_t *record)
{
    const json_t *fields = json_object_get(record, "fields");
    for (size_t i = 0; i + 1 < json_array_size(fields); i += 2) {
        const char *name = json_string_value(json_array_get(fields, i));
        const json_t *value = json_array_get(fields, i + 1);
        struct span text = {json_string_value(value), json_string_length(value)};
        if (name != NULL && strcmp(name, "ref") == 0)
            return read_ref(places, text);
        if (name != NULL && strcmp(name, "member") == 0)
            return load_places_find_ref(places->generator, text);
    }
    return AUDIT_UNKNOWN;
}

static void
waiting(struct load_places *places, struct audit_member member, struct span value,
        enum audit_place place)
{
    /* Fields hold a producer's bytes, which need not be UTF-8. */
    json_t *record = json_loadb(value.data, value.size, JSON_ALLOW_NUL, NULL);
    uint64_t n = record == NULL ? load_places_find_ref(places->generator, value)
                                : ref_of_record(places, record);
    places->strange += record == NULL;
    audit_place(places->audit, member, n, place);
    if (json_is_true(json_object_get(record, "possible_duplicate")))
        audit_flag_possible(places->audit, member);
    json_decref(record);
}

static void
on_later(struct load_places *places, uint32_t account, struct span name, struct span value)
{
    struct audit_member member;
    if (audit_read_member(name, account, &member))
        waiting(places, member, value, AUDIT_LATER);
}

static void
on_uncertain(struct load_places *places, uint32_t account, struct span name, struct span value)
{
    struct audit_member member;
    if (audit_read_member(name, account, &member))
        waiting(places, member, value, AUDIT_UNCERTAIN);
}

/* GRANT/INDEX: MEMBER ATTEMPT DAY CELL CURRENCY MILLIONTHS AT */
static void
on_exposed(struct load_places *places, uint32_t account, struct span name, struct span value)
{
    struct span rest = value;
    struct audit_member member;
    uint64_t index = 0;
    uint64_t price = 0;
    struct span grant = span_split(&name, '/');
    bool good = audit_read_member(span_split(&rest, '\t'), account, &member);
    for (int i = 0; i < 4; i++)
        (void)span_split(&rest, '\t');
    if (good && span_to_u64(name, &index) && span_to_u64(span_split(&rest, '\t'), &price))
        audit_exposed(places->audit, member, audit_hash_token(grant, index), price);
    else
        places->strange++;
}

/* In one go: what a scan gives twice would count twice. */
static bool
read_exposed(struct load_places *places, uint32_t account)
{
    char key[KEY_MAX];
    const char *const parts[] = {"HGETALL", key_of(places, account, "exposed", key), NULL};
    const struct reply *reply = ask(places, parts);
    for (size_t i = 0; reply != NULL && i + 1 < reply->count; i += 2)
        on_exposed(places, account, reply->elements[i]->text, reply->elements[i + 1]->text);
    return reply != NULL;
}

/* MEMBER: tokens of the attempts, a newline, the outcome that will be told. */
static void
on_proven(struct load_places *places, uint32_t account, struct span name, struct span value)
{
    struct span outcome = value;
    struct audit_member member;
    uint64_t price = 0;
    (void)span_split(&outcome, '\n');
    json_t *json = json_loadb(outcome.data, outcome.size, 0, NULL);
    const char *text = json_string_value(json_object_get(json, "price"));
    const json_t *number = json_object_get(json, "price");
    if (json_is_integer(number))
        price = (uint64_t)json_integer_value(number);
    else if (text != NULL)
        (void)span_to_u64(span_of(text), &price);
    if (audit_read_member(name, account, &member))
        audit_proven(places->audit, member, price);
    else
        places->strange++;
    json_decref(json);
}

static void
on_dead(struct load_places *places, uint32_t account, struct span id, const struct reply *fields)
{
    (void)id;
    struct audit_member member;
    enum audit_outcome outcome = AUDIT_NONE;
    struct span type = load_field(fields, "type");
    bool parked = span_equal(type, SPAN("uncertain"));
    if (!audit_read_member(load_field(fields, "entry"), account, &member) ||
        (!parked && !audit_read_outcome(type, &outcome))) {
        places->strange++;
        return;
    }
    struct span line = load_field(fields, "o.member");
    uint64_t n = line.size > 0 ? load_places_find_ref(places->generator, line)
                               : read_ref(places, load_field(fields, "o.ref"));
    if (parked)
        audit_place(places->audit, member, n, AUDIT_PARKED);
    else
        audit_dead(places->audit, member, n, outcome);
}

/* By Redis' own clock, and with some patience: senders look once a second. */
static bool
count_overdue(struct load_places *places, uint32_t account)
{
    const char *const time[] = {"TIME", NULL};
    const struct reply *now = ask(places, time);
    int64_t seconds = 0;
    int64_t count = 0;
    if (now == NULL || !reply_i64(reply_at(now, 0), &seconds))
        return false;
    char key[KEY_MAX];
    char until[32];
    (void)snprintf(until, sizeof until, "%lld", (long long)(seconds - OVERDUE_SECONDS) * 1000);
    const char *const parts[] = {"ZCOUNT", key_of(places, account, "uncertain", key), "-inf", until,
                                 NULL};
    const struct reply *reply = ask(places, parts);
    if (reply == NULL || !reply_i64(reply, &count))
        return false;
    places->overdue += (uint64_t)count;
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool
read_account(struct load_places *places, uint32_t account)
{
    char key[KEY_MAX];
    places->claim_count = 0;
    return each_item(places, account, key_of(places, account, "claims", key), on_claim) &&
           read_stream(places, account, AUDIT_URGENT) &&
           read_stream(places, account, AUDIT_QUEUE) &&
           read_stream(places, account, AUDIT_REPLIES) && read_grants(places, account) &&
           each_item(places, account, key_of(places, account, "later:entries", key), on_later) &&
           each_item(places, account, key_of(places, account, "uncertain:entries", key),
                     on_uncertain) &&
           read_exposed(places, account) &&
           each_item(places, account, key_of(places, account, "proven", key), on_proven) &&
           each_entry(places, account, "dead", on_dead) && count_overdue(places, account);
}

bool
load_places_read(struct load_places *places)
{
    audit_forget_places(places->audit);
    places->strange = places->overdue = 0;
    for (uint32_t i = 0; i < places->account_count; i++)
        if (!read_account(places, i))
            return false;
    return load_ledger_read(places);
}

static bool
add_count(struct load_places *places, uint32_t account, const char *command, const char *name,
          uint64_t *fingerprint)
{
    char key[KEY_MAX];
    const char *const parts[] = {command, key_of(places, account, name, key), NULL};
    const struct reply *reply = ask(places, parts);
    int64_t count = 0;
    if (reply == NULL || !reply_i64(reply, &count))
        return false;
    *fingerprint = (*fingerprint ^ (uint64_t)count) * 0x9e3779b97f4a7c15u;
    *fingerprint ^= *fingerprint >> 31;
    return true;
}

bool
load_places_fingerprint(struct load_places *places, uint64_t *fingerprint)
{
    static const char *const counted[][2] = {
        {"XLEN", "queue"},      {"XLEN", "urgent"},
        {"HLEN", "claims"},     {"HLEN", "grants"},
        {"ZCARD", "later"},     {"HLEN", "later:entries"},
        {"ZCARD", "uncertain"}, {"HLEN", "uncertain:entries"},
        {"XLEN", "dead"},       {"HLEN", "left"},
        {"LLEN", "returned"},   {"HLEN", "exposed"},
        {"HLEN", "proven"},
    };
    *fingerprint = 1;
    for (uint32_t account = 0; account < places->account_count; account++) {
        for (size_t i = 0; i < sizeof counted / sizeof counted[0]; i++)
            if (!add_count(places, account, counted[i][0], counted[i][1], fingerprint))
                return false;
        char key[KEY_MAX];
        const char *const parts[] = {
            "XREVRANGE", key_of(places, account, "events", key), "+", "-", "COUNT", "1", NULL};
        const struct reply *reply = ask(places, parts);
        if (reply == NULL)
            return false;
        const struct reply *id = reply_at(reply_at(reply, 0), 0);
        if (id != NULL)
            *fingerprint ^= span_hash(id->text) + account;
    }
    return true;
}
