/* facteur why: where one notification is, and what it waits for; or how it ended. */
#include "queue/enqueue.h"
#include "sender/base/json.h"
#include "sender/cli/dead_filter.h"
#include "sender/cli/print.h"
#include "sender/cli/why_story.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char verb_name[] = "why";

enum {
    NEEDLE_SIZE = 6 * QUEUE_ID_MAX + 32,
    LOOK_ENTRIES_MAX = 200 * 1000, /* of a stream, when a producer's id is looked for */
};

struct why {
    struct cli_store store;
    bool json;
    const char *name;

    struct redis_sync *sync;
    struct account_keys keys;
    struct why_story story;
    char member[QUEUE_MEMBER_MAX + 1];  /* the name, or whose id it is; "" if nobody's yet */
    char dead_id[QUEUE_MEMBER_MAX + 1]; /* its entry in dead; "" if it is not known to be there */
};

enum look { LOOK_FOUND, LOOK_NOT_THERE, LOOK_FAILED };

/* ---- the library: what waits, is taken, on its way, uncertain ----------------------------------
 */

static enum look
ask_library(struct why *why, const char *name)
{
    const struct reply *facts = redis_sync_words(why->sync, "FCALL_RO", "facteur_why", "2",
                                                 why->keys.account, why->keys.business, name, NULL);
    if (facts == NULL || facts->type != REPLY_ARRAY) {
        (void)operator_say_trouble(why->sync, facts, verb_name);
        return LOOK_FAILED;
    }
    snprintf(why->member, sizeof(why->member), "%.*s", SPAN_ARG(operator_value(facts, "member")));
    snprintf(why->dead_id, sizeof(why->dead_id), "%.*s", SPAN_ARG(operator_value(facts, "dead")));
    if (span_equal(operator_value(facts, "place"), SPAN("none")) || why->dead_id[0] != '\0')
        return LOOK_NOT_THERE; /* not where anything is waited for */
    why_story_place(&why->story, facts);
    return LOOK_FOUND;
}

/* ---- dead -------------------------------------------------------------------------------------
 */

/* The id in a bulk member's line, which is read from a copy. Whatever else is wrong with it. */
static bool
line_has_id(struct span line, const char *id)
{
    struct field fields[NOTIFICATION_FIELDS_MAX];
    size_t count = 0;
    const char *why;
    bool found = false;
    char *copy = malloc(line.size + 1);
    if (copy == NULL)
        return false;
    memcpy(copy, line.data, line.size);
    if (memmem(line.data, line.size, "\"id\"", 4) != NULL)
        (void)enqueue_read_line((struct span){copy, line.size}, fields, &count, &why);
    for (size_t i = 0; i < count && !found; i++)
        found = span_equal(fields[i].name, SPAN("id")) && span_equal(fields[i].value, span_of(id));
    free(copy);
    return found;
}

struct dead_look {
    struct why *why;
    bool found;
};

static bool
on_dead(void *context, const struct dead_entry *entry)
{
    struct dead_look *look = context;
    struct why *why = look->why;
    struct span line = operator_value(entry->fields, "o.member");
    if (why->member[0] == '\0' &&
        !span_equal(operator_value(entry->fields, "o.id"), span_of(why->name)) &&
        !(line.size > 0 && line_has_id(line, why->name)))
        return true;
    why_story_dead(&why->story, entry);
    look->found = true;
    return false;
}

static enum look
look_in_dead(struct why *why)
{
    struct dead_look look = {.why = why};
    struct dead_filter filter = {0};
    if (why->member[0] != '\0')
        filter.entries.items[filter.entries.count++] = why->member;
    if (why->dead_id[0] != '\0')
        filter.from = why->dead_id;
    if (!dead_filter_walk(&filter, why->sync, &why->keys, verb_name, on_dead, &look))
        return LOOK_FAILED;
    return look.found ? LOOK_FOUND : LOOK_NOT_THERE;
}

/* ---- events -----------------------------------------------------------------------------------
 */

/* What an outcome of it holds: "entry":"MEMBER" or "id":"ID", as it is escaped there. */
static struct span
write_needle(const struct why *why, char *memory)
{
    struct buffer needle;
    buffer_init(&needle, memory, NEEDLE_SIZE);
    bool by_id = why->member[0] == '\0';
    buffer_put_text(&needle, by_id ? "\"id\":\"" : "\"entry\":\"");
    json_put_escaped(&needle, span_of(by_id ? why->name : why->member));
    if (by_id || strchr(why->member, '/') != NULL)
        buffer_put_char(&needle, '"'); /* else its members are meant, too */
    return buffer_span(&needle);
}

