#include "loadtest/chaos_fault.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"

#include <string.h>

enum {
    WORK_WAIT_MAX_MS = 30000,   /* for something to be done */
    INSTANT_WAIT_MAX_MS = 600,  /* for the instant of a kind that has one */
    TARGET_WAIT_MAX_MS = 20000, /* for a sender, Redis, emulator that runs: all come back by then */
    ON_THE_WIRE_MS = 300,       /* until all that was granted is sent, and read or not read */
    ANSWERED_MS = 200,          /* until all that was sent is answered: the latency is 40 ms */
    SHORTLY_MS = 20,
    SLACK_MS = 200,       /* between two looks, and until a replica hears */
    SLACK_ACCEPTED = 100, /* likewise: accepted and not counted yet */
    BODY_MAX = 512,
    /* While the emulator hears nothing its time-outs come once or twice; then new connections. */
    BLACK_HOLE_ROUNDS = 3,
};

/* ---- undoing -------------------------------------------------------------------------------- */

static void
undo_later(struct chaos *chaos, enum chaos_undo_kind kind, uint32_t sender, uint64_t wait_ms)
{
    for (uint32_t i = 0; i < CHAOS_UNDOS_MAX; i++) {
        if (chaos->undos[i].kind != CHAOS_UNDO_NOTHING)
            continue;
        chaos->undos[i] = (struct chaos_undo){
            .kind = kind, .sender = sender, .due_us = clock_monotonic_us() + wait_ms * 1000};
        return;
    }
    check(!"room for another undo");
}

void
chaos_fault_start_sender(struct chaos *chaos, uint32_t number, uint64_t wait_ms)
{
    undo_later(chaos, CHAOS_START_SENDER, number, wait_ms);
}

static void set_faults(struct chaos *chaos, const char *rates);

static void
undo(struct chaos *chaos, const struct chaos_undo *what)
{
    struct chaos_house *house = &chaos->house;
    switch (what->kind) {
    case CHAOS_START_SENDER:
        if (house->senders[what->sender].pid == 0 && !chaos_house_start_sender(house, what->sender))
            chaos_trouble(chaos, "%s", house->error.text);
        return;
    case CHAOS_CONTINUE_SENDER:
        chaos_child_continue(&house->senders[what->sender]);
        return;
    case CHAOS_START_REDIS:
        if (chaos_house_master(house)->child.pid == 0 && !chaos_house_start_master(house))
            chaos_trouble(chaos, "%s", house->error.text);
        return;
    case CHAOS_START_REPLICA:
        if (!chaos_house_start_replica(house))
            chaos_trouble(chaos, "%s", house->error.text);
        return;
    case CHAOS_CONTINUE_REDIS:
        chaos_child_continue(&chaos_house_master(house)->child);
        return;
    case CHAOS_CONTINUE_EMULATOR:
        chaos_child_continue(&house->emulator);
        return;
    case CHAOS_STOP_FAULTS:
        set_faults(chaos, "");
        return;
    case CHAOS_UNDO_NOTHING:
        return;
    }
}

void
chaos_fault_undo(struct chaos *chaos, uint64_t now_us)
{
    for (uint32_t i = 0; i < CHAOS_UNDOS_MAX; i++) {
        struct chaos_undo due = chaos->undos[i];
        bool can = due.kind != CHAOS_STOP_FAULTS || chaos_child_runs(&chaos->house.emulator);
        if (due.kind == CHAOS_UNDO_NOTHING || due.due_us > now_us || !can)
            continue;
        chaos->undos[i].kind = CHAOS_UNDO_NOTHING;
        undo(chaos, &due);
    }
}

bool
chaos_fault_is_over(const struct chaos *chaos)
{
    for (uint32_t i = 0; i < CHAOS_UNDOS_MAX; i++)
        if (chaos->undos[i].kind != CHAOS_UNDO_NOTHING)
            return false;
    return true;
}

/* ---- the emulator's faults ------------------------------------------------------------------ */

static void
post_faults(struct chaos *chaos, const char *body)
{
    struct span answer;
    if (!chaos_house_control(&chaos->house, "/emulator/faults", body, &answer))
        chaos_trouble(chaos, "%s", chaos->house.error.text);
}

/* All rates 0 but those of the JSON object `rates`. */
static void
set_faults(struct chaos *chaos, const char *rates)
{
    post_faults(chaos, "{\"5xx\":0,\"throttle\":0,\"pair\":0,\"refused\":0,\"goaway\":0,"
                       "\"reset_after\":0,\"connection_reset\":0,\"black_hole\":0,\"cut\":0,"
                       "\"dribble\":0,\"slow\":0}");
    if (rates[0] != '\0')
        post_faults(chaos, rates);
}

