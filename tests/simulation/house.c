#include "tests/simulation/house.h"

#include "sender/base/check.h"
#include "sender/settings.h"
#include "tests/simulation/fake_loop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- what all processes share -----------------------------------------------------------------
 */

struct sender *
house_build_sender(uint32_t accounts)
{
    static struct world still; /* the clock of the building: cards must be in force */
    static const struct option_list list = {
        .items = {"acme/fr=100000", "acme/de=100001", "acme/us=100002", "acme/a3=100003",
                  "acme/a4=100004", "acme/a5=100005", "acme/a6=100006", "acme/a7=100007",
                  "acme/a8=100008", "acme/a9=100009", "acme/a10=100010"}};
    struct option_list chosen = list;
    chosen.count = accounts;
    struct settings_input input;
    struct error_text error;
    still.now_us = WORLD_START_US;
    world_use(&still);
    settings_defaults(&input);
    input.accounts = &chosen;
    input.graph = "https://graph.test/v26.0";
    input.workers = HOUSE_WORKERS;
    input.connections = 3;
    input.streams = 8;
    input.retry = "300ms, 1s, 2s";
    check(setenv("FACTEUR_TOKEN", "simulated", 1) == 0);
    struct sender *sender = settings_build(&input, &error);
    if (sender == NULL) {
        fprintf(stderr, "simulation: %s\n", error.text);
        exit(1);
    }
    if (!redis_address_read("tcp://redis.test:6379,tcp://replica.test:6379",
                            &sender->settings.redis, &error)) {
        fprintf(stderr, "simulation: %s\n", error.text);
        exit(1);
    }
    digest_key_init(&sender->secrets[0], "secret", 6);
    return sender;
}

void
house_free_sender(struct sender *sender)
{
    settings_free(sender);
}

/* ---- processes --------------------------------------------------------------------------------
 */

/* The process is stopped within a turn, after it asked its sessions for output and before that is
 * the kernel's: whatever it had checked before is old when it goes on. */
static void
on_output(void *context)
{
    struct host *host = context;
    struct world *world = host->house->world;
    uint64_t for_us = host->stop_in_turn_us;
    if (for_us == 0)
        return;
    const struct wall_clock *at = world->at;
    const char *teller = world->teller;
    host->stop_in_turn_us = 0;
    world_tell(world, host->name, "stopped for %u ms within a turn", (unsigned)(for_us / 1000));
    house_run_until(host->house, world->now_us + for_us);
    world->at = at;
    world->teller = teller;
    world_tell(world, host->name, "goes on");
}

bool
host_is_up(const struct host *host)
{
    return host->worker_count > 0;
}

bool
host_is_ending(const struct host *host)
{
    return atomic_load(&host->sender.draining) || atomic_load(&host->sender.aborting);
}

void
host_start(struct host *host, uint32_t workers)
{
    struct world *world = host->house->world;
    struct error_text error;
    check(!host_is_up(host) && workers <= HOST_WORKERS);
    memcpy(&host->sender, host->house->sender, sizeof(host->sender));
    world->at = &host->clock;
    world->teller = host->name;
    world_tell(world, host->name, "starts with %u workers", workers);
    host->stopped_until_us = 0;
    host->stop_in_turn_us = 0;
    host->kill_wanted = false;
    for (uint32_t i = 0; i < workers; i++) {
        struct worker *worker = check_alloc(1, sizeof(*worker));
        worker->number = i;
        worker->sender = &host->sender;
        check(worker_open(worker, &error));
        loop_on_output(worker->loop, on_output, host);
        host->workers[i] = worker;
        host->worker_count++;
    }
}

static void
end_worker(struct host *host, uint32_t index)
{
    struct house *house = host->house;
    if (house->ended_count < HOUSE_ENDS_MAX)
        house->ended_us[house->ended_count++] = house->world->now_us;
    worker_close(host->workers[index]);
    free(host->workers[index]);
    host->workers[index] = NULL;
    host->worker_count--;
}

void
host_kill(struct host *host)
{
    struct world *world = host->house->world;
    if (host->in_turn) {
        host->kill_wanted = true;
        return;
    }
    if (!host_is_up(host))
        return;
    world_tell(world, host->name, "killed");
    world->at = &host->clock;
    world->teller = host->name;
    for (uint32_t i = 0; i < HOST_WORKERS; i++) {
        if (host->workers[i] == NULL)
            continue;
        loop_kill_links(host->workers[i]->loop);
        end_worker(host, i);
    }
    host->stopped_until_us = 0;
    host->kill_wanted = false;
}

