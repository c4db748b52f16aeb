#include "loadtest/chaos_child.h"
#include "loadtest/chaos_command.h"
#include "tests/unit/test.h"

#include <string.h>
#include <time.h>

static struct error_text error;
static char log_path[64];

static struct chaos_child
started(const char *script)
{
    struct chaos_child child = {0};
    const char *const arguments[] = {"sh", "-c", script, NULL};
    expect(chaos_child_start(&child, arguments, log_path, &error));
    return child;
}

static void
a_moment(void)
{
    const struct timespec wait = {.tv_nsec = 2000000};
    (void)nanosleep(&wait, NULL);
}

/* Waits for its end; what it came to. */
static const char *
ending_of(struct chaos_child *child)
{
    static char memory[64];
    struct buffer text;
    while (!chaos_child_has_ended(child))
        a_moment();
    expect(!chaos_child_has_ended(child)); /* it is told once */
    buffer_init(&text, memory, sizeof memory);
    chaos_child_put_status(child->status, &text);
    return buffer_text(&text);
}

static void
its_end_is_seen_and_named(void)
{
    struct chaos_child good = started("exit 0");
    expect_text(ending_of(&good), "exit 0");
    struct chaos_child bad = started("exit 69");
    expect_text(ending_of(&bad), "exit 69");
    struct chaos_child killed = started("kill -SEGV $$");
    expect(strncmp(ending_of(&killed), "signal 11", 9) == 0);
    struct chaos_child missing = {0};
    const char *const arguments[] = {"/nowhere/no-such-program", NULL};
    expect(chaos_child_start(&missing, arguments, log_path, &error));
    expect_text(ending_of(&missing), "exit 127");
}

static void
a_stopped_one_dies_of_a_kill(void)
{
    struct chaos_child child = started("sleep 60");
    expect(chaos_child_runs(&child));
    chaos_child_stop(&child);
    expect(!chaos_child_runs(&child));
    chaos_child_continue(&child);
    expect(chaos_child_runs(&child));
    chaos_child_stop(&child);
    chaos_child_kill(&child);
    expect(child.pid == 0 && !chaos_child_runs(&child) && !chaos_child_has_ended(&child));
    chaos_child_kill(&child); /* nothing there: nothing done */
}

static void
it_is_asked_to_end_before_it_is_made_to(void)
{
    struct chaos_child good = started("trap 'exit 0' TERM; while :; do sleep 0.01; done");
    const struct timespec begun = {.tv_nsec = 200000000};
    (void)nanosleep(&begun, NULL); /* its trap is set by then */
    expect(chaos_child_end(&good, 20000));
    struct chaos_child deaf = started("trap '' TERM; sleep 60");
    (void)nanosleep(&begun, NULL);
    expect(!chaos_child_end(&deaf, 50));
    expect(deaf.pid == 0);
}

/* Its output goes to the log, after what stands there. */
static void
its_output_is_kept(void)
{
    (void)unlink(log_path);
    struct chaos_child first = started("echo one");
    (void)ending_of(&first);
    struct chaos_child second = started("echo two >&2");
    (void)ending_of(&second);
    char text[32] = {0};
    FILE *file = fopen(log_path, "r");
    expect(file != NULL && fread(text, 1, sizeof text - 1, file) > 0);
    if (file != NULL)
        (void)fclose(file);
    expect_text(text, "one\ntwo\n");
}

static void
a_command_is_its_words(void)
{
    static struct chaos_command command;
    chaos_command_begin(&command);
    chaos_command_word(&command, "%s/run", "/usr");
    chaos_command_option(&command, "--wait", "%dms", 20);
    chaos_command_option(&command, "--save", "%s", "");
    static const char *const expected[] = {"/usr/run", "--wait", "20ms", "--save", ""};
    for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++)
        expect_text(command.words[i], expected[i]);
    expect(command.count == 5 && command.words[5] == NULL);
}

int
main(void)
{
    (void)snprintf(log_path, sizeof log_path, "/tmp/facteur-child-test.%d", (int)getpid());
    TEST(its_end_is_seen_and_named);
    TEST(a_stopped_one_dies_of_a_kill);
    TEST(it_is_asked_to_end_before_it_is_made_to);
    TEST(its_output_is_kept);
    TEST(a_command_is_its_words);
    (void)unlink(log_path);
    return test_end();
}
