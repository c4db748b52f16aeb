#include "templates/stored.h"
#include "tests/unit/test.h"

#include <string.h>

#define TEXT(name, language, body)                                                                 \
    "{\"name\":\"" name "\",\"language\":\"" language "\",\"category\":\"UTILITY\","               \
    "\"components\":[{\"type\":\"BODY\",\"text\":\"" body "\"}]}"

static char memory[4096];

/* stored_read() changes the value in place. */
static bool
read_record(const char *field, const char *value, struct stored_template *stored,
            struct error_text *error)
{
    struct buffer copy;
    buffer_init(&copy, memory, sizeof(memory));
    buffer_put_text(&copy, value);
    expect(!copy.overflow);
    error->text[0] = '\0';
    return stored_read(span_of(field), buffer_span(&copy), stored, error);
}

static void
comes_back_as_it_was_written(void)
{
    const struct stored_template before = {
        .name = SPAN("a_1"),
        .language = SPAN("pt_BR"),
        .version = SPAN("0123456789abcdef"),
        .who = SPAN("Zoë \"Z\""),
        .why = SPAN("new\nwording \\ é"),
        .at_ms = 1790000000123,
        .json = SPAN(TEXT("a_1", "pt_BR", "Olá\\n{{1}} \\\" fim")),
    };
    char field[STORED_FIELD_MAX];
    char value[2048];
    struct buffer name;
    struct buffer text;
    struct stored_template after;
    struct error_text error;
    buffer_init(&name, field, sizeof(field));
    buffer_init(&text, value, sizeof(value));
    stored_put_field(&before, &name);
    stored_put_value(&before, &text);
    expect_span(buffer_span(&name), SPAN("a_1/pt_BR"));
    expect(stored_read(buffer_span(&name), buffer_span(&text), &after, &error));
    expect_span(after.name, before.name);
    expect_span(after.language, before.language);
    expect_span(after.version, before.version);
    expect_span(after.who, before.who);
    expect_span(after.why, before.why);
    expect_u64(after.at_ms, before.at_ms);
    expect_span(after.json, before.json);
}

static void
knows_what_was_removed(void)
{
    const struct stored_template gone = {.name = SPAN("a"), .language = SPAN("fr"), .at_ms = 5};
    char value[256];
    struct buffer text;
    struct stored_template after;
    struct error_text error;
    buffer_init(&text, value, sizeof(value));
    stored_put_value(&gone, &text);
    expect_span(buffer_span(&text),
                SPAN("{\"version\":\"\",\"who\":\"\",\"at\":5,\"why\":\"\",\"template\":null}"));
    expect(stored_read(SPAN("a/fr"), buffer_span(&text), &after, &error));
    expect_u64(after.json.size, 0);
}

static const struct refusal {
    const char *field;
    const char *value;
    const char *error;
} refusals[] = {
    {"a", "{}", "Redis: \"a\" is not NAME/LANGUAGE of a template"},
    {"a/", "{}", "Redis: \"a/\" is not NAME/LANGUAGE of a template"},
    {"/fr", "{}", "Redis: \"/fr\" is not NAME/LANGUAGE of a template"},
    {"a/fr/x", "{}", "Redis: \"a/fr/x\" is not NAME/LANGUAGE of a template"},
    {"A/fr", "{}", "Redis: \"A/fr\" is not NAME/LANGUAGE of a template"},
    {"a/fr", "{}", "Redis: template a/fr: its record has no \"template\": add it again"},
    {"a/fr", "garbage",
     "Redis: template a/fr: its record is not a JSON object (byte 1): add it again"},
    {"a/fr", "", "Redis: template a/fr: its record is not a JSON object (byte 1): add it again"},
    {"a/fr", "{\"template\":{\"name\":",
     "Redis: template a/fr: its record is not a JSON object (byte 21): add it again"},
    {"a/fr", "{\"template\":\"{}\"}",
     "Redis: template a/fr: \"template\" of its record is not as expected: add it again"},
    {"a/fr", "{\"template\":[]}",
     "Redis: template a/fr: \"template\" of its record is not as expected: add it again"},
    {"a/fr", "{\"who\":7,\"template\":null}",
     "Redis: template a/fr: \"who\" of its record is not as expected: add it again"},
    {"a/fr", "{\"at\":\"7\",\"template\":null}",
     "Redis: template a/fr: \"at\" of its record is not as expected: add it again"},
    {"a/fr", "{\"at\":-7,\"template\":null}",
     "Redis: template a/fr: \"at\" of its record is not as expected: add it again"},
};

static void
refuses_what_it_cannot_read(void)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct stored_template stored;
        struct error_text error;
        expect(!read_record(refusals[i].field, refusals[i].value, &stored, &error));
        expect_text(error.text, refusals[i].error);
        /* Without its text it hides the file of that name, as a removed one does. */
        bool named = span_equal(span_of(refusals[i].field), SPAN("a/fr"));
        expect_span(stored.name, named ? SPAN("a") : SPAN(""));
        expect_u64(stored.json.size, 0);
    }
}

/* A record cut anywhere is refused; nothing behind its end is read (the sanitizer watches). */
static void
refuses_a_record_cut_anywhere(void)
{
    static const char whole[] =
        "{\"version\":\"00\",\"who\":\"a\",\"at\":1,\"why\":\"b\",\"template\":" TEXT(
            "a", "fr", "Bonjour") "}";
    struct stored_template stored;
    struct error_text error;
    for (size_t size = 0; size < sizeof(whole) - 1; size++) {
        char *cut = malloc(size + 1);
        memcpy(cut, whole, size);
        expect(!stored_read(SPAN("a/fr"), (struct span){cut, size}, &stored, &error));
        free(cut);
    }
    expect(read_record("a/fr", whole, &stored, &error));
}

