#include "tests/simulation/audit.h"

#include "sender/base/check.h"
#include "sender/base/json.h"
#include "tests/simulation/audit_bill.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 96 };

static const struct reply *
ask(struct run *run, uint32_t account, const char *command, const char *name)
{
    char key[KEY_MAX];
    snprintf(key, sizeof(key), "%s:%s", notices_account(account), name);
    if (strcmp(command, "XRANGE") == 0)
        return redis_words(&run->redis, command, key, "-", "+", NULL);
    return redis_words(&run->redis, command, key, NULL);
}

static int64_t
count(struct run *run, uint32_t account, const char *command, const char *name)
{
    const struct reply *reply = ask(run, account, command, name);
    if (reply != NULL && reply->type == REPLY_INTEGER)
        return reply->integer;
    world_fault(&run->world, "%s of %s of account %u", command, name, account);
    return 0;
}

/* ---- quiet ------------------------------------------------------------------------------------
 */

static const struct {
    const char *command;
    const char *name;
} places[] = {
    {"XLEN", "queue"},
    {"XLEN", "urgent"},
    {"HLEN", "claims"},
    {"LLEN", "returned"},
    {"HLEN", "grants"},
    {"ZCARD", "later"},
    {"HLEN", "later:entries"},
    {"HLEN", "later:held"},
    {"ZCARD", "uncertain"},
    {"HLEN", "left"},
    {"HLEN", "uncertain:entries"},
};

bool
audit_is_quiet(struct run *run)
{
    if (!notices_are_written(&run->notices) || !redis_is_up(&run->redis))
        return false;
    for (uint32_t account = 0; account < run->notices.account_count; account++)
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
            if (count(run, account, places[i].command, places[i].name) != 0)
                return false;
    return true;
}

/* ---- workers ----------------------------------------------------------------------------------
 */

/* What a worker at rest has free. Faults are told if there is a world to tell them to. */
static bool
is_at_rest(struct world *world, const struct host *host, const struct worker *worker)
{
    bool good = true;
    const struct {
        const char *what;
        uint64_t is;
        uint64_t should;
    } beliefs[] = {
        {"free slots", worker->free_deliveries.count, DELIVERIES_MAX},
        {"free batches", worker->batches_free, BATCHES_MAX},
        {"free holds", worker->holds_free, HOLDS_MAX},
        {"free exchanges", worker->exchanges_free, channel_capacity(worker->channel)},
        {"exchanges under way", channel_active(worker->channel), 0},
        {"granted", worker->granted, 0},
    };
    for (size_t i = 0; i < sizeof(beliefs) / sizeof(beliefs[0]); i++) {
        if (beliefs[i].is == beliefs[i].should)
            continue;
        good = false;
        if (world != NULL)
            world_fault(world, "%s worker %u: %s are %" PRIu64 ", not %" PRIu64, host->name,
                        worker->number, beliefs[i].what, beliefs[i].is, beliefs[i].should);
    }
    return good;
}

static bool
are_at_rest(struct run *run, struct world *world)
{
    bool good = true;
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++) {
        const struct host *host = &run->house.hosts[i];
        for (uint32_t k = 0; k < HOST_WORKERS; k++)
            if (host->workers[k] != NULL && !is_at_rest(world, host, host->workers[k]))
                good = false;
    }
    return good;
}

/* The story of a run that does not end: what each account of a worker still holds. */
static void
tell_worker(const struct run *run, const struct host *host, const struct worker *worker)
{
    for (uint32_t i = 0; i < worker->account_count; i++) {
        const struct account *account = &worker->accounts[i];
        world_tell(&run->world, host->name,
                   "worker %u account %u: %u ready, %u sending, %u settling, claiming %d, settling "
                   "%d, granted %u of %u, room %u of %u, trouble \"%s\"",
                   worker->number, i, account->ready_count, account->sending.count,
                   account->settling.count, account->claiming, account->settling_now,
                   account->granted, worker->granted, channel_room(worker->channel),
                   channel_capacity(worker->channel), channel_trouble(worker->channel));
    }
}

void
audit_tell(const struct run *run)
{
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++)
        for (uint32_t k = 0; k < HOST_WORKERS; k++)
            if (run->house.hosts[i].workers[k] != NULL)
                tell_worker(run, &run->house.hosts[i], run->house.hosts[i].workers[k]);
}

