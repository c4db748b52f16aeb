#include "loadtest/load_report.h"
#include "loadtest/progress.h"
#include "sender/base/json.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

enum { CELL_MAX = 64 };

void
load_report_put_money(struct buffer *out, const char *currency, int64_t millionths)
{
    uint64_t amount = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    if (currency[0] != '\0') {
        buffer_put_text(out, currency);
        buffer_put_char(out, ' ');
    }
    if (millionths < 0)
        buffer_put_char(out, '-');
    progress_put_count(out, amount / 1000000);
    if (amount % 100 == 0)
        buffer_printf(out, ".%04u", (unsigned)(amount % 1000000 / 100));
    else
        buffer_printf(out, ".%06u", (unsigned)(amount % 1000000));
}

/* ---- the table ------------------------------------------------------------------------------ */

static void
row(FILE *out, const char *name, uint64_t count, const char *note)
{
    char memory[CELL_MAX];
    struct buffer text;
    buffer_init(&text, memory, sizeof memory);
    progress_put_count(&text, count);
    (void)fprintf(out, "  %-22s %16s%s%s\n", name, buffer_text(&text), note[0] == '\0' ? "" : "   ",
                  note);
}

static void
row_if(FILE *out, const char *name, uint64_t count, const char *note)
{
    if (count > 0)
        row(out, name, count, note);
}

static void
money_row(FILE *out, const char *name, const char *currency, int64_t millionths, const char *note)
{
    char memory[CELL_MAX];
    struct buffer text;
    buffer_init(&text, memory, sizeof memory);
    load_report_put_money(&text, currency, millionths);
    (void)fprintf(out, "  %-22s %16s%s%s\n", name, buffer_text(&text), note[0] == '\0' ? "" : "   ",
                  note);
}

static void
print_places(FILE *out, const struct audit_report *report)
{
    char note[CELL_MAX];
    (void)snprintf(note, sizeof note, "%" PRIu64 " of them for what they say",
                   report->refused_by_policy);
    row(out, "generated", report->generated, "");
    row(out, "= accepted", report->outcomes[AUDIT_ACCEPTED], "");
    row(out, "+ refused", report->outcomes[AUDIT_REFUSED], note);
    row_if(out, "+ duplicate", report->outcomes[AUDIT_DUPLICATE], "");
    row_if(out, "+ expired", report->outcomes[AUDIT_EXPIRED], "");
    row_if(out, "+ failed", report->outcomes[AUDIT_FAILED], "Meta's side said no for good");
    row_if(out, "+ dead", report->outcomes[AUDIT_DEAD], "given up");
    row_if(out, "+ dropped", report->outcomes[AUDIT_DROPPED], "");
    row_if(out, "+ parked", report->parked, "uncertain: no answer came");
    row_if(out, "+ later", report->later, "scheduled, or waiting for a retry");
    row_if(out, "+ waiting", report->waiting, "");
    row_if(out, "+ claimed", report->claimed, "");
    row_if(out, "+ granted", report->granted, "");
    row_if(out, "+ untold", report->problems[AUDIT_UNTOLD], "nowhere, and events were trimmed");
    row(out, "+ lost", report->lost, "");
    row_if(out, "  duplicates", report->duplicates, "accepted twice, blindly");
    row_if(out, "  possible duplicates", report->possible_duplicates, "sent again knowingly");
    row_if(out, "  others' members", report->foreign, "not of this seed; their money counts");
}

static void
print_money(FILE *out, const struct audit_report *report, const struct load_measures *measures)
{
    const char *currency = measures->currency;
    (void)fprintf(out, "\n");
    if (report->view.has_bill)
        money_row(out, "bill", currency, report->bill, "what the emulator charges");
    money_row(out, report->view.has_bill ? "- ledger" : "ledger", currency, report->ledger,
              "what facteur booked");
    if (report->view.has_bill) {
        money_row(out, "- exposure, billed", currency, report->exposure_billed,
                  "uncertain here, accepted there");
        if (report->in_flight_billed != 0)
            money_row(out, "- in flight, billed", currency, report->in_flight_billed,
                      "granted, not settled yet");
        money_row(out, "= difference", currency, report->difference, "");
    }
    money_row(out, "  exposure, in all", currency, report->exposure,
              measures->receipts_in ? "as quoted; no receipt came, so it never arrived"
                                    : "as quoted, of all that is uncertain");
    if (measures->currencies)
        (void)fprintf(out, "  (several currencies: the sums add unlike things)\n");
}

static void
print_cpu(FILE *out, const char *who, double us)
{
    if (us >= 0)
        (void)fprintf(out, "  %-22s %13.2f us   of CPU a message\n", who, us);
}

