#include "sender/options.h"

#include "sender/base/check.h"
#include "sender/page.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_MAX_SIZE = 40, NEAR = 3, NAMES_MAX = 64 };

/* ---- words that are nearly right ------------------------------------------------------------ */

/* How many letters must change (Levenshtein), for names of at most NAME_MAX_SIZE letters. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_SIZE + 1];
    size_t a_size = strlen(a);
    size_t b_size = strlen(b);
    if (a_size > NAME_MAX_SIZE || b_size > NAME_MAX_SIZE)
        return NAME_MAX_SIZE;
    for (size_t k = 0; k <= b_size; k++)
        row[k] = k;
    for (size_t i = 1; i <= a_size; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t k = 1; k <= b_size; k++) {
            size_t best = diagonal + (a[i - 1] != b[k - 1] ? 1 : 0);
            diagonal = row[k];
            if (row[k] + 1 < best)
                best = row[k] + 1;
            if (row[k - 1] + 1 < best)
                best = row[k - 1] + 1;
            row[k] = best;
        }
    }
    return row[b_size];
}

const char *
options_nearest(const char *text, const char *const *names, size_t count)
{
    const char *nearest = NULL;
    size_t least = NEAR + 1;
    for (size_t i = 0; i < count; i++) {
        size_t far = distance(text, names[i]);
        if (far < least && far < strlen(names[i])) {
            least = far;
            nearest = names[i];
        }
    }
    return nearest;
}

/* ---- values --------------------------------------------------------------------------------- */

bool
options_time(const char *text, uint64_t *ms)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
    size_t digits = strspn(text, "0123456789");
    uint64_t number;
    if (!span_to_u64((struct span){text, digits}, &number) || number > 1000000000)
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (strcmp(text + digits, units[i].unit) == 0) {
            *ms = number * units[i].ms;
            return true;
        }
    }
    return false;
}

static bool
set_value(const struct option_row *row, const char *value)
{
    struct option_list *list = row->to;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)row->to = true;
        return true;
    case OPTION_TEXT:
        *(const char **)row->to = value;
        return true;
    case OPTION_NUMBER:
        return span_to_u64(span_of(value), row->to);
    case OPTION_TIME:
        return options_time(value, row->to);
    case OPTION_LIST:
        if (list->count == OPTION_LIST_MAX)
            return false;
        list->items[list->count++] = value;
        return true;
    }
    return false;
}

static const char *
kind_text(enum option_kind kind)
{
    switch (kind) {
    case OPTION_NUMBER:
        return "a whole number";
    case OPTION_TIME:
        return "a time with its unit: 500ms, 10s, 5m, 2h or 1d";
    case OPTION_LIST:
        return "given fewer times";
    case OPTION_FLAG:
    case OPTION_TEXT:
        break;
    }
    return "text";
}

/* ---- help ----------------------------------------------------------------------------------- */

static void
print_row(const struct option_row *row)
{
    char left[64];
    snprintf(left, sizeof(left), "--%s%s%s", row->name, row->argument != NULL ? " " : "",
             row->argument != NULL ? row->argument : "");
    printf("  %-26s %s", left, row->help);
    if (row->environment != NULL)
        printf(" [%s]", row->environment);
    putchar('\n');
}

void
options_help(const struct verb *verb)
{
    printf("facteur %s - %s\n\nusage: facteur %s %s\n\n%s\n", verb->name, verb->summary, verb->name,
           verb->usage, verb->help);
    if (verb->row_count > 0)
        printf("\noptions:\n");
    for (size_t i = 0; i < verb->row_count; i++)
        print_row(&verb->rows[i]);
}

/* ---- reading -------------------------------------------------------------------------------- */

static const struct option_row *
find_row(const struct verb *verb, struct span name)
{
    for (size_t i = 0; i < verb->row_count; i++)
        if (span_equal(span_of(verb->rows[i].name), name))
            return &verb->rows[i];
    return NULL;
}

