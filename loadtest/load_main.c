/*
 * facteur-load - generates, follows, audits, measures. The verbs' stories; the parts are elsewhere.
 */
#include "loadtest/chaos.h"
#include "loadtest/load_check.h"
#include "loadtest/load_fill.h"
#include "loadtest/load_follow.h"
#include "loadtest/load_process.h"
#include "loadtest/load_record.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TURN_US = 50000, JSON_MAX = 8192 };

static const char *const template_names[] = {"delivery_confirmation", "event_ticket", NULL};

struct load {
    struct load_options options;
    struct load_templates templates;
    struct loop *loop;
    struct load_redis redis;
    struct load_check check;
    struct load_follow follow;
    struct progress progress;
    struct audit_report report;
    struct load_measures measures;
    char title[256];
    struct error_text error;
};

static int
complain(const struct load *load, int code)
{
    (void)fprintf(stderr, "facteur-load: %s\n", load->error.text);
    return code;
}

static bool
open_all(struct load *load)
{
    struct loop_settings settings = {.operations_max = 8 * LINK_OPERATIONS, .timers_max = 16};
    load->loop = loop_open(&settings, &load->error);
    if (load->loop == NULL)
        return false;
    if (load_redis_open(&load->redis, load->loop, load->options.redis, &load->error))
        return true;
    loop_close(load->loop);
    return false;
}

static void
close_all(struct load *load)
{
    load_redis_close(&load->redis);
    loop_close(load->loop);
}

static void
put_title(struct load *load)
{
    struct buffer title;
    buffer_init(&title, load->title, sizeof load->title);
    for (uint32_t i = 0; i < load->options.account_count; i++)
        buffer_printf(&title, "%s%s/%s", i == 0 ? "" : ", ",
                      load->options.accounts[i].business_name,
                      load->options.accounts[i].account_name);
    buffer_printf(&title, ", seed %" PRIu64, load->options.seed);
    load->measures.title = buffer_text(&title);
}

static bool
read_templates(struct load *load)
{
    return load_templates_read(&load->templates, load->options.templates, template_names,
                               &load->error);
}

/* ---- measuring ------------------------------------------------------------------------------ */

struct cpu {
    uint64_t us[3]; /* sender, Redis, emulator */
    bool known[3];
};

static void
measure_cpu(const struct load_options *options, struct cpu *cpu)
{
    const uint64_t pids[3] = {options->sender_pid, options->redis_pid, options->emulator_pid};
    for (int i = 0; i < 3; i++)
        cpu->known[i] = pids[i] != 0 && load_process_cpu_us(pids[i], &cpu->us[i]);
}

/* `before` NULL: since those processes were started. */
static void
divide_cpu(struct load *load, const struct cpu *before, const struct cpu *after)
{
    double *out[3] = {&load->measures.sender_us, &load->measures.redis_us,
                      &load->measures.emulator_us};
    uint64_t messages = load->report.latency_ms.count;
    for (int i = 0; i < 3; i++) {
        *out[i] = -1;
        bool known = after->known[i] && (before == NULL || before->known[i]);
        if (known && messages > 0)
            *out[i] =
                (double)(after->us[i] - (before == NULL ? 0 : before->us[i])) / (double)messages;
    }
}

/* ---- fill ----------------------------------------------------------------------------------- */

static void
put_live_note(void *context, struct buffer *note)
{
    const struct load *load = context;
    const struct audit_live *live = audit_live(load->check.audit);
    buffer_put_text(note, "sent ");
    progress_put_count(note, live->accepted);
    buffer_put_text(note, "  refused ");
    progress_put_count(note, live->refused);
    if (live->other + live->parked > 0) {
        buffer_put_text(note, "  other ");
        progress_put_count(note, live->other + live->parked);
    }
    buffer_put_text(note, "  ");
    load_report_put_money(note, load->check.events.currency, (int64_t)live->money);
}

