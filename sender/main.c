/*
 * facteur VERB …: finds the verb and runs it.
 */
#include "sender/cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

const struct cli_verb cli_verbs[] = {
    {"run", NULL, cli_run, "the sender: Redis → policy → price → Graph API → ledger"},
    {"enqueue", NULL, cli_enqueue, "JSON lines from files or standard input to the queue"},
    {"events", NULL, cli_events, "outcomes, one JSON line each; --follow as they come"},
    {"template", "lint", cli_template_lint, "what is against a template file, and how to mend it"},
    {"template", "add", cli_template_add, "put templates into a business's catalogue"},
    {"template", "list", cli_template_list, "the templates in force"},
    {"template", "show", cli_template_show, "a template as it is in force"},
    {"template", "preview", cli_template_preview, "a message as the customer will see it"},
    {"template", "remove", cli_template_remove, "take a template out of the catalogue"},
    {"template", "log", cli_template_log, "who changed which template, when and why"},
    {"policy", "check", cli_policy_check, "is a text promotional? With the words that say so"},
    {"phone", NULL, cli_phone, "is it a number, and whose? Country and market"},
    {"cost", "report", cli_cost_report, "what was spent, by country, category, template, day"},
    {"rates", "check", cli_rates_check, "what is wrong with rate cards, before they are used"},
    {"rates", "list", cli_rates_list, "which rate cards there are, and which is in force"},
    {"queue", "stats", cli_queue_stats, "what waits where, by account"},
    {"queue", "pause", cli_queue_pause, "an account stops sending"},
    {"queue", "resume", cli_queue_resume, "a paused account goes on"},
    {"dead", "list", cli_dead_list, "what was refused or given up, and why"},
    {"dead", "requeue", cli_dead_requeue, "it is sent again"},
    {"dead", "purge", cli_dead_purge, "it goes for good"},
    {"dead", "log", cli_dead_log, "who requeued or purged what, and why"},
    {"why", NULL, cli_why, "where one notification is, and what it waits for; or how it ended"},
    {"optout", "add", cli_optout_add, "nothing more to this recipient"},
    {"optout", "remove", cli_optout_remove, "this recipient may be written to again"},
    {"optout", "list", cli_optout_list, "who said stop"},
    {"doctor", NULL, cli_doctor, "can this machine, this Redis and this token carry a sender?"},
    {"completion", NULL, cli_completion, "what bash and zsh offer at the tab key"},
    {"man", NULL, cli_man, "a manual page, for man -l -"},
    {NULL, NULL, NULL, NULL},
};

static void
print_help(FILE *to)
{
    fprintf(to, "facteur - sends an enterprise's WhatsApp notifications from Redis, refuses "
                "promotional ones,\nand knows what each country cost\n\nusage: facteur VERB "
                "[options]\n\n");
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++)
        fprintf(to, "  %-10s %-8s %s\n", verb->first, verb->second != NULL ? verb->second : "",
                verb->summary);
    fprintf(to, "\nfacteur VERB --help says more, with an example. First steps: README.md\n");
}

/* The verb that the words name, and how many of them that takes; NULL if there is none. */
const struct cli_verb *
cli_find_verb(int count, char **words, int *taken)
{
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++) {
        *taken = verb->second != NULL ? 2 : 1;
        if (count >= *taken && strcmp(words[0], verb->first) == 0 &&
            (verb->second == NULL || strcmp(words[1], verb->second) == 0))
            return verb;
    }
    return NULL;
}

/* The first word is good, the second is missing or unknown: says which there are. */
static bool
say_second(const char *asker, int count, char **words)
{
    const char *names[CLI_VERBS_MAX];
    size_t known = 0;
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++)
        if (verb->second != NULL && strcmp(verb->first, words[0]) == 0 && known < CLI_VERBS_MAX)
            names[known++] = verb->second;
    if (known == 0)
        return false;
    const char *near = count > 1 ? options_nearest(words[1], names, known) : NULL;
    if (count > 1)
        fprintf(stderr, "%s: \"%s %s\" is not a verb", asker, words[0], words[1]);
    else
        fprintf(stderr, "%s: %s what?", asker, words[0]);
    if (near != NULL)
        fprintf(stderr, "; did you mean %s %s?", words[0], near);
    fprintf(stderr, "%s There is:", count > 1 && near == NULL ? "." : "");
    for (size_t i = 0; i < known; i++)
        fprintf(stderr, "%s facteur %s %s", i > 0 ? "," : "", words[0], names[i]);
    fprintf(stderr, "\n");
    return true;
}

int
cli_say_unknown(const char *asker, int count, char **words)
{
    const char *names[CLI_VERBS_MAX];
    size_t known = 0;
    if (say_second(asker, count, words))
        return EXIT_USAGE;
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++)
        if (known < CLI_VERBS_MAX)
            names[known++] = verb->first;
    const char *near = options_nearest(words[0], names, known);
    fprintf(stderr, "%s: \"%s\" is not a verb", asker, words[0]);
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
    int taken;
    const struct cli_verb *verb = cli_find_verb(argc - 1, argv + 1, &taken);
    if (verb == NULL)
        return cli_say_unknown("facteur", argc - 1, argv + 1);
    return verb->run(argc - 1 - taken, argv + 1 + taken);
}
