#include "sender/redis_sync.h"

#include "sender/base/check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ARENA_SIZE = 64 * 1024 * 1024, /* one reply: a page of a stream, a whole ledger day */
    OUTPUT_SIZE = 16 * 1024 * 1024,
    WAITING_MAX = 16384,
    WORDS_MAX = 32,
};

struct redis_sync {
    struct loop *loop;
    struct tls_context *tls;
    struct redis_client *client;
    struct redis_address address;
    struct arena arena; /* holds the last reply */
    const struct reply *reply;
    bool ready;
    bool lost;
    bool answered;
    char trouble[768];
};

static void
on_ready(void *context)
{
    struct redis_sync *sync = context;
    sync->ready = true;
}

static void
on_lost(void *context, const char *reason)
{
    struct redis_sync *sync = context;
    sync->lost = true;
    snprintf(sync->trouble, sizeof(sync->trouble), "%s", reason);
}

static void
say_unreachable(const struct redis_sync *sync, struct error_text *error)
{
    const struct redis_address *address = &sync->address;
    const struct redis_place *place = &address->places[0];
    if (address->place_count > 1)
        error_set(error, "cannot reach Redis as a master anywhere: %s", sync->trouble);
    else if (place->unix_path[0] != '\0')
        error_set(error, "cannot reach Redis at unix:%s: %s", place->unix_path, sync->trouble);
    else
        error_set(error, "cannot reach Redis at %s port %u: %s", place->host, place->port,
                  sync->trouble);
}

static bool
open_client(struct redis_sync *sync, struct error_text *error)
{
    const struct loop_settings loop = {.operations_max = 16, .timers_max = 16};
    static const struct redis_client_events events = {.on_ready = on_ready, .on_lost = on_lost};
    sync->loop = loop_open(&loop, error);
    if (sync->loop == NULL)
        return false;
    if (redis_address_wants_tls(&sync->address)) {
        const struct tls_client_settings tls = {
            .ca_file = sync->address.ca_file[0] != '\0' ? sync->address.ca_file : NULL};
        sync->tls = tls_client_context(&tls, error);
        if (sync->tls == NULL)
            return false;
    }
    const struct redis_client_settings settings = {
        .address = &sync->address,
        .tls = sync->tls,
        .output_size = OUTPUT_SIZE,
        .arena_size = ARENA_SIZE,
        .waiting_max = WAITING_MAX,
        .master_only = sync->address.place_count > 1, /* of one place, what it is is told */
        .once = true,
    };
    arena_open(&sync->arena, ARENA_SIZE);
    sync->client = redis_client_open(sync->loop, &settings, &events, sync);
    while (!sync->ready && !sync->lost)
        loop_turn(sync->loop, 1000 * 1000);
    if (sync->lost)
        say_unreachable(sync, error);
    return !sync->lost;
}

struct redis_sync *
redis_sync_open(const struct redis_address *address, struct error_text *error)
{
    struct redis_sync *sync = check_alloc(1, sizeof(*sync));
    sync->address = *address;
    if (open_client(sync, error)) {
        const struct reply *pong = redis_sync_words(sync, "PING", NULL); /* AUTH is refused here */
        if (pong != NULL && pong->type != REPLY_ERROR)
            return sync;
        if (pong != NULL)
            snprintf(sync->trouble, sizeof(sync->trouble), "%s (%.*s)",
                     session_trouble_text(session_trouble_of(pong)), SPAN_ARG(pong->text));
        say_unreachable(sync, error);
    }
    redis_sync_close(sync);
    return NULL;
}

void
redis_sync_close(struct redis_sync *sync)
{
    if (sync == NULL)
        return;
    if (sync->client != NULL) {
        redis_client_close(sync->client);
        while (!redis_client_is_closed(sync->client))
            loop_turn(sync->loop, 1000 * 1000);
        redis_client_free(sync->client);
        arena_close(&sync->arena);
    }
    if (sync->loop != NULL)
        loop_close(sync->loop);
    if (sync->tls != NULL)
        tls_context_close(sync->tls);
    memset(&sync->address, 0, sizeof(sync->address));
    free(sync);
}

static void
on_reply(void *context, const struct reply *reply)
{
    struct redis_sync *sync = context;
    sync->answered = true;
    sync->reply = reply;
    if (reply == NULL)
        return;
    arena_reset(&sync->arena);
    session_take_arena(redis_client_session(sync->client), &sync->arena);
}

const struct reply *
redis_sync_command(struct redis_sync *sync, const struct span *parts, size_t count)
{
    sync->answered = false;
    sync->reply = NULL;
    if (sync->lost ||
        !session_command(redis_client_session(sync->client), parts, count, on_reply, sync)) {
        if (!sync->lost)
            snprintf(sync->trouble, sizeof(sync->trouble), "the command is too large");
        return NULL;
    }
    redis_client_flush(sync->client);
    while (!sync->answered)
        loop_turn(sync->loop, 1000 * 1000);
    return sync->reply;
}

const struct reply *
redis_sync_words(struct redis_sync *sync, ...)
{
    struct span parts[WORDS_MAX];
    size_t count = 0;
    va_list words;
    va_start(words, sync);
    for (const char *word = va_arg(words, const char *); word != NULL && count < WORDS_MAX;
         word = va_arg(words, const char *))
        parts[count++] = span_of(word);
    va_end(words);
    return redis_sync_command(sync, parts, count);
}

struct session *
redis_sync_session(struct redis_sync *sync)
{
    return redis_client_session(sync->client);
}

bool
redis_sync_drain(struct redis_sync *sync, uint32_t waiting_max)
{
    redis_client_flush(sync->client);
    while (!sync->lost && session_waiting(redis_client_session(sync->client)) > waiting_max)
        loop_turn(sync->loop, 1000 * 1000);
    return !sync->lost;
}

const char *
redis_sync_trouble(const struct redis_sync *sync)
{
    return sync->trouble;
}
