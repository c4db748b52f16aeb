/* facteur template log: who changed which template, when and why. */
#include "sender/cli/template_source.h"

#include <stdio.h>
#include <string.h>

static const char verb_name[] = "template log";

enum { LIMIT_MAX = 10000 };

/* The value of a field of a log entry; empty if it is not there. */
static struct span
value_of(const struct reply *entry, const char *name)
{
    const struct reply *fields = reply_at(entry, 1);
    for (size_t i = 0; fields != NULL && fields->type == REPLY_ARRAY && i + 1 < fields->count;
         i += 2)
        if (reply_is_text(fields->elements[i], name))
            return fields->elements[i + 1]->text;
    return (struct span){"", 0};
}

static uint64_t
number_of(const struct reply *entry, const char *name)
{
    uint64_t number = 0;
    (void)span_to_u64(value_of(entry, name), &number);
    return number;
}

static void
print_object(const struct reply *entry, bool first)
{
    static const char *const texts[] = {"action", "template", "lang", "before",
                                        "after",  "who",      "why"};
    printf("%s{\"at\":%llu,\"number\":%llu", first ? "" : ",",
           (unsigned long long)number_of(entry, "at"),
           (unsigned long long)number_of(entry, "number"));
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        printf(",\"%s\":", texts[i]);
        print_json_text(value_of(entry, texts[i]));
    }
    printf("}");
}

static void
print_row(const struct reply *entry)
{
    char name[STORED_FIELD_MAX + 1];
    (void)snprintf(name, sizeof(name), "%.*s/%.*s", SPAN_ARG(value_of(entry, "template")),
                   SPAN_ARG(value_of(entry, "lang")));
    print_time(number_of(entry, "at"));
    printf("  %6llu  %-7.*s %-34s %-16.*s  %-16.*s  ",
           (unsigned long long)number_of(entry, "number"), SPAN_ARG(value_of(entry, "action")),
           name, SPAN_ARG(value_of(entry, "before")), SPAN_ARG(value_of(entry, "after")));
    print_padded(value_of(entry, "who"), 12);
    printf("  %.*s\n", SPAN_ARG(value_of(entry, "why")));
}

static bool
is_meant(const struct reply *entry, const char *name)
{
    return name == NULL || span_equal(value_of(entry, "template"), span_of(name));
}

static void
print_all(const struct reply *log, const char *name, bool json)
{
    bool first = true;
    if (json)
        printf("{\"changes\":[");
    else
        printf("%-19s  %6s  %-7s %-34s %-16s  %-16s  %-12s  why\n", "when", "number", "what",
               "template", "before", "after", "who");
    for (size_t i = 0; i < log->count; i++) {
        const struct reply *entry = log->elements[i];
        if (!is_meant(entry, name))
            continue;
        if (json)
            print_object(entry, first);
        else
            print_row(entry);
        first = false;
    }
    if (json)
        printf("]}\n");
}

static int
show(const struct template_options *options, uint64_t limit, const char *name)
{
    char key[KEYS_BASE_MAX + 24];
    char count[24];
    struct account_keys keys;
    if (!template_options_keys(options, verb_name, &keys))
        return EXIT_USAGE;
    struct redis_sync *sync = cli_store_open(&options->store, verb_name);
    if (sync == NULL)
        return EXIT_UNAVAILABLE;
    (void)snprintf(key, sizeof(key), "%s:templates:log", keys.business);
    (void)snprintf(count, sizeof(count), "%llu", (unsigned long long)limit);
    const struct reply *log =
        redis_sync_words(sync, "XREVRANGE", key, "+", "-", "COUNT", count, NULL);
    int code = EXIT_GOOD;
    if (log != NULL && log->type == REPLY_ARRAY) {
        print_all(log, name, options->json);
    } else {
        fprintf(stderr, "facteur template log: %s: %.*s\n", key,
                log == NULL ? 0 : (int)log->text.size, log == NULL ? "" : log->text.data);
        code = EXIT_UNAVAILABLE;
    }
    redis_sync_close(sync);
    return code;
}

int
cli_template_log(int argc, char **argv)
{
    struct template_options options;
    uint64_t limit = 100;
    template_options_init(&options);
    const struct option_row rows[] = {
        TEMPLATE_STORE_ROWS(&options),
        {"limit", OPTION_NUMBER, &limit, "N", "changes looked at, the newest; default 100", NULL},
        TEMPLATE_JSON_ROW(&options),
    };
    const struct verb verb = {
        verb_name,
        "who changed which template, when and why",
        "[NAME] [options]",
        "The newest change first. \"number\" is the catalogue's; an event's \"version\" is one of\n"
        "before and after.\n\nexample:\n  facteur template log order_shipped --account acme/fr",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (limit == 0 || limit > LIMIT_MAX) {
        fprintf(stderr, "facteur template log: --limit: from 1 to %d\n", LIMIT_MAX);
        return EXIT_USAGE;
    }
    return show(&options, limit, rest > 0 ? argv[0] : NULL);
}
