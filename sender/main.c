/*
 * facteur VERB …: finds the verb and runs it.
 */
#include "sender/cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
    const char *first;
    const char *second; /* NULL: the verb is one word */
    int (*run)(int argc, char **argv);
    const char *summary;
} verbs[] = {
    {"run", NULL, cli_run, "the sender: Redis → policy → price → Graph API → ledger"},
    {"enqueue", NULL, cli_enqueue, "JSON lines from files or standard input to the queue"},
    {"events", NULL, cli_events, "outcomes, one JSON line each; --follow as they come"},
    {"policy", "check", cli_policy_check, "is a text promotional? With the words that say so"},
    {"phone", NULL, cli_phone, "is it a number, and whose? Country and market"},
    {"cost", "report", cli_cost_report, "what was spent, by country, category, template, day"},
    {"queue", "stats", cli_queue_stats, "what waits where, by account"},
};

enum { VERBS = sizeof(verbs) / sizeof(verbs[0]) };

static void
print_help(FILE *to)
{
    fprintf(to, "facteur - sends an enterprise's WhatsApp notifications from Redis, refuses "
                "promotional ones,\nand knows what each country cost\n\nusage: facteur VERB "
                "[options]\n\n");
    for (size_t i = 0; i < VERBS; i++)
        fprintf(to, "  %-7s%-8s %s\n", verbs[i].first,
                verbs[i].second != NULL ? verbs[i].second : "", verbs[i].summary);
    fprintf(to, "\nfacteur VERB --help says more, with an example. First steps: README.md\n");
}

static int
say_unknown(const char *word)
{
    const char *names[VERBS];
    for (size_t i = 0; i < VERBS; i++)
        names[i] = verbs[i].first;
    const char *near = options_nearest(word, names, VERBS);
    fprintf(stderr, "facteur: \"%s\" is not a verb", word);
    if (near != NULL)
        fprintf(stderr, "; did you mean %s?", near);
    fprintf(stderr, "\nsee facteur --help\n");
    return EXIT_USAGE;
}

int
main(int argc, char **argv)
{
    signal(SIGPIPE, SIG_DFL);
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        print_help(stdout);
        return EXIT_GOOD;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "version") == 0) {
        printf("facteur %s\n", FACTEUR_VERSION);
        return EXIT_GOOD;
    }
    for (size_t i = 0; i < VERBS; i++) {
        if (strcmp(argv[1], verbs[i].first) != 0)
            continue;
        if (verbs[i].second == NULL)
            return verbs[i].run(argc - 2, argv + 2);
        if (argc > 2 && strcmp(argv[2], verbs[i].second) == 0)
            return verbs[i].run(argc - 3, argv + 3);
        fprintf(stderr, "facteur: %s what? There is: facteur %s %s\n", verbs[i].first,
                verbs[i].first, verbs[i].second);
        return EXIT_USAGE;
    }
    return say_unknown(argv[1]);
}