/* The dead have been found, and those who live are known. */
static bool
are_listed(struct run *run)
{
    int64_t living = 0;
    for (uint32_t i = 0; i < HOUSE_HOSTS; i++)
        living += run->house.hosts[i].worker_count;
    const struct reply *listed = redis_words(&run->redis, "HLEN", "facteur:{acme}:workers", NULL);
    return listed != NULL && listed->integer == living;
}

bool
audit_is_at_rest(struct run *run)
{
    return are_at_rest(run, NULL) && are_listed(run);
}

void
audit_workers(struct run *run)
{
    (void)are_at_rest(run, &run->world);
}

/* ---- outcomes ---------------------------------------------------------------------------------
 */

static bool
is_final(struct span type)
{
    static const char *const finals[] = {"accepted", "refused", "duplicate", "expired",
                                         "failed",   "dead",    "dropped"};
    for (size_t i = 0; i < sizeof(finals) / sizeof(finals[0]); i++)
        if (span_equal(type, span_of(finals[i])))
            return true;
    return false;
}

static struct span
value_of(const struct json_object *object, const char *name)
{
    for (size_t i = 0; i < object->count; i++)
        if (span_equal(object->fields[i].name, span_of(name)))
            return object->fields[i].value;
    return (struct span){0};
}

static bool
ended_as(const struct notice *notice, const char *type)
{
    return strcmp(notice->last, type) == 0;
}

/* May lie in dead: what can be mended. */
static bool
ended_in_dead(const struct notice *notice)
{
    return ended_as(notice, "dead") || ended_as(notice, "refused") || ended_as(notice, "failed");
}

/* A receipt may come for what was given up already: then it was sent all the same. */
static bool
is_late_proof(const struct notice *notice, struct span type)
{
    return span_equal(type, SPAN("accepted")) && ended_in_dead(notice);
}

static void
note_outcome(struct run *run, struct notice *notice, struct span type, bool flagged)
{
    world_tell(&run->world, "audit", "N-%u: %.*s%s", notice->number, SPAN_ARG(type),
               flagged ? ", possible duplicate" : "");
    if (span_equal(type, SPAN("corrected"))) {
        notice->corrected++;
        notice->flagged += flagged ? 1 : 0;
        return;
    }
    if (!is_final(type))
        return;
    if (is_late_proof(notice, type))
        notice->resurrected++;
    notice->ended++;
    snprintf(notice->last, sizeof(notice->last), "%.*s", SPAN_ARG(type));
    if (span_equal(type, SPAN("accepted"))) {
        notice->accepted++;
        notice->flagged += flagged ? 1 : 0;
    }
}

static void
read_outcome(struct run *run, uint32_t account, struct span line, struct audit_bill *bill)
{
    static char memory[64 * 1024];
    struct field fields[48];
    struct json_object object = {.fields = fields, .capacity = 48};
    check(line.size < sizeof(memory));
    memcpy(memory, line.data, line.size);
    if (json_read_flat((struct span){memory, line.size}, &object, NULL) != JSON_OK) {
        world_fault(&run->world, "an outcome that is no JSON: %.*s", SPAN_ARG(line));
        return;
    }
    struct notice *notice = notices_find(&run->notices, account, value_of(&object, "entry"));
    struct span type = value_of(&object, "type");
    if (span_equal(type, SPAN("stopped")))
        return; /* of the account */
    if (notice == NULL) {
        world_fault(&run->world, "an outcome of nobody's: %.*s", SPAN_ARG(line));
        return;
    }
    if (span_equal(type, SPAN("accepted")) || span_equal(type, SPAN("corrected")))
        audit_bill_tell(bill, value_of(&object, "price"));
    note_outcome(run, notice, type,
                 span_equal(value_of(&object, "possible_duplicate"), SPAN("true")));
}

static void
read_events(struct run *run, uint32_t account, struct audit_bill *bill)
{
    const struct reply *events = ask(run, account, "XRANGE", "events");
    for (size_t i = 0; events != NULL && i < events->count; i++) {
        const struct reply *fields = reply_at(events->elements[i], 1);
        for (size_t k = 0; fields != NULL && k + 1 < fields->count; k += 2) {
            if (!reply_is_text(fields->elements[k], "outcomes"))
                continue;
            struct span rest = fields->elements[k + 1]->text;
            while (rest.data != NULL) {
                struct span line = span_split(&rest, '\n');
                if (line.size > 0)
                    read_outcome(run, account, line, bill);
            }
        }
    }
}

