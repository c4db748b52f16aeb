/*
 * simulation - whole workers in a world of one thread: one seed, one run.
 *
 *   simulation --seed N [--verbose]     one run; its story, turn by turn
 *   simulation --seeds FROM-TO          many; failing seeds are printed
 *   simulation --seeds 1-5 --backlog 20000
 *                                       runs about fairness: one account has so many waiting
 *   simulation --seeds 1-200 --break charge-twice --expect-fault
 *                                       with a library that is wrong; good if a run finds it
 */
#include "sender/base/check.h"
#include "tests/simulation/breaks.h"
#include "tests/simulation/fake_feed.h"
#include "tests/simulation/run.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FAILURES_MAX = 10 };

struct command {
    uint64_t first;
    uint64_t last;
    bool verbose;
    bool twice; /* each seed two times: the second must be the same */
    bool expects_fault;
    const char *break_name;
    uint32_t backlog; /* all runs are about fairness, with so many waiting */
};

static char dying_words[96]; /* for a broken belief of the product's, which ends the program */

static void
say_dying_words(void)
{
    ssize_t written = write(STDOUT_FILENO, dying_words, strlen(dying_words));
    (void)written;
}

static void
on_death(int number)
{
    say_dying_words();
    signal(number, SIG_DFL);
    raise(number);
}

/* A sanitizer ends the program in its own way. */
void __sanitizer_set_death_callback(void (*callback)(void)) __attribute__((weak));

static void
read_seeds(struct command *command, const char *text)
{
    char *end;
    command->first = command->last = strtoull(text, &end, 10);
    if (*end == '-')
        command->last = strtoull(end + 1, &end, 10);
    if (*end != '\0' || command->last < command->first) {
        fprintf(stderr, "simulation: --seeds FROM-TO, not %s\n", text);
        exit(64);
    }
}

static void
read_command(int argc, char **argv, struct command *command)
{
    *command = (struct command){.first = 1, .last = 100};
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];
        if (strcmp(word, "--verbose") == 0)
            command->verbose = true;
        else if (strcmp(word, "--twice") == 0)
            command->twice = true;
        else if (strcmp(word, "--expect-fault") == 0)
            command->expects_fault = true;
        else if (i + 1 < argc && (strcmp(word, "--seed") == 0 || strcmp(word, "--seeds") == 0))
            read_seeds(command, argv[++i]);
        else if (i + 1 < argc && strcmp(word, "--break") == 0)
            command->break_name = argv[++i];
        else if (i + 1 < argc && strcmp(word, "--backlog") == 0)
            command->backlog = (uint32_t)strtoul(argv[++i], NULL, 10);
        else {
            fprintf(stderr, "usage: simulation [--seed N | --seeds FROM-TO] [--verbose] [--twice] "
                            "[--backlog N] [--break NAME] [--expect-fault]\n");
            exit(64);
        }
    }
}

struct totals {
    uint64_t runs;
    uint64_t failures;
    uint64_t notices;
    uint64_t accepted;
    uint64_t possible;
    uint64_t forgotten;
    uint64_t doubled;
    uint64_t simulated_us;
};

/* True: good. */
static bool
run_one(const struct command *command, struct run_settings *settings, struct totals *totals)
{
    struct run_result result;
    snprintf(dying_words, sizeof(dying_words),
             "seed %" PRIu64 " ended the program: simulation --seed %" PRIu64 " --verbose\n",
             settings->seed, settings->seed);
    run_seed(settings, &result);
    totals->runs++;
    totals->notices += result.notices;
    totals->accepted += result.accepted;
    totals->possible += result.possible;
    totals->forgotten += result.forgotten;
    totals->doubled += result.doubled;
    totals->simulated_us += result.simulated_us;
    if (command->twice) {
        struct run_result again;
        run_seed(settings, &again);
        if (again.digest != result.digest) {
            printf("seed %" PRIu64 " went another way the second time\n", settings->seed);
            result.faults++;
        }
    }
    if (result.faults == 0)
        return true;
    totals->failures++;
    if (!command->expects_fault)
        printf("seed %" PRIu64 " failed: simulation --seed %" PRIu64 " --verbose\n", settings->seed,
               settings->seed);
    return false;
}

static void
say_totals(const struct totals *totals, double seconds)
{
    printf("%" PRIu64 " runs, %" PRIu64 " failed; %" PRIu64 " notices, %" PRIu64
           " accepted, %" PRIu64
           " of them possible duplicates; %.0f s of simulated time in %.1f s\n",
           totals->runs, totals->failures, totals->notices, totals->accepted, totals->possible,
           (double)totals->simulated_us / 1e6, seconds);
    if (totals->forgotten + totals->doubled > 0)
        printf("where Redis forgot what it had answered: %" PRIu64 " notices forgotten, %" PRIu64
               " sent twice\n",
               totals->forgotten, totals->doubled);
}

/* The library is loaded once: every run's Redis begins with it. */
static struct store_mark *
load_library(struct store *store, const char *break_name)
{
    char *text = break_name != NULL ? breaks_make(break_name) : NULL;
    if (text == NULL) {
        store_load_library(store);
        return store_mark(store);
    }
    const struct reply *reply = store_words(store, "FUNCTION", "LOAD", "REPLACE", text, NULL);
    if (reply->type == REPLY_ERROR) {
        fprintf(stderr, "simulation: break %s: %.*s\n", break_name, SPAN_ARG(reply->text));
        exit(1);
    }
    free(text);
    return store_mark(store);
}

static double
now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
    struct command command;
    struct totals totals = {0};
    read_command(argc, argv, &command);
    signal(SIGABRT, on_death);
    if (__sanitizer_set_death_callback == NULL)
        signal(SIGSEGV, on_death);
    if (__sanitizer_set_death_callback != NULL)
        __sanitizer_set_death_callback(say_dying_words);
    setvbuf(stdout, NULL, _IOLBF, 0);
    mallopt(M_MMAP_THRESHOLD, 128 * 1024); /* large memory comes zeroed, and untouched */
    double start_s = now_s();
    const struct store_settings shelf = {.seed = 1, .now_us = 1, .in_order = true};
    struct store *store = store_open(&shelf);
    struct store_mark *begin = load_library(store, command.break_name);
    struct run_settings settings = {.tells = command.verbose,
                                    .sender = house_build_sender(NOTICES_ACCOUNTS),
                                    .crowd = house_build_sender(NOTICES_ACCOUNTS_FAIR),
                                    .backlog = command.backlog,
                                    .begin = begin};
    fake_feed_open();
    for (uint64_t seed = command.first; seed <= command.last; seed++) {
        settings.seed = seed;
        bool good = run_one(&command, &settings, &totals);
        if (!good && (command.expects_fault || totals.failures == FAILURES_MAX))
            break;
    }
    fake_feed_close();
    house_free_sender(settings.sender);
    house_free_sender(settings.crowd);
    store_mark_drop(begin);
    store_close(store);
    dying_words[0] = '\0';
    say_totals(&totals, now_s() - start_s);
    return (totals.failures > 0) == command.expects_fault ? 0 : 1;
}