static void
set_cut(struct chaos *chaos, double strength)
{
    char memory[BODY_MAX];
    struct buffer rates;
    buffer_init(&rates, memory, sizeof memory);
    buffer_printf(&rates, "{\"connection_reset\":%.4f,\"cut\":%.4f,\"reset_after\":%.4f}",
                  strength / 16, strength / 8, strength / 8);
    set_faults(chaos, buffer_text(&rates));
}

static void
set_errors(struct chaos *chaos, double strength)
{
    char memory[BODY_MAX];
    struct buffer rates;
    buffer_init(&rates, memory, sizeof memory);
    buffer_printf(&rates, "{\"5xx\":%.4f,\"throttle\":%.4f,\"pair\":%.4f}", strength, strength / 64,
                  strength / 16);
    set_faults(chaos, buffer_text(&rates));
}

static void
set_dribble(struct chaos *chaos, double strength)
{
    char memory[BODY_MAX];
    struct buffer rates;
    buffer_init(&rates, memory, sizeof memory);
    buffer_printf(&rates, "{\"dribble\":%.4f,\"goaway\":%.4f,\"refused\":%.4f}", strength,
                  strength / 16, strength / 2);
    set_faults(chaos, buffer_text(&rates));
}

/* ---- instants ------------------------------------------------------------------------------- */

static bool
something_is_granted(struct chaos *chaos)
{
    uint64_t granted;
    return chaos_house_granted(&chaos->house, &granted) && granted > 0;
}

/* Work of the living: the emulator has accepted half of what was written for this fault, and
 * something is granted. (What is granted alone may be the dead's.) */
static void
await_work(struct chaos *chaos)
{
    uint64_t end_us = clock_monotonic_us() + WORK_WAIT_MAX_MS * 1000;
    uint64_t share = chaos->options.messages / (chaos->options.kills + 1);
    uint64_t wanted = chaos->accepted + share / 2;
    while (!chaos->failed && clock_monotonic_us() < end_us &&
           (chaos->accepted < wanted || !something_is_granted(chaos)))
        chaos_turn(chaos);
}

/* Asks as fast as it can: that instant is shorter than a turn. */
static void
await_only_claimed(struct chaos *chaos)
{
    uint64_t end_us = clock_monotonic_us() + INSTANT_WAIT_MAX_MS * 1000;
    uint64_t claims = 0;
    while (!chaos->failed && clock_monotonic_us() < end_us) {
        chaos_turn(chaos);
        for (uint32_t i = 0; i < 100; i++)
            if (!chaos_house_only_claimed(&chaos->house, &claims) || claims > 0)
                break;
        if (claims > 0)
            return;
    }
}

/* A sender that runs: the plan's, or the next one. Waits for one if need be. */
static struct chaos_child *
await_sender(struct chaos *chaos, uint32_t *number)
{
    uint64_t end_us = clock_monotonic_us() + TARGET_WAIT_MAX_MS * 1000;
    struct chaos_house *house = &chaos->house;
    for (;;) {
        for (uint32_t i = 0; i < house->sender_count; i++, (*number)++) {
            *number %= house->sender_count;
            if (chaos_child_runs(&house->senders[*number]))
                return &house->senders[*number];
        }
        if (chaos->failed || clock_monotonic_us() > end_us)
            return NULL;
        chaos_turn(chaos);
    }
}

static bool
await_child(struct chaos *chaos, const struct chaos_child *child)
{
    uint64_t end_us = clock_monotonic_us() + TARGET_WAIT_MAX_MS * 1000;
    while (!chaos_child_runs(child) && !chaos->failed && clock_monotonic_us() < end_us)
        chaos_turn(chaos);
    return chaos_child_runs(child);
}

static bool
await_redis(struct chaos *chaos)
{
    uint64_t end_us = clock_monotonic_us() + TARGET_WAIT_MAX_MS * 1000;
    while (!chaos_house_has_redis(&chaos->house) && !chaos->failed && clock_monotonic_us() < end_us)
        chaos_turn(chaos);
    return chaos_child_runs(&chaos_house_master(&chaos->house)->child);
}

/* ---- the faults ----------------------------------------------------------------------------- */

/* What may be without an answer when the Graph API falls silent for longer than a time-out. */
static uint64_t
wire_of_all(const struct chaos *chaos)
{
    return (uint64_t)chaos->house.sender_count * CHAOS_WORKERS * CHAOS_CONNECTIONS * CHAOS_STREAMS *
           BLACK_HOLE_ROUNDS;
}

