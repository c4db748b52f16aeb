#include "tests/simulation/mishaps.h"

#include "sender/base/check.h"
#include "tests/simulation/fake_feed.h"
#include "tests/simulation/operators.h"
#include "tests/simulation/run.h"

#include <stdio.h>
#include <stdlib.h>

enum { EXCUSE_US = 25 * 1000000 };

enum mishap_kind {
    MISHAP_KILL,
    MISHAP_START, /* the process that was killed or drained comes back */
    MISHAP_STOP,
    MISHAP_DRAIN,
    MISHAP_ABORT,     /* of a process that drains */
    MISHAP_TEMPLATES, /* the catalogue changes */
    MISHAP_CLOCK,
    MISHAP_CRASH,
    MISHAP_FORGET, /* from here to a crash that follows at once */
    MISHAP_TROUBLE,
    MISHAP_REDIS_CLOCK,
    MISHAP_FLUSH,
    MISHAP_PAUSE,
    MISHAP_RESUME,
    MISHAP_REQUEUE,
    MISHAP_PURGE,
    MISHAP_TOKEN, /* the operator brings a new one */
};

struct mishap {
    struct run *run;
    struct mishap *next;
    struct timer timer;
    enum mishap_kind kind;
    struct host *host; /* of START */
    uint32_t account;
};

/* Something more that is to happen: of the kinds that concern a host or an account. */
static void plan(struct run *run, enum mishap_kind kind, struct host *host, uint32_t account);
static struct mishap *add(struct run *run, enum mishap_kind kind, uint64_t wait_us);

static struct host *
draw_host(struct run *run)
{
    return &run->house.hosts[random_below(&run->world.dice, run->world.weather.hosts)];
}

/* ---- machines ---------------------------------------------------------------------------------
 */

static void
kill_host(struct mishap *mishap)
{
    struct run *run = mishap->run;
    struct host *host = draw_host(run);
    host_kill(host);
    plan(run, MISHAP_START, host, 0);
}

static void
start_host(struct mishap *mishap)
{
    struct run *run = mishap->run;
    if (!host_is_up(mishap->host))
        host_start(mishap->host, (uint32_t)world_between(&run->world, 1, HOST_WORKERS));
}

static void
stop_host(struct mishap *mishap)
{
    struct world *world = &mishap->run->world;
    host_stop(draw_host(mishap->run), world_between(world, 1000, 9000000),
              world_chance(world, 500000));
}

static void
drain_host(struct mishap *mishap)
{
    struct run *run = mishap->run;
    struct host *host = draw_host(run);
    host_drain(host);
    if (world_chance(&run->world, 300000))
        plan(run, MISHAP_ABORT, host, 0);
    plan(run, MISHAP_START, host, 0);
}

static void
set_clock_wrong(struct mishap *mishap)
{
    struct world *world = &mishap->run->world;
    struct host *host = draw_host(mishap->run);
    host->clock.wrong_ms = (int64_t)world_between(world, 0, 20000) - 10000;
    world_tell(world, host->name, "its clock is wrong by %lld ms", (long long)host->clock.wrong_ms);
}

/* ---- Redis ------------------------------------------------------------------------------------
 */

static void
crash_redis(struct mishap *mishap)
{
    struct run *run = mishap->run;
    struct mishaps *mishaps = &run->mishaps;
    uint64_t down_us = world_between(&run->world, 1000, 5000000);
    if (redis_is_up(&run->redis) && mishaps->mark != NULL) {
        check(mishaps->forgotten_count < FORGOTTEN_MAX);
        mishaps->forgotten[mishaps->forgotten_count++] =
            (struct forgotten){mishaps->mark_us, run->world.now_us};
        notices_forget(&run->notices, mishaps->mark_us);
    }
    redis_crash(&run->redis, down_us, mishaps->mark);
    store_mark_drop(mishaps->mark);
    mishaps->mark = NULL;
}