/* The last line that holds the needle: the newest outcome. */
static bool
tell_outcome(const struct why *why, struct span lines, struct span needle)
{
    struct span found = {0};
    if (memmem(lines.data, lines.size, needle.data, needle.size) == NULL)
        return false;
    while (lines.size > 0) {
        struct span line = span_split(&lines, '\n');
        const char *at = memmem(line.data, line.size, needle.data, needle.size);
        bool whole =
            at != NULL &&
            (needle.data[needle.size - 1] == '"' ||
             (at + needle.size < line.data + line.size && strchr("\"/", at[needle.size]) != NULL));
        if (whole)
            found = line;
    }
    if (found.size == 0)
        return false;
    why_story_outcome(&why->story, found);
    return true;
}

static enum look
look_in_events(struct why *why)
{
    char key[KEYS_BASE_MAX + 16];
    char id[64] = "+";
    char memory[NEEDLE_SIZE];
    struct span needle = write_needle(why, memory);
    const struct reply *page;
    (void)snprintf(key, sizeof(key), "%s:events", why->keys.account);
    do {
        page = redis_sync_words(why->sync, "XREVRANGE", key, id, "-", "COUNT", "20", NULL);
        if (page == NULL || page->type != REPLY_ARRAY) {
            (void)operator_say_trouble(why->sync, page, verb_name);
            return LOOK_FAILED;
        }
        for (size_t i = 0; i < page->count; i++) {
            struct span name = {"", 0};
            struct span lines = operator_value(reply_at(page->elements[i], 1), "outcomes");
            (void)reply_text(reply_at(page->elements[i], 0), &name);
            snprintf(id, sizeof(id), "(%.*s", SPAN_ARG(name));
            if (lines.size > 0 && tell_outcome(why, lines, needle))
                return LOOK_FOUND;
        }
    } while (page->count > 0);
    return LOOK_NOT_THERE;
}

/* ---- a producer's id that is not known to the library yet --------------------------------------
 */

/* The member's name, if this entry has the id; "" otherwise. */
static void
find_id(const struct why *why, struct span entry, const struct reply *fields, char *member)
{
    struct span lines[QUEUE_BULK_MAX];
    struct span bulk = operator_value(fields, "bulk");
    member[0] = '\0';
    if (span_equal(operator_value(fields, "id"), span_of(why->name))) {
        snprintf(member, QUEUE_MEMBER_MAX, "%.*s", SPAN_ARG(entry));
        return;
    }
    if (bulk.size == 0)
        return;
    uint32_t count = notification_split_bulk(bulk, lines);
    for (uint32_t i = 0; i < count; i++) {
        if (lines[i].size == 0 || !line_has_id(lines[i], why->name))
            continue;
        snprintf(member, QUEUE_MEMBER_MAX, "%.*s/%u", SPAN_ARG(entry), i + 1);
        return;
    }
}

static enum look
look_in_stream(struct why *why, const char *stream, char prefix)
{
    char key[KEYS_BASE_MAX + 16];
    char id[64] = "-";
    uint32_t seen = 0;
    const struct reply *page;
    (void)snprintf(key, sizeof(key), "%s:%s", why->keys.account, stream);
    do {
        page = redis_sync_words(why->sync, "XRANGE", key, id, "+", "COUNT", "500", NULL);
        if (page == NULL || page->type != REPLY_ARRAY) {
            (void)operator_say_trouble(why->sync, page, verb_name);
            return LOOK_FAILED;
        }
        for (size_t i = 0; i < page->count; i++) {
            struct span name = {"", 0};
            char entry[QUEUE_MEMBER_MAX];
            char member[QUEUE_MEMBER_MAX + 1];
            (void)reply_text(reply_at(page->elements[i], 0), &name);
            snprintf(id, sizeof(id), "(%.*s", SPAN_ARG(name));
            snprintf(entry, sizeof(entry), "%.*s%.*s", prefix != 0 ? 1 : 0, &prefix,
                     SPAN_ARG(name));
            find_id(why, span_of(entry), reply_at(page->elements[i], 1), member);
            if (member[0] != '\0')
                return ask_library(why, member);
        }
        seen += (uint32_t)page->count;
    } while (page->count > 0 && seen < LOOK_ENTRIES_MAX);
    if (seen >= LOOK_ENTRIES_MAX)
        fprintf(stderr, "facteur why: only the first %u entries of %s were looked at\n", seen,
                stream);
    return LOOK_NOT_THERE;
}

