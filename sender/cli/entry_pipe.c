#include "sender/cli/entry_pipe.h"

#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/redis_info.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    UNDER_WAY_MAX = 512,              /* entries without a reply */
    UNDER_WAY_SIZE = 8 * 1024 * 1024, /* bytes of them */
    LOOK_US = 500 * 1000,             /* between two looks at Redis' memory */
    WAIT_MS = 100,                    /* between two looks while waiting */
    MEMORY_PERCENT = 85, /* of maxmemory: senders need the rest for what they settle (README) */
};

struct entry {
    struct entry *next;
    size_t size; /* of all that follows */
    uint32_t members;
    size_t count;
    struct field fields[];
};

struct entries {
    struct entry *first;
    struct entry *last;
    uint32_t count;
};

struct entry_pipe {
    struct entry_pipe_settings settings;
    struct enqueue_target target;
    char key[KEYS_BASE_MAX + 16];
    struct entries under_way; /* in the order of their replies */
    struct entries refused;   /* for a while: to be written again */
    size_t under_way_size;
    uint64_t taken;
    uint64_t in_doubt;
    uint64_t room;      /* entries that may be written before the next look */
    uint64_t looked_us; /* 0: never */
    bool memory_hidden; /* this user may not ask for it */
    char why[256];      /* nothing is written for this reason; "" */
    char trouble[256];
};

/* ---- entries ----------------------------------------------------------------------------------
 */

static struct entry *
entry_open(const struct field *fields, size_t count, uint32_t members)
{
    size_t size = count * sizeof(struct field);
    for (size_t i = 0; i < count; i++)
        size += fields[i].name.size + fields[i].value.size;
    struct entry *entry = check_alloc(1, sizeof(*entry) + size);
    char *to = (char *)&entry->fields[count];
    entry->size = size;
    entry->members = members;
    entry->count = count;
    for (size_t i = 0; i < count; i++) {
        struct span parts[] = {fields[i].name, fields[i].value};
        for (size_t k = 0; k < 2; k++) {
            if (parts[k].size > 0)
                memcpy(to, parts[k].data, parts[k].size);
            parts[k].data = to;
            to += parts[k].size;
        }
        entry->fields[i] = (struct field){.name = parts[0], .value = parts[1]};
    }
    return entry;
}

static void
push(struct entries *entries, struct entry *entry)
{
    entry->next = NULL;
    if (entries->last != NULL)
        entries->last->next = entry;
    else
        entries->first = entry;
    entries->last = entry;
    entries->count++;
}

static struct entry *
pop(struct entries *entries)
{
    struct entry *entry = entries->first;
    check(entry != NULL);
    entries->first = entry->next;
    if (entries->first == NULL)
        entries->last = NULL;
    entries->count--;
    return entry;
}

/* ---- what Redis says --------------------------------------------------------------------------
 */

static void
set_trouble(struct entry_pipe *pipe, const char *why)
{
    if (pipe->trouble[0] == '\0')
        snprintf(pipe->trouble, sizeof(pipe->trouble), "%s", why);
}

/* All of Redis refuses for a while, or this will never be taken. */
static void
set_refused(struct entry_pipe *pipe, const struct reply *reply)
{
    enum session_trouble trouble = session_trouble_of(reply);
    const char *why = session_trouble_text(trouble);
    if (session_trouble_remedy(trouble) == SESSION_REMEDY_WAIT)
        snprintf(pipe->why, sizeof(pipe->why), "%s", why);
    else if (trouble == SESSION_TROUBLE_OTHER && pipe->trouble[0] == '\0')
        snprintf(pipe->trouble, sizeof(pipe->trouble), "%.*s", SPAN_ARG(reply->text));
    else
        set_trouble(pipe, why);
}

/* What is refused is kept; what was not answered is not written twice. */
static void
on_entry(void *context, const struct reply *reply)
{
    struct entry_pipe *pipe = context;
    struct entry *entry = pop(&pipe->under_way);
    pipe->under_way_size -= entry->size;
    if (reply != NULL && reply->type == REPLY_ERROR) {
        set_refused(pipe, reply);
        push(&pipe->refused, entry);
        return;
    }
    if (reply == NULL)
        pipe->in_doubt += entry->members;
    else
        pipe->taken += entry->members;
    free(entry);
}

static bool
drain(struct entry_pipe *pipe, uint32_t waiting_max)
{
    if (!redis_sync_drain(pipe->settings.sync, waiting_max)) {
        const char *why = redis_sync_trouble(pipe->settings.sync);
        set_trouble(pipe, why[0] != '\0' ? why : "the connection to Redis was lost");
    }
    return pipe->trouble[0] == '\0';
}

/* ---- may it have more -------------------------------------------------------------------------
 */

static const struct reply *
ask(struct entry_pipe *pipe, const char *command, const char *argument)
{
    const struct reply *reply = redis_sync_words(pipe->settings.sync, command, argument, NULL);
    if (reply == NULL)
        (void)drain(pipe, 0); /* says what happened */
    return reply;
}

static void
look_at_backlog(struct entry_pipe *pipe)
{
    const struct entry_pipe_settings *settings = &pipe->settings;
    int64_t length;
    const struct reply *reply = ask(pipe, "XLEN", pipe->key);
    if (reply == NULL)
        return;
    if (!reply_i64(reply, &length) || length < 0) {
        set_refused(pipe, reply);
        return;
    }
    pipe->room =
        (uint64_t)length < settings->backlog_max ? settings->backlog_max - (uint64_t)length : 0;
    if (pipe->room == 0)
        snprintf(pipe->why, sizeof(pipe->why),
                 "%lld entries stand in %s, and --max-backlog is %llu", (long long)length,
                 settings->stream, (unsigned long long)settings->backlog_max);
}