/* everysec, or a replica that lags: what is written within the next second is lost. */
static void
begin_to_forget(struct mishap *mishap)
{
    struct run *run = mishap->run;
    struct mishaps *mishaps = &run->mishaps;
    if (mishaps->mark != NULL || !redis_is_up(&run->redis))
        return;
    mishaps->mark = store_mark(run->redis.store);
    mishaps->mark_us = run->world.now_us;
    (void)add(run, MISHAP_CRASH, world_between(&run->world, 0, 1000000));
}

static void
trouble_redis(struct mishap *mishap)
{
    struct run *run = mishap->run;
    static const enum store_trouble troubles[] = {STORE_LOADING, STORE_BUSY, STORE_READONLY,
                                                  STORE_OOM, STORE_MISCONF};
    redis_trouble(&run->redis, troubles[random_below(&run->world.dice, 5)],
                  world_between(&run->world, 1000, 4000000));
}

static void
flush_library(struct mishap *mishap)
{
    world_tell(&mishap->run->world, "redis", "FUNCTION FLUSH");
    (void)redis_words(&mishap->run->redis, "FUNCTION", "FLUSH", NULL);
}

/* ---- the plan ---------------------------------------------------------------------------------
 */

static void
happen(struct mishap *mishap)
{
    struct run *run = mishap->run;
    struct world *world = &run->world;
    switch (mishap->kind) {
    case MISHAP_KILL:
        kill_host(mishap);
        return;
    case MISHAP_START:
        start_host(mishap);
        return;
    case MISHAP_STOP:
        stop_host(mishap);
        return;
    case MISHAP_DRAIN:
        drain_host(mishap);
        return;
    case MISHAP_ABORT:
        host_abort(mishap->host);
        return;
    case MISHAP_TEMPLATES:
        fake_feed_change();
        return;
    case MISHAP_CLOCK:
        set_clock_wrong(mishap);
        return;
    case MISHAP_CRASH:
        crash_redis(mishap);
        return;
    case MISHAP_FORGET:
        begin_to_forget(mishap);
        return;
    case MISHAP_TROUBLE:
        trouble_redis(mishap);
        return;
    case MISHAP_REDIS_CLOCK:
        redis_jump(&run->redis, (int64_t)world_between(world, 0, 20000000) - 10000000);
        return;
    case MISHAP_FLUSH:
        flush_library(mishap);
        return;
    case MISHAP_PAUSE:
        operators_pause(run, mishap->account);
        plan(run, MISHAP_RESUME, NULL, mishap->account);
        return;
    case MISHAP_RESUME:
        operators_resume(run, mishap->account);
        return;
    case MISHAP_REQUEUE:
        operators_requeue(run, mishap->account);
        return;
    case MISHAP_PURGE:
        operators_purge(run, mishap->account);
        return;
    case MISHAP_TOKEN:
        operators_bring_token(run);
        return;
    }
}

static void
end_mishap(struct mishap *mishap)
{
    struct mishap **place = &mishap->run->mishaps.first;
    while (*place != mishap)
        place = &(*place)->next;
    *place = mishap->next;
    timer_stop(&mishap->run->world.agenda, &mishap->timer);
    free(mishap);
}

static void
on_time(struct timer *timer)
{
    struct mishap *mishap = container_of(timer, struct mishap, timer);
    happen(mishap);
    end_mishap(mishap);
}

static struct mishap *
add(struct run *run, enum mishap_kind kind, uint64_t wait_us)
{
    struct mishap *mishap = check_alloc(1, sizeof(*mishap));
    mishap->run = run;
    mishap->kind = kind;
    mishap->next = run->mishaps.first;
    run->mishaps.first = mishap;
    timer_init(&mishap->timer, on_time);
    timer_start(&run->world.agenda, &mishap->timer, run->world.now_us + wait_us);
    return mishap;
}

