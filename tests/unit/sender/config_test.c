#include "sender/config.h"

#include "tests/unit/test.h"

#include <string.h>

static char path[64];

static struct config_file *
open_text(const char *text, size_t size, struct error_text *error)
{
    snprintf(path, sizeof(path), "/tmp/facteur-config-%d.yaml", (int)getpid());
    FILE *file = fopen(path, "we");
    if (file == NULL || fwrite(text, 1, size, file) != size)
        abort();
    fclose(file);
    error->text[0] = '\0';
    struct config_file *config = config_open(path, error);
    unlink(path);
    return config;
}

static const char good[] = "# a comment\n"
                           "redis: unix:/run/redis.sock\n"
                           "lease: 5s\n"
                           "uncertain: resend\n"
                           "retry_classes:\n"
                           "  retry_limited: 5s, 1m*3\n"
                           "businesses:\n"
                           "  - name: acme\n"
                           "    accounts:\n"
                           "      - name: fr\n"
                           "        phone_number_id: \"106540352242922\"\n"
                           "        pace: 80/s\n"
                           "        uncertain: drop\n"
                           "        retry_classes: {unknown: none}\n"
                           "      - name: de\n"
                           "        phone_number_id: 1065\n"
                           "        token_file: /etc/facteur/de\n"
                           "  - name: other\n"
                           "    accounts:\n"
                           "      - {name: x, phone_number_id: 1}\n";

static void
a_file_is_read(void)
{
    struct error_text error;
    struct config_file *file = open_text(good, sizeof(good) - 1, &error);
    expect(file != NULL);
    if (file == NULL)
        return;
    const struct config *config = config_of(file);
    expect_text(config->redis, "unix:/run/redis.sock");
    expect_text(config->lease, "5s");
    expect(config->graph == NULL);
    expect_u64(config->businesses_count, 2);
    expect_u64(config->businesses[0].accounts_count, 2);
    expect_text(config->businesses[0].accounts[0].phone_number_id, "106540352242922");
    expect_text(config->businesses[0].accounts[0].pace, "80/s");
    expect_text(config->uncertain, "resend");
    expect(config->uncertain_codes == NULL);
    expect_text(config->retry_classes->retry_limited, "5s, 1m*3");
    expect(config->retry_classes->unknown == NULL);
    expect_text(config->businesses[0].accounts[0].uncertain, "drop");
    expect_text(config->businesses[0].accounts[0].retry_classes->unknown, "none");
    expect(config->businesses[0].accounts[1].retry_classes == NULL);
    expect_text(config->businesses[0].accounts[1].token_file, "/etc/facteur/de");
    expect_text(config->businesses[1].accounts[0].name, "x");
    expect_u64(config_line(file, "lease", "5s"), 3);
    expect_u64(config_line(file, "name", "de"), 15);
    expect_u64(config_line(file, "pace", "80/s"), 12);
    expect_u64(config_line(file, "pace", "81/s"), 0);
    config_close(file);
}

static void
mistakes_are_named_with_their_line(void)
{
    static const struct {
        const char *text;
        const char *says; /* what the error must hold */
    } cases[] = {
        {"redis: x\nlaese: 2s\n", ":2: unknown key \"laese\"; did you mean \"lease\"?"},
        {"businesses:\n  - name: a\n    accounts:\n      - name: b\n        phone_number: 1\n",
         ":5: unknown key \"phone_number\"; did you mean \"phone_number_id\"?"},
        {"redis: x\n\tlease: 2s\n", ":2: a tab: YAML wants spaces"},
        {"redis: x\nredis: y\n", ":2: the key \"redis\" stands twice"},
        {"businesses:\n  - name: a\n    accounts:\n      - name: b\n",
         "\"phone_number_id\" is missing here"},
        {"businesses:\n  - accounts: []\n", ":2"},
        {"redis: [a, b]\n", ":1"},
        {"- a\n- b\n", ":1"},
        {"redis: x\n  y: z\n", ":"},
        {"", "empty"},
        {"redis: \"unfinished\n", ":"},
        {"zzzzzzzz: 1\n", ":1: unknown key \"zzzzzzzz\""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct error_text error;
        struct config_file *file = open_text(cases[i].text, strlen(cases[i].text), &error);
        expect(file == NULL);
        expect(strncmp(error.text, path, strlen(path)) == 0); /* it begins with the file */
        if (strstr(error.text, cases[i].says) == NULL) {
            printf("case %zu says: %s\n", i, error.text);
            expect(strstr(error.text, cases[i].says) != NULL);
        }
        config_close(file);
    }
}

static void
what_is_no_text_file_is_refused(void)
{
    struct error_text error;
    expect(open_text("redis: \0x\n", 10, &error) == NULL);
    expect(strstr(error.text, "NUL") != NULL);
    expect(config_open("/nowhere/facteur.yaml", &error) == NULL);
    expect(strstr(error.text, "/nowhere/facteur.yaml") != NULL);
    expect(config_open("/tmp", &error) == NULL);
}

/* Cut anywhere, a file is either still a configuration or an error with words; never a crash. */
static void
a_file_cut_anywhere(void)
{
    for (size_t size = 0; size < sizeof(good); size += 3) {
        struct error_text error;
        struct config_file *file = open_text(good, size, &error);
        expect((file != NULL) == (error.text[0] == '\0'));
        config_close(file);
    }
}

int
main(void)
{
    TEST(a_file_is_read);
    TEST(mistakes_are_named_with_their_line);
    TEST(what_is_no_text_file_is_refused);
    TEST(a_file_cut_anywhere);
    return test_end();
}