static void
print_speed(FILE *out, const struct audit_report *report, const struct load_measures *measures)
{
    if (report->latency_ms.count == 0)
        return;
    (void)fprintf(out, "\n");
    row(out, "messages a second", (uint64_t)measures->rate, "from first to last outcome");
    (void)fprintf(out, "  %-22s %13" PRIu64 " ms   half of them within, since XADD\n",
                  "latency p50", histogram_at(&report->latency_ms, 0.50));
    (void)fprintf(out, "  %-22s %13" PRIu64 " ms   99 of 100\n", "latency p99",
                  histogram_at(&report->latency_ms, 0.99));
    print_cpu(out, "sender", measures->sender_us);
    print_cpu(out, "redis", measures->redis_us);
    print_cpu(out, "emulator", measures->emulator_us);
}

static void
print_example(FILE *out, const struct audit_example *example, uint64_t seed)
{
    if (example->n != AUDIT_UNKNOWN)
        (void)fprintf(out, "      %" PRIu64 "-%" PRIu64, seed, example->n);
    else
        (void)fprintf(out, "      -");
    if (example->member.known) {
        char memory[CELL_MAX];
        struct buffer name;
        buffer_init(&name, memory, sizeof memory);
        audit_put_member(&example->member, &name);
        (void)fprintf(out, "  %s", buffer_text(&name));
    }
    (void)fprintf(out, "  %s\n", example->detail);
}

static void
print_problems(FILE *out, const struct audit_report *report)
{
    for (uint32_t kind = 0; kind < AUDIT_PROBLEM_COUNT; kind++) {
        uint64_t count = report->problems[kind];
        if (count == 0)
            continue;
        (void)fprintf(out, "\n  NOT GOOD: %s (%" PRIu64 ")\n",
                      audit_problem_text((enum audit_problem)kind), count);
        for (uint64_t i = 0; i < count && i < AUDIT_EXAMPLES_MAX; i++)
            print_example(out, &report->examples[kind][i], report->seed);
    }
}

static void
print_notes(FILE *out, const struct audit_report *report, const struct load_measures *measures)
{
    if (measures->timed_out)
        (void)fprintf(out, "\n  Not everything had an outcome in time; more with --timeout, or is "
                           "the sender running?\n");
    if (measures->moving)
        (void)fprintf(out, "\n  The sender was at work while this was read, so some of it may be "
                           "a blur: audit again when it is idle.\n");
    if (measures->missed > 0)
        (void)fprintf(out,
                      "\n  %" PRIu64 " outcomes were trimmed from the events before they were read "
                      "(%" PRIu64
                      " known from elsewhere).\n  Follow them with facteur-load run, or "
                      "keep more (events_keep).\n",
                      measures->missed, report->trimmed);
    if (measures->overdue > 0)
        (void)fprintf(out,
                      "\n  %" PRIu64
                      " of the parked have waited for their receipt longer than they "
                      "should; a sender does what its policy says.\n",
                      measures->overdue);
    if (measures->unreadable > 0)
        (void)fprintf(out, "\n  %" PRIu64 " events or records are not as agreed.\n",
                      measures->unreadable);
    if (report->problems[AUDIT_DIFFERENCE] > 0)
        (void)fprintf(out, "\n  If the emulator was started anew, its bill forgot what it had "
                           "accepted: bill and ledger must be of one age.\n");
}

void
load_report_print(FILE *out, const struct audit_report *report,
                  const struct load_measures *measures)
{
    (void)fprintf(out, "\naudit of %s\n\n", measures->title);
    print_places(out, report);
    print_money(out, report, measures);
    print_speed(out, report, measures);
    print_problems(out, report);
    print_notes(out, report, measures);
    if (!report->good)
        (void)fprintf(out, "\nverdict: NO, the books do not close.\n");
    else if (measures->timed_out)
        (void)fprintf(out,
                      "\nverdict: NO, the time was over before everything had an outcome; what "
                      "there is does close.\n");
    else if (!report->view.has_bill)
        (void)fprintf(out, "\nverdict: good so far: every message is in exactly one place; name "
                           "--emulator to compare with its bill.\n");
    else
        (void)fprintf(out, "\nverdict: good: every message is in exactly one place, and the bill "
                           "closes to the last millionth.\n");
}

/* ---- JSON ----------------------------------------------------------------------------------- */

static void
put_u64(struct buffer *out, const char *name, uint64_t value)
{
    buffer_printf(out, "\"%s\":%" PRIu64 ",", name, value);
}

static void
put_i64(struct buffer *out, const char *name, int64_t value)
{
    buffer_printf(out, "\"%s\":%" PRId64 ",", name, value);
}

static void
put_bool(struct buffer *out, const char *name, bool value)
{
    buffer_printf(out, "\"%s\":%s,", name, value ? "true" : "false");
}

static void
put_measure(struct buffer *out, const char *name, double value)
{
    if (value < 0)
        buffer_printf(out, "\"%s\":null", name);
    else
        buffer_printf(out, "\"%s\":%.3f", name, value);
}

