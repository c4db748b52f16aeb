#include "sender/options.h"
#include "tests/unit/test.h"

#include <string.h>

struct values {
    bool flag;
    const char *text;
    uint64_t number;
    uint64_t time_ms;
    struct option_list list;
};

static struct values values;

static const struct option_row rows[] = {
    {"strict", OPTION_FLAG, &values.flag, NULL, "refuse more", NULL},
    {"graph", OPTION_TEXT, &values.text, "URL", "where it is", "OPTIONS_TEST_GRAPH"},
    {"workers", OPTION_NUMBER, &values.number, "N", "threads", "OPTIONS_TEST_WORKERS"},
    {"request-timeout", OPTION_TIME, &values.time_ms, "TIME", "how long", NULL},
    {"account", OPTION_LIST, &values.list, "NAME", "one or more", "OPTIONS_TEST_ACCOUNT"},
};

static const struct verb verb = {"test",          "a verb", "[options] FILE…",
                                 "What it does.", rows,     sizeof(rows) / sizeof(rows[0])};

/* Reads the words (the last one NULL), with what is said on standard error in `said`. */
static int
read_words(const char *const *words, char **argv, int *rest, char *said, size_t size)
{
    int argc = 0;
    char path[] = "/tmp/facteur-options-XXXXXX";
    int file = mkstemp(path);
    int before = dup(STDERR_FILENO);
    memset(&values, 0, sizeof(values));
    for (; words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc];
    fflush(stderr);
    dup2(file, STDERR_FILENO);
    int code = options_read(&verb, argc, argv, rest);
    fflush(stderr);
    dup2(before, STDERR_FILENO);
    ssize_t got = pread(file, said, size - 1, 0);
    said[got > 0 ? got : 0] = '\0';
    close(before);
    close(file);
    unlink(path);
    return code;
}

static void
times_have_units(void)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } good[] = {{"0s", 0},       {"500ms", 500},
                {"10s", 10000},  {"5m", 300000},
                {"2h", 7200000}, {"1d", 24 * 3600000u},
                {"007s", 7000},  {"1000000000d", (uint64_t)1000000000 * 24 * 3600000}};
    static const char *const bad[] = {
        "",      "10", "s",    "-1s",         "1.5s",  "10 s", "10S",
        "10sec", "1w", "10s ", "1000000001s", "1h30m", "0x1s", "99999999999999999999s"};
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        uint64_t ms = 1;
        expect(options_time(good[i].text, &ms));
        expect_u64(ms, good[i].ms);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint64_t ms = 77;
        if (options_time(bad[i], &ms))
            printf("\"%s\" was taken for a time\n", bad[i]);
        expect(!options_time(bad[i], &ms));
        expect_u64(ms, 77);
    }
}

static void
the_nearest_name_is_found_if_one_is_near(void)
{
    static const char *const names[] = {"workers", "connections", "streams", "lease"};
    static const struct {
        const char *text, *nearest;
    } cases[] = {
        {"workers", "workers"},
        {"worker", "workers"},
        {"wrokers", "workers"},
        {"stream", "streams"},
        {"conections", "connections"},
        {"leese", "lease"},
        {"xyz", NULL},
        {"", NULL},
        {"leas", "lease"},
        {"a-name-that-is-much-longer-than-any-option-could-ever-be", NULL},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *nearest = options_nearest(cases[i].text, names, 4);
        expect_text(nearest == NULL ? "(none)" : nearest,
                    cases[i].nearest == NULL ? "(none)" : cases[i].nearest);
    }
    expect(options_nearest("workers", names, 0) == NULL);
}

static void
every_kind_is_read_in_both_forms(void)
{
    const char *const words[] = {"--strict",    "--graph",       "https://h", "first",
                                 "--workers=3", "--account",     "a/b",       "--request-timeout",
                                 "5m",          "--account=c/d", "second",    NULL};
    char *argv[16];
    char said[1024];
    int rest;
    expect(read_words(words, argv, &rest, said, sizeof(said)) == -1);
    expect_text(said, "");
    expect(values.flag);
    expect_text(values.text, "https://h");
    expect_u64(values.number, 3);
    expect_u64(values.time_ms, 300000);
    expect_u64(values.list.count, 2);
    expect_text(values.list.items[0], "a/b");
    expect_text(values.list.items[1], "c/d");
    expect_u64(rest, 2);
    expect_text(argv[0], "first");
    expect_text(argv[1], "second");
}

static void
values_may_hold_anything(void)
{
    const char *const words[] = {"--graph=a=b", "-", "--", "--account", "--strict", NULL};
    char *argv[16];
    char said[1024];
    int rest;
    expect(read_words(words, argv, &rest, said, sizeof(said)) == -1);
    expect_text(values.text, "a=b");
    expect(!values.flag); /* it was the account's value */
    expect_text(values.list.items[0], "--strict");
    expect_u64(rest, 2);
}