static bool
fill_streams(struct load *load, struct audit *audit, struct load_fill_result *result)
{
    struct generator generator;
    load_options_generator(&load->options, &load->templates, &generator);
    struct load_fill_settings settings = {.options = &load->options,
                                          .generator = &generator,
                                          .redis = &load->redis,
                                          .audit = audit,
                                          .progress = &load->progress,
                                          .put_note = audit == NULL ? NULL : put_live_note,
                                          .note_context = load};
    if (!load_record_write(&load->redis, &load->options, &load->error))
        return false;
    progress_begin(&load->progress, progress_style_here(load->options.quiet), "filling",
                   load->options.messages, clock_monotonic_us());
    if (!load_fill(&settings, result, &load->error))
        return false;
    progress_end(&load->progress, result->written, "", clock_monotonic_us());
    return true;
}

static int
verb_fill(struct load *load)
{
    struct load_fill_result result = {0};
    if (!read_templates(load))
        return complain(load, LOAD_EXIT_USAGE);
    if (!open_all(load))
        return complain(load, LOAD_EXIT_UNAVAILABLE);
    int code = LOAD_EXIT_GOOD;
    if (!load_record_choose(&load->redis, &load->options, &load->error))
        code = complain(load, load->redis.ended ? LOAD_EXIT_UNAVAILABLE : LOAD_EXIT_USAGE);
    else if (!fill_streams(load, NULL, &result))
        code = complain(load, LOAD_EXIT_UNAVAILABLE);
    close_all(load);
    if (code != LOAD_EXIT_GOOD)
        return code;
    double seconds = (double)(result.elapsed_us + 1) / 1e6;
    double rate = (double)result.written / seconds;
    if (load->options.json)
        printf("{\"messages\":%" PRIu64 ",\"entries\":%" PRIu64 ",\"seed\":%" PRIu64
               ",\"seconds\":%.3f,\"rate\":%.1f}\n",
               result.written, result.entries, load->options.seed, seconds, rate);
    else
        printf("wrote %" PRIu64 " notifications in %" PRIu64 " entries, seed %" PRIu64
               ": %.2f s, %.0f a second\n",
               result.written, result.entries, load->options.seed, seconds, rate);
    return code;
}

/* ---- audit ---------------------------------------------------------------------------------- */

static int
report(struct load *load)
{
    struct load_check *check = &load->check;
    if (load->options.show_refused > 0) {
        uint64_t wanted = load->options.show_refused;
        uint32_t count = check->events.refused_count;
        load_report_refused(stdout, &check->generator, check->events.refused,
                            wanted < count ? (uint32_t)wanted : count);
    }
    load_report_print(stdout, &load->report, &load->measures);
    if (load->options.json) {
        char memory[JSON_MAX];
        struct buffer json;
        buffer_init(&json, memory, sizeof memory);
        load_report_json(&json, &load->report, &load->measures);
        printf("%s\n", buffer_text(&json));
    }
    return load->report.good && !load->measures.timed_out ? LOAD_EXIT_GOOD : LOAD_EXIT_NO;
}

static int
audit_now(struct load *load)
{
    enum load_record found = load_record_read(&load->redis, &load->options, &load->error);
    if (found == LOAD_RECORD_LOST)
        return complain(load, LOAD_EXIT_UNAVAILABLE);
    if (found == LOAD_RECORD_UNLIKE)
        return complain(load, LOAD_EXIT_USAGE);
    if (found == LOAD_RECORD_NONE && !load_options_given(&load->options, "messages")) {
        error_set(&load->error,
                  "nothing was filled here with seed %" PRIu64
                  "; fill first, or say --messages and "
                  "the shares it was filled with",
                  load->options.seed);
        return complain(load, LOAD_EXIT_USAGE);
    }
    put_title(load);
    load_check_init(&load->check, &load->options, &load->redis, &load->templates);
    struct cpu cpu;
    bool good = load_check_open_bill(&load->check, &load->error) &&
                load_check_finish(&load->check, &load->report, &load->measures, &load->error);
    measure_cpu(&load->options, &cpu);
    divide_cpu(load, NULL, &cpu);
    int code = good ? report(load) : complain(load, LOAD_EXIT_UNAVAILABLE);
    load_check_close(&load->check);
    return code;
}

