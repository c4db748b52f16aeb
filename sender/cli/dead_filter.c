#include "sender/cli/dead_filter.h"

#include "queue/notification.h"
#include "sender/base/clock.h"
#include "sender/cli/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_SIZE = 48 };

bool
dead_filter_is_empty(const struct dead_filter *filter)
{
    return filter->type == NULL && filter->because == NULL && filter->template_name == NULL &&
           filter->remedy == NULL && filter->since_ms == 0 && filter->entries.count == 0 &&
           filter->count == 0;
}

/* ENTRY or ENTRY/n: digits, a dash, digits, with u or r in front. */
static bool
is_entry_name(const char *text)
{
    const char *at = text + (*text == 'u' || *text == 'r' ? 1 : 0);
    size_t ms = strspn(at, "0123456789");
    if (ms == 0 || at[ms] != '-')
        return false;
    at += ms + 1;
    size_t sequence = strspn(at, "0123456789");
    at += sequence;
    if (sequence == 0 || strlen(text) >= QUEUE_MEMBER_MAX)
        return false;
    return *at == '\0' ||
           (*at == '/' && at[1] != '\0' && at[1 + strspn(at + 1, "0123456789")] == 0);
}

bool
dead_filter_is_good(const struct dead_filter *filter, const char *verb)
{
    if (filter->type != NULL && strcmp(filter->type, "refused") != 0 &&
        strcmp(filter->type, "failed") != 0 && strcmp(filter->type, "dead") != 0 &&
        strcmp(filter->type, "uncertain") != 0) {
        fprintf(stderr,
                "facteur %s: --type %s: there are refused, failed, dead and uncertain ones\n", verb,
                filter->type);
        return false;
    }
    if (filter->remedy != NULL && !remedy_is_word(filter->remedy)) {
        fprintf(stderr, "facteur %s: --remedy %s: there are requeue, anew and decide\n", verb,
                filter->remedy);
        return false;
    }
    if (filter->because != NULL && filter->because[0] == '\0') {
        fprintf(stderr, "facteur %s: --because: which text?\n", verb);
        return false;
    }
    for (uint32_t i = 0; i < filter->entries.count; i++) {
        if (is_entry_name(filter->entries.items[i]))
            continue;
        fprintf(stderr,
                "facteur %s: --entry %s: an entry is called like 1732377600000-0, a bulk's member "
                "like 1732377600000-0/3; facteur why finds it by your own id\n",
                verb, filter->entries.items[i]);
        return false;
    }
    return true;
}

/* ---- one entry --------------------------------------------------------------------------------
 */

/* The template that a bulk member's line names. The line is read from a copy, which changes. */
static struct span
template_of_line(struct span line)
{
    struct notification notification;
    struct span field;
    char *copy = malloc(line.size + 1);
    struct span found = {0};
    size_t offset;
    if (copy == NULL)
        return found;
    memcpy(copy, line.data, line.size);
    if (notification_read_line((struct span){copy, line.size}, &notification, &field) ==
        NOTIFICATION_OK) {
        /* A name without escapes stands in the line as it is. */
        found = notification.template_name;
        offset = (size_t)(found.data - copy);
        found.data = found.size > 0 ? line.data + offset : NULL;
        if (found.size > 0 && memcmp(found.data, copy + offset, found.size) != 0)
            found = (struct span){0};
    }
    free(copy);
    return found;
}

static bool
read_entry(const struct reply *reply, struct dead_entry *entry)
{
    const struct reply *fields = reply_at(reply, 1);
    *entry = (struct dead_entry){.fields = fields};
    if (!reply_text(reply_at(reply, 0), &entry->id) || fields == NULL ||
        fields->type != REPLY_ARRAY)
        return false;
    entry->member = operator_value(fields, "entry");
    entry->type = operator_value(fields, "type");
    entry->reason = operator_value(fields, "reason");
    entry->attempts = operator_number(fields, "attempts");
    entry->at_ms = operator_number(fields, "at");
    entry->template_name = operator_value(fields, "o.template");
    struct span line = operator_value(fields, "o.member");
    if (entry->template_name.data == NULL && line.size > 0)
        entry->template_name = template_of_line(line);
    entry->remedy = remedy_find(entry->type, entry->reason, &entry->advice);
    return true;
}

