#include "queue/call_parts.h"

/* FCALL, name, number of keys. */
enum { BEGIN_PARTS = 3 };

void
call_begin(const struct call *call, const char *function, size_t argument_count)
{
    session_begin(call->session, BEGIN_PARTS + 2 + argument_count);
    session_part(call->session, SPAN("FCALL"));
    call_text(call, function);
    session_part(call->session, SPAN("2"));
    call_text(call, call->keys->account);
    call_text(call, call->keys->business);
}

void
call_begin_business(const struct call *call, const char *function, size_t argument_count)
{
    session_begin(call->session, BEGIN_PARTS + 1 + argument_count);
    session_part(call->session, SPAN("FCALL"));
    call_text(call, function);
    session_part(call->session, SPAN("1"));
    call_text(call, call->keys->business);
}

bool
call_end(const struct call *call)
{
    return session_end(call->session, call->on_reply, call->context);
}

void
call_text(const struct call *call, const char *text)
{
    session_part(call->session, span_of(text));
}

struct span
call_digits(uint64_t number, char digits[CALL_DIGITS_MAX])
{
    struct buffer text;
    buffer_init(&text, digits, CALL_DIGITS_MAX);
    buffer_put_u64(&text, number);
    return buffer_span(&text);
}

bool
call_says(const struct reply *reply, const char *word)
{
    return reply_is_text(reply_at(reply, 0), word);
}

bool
call_is_ok(const struct reply *reply, size_t count)
{
    return call_says(reply, "ok") && reply->count >= count;
}
