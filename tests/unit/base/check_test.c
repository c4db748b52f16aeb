/* Beliefs: those that hold cost nothing, those that do not end the process. */
#include "sender/base/check.h"
#include "tests/unit/test.h"

#include <string.h>

struct thing {
    uint32_t magic;
};
enum { THING_MAGIC = 0x7e577e57 };

static void
true_beliefs_go_on(void)
{
    int evaluated = 0;
    check(++evaluated == 1);
    expect_u64(evaluated, 1);
    check_magic(&((struct thing){.magic = THING_MAGIC}), THING_MAGIC);
}

static void
false_beliefs_abort(void)
{
    expect_abort(check(1 + 1 == 3));
    struct thing wrong = {.magic = 1};
    struct thing *none = NULL;
    expect_abort(check_magic(&wrong, THING_MAGIC));
    expect_abort(check_magic(none, THING_MAGIC));
}

/* What a broken belief prints must name the condition and its place. */
static void
a_broken_belief_says_where(void)
{
    int ends[2];
    if (pipe(ends) != 0)
        exit(2);
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        check_failed("sum == 7", "queue/call.c", 42);
    }
    close(ends[1]);
    char text[256] = {0};
    ssize_t size = read(ends[0], text, sizeof(text) - 1);
    close(ends[0]);
    int status = 0;
    waitpid(child, &status, 0);
    expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    expect(size > 0 && strstr(text, "sum == 7") != NULL);
    expect(strstr(text, "queue/call.c:42") != NULL);
}

static void
memory_is_zeroed_or_the_end(void)
{
    unsigned char *memory = check_alloc(1000, 3);
    size_t sum = 0;
    for (size_t i = 0; i < 3000; i++)
        sum += memory[i];
    expect_u64(sum, 0);
    free(memory);
}

int
main(void)
{
    TEST(true_beliefs_go_on);
    TEST(false_beliefs_abort);
    TEST(a_broken_belief_says_where);
    TEST(memory_is_zeroed_or_the_end);
    return test_end();
}
