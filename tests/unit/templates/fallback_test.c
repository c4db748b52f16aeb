#include "templates/fallback.h"
#include "tests/unit/test.h"

#include <string.h>

#define JSON(name, language)                                                                       \
    SPAN("{\"name\":\"" name "\",\"language\":\"" language "\",\"category\":\"UTILITY\","          \
         "\"components\":[{\"type\":\"BODY\",\"text\":\"Hello\"}]}")

static struct catalogue *
open_catalogue(void)
{
    static const char *const sources[] = {"1", "2", "3", "4", "5"};
    const struct span jsons[] = {JSON("a", "fr"), JSON("a", "en"), JSON("b", "en"), JSON("c", "de"),
                                 JSON("c", "pt_BR")};
    struct error_text error;
    return catalogue_open_memory(jsons, sources, 5, &error);
}

/* What is found for a name and a language under some chains; NULL: nothing. */
static const struct lookup {
    const char *chains;
    const char *name;
    const char *language;
    const char *found;
} lookups[] = {
    {"", "a", "fr", "fr"},
    {"", "a", "fr_CA", NULL},
    {"fr_CA>fr>en", "a", "fr", "fr"}, /* what is asked for comes first */
    {"fr_CA>fr>en", "a", "fr_CA", "fr"},
    {"fr_CA>fr>en", "b", "fr_CA", "en"},
    {"fr_CA>fr>en", "b", "fr", "en"}, /* from the middle of a chain */
    {"fr_CA>fr>en", "c", "fr_CA", NULL},
    {"fr_CA>fr>en", "d", "fr_CA", NULL}, /* no such name */
    {"fr_CA>fr>en", "a", "es", NULL},    /* in no chain: nothing is guessed */
    {"fr_CA>fr>en", "c", "en", NULL},    /* the end of a chain */
    {"fr_CA > fr , es_MX>es>en", "b", "es_MX", "en"},
    {"fr_CA>fr,*>en", "a", "es", "en"},
    {"fr_CA>fr,*>en", "b", "fr_CA", "en"}, /* own chain first, then everybody's */
    {"*>en>de", "c", "it", "de"},
    {"it>es>de, es>pt_BR", "c", "es", "pt_BR"}, /* the chain that it begins, not one it is in */
    {"it>es, es>pt_BR", "c", "it", NULL},       /* chains are not joined */
};

static void
finds_along_a_chain(void)
{
    struct catalogue *catalogue = open_catalogue();
    for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
        const struct lookup *lookup = &lookups[i];
        struct fallback fallback = {0};
        struct error_text error = {""};
        bool known = false;
        expect(lookup->chains[0] == '\0' ||
               fallback_add(&fallback, span_of(lookup->chains), &error));
        expect_text(error.text, "");
        const struct template *template = fallback_find(&fallback, catalogue, span_of(lookup->name),
                                                        span_of(lookup->language), &known);
        expect_span(template == NULL ? SPAN("nothing") : template->language,
                    span_of(lookup->found == NULL ? "nothing" : lookup->found));
        expect(known == (lookup->name[0] != 'd'));
    }
    catalogue_close(catalogue);
}

static const struct refusal {
    const char *chains;
    const char *error;
} refusals[] = {
    {"", "fallback: \"\" is not a language of Meta's: write fr_CA>fr>en, or *>en for every "
         "language"},
    {"fr", "fallback: fr alone: a chain has two languages at least, as in fr_CA>fr"},
    {"fr>", "fallback: \"\" is not a language of Meta's: write fr_CA>fr>en, or *>en for every "
            "language"},
    {"fr>french", "fallback: \"french\" is not a language of Meta's: write fr_CA>fr>en, or *>en "
                  "for every language"},
    {"fr>*", "fallback: \"*\" is not a language of Meta's: write fr_CA>fr>en, or *>en for every "
             "language"},
    {"fr>en>fr", "fallback: fr is twice in one chain: keep one"},
    {"fr>en,fr>es", "fallback: fr begins two chains: join them"},
    {"fr>en,", "fallback: \"\" is not a language of Meta's: write fr_CA>fr>en, or *>en for every "
               "language"},
};

static void
refuses_bad_chains(void)
{
    for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        struct fallback fallback = {0};
        struct error_text error = {"nothing"};
        expect(fallback_add(&fallback, SPAN("de_AT>de"), &error));
        expect(!fallback_add(&fallback, span_of(refusals[i].chains), &error));
        expect_text(error.text, refusals[i].error);
        expect_u64(fallback.count, 2);
    }
    struct fallback full = {0};
    struct error_text error;
    char text[16];
    for (int i = 0; i < FALLBACK_LANGUAGES_MAX / 2; i++) {
        (void)snprintf(text, sizeof(text), "%c%c>en", 'a' + i / 26, 'a' + i % 26);
        expect(fallback_add(&full, span_of(text), &error));
    }
    expect(!fallback_add(&full, SPAN("zz>en"), &error));
    expect_text(error.text, "fallback: more than 128 languages in all chains");
}

int
main(void)
{
    TEST(finds_along_a_chain);
    TEST(refuses_bad_chains);
    return test_end();
}