static int
say_unknown(const struct verb *verb, const char *argument)
{
    const char *names[NAMES_MAX];
    size_t count = 0;
    for (; count < verb->row_count && count < NAMES_MAX; count++)
        names[count] = verb->rows[count].name;
    const char *near = options_nearest(argument + 2, names, count);
    fprintf(stderr, "facteur %s: %s is not an option", verb->name, argument);
    if (near != NULL)
        fprintf(stderr, "; did you mean --%s?", near);
    fprintf(stderr, "\nsee facteur %s --help\n", verb->name);
    return EXIT_USAGE;
}

static void
read_environment(const struct verb *verb, bool *bad)
{
    for (size_t i = 0; i < verb->row_count; i++) {
        const struct option_row *row = &verb->rows[i];
        const char *value = row->environment != NULL ? getenv(row->environment) : NULL;
        if (value == NULL || value[0] == '\0' || set_value(row, value))
            continue;
        fprintf(stderr, "facteur %s: %s=%s must be %s\n", verb->name, row->environment, value,
                kind_text(row->kind));
        *bad = true;
    }
}

/* A list that the command line names replaces the environment's. */
static void
forget_environment(const struct option_row *row, bool *seen)
{
    if (row->kind == OPTION_LIST && !*seen)
        ((struct option_list *)row->to)->count = 0;
    *seen = true;
}

int
options_read(const struct verb *verb, int argc, char **argv, int *rest_count)
{
    bool bad = false;
    bool lists_seen[NAMES_MAX] = {false};
    enum page_form form;
    *rest_count = 0;
    if (argc > 0 && page_is_help(argv[0], &form)) { /* whatever the environment says */
        page_print(verb, form);
        return EXIT_GOOD;
    }
    read_environment(verb, &bad);
    for (int i = 0; i < argc && !bad; i++) {
        const char *argument = argv[i];
        if (page_is_help(argument, &form)) {
            page_print(verb, form);
            return EXIT_GOOD;
        }
        if (strncmp(argument, "--", 2) != 0 || argument[2] == '\0') {
            argv[(*rest_count)++] = argv[i];
            continue;
        }
        const char *equal = strchr(argument, '=');
        struct span name = {argument + 2,
                            equal != NULL ? (size_t)(equal - argument - 2) : strlen(argument) - 2};
        const struct option_row *row = find_row(verb, name);
        if (row == NULL)
            return say_unknown(verb, argument);
        const char *value = equal != NULL ? equal + 1 : NULL;
        if (row->kind != OPTION_FLAG && value == NULL)
            value = i + 1 < argc ? argv[++i] : NULL;
        if ((row->kind != OPTION_FLAG && value == NULL) || (row->kind == OPTION_FLAG && equal)) {
            fprintf(stderr, "facteur %s: --%s %s\n", verb->name, row->name,
                    row->kind == OPTION_FLAG ? "takes no value" : "needs a value");
            return EXIT_USAGE;
        }
        forget_environment(row, &lists_seen[row - verb->rows]);
        if (!set_value(row, value)) {
            fprintf(stderr, "facteur %s: --%s %s must be %s\n", verb->name, row->name, value,
                    kind_text(row->kind));
            return EXIT_USAGE;
        }
    }
    return bad ? EXIT_USAGE : -1;
}

/* ---- from a configuration file ----------------------------------------------------------------
 */

static const struct option_row *
find_key(const struct verb *verb, const char *key)
{
    char name[NAME_MAX_SIZE];
    size_t size = strlen(key);
    check(size < sizeof(name));
    for (size_t i = 0; i <= size; i++)
        name[i] = key[i] == '_' ? '-' : key[i];
    const struct option_row *row = find_row(verb, span_of(name));
    check(row != NULL);
    return row;
}

bool
options_set(const struct verb *verb, const char *key, const char *value)
{
    return set_value(find_key(verb, key), value);
}

const char *
options_kind(const struct verb *verb, const char *key)
{
    return kind_text(find_key(verb, key)->kind);
}
