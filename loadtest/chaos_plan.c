#include "loadtest/chaos_plan.h"
#include "sender/base/check.h"
#include "sender/base/random.h"

enum {
    DELAY_MAX_MS = 150,
    RESTART_MAX_MS = 800,    /* how long a killed sender stays away, most */
    REDIS_AWAY_MAX_MS = 600, /* likewise of Redis */
    REDIS_STOPPED_MAX_MS = 3000,
    LAG_MAX_MS = 1000,
    FORGOTTEN_MAX_MS = 1000, /* everysec: a second may not be on the disk yet */
    BURST_MIN_MS = 200,      /* of the emulator's faults */
    BURST_MAX_MS = 1200,
};
#define AT_ONCE_SHARE 0.2

static const struct kind_row {
    const char *word;
    const char *help;
    uint32_t share;
} table[CHAOS_KIND_COUNT] = {
#define CHAOS_KIND(name, text, part, about) {.word = (text), .help = (about), .share = (part)},
    CHAOS_KINDS(CHAOS_KIND)
#undef CHAOS_KIND
};

const char *
chaos_kind_text(enum chaos_kind kind)
{
    check(kind < CHAOS_KIND_COUNT);
    return table[kind].word;
}

const char *
chaos_kind_help(enum chaos_kind kind)
{
    check(kind < CHAOS_KIND_COUNT);
    return table[kind].help;
}

static bool
find_kind(struct span word, uint32_t *kinds)
{
    for (uint32_t i = 0; i < CHAOS_KIND_COUNT; i++) {
        if (!span_equal(word, span_of(table[i].word)))
            continue;
        *kinds |= 1U << i;
        return true;
    }
    return false;
}

bool
chaos_read_kinds(struct span text, uint32_t *kinds, struct error_text *error)
{
    *kinds = 0;
    do {
        struct span word = span_trim(span_split(&text, ','));
        if (find_kind(word, kinds))
            continue;
        error_set(error, "\"%.*s\" is no kind of fault; facteur-load chaos --help lists them",
                  SPAN_ARG(word));
        return false;
    } while (text.data != NULL);
    return true;
}

uint32_t
chaos_kinds_of_house(bool has_replica)
{
    uint32_t all = (1U << CHAOS_KIND_COUNT) - 1;
    uint32_t restarts = 1U << CHAOS_RESTART_REDIS | 1U << CHAOS_KILL_ALL;
    return all & ~(has_replica ? restarts : 1U << CHAOS_FAILOVER);
}

static enum chaos_kind
draw_kind(const struct chaos_plan *plan, struct random *dice)
{
    uint32_t sum = 0;
    for (uint32_t i = 0; i < CHAOS_KIND_COUNT; i++)
        sum += (plan->kinds >> i & 1) != 0 ? table[i].share : 0;
    check(sum > 0);
    uint64_t roll = random_below(dice, sum);
    for (uint32_t i = 0; i < CHAOS_KIND_COUNT; i++) {
        uint32_t share = (plan->kinds >> i & 1) != 0 ? table[i].share : 0;
        if (roll < share)
            return (enum chaos_kind)i;
        roll -= share;
    }
    check(!"a share for every roll");
    return CHAOS_KILL_SENDER;
}

static uint32_t
between(struct random *dice, uint32_t least, uint32_t most)
{
    return least + (uint32_t)random_below(dice, most - least + 1);
}

static uint32_t
draw_length(const struct chaos_plan *plan, enum chaos_kind kind, struct random *dice)
{
    switch (kind) {
    case CHAOS_KILL_SENDER:
    case CHAOS_KILL_CLAIMED:
    case CHAOS_KILL_SENT:
    case CHAOS_KILL_SETTLING:
        return between(dice, 0, RESTART_MAX_MS);
    case CHAOS_KILL_UNREAD: /* others have found it dead before the emulator reads on */
        return between(dice, plan->lease_ms * 5 / 4, plan->lease_ms * 2);
    case CHAOS_STOP_SENDER:
        return between(dice, plan->lease_ms * 3 / 2, plan->lease_ms * 3);
    case CHAOS_DOZE_SENDER:
        return between(dice, plan->lease_ms / 10, plan->lease_ms * 3 / 4);
    case CHAOS_RESTART_REDIS:
    case CHAOS_KILL_ALL:
        return between(dice, 0, REDIS_AWAY_MAX_MS);
    case CHAOS_STOP_REDIS:
        return between(dice, 50, REDIS_STOPPED_MAX_MS);
    case CHAOS_FAILOVER: /* how much the replica lags behind */
        return between(dice, 0, LAG_MAX_MS);
    case CHAOS_BLACK_HOLE:
        return between(dice, plan->request_timeout_ms * 5 / 4, plan->request_timeout_ms * 2);
    case CHAOS_CUT:
    case CHAOS_ERRORS:
    case CHAOS_DRIBBLE:
        return between(dice, BURST_MIN_MS, BURST_MAX_MS);
    case CHAOS_KIND_COUNT:
        break;
    }
    check(!"a kind");
    return 0;
}

void
chaos_plan_fault(const struct chaos_plan *plan, uint64_t number, struct chaos_fault *fault)
{
    struct random dice;
    /* Two odd factors keep (seed, number) and its neighbours on different sequences. */
    random_seed(&dice, (plan->seed + 1) * 0xd1342543de82ef95u ^ number * 0xaf251af3b0f025b5u);
    fault->kind = draw_kind(plan, &dice);
    fault->sender = (uint32_t)random_below(&dice, plan->senders);
    fault->at_once = random_chance(&dice, AT_ONCE_SHARE);
    fault->delay_ms = between(&dice, 0, DELAY_MAX_MS);
    fault->length_ms = draw_length(plan, fault->kind, &dice);
    fault->forgotten_ms = between(&dice, 0, FORGOTTEN_MAX_MS);
    fault->strength = 0.05 + 0.4 * random_unit(&dice);
}
