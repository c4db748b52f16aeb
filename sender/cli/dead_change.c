/* facteur dead requeue, dead purge: what was refused or given up goes on, or goes for good. */
#include "sender/base/check.h"
#include "sender/cli/dead_filter.h"
#include "sender/cli/print.h"
#include "sender/settings.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    BATCH = 256, /* entries of one call; Redis holds still for as long */
    ID_SIZE = 48,
};

/* One that is to be changed: the walk's replies are gone by then. */
struct victim {
    char id[ID_SIZE];
    char member[QUEUE_MEMBER_MAX + 1];
};

struct dead_change {
    const char *name;     /* of the verb */
    const char *function; /* of the library */
    const char *done_word;
    bool is_end; /* an outcome: its ids are kept for a while, and no longer */
    bool all;
    bool dry_run;
    bool json;
    struct cli_store store;
    struct dead_filter filter;
    struct operator_options person;
    uint64_t dedupe_ttl_ms; /* how long the ids are kept */

    struct victim *victims; /* of the account that is being changed */
    size_t count;
    size_t capacity;
    uint64_t matched; /* of all accounts */
    uint64_t done;
    uint64_t gone;
    uint64_t refused;
    uint64_t hopeless; /* to be requeued, and wrong in the entry itself */
    bool began;        /* something was printed inside of a JSON list */
};

/* ---- which ------------------------------------------------------------------------------------
 */

static bool
on_entry(void *context, const struct dead_entry *entry)
{
    struct dead_change *change = context;
    if (change->count == change->capacity) {
        change->capacity = change->capacity == 0 ? BATCH : 2 * change->capacity;
        change->victims = realloc(change->victims, change->capacity * sizeof(*change->victims));
        check(change->victims != NULL);
    }
    struct victim *victim = &change->victims[change->count++];
    change->hopeless += !change->is_end && entry->remedy == REMEDY_ANEW ? 1 : 0;
    snprintf(victim->id, sizeof(victim->id), "%.*s", SPAN_ARG(entry->id));
    snprintf(victim->member, sizeof(victim->member), "%.*s", SPAN_ARG(entry->member));
    if (!change->dry_run || change->json)
        return true;
    if (change->matched + change->count == 1)
        dead_entry_print_head();
    dead_entry_print(entry);
    return true;
}

/* ---- the change -------------------------------------------------------------------------------
 */

static void
note_refused(struct dead_change *change, const struct victim *victim, struct span why)
{
    change->refused++;
    if (!change->json) {
        fprintf(stderr, "facteur %s: %s: %.*s\n", change->name, victim->member, SPAN_ARG(why));
        return;
    }
    printf("%s{\"entry\":", change->began ? "," : "");
    print_json_text(span_of(victim->member));
    printf(",\"reason\":");
    print_json_text(why);
    putchar('}');
    change->began = true;
}

static void
read_answers(struct dead_change *change, const struct victim *victims, const struct reply *answers)
{
    for (size_t i = 0; i < answers->count; i++) {
        struct span answer = answers->elements[i]->text;
        if (span_equal(answer, SPAN("ok")))
            change->done++;
        else if (span_equal(answer, SPAN("gone")))
            change->gone++;
        else
            note_refused(change, &victims[i],
                         answer.size > 3 ? (struct span){answer.data + 3, answer.size - 3}
                                         : answer);
    }
}

static bool
change_batch(struct dead_change *change, struct redis_sync *sync, const struct account_keys *keys,
             size_t first)
{
    struct span words[BATCH + 5];
    char digits[24];
    char ttl[24];
    size_t used = 0;
    size_t count = change->count - first < BATCH ? change->count - first : BATCH;
    snprintf(digits, sizeof(digits), "%zu", count);
    snprintf(ttl, sizeof(ttl), "%" PRIu64, change->dedupe_ttl_ms);
    words[used++] = span_of(change->function);
    words[used++] = span_of(change->person.who);
    words[used++] = span_of(change->person.why);
    if (change->is_end)
        words[used++] = span_of(ttl);
    words[used++] = span_of(digits);
    for (size_t i = 0; i < count; i++)
        words[used++] = span_of(change->victims[first + i].id);
    const struct reply *answers = operator_call(sync, keys, change->name, words, used);
    if (answers == NULL)
        return false;
    if (answers->count != count) {
        (void)operator_say_trouble(sync, answers, change->name);
        return false;
    }
    read_answers(change, change->victims + first, answers);
    return true;
}

static int
change_account(struct dead_change *change, struct redis_sync *sync, uint32_t index)
{
    struct account_keys keys;
    if (!operator_account(&change->store, index, change->name, &keys))
        return EXIT_USAGE;
    change->count = 0;
    if (!dead_filter_walk(&change->filter, sync, &keys, change->name, on_entry, change))
        return EXIT_UNAVAILABLE;
    change->matched += change->count;
    for (size_t i = 0; !change->dry_run && i < change->count; i += BATCH)
        if (!change_batch(change, sync, &keys, i))
            return EXIT_UNAVAILABLE;
    return EXIT_GOOD;
}

static void
print_sum(const struct dead_change *change)
{
    if (change->json) {
        printf("],\"action\":\"%s\",\"dry_run\":%s,\"matched\":%" PRIu64 ",\"done\":%" PRIu64
               ",\"gone\":%" PRIu64 "}\n",
               change->function + strlen("facteur_"), change->dry_run ? "true" : "false",
               change->matched, change->done, change->gone);
        return;
    }
    if (change->dry_run)
        printf("%" PRIu64 " would be %s\n", change->matched, change->done_word);
    else
        printf("%" PRIu64 " %s", change->done, change->done_word);
    if (!change->dry_run && change->refused > 0)
        printf(", %" PRIu64 " stay dead", change->refused);
    if (!change->dry_run && change->gone > 0)
        printf(", %" PRIu64 " were gone already", change->gone);
    if (!change->dry_run)
        putchar('\n');
}

