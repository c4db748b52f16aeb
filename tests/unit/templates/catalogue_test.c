#include "templates/catalogue.h"
#include "templates/policy/policy.h"
#include "templates/values.h"
#include "tests/unit/test.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#define JSON(name, language)                                                                       \
    "{\"name\":\"" name "\",\"language\":\"" language "\",\"category\":\"UTILITY\","               \
    "\"components\":[{\"type\":\"BODY\",\"text\":\"Hello\"}]}"

static char folder[64];

static void
make_folder(void)
{
    (void)snprintf(folder, sizeof(folder), "/tmp/facteur-catalogue-XXXXXX");
    expect(mkdtemp(folder) != NULL);
}

static void
put(const char *name, const char *text)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *file = fopen(path, "w");
    expect(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void
drop(const char *name)
{
    char path[256];
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    expect(remove(path) == 0);
}

static void
finds_by_name_and_language(void)
{
    static const char *const sources[] = {"1", "2", "3"};
    const struct span jsons[] = {SPAN(JSON("a", "fr")), SPAN(JSON("a", "en")),
                                 SPAN(JSON("b", "en_US"))};
    struct error_text error;
    struct catalogue *catalogue = catalogue_open_memory(jsons, sources, 3, &error);
    expect_u64(catalogue_count(catalogue), 3);
    for (uint32_t i = 0; i < 3; i++)
        expect_u64(catalogue_at(catalogue, i)->index, i);
    bool known = false;
    expect(catalogue_find(catalogue, SPAN("a"), SPAN("en"), &known) == catalogue_at(catalogue, 1));
    expect(known);
    expect(catalogue_find(catalogue, SPAN("a"), SPAN("fr"), NULL) == catalogue_at(catalogue, 0));
    expect(catalogue_find(catalogue, SPAN("b"), SPAN("en"), &known) == NULL && known);
    expect(catalogue_find(catalogue, SPAN("c"), SPAN("en"), &known) == NULL && !known);
    expect(catalogue_find(catalogue, SPAN(""), SPAN(""), &known) == NULL && !known);
    expect_abort((void)catalogue_at(catalogue, 3));
    catalogue_close(catalogue);

    catalogue = catalogue_open_memory(NULL, NULL, 0, &error);
    expect(catalogue_find(catalogue, SPAN("a"), SPAN("fr"), &known) == NULL && !known);
    catalogue_close(catalogue);
    catalogue_close(NULL);
}

static void
finds_among_many(void)
{
    enum { COUNT = 1500 };
    static char memory[COUNT][160];
    static struct span jsons[COUNT];
    static const char *sources[COUNT];
    struct error_text error;
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(memory[i], sizeof(memory[i]), JSON("t_%d", "%s"), i / 3,
                       i % 3 == 0   ? "fr"
                       : i % 3 == 1 ? "en"
                                    : "es");
        jsons[i] = span_of(memory[i]);
        sources[i] = "memory";
    }
    struct catalogue *catalogue = catalogue_open_memory(jsons, sources, COUNT, &error);
    expect(catalogue != NULL);
    for (uint32_t i = 0; i < COUNT; i++) {
        const struct template *template = catalogue_at(catalogue, i);
        expect(catalogue_find(catalogue, template->name, template->language, NULL) == template);
    }
    catalogue_close(catalogue);
    expect(catalogue_open_memory(jsons, sources, CATALOGUE_TEMPLATES_MAX + 1, &error) == NULL);
    expect_text(error.text, "6001 templates: at most 6000");
}

static void
reads_a_folder_in_order(void)
{
    struct error_text error;
    make_folder();
    put("b.json", JSON("first", "fr"));
    put("a.json", JSON("second", "fr"));
    put("c.txt", "not a template");
    put(".d.json", "hidden");
    put(".json", "no name");
    struct catalogue *catalogue = catalogue_open_folder(folder, &error);
    expect(catalogue != NULL);
    expect_u64(catalogue_count(catalogue), 2);
    expect_span(catalogue_at(catalogue, 0)->name, SPAN("second"));
    catalogue_close(catalogue);

    char wanted[512];
    put("c.json", JSON("first", "fr"));
    expect(catalogue_open_folder(folder, &error) == NULL);
    (void)snprintf(wanted, sizeof(wanted),
                   "%s/c.json: template first in fr is in %s/b.json already: remove one", folder,
                   folder);
    expect_text(error.text, wanted);
    put("c.json", "{");
    expect(catalogue_open_folder(folder, &error) == NULL);
    (void)snprintf(wanted, sizeof(wanted), "%s/c.json:1: not JSON", folder);
    expect(span_starts(span_of(error.text), span_of(wanted)));
    drop("c.json");
    (void)snprintf(wanted, sizeof(wanted), "%s/c.json", folder);
    expect(mkdir(wanted, 0700) == 0);
    expect(catalogue_open_folder(folder, &error) == NULL);
    expect(strstr(error.text, "/c.json: cannot be read: ") != NULL);
    drop("c.json");
    expect(symlink("nowhere", wanted) == 0);
    expect(catalogue_open_folder(folder, &error) == NULL);
    expect(strstr(error.text, "/c.json: cannot be read: No such file") != NULL);
    drop("c.json");
    drop("a.json"), drop("b.json"), drop("c.txt"), drop(".d.json"), drop(".json");
    expect(rmdir(folder) == 0);
    expect(catalogue_open_folder(folder, &error) == NULL);
    expect(strstr(error.text, "cannot be read: No such file or directory") != NULL);
}

