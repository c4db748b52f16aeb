#include "tests/simulation/weather.h"

#include "tests/simulation/fairness.h"

#include <string.h>

/* One of the numbers from `least` to `most`. */
static uint32_t
between(struct random *dice, uint32_t least, uint32_t most)
{
    return least + (uint32_t)random_below(dice, most - least + 1);
}

/* Often nothing, sometimes a little, rarely as much as `most`. */
static uint32_t
sometimes(struct random *dice, uint32_t most)
{
    switch (random_below(dice, 5)) {
    case 0:
    case 1:
        return 0;
    case 2:
        return between(dice, 0, most);
    default:
        return between(dice, 0, most / 8 + 1);
    }
}

static void
draw_net(struct weather *weather, struct random *dice)
{
    weather->latency_us =
        between(dice, 0, 3) == 0 ? between(dice, 1, 50000) : between(dice, 1, 500);
    weather->split = sometimes(dice, 500000);
    weather->cut = sometimes(dice, 20000);
    weather->hole = sometimes(dice, 5000);
    weather->dial_fails = sometimes(dice, 400000);
    weather->late_bytes = sometimes(dice, 800000);
}

static void
draw_meta(struct weather *weather, struct random *dice)
{
    static const uint32_t most[MOOD_COUNT] = {
        [MOOD_ACCEPT_SLOWLY] = 300,  [MOOD_ACCEPT_SILENTLY] = 300,
        [MOOD_ACCEPT_AND_CUT] = 100, [MOOD_ACCEPT_AND_RESET] = 200,
        [MOOD_ACCEPT_AND_ERR] = 200, [MOOD_FAIL_BY_RECEIPT] = 200,
        [MOOD_SWALLOW] = 200,        [MOOD_CUT] = 100,
        [MOOD_RESET] = 200,          [MOOD_ERR] = 200,
        [MOOD_RETRY] = 500,          [MOOD_THROTTLE] = 200,
        [MOOD_UNAVAILABLE] = 100,    [MOOD_PAIR] = 200,
        [MOOD_TOKEN] = 20,           [MOOD_PERMANENT] = 200,
        [MOOD_REFUSE] = 300,         [MOOD_GOAWAY] = 100,
    };
    for (int mood = 0; mood < MOOD_COUNT; mood++)
        weather->moods[mood] = sometimes(dice, most[mood]);
    weather->moods[MOOD_ACCEPT] = between(dice, 200, 2000);
    weather->answer_us = random_below(dice, 4) == 0 ? 800000 : 20000;
    weather->receipt_us = random_below(dice, 2) == 0 ? 2000000 : 30000000;
    weather->receipt_early = sometimes(dice, 500000);
    weather->receipt_twice = sometimes(dice, 300000);
}

static void
draw_machines(struct weather *weather, struct random *dice)
{
    weather->hosts = between(dice, 1, 3);
    weather->kills = sometimes(dice, 5);
    weather->stops = sometimes(dice, 5);
    weather->drains = sometimes(dice, 2);
    weather->clock_jumps = sometimes(dice, 3);
    weather->slow_turns = sometimes(dice, 10000);
    weather->crashes = sometimes(dice, 3);
    weather->troubles = sometimes(dice, 4);
    weather->redis_jumps = sometimes(dice, 3);
    weather->flushes = sometimes(dice, 2);
    weather->forgets = weather->crashes > 0 && random_below(dice, 2) == 0;
    weather->careful = random_below(dice, 2) == 0;
    if (weather->forgets) /* an id would be given twice if its clock went back as well */
        weather->redis_jumps = 0;
}

void
weather_draw_fair(struct weather *weather, struct random *dice, uint32_t backlog)
{
    memset(weather, 0, sizeof(*weather));
    weather->fair = true;
    weather->backlog = backlog;
    weather->latency_us = between(dice, 10, 300);
    weather->moods[MOOD_ACCEPT] = 1000;
    weather->moods[MOOD_THROTTLE] = sometimes(dice, 500);
    weather->moods[MOOD_RETRY] = sometimes(dice, 200);
    weather->answer_us = between(dice, 10000, 50000);
    weather->receipt_us = 2000000;
    weather->hosts = 1;
    weather->accounts = NOTICES_ACCOUNTS_FAIR;
    weather->notifications = backlog + FAIR_OTHERS;
    weather->bulk = sometimes(dice, 500000);
    weather->busy_us = between(dice, 2, 5) * 1000000;
}

void
weather_draw(struct weather *weather, struct random *dice)
{
    memset(weather, 0, sizeof(*weather));
    draw_net(weather, dice);
    draw_meta(weather, dice);
    draw_machines(weather, dice);
    weather->accounts = between(dice, 2, 3);
    weather->notifications =
        random_below(dice, 6) == 0 ? between(dice, 40, 120) : between(dice, 4, 40);
    weather->pauses = sometimes(dice, 3);
    weather->requeues = sometimes(dice, 3);
    weather->purges = sometimes(dice, 2);
    weather->changes = sometimes(dice, 3);
    weather->calls = sometimes(dice, 500000);
    weather->paces = sometimes(dice, 500000);
    weather->odd = sometimes(dice, 400000);
    weather->bulk = sometimes(dice, 500000);
    weather->policy = between(dice, 0, POLICIES - 1);
    weather->code_policy = between(dice, 0, POLICIES - 1);
    weather->busy_us = between(dice, 2, 15) * 1000000;
    if (random_below(dice, 50) == 0)
        weather_draw_fair(weather, dice, FAIR_BACKLOG);
}

void
weather_clear(struct weather *weather)
{
    weather->had_holes = weather->hole > 0;
    weather->had_failed_dials = weather->dial_fails > 0;
    weather->latency_us = 200;
    weather->split = weather->cut = weather->hole = 0;
    weather->dial_fails = weather->late_bytes = 0;
    memset(weather->moods, 0, sizeof(weather->moods));
    weather->moods[MOOD_ACCEPT] = 1;
    weather->answer_us = 20000;
    weather->slow_turns = 0;
}

const char *
graph_mood_text(enum graph_mood mood)
{
    static const char *const texts[] = {
        [MOOD_ACCEPT] = "accepts",
        [MOOD_ACCEPT_SLOWLY] = "accepts, slowly",
        [MOOD_ACCEPT_SILENTLY] = "accepts, and is silent",
        [MOOD_ACCEPT_AND_CUT] = "accepts, and cuts",
        [MOOD_ACCEPT_AND_RESET] = "accepts, and resets",
        [MOOD_ACCEPT_AND_ERR] = "accepts, and answers an error",
        [MOOD_FAIL_BY_RECEIPT] = "takes it; it will fail",
        [MOOD_SWALLOW] = "swallows",
        [MOOD_CUT] = "cuts",
        [MOOD_RESET] = "resets",
        [MOOD_ERR] = "answers an error that is not Graph's",
        [MOOD_RETRY] = "131000",
        [MOOD_THROTTLE] = "throttles",
        [MOOD_UNAVAILABLE] = "503",
        [MOOD_PAIR] = "131056",
        [MOOD_TOKEN] = "190",
        [MOOD_PERMANENT] = "131026",
        [MOOD_REFUSE] = "refuses the stream",
        [MOOD_GOAWAY] = "accepts, and goes away",
    };
    return texts[mood];
}