static void
look_at_memory(struct entry_pipe *pipe)
{
    uint64_t used;
    uint64_t most;
    const struct reply *reply = pipe->memory_hidden ? NULL : ask(pipe, "INFO", "memory");
    struct span info;
    if (reply == NULL)
        return;
    if (!reply_text(reply, &info) ||
        !span_to_u64(redis_info_value(info, SPAN("used_memory")), &used) ||
        !span_to_u64(redis_info_value(info, SPAN("maxmemory")), &most)) {
        pipe->memory_hidden = session_trouble_of(reply) == SESSION_TROUBLE_NOPERM;
        return;
    }
    if (most > 0 && used / MEMORY_PERCENT >= most / 100)
        snprintf(pipe->why, sizeof(pipe->why),
                 "Redis has %llu %% of its memory in use (maxmemory), and senders need the rest",
                 (unsigned long long)(used / (most / 100 + 1)));
}

/* `why` says what is against writing more; empty if nothing is. */
static void
look(struct entry_pipe *pipe)
{
    pipe->why[0] = '\0';
    pipe->room = UINT64_MAX;
    if (pipe->settings.backlog_max > 0)
        look_at_backlog(pipe);
    if (pipe->why[0] == '\0' && pipe->trouble[0] == '\0')
        look_at_memory(pipe);
    pipe->looked_us = clock_monotonic_us();
}

/* False: it is not to be waited for. */
static bool
wait_a_little(struct entry_pipe *pipe)
{
    const struct timespec pause = {.tv_nsec = WAIT_MS * 1000000L};
    if (pipe->settings.no_wait) {
        set_trouble(pipe, pipe->why);
        return false;
    }
    pipe->settings.on_wait(pipe->settings.context, pipe->why);
    (void)nanosleep(&pause, NULL);
    return true;
}

static bool
wait_for_room(struct entry_pipe *pipe)
{
    if (pipe->room > 0 && pipe->looked_us != 0 && clock_monotonic_us() - pipe->looked_us < LOOK_US)
        return true;
    look(pipe);
    while (pipe->trouble[0] == '\0' && pipe->why[0] != '\0') {
        if (!wait_a_little(pipe))
            return false;
        look(pipe);
    }
    return pipe->trouble[0] == '\0';
}

/* ---- writing ----------------------------------------------------------------------------------
 */

static bool
write_entry(struct entry_pipe *pipe, struct entry *entry)
{
    bool full = session_waiting(redis_sync_session(pipe->settings.sync)) >= UNDER_WAY_MAX ||
                pipe->under_way_size + entry->size > UNDER_WAY_SIZE;
    if (full && !drain(pipe, 0)) {
        push(&pipe->refused, entry);
        return false;
    }
    if (!enqueue_single(&pipe->target, entry->fields, entry->count)) {
        set_trouble(pipe, "an entry is too large for the connection");
        push(&pipe->refused, entry);
        return false;
    }
    push(&pipe->under_way, entry);
    pipe->under_way_size += entry->size;
    pipe->room -= pipe->room > 0 ? 1 : 0;
    return true;
}

/* Writes again what was refused for a while, in its order, before anything new. */
static bool
write_refused(struct entry_pipe *pipe)
{
    if (pipe->refused.count == 0)
        return true;
    if (!drain(pipe, 0) || !wait_a_little(pipe) || !wait_for_room(pipe))
        return false;
    struct entries again = pipe->refused;
    bool good = true;
    pipe->refused = (struct entries){0};
    while (again.count > 0) {
        struct entry *entry = pop(&again);
        if (good)
            good = write_entry(pipe, entry);
        else
            push(&pipe->refused, entry);
    }
    return good && drain(pipe, 0);
}

bool
entry_pipe_put(struct entry_pipe *pipe, const struct field *fields, size_t count, uint32_t members)
{
    while (pipe->refused.count > 0)
        if (!write_refused(pipe))
            return false;
    return wait_for_room(pipe) && write_entry(pipe, entry_open(fields, count, members));
}

bool
entry_pipe_finish(struct entry_pipe *pipe)
{
    bool good = drain(pipe, 0);
    while (good && pipe->refused.count > 0)
        good = write_refused(pipe);
    return good;
}

uint64_t
entry_pipe_taken(const struct entry_pipe *pipe)
{
    return pipe->taken;
}

uint64_t
entry_pipe_in_doubt(const struct entry_pipe *pipe)
{
    return pipe->in_doubt;
}

const char *
entry_pipe_trouble(const struct entry_pipe *pipe)
{
    return pipe->trouble;
}

/* ---- start and end ----------------------------------------------------------------------------
 */

struct entry_pipe *
entry_pipe_open(const struct entry_pipe_settings *settings)
{
    struct entry_pipe *pipe = check_alloc(1, sizeof(*pipe));
    pipe->settings = *settings;
    pipe->target = (struct enqueue_target){
        .call = {redis_sync_session(settings->sync), settings->keys, on_entry, pipe},
        .stream = settings->stream};
    snprintf(pipe->key, sizeof(pipe->key), "%s:%s", settings->keys->account, settings->stream);
    return pipe;
}

void
entry_pipe_close(struct entry_pipe *pipe)
{
    if (pipe == NULL)
        return;
    (void)redis_sync_drain(pipe->settings.sync, 0); /* no reply is to come after */
    while (pipe->refused.count > 0)
        free(pop(&pipe->refused));
    while (pipe->under_way.count > 0)
        free(pop(&pipe->under_way));
    free(pipe);
}
