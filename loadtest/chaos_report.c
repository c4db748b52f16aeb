#include "loadtest/chaos_report.h"
#include "sender/base/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

enum { ACCEPTED_LEAST_PERCENT = 95, TEXT_SIZE = 4096, JSON_SIZE = 16384 };

static uint64_t
parked_most(const struct chaos *chaos)
{
    return chaos->tally.granted + chaos->tally.unanswered;
}

/* Redis may have forgotten what it had confirmed: then losses are counted, within bounds. */
static bool
may_forget(const struct chaos *chaos)
{
    return chaos->options.failover || strcmp(chaos->options.aof, "always") != 0;
}

/* Problems that the audit may find where Redis forgets: what nobody can remember. */
static bool
is_of_forgetting(enum audit_problem problem)
{
    return problem == AUDIT_LOST || problem == AUDIT_ACCEPTED_TWICE || problem == AUDIT_ID_TWICE ||
           problem == AUDIT_BILL_ONLY || problem == AUDIT_DIFFERENCE || problem == AUDIT_NO_WAMID;
}

static bool
audit_is_good(const struct chaos *chaos)
{
    for (uint32_t i = 0; i < AUDIT_PROBLEM_COUNT; i++) {
        bool forgiven = may_forget(chaos) && is_of_forgetting((enum audit_problem)i);
        if (chaos->report.problems[i] > 0 && !forgiven)
            return false;
    }
    return true;
}

static void
judge_books(const struct chaos *chaos, struct buffer *out)
{
    const struct audit_report *report = &chaos->report;
    if (report->difference != 0 && !may_forget(chaos))
        buffer_printf(out, "  the books differ by %" PRId64 " millionths\n", report->difference);
    if (report->exposure_billed != 0)
        buffer_printf(out,
                      "  exposure after all receipts: %" PRId64
                      " millionths are on the bill and not in the ledger\n",
                      report->exposure_billed);
    if (!audit_is_good(chaos))
        buffer_put_text(out, "  the audit says no, see above\n");
}

static void
judge_messages(const struct chaos *chaos, struct buffer *out)
{
    const struct audit_report *report = &chaos->report;
    const struct chaos_tally *tally = &chaos->tally;
    uint64_t least = chaos->options.messages * ACCEPTED_LEAST_PERCENT / 100;
    if (report->lost > tally->writes_at_risk)
        buffer_printf(out, "  lost: %" PRIu64 ", where at most %" PRIu64 " may be\n", report->lost,
                      tally->writes_at_risk);
    if (report->duplicates > tally->accepted_at_risk)
        buffer_printf(out, "  sent twice blindly: %" PRIu64 ", where at most %" PRIu64 " may be\n",
                      report->duplicates, tally->accepted_at_risk);
    if (report->possible_duplicates > 0 && chaos->options.uncertain != UNCERTAIN_RESEND &&
        !may_forget(chaos))
        buffer_printf(out, "  %" PRIu64 " flagged duplicates, though nothing is to be sent again\n",
                      report->possible_duplicates);
    if (report->parked > parked_most(chaos))
        buffer_printf(out,
                      "  parked: %" PRIu64 ", more than was granted at the faults: %" PRIu64 "\n",
                      report->parked, parked_most(chaos));
    if (report->outcomes[AUDIT_ACCEPTED] + report->lost < least)
        buffer_printf(out, "  accepted: %" PRIu64 ", less than 95 %%\n",
                      report->outcomes[AUDIT_ACCEPTED]);
}

void
chaos_judge(const struct chaos *chaos, struct buffer *out)
{
    judge_messages(chaos, out);
    judge_books(chaos, out);
    if (chaos->measures.timed_out)
        buffer_put_text(out, "  not everything had an outcome in time\n");
    for (uint64_t i = 0; i < chaos->tally.trouble_count && i < CHAOS_TROUBLES_MAX; i++)
        buffer_printf(out, "  %s\n", chaos->tally.troubles[i].text);
    if (chaos->tally.trouble_count > CHAOS_TROUBLES_MAX)
        buffer_printf(out, "  … and more such: %" PRIu64 " in all\n", chaos->tally.trouble_count);
}

static bool
has_instant(enum chaos_kind kind)
{
    return kind == CHAOS_KILL_CLAIMED || kind == CHAOS_KILL_SENT || kind == CHAOS_KILL_UNREAD ||
           kind == CHAOS_KILL_SETTLING;
}

