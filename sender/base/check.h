/*
 * check - what we believe of our own state, tested in release builds too.
 *
 * A belief that fails is a mistake in the program: it is printed with its place and the process
 * aborts, because going on would risk a double message or a wrong bill, and a crash loses nothing
 * (queue/README.md, crash table). Bytes from outside are never checked, they are judged.
 */
#ifndef FACTEUR_SENDER_BASE_CHECK_H
#define FACTEUR_SENDER_BASE_CHECK_H

#include <stdint.h>

#define check(condition)                                                                           \
    do {                                                                                           \
        if (__builtin_expect(!(condition), 0))                                                     \
            check_failed(#condition, __FILE__, __LINE__);                                          \
    } while (0)

/* Every struct that travels through a void pointer begins with a magic number of its own. */
#define check_magic(object, number) check((object) != NULL && (object)->magic == (number))

_Noreturn void check_failed(const char *condition, const char *file, int line);

/* calloc() that never returns NULL: memory is taken at start, where running out is fatal. */
void *check_alloc(uint64_t count, uint64_t size);

#endif