static int
change_all(struct dead_change *change, struct redis_sync *sync)
{
    int code = EXIT_GOOD;
    if (change->json)
        printf("{\"refused\":[");
    for (uint32_t i = 0; i < change->store.accounts.count && code == EXIT_GOOD; i++)
        code = change_account(change, sync, i);
    print_sum(change);
    if (change->hopeless > 0)
        fprintf(stderr,
                "facteur %s: %" PRIu64 " of them are wrong in the entry itself and will be refused "
                "again: facteur dead list --remedy anew names them, enqueue those anew\n",
                change->name, change->hopeless);
    if (code != EXIT_GOOD)
        return code;
    return change->matched == 0 || change->refused > 0 ? EXIT_NO : EXIT_GOOD;
}

static bool
is_asked_well(const struct dead_change *change)
{
    struct account_keys keys;
    if (!cli_store_account(&change->store, change->name, &keys) ||
        !dead_filter_is_good(&change->filter, change->name))
        return false;
    if (dead_filter_is_empty(&change->filter) != change->all) {
        fprintf(stderr,
                change->all ? "facteur %s: --all, or a filter: not both\n"
                            : "facteur %s: which ones? Give a filter (--because, --template, "
                              "--type, --remedy, --since, --entry, --count), or --all\n",
                change->name);
        return false;
    }
    return change->dry_run || operator_is_known(&change->person, change->name);
}

static int
run(struct dead_change *change, const struct verb *verb, const struct cli_words *words)
{
    int rest;
    int code = options_read(verb, words->count, words->words, &rest);
    if (code >= 0)
        return code;
    if (rest > 0) {
        fprintf(stderr, "facteur %s: \"%s\" is too much; entries are named with --entry\n",
                change->name, words->words[0]);
        return EXIT_USAGE;
    }
    if (!is_asked_well(change))
        return EXIT_USAGE;
    struct redis_sync *sync = cli_store_open(&change->store, change->name);
    if (sync == NULL)
        return EXIT_UNAVAILABLE;
    code = change_all(change, sync);
    redis_sync_close(sync);
    free(change->victims);
    return code;
}

/* ---- the verbs --------------------------------------------------------------------------------
 */

#define CHANGE_ROWS(change)                                                                        \
    CLI_STORE_ROWS(&(change)->store), CLI_ACCOUNT_ROW(&(change)->store, "one or more"),            \
        DEAD_FILTER_ROWS(&(change)->filter),                                                       \
        {"all", OPTION_FLAG, &(change)->all, NULL, "every dead entry, without a filter", NULL},    \
        OPERATOR_ROWS(&(change)->person),                                                          \
        {"dry-run", OPTION_FLAG, &(change)->dry_run, NULL, "show them, and change nothing", NULL}, \
    {                                                                                              \
        "json", OPTION_FLAG, &(change)->json, NULL, "one JSON object for programs", NULL           \
    }

int
cli_dead_requeue(int argc, char **argv)
{
    struct dead_change change = {
        .name = "dead requeue", .function = "facteur_requeue", .done_word = "requeued"};
    operator_init(&change.person);
    const struct option_row rows[] = {CHANGE_ROWS(&change)};
    const struct verb verb = {
        change.name,
        "what was refused or given up is sent again",
        "--account BUSINESS/ACCOUNT --reason TEXT [options]",
        "Mend the cause first: add the template, change the catalogue, end the opt-out. What is\n"
        "wrong in the entry itself (--remedy anew) is refused again: enqueue it anew. An entry\n"
        "keeps its name, starts with no attempts, and its age counts from now, unless its\n"
        "producer gave expires. What was refused as a whole bulk, and what cannot be read, stays:\n"
        "it is named. Exit 1 if one stays, or if none fits.\n"
        "\nexample:\n"
        "  facteur dead requeue --account acme/fr --because 'not in the catalogue' --dry-run\n"
        "  facteur dead requeue --account acme/fr --because 'not in the catalogue' \\\n"
        "      --reason 'template added, ticket 4711'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    return run(&change, &verb, &(struct cli_words){argc, argv});
}

int
cli_dead_purge(int argc, char **argv)
{
    struct dead_change change = {.name = "dead purge",
                                 .function = "facteur_purge",
                                 .done_word = "purged",
                                 .is_end = true,
                                 .dedupe_ttl_ms = SETTINGS_DEDUPE_TTL_MS};
    operator_init(&change.person);
    const struct option_row rows[] = {
        CHANGE_ROWS(&change),
        {"dedupe-ttl", OPTION_TIME, &change.dedupe_ttl_ms, "TIME",
         "how long their ids are kept, as of every outcome; default 24h", NULL},
    };
    const struct verb verb = {
        change.name,
        "what was refused or given up goes for good",
        "--account BUSINESS/ACCOUNT --reason TEXT [options]",
        "Cannot be undone: dead entries are kept nowhere else. Their outcomes stay in events, and\n"
        "the log (facteur dead log) names them. Exit 1 if none fits.\n"
        "\nexample:\n"
        "  facteur dead purge --account acme/fr --type refused --because promotional --dry-run\n"
        "  facteur dead purge --account acme/fr --type refused --because promotional \\\n"
        "      --reason 'the shop was told'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    return run(&change, &verb, &(struct cli_words){argc, argv});
}
