#include "queue/call_parts.h"
#include "sender/base/check.h"

const char *
source_text(enum source source)
{
    switch (source) {
    case SOURCE_QUEUE:
        return "queue";
    case SOURCE_URGENT:
        return "urgent";
    case SOURCE_LATER:
        return "later";
    case SOURCE_COUNT:
        break;
    }
    check(!"a source");
    return "";
}

static bool
read_source(const struct reply *reply, enum source *source)
{
    for (int i = 0; i < SOURCE_COUNT; i++) {
        if (reply_is_text(reply, source_text((enum source)i))) {
            *source = (enum source)i;
            return true;
        }
    }
    return false;
}

bool
call_claim(const struct call *call, const struct claim_request *request)
{
    call_begin(call, "facteur_claim", 4);
    session_part(call->session, request->holder);
    session_part(call->session, request->claim);
    session_part_u64(call->session, request->members_max);
    session_part_u64(call->session, request->bytes_max);
    return call_end(call);
}

/* A cursor that was never moved is nil. */
static bool
read_cursor(const struct reply *reply, struct span *cursor)
{
    *cursor = (struct span){0};
    return reply_text(reply, cursor) || (reply != NULL && reply->type == REPLY_NIL);
}

bool
claim_read(const struct reply *reply, struct claim_reply *claim)
{
    enum { FIXED = 5 };
    *claim = (struct claim_reply){.fenced = call_says(reply, "fenced"),
                                  .paused = call_says(reply, "paused"),
                                  .stopped = call_says(reply, "stopped"),
                                  .declare = call_says(reply, "declare"),
                                  .wait = call_says(reply, "wait"),
                                  .next_due_ms = -1};
    if (claim->fenced || claim->paused || claim->stopped || claim->declare || claim->wait)
        return true;
    int64_t now_ms;
    if (!call_is_ok(reply, FIXED) || !reply_i64(reply_at(reply, 1), &now_ms) || now_ms < 0 ||
        !reply_i64(reply_at(reply, 2), &claim->next_due_ms) || claim->next_due_ms < -1 ||
        !read_cursor(reply_at(reply, 3), &claim->cursor_urgent) ||
        !read_cursor(reply_at(reply, 4), &claim->cursor_queue))
        return false;
    claim->now_ms = (uint64_t)now_ms;
    claim->parts = (const struct reply *const *)reply->elements + FIXED;
    claim->part_count = reply->count - FIXED;
    return true;
}

/* A list from Lua: an empty table is an empty array, and nil is one that was left out. */
static const struct reply *
read_list(const struct reply *part, size_t index)
{
    const struct reply *list = reply_at(part, index);
    return list != NULL && list->type == REPLY_ARRAY ? list : NULL;
}

bool
claim_read_part(const struct claim_reply *claim, size_t index, struct claim_part *part)
{
    check(index < claim->part_count);
    const struct reply *reply = claim->parts[index];
    *part = (struct claim_part){.entries = read_list(reply, 2), .masks = read_list(reply, 3)};
    if (!reply_text(reply_at(reply, 0), &part->claim) || part->claim.size == 0 ||
        part->claim.size > QUEUE_GRANT_MAX || !read_source(reply_at(reply, 1), &part->source) ||
        part->entries == NULL)
        return false;
    part->entry_count = part->entries->count;
    return part->masks == NULL || part->masks->count % 2 == 0;
}

static bool
read_hex(struct span digits, uint64_t *value)
{
    *value = 0;
    if (digits.size == 0 || digits.size > 16)
        return false;
    for (size_t i = 0; i < digits.size; i++) {
        char c = digits.data[i];
        if (c >= '0' && c <= '9')
            *value = *value << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *value = *value << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

/* Few entries of a claim have a mask: those whose bulk was cut short by a death or a drain. */
static bool
read_mask(const struct claim_part *part, struct span name, uint64_t *mask)
{
    *mask = 0;
    size_t count = part->masks == NULL ? 0 : part->masks->count;
    for (size_t i = 0; i + 1 < count; i += 2) {
        struct span entry;
        struct span digits;
        if (!reply_text(reply_at(part->masks, i), &entry) ||
            !reply_text(reply_at(part->masks, i + 1), &digits))
            return false;
        if (span_equal(entry, name))
            return read_hex(digits, mask);
    }
    return true;
}

static bool
are_pairs(const struct reply *fields)
{
    if (fields->count % 2 != 0)
        return false;
    for (size_t i = 0; i < fields->count; i++)
        if (fields->elements[i]->type != REPLY_STRING)
            return false;
    return true;
}

bool
claim_read_entry(const struct claim_part *part, size_t index, struct claim_entry *entry)
{
    check(index < part->entry_count);
    const struct reply *reply = part->entries->elements[index];
    const struct reply *second = reply_at(reply, 1);
    *entry = (struct claim_entry){0};
    if (second == NULL || !reply_text(reply_at(reply, 0), &entry->name) || entry->name.size == 0 ||
        entry->name.size > QUEUE_MEMBER_MAX)
        return false;
    if (part->source == SOURCE_LATER)
        return reply_text(second, &entry->record);
    if (!read_mask(part, entry->name, &entry->mask))
        return false;
    entry->too_large = second->type == REPLY_NIL;
    if (entry->too_large)
        return true;
    entry->fields = second;
    return second->type == REPLY_ARRAY && are_pairs(second);
}

bool
claim_entry_fields(const struct claim_entry *entry, struct field *fields, size_t capacity,
                   size_t *count)
{
    size_t pairs = entry->fields == NULL ? 0 : entry->fields->count / 2;
    bool fits = pairs <= capacity;
    *count = fits ? pairs : capacity;
    for (size_t i = 0; i < *count; i++)
        fields[i] = (struct field){.name = entry->fields->elements[2 * i]->text,
                                   .value = entry->fields->elements[2 * i + 1]->text};
    return fits;
}