/* ---- over the files ------------------------------------------------------------------------- */

static struct error_text complaint;
static uint32_t complaint_count;

static void
on_bad(void *context, const struct error_text *error)
{
    expect(context == &complaint);
    complaint = *error;
    complaint_count++;
}
static const struct stored_complaints complaints = {on_bad, &complaint};

static struct catalogue *
open_files(void)
{
    static const char *const sources[] = {"a.fr.json", "a.en.json", "b.fr.json"};
    const struct span jsons[] = {SPAN(TEXT("a", "fr", "file")), SPAN(TEXT("a", "en", "file")),
                                 SPAN(TEXT("b", "fr", "file"))};
    struct error_text error;
    return catalogue_open_memory(jsons, sources, 3, &error);
}

static struct span
body_of(const struct catalogue *catalogue, struct span name, struct span language)
{
    const struct template *template = catalogue_find(catalogue, name, language, NULL);
    return template == NULL ? SPAN("none") : template->body.whole;
}

static void
lies_over_the_files(void)
{
    const struct stored_template stored[] = {
        {.name = SPAN("a"), .language = SPAN("fr"), .json = SPAN(TEXT("a", "fr", "stored"))},
        {.name = SPAN("c"), .language = SPAN("fr"), .json = SPAN(TEXT("c", "fr", "stored"))},
        {.name = SPAN("b"), .language = SPAN("fr")}, /* removed: hides its file */
        {.name = SPAN("d"), .language = SPAN("fr")}, /* removed, and never was a file */
    };
    struct catalogue *files = open_files();
    struct error_text error;
    struct catalogue *catalogue = stored_catalogue(stored, 4, files, &complaints, &error);
    expect_u64(catalogue_count(catalogue), 3);
    expect_span(body_of(catalogue, SPAN("a"), SPAN("fr")), SPAN("stored"));
    expect_span(body_of(catalogue, SPAN("a"), SPAN("en")), SPAN("file"));
    expect_span(body_of(catalogue, SPAN("c"), SPAN("fr")), SPAN("stored"));
    expect_span(body_of(catalogue, SPAN("b"), SPAN("fr")), SPAN("none"));
    expect_span(body_of(catalogue, SPAN("d"), SPAN("fr")), SPAN("none"));
    expect_text(catalogue_source(catalogue, 0), "Redis: template a/fr");
    expect_text(catalogue_source(catalogue, 2), "a.en.json");
    expect_span(catalogue_json(catalogue, 2), SPAN(TEXT("a", "en", "file")));
    expect_u64(complaint_count, 0);
    catalogue_close(catalogue);

    catalogue = stored_catalogue(NULL, 0, files, &complaints, &error);
    expect_u64(catalogue_count(catalogue), 3);
    catalogue_close(catalogue);
    catalogue = stored_catalogue(stored, 4, NULL, &complaints, &error);
    expect_u64(catalogue_count(catalogue), 2);
    catalogue_close(catalogue);
    catalogue_close(files);
}

/* One bad record costs its own template only, and does not let the file's old words out. */
static void
leaves_out_what_is_no_template(void)
{
    const struct stored_template stored[] = {
        {.name = SPAN("a"), .language = SPAN("fr"), .json = SPAN("{\"name\":\"a\"")},
        {.name = SPAN("a"), .language = SPAN("en"), .json = SPAN(TEXT("b", "en", "stored"))},
        {.name = SPAN("c"), .language = SPAN("fr"), .json = SPAN(TEXT("c", "fr", "stored"))},
    };
    struct catalogue *files = open_files();
    struct error_text error;
    complaint_count = 0;
    struct catalogue *catalogue = stored_catalogue(stored, 3, files, &complaints, &error);
    expect_u64(complaint_count, 2);
    expect_text(complaint.text, "Redis: template a/en: its text is that of b/en: add both again");
    expect_u64(catalogue_count(catalogue), 2);
    expect_span(body_of(catalogue, SPAN("a"), SPAN("fr")), SPAN("none"));
    expect_span(body_of(catalogue, SPAN("a"), SPAN("en")), SPAN("none"));
    expect_span(body_of(catalogue, SPAN("b"), SPAN("en")), SPAN("none"));
    expect_span(body_of(catalogue, SPAN("c"), SPAN("fr")), SPAN("stored"));
    catalogue_close(catalogue);
    catalogue_close(files);
}

static void
holds_no_more_than_meta_does(void)
{
    static struct stored_template stored[CATALOGUE_TEMPLATES_MAX];
    struct catalogue *files = open_files();
    struct error_text error;
    for (uint32_t i = 0; i < CATALOGUE_TEMPLATES_MAX; i++)
        stored[i] =
            (struct stored_template){.name = SPAN("x"), .language = SPAN("fr"), .json = SPAN("{}")};
    expect(stored_catalogue(stored, CATALOGUE_TEMPLATES_MAX - 2, files, &complaints, &error) ==
           NULL);
    expect_text(error.text, "6001 templates, those of Redis and those of files: at most 6000");
    catalogue_close(files);
}

int
main(void)
{
    TEST(comes_back_as_it_was_written);
    TEST(knows_what_was_removed);
    TEST(refuses_what_it_cannot_read);
    TEST(refuses_a_record_cut_anywhere);
    TEST(lies_over_the_files);
    TEST(leaves_out_what_is_no_template);
    TEST(holds_no_more_than_meta_does);
    return test_end();
}