static void
kill_sender(struct chaos *chaos, uint32_t number, uint64_t away_ms)
{
    chaos_child_kill(&chaos->house.senders[number]);
    chaos->samples_due++;
    undo_later(chaos, CHAOS_START_SENDER, number, away_ms);
}

static void
kill_claimed(struct chaos *chaos, const struct chaos_fault *fault, uint32_t number)
{
    uint64_t claims = 0;
    await_only_claimed(chaos);
    kill_sender(chaos, number, fault->length_ms);
    if (chaos_house_only_claimed(&chaos->house, &claims))
        chaos->tally.hits[fault->kind] += claims > 0;
}

/* Accepted and never answered, until the sender is dead. */
static void
kill_sent(struct chaos *chaos, const struct chaos_fault *fault, uint32_t number)
{
    if (!await_child(chaos, &chaos->house.emulator))
        return;
    set_faults(chaos, "{\"black_hole\":1}");
    chaos_wait(chaos, ON_THE_WIRE_MS);
    chaos->tally.hits[fault->kind] += something_is_granted(chaos);
    kill_sender(chaos, number, fault->length_ms);
    undo_later(chaos, CHAOS_STOP_FAULTS, 0, 0);
}

/* What it sent lies in the emulator's sockets until others have found the sender dead. */
static void
kill_unread(struct chaos *chaos, const struct chaos_fault *fault, uint32_t number)
{
    if (!await_child(chaos, &chaos->house.emulator))
        return;
    chaos_child_stop(&chaos->house.emulator);
    chaos_wait(chaos, ON_THE_WIRE_MS);
    chaos->tally.hits[fault->kind] += something_is_granted(chaos);
    kill_sender(chaos, number, fault->delay_ms);
    chaos->tally.unanswered += wire_of_all(chaos);
    undo_later(chaos, CHAOS_CONTINUE_EMULATOR, 0, fault->length_ms);
}

/* Redis reads what the dead one had sent to it: perhaps a whole settle, perhaps half of one. */
static void
kill_settling(struct chaos *chaos, const struct chaos_fault *fault, uint32_t number)
{
    if (!await_redis(chaos))
        return;
    bool granted = something_is_granted(chaos);
    chaos_child_stop(&chaos_house_master(&chaos->house)->child);
    chaos_wait(chaos, ANSWERED_MS);
    chaos->tally.hits[fault->kind] += granted;
    kill_sender(chaos, number, fault->length_ms);
    undo_later(chaos, CHAOS_CONTINUE_REDIS, 0, SHORTLY_MS);
}

/* Everything that was confirmed since then may be forgotten. */
static void
risk(struct chaos *chaos, uint64_t since_us)
{
    uint64_t from_us = since_us - SLACK_MS * 1000;
    chaos->tally.writes_at_risk +=
        chaos_producer_written(chaos->producer) - chaos_history_at(&chaos->written, from_us);
    chaos->tally.accepted_at_risk += chaos->accepted + (uint64_t)SLACK_ACCEPTED -
                                     chaos_history_at(&chaos->accepted_then, from_us);
}

static void
kill_redis(struct chaos *chaos, const struct chaos_fault *fault)
{
    struct chaos_redis *master = chaos_house_master(&chaos->house);
    chaos_write_now(chaos);
    if (strcmp(chaos->options.aof, "always") == 0) {
        chaos_child_kill(&master->child);
        return;
    }
    uint64_t since_us = clock_monotonic_us() - fault->forgotten_ms * 1000;
    risk(chaos, since_us);
    chaos_redis_cut_power(master, since_us);
}

static void
kill_all(struct chaos *chaos, const struct chaos_fault *fault)
{
    struct chaos_house *house = &chaos->house;
    kill_redis(chaos, fault);
    for (uint32_t i = 0; i < house->sender_count; i++) {
        chaos_child_kill(&house->senders[i]);
        undo_later(chaos, CHAOS_START_SENDER, i, fault->length_ms + (i + 1) * fault->delay_ms);
    }
    chaos->samples_due++;
    undo_later(chaos, CHAOS_START_REDIS, 0, fault->length_ms);
}

