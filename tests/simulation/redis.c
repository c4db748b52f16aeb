#include "tests/simulation/redis.h"

#include "sender/base/check.h"

#include <stdarg.h>
#include <stdlib.h>

enum { CONNECTION_MAGIC = 0x72656469, WORDS_MAX = 64, TAKE_SIZE = 64 * 1024 };

struct redis_connection {
    uint32_t magic;
    struct redis *redis;
    struct wire *wire;
    struct store_client *client;
    struct redis_connection *next;
};

static void
set_time(struct redis *redis)
{
    store_set_time(redis->store, world_unix_us(redis->world) + (uint64_t)redis->wrong_us);
}

static void
end_connection(struct redis_connection *connection)
{
    struct redis_connection **place = &connection->redis->connections;
    while (*place != connection)
        place = &(*place)->next;
    *place = connection->next;
    store_disconnect(connection->client);
    connection->magic = 0;
    free(connection);
}

/* Whatever anybody's command has made ready, for everybody. */
static void
send_replies(struct redis *redis)
{
    static char memory[TAKE_SIZE];
    struct redis_connection *next;
    for (struct redis_connection *connection = redis->connections; connection != NULL;
         connection = next) {
        next = connection->next;
        while (store_client_pending(connection->client) > 0) {
            struct buffer out;
            buffer_init(&out, memory, sizeof(memory));
            store_client_take(connection->client, &out);
            wire_send(connection->wire, WIRE_PEER, out.data, out.size);
        }
        if (store_client_is_open(connection->client))
            continue;
        wire_leave(connection->wire, WIRE_PEER);
        end_connection(connection);
    }
}

static void
on_bytes(void *context, const char *data, size_t size)
{
    struct redis_connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    struct redis *redis = connection->redis;
    set_time(redis);
    store_client_feed(connection->client, data, size);
    send_replies(redis);
}

static void
on_end(void *context, const char *reason)
{
    struct redis_connection *connection = context;
    check_magic(connection, CONNECTION_MAGIC);
    (void)reason;
    end_connection(connection);
}

static void
on_connect(void *context, struct wire *wire)
{
    struct redis *redis = context;
    struct redis_connection *connection = check_alloc(1, sizeof(*connection));
    const struct wire_end end = {on_bytes, on_end, connection};
    connection->magic = CONNECTION_MAGIC;
    connection->redis = redis;
    connection->wire = wire;
    connection->client = store_connect(redis->store);
    connection->next = redis->connections;
    redis->connections = connection;
    wire_accept(wire, &end);
}

static void
open_places(struct redis *redis)
{
    for (uint32_t i = 0; i < REDIS_PLACES; i++)
        redis->places[i].down = redis->down || i != redis->master;
}

static void
on_back(struct timer *timer)
{
    struct redis *redis = container_of(timer, struct redis, back);
    struct world *world = redis->world;
    if (!redis->down) {
        world_tell(world, "redis", "well again");
        store_set_trouble(redis->store, STORE_WELL);
        return;
    }
    redis->down = false;
    open_places(redis);
    world_tell(world, "redis", "is back, at %s", redis->places[redis->master].name);
    if (world_chance(world, 500000))
        redis_trouble(redis, STORE_LOADING, world_between(world, 1000, 2000000));
}

void
redis_open(struct redis *redis, struct world *world, const struct store_mark *begin)
{
    *redis = (struct redis){.world = world};
    const struct store_settings settings = {.seed = random_next(&world->dice),
                                            .now_us = world_unix_us(world),
                                            .in_order = true,
                                            .begin = begin};
    redis->store = store_open(&settings);
    static const char *const names[REDIS_PLACES] = {"redis.test", "replica.test"};
    timer_init(&redis->back, on_back);
    for (uint32_t i = 0; i < REDIS_PLACES; i++) {
        redis->places[i] =
            (struct net_server){.name = names[i], .on_connect = on_connect, .context = redis};
        net_listen(&redis->places[i]);
    }
    open_places(redis);
}

void
redis_close(struct redis *redis)
{
    timer_stop(&redis->world->agenda, &redis->back);
    for (uint32_t i = 0; i < REDIS_PLACES; i++)
        net_forget(&redis->places[i]);
    check(redis->connections == NULL);
    store_close(redis->store);
}

bool
redis_is_up(const struct redis *redis)
{
    return !redis->down;
}

const struct reply *
redis_call(struct redis *redis, const struct span *words, size_t count)
{
    if (redis->down)
        return NULL;
    set_time(redis);
    const struct reply *reply = store_call(redis->store, words, count);
    send_replies(redis);
    return reply;
}

const struct reply *
redis_words(struct redis *redis, const char *word, ...)
{
    struct span words[WORDS_MAX];
    size_t count = 0;
    va_list arguments;
    va_start(arguments, word);
    for (const char *next = word; next != NULL; next = va_arg(arguments, const char *)) {
        check(count < WORDS_MAX);
        words[count++] = span_of(next);
    }
    va_end(arguments);
    return redis_call(redis, words, count);
}

void
redis_crash(struct redis *redis, uint64_t down_us, const struct store_mark *mark)
{
    struct world *world = redis->world;
    if (redis->down)
        return;
    world_tell(world, "redis", "crashes, for %u ms%s", (unsigned)(down_us / 1000),
               mark != NULL ? ", and forgets" : "");
    set_time(redis);
    store_set_trouble(redis->store, STORE_WELL);
    store_crash(redis->store, mark);
    while (redis->connections != NULL) {
        wire_abandon(redis->connections->wire, WIRE_PEER);
        end_connection(redis->connections);
    }
    redis->down = true;
    redis->master = (uint32_t)random_below(&world->dice, REDIS_PLACES);
    open_places(redis);
    timer_start(&world->agenda, &redis->back, world->now_us + down_us);
}

void
redis_trouble(struct redis *redis, enum store_trouble trouble, uint64_t for_us)
{
    static const char *const words[] = {"well",       "loading", "busy",   "readonly",
                                        "masterdown", "oom",     "misconf"};
    if (redis->down)
        return;
    world_tell(redis->world, "redis", "%s for %u ms", words[trouble], (unsigned)(for_us / 1000));
    store_set_trouble(redis->store, trouble);
    timer_start(&redis->world->agenda, &redis->back, redis->world->now_us + for_us);
}

void
redis_jump(struct redis *redis, int64_t by_us)
{
    world_tell(redis->world, "redis", "its clock jumps by %lld ms", (long long)(by_us / 1000));
    redis->wrong_us += by_us;
    set_time(redis);
    send_replies(redis);
}

void
redis_mend(struct redis *redis)
{
    timer_stop(&redis->world->agenda, &redis->back);
    redis->down = false;
    open_places(redis);
    redis->wrong_us = 0;
    set_time(redis);
    store_set_trouble(redis->store, STORE_WELL);
}

uint32_t
redis_connections(const struct redis *redis)
{
    uint32_t count = 0;
    for (const struct redis_connection *c = redis->connections; c != NULL; c = c->next)
        count++;
    return count;
}
