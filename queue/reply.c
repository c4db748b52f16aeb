/* Readers of single replies, for those who judge what Redis answered. */
#include "queue/session.h"

bool
reply_text(const struct reply *reply, struct span *text)
{
    if (reply == NULL || (reply->type != REPLY_STRING && reply->type != REPLY_STATUS))
        return false;
    *text = reply->text;
    return true;
}

bool
reply_is_text(const struct reply *reply, const char *text)
{
    struct span is;
    return reply_text(reply, &is) && span_equal(is, span_of(text));
}

const struct reply *
reply_at(const struct reply *reply, size_t index)
{
    if (reply == NULL || reply->type != REPLY_ARRAY || index >= reply->count)
        return NULL;
    return reply->elements[index];
}

bool
reply_i64(const struct reply *reply, int64_t *number)
{
    if (reply == NULL || (reply->type != REPLY_INTEGER && reply->type != REPLY_STRING))
        return false;
    if (reply->type == REPLY_INTEGER) {
        *number = reply->integer;
        return true;
    }
    struct span digits = reply->text;
    bool negative = digits.size > 1 && digits.data[0] == '-';
    if (negative)
        digits = (struct span){.data = digits.data + 1, .size = digits.size - 1};
    uint64_t value;
    if (!span_to_u64(digits, &value))
        return false;
    *number = negative ? -(int64_t)value : (int64_t)value;
    return true;
}

/* ---- errors ------------------------------------------------------------------------------- */

static const struct {
    enum session_trouble trouble;
    const char *starts; /* the error begins with it */
} troubles[] = {
    {SESSION_TROUBLE_NOAUTH, "NOAUTH"},
    {SESSION_TROUBLE_NOAUTH, "WRONGPASS"},
    {SESSION_TROUBLE_NOPERM, "NOPERM"},
    {SESSION_TROUBLE_LOADING, "LOADING"},
    {SESSION_TROUBLE_BUSY, "BUSY "},
    {SESSION_TROUBLE_OOM, "OOM"},
    {SESSION_TROUBLE_READONLY, "READONLY"},
    {SESSION_TROUBLE_READONLY, "MASTERDOWN"},
    {SESSION_TROUBLE_READONLY, "UNBLOCKED"}, /* it became a replica while a command blocked */
    {SESSION_TROUBLE_NOREPLICAS, "NOREPLICAS"},
    {SESSION_TROUBLE_MISCONF, "MISCONF"},
    {SESSION_TROUBLE_NO_FUNCTION, "ERR Function not found"},
    {SESSION_TROUBLE_WRONG_TYPE, "WRONGTYPE"},
    {SESSION_TROUBLE_WRONG_TYPE, "FACTEUR key "}, /* the library's own words */
};

enum session_trouble
session_trouble_of(const struct reply *reply)
{
    if (reply == NULL || reply->type != REPLY_ERROR)
        return SESSION_TROUBLE_NONE;
    for (size_t i = 0; i < sizeof(troubles) / sizeof(troubles[0]); i++)
        if (span_starts(reply->text, span_of(troubles[i].starts)))
            return troubles[i].trouble;
    return SESSION_TROUBLE_OTHER;
}

const char *
session_trouble_text(enum session_trouble trouble)
{
    switch (trouble) {
    case SESSION_TROUBLE_NONE:
        return "no error";
    case SESSION_TROUBLE_NOAUTH:
        return "Redis asks for a user and a password: give --redis-user and --redis-password-file";
    case SESSION_TROUBLE_NOPERM:
        return "Redis' access list forbids this to our user: it needs FCALL, FUNCTION and all that "
               "the library calls, on the keys facteur:* (ACL LOG shows what was refused)";
    case SESSION_TROUBLE_LOADING:
        return "Redis is still reading its files: it will be asked again";
    case SESSION_TROUBLE_BUSY:
        return "a script holds Redis up: see SLOWLOG; end it with FUNCTION KILL or SCRIPT KILL";
    case SESSION_TROUBLE_OOM:
        return "Redis has reached maxmemory and takes nothing new: raise it, or let the queue "
               "drain";
    case SESSION_TROUBLE_READONLY:
        return "this Redis is a replica that may not be written to: point us at the master";
    case SESSION_TROUBLE_NOREPLICAS:
        return "too few replicas follow this Redis, and min-replicas-to-write refuses writes then";
    case SESSION_TROUBLE_MISCONF:
        return "Redis cannot write its files and refuses changes: see its log and the disk";
    case SESSION_TROUBLE_NO_FUNCTION:
        return "the function library facteur is not in this Redis any more: it must be loaded "
               "again";
    case SESSION_TROUBLE_WRONG_TYPE:
        return "a key of facteur's holds something else: look at it (TYPE KEY), then RENAME it "
               "away or DEL it";
    case SESSION_TROUBLE_OTHER:
        return "Redis refused the command";
    }
    return "unknown";
}

enum session_remedy
session_trouble_remedy(enum session_trouble trouble)
{
    switch (trouble) {
    case SESSION_TROUBLE_NONE:
        return SESSION_REMEDY_NONE;
    case SESSION_TROUBLE_NOAUTH:
    case SESSION_TROUBLE_LOADING:
    case SESSION_TROUBLE_BUSY:
    case SESSION_TROUBLE_OOM:
    case SESSION_TROUBLE_NOREPLICAS:
    case SESSION_TROUBLE_MISCONF:
        return SESSION_REMEDY_WAIT;
    case SESSION_TROUBLE_READONLY:
        return SESSION_REMEDY_LEAVE;
    case SESSION_TROUBLE_NO_FUNCTION:
        return SESSION_REMEDY_LOAD;
    case SESSION_TROUBLE_NOPERM:
    case SESSION_TROUBLE_WRONG_TYPE:
    case SESSION_TROUBLE_OTHER:
        return SESSION_REMEDY_APART;
    }
    return SESSION_REMEDY_APART;
}