/* Its replica is behind by as much as was said after it had heard the last. */
static void
fail_over(struct chaos *chaos, const struct chaos_fault *fault)
{
    struct chaos_house *house = &chaos->house;
    uint64_t end_us = clock_monotonic_us() + TARGET_WAIT_MAX_MS * 1000;
    uint64_t since_us = clock_monotonic_us();
    bool good = false;
    while (!chaos->failed && since_us < end_us && !(good = chaos_house_has_replica(house))) {
        chaos_wait(chaos, SHORTLY_MS);
        since_us = clock_monotonic_us();
    }
    if (chaos->failed)
        return;
    good = good && chaos_house_cut_off_replica(house);
    chaos_wait(chaos, fault->length_ms);
    chaos_write_now(chaos);
    risk(chaos, since_us);
    good = good && chaos_house_promote_replica(house);
    if (!good) {
        chaos_trouble(chaos, "failover: %s", house->error.text);
        return;
    }
    chaos->samples_due++;
    undo_later(chaos, CHAOS_START_REPLICA, 0, fault->delay_ms);
}

static void
hit_sender(struct chaos *chaos, const struct chaos_fault *fault)
{
    uint32_t number = fault->sender;
    struct chaos_child *sender = await_sender(chaos, &number);
    if (sender == NULL)
        return;
    if (fault->kind == CHAOS_KILL_SENDER) {
        kill_sender(chaos, number, fault->length_ms);
    } else if (fault->kind == CHAOS_KILL_CLAIMED) {
        kill_claimed(chaos, fault, number);
    } else if (fault->kind == CHAOS_KILL_SENT) {
        kill_sent(chaos, fault, number);
    } else if (fault->kind == CHAOS_KILL_UNREAD) {
        kill_unread(chaos, fault, number);
    } else if (fault->kind == CHAOS_KILL_SETTLING) {
        kill_settling(chaos, fault, number);
    } else {
        chaos_child_stop(sender);
        chaos->samples_due++;
        undo_later(chaos, CHAOS_CONTINUE_SENDER, number, fault->length_ms);
    }
}

static void
hit_redis(struct chaos *chaos, const struct chaos_fault *fault)
{
    if (!await_redis(chaos))
        return;
    if (fault->kind == CHAOS_KILL_ALL) {
        kill_all(chaos, fault);
        return;
    }
    if (fault->kind == CHAOS_FAILOVER) {
        fail_over(chaos, fault);
        return;
    }
    chaos->samples_due++;
    if (fault->kind == CHAOS_RESTART_REDIS) {
        kill_redis(chaos, fault);
        undo_later(chaos, CHAOS_START_REDIS, 0, fault->length_ms);
    } else {
        chaos_child_stop(&chaos_house_master(&chaos->house)->child);
        undo_later(chaos, CHAOS_CONTINUE_REDIS, 0, fault->length_ms);
    }
}

static void
hit_emulator(struct chaos *chaos, const struct chaos_fault *fault)
{
    if (!await_child(chaos, &chaos->house.emulator))
        return;
    if (fault->kind == CHAOS_BLACK_HOLE) {
        chaos_child_stop(&chaos->house.emulator);
        chaos->tally.unanswered += wire_of_all(chaos);
        undo_later(chaos, CHAOS_CONTINUE_EMULATOR, 0, fault->length_ms);
        return;
    }
    if (fault->kind == CHAOS_CUT)
        set_cut(chaos, fault->strength);
    else if (fault->kind == CHAOS_ERRORS)
        set_errors(chaos, fault->strength);
    else
        set_dribble(chaos, fault->strength);
    undo_later(chaos, CHAOS_STOP_FAULTS, 0, fault->length_ms);
}

static void
hit(struct chaos *chaos, const struct chaos_fault *fault)
{
    switch (fault->kind) {
    case CHAOS_KILL_SENDER:
    case CHAOS_KILL_CLAIMED:
    case CHAOS_KILL_SENT:
    case CHAOS_KILL_UNREAD:
    case CHAOS_KILL_SETTLING:
    case CHAOS_STOP_SENDER:
    case CHAOS_DOZE_SENDER:
        hit_sender(chaos, fault);
        return;
    case CHAOS_RESTART_REDIS:
    case CHAOS_STOP_REDIS:
    case CHAOS_KILL_ALL:
    case CHAOS_FAILOVER:
        hit_redis(chaos, fault);
        return;
    case CHAOS_CUT:
    case CHAOS_BLACK_HOLE:
    case CHAOS_ERRORS:
    case CHAOS_DRIBBLE:
        hit_emulator(chaos, fault);
        return;
    case CHAOS_KIND_COUNT:
        break;
    }
    check(!"a kind");
}

void
chaos_fault_do(struct chaos *chaos, const struct chaos_fault *fault)
{
    if (!fault->at_once) {
        await_work(chaos);
        chaos_wait(chaos, fault->delay_ms);
    }
    if (chaos->failed)
        return;
    hit(chaos, fault);
    chaos->tally.faults[fault->kind]++;
}