static void
plan(struct run *run, enum mishap_kind kind, struct host *host, uint32_t account)
{
    struct mishap *mishap = add(run, kind, world_between(&run->world, 0, 8000000));
    mishap->host = host;
    mishap->account = account;
}

static void
plan_some(struct run *run, enum mishap_kind kind, uint32_t count)
{
    const struct weather *weather = &run->world.weather;
    for (uint32_t i = 0; i < count; i++) {
        struct mishap *mishap = add(run, kind, world_between(&run->world, 0, weather->busy_us));
        mishap->account = (uint32_t)random_below(&run->world.dice, weather->accounts);
    }
}

void
mishaps_open(struct mishaps *mishaps, struct run *run)
{
    const struct weather *weather = &run->world.weather;
    *mishaps = (struct mishaps){.run = run};
    plan_some(run, MISHAP_KILL, weather->kills);
    plan_some(run, MISHAP_STOP, weather->stops);
    plan_some(run, MISHAP_DRAIN, weather->drains);
    plan_some(run, MISHAP_CLOCK, weather->clock_jumps);
    plan_some(run, weather->forgets ? MISHAP_FORGET : MISHAP_CRASH, weather->crashes);
    plan_some(run, MISHAP_TROUBLE, weather->troubles);
    plan_some(run, MISHAP_REDIS_CLOCK, weather->redis_jumps);
    plan_some(run, MISHAP_FLUSH, weather->flushes);
    plan_some(run, MISHAP_PAUSE, weather->pauses);
    plan_some(run, MISHAP_REQUEUE, weather->requeues);
    plan_some(run, MISHAP_PURGE, weather->purges);
    plan_some(run, MISHAP_TEMPLATES, weather->changes);
    plan_some(run, MISHAP_TOKEN, weather->moods[MOOD_TOKEN] > 0 ? 2 : 0);
}

/* Long enough for a grant to be sent, and for a worker to come back and declare. */
static bool
is_soon_after(uint64_t at_us, const struct forgotten *forgotten)
{
    return at_us >= forgotten->from_us && at_us <= forgotten->to_us + EXCUSE_US;
}

bool
mishaps_excuse(const struct mishaps *mishaps, uint64_t at_us)
{
    const struct weather *weather = &mishaps->run->world.weather;
    const struct house *house = &mishaps->run->house;
    bool may_be_late = weather->had_holes || weather->had_failed_dials || weather->stops > 0;
    for (uint32_t i = 0; i < mishaps->forgotten_count; i++) {
        const struct forgotten *forgotten = &mishaps->forgotten[i];
        bool is_excused = may_be_late;
        for (uint32_t k = 0; k < house->ended_count; k++)
            is_excused = is_excused || is_soon_after(house->ended_us[k], forgotten);
        if (is_excused && is_soon_after(at_us, forgotten))
            return true;
    }
    return false;
}

void
mishaps_close(struct mishaps *mishaps)
{
    store_mark_drop(mishaps->mark);
    mishaps->mark = NULL;
    for (struct mishap *mishap = mishaps->first, *next; mishap != NULL; mishap = next) {
        next = mishap->next;
        timer_stop(&mishap->run->world.agenda, &mishap->timer);
        free(mishap);
    }
    mishaps->first = NULL;
}

void
mishaps_resume(struct mishaps *mishaps)
{
    for (uint32_t account = 0; account < mishaps->run->notices.account_count; account++)
        operators_resume(mishaps->run, account);
}

void
mishaps_mend(struct mishaps *mishaps)
{
    struct run *run = mishaps->run;
    mishaps_close(mishaps);
    redis_mend(&run->redis);
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++) {
        run->house.hosts[i].clock.wrong_ms = 0;
        run->house.hosts[i].stopped_until_us = 0;
        run->house.hosts[i].stop_in_turn_us = 0;
    }
    mishaps_resume(mishaps);
    operators_bring_token(run);
}
