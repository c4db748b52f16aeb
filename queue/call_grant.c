#include "queue/call_parts.h"
#include "sender/base/check.h"

#include <string.h>

#define TAB SPAN("\t")

/* DAY\tCELL\tCURRENCY\tMILLIONTHS */
static void
put_cell(const struct call *call, const struct grant_cell *cell)
{
    char digits[CALL_DIGITS_MAX];
    struct span pieces[] = {
        span_of(cell->day),
        TAB,
        cell->cell,
        TAB,
        span_of(cell->currency),
        TAB,
        call_digits(cell->millionths, digits),
    };
    session_part_joined(call->session, pieces, sizeof(pieces) / sizeof(pieces[0]));
}

/* A tab or newline would change the record's meaning; notification_read() lets none pass. */
static bool
is_one_word(struct span text)
{
    size_t at;
    return !span_find(text, '\t', &at) && !span_find(text, '\n', &at);
}

/* MEMBER\tATTEMPT\tCELLNUMBER\tID */
static void
put_member(const struct call *call, const struct grant_member *member)
{
    check(is_one_word(member->id));
    char attempt[CALL_DIGITS_MAX];
    char cell[CALL_DIGITS_MAX];
    struct span pieces[] = {
        member->name,
        TAB,
        call_digits(member->attempt, attempt),
        TAB,
        call_digits(member->cell, cell),
        TAB,
        member->id,
    };
    session_part_joined(call->session, pieces, sizeof(pieces) / sizeof(pieces[0]));
}

static uint32_t
count_ids(const struct grant_request *request)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < request->member_count; i++)
        count += request->members[i].id.size > 0;
    return count;
}

/* Per id: the number of its member, and the id. */
static void
put_ids(const struct call *call, const struct grant_request *request, uint32_t id_count)
{
    session_part_u64(call->session, id_count);
    for (uint32_t i = 0; i < request->member_count; i++) {
        if (request->members[i].id.size == 0)
            continue;
        session_part_u64(call->session, i);
        session_part(call->session, request->members[i].id);
    }
}

/* All in one argument: who has no opt-outs pays hardly anything for it. */
static void
put_recipients(const struct call *call, const struct grant_request *request)
{
    struct span pieces[2 * CALLS_GRANT_MEMBERS_MAX];
    size_t count = 0;
    for (uint32_t i = 0; i < request->member_count; i++) {
        size_t at;
        check(!span_find(request->members[i].recipient, ' ', &at));
        if (i > 0)
            pieces[count++] = SPAN(" ");
        pieces[count++] = request->members[i].recipient;
    }
    session_part_joined(call->session, pieces, count);
}

bool
call_grant(const struct call *call, const struct grant_request *request)
{
    check(request->member_count > 0 && request->member_count <= CALLS_GRANT_MEMBERS_MAX);
    uint32_t id_count = count_ids(request);
    size_t argument_count =
        4 + 1 + request->cell_count + 1 + request->member_count + 1 + 2 * (size_t)id_count + 1;
    call_begin(call, "facteur_grant", argument_count);
    session_part(call->session, request->holder);
    session_part(call->session, request->grant);
    session_part_u64(call->session, request->at_ms);
    call_text(call, source_text(request->source));
    session_part_u64(call->session, request->cell_count);
    for (uint32_t i = 0; i < request->cell_count; i++)
        put_cell(call, &request->cells[i]);
    session_part_u64(call->session, request->member_count);
    for (uint32_t i = 0; i < request->member_count; i++) {
        check(request->members[i].cell < request->cell_count);
        put_member(call, &request->members[i]);
    }
    put_ids(call, request, id_count);
    put_recipients(call, request);
    return call_end(call);
}

/* ---- the record --------------------------------------------------------------------------- */

static void
put_record_cell(struct buffer *buffer, const struct grant_cell *cell)
{
    buffer_put_text(buffer, "c\t");
    buffer_put_text(buffer, cell->day);
    buffer_put_char(buffer, '\t');
    buffer_put_span(buffer, cell->cell);
    buffer_put_char(buffer, '\t');
    buffer_put_text(buffer, cell->currency);
    buffer_put_char(buffer, '\t');
    buffer_put_u64(buffer, cell->millionths);
    buffer_put_char(buffer, '\n');
}

static void
put_record_member(struct buffer *buffer, const struct grant_member *member)
{
    buffer_put_span(buffer, member->name);
    buffer_put_char(buffer, '\t');
    buffer_put_u64(buffer, member->attempt);
    buffer_put_char(buffer, '\t');
    buffer_put_u64(buffer, member->cell);
    buffer_put_char(buffer, '\t');
    buffer_put_span(buffer, member->id);
}

static uint32_t
count_granted(struct span marks)
{
    uint32_t count = 0;
    for (size_t i = 0; i < marks.size; i++)
        count += marks.data[i] == 'g';
    return count;
}

void
grant_record_put(struct buffer *buffer, const struct grant_request *request, struct span marks)
{
    bool is_first = true;
    check(marks.size == request->member_count);
    buffer_put_span(buffer, request->holder);
    buffer_put_char(buffer, '\t');
    buffer_put_u64(buffer, request->at_ms);
    buffer_put_char(buffer, '\t');
    buffer_put_text(buffer, source_text(request->source));
    buffer_put_char(buffer, '\t');
    buffer_put_u64(buffer, count_granted(marks));
    buffer_put_char(buffer, '\n');
    for (uint32_t i = 0; i < request->cell_count; i++)
        put_record_cell(buffer, &request->cells[i]);
    for (uint32_t i = 0; i < request->member_count; i++) {
        if (marks.data[i] != 'g')
            continue;
        if (!is_first)
            buffer_put_char(buffer, '\n');
        is_first = false;
        put_record_member(buffer, &request->members[i]);
    }
}

/* ---- the reply ---------------------------------------------------------------------------- */

/* One owner for each 'd', and no mark but 'g', 'd', 'o' and 'p'. */
static bool
marks_fit(const struct grant_reply *grant)
{
    size_t duplicates = 0;
    for (size_t i = 0; i < grant->marks.size; i++) {
        char mark = grant->marks.data[i];
        if (mark != 'g' && mark != 'd' && mark != 'o' && mark != 'p')
            return false;
        duplicates += mark == 'd';
    }
    return duplicates == grant->owner_count;
}

bool
grant_read(const struct reply *reply, uint32_t member_count, struct grant_reply *grant)
{
    enum { FIXED = 2 };
    *grant = (struct grant_reply){.fenced = call_says(reply, "fenced"),
                                  .paused = call_says(reply, "paused"),
                                  .stopped = call_says(reply, "stopped"),
                                  .declare = call_says(reply, "declare"),
                                  .wait = call_says(reply, "wait")};
    if (grant->fenced || grant->paused || grant->stopped || grant->declare || grant->wait)
        return true;
    if (!call_is_ok(reply, FIXED) || !reply_text(reply_at(reply, 1), &grant->marks) ||
        grant->marks.size != member_count)
        return false;
    grant->owners = (const struct reply *const *)reply->elements + FIXED;
    grant->owner_count = reply->count - FIXED;
    for (size_t i = 0; i < grant->owner_count; i++)
        if (grant->owners[i]->type != REPLY_STRING)
            return false;
    return marks_fit(grant);
}
