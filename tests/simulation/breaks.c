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
    /* A settle does not look at the bits: one that was done may be done again. */
    {"token",
     "  if shared then\n"
     "    return 'already ' .. shared\n",
     "  if false then\n"
     "    return 'already ' .. shared\n"},
    /* A settle does not set the bits: the same, and receipts count again. */
    {"bits", "    group.grant.is_changed = true\n", ""},
    /* It charges twice. */
    {"charge", "cell.field .. '.millionths', cell.millionths)",
     "cell.field .. '.millionths', 2 * cell.millionths)"},
    /* What a dead worker had sent is given to the next one, as if it had not left. */
    {"recover", "  local outcomes = park_members(book, members, until_ms, now)\n",
     "  local outcomes = {}\n"},
    /* A receipt leaves the exposed line: a second one is charged again. */
    {"receipt",
     "    redis.call('HDEL', book.k.exposed, receipt.token)\n"
     "    book.exposed[receipt.token] = false\n"
     "    return exposed, false\n",
     "    return exposed, false\n"},
    /* An uncertain attempt is not written down as exposed. */
    {"exposure", "  if group.action == 'uncertain' then\n    redis.call('HSET', k.exposed",
     "  if false then\n    redis.call('HSET', k.exposed"},
    /* An id is never taken. */
    {"ids", "      redis.call('SET', id.key, id.member)\n", ""},
    /* What a receipt has proven of a member is forgotten when a second attempt of it is settled. */
    {"proven", "  find_proven_members(book, group)\n  mark_group(book, group)\n",
     "  mark_group(book, group)\n"},
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
