#include "tests/simulation/breaks.h"

#include "queue/calls.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each replaces a text that stands in the library exactly once. */
static const struct {
    const char *name;
    const char *was;
    const char *is;
} breaks[] = {
    {"none", "", ""},
};

char *
breaks_make(const char *name)
{
    for (size_t i = 0; i < sizeof(breaks) / sizeof(breaks[0]); i++) {
        if (strcmp(breaks[i].name, name) != 0)
            continue;
        const char *at = strstr(library_text, breaks[i].was);
        if (at == NULL || strstr(at + 1, breaks[i].was) != NULL) {
            fprintf(stderr, "simulation: break %s: its text is not once in the library\n", name);
            exit(1);
        }
        size_t before = (size_t)(at - library_text);
        size_t size = library_size + strlen(breaks[i].is) + 1;
        char *text = malloc(size);
        snprintf(text, size, "%.*s%s%s", (int)before, library_text, breaks[i].is,
                 at + strlen(breaks[i].was));
        return text;
    }
    fprintf(stderr, "simulation: there is no break %s\n", name);
    exit(64);
}
