#include "loadtest/chaos_plan.h"
#include "loadtest/load_process.h"
#include "loadtest/load_record.h"
#include "loadtest/progress.h"
#include "tests/unit/test.h"

#include <string.h>

static struct load_options options;
static struct error_text error;

/* Splits at spaces; at most 20 words. */
static enum load_parse
parse(const char *line)
{
    static char copy[512];
    char *words[20];
    int count = 0;
    (void)snprintf(copy, sizeof copy, "%s", line);
    char *rest = copy;
    for (char *word; count < 20 && (word = strtok_r(rest, " ", &rest)) != NULL;)
        words[count++] = word;
    return load_options_read(&options, count, words, &error);
}

static void
a_good_line_is_read(void)
{
    expect(parse("run --redis unix:/tmp/r.sock --account acme/fr --account=acme/es --messages 5000 "
                 "--promotional 0.5 --bulk=64 --json") == LOAD_PARSE_OK);
    expect(options.verb == LOAD_RUN && options.json && !options.quiet);
    expect_u64(options.account_count, 2);
    expect_text(options.accounts[1].account, "facteur:{acme}:es");
    expect_u64(options.messages, 5000);
    expect_u64(options.bulk, 64);
    expect(options.promotional == 0.5 && options.bad == 0.01);
    expect(load_options_given(&options, "messages") && !load_options_given(&options, "seed"));
    struct generator generator;
    load_options_generator(&options, NULL, &generator);
    expect(generator.bulk && generator.accounts == 2 && generator.countries == 60);
}

static void
chaos_brings_its_own_house(void)
{
    expect(parse("chaos --kills 7 --only cut --bulk 50") == LOAD_PARSE_OK);
    expect(options.verb == LOAD_CHAOS && options.kills == 7 && options.senders == 2);
    expect_u64(options.messages, 100000);
    expect_u64(options.account_count, 3);
    expect_text(options.accounts[0].account, "facteur:{acme}:fr");
    expect_u64(options.fault_kinds, 1U << CHAOS_CUT);
    expect(parse("chaos --policy resend") == LOAD_PARSE_OK);
    expect(options.fault_kinds == chaos_kinds_of_house(false) &&
           options.uncertain == UNCERTAIN_RESEND);
}

