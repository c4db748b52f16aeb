/*
 * fake_redis - a Redis on a unix socket, in the loop of the test: it keeps the last commands, and
 * the test says what each is answered.
 */
#ifndef FACTEUR_TESTS_UNIT_SENDER_FAKE_REDIS_H
#define FACTEUR_TESTS_UNIT_SENDER_FAKE_REDIS_H

#include "sender/base/check.h"
#include "sender/redis_client.h"
#include "tests/unit/test.h"

#include <string.h>

enum { FAKE_REDIS_BYTES = 8 * 1024 * 1024, FAKE_REDIS_ARGUMENTS = 32768 };

static uint32_t fake_redis_number; /* of the next one: each has a socket of its own */

struct fake_redis {
    struct loop *loop;
    struct listener *listener;
    struct link *link; /* of the one client; NULL: none */
    struct redis_address address;
    char *bytes; /* received and not yet a whole command */
    size_t size;
    struct span *arguments; /* of the last command: into `bytes`, until the callback returns */
    size_t argument_count;
    char output[65536];
    size_t output_size;
    uint32_t commands;
    /* Writes the RESP answer with fake_redis_say(); says nothing: no answer. */
    void (*on_command)(struct fake_redis *redis);
};

static inline void
fake_redis_say(struct fake_redis *redis, const char *text)
{
    size_t size = strlen(text);
    check(redis->output_size + size <= sizeof(redis->output));
    memcpy(redis->output + redis->output_size, text, size);
    redis->output_size += size;
}

/* The size of the whole command at the start of `bytes`, its arguments read; 0: not whole. */
static inline size_t
fake_redis_read(struct fake_redis *redis)
{
    char *at = redis->bytes;
    char *end = redis->bytes + redis->size;
    redis->bytes[redis->size] = '\0';
    char *line = memchr(at, '\n', redis->size);
    if (line == NULL)
        return 0;
    check(*at == '*');
    size_t count = strtoul(at + 1, NULL, 10);
    check(count <= FAKE_REDIS_ARGUMENTS);
    at = line + 1;
    for (size_t i = 0; i < count; i++) {
        line = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        if (line == NULL)
            return 0;
        size_t size = strtoul(at + 1, NULL, 10);
        if (size + 2 > (size_t)(end - line - 1))
            return 0;
        redis->arguments[i] = (struct span){line + 1, size};
        at = line + 1 + size + 2;
    }
    redis->argument_count = count;
    return (size_t)(at - redis->bytes);
}

static inline void
fake_redis_on_bytes(void *context, const char *data, size_t size)
{
    struct fake_redis *redis = context;
    check(redis->size + size < FAKE_REDIS_BYTES);
    memcpy(redis->bytes + redis->size, data, size);
    redis->size += size;
    for (size_t used = fake_redis_read(redis); used > 0 && redis->link != NULL;
         used = fake_redis_read(redis)) {
        redis->commands++;
        redis->on_command(redis);
        memmove(redis->bytes, redis->bytes + used, redis->size - used);
        redis->size -= used;
    }
    if (redis->link != NULL)
        link_flush(redis->link);
}

static inline void
fake_redis_on_output(void *context, struct buffer *out)
{
    struct fake_redis *redis = context;
    size_t size = redis->output_size < buffer_room(out) ? redis->output_size : buffer_room(out);
    buffer_put(out, redis->output, size);
    memmove(redis->output, redis->output + size, redis->output_size - size);
    redis->output_size -= size;
}

static inline void
fake_redis_on_open(void *context)
{
    (void)context;
}

static inline void
fake_redis_on_close(void *context, const char *reason, bool opened)
{
    struct fake_redis *redis = context;
    (void)reason;
    (void)opened;
    redis->link = NULL;
    redis->size = redis->output_size = 0;
}

static inline void
fake_redis_on_accept(void *context, int fd)
{
    static const struct link_events events = {.on_open = fake_redis_on_open,
                                              .on_bytes = fake_redis_on_bytes,
                                              .on_output = fake_redis_on_output,
                                              .on_close = fake_redis_on_close};
    struct fake_redis *redis = context;
    const struct link_settings settings = {.connect_timeout_us = 1000000, .output_size = 65536};
    check(redis->link == NULL);
    redis->link = link_accepted(redis->loop, fd, &settings, &events, redis);
}

static inline void
fake_redis_open(struct fake_redis *redis, struct loop *loop)
{
    struct error_text error = {0};
    memset(redis, 0, sizeof(*redis));
    redis->loop = loop;
    redis->bytes = check_alloc(1, FAKE_REDIS_BYTES);
    redis->arguments = check_alloc(FAKE_REDIS_ARGUMENTS, sizeof(struct span));
    redis->address.place_count = 1;
    snprintf(redis->address.places[0].unix_path, sizeof(redis->address.places[0].unix_path),
             "/tmp/facteur-fake-redis-%d-%u.sock", (int)getpid(), fake_redis_number++);
    const struct link_address address = {.unix_path = redis->address.places[0].unix_path};
    redis->listener = listener_open(loop, &address, fake_redis_on_accept, redis, &error);
    if (redis->listener == NULL) {
        printf("%s\n", error.text);
        exit(1);
    }
}

static inline void
fake_redis_close(struct fake_redis *redis)
{
    if (redis->link != NULL)
        link_reset(redis->link);
    listener_close(redis->listener);
    for (int turn = 0; turn < 100 && redis->link != NULL; turn++)
        loop_turn(redis->loop, 10000);
    free(redis->bytes);
    free(redis->arguments);
}

#endif