static int
verb_audit(struct load *load)
{
    if (load->options.show_refused > 0 && !read_templates(load))
        return complain(load, LOAD_EXIT_USAGE);
    if (!open_all(load))
        return complain(load, LOAD_EXIT_UNAVAILABLE);
    int code = audit_now(load);
    close_all(load);
    return code;
}

/* ---- run ------------------------------------------------------------------------------------ */

/* Until everything generated has an outcome or is parked. False: the events could not be followed.
 */
static bool
follow_to_the_end(struct load *load)
{
    uint64_t deadline = clock_monotonic_us() + load->options.timeout_s * 1000000;
    enum progress_style style = progress_style_here(load->options.quiet);
    if (load->options.live && style == PROGRESS_NONE)
        style = PROGRESS_LINES;
    uint64_t begun = audit_live(load->check.audit)->done;
    progress_begin(&load->progress, style, "sending", load->options.messages, clock_monotonic_us());
    load->progress.before = begun;
    char memory[160];
    struct buffer note;
    buffer_init(&note, memory, sizeof memory);
    while (audit_live(load->check.audit)->done < load->options.messages && !load->follow.failed) {
        loop_turn(load->loop, TURN_US);
        uint64_t now_us = clock_monotonic_us();
        buffer_reset(&note);
        put_live_note(load, &note);
        progress_show(&load->progress, audit_live(load->check.audit)->done, buffer_text(&note),
                      now_us);
        load->measures.timed_out = now_us > deadline;
        if (load->measures.timed_out)
            break;
    }
    buffer_reset(&note);
    put_live_note(load, &note);
    progress_end(&load->progress, audit_live(load->check.audit)->done, buffer_text(&note),
                 clock_monotonic_us());
    if (load->follow.failed)
        load->error = load->follow.error;
    return !load->follow.failed;
}

static bool
fill_and_follow(struct load *load)
{
    struct load_check *check = &load->check;
    struct load_fill_result result = {0};
    if (!load_check_open_bill(check, &load->error) ||
        !load_events_read(&check->events, &load->redis, &load->error))
        return false;
    check->missed_before = check->events.missed;
    if (!load_follow_start(&load->follow, load->loop, load->options.redis, &check->events,
                           &load->error))
        return false;
    bool good = fill_streams(load, check->audit, &result) && follow_to_the_end(load);
    load_follow_stop(&load->follow);
    return good;
}

static int
run_now(struct load *load)
{
    if (!load_record_choose(&load->redis, &load->options, &load->error))
        return complain(load, load->redis.ended ? LOAD_EXIT_UNAVAILABLE : LOAD_EXIT_USAGE);
    put_title(load);
    load_check_init(&load->check, &load->options, &load->redis, &load->templates);
    struct cpu before;
    struct cpu after;
    measure_cpu(&load->options, &before);
    bool good = fill_and_follow(load);
    measure_cpu(&load->options, &after);
    good = good && load_check_finish(&load->check, &load->report, &load->measures, &load->error);
    divide_cpu(load, &before, &after);
    int code = good ? report(load) : complain(load, LOAD_EXIT_UNAVAILABLE);
    load_check_close(&load->check);
    return code;
}

static int
verb_run(struct load *load)
{
    if (!read_templates(load))
        return complain(load, LOAD_EXIT_USAGE);
    if (!open_all(load))
        return complain(load, LOAD_EXIT_UNAVAILABLE);
    int code = run_now(load);
    close_all(load);
    return code;
}

int
main(int count, char **arguments)
{
    (void)signal(SIGPIPE, SIG_IGN);
    struct load *load = check_alloc(1, sizeof *load);
    int code = LOAD_EXIT_GOOD;
    switch (load_options_read(&load->options, count - 1, arguments + 1, &load->error)) {
    case LOAD_PARSE_HELP:
        break;
    case LOAD_PARSE_ERROR:
        code = complain(load, LOAD_EXIT_USAGE);
        break;
    case LOAD_PARSE_OK:
        code = load->options.verb == LOAD_FILL    ? verb_fill(load)
               : load->options.verb == LOAD_AUDIT ? verb_audit(load)
               : load->options.verb == LOAD_CHAOS ? chaos_run(&load->options)
                                                  : verb_run(load);
        break;
    }
    free(load);
    return code;
}
