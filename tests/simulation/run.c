#include "tests/simulation/run.h"

#include "sender/base/check.h"
#include "tests/simulation/audit.h"

#include <stdlib.h>
#include <string.h>

enum {
    SECOND_US = 1000000,
    CALM_MAX_S = 900,
    DRAIN_MAX_S = 120,
    REST_MAX_S = 60,
    REST_MIN_S = 5,
    RESUME_EVERY_S = 20
};

static void
on_taken(void *context, uint32_t attempt, uint64_t answer_us)
{
    struct run *run = context;
    webhooks_send(&run->webhooks, attempt, answer_us);
}

static void
on_request(void *context, uint32_t account, uint32_t number)
{
    struct run *run = context;
    if (number >= run->notices.count || run->notices.notices[number].account != account)
        world_fault(&run->world, "a request for nobody's notice, or by another account");
    else
        fairness_read(&run->fairness, account, number);
}

static void
on_written(void *context, struct notice *notice)
{
    struct run *run = context;
    fairness_written(&run->fairness, notice);
}

static bool
is_careful(void *context)
{
    const struct run *run = context;
    return run->world.weather.careful && run->mishaps.mark != NULL;
}

static void
set_attempts(struct run *run, struct attempt_settings *attempts)
{
    static const enum uncertain_policy policies[] = {UNCERTAIN_PARK, UNCERTAIN_DROP,
                                                     UNCERTAIN_RESEND};
    attempts->uncertain = policies[run->world.weather.policy];
    attempts->uncertain_codes = policies[run->world.weather.code_policy];
}

static void
set_account(struct run *run, struct account_settings *account)
{
    struct world *world = &run->world;
    set_attempts(run, &account->attempts);
    account->pace = (struct pace){0};
    if (world_chance(world, world->weather.paces))
        account->pace =
            (struct pace){.count = world_between(world, 2, 50), .period_us = SECOND_US, .burst = 5};
}

/* What all processes of this run are made of. */
static struct sender *
choose_sender(struct run *run, const struct run_settings *settings)
{
    struct world *world = &run->world;
    struct sender *sender = world->weather.fair ? settings->crowd : settings->sender;
    struct sender_settings *chosen = &sender->settings;
    chosen->lease_ms = world_between(world, 1000, 3000);
    if (world->weather.forgets) /* who is fenced before he could declare has nothing to say */
        chosen->lease_ms = 10000;
    chosen->request_timeout_ms = world_between(world, 1000, 4000);
    chosen->uncertain_wait_ms =
        chosen->lease_ms + chosen->request_timeout_ms + world_between(world, 0, 10000);
    chosen->drain_ms = 30000;
    chosen->connections_max = (uint32_t)world_between(world, 1, 3);
    chosen->exchanges_max = (uint32_t)world_between(world, 1, 8);
    chosen->dedupe_ttl_ms = 3600 * 1000;
    for (uint32_t i = 0; i < sender->account_count; i++)
        set_account(run, &sender->accounts[i]);
    return sender;
}

static void
open_run(struct run *run, const struct run_settings *settings)
{
    world_open(&run->world, settings->seed, settings->tells);
    world_use(&run->world);
    if (settings->backlog > 0)
        weather_draw_fair(&run->world.weather, &run->world.dice, settings->backlog);
    struct sender *sender = choose_sender(run, settings);
    redis_open(&run->redis, &run->world, settings->begin);
    graph_open(&run->graph, &run->world);
    run->graph.on_taken = on_taken;
    run->graph.on_request = on_request;
    run->graph.context = run;
    webhooks_open(&run->webhooks, &run->world, &run->redis, &run->graph);
    house_open(&run->house, &run->world, sender);
    notices_open(&run->notices, &run->world, &run->redis);
    run->notices.on_written = on_written;
    run->notices.is_careful = is_careful;
    run->notices.context = run;
    fairness_open(&run->fairness, &run->world, &run->notices);
    mishaps_open(&run->mishaps, run);
    for (uint32_t i = 0; i < run->world.weather.hosts; i++)
        host_start(&run->house.hosts[i],
                   run->world.weather.fair ? 1
                                           : (uint32_t)world_between(&run->world, 1, HOST_WORKERS));
}

