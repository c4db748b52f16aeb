#include "queue/call_parts.h"
#include "sender/base/check.h"

/* ---- writing ------------------------------------------------------------------------------ */

/* Four bits of a bitmap: the members from 4 * `digit` on. */
static unsigned
digit_of(const uint64_t *words, uint32_t digit)
{
    return (unsigned)(words[digit / 16] >> digit % 16 * 4 & 15);
}

/* Four members a digit, member 0 the lowest bit of the first; all digits, or none without bits. */
static void
put_bitmap(const struct call *call, const uint64_t *words, uint32_t member_count)
{
    char digits[CALLS_GRANT_MEMBERS_MAX / 4];
    uint32_t count = words == NULL ? 0 : (member_count + 3) / 4;
    for (uint32_t i = 0; i < count; i++)
        digits[i] = "0123456789abcdef"[digit_of(words, i)];
    check(count == 0 || member_count % 4 == 0 ||
          digit_of(words, count - 1) >> member_count % 4 == 0);
    session_part(call->session, (struct span){.data = digits, .size = count});
}

static bool
share_a_bit(const uint64_t *a, const uint64_t *b, uint32_t member_count)
{
    if (a == NULL || b == NULL)
        return false;
    for (uint32_t i = 0; i < (member_count + 63) / 64; i++)
        if ((a[i] & b[i]) != 0)
            return true;
    return false;
}

static void
put_grant(const struct call *call, const struct declare_grant *grant)
{
    uint32_t count = grant->member_count;
    check(count > 0 && count <= CALLS_GRANT_MEMBERS_MAX);
    check(!share_a_bit(grant->accepted, grant->open, count));
    check(!share_a_bit(grant->uncertain, grant->open, count));
    check(!share_a_bit(grant->accepted, grant->uncertain, count));
    session_part(call->session, grant->name);
    session_part(call->session, grant->record);
    put_bitmap(call, grant->accepted, count);
    put_bitmap(call, grant->uncertain, count);
    put_bitmap(call, grant->open, count);
}

bool
call_declare(const struct call *call, const struct declare_request *request)
{
    enum { FIXED = 6, PER_GRANT = 5 };
    uint64_t members = 0;
    check(request->grant_count <= CALLS_DECLARE_GRANTS_MAX);
    for (uint32_t i = 0; i < request->grant_count; i++)
        members += request->grants[i].member_count;
    check(members <= CALLS_DECLARE_MEMBERS_MAX);
    call_begin(call, "facteur_declare", FIXED + PER_GRANT * (size_t)request->grant_count);
    session_part(call->session, request->holder);
    session_part(call->session, request->claim);
    session_part_u64(call->session, request->uncertain_until_ms);
    session_part_u64(call->session, request->events_keep);
    session_part_u64(call->session, request->dedupe_ttl_ms);
    session_part_u64(call->session, request->grant_count);
    for (uint32_t i = 0; i < request->grant_count; i++)
        put_grant(call, &request->grants[i]);
    return call_end(call);
}

bool
call_declared(const struct call *call, struct span holder)
{
    call_begin_business(call, "facteur_declared", 1);
    session_part(call->session, holder);
    return call_end(call);
}

/* ---- reading ------------------------------------------------------------------------------ */

static bool
is_bitmap(const struct reply *reply)
{
    struct span digits;
    if (!reply_text(reply, &digits) || digits.size > CALLS_GRANT_MEMBERS_MAX / 4)
        return false;
    for (size_t i = 0; i < digits.size; i++)
        if ((digits.data[i] < '0' || digits.data[i] > '9') &&
            (digits.data[i] < 'a' || digits.data[i] > 'f'))
            return false;
    return true;
}

bool
declare_read(const struct reply *reply, uint32_t grant_count, struct declare_reply *declare)
{
    *declare = (struct declare_reply){.fenced = call_says(reply, "fenced")};
    if (declare->fenced)
        return true;
    if (!call_is_ok(reply, 1) || reply->count != 1 + (size_t)grant_count)
        return false;
    for (uint32_t i = 0; i < grant_count; i++)
        if (!is_bitmap(reply->elements[1 + i]))
            return false;
    declare->open = (const struct reply *const *)reply->elements + 1;
    return true;
}

struct span
declare_read_open(const struct declare_reply *declare, uint32_t index)
{
    check(declare->open != NULL);
    return declare->open[index]->text;
}

bool
declared_read(const struct reply *reply, bool *fenced)
{
    *fenced = call_says(reply, "fenced");
    return *fenced || call_is_ok(reply, 1);
}
