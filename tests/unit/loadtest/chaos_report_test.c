/*
 * Each test begins with a run in which every promise was kept, breaks one, and expects that exactly
 * that is said.
 */
#include "loadtest/chaos_report.h"
#include "tests/unit/test.h"

#include <string.h>

static struct chaos *chaos;

static void
begin(void)
{
    free(chaos);
    chaos = calloc(1, sizeof *chaos);
    chaos->options.messages = 1000;
    chaos->options.aof = "always";
    chaos->options.uncertain = UNCERTAIN_PARK;
    chaos->report.outcomes[AUDIT_ACCEPTED] = 970;
    chaos->report.parked = 20;
    chaos->report.good = true;
    chaos->tally.granted = 25;
}

/* Says all of it, one sentence a line; "" if every promise was kept. */
static const char *
judged(void)
{
    static char memory[2048];
    struct buffer text;
    buffer_init(&text, memory, sizeof memory);
    chaos_judge(chaos, &text);
    return buffer_text(&text);
}

static bool
only_says(const char *words)
{
    const char *text = judged();
    const char *end = strchr(text, '\n');
    bool good = strstr(text, words) != NULL && end != NULL && end[1] == '\0';
    if (!good)
        printf("says: %s", text);
    return good;
}

static void
a_good_run_keeps_every_promise(void)
{
    begin();
    expect_text(judged(), "");
}

static void
each_broken_promise_is_named(void)
{
    begin();
    chaos->report.lost = 1;
    expect(only_says("lost: 1"));
    begin();
    chaos->report.duplicates = 2;
    expect(only_says("sent twice blindly: 2"));
    begin();
    chaos->report.difference = -5;
    expect(only_says("differ by -5 millionths"));
    begin();
    chaos->report.exposure_billed = 7;
    expect(only_says("exposure after all receipts: 7"));
    begin();
    chaos->report.possible_duplicates = 3;
    expect(only_says("3 flagged duplicates"));
    begin();
    chaos->report.parked = 26;
    expect(only_says("parked: 26, more than was granted at the faults: 25"));
    begin();
    chaos->report.outcomes[AUDIT_ACCEPTED] = 949;
    expect(only_says("accepted: 949, less than 95 %"));
    begin();
    chaos->report.problems[AUDIT_TWO_PLACES] = 1;
    expect(only_says("the audit says no"));
    begin();
    chaos->measures.timed_out = true;
    expect(only_says("in time"));
}

static void
a_trouble_is_told_and_many_are_counted(void)
{
    begin();
    chaos->tally.trouble_count = 1;
    error_set(&chaos->tally.troubles[0], "a sender ended by itself");
    expect(only_says("a sender ended by itself"));
    chaos->tally.trouble_count = CHAOS_TROUBLES_MAX + 5;
    expect(strstr(judged(), "more such: 13 in all") != NULL);
}

static void
what_resends_may_flag_duplicates(void)
{
    begin();
    chaos->options.uncertain = UNCERTAIN_RESEND;
    chaos->report.parked = 0;
    chaos->report.possible_duplicates = 30;
    expect_text(judged(), "");
    chaos->report.duplicates = 1; /* not flagged */
    expect(only_says("sent twice blindly: 1"));
}

/* As much as was confirmed in its last moments, and no more. */
static void
a_redis_that_forgets_is_forgiven_within_bounds(void)
{
    for (int failover = 0; failover < 2; failover++) {
        begin();
        chaos->options.failover = failover != 0;
        chaos->options.aof = failover ? "always" : "everysec";
        chaos->tally.writes_at_risk = 40;
        chaos->tally.accepted_at_risk = 50;
        chaos->report.lost = chaos->report.problems[AUDIT_LOST] = 40;
        chaos->report.duplicates = chaos->report.problems[AUDIT_ACCEPTED_TWICE] = 50;
        chaos->report.difference = 1234;
        chaos->report.problems[AUDIT_DIFFERENCE] = chaos->report.problems[AUDIT_BILL_ONLY] = 1;
        chaos->report.good = false;
        expect_text(judged(), "");
        chaos->report.lost = 41;
        expect(only_says("lost: 41, where at most 40 may be"));
        chaos->report.lost = 40;
        chaos->report.duplicates = 51;
        expect(only_says("sent twice blindly: 51, where at most 50 may be"));
        chaos->report.duplicates = 50;
        chaos->report.problems[AUDIT_TWO_OUTCOMES] = 1;
        expect(only_says("the audit says no"));
    }
}

int
main(void)
{
    TEST(a_good_run_keeps_every_promise);
    TEST(each_broken_promise_is_named);
    TEST(a_trouble_is_told_and_many_are_counted);
    TEST(what_resends_may_flag_duplicates);
    TEST(a_redis_that_forgets_is_forgiven_within_bounds);
    free(chaos);
    return test_end();
}