/* What we ship: how each template is filled in, the same in every language. */
static const struct shipped {
    const char *name;
    enum template_category category;
    enum template_header header;
    const char *parameters; /* their names, in the order of the text in English */
    uint32_t buttons;
} shipped[] = {
    {"appointment_reminder", TEMPLATE_UTILITY, TEMPLATE_HEADER_TEXT, "first_name date time place",
     3},
    {"delivery_confirmation", TEMPLATE_UTILITY, TEMPLATE_HEADER_TEXT, "1 2 3", 1},
    {"event_ticket", TEMPLATE_UTILITY, TEMPLATE_HEADER_TEXT, "first_name event date venue ticket",
     0},
    {"event_ticket_pdf", TEMPLATE_UTILITY, TEMPLATE_HEADER_DOCUMENT,
     "first_name event date venue count", 0},
    {"event_ticket_qr", TEMPLATE_UTILITY, TEMPLATE_HEADER_IMAGE, "first_name event date venue seat",
     0},
    {"gate_change", TEMPLATE_UTILITY, TEMPLATE_HEADER_TEXT, "city gate old_gate time", 0},
    {"one_time_code", TEMPLATE_AUTHENTICATION, TEMPLATE_HEADER_NONE, "1", 1},
    {"order_shipped", TEMPLATE_UTILITY, TEMPLATE_HEADER_TEXT, "1 2", 1},
    {"order_shipped_tracking", TEMPLATE_UTILITY, TEMPLATE_HEADER_TEXT, "1 2 3 4", 2},
    {"payment_receipt", TEMPLATE_UTILITY, TEMPLATE_HEADER_TEXT, "1 2 3 4", 0},
};
enum { SHIPPED = sizeof(shipped) / sizeof(shipped[0]) };

static void
expect_shipped(const struct catalogue *catalogue, const struct shipped *wanted,
               struct span language)
{
    const struct template *template =
        catalogue_find(catalogue, span_of(wanted->name), language, NULL);
    if (template == NULL) {
        printf("%s in %.*s is missing\n", wanted->name, SPAN_ARG(language));
        expect(template != NULL);
        return;
    }
    struct span names = span_of(wanted->parameters);
    uint32_t count = 0;
    while (names.size > 0) {
        struct span name = span_split(&names, ' ');
        bool found = false;
        for (uint32_t i = 0; i < template->parameter_count; i++)
            found = found || span_equal(template->parameter_names[i], name);
        expect(found);
        count++;
    }
    expect_u64(template->parameter_count, count);
    expect_u64(template->category, wanted->category);
    expect_u64(template->header, wanted->header);
    expect_u64(template->button_count, wanted->buttons);
}

/* Every notification in every language, its fixed text innocent, its examples rendered. */
static void
ships_good_templates(void)
{
    struct error_text error = {""};
    struct catalogue *catalogue =
        catalogue_open_folder(FACTEUR_SOURCE_DIR "/templates/catalogue", &error);
    expect_text(error.text, "");
    static const char *const languages[] = {"en", "fr", "es", "pt_BR", "de", "it",
                                            "nl", "ar", "hi", "id",    "tr", "ru"};
    enum { LANGUAGES = sizeof(languages) / sizeof(languages[0]) };
    for (size_t i = 0; i < SHIPPED; i++)
        for (size_t k = 0; k < LANGUAGES; k++)
            expect_shipped(catalogue, &shipped[i], span_of(languages[k]));
    expect_u64(catalogue_count(catalogue), (uint64_t)SHIPPED * LANGUAGES);
    for (uint32_t i = 0; i < catalogue_count(catalogue); i++) {
        struct judgement judgement;
        policy_judge_template(catalogue_at(catalogue, i), &judgement);
        expect(!judgement.promotional && judgement.score < 0.2f);
    }
    const struct template *ticket =
        catalogue_find(catalogue, SPAN("event_ticket"), SPAN("fr"), NULL);
    const struct field fields[] = {{SPAN("ticket"), SPAN("FR-20841")},
                                   {SPAN("first_name"), SPAN("Zoé")},
                                   {SPAN("venue"), SPAN("Opéra")},
                                   {SPAN("event"), SPAN("Carmen")},
                                   {SPAN("date"), SPAN("5 mai")}};
    struct values_input input = {.fields = fields, .count = 5, .named = true};
    struct values values;
    struct span field;
    char memory[1024];
    struct buffer text;
    buffer_init(&text, memory, sizeof(memory));
    expect_u64(values_read(ticket, &input, NULL, &values, &field), VALUES_OK);
    expect(values_render(ticket, &values, &text));
    expect_span(buffer_span(&text),
                SPAN("Votre billet\nBonjour Zoé, voici votre billet pour Carmen.\n\nDate : 5 "
                     "mai\nLieu : Opéra\nBillet : FR-20841\n\nPrésentez ce numéro et une pièce "
                     "d'identité à l'entrée.\nVous recevez ce message car vous avez réservé."));
    catalogue_close(catalogue);
}

int
main(void)
{
    TEST(finds_by_name_and_language);
    TEST(finds_among_many);
    TEST(reads_a_folder_in_order);
    TEST(ships_good_templates);
    return test_end();
}
