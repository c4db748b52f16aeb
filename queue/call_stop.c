#include "queue/call_parts.h"
#include "sender/base/check.h"

enum { REASON_MAX = 512 }; /* as WHY_SIZE_MAX of library.lua */

/* What Meta wrote becomes one line that the library takes: it ends before a character that would be
 * cut in two, and is never empty. */
static struct span
reason_of(struct span reason, char text[REASON_MAX])
{
    size_t size = reason.size < REASON_MAX ? reason.size : REASON_MAX;
    while (size > 0 && size < reason.size && ((unsigned char)reason.data[size] & 0xc0) == 0x80)
        size--;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)reason.data[i];
        text[i] = c < ' ' || c == 0x7f ? ' ' : reason.data[i];
    }
    struct span line = {.data = text, .size = size};
    return span_trim(line).size > 0 ? line : SPAN("no reason was given");
}

static void
put_token(const struct call *call, struct span token)
{
    check(token.size > 0 && token.size <= CALLS_TOKEN_MAX);
    session_part(call->session, token);
}

bool
call_stop(const struct call *call, const struct stop_request *request)
{
    char text[REASON_MAX];
    check(request->code >= 0);
    call_begin(call, "facteur_stop", 4);
    session_part_u64(call->session, (uint64_t)request->code);
    session_part(call->session, reason_of(request->reason, text));
    put_token(call, request->token);
    session_part_u64(call->session, request->events_keep);
    return call_end(call);
}

bool
stop_read(const struct reply *reply, bool *first)
{
    *first = call_says(reply, "ok");
    return *first || call_says(reply, "already");
}

bool
call_token(const struct call *call, struct span token)
{
    call_begin(call, "facteur_token", 1);
    put_token(call, token);
    return call_end(call);
}

bool
token_read(const struct reply *reply, enum token_answer *answer)
{
    static const char *const words[] = {
        [TOKEN_GOOD] = "ok", [TOKEN_STARTED] = "started", [TOKEN_STOPPED] = "stopped"};
    for (int i = 0; i <= TOKEN_STOPPED; i++) {
        *answer = (enum token_answer)i;
        if (call_says(reply, words[i]))
            return true;
    }
    return false;
}
