#include "sender/rules/retry.h"
#include "sender/base/check.h"

#include <string.h>

enum {
    RETRY_REPEAT_MAX = 1000,
    THROTTLE_FIRST_MS = 1000,
    THROTTLE_DOUBLINGS_MAX = 6,
    PAIR_FIRST_MS = 1000,
    PAIR_STEPS_MAX = 6,           /* 4^6 s are more than an hour already */
    HELD_MAX_MS = 60 * 60 * 1000, /* whatever Meta's rule or a server says */
};

static const uint64_t WAIT_MAX_MS = 30ull * 24 * 3600 * 1000;

/* Milliseconds of a unit, 0 if it is none. */
static uint64_t
unit_ms(struct span unit)
{
    static const struct {
        const char *name;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (span_equal(unit, span_of(units[i].name)))
            return units[i].ms;
    return 0;
}

static bool
refuse(struct error_text *error, struct span part, const char *why)
{
    error_set(error, "retry schedule: \"%.*s\" %s", (int)(part.size < 40 ? part.size : 40),
              part.data == NULL ? "" : part.data, why);
    return false;
}

static size_t
count_digits(struct span text)
{
    size_t count = 0;
    while (count < text.size && text.data[count] >= '0' && text.data[count] <= '9')
        count++;
    return count;
}

/* "10m" */
static bool
read_wait(struct span text, struct span part, uint64_t *wait_ms, struct error_text *error)
{
    size_t digits = count_digits(text);
    uint64_t number;
    if (digits == 0)
        return refuse(error, part, "is no wait: write a number and a unit, like 30s or 10m");
    struct span unit = {.data = text.data + digits, .size = text.size - digits};
    if (unit.size == 0)
        return refuse(error, part, "has no unit: add ms, s, m, h or d");
    if (unit_ms(unit) == 0)
        return refuse(error, part, "has a unit that is not known: ms, s, m, h or d");
    if (!span_to_u64((struct span){.data = text.data, .size = digits}, &number) ||
        number > WAIT_MAX_MS / unit_ms(unit))
        return refuse(error, part, "is more than 30 days");
    if (number == 0)
        return refuse(error, part, "is no wait: it must be more than 0");
    *wait_ms = number * unit_ms(unit);
    return true;
}

/* "10m*3" */
static bool
read_step(struct span part, struct retry_schedule *schedule, struct error_text *error)
{
    struct span times = span_trim(part);
    struct span wait = span_trim(span_split(&times, '*'));
    uint64_t repeat = 1;
    uint64_t wait_ms = 0;
    if (!read_wait(wait, part, &wait_ms, error))
        return false;
    if (times.data != NULL &&
        (!span_to_u64(span_trim(times), &repeat) || repeat == 0 || repeat > RETRY_REPEAT_MAX))
        return refuse(error, part, "is not repeated well: after * write 1 to 1000");
    if (schedule->step_count == RETRY_STEPS_MAX)
        return refuse(error, part, "is one step too many: 16 are the most, use * to repeat one");
    schedule->wait_ms[schedule->step_count] = wait_ms;
    schedule->repeat[schedule->step_count] = (uint32_t)repeat;
    schedule->step_count++;
    schedule->count += (uint32_t)repeat;
    return true;
}

bool
retry_schedule_read(struct span text, struct retry_schedule *schedule, struct error_text *error)
{
    *schedule = (struct retry_schedule){0};
    if (span_equal(span_trim(text), SPAN("none")))
        return true;
    struct span rest = text;
    do {
        struct span part = span_trim(span_split(&rest, ','));
        if (!read_step(part, schedule, error))
            return false;
    } while (rest.data != NULL);
    return true;
}

bool
retry_wait_ms(const struct retry_schedule *schedule, uint32_t attempts, double chance,
              uint64_t *wait_ms)
{
    check(attempts >= 1);
    check(chance >= 0 && chance < 1);
    uint32_t before = attempts - 1; /* waits already over */
    for (uint32_t i = 0; i < schedule->step_count; i++) {
        if (before < schedule->repeat[i]) {
            double jitter = 0.9 + 0.2 * chance;
            *wait_ms = (uint64_t)((double)schedule->wait_ms[i] * jitter + 0.5);
            return true;
        }
        before -= schedule->repeat[i];
    }
    return false;
}

uint64_t
retry_throttle_wait_ms(uint32_t throttles)
{
    uint32_t doublings = throttles < THROTTLE_DOUBLINGS_MAX ? throttles : THROTTLE_DOUBLINGS_MAX;
    return (uint64_t)THROTTLE_FIRST_MS << doublings;
}

static uint64_t
hour_at_most(uint64_t wait_ms)
{
    return wait_ms < HELD_MAX_MS ? wait_ms : HELD_MAX_MS;
}

uint64_t
retry_pair_wait_ms(uint32_t throttles)
{
    uint32_t steps = throttles < PAIR_STEPS_MAX ? throttles : PAIR_STEPS_MAX;
    return hour_at_most((uint64_t)PAIR_FIRST_MS << (2 * steps));
}

uint64_t
retry_asked_wait_ms(uint32_t after_s, uint64_t at_s, uint64_t now_ms)
{
    if (after_s > 0)
        return hour_at_most((uint64_t)after_s * 1000);
    if (at_s <= now_ms / 1000)
        return 0;
    /* Compared before it is multiplied: a date of the year 9999 is no mistake of ours. */
    return at_s - now_ms / 1000 > HELD_MAX_MS / 1000 ? HELD_MAX_MS : at_s * 1000 - now_ms;
}
