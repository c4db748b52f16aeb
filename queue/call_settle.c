#include "queue/call_parts.h"
#include "sender/base/check.h"

#include <string.h>

/* ---- writing ------------------------------------------------------------------------------ */

static const char *
action_text(enum settle_action action)
{
    switch (action) {
    case SETTLE_ACCEPT:
        return "accept";
    case SETTLE_DROP:
        return "drop";
    case SETTLE_FREE:
        return "free";
    case SETTLE_DEAD:
        return "dead";
    case SETTLE_LATER:
        return "later";
    case SETTLE_UNCERTAIN:
        return "uncertain";
    }
    check(!"an action");
    return "";
}

static size_t
action_arguments(enum settle_action action)
{
    switch (action) {
    case SETTLE_ACCEPT:
    case SETTLE_DROP:
    case SETTLE_FREE:
        return 0;
    case SETTLE_DEAD:
    case SETTLE_LATER:
        return 4;
    case SETTLE_UNCERTAIN:
        return 3;
    }
    check(!"an action");
    return 0;
}

static void
put_action(const struct call *call, const struct settle_group *group)
{
    call_text(call, action_text(group->action));
    switch (group->action) {
    case SETTLE_ACCEPT:
    case SETTLE_DROP:
    case SETTLE_FREE:
        return;
    case SETTLE_DEAD:
        session_part(call->session, group->type);
        session_part(call->session, group->reason);
        session_part_u64(call->session, group->attempt);
        call_text(call, group->release_id ? "1" : "0");
        return;
    case SETTLE_LATER:
    case SETTLE_UNCERTAIN:
        session_part_u64(call->session, group->time_ms);
        session_part_u64(call->session, group->attempt);
        session_part(call->session, group->reason);
        if (group->action == SETTLE_LATER)
            session_part_u64(call->session, group->throttles);
        return;
    }
}

/* Four members a digit; member 0 is the lowest bit of the first digit. */
static void
put_bits(const struct call *call, const struct settle_group *group)
{
    if (group->before_grant) {
        call_text(call, "-");
        return;
    }
    unsigned char digits[CALLS_GRANT_MEMBERS_MAX / 4];
    size_t used = 0;
    for (uint32_t i = 0; i < group->member_count; i++) {
        uint32_t index = group->indexes[i];
        check(index < CALLS_GRANT_MEMBERS_MAX);
        if (index / 4 >= used) {
            memset(digits + used, 0, index / 4 + 1 - used);
            used = index / 4 + 1;
        }
        check((digits[index / 4] & 1u << index % 4) == 0); /* a member stands once */
        digits[index / 4] |= (unsigned char)(1u << index % 4);
    }
    for (size_t i = 0; i < used; i++)
        digits[i] = (unsigned char)"0123456789abcdef"[digits[i]];
    session_part(call->session, (struct span){.data = (const char *)digits, .size = used});
}

static void
put_cells(const struct call *call, const struct settle_group *group)
{
    session_part_u64(call->session, group->cell_count);
    for (uint32_t i = 0; i < group->cell_count; i++) {
        session_part_u64(call->session, group->cells[i].cell);
        session_part_u64(call->session, group->cells[i].count);
        session_part_u64(call->session, group->cells[i].millionths);
    }
}

static void
put_mask(const struct call *call, uint64_t mask)
{
    char digits[16];
    for (size_t i = sizeof(digits); i > 0; i--, mask >>= 4)
        digits[i - 1] = "0123456789abcdef"[mask & 15];
    session_part(call->session, (struct span){.data = digits, .size = sizeof(digits)});
}

static void
put_bulks(const struct call *call, const struct settle_group *group)
{
    session_part_u64(call->session, group->bulk_count);
    for (uint32_t i = 0; i < group->bulk_count; i++) {
        const struct settle_bulk *bulk = &group->bulks[i];
        check(bulk->total > 0 && bulk->total <= QUEUE_BULK_MAX);
        check(bulk->mask != 0);
        check(bulk->total == QUEUE_BULK_MAX || bulk->mask >> bulk->total == 0);
        session_part(call->session, bulk->entry);
        put_mask(call, bulk->mask);
        session_part_u64(call->session, bulk->total);
    }
}

static void
put_spans(const struct call *call, const struct span *spans, uint32_t count)
{
    session_part_u64(call->session, count);
    for (uint32_t i = 0; i < count; i++)
        session_part(call->session, spans[i]);
}

static uint64_t
count_members(const struct settle_group *group)
{
    uint64_t count = (uint64_t)group->single_count + group->name_count;
    for (uint32_t i = 0; i < group->bulk_count; i++)
        count += (uint64_t)__builtin_popcountll(group->bulks[i].mask);
    return count;
}

static uint64_t
count_charged(const struct settle_group *group)
{
    uint64_t count = 0;
    for (uint32_t i = 0; i < group->cell_count; i++)
        count += group->cells[i].count;
    return count;
}

