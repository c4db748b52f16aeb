#include "sender/edition.h"
#include "tests/unit/test.h"

#include <pthread.h>

#define JSON(name)                                                                                 \
    SPAN("{\"name\":\"" name "\",\"language\":\"fr\",\"category\":\"UTILITY\","                    \
         "\"components\":[{\"type\":\"BODY\",\"text\":\"Hello\"}]}")

static struct catalogue *
open_catalogue(void)
{
    static const char *const sources[] = {"1", "2"};
    const struct span jsons[] = {JSON("a"), JSON("b")};
    struct error_text error;
    return catalogue_open_memory(jsons, sources, 2, &error);
}

static void
has_a_form_for_each_template(void)
{
    struct catalogue *catalogue = open_catalogue();
    struct catalogue *other = open_catalogue();
    struct edition *edition = edition_open(catalogue);
    expect(edition_catalogue(edition) == catalogue);
    expect(edition_form(edition, catalogue_at(catalogue, 0)) != NULL);
    expect(edition_form(edition, catalogue_at(catalogue, 0)) !=
           edition_form(edition, catalogue_at(catalogue, 1)));
    /* A template of another edition has no form here: its index would name another template. */
    expect_abort((void)edition_form(edition, catalogue_at(other, 0)));
    edition_give(edition);
    edition_give(NULL);
    catalogue_close(other);
}

/* The last holder frees it: the sanitizer sees what is freed too early or never. */
static void *
hold(void *context)
{
    struct edition *edition = context;
    for (int i = 0; i < 20000; i++) {
        edition_take(edition);
        if (catalogue_count(edition_catalogue(edition)) != 2)
            abort();
        edition_give(edition);
    }
    edition_give(edition);
    return NULL;
}

static void
lives_as_long_as_its_last_holder(void)
{
    struct edition *edition = edition_open(open_catalogue());
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        edition_take(edition);
        expect(pthread_create(&threads[i], NULL, hold, edition) == 0);
    }
    edition_give(edition);
    for (int i = 0; i < 3; i++)
        expect(pthread_join(threads[i], NULL) == 0);
}

int
main(void)
{
    TEST(has_a_form_for_each_template);
    TEST(lives_as_long_as_its_last_holder);
    return test_end();
}
