#include "loadtest/chaos.h"
#include "loadtest/chaos_fault.h"
#include "loadtest/chaos_report.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

enum {
    TURN_US = 5000,
    TALLY_EVERY_US = 25 * 1000,
    RESTART_WAIT_US = 200 * 1000,
    DRAIN_SENDER_MS = 60 * 1000,
    DRAIN_LONG_MS = 20 * 1000,
    SHARES = 24, /* turns in which what belongs to one fault is written: faults meet writes, too */
    WRITES_NOW = 200, /* notifications */
    QUIET_LOOKS = 3,  /* in a row: something may be between two places that are counted */
};

void
chaos_trouble(struct chaos *chaos, const char *format, ...)
{
    uint64_t number = chaos->tally.trouble_count++;
    if (number >= CHAOS_TROUBLES_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(chaos->tally.troubles[number].text, sizeof chaos->tally.troubles[0].text,
                    format, arguments);
    va_end(arguments);
}

/* ---- what happens by itself ----------------------------------------------------------------- */

/* A supervisor's work: whoever ended is started again. Unless Redis was away it should not have. */
static void
look_after_sender(struct chaos *chaos, uint32_t number)
{
    enum { UNAVAILABLE = 69 };
    struct chaos_child *sender = &chaos->house.senders[number];
    if (!chaos_child_has_ended(sender))
        return;
    if (WIFEXITED(sender->status) && WEXITSTATUS(sender->status) == UNAVAILABLE) {
        chaos->tally.restarts++;
    } else {
        char memory[64];
        struct buffer status;
        buffer_init(&status, memory, sizeof memory);
        chaos_child_put_status(sender->status, &status);
        chaos_trouble(chaos, "a sender ended by itself: %s; see %s/sender-%u.log",
                      buffer_text(&status), chaos->house.folder, number);
    }
    chaos_fault_start_sender(chaos, number, RESTART_WAIT_US / 1000);
}

static void
look_after_children(struct chaos *chaos)
{
    for (uint32_t i = 0; i < chaos->house.sender_count; i++)
        look_after_sender(chaos, i);
    bool redis = false;
    for (uint32_t i = 0; i < CHAOS_REDIS_MAX; i++)
        redis = chaos_child_has_ended(&chaos->house.redis[i].child) || redis;
    if ((redis || chaos_child_has_ended(&chaos->house.emulator)) && !chaos->failed) {
        chaos->failed = true;
        error_set(&chaos->error, "%s ended by itself; see its log",
                  redis ? "redis-server" : "facteur-emulator");
    }
}

static void
look_for_signals(struct chaos *chaos)
{
    const struct timespec at_once = {0};
    if (sigtimedwait(&chaos->signals, NULL, &at_once) <= 0)
        return;
    chaos->failed = true;
    error_set(&chaos->error, "interrupted");
}

/* What a fault may have parked is what was granted when it came. */
static void
count_granted(struct chaos *chaos)
{
    uint64_t granted;
    if (chaos->samples_due == 0 || !chaos_house_granted(&chaos->house, &granted))
        return;
    chaos->tally.granted += chaos->samples_due * granted;
    chaos->samples_due = 0;
}

static uint64_t
number_after(struct span text, const char *mark)
{
    const char *at = memmem(text.data, text.size, mark, strlen(mark));
    const char *end = text.data + text.size;
    uint64_t number = 0;
    if (at == NULL)
        return 0;
    for (at += strlen(mark); at < end && *at >= '0' && *at <= '9'; at++)
        number = number * 10 + (uint64_t)(*at - '0');
    return number;
}

static void
show(struct chaos *chaos, uint64_t now_us)
{
    struct span tally;
    if (now_us - chaos->looked_us < TALLY_EVERY_US || !chaos_child_runs(&chaos->house.emulator))
        return;
    chaos->looked_us = now_us;
    if (!chaos_house_control(&chaos->house, "/emulator/tally", NULL, &tally))
        return;
    chaos->accepted = number_after(tally, "\"accepted\":");
    char memory[96];
    struct buffer note;
    buffer_init(&note, memory, sizeof memory);
    buffer_printf(&note, "accepted   faults: %llu of %llu", (unsigned long long)chaos->faults_done,
                  (unsigned long long)chaos->options.kills);
    progress_show(&chaos->progress, chaos->accepted, buffer_text(&note), now_us);
}

void
chaos_turn(struct chaos *chaos)
{
    struct chaos_redis *master = chaos_house_master(&chaos->house);
    loop_turn(chaos->loop, TURN_US);
    chaos_fault_undo(chaos, clock_monotonic_us());
    look_after_children(chaos);
    look_for_signals(chaos);
    if (chaos->failed)
        return;
    count_granted(chaos);
    bool there = chaos_house_has_redis(&chaos->house);
    uint64_t share = chaos->options.messages / (chaos->options.kills + 1) / SHARES + 1;
    chaos->goal_now +=
        chaos->goal - chaos->goal_now < share ? chaos->goal - chaos->goal_now : share;
    chaos_producer_turn(chaos->producer, there ? master->where : NULL, chaos->goal_now);
    uint64_t now_us = clock_monotonic_us();
    chaos_receipts_turn(chaos->receipts, now_us);
    show(chaos, now_us);
    chaos_redis_note(master, now_us);
    chaos_history_note(&chaos->written, now_us, chaos_producer_written(chaos->producer));
    chaos_history_note(&chaos->accepted_then, now_us, chaos->accepted);
}

void
chaos_write_now(struct chaos *chaos)
{
    uint64_t left = chaos->options.messages - chaos->goal_now;
    chaos->goal_now += left < WRITES_NOW ? left : WRITES_NOW;
    if (chaos->goal < chaos->goal_now)
        chaos->goal = chaos->goal_now;
    chaos_producer_turn(chaos->producer, NULL, chaos->goal_now);
    loop_turn(chaos->loop, 0);
}

void
chaos_wait(struct chaos *chaos, uint64_t wait_ms)
{
    uint64_t end_us = clock_monotonic_us() + wait_ms * 1000;
    while (!chaos->failed && clock_monotonic_us() < end_us)
        chaos_turn(chaos);
}

/* ---- the story ------------------------------------------------------------------------------ */

static void
put_addresses(struct chaos *chaos)
{
    chaos->options.redis = chaos->house.places;
    chaos->options.emulator = chaos->house.url;
    chaos->options.ca_file = chaos->house.ca_file;
    (void)snprintf(chaos->title, sizeof chaos->title, "chaos, seed %llu",
                   (unsigned long long)chaos->options.seed);
    chaos->measures.title = chaos->title;
    chaos->measures.sender_us = chaos->measures.redis_us = chaos->measures.emulator_us = -1;
}

static bool
open_all(struct chaos *chaos)
{
    static const char *const templates[] = {"delivery_confirmation", "event_ticket", NULL};
    struct loop_settings settings = {.operations_max = 8 * LINK_OPERATIONS, .timers_max = 16};
    if (!load_templates_read(&chaos->templates, chaos->options.templates, templates, &chaos->error))
        return false;
    chaos->loop = loop_open(&settings, &chaos->error);
    if (chaos->loop == NULL)
        return false;
    if (!chaos_house_open(&chaos->house, chaos->loop, &chaos->options)) {
        chaos->error = chaos->house.error;
        return false;
    }
    put_addresses(chaos);
    load_check_init(&chaos->check, &chaos->options, &chaos->house.link, &chaos->templates);
    struct chaos_producer_settings producer = {.options = &chaos->options,
                                               .generator = &chaos->check.generator,
                                               .loop = chaos->loop,
                                               .audit = chaos->check.audit};
    chaos->producer = chaos_producer_open(&producer);
    chaos->receipts = chaos_receipts_open(&chaos->house, chaos->options.early);
    return true;
}

static void
close_all(struct chaos *chaos, bool keep)
{
    chaos_producer_close(chaos->producer);
    chaos_receipts_close(chaos->receipts);
    if (chaos->producer != NULL)
        load_check_close(&chaos->check);
    if (chaos->loop != NULL) {
        chaos_house_close(&chaos->house, keep);
        loop_close(chaos->loop);
    }
}

/* Between two faults the producer writes its share, so that each fault meets work. */
static void
work(struct chaos *chaos)
{
    const struct load_options *options = &chaos->options;
    while (chaos->faults_done < options->kills && !chaos->failed) {
        struct chaos_fault fault;
        chaos_plan_fault(&chaos->plan, chaos->faults_done, &fault);
        uint64_t goal = options->messages * (chaos->faults_done + 1) / (options->kills + 1);
        chaos->goal = goal > chaos->goal ? goal : chaos->goal;
        chaos_fault_do(chaos, &fault);
        chaos->faults_done++;
    }
    chaos->goal = options->messages;
}

static bool
is_over(const struct chaos *chaos, uint64_t end_us)
{
    return chaos->failed || clock_monotonic_us() > end_us;
}

/* Until everything is written, and every fault is undone. */
static void
finish_faults(struct chaos *chaos, uint64_t end_us)
{
    chaos->draining = true;
    while (!is_over(chaos, end_us) &&
           (!chaos_fault_is_over(chaos) ||
            chaos_producer_written(chaos->producer) < chaos->options.messages))
        chaos_turn(chaos);
}

/* Until nothing waits or is under way any more. With a policy that does something about what is
 * uncertain, that is waited for, too. */
static void
await_quiet(struct chaos *chaos, uint64_t end_us)
{
    uint32_t quiet = 0;
    bool parks = chaos->options.uncertain == UNCERTAIN_PARK;
    while (!is_over(chaos, end_us) && quiet < QUIET_LOOKS) {
        quiet = chaos_house_is_quiet(&chaos->house, !parks) ? quiet + 1 : 0;
        chaos_wait(chaos, 50);
    }
    chaos->measures.timed_out = quiet < QUIET_LOOKS;
}

static void
play_receipts(struct chaos *chaos, uint64_t end_us)
{
    if (!chaos_receipts_begin_all(chaos->receipts)) {
        chaos->failed = true;
        chaos->error = chaos->house.error;
    }
    while (!is_over(chaos, end_us) && !chaos_receipts_are_told(chaos->receipts) &&
           chaos_receipts_refusal(chaos->receipts)[0] == '\0')
        chaos_turn(chaos);
    chaos->measures.receipts_in = chaos_receipts_are_told(chaos->receipts);
    if (!chaos->measures.receipts_in)
        chaos_trouble(chaos, "not all receipts were told: %s",
                      chaos_receipts_refusal(chaos->receipts));
}

static void
drain(struct chaos *chaos)
{
    uint64_t end_us = clock_monotonic_us() + chaos->options.timeout_s * 1000000;
    finish_faults(chaos, end_us);
    await_quiet(chaos, end_us);
    play_receipts(chaos, clock_monotonic_us() + chaos->options.timeout_s * 1000000);
    if (!chaos->measures.timed_out)
        await_quiet(chaos, clock_monotonic_us() + chaos->options.timeout_s * 1000000);
}

/* What is asked to end must have settled everything and said goodbye. */
static void
end_senders(struct chaos *chaos)
{
    for (uint32_t i = 0; i < chaos->house.sender_count; i++) {
        uint64_t begun_us = clock_monotonic_us();
        if (!chaos_child_end(&chaos->house.senders[i], DRAIN_SENDER_MS))
            chaos_trouble(chaos, "a sender did not end well when asked to; see %s/sender-%u.log",
                          chaos->house.folder, i);
        uint64_t took_ms = (clock_monotonic_us() - begun_us) / 1000;
        if (took_ms > DRAIN_LONG_MS)
            chaos_trouble(chaos,
                          "a sender took %llu ms to end, with nothing to do; see %s/sender-%u.log",
                          (unsigned long long)took_ms, chaos->house.folder, i);
    }
}

/* The emulator's faults that left a request without an answer of Graph's; one that breaks a
 * connection leaves all of its streams so. */
static bool
count_unanswered(struct chaos *chaos)
{
    static const struct {
        const char *name;
        uint64_t requests;
    } faults[] = {{"\"5xx_html\":", 1},
                  {"\"5xx_lost\":", 1},
                  {"\"reset_after\":", 1},
                  {"\"black_hole\":", 1},
                  {"\"connection_reset\":", CHAOS_STREAMS},
                  {"\"cut\":", CHAOS_STREAMS}};
    struct span tally;
    if (!chaos_house_control(&chaos->house, "/emulator/tally", NULL, &tally)) {
        chaos->error = chaos->house.error;
        return false;
    }
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        chaos->tally.unanswered += number_after(tally, faults[i].name) * faults[i].requests;
    return true;
}

static bool
audit_all(struct chaos *chaos)
{
    if (!chaos_house_has_redis(&chaos->house)) {
        chaos->error = chaos->house.error;
        return false;
    }
    return load_check_open_bill(&chaos->check, &chaos->error) &&
           load_check_finish(&chaos->check, &chaos->report, &chaos->measures, &chaos->error);
}

static bool
go_through(struct chaos *chaos)
{
    uint64_t begun_us = clock_monotonic_us();
    progress_begin(&chaos->progress,
                   chaos->options.live ? PROGRESS_LINES : progress_style_here(chaos->options.quiet),
                   "chaos", chaos->options.messages, begun_us);
    chaos_history_note(&chaos->written, begun_us, 0);
    chaos_history_note(&chaos->accepted_then, begun_us, 0);
    work(chaos);
    drain(chaos);
    progress_end(&chaos->progress, chaos->accepted, "accepted", clock_monotonic_us());
    chaos->seconds = (double)(clock_monotonic_us() - begun_us) / 1e6;
    if (chaos->failed)
        return false;
    end_senders(chaos);
    return count_unanswered(chaos) && audit_all(chaos);
}

static int
run(struct chaos *chaos)
{
    if (open_all(chaos) && go_through(chaos))
        return chaos_report(chaos) ? LOAD_EXIT_GOOD : LOAD_EXIT_NO;
    (void)fprintf(stderr, "facteur-load: %s\n", chaos->error.text);
    return LOAD_EXIT_UNAVAILABLE;
}

int
chaos_run(const struct load_options *options)
{
    struct chaos *chaos = check_alloc(1, sizeof *chaos);
    chaos->options = *options;
    chaos->plan = (struct chaos_plan){.seed = options->seed,
                                      .kinds = options->fault_kinds,
                                      .senders = (uint32_t)options->senders,
                                      .lease_ms = CHAOS_LEASE_MS,
                                      .request_timeout_ms = CHAOS_REQUEST_TIMEOUT_MS};
    sigemptyset(&chaos->signals);
    sigaddset(&chaos->signals, SIGINT);
    sigaddset(&chaos->signals, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &chaos->signals, NULL);
    int code = run(chaos);
    bool keep = options->keep || code != LOAD_EXIT_GOOD;
    if (keep && chaos->house.folder[0] != '\0')
        (void)fprintf(stderr, "seed %llu; logs and Redis' files: %s\n",
                      (unsigned long long)options->seed, chaos->house.folder);
    close_all(chaos, keep);
    free(chaos);
    return code;
}
