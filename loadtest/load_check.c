#include "loadtest/load_check.h"
#include "sender/base/check.h"

#include <stdio.h>
#include <string.h>

enum { TRIES_MAX = 8, PAUSE_US = 200000 };

void
load_check_init(struct load_check *check, const struct load_options *options,
                struct load_redis *redis, const struct load_templates *templates)
{
    memset(check, 0, sizeof *check);
    check->options = options;
    check->redis = redis;
    check->loop = redis->loop;
    load_options_generator(options, templates, &check->generator);
    check->audit = audit_open(&check->generator);
    load_events_init(&check->events, check->audit, &check->generator, options->accounts,
                     options->account_count);
    check->places = (struct load_places){.redis = redis,
                                         .audit = check->audit,
                                         .generator = &check->generator,
                                         .accounts = options->accounts,
                                         .account_count = options->account_count};
}

bool
load_check_open_bill(struct load_check *check, struct error_text *error)
{
    if (check->options->emulator == NULL)
        return true;
    if (!load_bill_open(&check->bill, check->loop, check->options->emulator,
                        check->options->ca_file, error))
        return false;
    check->bill.audit = check->audit;
    check->bill.accounts = check->options->accounts;
    check->bill.account_count = check->options->account_count;
    check->has_bill = true;
    return true;
}

/* One look at everything. `*still`: nothing moved meanwhile. */
static bool
look(struct load_check *check, bool *still, struct error_text *error)
{
    uint64_t before = 0;
    uint64_t after = 0;
    bool good =
        load_places_fingerprint(&check->places, &before) && load_places_read(&check->places);
    if (good && !load_events_read(&check->events, check->redis, error))
        return false;
    if (good && check->has_bill && !load_bill_read(&check->bill, error))
        return false;
    good = good && load_places_fingerprint(&check->places, &after);
    if (!good)
        *error = check->places.error;
    *still = before == after;
    return good;
}

static void
pause_a_little(struct load_check *check)
{
    uint64_t until = loop_now_us(check->loop) + PAUSE_US;
    while (loop_now_us(check->loop) < until)
        loop_turn(check->loop, PAUSE_US);
}

/* Where events were trimmed, an accepted message of ours is named by nobody but by its id's key. */
static bool
bind_by_id(struct load_check *check, uint64_t n, struct error_text *error)
{
    struct generated_plan plan;
    generator_plan(&check->generator, n, &plan);
    char memory[KEYS_BASE_MAX + 64];
    struct buffer key;
    buffer_init(&key, memory, sizeof memory);
    buffer_printf(&key, "%s:id:", check->options->accounts[plan.account].account);
    generator_put_id(&check->generator, n, &key);
    const char *const parts[] = {"GET", buffer_text(&key), NULL};
    const struct reply *reply = load_redis_ask(check->redis, parts, error);
    struct audit_member member;
    if (reply != NULL && reply->type == REPLY_STRING &&
        audit_read_member(reply->text, plan.account, &member))
        audit_bind(check->audit, member, n);
    return reply != NULL;
}

static bool
bind_the_trimmed(struct load_check *check, struct error_text *error)
{
    for (uint64_t n = 0; check->events.missed > 0 && n < check->generator.messages; n++)
        if (!audit_member_of(check->audit, n).known && !bind_by_id(check, n, error))
            return false;
    return true;
}

bool
load_check_finish(struct load_check *check, struct audit_report *report,
                  struct load_measures *measures, struct error_text *error)
{
    bool still = false;
    for (uint32_t tries = 0; !still && tries < TRIES_MAX; tries++) {
        if (tries > 0)
            pause_a_little(check);
        if (!look(check, &still, error))
            return false;
    }
    if (!bind_the_trimmed(check, error))
        return false;
    measures->moving = !still;
    measures->missed = check->events.missed;
    measures->unreadable = check->events.unreadable + check->places.strange;
    measures->overdue = check->places.overdue;
    measures->currencies = check->places.currencies;
    (void)snprintf(measures->currency, sizeof measures->currency, "%s",
                   check->places.currency[0] != '\0' ? check->places.currency
                                                     : check->events.currency);
    struct audit_view view = {.events_whole = check->events.missed == 0,
                              .ours_whole = check->events.missed == check->missed_before,
                              .has_bill = check->has_bill};
    audit_finish(check->audit, &view, report);
    uint64_t outcomes = report->latency_ms.count;
    uint64_t elapsed_ms = report->last_ms - report->first_ms;
    measures->rate = outcomes == 0 ? 0 : (double)outcomes * 1000 / (double)(elapsed_ms + 1);
    return true;
}

void
load_check_close(struct load_check *check)
{
    if (check->has_bill)
        load_bill_close(&check->bill);
    audit_close(check->audit);
}
