/* facteur completion: what a shell offers at the tab key, from the tables that --help is made of.
 */
#include "sender/cli/cli.h"
#include "sender/page.h"

#include <stdio.h>
#include <string.h>

static const char verb_name[] = "completion";

/* Is it the first row with this first word? */
static bool
is_first_of_its_name(const struct cli_verb *verb)
{
    for (const struct cli_verb *other = cli_verbs; other != verb; other++)
        if (strcmp(other->first, verb->first) == 0)
            return false;
    return true;
}

/* Each verb prints its own branch: nobody else knows its options. */
static void
print_branches(const char *form)
{
    char help[32];
    char *words[] = {help};
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++) {
        snprintf(help, sizeof(help), "--help=%s", form);
        (void)verb->run(1, words);
    }
}

/* Calls print for each word that may follow `first`. */
static void
each_second(const char *first, void (*print)(const struct cli_verb *verb))
{
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++)
        if (verb->second != NULL && strcmp(verb->first, first) == 0)
            print(verb);
}

/* ---- bash ------------------------------------------------------------------------------------ */

static void
print_second_bash(const struct cli_verb *verb)
{
    printf("%s ", verb->second);
}

static const char bash_head[] =
    "# made by: facteur completion bash\n"
    "_facteur()\n"
    "{\n"
    "    local word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}\n"
    "    local verb=${COMP_WORDS[1]} at=2 options values files folders rest second\n"
    "    COMPREPLY=()\n";

static const char bash_tail[] =
    "    *) return ;;\n"
    "    esac\n"
    "    options=\"$options--help\"\n"
    "    if [[ \" $files\" == *\" $previous \"* ]]; then\n"
    "        compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))\n"
    "    elif [[ \" $folders\" == *\" $previous \"* ]]; then\n"
    "        compopt -o filenames; COMPREPLY=($(compgen -d -- \"$word\"))\n"
    "    elif [[ \" $values\" == *\" $previous \"* ]]; then\n"
    "        COMPREPLY=()\n"
    "    elif [[ $word == -* || -z $rest ]]; then\n"
    "        COMPREPLY=($(compgen -W \"$options\" -- \"$word\"))\n"
    "    else\n"
    "        compopt -o filenames; COMPREPLY=($(compgen -f -- \"$word\"))\n"
    "    fi\n"
    "}\n"
    "complete -F _facteur facteur\n";

static void
print_bash(void)
{
    printf("%s    if ((COMP_CWORD == 1)); then\n        COMPREPLY=($(compgen -W '", bash_head);
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++)
        if (is_first_of_its_name(verb))
            printf("%s ", verb->first);
    printf("' -- \"$word\"))\n        return\n    fi\n    case $verb in\n");
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++) {
        if (verb->second == NULL || !is_first_of_its_name(verb))
            continue;
        printf("    '%s') second='", verb->first);
        each_second(verb->first, print_second_bash);
        printf("' ;;\n");
    }
    printf("    esac\n    if [[ -n $second ]]; then\n        if ((COMP_CWORD == 2)); then\n"
           "            COMPREPLY=($(compgen -W \"$second\" -- \"$word\"))\n            return\n"
           "        fi\n        verb=\"$verb ${COMP_WORDS[2]}\"\n    fi\n    case $verb in\n");
    print_branches("bash");
    printf("%s", bash_tail);
}

/* ---- zsh ------------------------------------------------------------------------------------- */

static void
put_quoted(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            printf("'\\''");
        else if (*text == ':')
            printf("\\:");
        else
            putchar(*text);
    }
}

static void
print_word_zsh(const char *word, const char *summary)
{
    printf(" \\\n            '%s:", word);
    put_quoted(summary);
    putchar('\'');
}

static void
print_second_zsh(const struct cli_verb *verb)
{
    print_word_zsh(verb->second, verb->summary);
}

static void
print_second_words_zsh(const struct cli_verb *verb)
{
    printf("    ('%s')\n        if (( CURRENT == 3 )); then\n            words_of=(", verb->first);
    each_second(verb->first, print_second_zsh);
    printf(")\n            _describe -t verbs 'verb' words_of\n            return\n        fi\n"
           "        verb=\"$verb $words[3]\"; shift words; (( CURRENT-- )) ;;\n");
}

static void
print_zsh(void)
{
    printf("#compdef facteur\n# made by: facteur completion zsh\n_facteur()\n{\n"
           "    local -a words_of\n    local verb=$words[2]\n"
           "    if (( CURRENT == 2 )); then\n        words_of=(");
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++)
        if (is_first_of_its_name(verb))
            print_word_zsh(verb->first, verb->second != NULL ? "" : verb->summary);
    printf(")\n        _describe -t verbs 'verb' words_of\n        return\n    fi\n"
           "    case $verb in\n");
    for (const struct cli_verb *verb = cli_verbs; verb->first != NULL; verb++)
        if (verb->second != NULL && is_first_of_its_name(verb))
            print_second_words_zsh(verb);
    printf("    esac\n    shift words; (( CURRENT-- ))\n    case $verb in\n");
    print_branches("zsh");
    printf("    esac\n}\nif [[ $zsh_eval_context[-1] == loadautofunc ]]; then\n"
           "    _facteur \"$@\"\nelse\n    compdef _facteur facteur\nfi\n");
}

/* ---- the verb -------------------------------------------------------------------------------- */

int
cli_completion(int argc, char **argv)
{
    const struct verb verb = {
        verb_name,
        "what bash and zsh offer at the tab key",
        "bash|zsh",
        "Prints a script for the shell, made from the same tables as --help.\n\nexample:\n"
        "  source <(facteur completion bash)\n"
        "  facteur completion zsh > \"${fpath[1]}/_facteur\"",
        NULL,
        0};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest == 1 && strcmp(argv[0], "bash") == 0) {
        print_bash();
        return EXIT_GOOD;
    }
    if (rest == 1 && strcmp(argv[0], "zsh") == 0) {
        print_zsh();
        return EXIT_GOOD;
    }
    fprintf(stderr, "facteur completion: for which shell? facteur completion bash, or zsh\n");
    return EXIT_USAGE;
}
