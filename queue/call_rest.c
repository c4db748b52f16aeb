#include "queue/call_parts.h"
#include "sender/base/check.h"

#include <string.h>

/* ---- workers ------------------------------------------------------------------------------ */

bool
call_beat(const struct call *call, struct span holder, uint64_t beat, bool is_new)
{
    call_begin_business(call, "facteur_beat", 3);
    session_part(call->session, holder);
    session_part_u64(call->session, beat);
    call_text(call, is_new ? "new" : "renew");
    return call_end(call);
}

bool
beat_read(const struct reply *reply, struct beat_reply *beat)
{
    enum { FIXED = 2 };
    *beat = (struct beat_reply){.fenced = call_says(reply, "fenced")};
    if (beat->fenced)
        return true;
    int64_t now_ms;
    if (!call_is_ok(reply, FIXED) || reply->count % 2 != 0 ||
        !reply_i64(reply_at(reply, 1), &now_ms) || now_ms < 0)
        return false;
    beat->now_ms = (uint64_t)now_ms;
    beat->workers = reply;
    beat->worker_count = (reply->count - FIXED) / 2;
    return true;
}

bool
beat_read_worker(const struct beat_reply *beat, size_t index, struct beat_worker *worker)
{
    check(index < beat->worker_count);
    int64_t number;
    if (!reply_text(reply_at(beat->workers, 2 + 2 * index), &worker->holder) ||
        !reply_i64(reply_at(beat->workers, 3 + 2 * index), &number) || number < 0)
        return false;
    worker->beat = (uint64_t)number;
    return true;
}

bool
call_fence(const struct call *call, struct span holder, uint64_t beat)
{
    call_begin_business(call, "facteur_fence", 2);
    session_part(call->session, holder);
    session_part_u64(call->session, beat);
    return call_end(call);
}

/* Its keys are all accounts and then the business: the others' beginning does not fit. */
bool
call_leave(const struct call *call, struct span holder, const struct account_keys *accounts,
           uint32_t account_count)
{
    session_begin(call->session, 3 + (size_t)account_count + 1 + 1);
    session_part(call->session, SPAN("FCALL"));
    session_part(call->session, SPAN("facteur_leave"));
    session_part_u64(call->session, (uint64_t)account_count + 1);
    for (uint32_t i = 0; i < account_count; i++) {
        check(strcmp(accounts[i].business, call->keys->business) == 0);
        call_text(call, accounts[i].account);
    }
    call_text(call, call->keys->business);
    session_part(call->session, holder);
    return call_end(call);
}

bool
call_return(const struct call *call, struct span holder, const struct span *claims, uint32_t count)
{
    call_begin(call, "facteur_return", 1 + (size_t)count);
    session_part(call->session, holder);
    for (uint32_t i = 0; i < count; i++)
        session_part(call->session, claims[i]);
    return call_end(call);
}

bool
call_recover(const struct call *call, uint64_t uncertain_until_ms, uint64_t events_keep)
{
    call_begin(call, "facteur_recover", 2);
    session_part_u64(call->session, uncertain_until_ms);
    session_part_u64(call->session, events_keep);
    return call_end(call);
}

bool
recover_read(const struct reply *reply, uint64_t *claims_returned, uint64_t *made_uncertain)
{
    int64_t claims;
    int64_t members;
    if (!reply_i64(reply_at(reply, 0), &claims) || claims < 0 ||
        !reply_i64(reply_at(reply, 1), &members) || members < 0)
        return false;
    *claims_returned = (uint64_t)claims;
    *made_uncertain = (uint64_t)members;
    return true;
}

/* ---- stats, enqueue, the library itself --------------------------------------------------- */

bool
call_stats(const struct call *call)
{
    call_begin(call, "facteur_stats", 0);
    return call_end(call);
}

bool
stats_read(const struct reply *reply, const char *name, int64_t *number)
{
    if (reply == NULL || reply->type != REPLY_ARRAY)
        return false;
    for (size_t i = 0; i + 1 < reply->count; i += 2)
        if (reply_is_text(reply->elements[i], name))
            return reply_i64(reply->elements[i + 1], number);
    return false;
}

bool
call_enqueue(const struct call *call, const struct enqueue_request *request)
{
    call_begin(call, "facteur_enqueue", 1 + 2 * (size_t)request->field_count);
    call_text(call, request->stream);
    for (uint32_t i = 0; i < request->field_count; i++) {
        session_part(call->session, request->fields[i].name);
        session_part(call->session, request->fields[i].value);
    }
    return call_end(call);
}

/* ENTRY of an answer that names one. */
static bool
read_entry(const struct reply *reply, struct enqueue_reply *enqueue)
{
    return reply_text(reply_at(reply, 1), &enqueue->entry) && enqueue->entry.size > 0;
}

static bool
read_number(const struct reply *reply, uint64_t *number)
{
    int64_t value;
    if (!reply_i64(reply, &value) || value < 0)
        return false;
    *number = (uint64_t)value;
    return true;
}

bool
enqueue_read(const struct reply *reply, struct enqueue_reply *enqueue)
{
    *enqueue = (struct enqueue_reply){.answer = ENQUEUE_QUEUED};
    if (call_says(reply, "queued"))
        return read_entry(reply, enqueue);
    if (call_says(reply, "duplicate")) {
        enqueue->answer = ENQUEUE_DUPLICATE;
        return read_entry(reply, enqueue);
    }
    if (call_says(reply, "scheduled")) {
        enqueue->answer = ENQUEUE_SCHEDULED;
        return read_entry(reply, enqueue) && read_number(reply_at(reply, 2), &enqueue->due_ms);
    }
    enqueue->answer = ENQUEUE_FULL;
    return call_says(reply, "full") && read_number(reply_at(reply, 1), &enqueue->used) &&
           read_number(reply_at(reply, 2), &enqueue->limit);
}

bool
call_version(struct session *session, session_reply_f *on_reply, void *context)
{
    const struct span parts[] = {SPAN("FCALL"), SPAN("facteur_version"), SPAN("0")};
    return session_command(session, parts, 3, on_reply, context);
}

bool
call_load(struct session *session, session_reply_f *on_reply, void *context)
{
    const struct span parts[] = {SPAN("FUNCTION"),
                                 SPAN("LOAD"),
                                 SPAN("REPLACE"),
                                 {.data = library_text, .size = library_size}};
    return session_command(session, parts, 4, on_reply, context);
}
