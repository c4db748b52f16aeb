/* Clocks, secrets and the log of whoever runs now, as the world has them. Behind the headers of
 * sender/base. */
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/base/random.h"
#include "tests/simulation/world.h"

#include <stdarg.h>
#include <stdio.h>

uint64_t
clock_unix_ms(void)
{
    const struct world *world = world_current();
    int64_t wrong_ms = world->at != NULL ? world->at->wrong_ms : 0;
    return world_unix_us(world) / 1000 + (uint64_t)wrong_ms;
}

uint64_t
clock_monotonic_us(void)
{
    return world_current()->now_us;
}

uint64_t
clock_cpu_us(void)
{
    return 0;
}

void
random_secret(void *data, size_t size)
{
    struct world *world = world_current();
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)data)[i] = (uint8_t)random_next(&world->dice);
}

/* The product's log is part of the story, all of it. */
void
log_write(struct log_site *site, enum log_level level, const char *event, const char *format, ...)
{
    static const char *const levels[] = {"info", "warn", "error"};
    const struct world *world = world_current();
    char text[1024];
    va_list arguments;
    (void)site;
    if (!world->tells)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    world_tell(world, world->teller != NULL ? world->teller : "?", "log %s %s %s", levels[level],
               event, text);
}