/* Waiting records are JSON in which the id stands escaped, at its name or inside of a line. */
static enum look
look_in_later(struct why *why)
{
    char key[KEYS_BASE_MAX + 24];
    char cursor[24] = "0";
    char memory[NEEDLE_SIZE];
    char member[QUEUE_MEMBER_MAX + 1];
    struct buffer needle;
    buffer_init(&needle, memory, sizeof(memory));
    buffer_put_text(&needle, "\"id\",\"");
    json_put_escaped(&needle, span_of(why->name));
    buffer_put_char(&needle, '"');
    (void)snprintf(key, sizeof(key), "%s:later:entries", why->keys.account);
    do {
        const struct reply *page =
            redis_sync_words(why->sync, "HSCAN", key, cursor, "COUNT", "500", NULL);
        const struct reply *flat = reply_at(page, 1);
        struct span next;
        if (flat == NULL || !reply_text(reply_at(page, 0), &next) || next.size >= sizeof(cursor)) {
            (void)operator_say_trouble(why->sync, page, verb_name);
            return LOOK_FAILED;
        }
        snprintf(cursor, sizeof(cursor), "%.*s", SPAN_ARG(next));
        for (size_t i = 0; i + 1 < flat->count; i += 2) {
            struct span record = flat->elements[i + 1]->text;
            if (memmem(record.data, record.size, memory, needle.size) == NULL)
                continue;
            snprintf(member, sizeof(member), "%.*s", SPAN_ARG(flat->elements[i]->text));
            return ask_library(why, member);
        }
    } while (strcmp(cursor, "0") != 0);
    return LOOK_NOT_THERE;
}

static enum look
look_for_id(struct why *why)
{
    enum look look = look_in_stream(why, "urgent", 'u');
    if (look == LOOK_NOT_THERE)
        look = look_in_stream(why, "queue", 0);
    if (look == LOOK_NOT_THERE)
        look = look_in_stream(why, "replies", 'r');
    if (look == LOOK_NOT_THERE)
        look = look_in_later(why);
    return look;
}

/* ---- the verb ---------------------------------------------------------------------------------
 */

/* In the order in which things move, so that what moves meanwhile is not missed; and the library
 * once more, for what was requeued behind our back. */
static enum look
look_in_account(struct why *why)
{
    enum look look = ask_library(why, why->name);
    if (look == LOOK_NOT_THERE)
        look = look_in_dead(why);
    if (look == LOOK_NOT_THERE && why->member[0] == '\0')
        look = look_for_id(why);
    if (look == LOOK_NOT_THERE)
        look = look_in_events(why);
    if (look == LOOK_NOT_THERE)
        look = ask_library(why, why->name);
    return look;
}

static int
look_in_accounts(struct why *why)
{
    enum look look = LOOK_NOT_THERE;
    why->story = (struct why_story){.keys = &why->keys, .name = why->name, .json = why->json};
    for (uint32_t i = 0; i < why->store.accounts.count && look == LOOK_NOT_THERE; i++) {
        if (!operator_account(&why->store, i, verb_name, &why->keys))
            return EXIT_USAGE;
        look = look_in_account(why);
    }
    if (look == LOOK_NOT_THERE)
        why_story_none(&why->story);
    return look == LOOK_FOUND ? EXIT_GOOD : look == LOOK_NOT_THERE ? EXIT_NO : EXIT_UNAVAILABLE;
}

int
cli_why(int argc, char **argv)
{
    struct why why = {0};
    const struct option_row rows[] = {
        CLI_STORE_ROWS(&why.store),
        CLI_ACCOUNT_ROW(&why.store, "whose; one or more"),
        {"json", OPTION_FLAG, &why.json, NULL, "one JSON object for programs", NULL},
    };
    const struct verb verb = {
        verb_name,
        "where one notification is, and what it waits for; or how it ended",
        "--account BUSINESS/ACCOUNT ID",
        "ID is your own id, an entry's name (1732377600000-0; of urgent with u in front), or a\n"
        "bulk member's (1732377600000-0/3). Exit 1 if nothing is known of it.\n"
        "\nexample:\n"
        "  facteur why --account acme/fr order-1042\n"
        "  facteur why --account acme/fr 1732377600000-0/3 --json",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    struct account_keys keys;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest != 1 || argv[0][0] == '\0' || strlen(argv[0]) > QUEUE_ID_MAX) {
        fprintf(stderr,
                "facteur why: which one? One id of 1 to %d bytes, or one entry's name, such as "
                "1732377600000-0\n",
                QUEUE_ID_MAX);
        return EXIT_USAGE;
    }
    why.name = argv[0];
    if (!cli_store_account(&why.store, verb_name, &keys))
        return EXIT_USAGE;
    why.sync = cli_store_open(&why.store, verb_name);
    if (why.sync == NULL)
        return EXIT_UNAVAILABLE;
    code = look_in_accounts(&why);
    redis_sync_close(why.sync);
    return code;
}
