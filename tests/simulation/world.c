#include "tests/simulation/world.h"

#include "sender/base/check.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

static struct world *current; /* clocks and secrets are asked for without a context */

void
world_open(struct world *world, uint64_t seed, bool tells)
{
    *world = (struct world){.seed = seed, .now_us = WORLD_START_US, .tells = tells};
    random_seed(&world->dice, seed);
    timers_open(&world->agenda, WORLD_AGENDA_MAX);
    weather_draw(&world->weather, &world->dice);
}

void
world_close(struct world *world)
{
    check(world->agenda.count == 0); /* somebody left something to happen */
    timers_close(&world->agenda);
}

void
world_use(struct world *world)
{
    current = world;
}

struct world *
world_current(void)
{
    check(current != NULL);
    return current;
}

uint64_t
world_unix_us(const struct world *world)
{
    return (uint64_t)WORLD_UNIX_MS * 1000 + world->now_us;
}

bool
world_chance(struct world *world, uint32_t in_a_million)
{
    return in_a_million > 0 && random_below(&world->dice, 1000000) < in_a_million;
}

uint64_t
world_between(struct world *world, uint64_t least, uint64_t most)
{
    check(least <= most);
    return least + random_below(&world->dice, most - least + 1);
}

void
world_run_agenda(struct world *world)
{
    while (world_next_us(world) <= world->now_us) {
        struct timer *timer = world->agenda.heap[0];
        timer_stop(&world->agenda, timer);
        world->things++;
        timer->on_due(timer);
    }
}

uint64_t
world_next_us(const struct world *world)
{
    return world->agenda.count > 0 ? world->agenda.heap[0]->due_us : UINT64_MAX;
}

void
world_tell_line(const struct world *world, const char *who, const char *format, ...)
{
    va_list arguments;
    printf("%12.6f %-8s ", (double)(world->now_us - WORLD_START_US) / 1e6, who);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}

void
world_fault(struct world *world, const char *format, ...)
{
    va_list arguments;
    world->faults++;
    if (world->faults > 20)
        return;
    printf("seed %" PRIu64 ": ", world->seed);
    va_start(arguments, format);
    vprintf(format, arguments);
    va_end(arguments);
    putchar('\n');
}