static void
print_faults(const struct chaos *chaos)
{
    const struct chaos_tally *tally = &chaos->tally;
    printf("%" PRIu64 " faults in %.1f s, with %" PRIu64 " messages, %" PRIu64
           " senders, AOF %s, policy %s:\n",
           chaos->faults_done, chaos->seconds, chaos->options.messages, chaos->options.senders,
           chaos->options.aof, chaos->options.policy);
    for (uint32_t i = 0; i < CHAOS_KIND_COUNT; i++) {
        enum chaos_kind kind = (enum chaos_kind)i;
        if (tally->faults[i] == 0)
            continue;
        printf("  %-14s %6" PRIu64, chaos_kind_text(kind), tally->faults[i]);
        if (has_instant(kind))
            printf("   %" PRIu64 " of them hit that instant", tally->hits[i]);
        printf("\n");
    }
    printf("  granted at the faults in all %" PRIu64 ", without an answer at most %" PRIu64
           " more; writes repeated %" PRIu64 ", senders begun without Redis %" PRIu64 "\n",
           tally->granted, tally->unanswered, chaos_producer_repeated(chaos->producer),
           tally->restarts);
    if (may_forget(chaos))
        printf("  Redis may have forgotten at most %" PRIu64 " writes, and %" PRIu64
               " messages that were accepted\n",
               tally->writes_at_risk, tally->accepted_at_risk);
}

static void
print_receipts(const struct chaos *chaos)
{
    const struct chaos_receipts_tally *tally = chaos_receipts_tally(chaos->receipts);
    printf("receipts told: %" PRIu64 " of %" PRIu64 " accepted messages, %" PRIu64
           " of them during the faults\n",
           tally->told, tally->read, tally->early);
    printf("  %" PRIu64 " were known; of the others the member was", tally->known);
    const char *comma = " ";
    for (uint32_t i = 0; i < CHAOS_PLACE_COUNT; i++) {
        if (tally->settled[i] == 0)
            continue;
        printf("%s%s: %" PRIu64, comma, chaos_place_text((enum chaos_place)i), tally->settled[i]);
        comma = ", ";
    }
    printf("\n");
}

static void
put_receipts(struct buffer *json, const struct chaos_receipts_tally *tally)
{
    buffer_printf(json,
                  "\"receipts\":{\"told\":%" PRIu64 ",\"early\":%" PRIu64 ",\"known\":%" PRIu64,
                  tally->told, tally->early, tally->known);
    for (uint32_t i = 0; i < CHAOS_PLACE_COUNT; i++)
        buffer_printf(json, ",\"%s\":%" PRIu64, chaos_place_text((enum chaos_place)i),
                      tally->settled[i]);
    buffer_put_char(json, '}');
}

/* The object of facteur-load run, and before its end what is chaos' own. */
static void
print_json(const struct chaos *chaos)
{
    char memory[JSON_SIZE];
    struct buffer json;
    buffer_init(&json, memory, sizeof memory);
    load_report_json(&json, &chaos->report, &chaos->measures);
    json.size--;
    buffer_printf(&json, ",\"seed\":%" PRIu64 ",\"seconds\":%.1f,\"faults\":{", chaos->options.seed,
                  chaos->seconds);
    const char *comma = "";
    for (uint32_t i = 0; i < CHAOS_KIND_COUNT; i++) {
        if (chaos->tally.faults[i] == 0)
            continue;
        buffer_printf(&json, "%s\"%s\":%" PRIu64, comma, chaos_kind_text((enum chaos_kind)i),
                      chaos->tally.faults[i]);
        comma = ",";
    }
    buffer_printf(&json,
                  "},\"granted_at_faults\":%" PRIu64 ",\"unanswered_most\":%" PRIu64
                  ",\"writes_repeated\":%" PRIu64 ",\"restarts\":%" PRIu64 ",\"troubles\":%" PRIu64
                  ",\"writes_at_risk\":%" PRIu64 ",\"accepted_at_risk\":%" PRIu64 ",",
                  chaos->tally.granted, chaos->tally.unanswered,
                  chaos_producer_repeated(chaos->producer), chaos->tally.restarts,
                  chaos->tally.trouble_count, chaos->tally.writes_at_risk,
                  chaos->tally.accepted_at_risk);
    put_receipts(&json, chaos_receipts_tally(chaos->receipts));
    buffer_put_char(&json, '}');
    printf("%s\n", buffer_text(&json));
}

bool
chaos_report(const struct chaos *chaos)
{
    char memory[TEXT_SIZE];
    struct buffer broken;
    buffer_init(&broken, memory, sizeof memory);
    print_faults(chaos);
    print_receipts(chaos);
    load_report_print(stdout, &chaos->report, &chaos->measures);
    chaos_judge(chaos, &broken);
    if (broken.size > 0)
        printf("\npromises broken:\n%s", buffer_text(&broken));
    else if (may_forget(chaos))
        printf("\npromises kept: no more is lost or sent twice than Redis may have forgotten.\n");
    else
        printf("\npromises kept: nothing lost, nothing sent twice, the books agree.\n");
    if (chaos->options.json)
        print_json(chaos);
    return broken.size == 0;
}
