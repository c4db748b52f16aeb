/* facteur dead list, dead log: what was given up or refused, and what was done about it. */
#include "sender/cli/dead_filter.h"
#include "sender/cli/print.h"

#include <stdio.h>
#include <string.h>

struct dead_list {
    struct cli_store store;
    struct dead_filter filter;
    const char *reason; /* the same as filter.because */
    bool whole;
    bool json;
    struct account_keys keys; /* of the account that is being listed */
    uint64_t remedies[3];     /* how many of each */
    bool began;
};

static void
print_original(const struct reply *fields)
{
    bool first = true;
    printf(",\"fields\":{");
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        struct span name = fields->elements[i]->text;
        if (!span_starts(name, SPAN("o.")))
            continue;
        if (!first)
            putchar(',');
        first = false;
        print_json_text((struct span){name.data + 2, name.size - 2});
        putchar(':');
        print_json_text(fields->elements[i + 1]->text);
    }
    putchar('}');
}

static void
print_object(const struct dead_list *list, const struct dead_entry *entry)
{
    const struct {
        const char *name;
        struct span text;
    } texts[] = {{"entry", entry->member},
                 {"type", entry->type},
                 {"reason", entry->reason},
                 {"template", entry->template_name}};
    printf("%s{\"account\":\"%s/%s\"", list->began ? "," : "", list->keys.business_name,
           list->keys.account_name);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        printf(",\"%s\":", texts[i].name);
        print_json_text(texts[i].text);
    }
    printf(",\"attempts\":%llu,\"at\":%llu", (unsigned long long)entry->attempts,
           (unsigned long long)entry->at_ms);
    printf(",\"remedy\":\"%s\",\"advice\":\"%s\"", remedy_text(entry->remedy), entry->advice);
    if (list->whole)
        print_original(entry->fields);
    putchar('}');
}

static void
print_whole(const struct reply *fields)
{
    for (size_t i = 0; i + 1 < fields->count; i += 2) {
        struct span name = fields->elements[i]->text;
        if (!span_starts(name, SPAN("o.")))
            continue;
        printf("    ");
        print_plain((struct span){name.data + 2, name.size - 2});
        printf(": ");
        print_plain(fields->elements[i + 1]->text);
        putchar('\n');
    }
}

static bool
on_entry(void *context, const struct dead_entry *entry)
{
    struct dead_list *list = context;
    if (list->json) {
        print_object(list, entry);
    } else {
        if (!list->began)
            dead_entry_print_head();
        dead_entry_print(entry);
        if (list->whole)
            print_whole(entry->fields);
    }
    list->began = true;
    list->remedies[entry->remedy]++;
    return !ferror(stdout);
}

/* What a person does next. */
static void
print_remedies(const struct dead_list *list)
{
    static const char *const words[] = {
        [REMEDY_REQUEUE] = "can be mended and requeued: facteur why ENTRY says what is missing, "
                           "facteur dead requeue sends them",
        [REMEDY_ANEW] = "would be refused again as they stand: enqueue them anew, corrected, then "
                        "facteur dead purge",
        [REMEDY_DECIDE] = "may have been sent: a receipt settles them; facteur dead requeue sends "
                          "them, perhaps a second time",
    };
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (list->remedies[i] > 0)
            printf("%s: %llu %s\n", remedy_text((enum remedy)i),
                   (unsigned long long)list->remedies[i], words[i]);
}

static int
print_all(struct dead_list *list, struct redis_sync *sync, const char *verb)
{
    if (list->json)
        printf("{\"dead\":[");
    for (uint32_t i = 0; i < list->store.accounts.count; i++) {
        if (!operator_account(&list->store, i, verb, &list->keys))
            return EXIT_USAGE;
        if (!dead_filter_walk(&list->filter, sync, &list->keys, verb, on_entry, list))
            return EXIT_UNAVAILABLE;
    }
    if (list->json)
        printf("]}\n");
    else if (!list->began)
        printf(dead_filter_is_empty(&list->filter) ? "nothing is dead\n" : "nothing fits\n");
    else
        print_remedies(list);
    return EXIT_GOOD;
}

/* Reads the options and opens Redis. -1: go on; otherwise the exit code. */
static int
begin(const struct verb *verb, struct dead_list *list, const struct cli_words *words,
      struct redis_sync **sync)
{
    int rest;
    struct account_keys keys;
    int code = options_read(verb, words->count, words->words, &rest);
    if (code >= 0)
        return code;
    if (list->reason != NULL)
        list->filter.because = list->reason;
    if (rest > 0) {
        fprintf(stderr, "facteur %s: \"%s\" is too much; see facteur %s --help\n", verb->name,
                words->words[0], verb->name);
        return EXIT_USAGE;
    }
    if (!cli_store_account(&list->store, verb->name, &keys) ||
        !dead_filter_is_good(&list->filter, verb->name))
        return EXIT_USAGE;
    *sync = cli_store_open(&list->store, verb->name);
    return *sync != NULL ? -1 : EXIT_UNAVAILABLE;
}