/* "ENTRY" also means its members. */
static bool
is_named(struct span member, const char *name)
{
    struct span prefix = span_of(name);
    return span_equal(member, prefix) ||
           (span_starts(member, prefix) && member.data[prefix.size] == '/');
}

static bool
fits(const struct dead_filter *filter, const struct dead_entry *entry)
{
    bool named = filter->entries.count == 0;
    for (uint32_t i = 0; i < filter->entries.count && !named; i++)
        named = is_named(entry->member, filter->entries.items[i]);
    if (!named)
        return false;
    if (filter->type != NULL && !span_equal(entry->type, span_of(filter->type)))
        return false;
    if (filter->remedy != NULL && strcmp(filter->remedy, remedy_text(entry->remedy)) != 0)
        return false;
    if (filter->template_name != NULL &&
        !span_equal(entry->template_name, span_of(filter->template_name)))
        return false;
    return filter->because == NULL ||
           (entry->reason.size > 0 && memmem(entry->reason.data, entry->reason.size,
                                             filter->because, strlen(filter->because)) != NULL);
}

/* ---- the walk ---------------------------------------------------------------------------------
 */

/* Where the walk begins: a stream's ids are times. */
static void
first_id(const struct dead_filter *filter, char *id)
{
    uint64_t now_ms = clock_unix_ms();
    if (filter->from != NULL)
        snprintf(id, ID_SIZE, "%s", filter->from);
    else if (filter->since_ms == 0)
        snprintf(id, ID_SIZE, "-");
    else
        snprintf(id, ID_SIZE, "%llu",
                 (unsigned long long)(now_ms > filter->since_ms ? now_ms - filter->since_ms : 0));
}

bool
dead_filter_walk(const struct dead_filter *filter, struct redis_sync *sync,
                 const struct account_keys *keys, const char *verb, dead_visit_f *visit,
                 void *context)
{
    char key[KEYS_BASE_MAX + 16];
    char id[ID_SIZE];
    uint64_t found = 0;
    const struct reply *page;
    (void)snprintf(key, sizeof(key), "%s:dead", keys->account);
    first_id(filter, id);
    do {
        page = redis_sync_words(sync, "XRANGE", key, id, "+", "COUNT", "100", NULL);
        if (page == NULL || page->type != REPLY_ARRAY) {
            (void)operator_say_trouble(sync, page, verb);
            return false;
        }
        for (size_t i = 0; i < page->count; i++) {
            struct dead_entry entry;
            if (!read_entry(page->elements[i], &entry) || entry.id.size >= ID_SIZE - 1)
                continue;
            snprintf(id, sizeof(id), "(%.*s", SPAN_ARG(entry.id));
            if (!fits(filter, &entry))
                continue;
            if (!visit(context, &entry) || ++found == filter->count)
                return true;
        }
    } while (page->count > 0);
    return true;
}

/* ---- printing ---------------------------------------------------------------------------------
 */

void
dead_entry_print_head(void)
{
    printf("%-20s  %-19s  %-9s  %3s  %-7s  %-24s  %s\n", "entry", "since", "type", "try", "remedy",
           "template", "reason");
}

void
dead_entry_print(const struct dead_entry *entry)
{
    printf("%-20.*s  ", SPAN_ARG(entry->member));
    print_time(entry->at_ms);
    printf("  %-9.*s  %3llu  %-7s  ", SPAN_ARG(entry->type), (unsigned long long)entry->attempts,
           remedy_text(entry->remedy));
    print_plain(entry->template_name);
    for (size_t i = entry->template_name.size; i < 24; i++)
        putchar(' ');
    printf("  ");
    print_plain(entry->reason);
    putchar('\n');
}
