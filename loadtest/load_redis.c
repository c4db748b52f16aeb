#include "loadtest/load_redis.h"
#include "sender/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_TIMEOUT_US = 5000000, TURN_US = 100000 };

bool
load_redis_read_address(const char *where, struct link_address *address, char host[128])
{
    *address = (struct link_address){0};
    if (strncmp(where, "unix:", 5) == 0) {
        const char *path = where + 5;
        if (strncmp(path, "//", 2) == 0)
            path += 2;
        address->unix_path = path;
        return path[0] == '/';
    }
    if (where[0] == '/') {
        address->unix_path = where;
        return true;
    }
    if (strncmp(where, "tcp://", 6) == 0)
        where += 6;
    const char *colon = strrchr(where, ':');
    uint64_t port = 0;
    if (colon == NULL || colon == where || colon - where >= 128 ||
        !span_to_u64(span_of(colon + 1), &port) || port == 0 || port > UINT16_MAX)
        return false;
    memcpy(host, where, (size_t)(colon - where));
    host[colon - where] = '\0';
    address->host = host;
    address->port = (uint16_t)port;
    return true;
}

static void
on_open(void *context)
{
    struct load_redis *redis = context;
    redis->open = true;
    session_connected(redis->session);
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct load_redis *redis = context;
    if (redis->ended || session_receive(redis->session, data, size))
        return;
    error_set(&redis->lost, "%s", session_error(redis->session));
    link_close(redis->link);
}

static void
on_output(void *context, struct buffer *out)
{
    struct load_redis *redis = context;
    session_output(redis->session, out);
}

static void
on_close(void *context, const char *reason, bool opened)
{
    (void)opened;
    struct load_redis *redis = context;
    if (redis->lost.text[0] == '\0')
        error_set(&redis->lost, "%s", reason);
    redis->link = NULL;
    redis->open = false;
    redis->ended = true;
    session_lost(redis->session);
}

static const struct link_events events = {
    .on_open = on_open, .on_bytes = on_bytes, .on_output = on_output, .on_close = on_close};

bool
load_redis_open(struct load_redis *redis, struct loop *loop, const char *where,
                struct error_text *error)
{
    *redis = (struct load_redis){.loop = loop};
    struct link_settings settings = {.connect_timeout_us = CONNECT_TIMEOUT_US,
                                     .output_size = LINK_OUTPUT_MAX};
    char host[128];
    if (!load_redis_read_address(where, &settings.address, host)) {
        error_set(error, "--redis %s: write unix:/path/of/socket or tcp://host:port", where);
        return false;
    }
    (void)snprintf(redis->where, sizeof redis->where, "%s", where);
    struct session_settings session = {.output_size = LOAD_REDIS_OUTPUT_SIZE,
                                       .arena_size = LOAD_REDIS_REPLY_SIZE,
                                       .waiting_max = LOAD_REDIS_WAITING_MAX};
    redis->session = session_open(&session);
    arena_open(&redis->held, LOAD_REDIS_REPLY_SIZE);
    redis->link = link_open(loop, &settings, &events, redis);
    while (!redis->open && !redis->ended)
        loop_turn(loop, TURN_US);
    if (redis->open)
        return true;
    error_set(error, "no Redis at %s: %s; start it, or name another with --redis", where,
              redis->lost.text);
    load_redis_close(redis);
    return false;
}

void
load_redis_close(struct load_redis *redis)
{
    if (redis->link != NULL)
        link_close(redis->link);
    while (!redis->ended)
        loop_turn(redis->loop, TURN_US);
    session_close(redis->session);
    arena_close(&redis->held);
    redis->session = NULL;
}

static void
on_answer(void *context, const struct reply *reply)
{
    struct load_redis *redis = context;
    redis->answered = true;
    redis->reply = reply;
    if (reply != NULL)
        session_take_arena(redis->session, &redis->held);
}

const struct reply *
load_redis_ask(struct load_redis *redis, const char *const *parts, struct error_text *error)
{
    struct span spans[LOAD_REDIS_PART_MAX];
    size_t count = 0;
    for (; parts[count] != NULL; count++) {
        check(count < LOAD_REDIS_PART_MAX);
        spans[count] = span_of(parts[count]);
    }
    arena_reset(&redis->held);
    redis->answered = false;
    redis->reply = NULL;
    bool sent = !redis->ended && session_command(redis->session, spans, count, on_answer, redis);
    if (sent)
        link_flush(redis->link);
    while (sent && !redis->answered)
        loop_turn(redis->loop, TURN_US);
    if (redis->reply == NULL) {
        error_set(error, "Redis at %s was lost: %s", redis->where,
                  redis->ended ? redis->lost.text : "its queue of commands is full");
        return NULL;
    }
    if (redis->reply->type == REPLY_ERROR) {
        error_set(error, "Redis at %s, %s: %.*s", redis->where, parts[0],
                  SPAN_ARG(redis->reply->text));
        return NULL;
    }
    return redis->reply;
}
