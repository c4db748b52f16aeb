#include "loadtest/load_follow.h"
#include "sender/base/check.h"

#include <string.h>

static void ask(struct load_follow *follow);

/* [[KEY, [entry, …]], …], or nil when nothing came in time. */
static void
on_events(void *context, const struct reply *reply)
{
    struct load_follow *follow = context;
    if (reply == NULL || reply->type == REPLY_ERROR) {
        if (!follow->stopped)
            error_set(&follow->error, "following the events at %s: %.*s", follow->redis.where,
                      SPAN_ARG(reply == NULL ? span_of(follow->redis.lost.text) : reply->text));
        follow->failed = !follow->stopped;
        return;
    }
    for (size_t i = 0; i < reply->count; i++) {
        const struct reply *key = reply_at(reply->elements[i], 0);
        const struct reply *entries = reply_at(reply->elements[i], 1);
        for (uint32_t account = 0; account < follow->events->account_count; account++) {
            if (!reply_is_text(key, follow->events->streams[account].key))
                continue;
            for (size_t k = 0; k < entries->count; k++)
                load_events_entry(follow->events, account, entries->elements[k]);
        }
    }
    if (!follow->stopped)
        ask(follow);
}

static void
ask(struct load_follow *follow)
{
    struct span parts[6 + 2 * LOAD_ACCOUNTS_MAX] = {SPAN("XREAD"), SPAN("BLOCK"), SPAN("1000"),
                                                    SPAN("COUNT"), SPAN("100"),   SPAN("STREAMS")};
    uint32_t accounts = follow->events->account_count;
    for (uint32_t i = 0; i < accounts; i++) {
        parts[6 + i] = span_of(follow->events->streams[i].key);
        parts[6 + accounts + i] = span_of(follow->events->streams[i].last);
    }
    check(
        session_command(follow->redis.session, parts, 6 + 2 * (size_t)accounts, on_events, follow));
    link_flush(follow->redis.link);
}

bool
load_follow_start(struct load_follow *follow, struct loop *loop, const char *where,
                  struct load_events *events, struct error_text *error)
{
    *follow = (struct load_follow){.events = events};
    if (!load_redis_open(&follow->redis, loop, where, error))
        return false;
    ask(follow);
    return true;
}

void
load_follow_stop(struct load_follow *follow)
{
    follow->stopped = true;
    load_redis_close(&follow->redis);
}
