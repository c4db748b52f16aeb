#include "loadtest/chaos_command.h"
#include "sender/base/check.h"

#include <stdarg.h>
#include <stdio.h>

void
chaos_command_begin(struct chaos_command *command)
{
    command->count = command->used = 0;
    command->words[0] = NULL;
}

static void __attribute__((format(printf, 2, 0)))
add(struct chaos_command *command, const char *format, va_list arguments)
{
    char *word = command->memory + command->used;
    int room = CHAOS_COMMAND_SIZE - command->used;
    int size = vsnprintf(word, (size_t)room, format, arguments);
    check(size >= 0 && size < room && command->count < CHAOS_WORDS_MAX);
    command->used += size + 1;
    command->words[command->count++] = word;
    command->words[command->count] = NULL;
}

void
chaos_command_word(struct chaos_command *command, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add(command, format, arguments);
    va_end(arguments);
}

void
chaos_command_option(struct chaos_command *command, const char *name, const char *format, ...)
{
    va_list arguments;
    chaos_command_word(command, "%s", name);
    va_start(arguments, format);
    add(command, format, arguments);
    va_end(arguments);
}
