#include "templates/catalogue.h"
#include "templates/lint.h"
#include "tests/unit/test.h"

#include <string.h>

#define TOP(more)     "{\"name\":\"a\",\"language\":\"fr\",\"category\":\"UTILITY\",\n" more "}"
#define PARTS(more)   TOP("\"components\":[\n" more "]")
#define BODY(text)    "{\"type\":\"BODY\",\"text\":\"" text "\"}"
#define WITH(more)    PARTS(BODY("Bonjour à vous") ",\n" more)
#define BUTTONS(more) WITH("{\"type\":\"BUTTONS\",\"buttons\":[\n" more "]}")

/* What is found, in order: "RULE LINE:COLUMN PATH", separated by "; ". */
static const struct finding_case {
    const char *json;
    const char *found;
} cases[] = {
    {PARTS(BODY("Bonjour")), ""},
    {"", "not_json 1:1 "},
    {"{\"name\":\n\"a", "not_json 2:2 "},
    {"[1]", "shape 1:1 "},
    {"\xef\xbb\xbf{}", "not_json 1:1 "},
    /* Everything of one level is told at once. */
    {"{\"nme\":1,\n \"language\":\"french\",\n \"category\":\"UTILITY\",\"components\":[]}",
     "unknown_key 1:2 ; missing 1:1 name; language 2:2 language; components 3:23 components"},
    {"{\"name\":\"A b\",\"language\":\"fr\",\"category\":\"X\"}",
     "name 1:2 name; unknown_word 1:31 category"},
    {PARTS(BODY(" ") ",\n {\"type\":\"FOOTER\",\"text\":\"{{1}}\"},\n\n{\"type\":\"HEADER\","
                     "\"format\":\"TEXT\",\"text\":\"{{1}} {{2}}\"}"),
     "empty 3:16 components[0].text; footer 4:19 components[1].text; header 6:34 "
     "components[2].text"},
    {WITH("{\"type\":\"FOOTR\",\"text\":\"a\"}"), "unknown_word 4:2 components[1].type"},
    {WITH("7"), "shape 4:1 components[1]"},
    {PARTS("{\"type\":\"FOOTER\",\"text\":\"a\"}"), "components 2:1 components"},
    {BUTTONS("{\"type\":\"QUICK_REPLY\"},\n{\"type\":\"URL\",\"text\":\"Suivre\",\n"
             "\"url\":\"ftp://a\"},\n{\"type\":\"FLOW\"}"),
     "missing 5:1 components[1].buttons[0].text; url 7:1 components[1].buttons[1].url; unsupported "
     "8:2 components[1].buttons[2].type"},
    {PARTS(BODY("a {{1}} b {{3}} c")), "variables 3:16 components[0].text"},
    /* What the format allows, and Meta or the policy does not. */
    {PARTS(BODY("{{1}}, votre commande vient de partir")),
     "variable_at_edge 3:16 components[0].text; no_example 3:1 components[0]"},
    {PARTS(BODY("Bonjour à vous, {{1}}")),
     "variable_at_edge 3:16 components[0].text; no_example 3:1 components[0]"},
    {PARTS("{\"type\":\"BODY\",\"text\":\"Bonjour {{1}} {{2}}, votre commande part\",\n"
           "\"example\":{\"body_text\":[[\"a\",\"b\"]]}}"),
     "adjacent_variables 3:16 components[0].text"},
    {PARTS("{\"type\":\"BODY\",\"text\":\"Hi {{1}}.\",\"example\":{\"body_text\":[[\"a\"]]}}"),
     "few_words 3:16 components[0].text"},
    {PARTS(BODY("Bonjour\\n\\n\\nà vous")), "line_breaks 3:16 components[0].text"},
    {WITH("{\"type\":\"HEADER\",\"format\":\"TEXT\",\"text\":\"*Bonjour*\"}"),
     "header_marks 4:34 components[1].text"},
    {WITH("{\"type\":\"HEADER\",\"format\":\"IMAGE\"}"), "no_example 4:1 components[1]"},
    {BUTTONS("{\"type\":\"URL\",\"text\":\"a\",\"url\":\"http://a.b/\"},\n"
             "{\"type\":\"QUICK_REPLY\",\"text\":\"a\"}"),
     "plain_http 5:26 components[1].buttons[0].url; same_button 6:23 "
     "components[1].buttons[1].text"},
    {"{\"name\":\"a\",\"language\":\"fr\",\"category\":\"AUTHENTICATION\",\"components\":[{"
     "\"type\":"
     "\"BODY\"}]}",
     "authentication 1:57 components"},
    {"{\"name\":\"a\",\"language\":\"fr\",\n\"category\":\"MARKETING\",\"components\":[" BODY(
         "Bonjour à vous") "]}",
     "marketing 2:1 category"},
    {PARTS(BODY("Profitez de notre vente flash ! -50 % sur tout le site")),
     "promotional 3:16 components[0].text"},
    {WITH("{\"type\":\"FOOTER\",\"text\":\"Code promo : ETE, -20 % dès demain\"}"),
     "promotional 4:18 components[1].text"},
};

