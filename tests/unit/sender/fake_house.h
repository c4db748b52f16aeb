/*
 * fake_house - a fake worker, connected to a fake Redis: for what is told to Redis and asked of it.
 */
#ifndef FACTEUR_TESTS_UNIT_SENDER_FAKE_HOUSE_H
#define FACTEUR_TESTS_UNIT_SENDER_FAKE_HOUSE_H

#include "tests/unit/sender/fake_redis.h"
#include "tests/unit/sender/fake_worker.h"

struct fake_house {
    struct fake_worker fake;
    struct fake_redis redis;
};

/* Turns until the condition, at most two seconds; it is expected then. */
#define TURN_UNTIL(house, condition)                                                               \
    do {                                                                                           \
        uint64_t end_us_ = clock_monotonic_us() + 2000000;                                         \
        while (!(condition) && clock_monotonic_us() < end_us_)                                     \
            loop_turn((house)->fake.worker.loop, 5000);                                            \
        expect(condition);                                                                         \
    } while (0)

static inline void
fake_house_on_ready(void *context)
{
    (void)context;
}

static inline void
fake_house_on_lost(void *context, const char *reason)
{
    (void)context;
    (void)reason;
}

static inline void
fake_house_open(struct fake_house *house, void (*on_command)(struct fake_redis *redis))
{
    static const struct redis_client_events events = {.on_ready = fake_house_on_ready,
                                                      .on_lost = fake_house_on_lost};
    fake_open(&house->fake);
    struct worker *worker = &house->fake.worker;
    fake_redis_open(&house->redis, worker->loop);
    house->redis.on_command = on_command;
    const struct redis_client_settings settings = {.address = &house->redis.address,
                                                   .output_size = REDIS_OUTPUT_SIZE,
                                                   .arena_size = BATCH_ARENA_SIZE,
                                                   .waiting_max = REDIS_WAITING_MAX,
                                                   .seed = 1};
    slots_open(worker);
    house->fake.sender.settings.events_keep = 1000;
    house->fake.sender.settings.dedupe_ttl_ms = 1000;
    worker->library = REDIS_LIBRARY_GOOD;
    worker->redis = redis_client_open(worker->loop, &settings, &events, NULL);
    TURN_UNTIL(house, redis_client_is_ready(worker->redis));
}

/* The connection is lost, and another one is made. */
static inline void
fake_house_reconnect(struct fake_house *house)
{
    link_reset(house->redis.link);
    TURN_UNTIL(house, !redis_client_is_ready(house->fake.worker.redis));
    TURN_UNTIL(house, redis_client_is_ready(house->fake.worker.redis));
}

static inline void
fake_house_close(struct fake_house *house)
{
    struct worker *worker = &house->fake.worker;
    redis_client_close(worker->redis);
    TURN_UNTIL(house, redis_client_is_closed(worker->redis));
    redis_client_free(worker->redis);
    fake_redis_close(&house->redis);
    slots_close(worker);
    fake_close(&house->fake);
}

#endif