/* What the library would refuse: a mistake of ours that would stop the whole settle. */
static void
check_group(const struct settle_group *group)
{
    uint64_t members = count_members(group);
    if (group->source == SOURCE_LATER)
        check(group->single_count == 0 && group->bulk_count == 0);
    else
        check(group->name_count == 0);
    if (group->before_grant)
        check(group->action != SETTLE_ACCEPT && group->action != SETTLE_UNCERTAIN);
    else
        check(group->member_count == members);
    check(members > 0);
    check(members == 1 || action_arguments(group->action) == 0);
    check(count_charged(group) == (group->action == SETTLE_ACCEPT ? members : 0));
}

/* As one argument of lines: a fifth less work for Redis than as many arguments. */
static void
put_outcomes(const struct call *call, const struct settle_group *group)
{
    struct span pieces[2 * CALLS_GRANT_MEMBERS_MAX];
    char count[24];
    uint32_t piece_count = 0;
    if (group->outcome_count < 2) {
        put_spans(call, group->outcomes, group->outcome_count);
        return;
    }
    check(group->outcome_count <= CALLS_GRANT_MEMBERS_MAX);
    for (uint32_t i = 0; i < group->outcome_count; i++) {
        if (i > 0)
            pieces[piece_count++] = SPAN("\n");
        pieces[piece_count++] = group->outcomes[i];
    }
    struct buffer text;
    buffer_init(&text, count, sizeof(count));
    buffer_put_char(&text, '=');
    buffer_put_u64(&text, group->outcome_count);
    session_part(call->session, buffer_span(&text));
    session_part_joined(call->session, pieces, piece_count);
}

static void
put_group(const struct call *call, const struct settle_group *group)
{
    check_group(group);
    struct span token[] = {group->before_grant ? SPAN("claim:") : SPAN(""), group->token};
    session_part_joined(call->session, token, 2);
    call_text(call, source_text(group->source));
    put_action(call, group);
    put_bits(call, group);
    put_cells(call, group);
    put_spans(call, group->singles, group->single_count);
    put_bulks(call, group);
    put_spans(call, group->names, group->name_count);
    put_outcomes(call, group);
    put_spans(call, group->ids, group->id_count);
}

static size_t
count_arguments(const struct settle_group *group)
{
    enum { FIXED = 4 /* token, source, action, bits */, COUNTS = 6 };
    return FIXED + action_arguments(group->action) + COUNTS + 3 * (size_t)group->cell_count +
           group->single_count + 3 * (size_t)group->bulk_count + group->name_count +
           (group->outcome_count < 2 ? group->outcome_count : 1) + group->id_count;
}

bool
call_settle(const struct call *call, const struct settle_request *request)
{
    check(request->group_count <= CALLS_SETTLE_GROUPS_MAX);
    size_t argument_count = 4 + 1 + (size_t)request->claim_count;
    size_t cell_count = 0;
    for (uint32_t i = 0; i < request->group_count; i++) {
        argument_count += count_arguments(&request->groups[i]);
        cell_count += request->groups[i].cell_count;
    }
    check(cell_count <= CALLS_SETTLE_CELLS_MAX);
    call_begin(call, "facteur_settle", argument_count);
    session_part(call->session, request->holder);
    session_part_u64(call->session, request->events_keep);
    session_part_u64(call->session, request->dedupe_ttl_ms);
    session_part_u64(call->session, request->group_count);
    for (uint32_t i = 0; i < request->group_count; i++)
        put_group(call, &request->groups[i]);
    put_spans(call, request->claims, request->claim_count);
    return call_end(call);
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool
is_hex(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((text.data[i] < '0' || text.data[i] > '9') &&
            (text.data[i] < 'a' || text.data[i] > 'f'))
            return false;
    return true;
}

/* "already" or "already HEX". */
static bool
read_already(const struct reply *answer, struct span *bits)
{
    struct span rest;
    if (!reply_text(answer, &rest))
        return false;
    struct span word = span_split(&rest, ' ');
    *bits = rest;
    return span_equal(word, SPAN("already")) && is_hex(rest);
}

bool
settle_is_read(const struct reply *reply, uint32_t group_count)
{
    if (reply == NULL || reply->type != REPLY_ARRAY || reply->count != group_count)
        return false;
    for (uint32_t i = 0; i < group_count; i++) {
        struct span bits;
        if (!reply_is_text(reply->elements[i], "ok") && !read_already(reply->elements[i], &bits))
            return false;
    }
    return true;
}

bool
settle_read(const struct reply *reply, uint32_t index, struct span *already)
{
    const struct reply *answer = reply_at(reply, index);
    struct span bits;
    if (!read_already(answer, &bits))
        bits = (struct span){0};
    if (already != NULL)
        *already = bits;
    return reply_is_text(answer, "ok");
}

bool
settle_bit(struct span bits, uint32_t index)
{
    if (index / 4 >= bits.size)
        return false;
    char c = bits.data[index / 4];
    unsigned digit = c >= 'a' ? (unsigned)(c - 'a') + 10 : (unsigned)(c - '0');
    return (digit & 1u << index % 4) != 0;
}

bool
settle_wants_declare(const struct reply *reply)
{
    return call_says(reply, "declare") && reply->count == 1;
}
