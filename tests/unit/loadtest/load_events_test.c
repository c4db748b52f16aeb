#include "loadtest/load_bill.h"
#include "loadtest/load_events.h"
#include "loadtest/load_places.h"
#include "tests/unit/test.h"

#include <string.h>

static struct generator generator = {.seed = 1, .messages = 100, .accounts = 2, .countries = 60};
static const struct account_keys accounts[2] = {
    {"acme", "fr", "facteur:{acme}", "facteur:{acme}:fr"},
    {"acme", "es", "facteur:{acme}", "facteur:{acme}:es"},
};
static struct audit *audit;
static struct load_events events;

static void
begin(void)
{
    audit_close(audit);
    audit = audit_open(&generator);
    load_events_init(&events, audit, &generator, accounts, 2);
}

static void
outcome(const char *json)
{
    load_events_outcome(&events, 0, span_of(json));
}

static void
outcomes_are_read(void)
{
    begin();
    outcome(
        "{\"type\":\"accepted\",\"entry\":\"1732377600000-0/3\",\"id\":\"1-17\",\"ref\":\"1/17\","
        "\"to\":\"ab12\",\"country\":\"FR\",\"market\":\"France\",\"price\":55000,"
        "\"currency\":\"EUR\",\"attempt\":1,\"wamid\":\"wamid.X\",\"at\":1732377600100}");
    outcome("{\"type\":\"refused\",\"entry\":\"u1732377600000-0\",\"ref\":\"1/18\",\"reason\":"
            "\"promotional\",\"findings\":[{\"rule\":\"percent_off\",\"words\":\"-50 %\"}],"
            "\"at\":1732377600200}");
    outcome("{\"type\":\"refused\",\"entry\":\"1732377600000-1\",\"ref\":\"1/19\",\"findings\":[],"
            "\"at\":1732377600200}");
    outcome("{\"type\":\"uncertain\",\"entry\":\"1732377600000-2\",\"ref\":\"1/20\","
            "\"at\":1732377600200}");
    outcome("{\"type\":\"delivered\",\"entry\":\"1732377600000-0/3\",\"at\":1732377600300}");
    outcome("{\"type\":\"corrected\",\"possible_duplicate\":true,\"entry\":\"1732377600000-2\","
            "\"ref\":\"1/20\",\"price\":55000,\"at\":1732377600300}");
    const struct audit_live *live = audit_live(audit);
    expect_u64(live->accepted, 1);
    expect_u64(live->refused, 2);
    expect_u64(live->parked, 1);
    expect_u64(live->done, 4);
    expect_u64(live->money, 55000);
    expect_u64(events.others, 1);
    expect_u64(events.unreadable, 0);
    expect_text(events.currency, "EUR");
    expect_u64(events.refused_count, 1);
    expect_u64(events.refused[0].n, 18);
    expect_text(events.refused[0].findings, "[{\"rule\":\"percent_off\",\"words\":\"-50 %\"}]");
    expect_u64(audit_member_of(audit, 17).index, 3);
    expect_u64(audit_member_of(audit, 18).stream, AUDIT_URGENT);
}

static void
what_is_not_as_agreed_is_counted(void)
{
    static const char *const lines[] = {
        "",
        "{",
        "[]",
        "null",
        "{\"type\":\"accepted\"}",
        "{\"type\":\"accepted\",\"entry\":\"x\"}",
        "{\"type\":\"vanished\",\"entry\":\"1732377600000-0\",\"at\":1}",
        "{\"type\":\"accepted\",\"entry\":\"1732377600000-0\",\"price\":-5,\"at\":1732377600000}",
        "{\"type\":\"accepted\",\"entry\":\"1732377600001-0\",\"price\":1.5,\"at\":1732377600000}",
        "{\"type\":\"failed\",\"entry\":\"1732377600002-0\"}",
        "{\"type\":\"\xff\",\"entry\":\"1732377600002-0\"}",
    };
    begin();
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
        outcome(lines[i]);
    expect_u64(events.unreadable, sizeof lines / sizeof lines[0]);
    static char large[LOAD_EVENT_MAX + 1];
    memset(large, ' ', sizeof large);
    load_events_outcome(&events, 0, (struct span){large, sizeof large});
    expect_u64(events.unreadable, sizeof lines / sizeof lines[0] + 1);
}

/* ---- entries -------------------------------------------------------------------------------- */

