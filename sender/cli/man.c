/* facteur man: manual pages, from the tables that --help is made of. */
#include "sender/cli/cli.h"
#include "sender/page.h"

#include <stdio.h>

static const char verb_name[] = "man";

/* facteur(1): what it is, and its verbs. */
static void
print_front_page(void)
{
    printf(".TH FACTEUR 1 \"\" \"facteur %s\" \"facteur\"\n.SH NAME\n", FACTEUR_VERSION);
    page_print_troff("facteur");
    printf(" \\- ");
    page_print_troff("sends an enterprise's WhatsApp notifications");
    printf("\n.SH SYNOPSIS\n\\fBfacteur\\fR \\fIVERB\\fR [options]\n.SH DESCRIPTION\n");
    page_print_troff("Takes notifications from Redis, refuses what is promotional, sends the rest "
                     "to Meta's Graph API over HTTP/2, and knows what each country cost.");
    printf("\n.SH VERBS\n");
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++) {
        printf(".TP\n\\fBfacteur %s%s%s\\fR\n", verb->first, verb->second != NULL ? " " : "",
               verb->second != NULL ? verb->second : "");
        page_print_troff(verb->summary);
        putchar('\n');
    }
    printf(".PP\n");
    page_print_troff("facteur VERB --help, or facteur man VERB, says more of each, with an "
                     "example.");
    putchar('\n');
}

int
cli_man(int argc, char **argv)
{
    const struct verb verb = {
        verb_name,
        "a manual page",
        "[VERB]",
        "Prints troff, made from the same tables as --help. Without a verb: facteur(1) and all\n"
        "verbs.\n\nexample:\n"
        "  facteur man queue stats | man -l -\n"
        "  facteur man run > /usr/local/share/man/man1/facteur-run.1",
        NULL,
        0};
    int rest;
    int taken;
    char help[] = "--help=man";
    char *words[] = {help};
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest == 0) {
        print_front_page();
        return EXIT_GOOD;
    }
    const struct cli_verb *found = cli_find_verb(rest, argv, &taken);
    if (found == NULL)
        return cli_say_unknown("facteur man", rest, argv);
    if (taken != rest) {
        fprintf(stderr, "facteur man: one verb at a time; \"%s\" is too much\n", argv[taken]);
        return EXIT_USAGE;
    }
    return found->run(1, words);
}