/* What lies in dead: parked (nothing was told of it), or with its outcome. */
static void
read_dead(struct run *run, uint32_t account)
{
    const struct reply *dead = ask(run, account, "XRANGE", "dead");
    for (size_t i = 0; dead != NULL && i < dead->count; i++) {
        const struct reply *fields = reply_at(dead->elements[i], 1);
        struct span entry = {0};
        struct span type = {0};
        for (size_t k = 0; fields != NULL && k + 1 < fields->count; k += 2) {
            if (reply_is_text(fields->elements[k], "entry"))
                entry = fields->elements[k + 1]->text;
            if (reply_is_text(fields->elements[k], "type"))
                type = fields->elements[k + 1]->text;
        }
        struct notice *notice = notices_find(&run->notices, account, entry);
        if (notice == NULL || notice->dead) {
            world_fault(&run->world, "in dead: %.*s, %s", SPAN_ARG(entry),
                        notice == NULL ? "which is nobody's" : "twice");
            continue;
        }
        notice->dead = true;
        world_tell(&run->world, "audit", "N-%u lies in dead: %.*s", notice->number, SPAN_ARG(type));
        if (!span_equal(type, SPAN("uncertain")))
            continue;
        notice->ended++; /* parked: its end is that it waits for a person */
        snprintf(notice->last, sizeof(notice->last), "parked");
    }
}

/* ---- notices ----------------------------------------------------------------------------------
 */

static void
audit_kind(struct run *run, const struct notice *notice, uint32_t accepted)
{
    bool may_be_sent = true;
    switch (notice->kind) {
    case NOTICE_BAD:
    case NOTICE_OFFER:
    case NOTICE_OPTED_OUT:
        may_be_sent = false;
        if (!ended_as(notice, "refused"))
            world_fault(&run->world, "N-%u (%s) ended as %s", notice->number,
                        notice_kind_text(notice->kind), notice->last);
        break;
    case NOTICE_EXPIRED:
        may_be_sent = false;
        if (!ended_as(notice, "expired"))
            world_fault(&run->world, "N-%u (expired) ended as %s", notice->number, notice->last);
        break;
    case NOTICE_PLAIN:
    case NOTICE_CODE:
    case NOTICE_LATER:
        if (ended_as(notice, "refused") || ended_as(notice, "duplicate") ||
            ended_as(notice, "expired"))
            world_fault(&run->world, "N-%u (%s) ended as %s", notice->number,
                        notice_kind_text(notice->kind), notice->last);
        break;
    case NOTICE_SHORT:
    case NOTICE_SAME_ID:
    case NOTICE_KINDS:
        break;
    }
    if (!may_be_sent && accepted > 0)
        world_fault(&run->world, "N-%u (%s) was sent", notice->number,
                    notice_kind_text(notice->kind));
}

/* Redis forgot that it was granted, and the worker that knew was gone before it could say so. */
static bool
is_excused(const struct run *run, const struct notice *notice)
{
    const struct truth *truth = &run->graph.truth;
    for (uint32_t i = 0; i < truth->count; i++)
        if (truth->attempts[i].number == notice->number &&
            mishaps_excuse(&run->mishaps, truth->attempts[i].at_us))
            return true;
    return false;
}