static void
put_contract(struct buffer *out, const struct audit_report *report,
             const struct load_measures *measures)
{
    put_u64(out, "messages", report->generated);
    put_u64(out, "accepted", report->outcomes[AUDIT_ACCEPTED]);
    put_u64(out, "refused", report->outcomes[AUDIT_REFUSED]);
    put_u64(out, "dead", report->outcomes[AUDIT_DEAD]);
    put_u64(out, "lost", report->lost);
    put_u64(out, "duplicates", report->duplicates);
    put_u64(out, "possible_duplicates", report->possible_duplicates);
    put_u64(out, "parked", report->parked);
    put_i64(out, "exposure", measures->receipts_in ? report->exposure_billed : report->exposure);
    if (report->view.has_bill)
        put_i64(out, "ledger_difference", report->difference);
    else
        buffer_put_text(out, "\"ledger_difference\":null,");
    buffer_printf(out, "\"rate\":%.1f,\"cpu_us\":{", measures->rate);
    put_measure(out, "sender", measures->sender_us);
    buffer_put_char(out, ',');
    put_measure(out, "redis", measures->redis_us);
    buffer_put_char(out, ',');
    put_measure(out, "emulator", measures->emulator_us);
    buffer_printf(out, "},\"latency_ms\":{\"p50\":%" PRIu64 ",\"p99\":%" PRIu64 "},",
                  histogram_at(&report->latency_ms, 0.50), histogram_at(&report->latency_ms, 0.99));
}

void
load_report_json(struct buffer *out, const struct audit_report *report,
                 const struct load_measures *measures)
{
    buffer_put_char(out, '{');
    put_contract(out, report, measures);
    put_u64(out, "refused_by_policy", report->refused_by_policy);
    put_u64(out, "duplicate", report->outcomes[AUDIT_DUPLICATE]);
    put_u64(out, "expired", report->outcomes[AUDIT_EXPIRED]);
    put_u64(out, "failed", report->outcomes[AUDIT_FAILED]);
    put_u64(out, "dropped", report->outcomes[AUDIT_DROPPED]);
    put_u64(out, "later", report->later);
    put_u64(out, "waiting", report->waiting);
    put_u64(out, "claimed", report->claimed);
    put_u64(out, "granted", report->granted);
    put_u64(out, "fine", report->expected[GENERATED_FINE]);
    put_u64(out, "promotional", report->expected[GENERATED_PROMOTIONAL]);
    put_u64(out, "bad", report->expected[GENERATED_BAD]);
    put_u64(out, "foreign", report->foreign);
    put_u64(out, "missed_events", measures->missed);
    put_u64(out, "overdue", measures->overdue);
    put_i64(out, "ledger", report->ledger);
    put_i64(out, "bill", report->bill);
    put_i64(out, "exposure_billed", report->exposure_billed);
    put_i64(out, "exposure_quoted", report->exposure);
    put_i64(out, "in_flight_billed", report->in_flight_billed);
    buffer_put_text(out, "\"currency\":");
    json_put_string(out, span_of(measures->currency));
    buffer_put_char(out, ',');
    put_bool(out, "moving", measures->moving);
    put_bool(out, "timed_out", measures->timed_out);
    buffer_put_text(out, "\"problems\":{");
    const char *comma = "";
    for (uint32_t kind = 0; kind < AUDIT_PROBLEM_COUNT; kind++) {
        if (report->problems[kind] == 0)
            continue;
        buffer_printf(out, "%s\"%s\":%" PRIu64, comma, audit_problem_name((enum audit_problem)kind),
                      report->problems[kind]);
        comma = ",";
    }
    buffer_printf(out, "},\"good\":%s}", report->good ? "true" : "false");
}

/* ---- refused texts -------------------------------------------------------------------------- */

static void
print_findings(FILE *out, const char *text)
{
    json_t *findings = json_loads(text, 0, NULL);
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        const char *rule = json_string_value(json_object_get(finding, "rule"));
        const char *words = json_string_value(json_object_get(finding, "words"));
        (void)fprintf(out, "%s\"%s\" (%s)", i == 0 ? "      because of " : ", ",
                      words == NULL ? "?" : words, rule == NULL ? "?" : rule);
    }
    (void)fprintf(out, "\n");
    json_decref(findings);
}

void
load_report_refused(FILE *out, const struct generator *generator,
                    const struct load_refused *refused, uint32_t count)
{
    static struct generated generated;
    if (count > 0)
        (void)fprintf(out, "\nrefused for what they say:\n");
    for (uint32_t i = 0; i < count; i++) {
        generator_make(generator, refused[i].n, &generated);
        struct span text = generated.offer;
        if (text.size == 0 && generated.field_count > 0)
            text = generated.fields[generated.field_count - 1].value;
        (void)fprintf(out, "\n  %" PRIu64 "-%" PRIu64 "  %s, %s: \"%.*s\"\n", generator->seed,
                      refused[i].n, generated.template->name, generated.template->code,
                      SPAN_ARG(text));
        print_findings(out, refused[i].findings);
    }
}
