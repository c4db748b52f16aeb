/*
 * chaos_command - a command line in the making: words, formatted into memory of its own.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_COMMAND_H
#define FACTEUR_LOADTEST_CHAOS_COMMAND_H

enum { CHAOS_WORDS_MAX = 80, CHAOS_COMMAND_SIZE = 8192 };

struct chaos_command {
    const char *words[CHAOS_WORDS_MAX + 1]; /* NULL after the last; into `memory` */
    int count;
    int used;
    char memory[CHAOS_COMMAND_SIZE];
};

void chaos_command_begin(struct chaos_command *command); /* empty; it may not be moved after */
/* One more word. */
void chaos_command_word(struct chaos_command *command, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Two: an option and its value. */
void chaos_command_option(struct chaos_command *command, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