void
host_stop(struct host *host, uint64_t for_us, bool in_turn)
{
    struct world *world = host->house->world;
    if (!host_is_up(host))
        return;
    if (in_turn) {
        host->stop_in_turn_us = for_us;
        return;
    }
    world_tell(world, host->name, "stopped for %u ms", (unsigned)(for_us / 1000));
    host->stopped_until_us = world->now_us + for_us;
}

void
host_abort(struct host *host)
{
    if (!host_is_up(host))
        return;
    world_tell(host->house->world, host->name, "ends at once");
    atomic_store(&host->sender.aborting, true);
}

void
host_drain(struct host *host)
{
    if (!host_is_up(host))
        return;
    world_tell(host->house->world, host->name, "drains");
    atomic_store(&host->sender.draining, true);
}

/* ---- turns ------------------------------------------------------------------------------------
 */

static bool
may_run(const struct host *host)
{
    return host_is_up(host) && !host->in_turn &&
           host->stopped_until_us <= host->house->world->now_us;
}

static bool
wants_turn(const struct host *host, const struct worker *worker)
{
    bool is_aborting = atomic_load(&host->sender.aborting);
    return worker != NULL && (loop_is_ready(worker->loop) || worker->done || is_aborting ||
                              (atomic_load(&host->sender.draining) && !worker->draining));
}

static void
turn(struct host *host, uint32_t index)
{
    struct world *world = host->house->world;
    world->at = &host->clock;
    world->teller = host->name;
    host->in_turn = true;
    bool goes_on = worker_turn(host->workers[index]);
    host->in_turn = false;
    if (!goes_on) {
        world_tell(world, host->name, "worker %u has ended", index);
        end_worker(host, index);
    }
    world->at = NULL;
    world->teller = NULL;
    host->house->turns++;
    if (host->kill_wanted)
        host_kill(host);
}

/* One of those who have something to do has its turn. False: nobody has. */
static bool
turn_of_one(struct house *house)
{
    struct {
        struct host *host;
        uint32_t index;
    } ready[HOUSE_WORKERS];
    uint32_t count = 0;
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++)
        for (uint32_t k = 0; may_run(&house->hosts[i]) && k < HOST_WORKERS; k++)
            if (wants_turn(&house->hosts[i], house->hosts[i].workers[k])) {
                ready[count].host = &house->hosts[i];
                ready[count++].index = k;
            }
    if (count == 0)
        return false;
    uint64_t which = random_below(&house->world->dice, count);
    turn(ready[which].host, ready[which].index);
    return true;
}

/* When something will be to do; a stopped process' timers wait for it. */
static uint64_t
next_us(const struct house *house)
{
    uint64_t next = world_next_us(house->world);
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++) {
        const struct host *host = &house->hosts[i];
        if (host->in_turn)
            continue;
        for (uint32_t k = 0; k < HOST_WORKERS; k++) {
            if (host->workers[k] == NULL)
                continue;
            uint64_t due_us =
                loop_is_ready(host->workers[k]->loop) ? 0 : loop_next_us(host->workers[k]->loop);
            if (due_us < host->stopped_until_us)
                due_us = host->stopped_until_us;
            if (due_us < next)
                next = due_us;
        }
    }
    return next;
}

void
house_run_until(struct house *house, uint64_t until_us)
{
    struct world *world = house->world;
    while (world->now_us < until_us) {
        world_run_agenda(world);
        if (turn_of_one(house)) {
            world->now_us += 5 + random_below(&world->dice, 40);
            if (world_chance(world, world->weather.slow_turns))
                world->now_us += random_below(&world->dice, 500000);
            continue;
        }
        uint64_t next = next_us(house);
        if (next > until_us)
            next = until_us;
        if (next > world->now_us)
            world->now_us = next;
    }
}

void
house_open(struct house *house, struct world *world, struct sender *sender)
{
    *house = (struct house){.world = world, .sender = sender};
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++) {
        house->hosts[i].house = house;
        house->hosts[i].number = i;
        snprintf(house->hosts[i].name, sizeof(house->hosts[i].name), "host%u", i);
    }
}

void
house_close(struct house *house)
{
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++)
        host_kill(&house->hosts[i]);
}