static void
a_bad_line_says_what_to_do(void)
{
    static const struct {
        const char *line;
        const char *says;
    } cases[] = {
        {"send", "there are fill, audit, run and chaos"},
        {"fill", "--redis unix:"},
        {"fill --redis", "wants a value"},
        {"fill --redis nowhere --account acme/fr", "--redis unix:"},
        {"fill --redis tcp://h:0 --account acme/fr", "--redis unix:"},
        {"fill --redis tcp://h:70000 --account acme/fr", "--redis unix:"},
        {"fill --redis tcp://h:6379", "--account business/account"},
        {"fill --redis tcp://h:6379 --account acme", "acme"},
        {"fill --redis tcp://h:6379 --account acme/fr --messages ten", "whole number"},
        {"fill --redis tcp://h:6379 --account acme/fr --messages 0", "--messages"},
        {"fill --redis tcp://h:6379 --account acme/fr --bulk 65", "64"},
        {"fill --redis tcp://h:6379 --account acme/fr --bad 2", "0 to 1"},
        {"fill --redis tcp://h:6379 --account acme/fr --bad 0.6 --promotional 0.6", "at most 1"},
        {"fill --redis tcp://h:6379 --account acme/fr --countries 1000", "--countries"},
        {"fill --redis tcp://h:6379 --account acme/fr --emulator x", "no such option"},
        {"fill acme/fr", "begins with --"},
        {"chaos --redis tcp://h:6379", "no such option"},
        {"chaos --only kill", "is no kind of fault"},
        {"chaos --senders 9", "--senders"},
        {"chaos --accounts 0", "--accounts"},
        {"chaos --aof never", "always or everysec"},
        {"chaos --only failover", "say --failover"},
        {"chaos --failover --only restart-redis", "does not come back"},
        {"chaos --policy keep", "park, drop or resend"},
        {"chaos --early-receipts 2", "0 to 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bool failed = parse(cases[i].line) == LOAD_PARSE_ERROR;
        bool says = strstr(error.text, cases[i].says) != NULL;
        if (!failed || !says)
            printf("%s: %s\n", cases[i].line, error.text);
        expect(failed && says);
    }
}

static void
a_record_gives_what_was_not_said(void)
{
    expect(parse("fill --redis tcp://h:1 --account acme/fr --messages 77 --bad 0.125 --bulk 8") ==
           LOAD_PARSE_OK);
    char memory[512];
    struct buffer json;
    buffer_init(&json, memory, sizeof memory);
    load_record_put(&options, &json);
    expect(parse("audit --redis tcp://h:1 --account acme/fr --bulk 4") == LOAD_PARSE_OK);
    expect(load_record_take(&options, buffer_span(&json)));
    expect_u64(options.messages, 77);
    expect_u64(options.bulk, 4); /* what is said wins */
    expect(options.bad == 0.125);
    expect(!load_record_take(&options, SPAN("")));
    expect(!load_record_take(&options, SPAN("[]")));
    expect(!load_record_take(&options, SPAN("{\"messages\":5}")));
    expect(!load_record_take(&options, SPAN("{\"messages\":-1,\"bulk\":1,\"countries\":60,"
                                            "\"promotional\":0,\"bad\":0,\"urgent\":0,"
                                            "\"duplicates\":0}")));
}

static void
cpu_is_read_from_a_stat_file(void)
{
    uint64_t us = 0;
    static const char good[] = "77 (a (b) c) R 1 2 3 4 -1 5 6 7 8 9 150 50 0 0 20 0 1 0 3";
    expect(load_process_read_stat(span_of(good), 100, &us));
    expect_u64(us, 2000000);
    expect(!load_process_read_stat(SPAN(""), 100, &us));
    expect(!load_process_read_stat(SPAN("77 (x) R 1 2"), 100, &us));
    expect(load_process_cpu_us((uint64_t)getpid(), &us));
    expect(!load_process_cpu_us(UINT64_MAX, &us));
}

static void
the_bar_is_as_long_as_it_is_far(void)
{
    static const struct {
        uint64_t done, total;
        const char *line;
    } cases[] = {
        {0, 20000, "filling   [------------------------] 0 of 20,000    0 %  0/s"},
        {10000, 20000, "filling   [############------------] 10,000 of 20,000   50 %  5,000/s"},
        {20000, 20000, "filling   [########################] 20,000 of 20,000  100 %  10,000/s"},
        {30000, 20000, "filling   [########################] 30,000 of 20,000  100 %  15,000/s"},
        {0, 0, "filling   [------------------------] 0 of 0    0 %  0/s"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct progress progress;
        char memory[256];
        struct buffer line;
        buffer_init(&line, memory, sizeof memory);
        progress_begin(&progress, PROGRESS_LINES, "filling", cases[i].total, 1000000);
        progress_put(&progress, cases[i].done, "", 3000000, &line);
        expect_text(buffer_text(&line), cases[i].line);
    }
}

static void
counts_are_grouped(void)
{
    static const struct {
        uint64_t count;
        const char *text;
    } cases[] = {{0, "0"},
                 {999, "999"},
                 {1000, "1,000"},
                 {1000001, "1,000,001"},
                 {UINT64_MAX, "18,446,744,073,709,551,615"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char memory[64];
        struct buffer text;
        buffer_init(&text, memory, sizeof memory);
        progress_put_count(&text, cases[i].count);
        expect_text(buffer_text(&text), cases[i].text);
    }
}

/* ---- templates ------------------------------------------------------------------------------ */

static void
templates_are_read(void)
{
    static const char positional[] =
        "{\"name\":\"order_shipped\",\"language\":\"fr_CA\",\"components\":[{\"type\":\"BODY\","
        "\"text\":\"Bonjour {{1}}, {{2}} part par {{3}} le {{4}}. {{1}} "
        "!\",\"example\":{\"body_text\":"
        "[[\"Claire\",\"CMD-1042\",\"Colissimo\",\"12 mars\"]]}}]}";
    static const char named[] =
        "{\"name\":\"t\",\"language\":\"es\",\"parameter_format\":\"NAMED\",\"components\":["
        "{\"type\":\"header\",\"format\":\"TEXT\",\"text\":\"Hola\"},{\"type\":\"body\","
        "\"text\":\"{{ first_name }} va a {{event}} en {{venue}}\"}]}";
    struct load_template template;
    expect(load_template_read(&template, span_of(positional)));
    expect_u64(template.parameter_count, 4);
    expect(!template.named && template.language == LOAD_FR);
    expect_text(template.parameters[3].name, "4");
    expect(template.parameters[0].word == LOAD_WORD_NAME);
    expect(template.parameters[1].word == LOAD_WORD_ORDER);
    expect(template.parameters[2].word == LOAD_WORD_CARRIER);
    expect(template.parameters[3].word == LOAD_WORD_DATE);
    expect(load_template_read(&template, span_of(named)));
    expect(template.named && template.language == LOAD_ES);
    expect_text(template.parameters[0].name, "first_name");
    expect(template.parameters[1].word == LOAD_WORD_EVENT);
    expect(template.parameters[2].word == LOAD_WORD_VENUE);
}

static void
templates_that_need_more_are_passed_over(void)
{
    static const char *const texts[] = {
        "",
        "[]",
        "{}",
        "{\"name\":\"t\",\"language\":\"de\",\"components\":[{\"type\":\"BODY\",\"text\":\"x\"}]}",
        "{\"name\":\"t\",\"language\":\"fr\",\"components\":[]}",
        "{\"name\":\"t\",\"language\":\"fr\",\"components\":[{\"type\":\"HEADER\",\"format\":"
        "\"IMAGE\"},"
        "{\"type\":\"BODY\",\"text\":\"x\"}]}",
        "{\"name\":\"t\",\"language\":\"fr\",\"components\":[{\"type\":\"BODY\",\"text\":\"{{1\"}]"
        "}",
        "{\"name\":\"t\",\"language\":\"fr\",\"components\":[{\"type\":\"BODY\",\"text\":\"x\"},"
        "{\"type\":\"BUTTONS\",\"buttons\":[{\"type\":\"URL\",\"url\":\"https://x/{{1}}\"}]}]}",
    };
    struct load_template template;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        bool taken = load_template_read(&template, span_of(texts[i]));
        if (taken)
            printf("%s\n", texts[i]);
        expect(!taken);
    }
}

static void
a_missing_folder_is_said(void)
{
    static struct load_templates templates;
    static const char *const names[] = {"nothing_like_it", NULL};
    expect(!load_templates_read(&templates, "/no/such/folder", names, &error));
    expect(strstr(error.text, "--templates") != NULL);
    expect(
        !load_templates_read(&templates, FACTEUR_SOURCE_DIR "/templates/catalogue", names, &error));
    expect(strstr(error.text, "nothing_like_it") != NULL);
}

int
main(void)
{
    TEST(a_good_line_is_read);
    TEST(chaos_brings_its_own_house);
    TEST(a_bad_line_says_what_to_do);
    TEST(a_record_gives_what_was_not_said);
    TEST(cpu_is_read_from_a_stat_file);
    TEST(the_bar_is_as_long_as_it_is_far);
    TEST(counts_are_grouped);
    TEST(templates_are_read);
    TEST(templates_that_need_more_are_passed_over);
    TEST(a_missing_folder_is_said);
    return test_end();
}
