/* facteur queue stats: what waits where, by account. */
#include "sender/cli/cli.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char verb_name[] = "queue stats";

/* The columns of DESIGN 1.6, in the order they are printed. */
static const char *const columns[] = {"waiting",   "urgent", "claimed", "granted",  "later",
                                      "uncertain", "dead",   "parked",  "oldest_ms"};
/* What keeps an account from sending. */
static const char *const marks[] = {"paused", "stopped", "throttled"};
enum { COLUMNS = sizeof(columns) / sizeof(columns[0]), MARKS = sizeof(marks) / sizeof(marks[0]) };

static int64_t
number_of(const struct reply *stats, const char *name)
{
    for (size_t i = 0; i + 1 < stats->count; i += 2) {
        const struct reply *value = stats->elements[i + 1];
        uint64_t number;
        if (!reply_is_text(stats->elements[i], name))
            continue;
        if (value->type == REPLY_INTEGER)
            return value->integer;
        return span_to_u64(value->text, &number) ? (int64_t)number : 0;
    }
    return 0;
}

/* Every account of a business that has a key, or those asked for. */
static const struct reply *
fetch(struct redis_sync *sync, const struct account_keys *keys)
{
    return redis_sync_words(sync, "FCALL_RO", "facteur_stats", "2", keys->account, keys->business,
                            NULL);
}

static void
print_json(const struct account_keys *keys, const struct reply *stats, bool first)
{
    printf("%s{\"account\":\"%s/%s\"", first ? "" : ",", keys->business_name, keys->account_name);
    for (size_t i = 0; i < COLUMNS; i++)
        printf(",\"%s\":%" PRId64, columns[i], number_of(stats, columns[i]));
    printf(",\"exposed\":%" PRId64 ",\"rate\":%.3f", number_of(stats, "exposed"),
           (double)number_of(stats, "rate_milli") / 1000);
    for (size_t i = 0; i < MARKS; i++)
        printf(",\"%s\":%s", marks[i], number_of(stats, marks[i]) != 0 ? "true" : "false");
    putchar('}');
}

static void
print_row(const struct account_keys *keys, const struct reply *stats)
{
    char name[2 * KEYS_NAME_MAX + 2];
    snprintf(name, sizeof(name), "%s/%s", keys->business_name, keys->account_name);
    printf("%-24s", name);
    for (size_t i = 0; i + 1 < COLUMNS; i++)
        printf(" %9" PRId64, number_of(stats, columns[i]));
    printf(" %9.1fs %9.1f", (double)number_of(stats, "oldest_ms") / 1000,
           (double)number_of(stats, "rate_milli") / 1000);
    for (size_t i = 0; i < MARKS; i++)
        if (number_of(stats, marks[i]) != 0)
            printf(" %s", marks[i]);
    putchar('\n');
}

static int
print_all(struct redis_sync *sync, const struct cli_store *store, bool json)
{
    struct error_text error;
    if (json)
        printf("{\"accounts\":[");
    else
        printf("%-24s %9s %9s %9s %9s %9s %9s %9s %9s %10s %9s\n", "account", "waiting", "urgent",
               "claimed", "sending", "later", "uncertain", "dead", "parked", "oldest", "rate/s");
    for (uint32_t i = 0; i < store->accounts.count; i++) {
        struct account_keys keys;
        struct span name = span_of(store->accounts.items[i]);
        if (!keys_read(span_split(&name, '='), &keys, &error)) {
            fprintf(stderr, "facteur queue stats: %s\n", error.text);
            return EXIT_USAGE;
        }
        const struct reply *stats = fetch(sync, &keys);
        if (stats == NULL || stats->type != REPLY_ARRAY) {
            fprintf(stderr, "facteur queue stats: %s: %.*s\n", keys.account,
                    stats == NULL ? 0 : (int)stats->text.size,
                    stats == NULL ? "" : stats->text.data);
            return EXIT_UNAVAILABLE;
        }
        if (json)
            print_json(&keys, stats, i == 0);
        else
            print_row(&keys, stats);
    }
    if (json)
        printf("]}\n");
    return EXIT_GOOD;
}

int
cli_queue_stats(int argc, char **argv)
{
    struct cli_store store = {0};
    bool json = false;
    const struct option_row rows[] = {
        CLI_STORE_ROWS(&store),
        CLI_ACCOUNT_ROW(&store, "one or more"),
        {"json", OPTION_FLAG, &json, NULL, "one JSON object for programs", NULL},
    };
    const struct verb verb = {
        verb_name,
        "what waits where, by account",
        "--account BUSINESS/ACCOUNT [options]",
        "Columns: waiting (entries that nobody claimed), urgent (the same of the stream urgent),\n"
        "claimed (a worker has them), sending (on the wire, or about to be; \"granted\" in JSON),\n"
        "later (scheduled or waiting for a retry), uncertain (no answer came), dead (given up or\n"
        "refused), parked (of these: no answer and no receipt came), oldest (age of the oldest "
        "that\n"
        "could be sent and nobody has taken), and the rate: outcomes a second over the last ten. "
        "An\n"
        "account that is paused (by an operator) or stopped (Meta refuses it: facteur why) says "
        "so.\n\n"
        "example:\n  facteur queue stats --account acme/fr",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    struct account_keys keys;
    if (!cli_store_account(&store, verb_name, &keys))
        return EXIT_USAGE;
    struct redis_sync *sync = cli_store_open(&store, verb_name);
    if (sync == NULL)
        return EXIT_UNAVAILABLE;
    code = print_all(sync, &store, json);
    redis_sync_close(sync);
    return code;
}
