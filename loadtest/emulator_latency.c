#include "loadtest/emulator_latency.h"

#include "sender/base/check.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "50ms", "1.5s", "800us", or "0". */
static bool
read_duration(struct span text, uint64_t *us)
{
    char copy[24], *end;
    if (text.size == 0 || text.size >= sizeof copy || text.data[0] < '0' || text.data[0] > '9')
        return false;
    memcpy(copy, text.data, text.size);
    copy[text.size] = '\0';
    double value = strtod(copy, &end);
    double unit;
    if (strcmp(end, "us") == 0 || (*end == '\0' && value == 0))
        unit = 1;
    else if (strcmp(end, "ms") == 0)
        unit = 1e3;
    else if (strcmp(end, "s") == 0)
        unit = 1e6;
    else
        return false;
    if (!(value * unit <= EMULATOR_LATENCY_MAX_US))
        return false;
    *us = (uint64_t)llround(value * unit);
    return true;
}

bool
emulator_latency_read(struct span text, struct emulator_latency *latency, struct error_text *error)
{
    struct span rest = text;
    bool good;
    *latency = (struct emulator_latency){.kind = EMULATOR_LATENCY_UNIFORM};
    if (span_starts(text, SPAN("median:"))) {
        latency->kind = EMULATOR_LATENCY_MEDIAN;
        span_split(&rest, ':');
        good = read_duration(rest, &latency->low_us);
    } else {
        struct span low = span_split(&rest, '-');
        good = read_duration(low, &latency->low_us) &&
               read_duration(rest.data == NULL ? low : rest, &latency->high_us) &&
               latency->low_us <= latency->high_us;
        if (good && latency->high_us == 0)
            latency->kind = EMULATOR_LATENCY_NONE;
    }
    if (!good)
        error_set(error,
                  "latency \"%.*s\" is not understood: say 0, 50ms, 25ms-75ms or median:350ms "
                  "(us, ms or s, at most 60s)",
                  SPAN_ARG(text));
    return good;
}

/* Box and Muller: a normal deviate from two uniform ones. */
static double
draw_normal(struct random *random)
{
    double u = 1.0 - random_unit(random); /* never 0 */
    return sqrt(-2.0 * log(u)) * cos(2.0 * 3.14159265358979323846 * random_unit(random));
}

uint64_t
emulator_latency_draw(const struct emulator_latency *latency, struct random *random)
{
    switch (latency->kind) {
    case EMULATOR_LATENCY_NONE:
        return 0;
    case EMULATOR_LATENCY_UNIFORM:
        return latency->low_us + random_below(random, latency->high_us - latency->low_us + 1);
    case EMULATOR_LATENCY_MEDIAN: {
        double us = (double)latency->low_us * exp(0.5 * draw_normal(random));
        return us < EMULATOR_LATENCY_MAX_US ? (uint64_t)us : EMULATOR_LATENCY_MAX_US;
    }
    }
    check(false);
}