static void
stay_busy(struct run *run)
{
    house_run_until(&run->house, run->world.now_us + run->world.weather.busy_us);
}

static void
keep_somebody_up(struct house *house)
{
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++)
        if (host_is_up(&house->hosts[i]) && !host_is_ending(&house->hosts[i]))
            return;
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++) {
        if (host_is_up(&house->hosts[i]))
            continue;
        host_start(&house->hosts[i], 1);
        return;
    }
}

static void
calm_down(struct run *run)
{
    world_tell(&run->world, "run", "calm from here");
    weather_clear(&run->world.weather);
    mishaps_mend(&run->mishaps);
    for (uint32_t s = 0; s < CALM_MAX_S; s++) {
        keep_somebody_up(&run->house);
        house_run_until(&run->house, run->world.now_us + SECOND_US);
        if (audit_is_quiet(run))
            break;
        if (s % RESUME_EVERY_S == 0)
            mishaps_resume(&run->mishaps); /* what was stopped meanwhile */
    }
    if (audit_is_quiet(run))
        return;
    audit_tell(run);
    world_fault(&run->world, "not everything has ended after %d s of calm", CALM_MAX_S);
}

static void
hear_receipts(struct run *run)
{
    world_tell(&run->world, "run", "every receipt is told");
    bool told = false;
    for (uint32_t s = 0; s < REST_MAX_S && !told; s++) { /* or the library is just being loaded */
        told = webhooks_tell_all(&run->webhooks);
        if (!told)
            house_run_until(&run->house, run->world.now_us + SECOND_US);
    }
    if (!told)
        world_fault(&run->world, "receipts cannot be told");
    for (uint32_t s = 0; s < REST_MAX_S && (s < REST_MIN_S || !audit_is_at_rest(run)); s++)
        house_run_until(&run->house, run->world.now_us + SECOND_US);
    audit_workers(run);
}

static bool
anybody_is_up(const struct run *run)
{
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++)
        if (host_is_up(&run->house.hosts[i]))
            return true;
    return false;
}

static void
drain(struct run *run)
{
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++)
        host_drain(&run->house.hosts[i]);
    for (uint32_t s = 0; s < DRAIN_MAX_S && anybody_is_up(run); s++)
        house_run_until(&run->house, run->world.now_us + SECOND_US);
    if (anybody_is_up(run))
        world_fault(&run->world, "a process has not ended %d s after SIGTERM", DRAIN_MAX_S);
    house_close(&run->house);
    house_run_until(&run->house, run->world.now_us + 20 * SECOND_US);
    if (!webhooks_tell_rest(&run->webhooks))
        world_fault(&run->world, "the last receipts cannot be told");
    if (wire_count(&run->world) > 0 || graph_connections(&run->graph) > 0 ||
        redis_connections(&run->redis) > 0)
        world_fault(&run->world, "a connection is left");
}

void
run_seed(const struct run_settings *settings, struct run_result *result)
{
    struct run *run = check_alloc(1, sizeof(*run));
    *result = (struct run_result){0};
    open_run(run, settings);
    stay_busy(run);
    calm_down(run);
    hear_receipts(run);
    drain(run);
    result->notices = run->notices.count;
    const struct sender_settings *used = &run->house.sender->settings;
    fairness_judge(&run->fairness, used->connections_max * used->exchanges_max);
    audit_run(run, result);
    result->simulated_us = run->world.now_us - WORLD_START_US;
    result->digest = random_next(&run->world.dice) ^ store_command_count(run->redis.store);
    result->faults = run->world.faults;
    mishaps_close(&run->mishaps);
    webhooks_close(&run->webhooks);
    notices_close(&run->notices);
    graph_close(&run->graph);
    redis_close(&run->redis);
    world_close(&run->world);
    free(run);
}