static void
mistakes_are_told_with_what_to_do(void)
{
    static const struct {
        const char *words[4];
        const char *says;
    } cases[] = {
        {{"--grahp", "x", NULL}, "did you mean --graph?"},
        {{"--zzzzzzzz", NULL}, "is not an option"},
        {{"--graph", NULL}, "--graph needs a value"},
        {{"--strict=yes", NULL}, "--strict takes no value"},
        {{"--workers", "many", NULL}, "must be a whole number"},
        {{"--workers", "-1", NULL}, "must be a whole number"},
        {{"--workers=", NULL}, "must be a whole number"},
        {{"--request-timeout", "30", NULL}, "a time with its unit"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *argv[16];
        char said[1024];
        int rest;
        expect(read_words(cases[i].words, argv, &rest, said, sizeof(said)) == EXIT_USAGE);
        if (strstr(said, cases[i].says) == NULL)
            printf("said \"%s\", expected \"%s\"\n", said, cases[i].says);
        expect(strstr(said, cases[i].says) != NULL);
        expect(strstr(said, "facteur test") != NULL);
    }
}

static void
the_environment_stands_behind_the_flags(void)
{
    const char *const nothing[] = {NULL};
    const char *const flags[] = {"--graph", "flag", "--account", "x/y", NULL};
    char *argv[16];
    char said[1024];
    int rest;
    setenv("OPTIONS_TEST_GRAPH", "environment", 1);
    setenv("OPTIONS_TEST_ACCOUNT", "a/b", 1);
    expect(read_words(nothing, argv, &rest, said, sizeof(said)) == -1);
    expect_text(values.text, "environment");
    expect_u64(values.list.count, 1);
    expect(read_words(flags, argv, &rest, said, sizeof(said)) == -1);
    expect_text(values.text, "flag");
    expect_u64(values.list.count, 1); /* the flags' list replaces the environment's */
    expect_text(values.list.items[0], "x/y");

    setenv("OPTIONS_TEST_WORKERS", "many", 1);
    expect(read_words(nothing, argv, &rest, said, sizeof(said)) == EXIT_USAGE);
    expect(strstr(said, "OPTIONS_TEST_WORKERS=many") != NULL);
    setenv("OPTIONS_TEST_WORKERS", "", 1); /* set, and empty: not said */
    expect(read_words(nothing, argv, &rest, said, sizeof(said)) == -1);
    unsetenv("OPTIONS_TEST_GRAPH");
    unsetenv("OPTIONS_TEST_ACCOUNT");
    unsetenv("OPTIONS_TEST_WORKERS");
}

static void
a_list_has_an_end(void)
{
    static const char *words[2 * OPTION_LIST_MAX + 4];
    static char *argv[2 * OPTION_LIST_MAX + 4];
    char said[1024];
    int rest;
    for (int i = 0; i <= OPTION_LIST_MAX; i++) {
        words[2 * i] = "--account";
        words[2 * i + 1] = "a/b";
    }
    expect(read_words(words, argv, &rest, said, sizeof(said)) == EXIT_USAGE);
    expect(strstr(said, "fewer") != NULL);
    words[2 * (size_t)OPTION_LIST_MAX] = NULL;
    expect(read_words(words, argv, &rest, said, sizeof(said)) == -1);
    expect_u64(values.list.count, OPTION_LIST_MAX);
}

/* --help wins over everything, is printed to standard output and ends well. */
static void
help_names_every_option(void)
{
    const char *const words[] = {"--help", NULL};
    char path[] = "/tmp/facteur-options-XXXXXX";
    char *argv[4];
    char said[1024];
    char text[8192];
    int rest;
    int file = mkstemp(path);
    fflush(stdout);
    int before = dup(STDOUT_FILENO);
    dup2(file, STDOUT_FILENO);
    setenv("OPTIONS_TEST_WORKERS", "many", 1);
    int code = read_words(words, argv, &rest, said, sizeof(said));
    unsetenv("OPTIONS_TEST_WORKERS");
    fflush(stdout);
    dup2(before, STDOUT_FILENO);
    ssize_t got = pread(file, text, sizeof(text) - 1, 0);
    text[got > 0 ? got : 0] = '\0';
    close(before);
    close(file);
    unlink(path);
    expect(code == EXIT_GOOD);
    expect_text(said, "");
    expect(strstr(text, "What it does.") != NULL);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        expect(strstr(text, rows[i].name) != NULL);
        expect(strstr(text, rows[i].help) != NULL);
        expect(rows[i].environment == NULL || strstr(text, rows[i].environment) != NULL);
    }
}

int
main(void)
{
    TEST(times_have_units);
    TEST(the_nearest_name_is_found_if_one_is_near);
    TEST(every_kind_is_read_in_both_forms);
    TEST(values_may_hold_anything);
    TEST(mistakes_are_told_with_what_to_do);
    TEST(the_environment_stands_behind_the_flags);
    TEST(a_list_has_an_end);
    TEST(help_names_every_option);
    return test_end();
}