int
cli_dead_list(int argc, char **argv)
{
    struct dead_list list = {0};
    struct redis_sync *sync;
    const struct option_row rows[] = {
        CLI_STORE_ROWS(&list.store),
        CLI_ACCOUNT_ROW(&list.store, "one or more"),
        DEAD_FILTER_ROWS(&list.filter),
        {"reason", OPTION_TEXT, &list.reason, "TEXT", "the same as --because", NULL},
        {"whole", OPTION_FLAG, &list.whole, NULL,
         "with all that the producer wrote: numbers, names, codes", NULL},
        {"json", OPTION_FLAG, &list.json, NULL, "one JSON object for programs", NULL},
    };
    const struct verb verb = {
        "dead list",
        "what was refused or given up, and why",
        "--account BUSINESS/ACCOUNT [options]",
        "Oldest first. An entry stays until it is requeued or purged by hand: refused (by us),\n"
        "failed (Meta said no for good), dead (all retries used up). What expired, and "
        "duplicates,\n"
        "are not kept: see facteur events.\n"
        "\nexample:\n"
        "  facteur dead list --account acme/fr --since 2h --because 'not in the catalogue'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int code = begin(&verb, &list, &(struct cli_words){argc, argv}, &sync);
    if (code >= 0)
        return code;
    code = print_all(&list, sync, verb.name);
    redis_sync_close(sync);
    return code;
}

/* ---- the log ----------------------------------------------------------------------------------
 */

static void
print_log_object(const struct dead_list *list, const struct reply *entry)
{
    static const char *const texts[] = {"action", "who", "reason", "entries"};
    struct span id = {"", 0};
    uint64_t at_ms = 0;
    (void)reply_text(reply_at(entry, 0), &id);
    (void)span_to_u64(span_split(&id, '-'), &at_ms);
    printf("%s{\"account\":\"%s/%s\",\"at\":%llu", list->began ? "," : "", list->keys.business_name,
           list->keys.account_name, (unsigned long long)at_ms);
    for (size_t i = 0; i + 1 < sizeof(texts) / sizeof(texts[0]); i++) {
        printf(",\"%s\":", texts[i]);
        print_json_text(operator_value(reply_at(entry, 1), texts[i]));
    }
    struct span members = operator_value(reply_at(entry, 1), "entries");
    printf(",\"entries\":[");
    for (bool first = true; members.size > 0; first = false) {
        if (!first)
            putchar(',');
        print_json_text(span_split(&members, ' '));
    }
    printf("]}");
}

static void
print_log_row(const struct reply *entry)
{
    struct span id = {"", 0};
    uint64_t at_ms = 0;
    (void)reply_text(reply_at(entry, 0), &id);
    (void)span_to_u64(span_split(&id, '-'), &at_ms);
    print_time(at_ms);
    printf("  %-7.*s  %6llu  ", SPAN_ARG(operator_value(reply_at(entry, 1), "action")),
           (unsigned long long)operator_number(reply_at(entry, 1), "n"));
    print_padded(operator_value(reply_at(entry, 1), "who"), 12);
    printf("  ");
    print_plain(operator_value(reply_at(entry, 1), "reason"));
    putchar('\n');
}

static int
print_log(struct dead_list *list, struct redis_sync *sync, const char *verb)
{
    char key[KEYS_BASE_MAX + 16];
    if (!list->json)
        printf("%-19s  %-7s  %6s  %-12s  why\n", "when", "what", "number", "who");
    else
        printf("{\"changes\":[");
    for (uint32_t i = 0; i < list->store.accounts.count; i++) {
        if (!operator_account(&list->store, i, verb, &list->keys))
            return EXIT_USAGE;
        (void)snprintf(key, sizeof(key), "%s:dead:log", list->keys.account);
        const struct reply *log =
            redis_sync_words(sync, "XREVRANGE", key, "+", "-", "COUNT", "1000", NULL);
        if (log == NULL || log->type != REPLY_ARRAY)
            return operator_say_trouble(sync, log, verb);
        for (size_t k = 0; k < log->count; k++) {
            if (list->json)
                print_log_object(list, log->elements[k]);
            else
                print_log_row(log->elements[k]);
            list->began = true;
        }
    }
    if (list->json)
        printf("]}\n");
    return EXIT_GOOD;
}

int
cli_dead_log(int argc, char **argv)
{
    struct dead_list list = {0};
    struct redis_sync *sync;
    const struct option_row rows[] = {
        CLI_STORE_ROWS(&list.store),
        CLI_ACCOUNT_ROW(&list.store, "one or more"),
        {"json", OPTION_FLAG, &list.json, NULL, "one JSON object for programs", NULL},
    };
    const struct verb verb = {
        "dead log",
        "who requeued or purged what, and why",
        "--account BUSINESS/ACCOUNT [options]",
        "Newest first, the last 1,000 changes.\n\nexample:\n  facteur dead log --account acme/fr",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int code = begin(&verb, &list, &(struct cli_words){argc, argv}, &sync);
    if (code >= 0)
        return code;
    code = print_log(&list, sync, verb.name);
    redis_sync_close(sync);
    return code;
}