static void
put_findings(const struct lint_report *report, struct buffer *out)
{
    for (uint32_t i = 0; i < report->count; i++) {
        const struct lint_finding *finding = &report->findings[i];
        const char *word = lint_rule_word(finding->rule);
        /* Of several promotional words in one text one is enough here. */
        if (i > 0 && finding->rule == LINT_PROMOTIONAL)
            continue;
        buffer_printf(out, "%s%s %u:%u %s", i == 0 ? "" : "; ", word, finding->line,
                      finding->column, finding->path);
        expect(finding->text[0] != '\0' && lint_rule_fix(finding->rule)[0] != '\0');
    }
}

static void
finds_rule_and_place(void)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct lint_report report;
        char memory[2048];
        struct buffer found;
        buffer_init(&found, memory, sizeof(memory));
        struct template *template = lint_read(span_of(cases[i].json), &report);
        put_findings(&report, &found);
        expect_text(buffer_text(&found), cases[i].found);
        expect((template != NULL) == (report.errors == 0));
        template_close(template);
    }
}

static void
counts_what_does_not_fit(void)
{
    char json[8192] = "{";
    for (int i = 0; i < LINT_FINDINGS_MAX + 5; i++)
        (void)snprintf(json + strlen(json), sizeof(json) - strlen(json), "\"x%d\":0,", i);
    (void)snprintf(json + strlen(json), sizeof(json) - strlen(json), "\"name\":\"a\"}");
    struct lint_report report;
    expect(lint_read(span_of(json), &report) == NULL);
    expect_u64(report.count, LINT_FINDINGS_MAX);
    expect(report.more && report.errors > LINT_FINDINGS_MAX + 5);
}

/* ---- what we ship --------------------------------------------------------------------------- */

/* Each template of the catalogue has nothing against it, not even a warning. */
static void
ships_templates_without_a_finding(void)
{
    struct error_text error = {""};
    struct catalogue *catalogue =
        catalogue_open_folder(FACTEUR_SOURCE_DIR "/templates/catalogue", &error);
    expect_text(error.text, "");
    for (uint32_t i = 0; i < catalogue_count(catalogue); i++) {
        struct lint_report report;
        struct template *template = lint_read(catalogue_json(catalogue, i), &report);
        if (template == NULL || report.count > 0)
            printf("%s: %s: %s\n", catalogue_source(catalogue, i), report.findings[0].path,
                   report.findings[0].text);
        expect(template != NULL && report.count == 0);
        template_close(template);
    }
    catalogue_close(catalogue);
}

/* A file cut anywhere: always an error with a line that the file has, and no byte behind its end
 * is read (the copy is as large as the cut, and the sanitizer watches). */
static void
cut(struct span json)
{
    for (size_t size = 0; size < json.size; size++) {
        struct lint_report report;
        char *copy = malloc(size + 1);
        uint32_t lines = 1;
        memcpy(copy, json.data, size);
        for (size_t i = 0; i < size; i++)
            lines += copy[i] == '\n';
        struct template *template = lint_read((struct span){copy, size}, &report);
        bool whole = span_trim(json).size <= span_trim((struct span){copy, size}).size;
        expect((template == NULL) == !whole);
        expect(whole || (report.count == 1 && report.findings[0].rule == LINT_NOT_JSON));
        expect(whole || (report.findings[0].line >= 1 && report.findings[0].line <= lines));
        template_close(template);
        free(copy);
    }
}

static void
refuses_a_file_cut_anywhere(void)
{
    static const char *const names[] = {"appointment_reminder", "one_time_code", "gate_change",
                                        "event_ticket_pdf"};
    struct error_text error;
    struct catalogue *catalogue =
        catalogue_open_folder(FACTEUR_SOURCE_DIR "/templates/catalogue", &error);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const struct template *template =
            catalogue_find(catalogue, span_of(names[i]), SPAN("fr"), NULL);
        cut(catalogue_json(catalogue, template->index));
    }
    catalogue_close(catalogue);
}

int
main(void)
{
    TEST(finds_rule_and_place);
    TEST(counts_what_does_not_fit);
    TEST(ships_templates_without_a_finding);
    TEST(refuses_a_file_cut_anywhere);
    return test_end();
}
