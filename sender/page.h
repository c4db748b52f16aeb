/*
 * page - a verb's table of options as a manual page, and as words for the completion of shells.
 *
 * All are made from the same struct verb as --help, so they cannot tell different stories. They are
 * asked for as `--help=FORM`, which every verb has without knowing of it.
 */
#ifndef FACTEUR_SENDER_PAGE_H
#define FACTEUR_SENDER_PAGE_H

#include "sender/options.h"

enum page_form {
    PAGE_TEXT, /* --help */
    PAGE_MAN,  /* troff, pure ASCII: `man -l -` and groff read it */
    PAGE_BASH, /* a branch of the function that `facteur completion bash` prints */
    PAGE_ZSH,  /* likewise */
    PAGE_FORMS,
};

/* Is it --help, -h, or --help=FORM (text, man, bash, zsh)? */
bool page_is_help(const char *argument, enum page_form *form);

/* Writes the verb's page to standard output. */
void page_print(const struct verb *verb, enum page_form form);

/* For a manual page: text in troff's own escapes, as it stands. */
void page_print_troff(const char *text);

#endif
