/*
 * test - the little that a unit test needs: a table of cases, expectations that print both sides.
 *
 *   static void splits_at_the_first(void) { expect_u64(count, 2); }
 *   int main(void) { TEST(splits_at_the_first); return test_end(); }
 *
 * A failed expectation is printed and counted, and the test goes on; the process then exits 1.
 */
#ifndef FACTEUR_TESTS_UNIT_TEST_H
#define FACTEUR_TESTS_UNIT_TEST_H

#include "sender/base/bytes.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int test_failures_;
static int test_count_;

#define expect(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            test_failures_++;                                                                      \
            printf("%s:%d: expected %s\n", __FILE__, __LINE__, #condition);                        \
        }                                                                                          \
    } while (0)

#define expect_u64(actual, expected)                                                               \
    do {                                                                                           \
        uint64_t actual_ = (uint64_t)(actual), expected_ = (uint64_t)(expected);                   \
        if (actual_ != expected_) {                                                                \
            test_failures_++;                                                                      \
            printf("%s:%d: %s is %" PRIu64 ", expected %" PRIu64 "\n", __FILE__, __LINE__,         \
                   #actual, actual_, expected_);                                                   \
        }                                                                                          \
    } while (0)

#define expect_span(actual, expected)                                                              \
    do {                                                                                           \
        struct span actual_ = (actual), expected_ = (expected);                                    \
        if (!span_equal(actual_, expected_)) {                                                     \
            test_failures_++;                                                                      \
            printf("%s:%d: %s is \"%.*s\", expected \"%.*s\"\n", __FILE__, __LINE__, #actual,      \
                   SPAN_ARG(actual_), SPAN_ARG(expected_));                                        \
        }                                                                                          \
    } while (0)

#define expect_text(actual, expected) expect_span(span_of(actual), span_of(expected))

/* Runs `call` in a child and expects that it aborts: a broken belief is part of the contract. */
#define expect_abort(call)                                                                         \
    do {                                                                                           \
        fflush(stdout);                                                                            \
        pid_t child_ = fork();                                                                     \
        if (child_ == 0) {                                                                         \
            if (freopen("/dev/null", "w", stderr) == NULL)                                         \
                _exit(9);                                                                          \
            call;                                                                                  \
            _exit(0);                                                                              \
        }                                                                                          \
        int status_ = 0;                                                                           \
        waitpid(child_, &status_, 0);                                                              \
        expect(WIFSIGNALED(status_) && WTERMSIG(status_) == SIGABRT);                              \
    } while (0)

#define TEST(function)                                                                             \
    do {                                                                                           \
        int before_ = test_failures_;                                                              \
        test_count_++;                                                                             \
        function();                                                                                \
        if (test_failures_ != before_)                                                             \
            printf("FAILED %s\n", #function);                                                      \
    } while (0)

static inline int
test_end(void)
{
    printf("%d tests, %d failed expectations\n", test_count_, test_failures_);
    return test_failures_ == 0 ? 0 : 1;
}

#endif
