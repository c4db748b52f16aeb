#include "sender/base/check.h"

#include <stdio.h>
#include <stdlib.h>

_Noreturn void
check_failed(const char *condition, const char *file, int line)
{
    fprintf(stderr, "facteur: broken belief: %s (%s:%d)\n", condition, file, line);
    fflush(stderr);
    abort();
}

void *
check_alloc(uint64_t count, uint64_t size)
{
    void *memory = calloc(count, size);
    if (memory == NULL) {
        fprintf(stderr, "facteur: out of memory: %llu x %llu bytes\n", (unsigned long long)count,
                (unsigned long long)size);
        abort();
    }
    return memory;
}
