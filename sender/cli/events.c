/* facteur events: outcomes, one JSON line each. */
#include "sender/cli/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char verb_name[] = "events";

struct events_options {
    struct cli_store store;
    bool follow;
    const char *since; /* an id of the events stream, or NULL */
    uint64_t count;    /* outcomes; 0: all */
};

/* The `outcomes` of one entry of the stream: lines, as a settle wrote them. */
static struct span
outcomes_of(const struct reply *entry)
{
    const struct reply *fields = reply_at(entry, 1);
    for (size_t i = 0; fields != NULL && i + 1 < fields->count; i += 2)
        if (reply_is_text(fields->elements[i], "outcomes"))
            return fields->elements[i + 1]->text;
    return (struct span){0};
}

/* Prints one entry; `*left` outcomes may still be printed. False when the reader went away. */
static bool
print_entry(const struct reply *entry, uint64_t *left)
{
    struct span lines = outcomes_of(entry);
    while (lines.size > 0 && *left > 0) {
        struct span line = span_split(&lines, '\n');
        if (line.size == 0)
            continue;
        (*left)--;
        if (fwrite(line.data, 1, line.size, stdout) != line.size || putchar('\n') == EOF)
            return false;
    }
    return true;
}

/* Remembers where to go on. */
static bool
note_id(const struct reply *entry, char *id, size_t size)
{
    const struct reply *name = reply_at(entry, 0);
    if (name == NULL || name->text.size >= size)
        return false;
    memcpy(id, name->text.data, name->text.size);
    id[name->text.size] = '\0';
    return true;
}

static int
say_trouble(struct redis_sync *sync, const struct reply *reply)
{
    fprintf(stderr, "facteur events: %.*s\n",
            reply == NULL ? (int)strlen(redis_sync_trouble(sync)) : (int)reply->text.size,
            reply == NULL ? redis_sync_trouble(sync) : reply->text.data);
    return EXIT_UNAVAILABLE;
}

/* XREAD gives what is there at once, and blocks only at the end of the stream. */
static int
print_events(struct redis_sync *sync, const char *key, const struct events_options *options)
{
    char id[64] = "0-0";
    uint64_t left = options->count > 0 ? options->count : UINT64_MAX;
    if (options->since != NULL)
        snprintf(id, sizeof(id), "%s", options->since);
    while (left > 0) {
        const struct reply *reply =
            options->follow
                ? redis_sync_words(sync, "XREAD", "COUNT", "100", "BLOCK", "0", "STREAMS", key, id,
                                   NULL)
                : redis_sync_words(sync, "XREAD", "COUNT", "100", "STREAMS", key, id, NULL);
        if (reply == NULL || reply->type == REPLY_ERROR)
            return say_trouble(sync, reply);
        const struct reply *entries = reply_at(reply_at(reply, 0), 1);
        if (entries == NULL)
            break; /* nothing (more), and nobody asked to wait */
        for (size_t i = 0; i < entries->count && left > 0; i++)
            if (!note_id(entries->elements[i], id, sizeof(id)) ||
                !print_entry(entries->elements[i], &left))
                return EXIT_GOOD; /* the pipe's other end has seen enough */
        if (fflush(stdout) != 0)
            return EXIT_GOOD;
    }
    return EXIT_GOOD;
}

int
cli_events(int argc, char **argv)
{
    struct events_options options = {0};
    const struct option_row rows[] = {
        CLI_STORE_ROWS(&options.store),
        CLI_ACCOUNT_ROW(&options.store, "whose events"),
        {"follow", OPTION_FLAG, &options.follow, NULL, "wait for more, until interrupted", NULL},
        {"since", OPTION_TEXT, &options.since, "ID", "after this id of the stream; $ is now", NULL},
        {"count", OPTION_NUMBER, &options.count, "N", "stop after so many outcomes", NULL},
    };
    const struct verb verb = {
        verb_name,
        "outcomes, one JSON line each",
        "--account BUSINESS/ACCOUNT [--follow]",
        "Types: accepted, refused, duplicate, expired, failed, dead, uncertain, dropped, "
        "corrected,\n"
        "stopped.\n\nexample:\n"
        "  facteur events --account acme/fr --follow | jq 'select(.type==\"refused\")'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    struct account_keys keys;
    char key[KEYS_BASE_MAX + 16];
    if (!cli_store_account(&options.store, verb_name, &keys))
        return EXIT_USAGE;
    struct redis_sync *sync = cli_store_open(&options.store, verb_name);
    if (sync == NULL)
        return EXIT_UNAVAILABLE;
    (void)keys_of(&keys, "events", key, sizeof(key));
    code = print_events(sync, key, &options);
    redis_sync_close(sync);
    return code;
}