static void
audit_notice(struct run *run, const struct notice *notice, struct run_result *result)
{
    struct world *world = &run->world;
    uint32_t accepted = truth_accepted(&run->graph.truth, notice->number);
    if (!notice->written) {
        world_fault(world, "N-%u was never written", notice->number);
        return;
    }
    if (notice->forgotten) {
        result->forgotten++;
        return;
    }
    if (accepted != notice->accepted + notice->corrected && is_excused(run, notice)) {
        result->doubled += accepted > 1 ? 1 : 0;
        return;
    }
    if (notice->answered) {
        if (accepted > 0 || notice->ended > 0)
            world_fault(world, "N-%u was refused when it was written, and went on", notice->number);
        return;
    }
    uint32_t ended = 1 + notice->requeued + notice->resurrected;
    /* Dead, requeued and accepted looks like dead and proven. */
    uint32_t had = notice->ended + notice->purged;
    if (had > ended || had < 1 + notice->requeued)
        world_fault(world, "N-%u (%s, %s) has %u ends, not %u; the last is %s", notice->number,
                    notice_kind_text(notice->kind), notice->member, notice->ended, ended,
                    notice->ended > 0 ? notice->last : "none");
    /* What has had another outcome and left: its charge is told as a correction. */
    if (accepted > 0 && !ended_as(notice, "accepted") && notice->corrected != accepted)
        world_fault(world, "N-%u was accepted by Meta and ended as %s", notice->number,
                    notice->last);
    if (accepted != notice->accepted + notice->corrected)
        world_fault(
            world, "N-%u was accepted %u times by Meta, and told so %u times (%u corrected)",
            notice->number, accepted, notice->accepted + notice->corrected, notice->corrected);
    if (accepted > 1 && notice->flagged + 1 < accepted && !is_excused(run, notice))
        world_fault(world, "N-%u was sent %u times, and %u of them flagged", notice->number,
                    accepted, notice->flagged);
    uint32_t policy =
        notice->kind == NOTICE_CODE ? world->weather.code_policy : world->weather.policy;
    if (accepted > 1 && policy != POLICY_RESEND && world->weather.requeues == 0 &&
        !is_excused(run, notice))
        world_fault(world, "N-%u was sent %u times, though nobody asked for it", notice->number,
                    accepted);
    if (notice->dead && !ended_in_dead(notice) && !ended_as(notice, "parked"))
        world_fault(world, "N-%u lies in dead, and ended as %s", notice->number, notice->last);
    result->accepted += accepted;
    result->possible += accepted > 1 ? accepted - 1 : 0;
    audit_kind(run, notice, accepted);
}

/* Of those who share an id in an account at most one is sent. */
static void
audit_ids(struct run *run)
{
    const struct notices *notices = &run->notices;
    for (uint32_t i = 0; i < notices->count; i++) {
        const struct notice *one = &notices->notices[i];
        if (one->kind != NOTICE_SAME_ID || truth_accepted(&run->graph.truth, i) == 0)
            continue;
        for (uint32_t k = 0; k < i; k++) {
            const struct notice *other = &notices->notices[k];
            if (other->account == one->account && strcmp(other->id, one->id) == 0 &&
                truth_accepted(&run->graph.truth, k) > 0)
                world_fault(&run->world, "N-%u and N-%u share the id %s, and both were sent", k, i,
                            one->id);
        }
    }
}

/* What is exposed still is what Meta never took: of all else a receipt has told. */
static void
audit_exposed(struct run *run, uint32_t account)
{
    const struct reply *lines = ask(run, account, "HGETALL", "exposed");
    for (size_t i = 0; lines != NULL && i + 1 < lines->count; i += 2) {
        struct span token = lines->elements[i]->text;
        if (truth_knows(&run->graph.truth, token))
            world_fault(&run->world, "%.*s is exposed, though its receipt was told: %.*s",
                        SPAN_ARG(token), SPAN_ARG(lines->elements[i + 1]->text));
    }
}

static void
audit_left(struct run *run)
{
    for (uint32_t account = 0; account < run->notices.account_count; account++) {
        for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
            int64_t left = count(run, account, places[i].command, places[i].name);
            if (left != 0)
                world_fault(&run->world, "%lld left in %s of account %u", (long long)left,
                            places[i].name, account);
        }
        if (count(run, account, "HLEN", "proven") != 0)
            world_fault(&run->world, "a proven line is left of account %u", account);
        audit_exposed(run, account);
        if (count(run, account, "HLEN", "dead:members") != count(run, account, "XLEN", "dead"))
            world_fault(&run->world, "dead:members of account %u is not dead", account);
    }
    const struct reply *workers = redis_words(&run->redis, "HKEYS", "facteur:{acme}:workers", NULL);
    for (size_t i = 0; workers != NULL && i < workers->count; i++)
        world_fault(&run->world, "worker %.*s is left in the list",
                    SPAN_ARG(workers->elements[i]->text));
}

void
audit_run(struct run *run, struct run_result *result)
{
    struct audit_bill bill;
    audit_bill_open(&bill, run);
    for (uint32_t account = 0; account < run->notices.account_count; account++) {
        read_events(run, account, &bill);
        read_dead(run, account);
    }
    for (uint32_t i = 0; i < run->notices.count; i++)
        audit_notice(run, &run->notices.notices[i], result);
    audit_ids(run);
    audit_left(run);
    audit_bill_close(&bill);
}