static void
entry(const char *id, const char *count, const char *upto, const char *outcomes)
{
    struct reply texts[7] = {{.type = REPLY_STRING, .text = span_of(id)},
                             {.type = REPLY_STRING, .text = SPAN("n")},
                             {.type = REPLY_STRING, .text = span_of(count)},
                             {.type = REPLY_STRING, .text = SPAN("upto")},
                             {.type = REPLY_STRING, .text = span_of(upto)},
                             {.type = REPLY_STRING, .text = SPAN("outcomes")},
                             {.type = REPLY_STRING, .text = span_of(outcomes)}};
    struct reply *pointers[6] = {&texts[1], &texts[2], &texts[3], &texts[4], &texts[5], &texts[6]};
    struct reply fields = {.type = REPLY_ARRAY, .elements = pointers, .count = 6};
    struct reply *parts[2] = {&texts[0], &fields};
    struct reply whole = {.type = REPLY_ARRAY, .elements = parts, .count = 2};
    load_events_entry(&events, 1, &whole);
}

static void
trimmed_outcomes_are_missed(void)
{
    static const char one[] =
        "{\"type\":\"failed\",\"entry\":\"1732377600000-0\",\"at\":1732377600001}";
    static const char two[] =
        "{\"type\":\"failed\",\"entry\":\"1732377600000-1\",\"at\":1732377600001}\n"
        "{\"type\":\"failed\",\"entry\":\"1732377600000-2\",\"at\":1732377600001}\n";
    begin();
    entry("5-0", "1", "1", one);
    expect_u64(events.missed, 0);
    entry("6-0", "2", "3", two);
    expect_u64(events.missed, 0);
    expect_u64(audit_live(audit)->other, 3);
    entry("9-0", "1", "14", one); /* 4 to 13 are gone */
    expect_u64(events.missed, 10);
    expect_text(events.streams[1].last, "9-0");
    expect_text(events.streams[0].last, "0-0");
    entry("10-0", "x", "15", "");
    entry("11-0", "16", "15", "");
    expect_u64(events.unreadable, 2);
}

static void
a_strange_entry_is_counted(void)
{
    struct reply nil = {.type = REPLY_NIL};
    begin();
    load_events_entry(&events, 0, &nil);
    expect_u64(events.unreadable, 1);
}

/* ---- refs and bill -------------------------------------------------------------------------- */

static void
refs_are_found_in_broken_lines(void)
{
    static const struct {
        const char *line;
        uint64_t n;
    } cases[] = {{"{\"id\":\"1-7\",\"ref\":\"1/7\",\"to\":", 7},
                 {"{\"ref\":\"1/99\"}", 99},
                 {"{\"ref\":\"1/100\"}", AUDIT_UNKNOWN},
                 {"{\"ref\":\"2/7\"}", AUDIT_UNKNOWN},
                 {"{\"ref\":\"1/7", 7},
                 {"{\"ref\":\"", AUDIT_UNKNOWN},
                 {"", AUDIT_UNKNOWN}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_u64(load_places_find_ref(&generator, span_of(cases[i].line)), cases[i].n);
}

static bool
bill_line(struct load_bill *bill, const char *text)
{
    char line[1024];
    size_t size = strlen(text);
    memcpy(line, text, size + 1);
    return load_bill_line(bill, line, size);
}

static void
the_bill_is_read_line_by_line(void)
{
    begin();
    struct load_bill bill = {.accounts = accounts, .account_count = 2, .audit = audit};
    expect(bill_line(
        &bill, "{\"n\":0,\"callback\":\"f1;acme/es;1732377600000-0/3;1;g;0;55000;USD\","
               "\"wamid\":\"w\",\"to\":\"+33612345678\",\"country\":\"FR\",\"price\":55000}"));
    expect(
        bill_line(&bill, "{\"n\":1,\"callback\":\"f1;other/fr;1732377600000-0;1\",\"price\":1}"));
    expect(bill_line(&bill, "{\"n\":2,\"callback\":\"\",\"price\":3}"));
    expect(bill_line(&bill, "{\"n\":3,\"callback\":\"f1;acme/es;nonsense;1\",\"price\":4}"));
    expect_u64(bill.next, 4);
    expect_u64(bill.others, 1);
    expect_u64(bill.strangers, 2);
    static struct audit_report report;
    struct audit_view view = {.has_bill = true};
    audit_finish(audit, &view, &report);
    expect_u64(report.bill, 55007);
    expect(!bill_line(&bill, "{\"n\":4}"));
    expect(!bill_line(&bill, "{\"price\":4}"));
    expect(!bill_line(&bill, "{\"n\":-1,\"price\":4}"));
    expect(!bill_line(&bill, "<html>"));
}

int
main(void)
{
    TEST(outcomes_are_read);
    TEST(what_is_not_as_agreed_is_counted);
    TEST(trimmed_outcomes_are_missed);
    TEST(a_strange_entry_is_counted);
    TEST(refs_are_found_in_broken_lines);
    TEST(the_bill_is_read_line_by_line);
    audit_close(audit);
    return test_end();
}
