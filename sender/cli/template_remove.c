/* facteur template remove: takes a template out of a business's catalogue. */
#include "sender/cli/template_change.h"

#include <stdio.h>

static const char verb_name[] = "template remove";

struct removing {
    const struct template_source *source; /* as it was when the verb began: for the files */
    struct span name;
    struct span language; /* empty: all */
};

static bool
is_meant(const struct removing *removing, struct span name, struct span language)
{
    return span_equal(name, removing->name) &&
           (removing->language.size == 0 || span_equal(language, removing->language));
}

/* Those of Redis, and those of files, which a removal hides. */
static int
plan(void *context, const struct template_store *store, struct stored_template *changes)
{
    const struct removing *removing = context;
    const struct catalogue *files = removing->source->files;
    int count = 0;
    for (uint32_t i = 0; i < store->count && count < STORE_CHANGES_MAX; i++) {
        const struct stored_template *stored = &store->stored[i];
        if (stored->json.size == 0 || !is_meant(removing, stored->name, stored->language))
            continue;
        changes[count].name = stored->name;
        changes[count++].language = stored->language;
    }
    for (uint32_t i = 0; i < catalogue_count(files) && count < STORE_CHANGES_MAX; i++) {
        const struct template *file = catalogue_at(files, i);
        if (!is_meant(removing, file->name, file->language) ||
            template_store_find(store, file->name, file->language) != NULL)
            continue;
        changes[count].name = file->name;
        changes[count++].language = file->language;
    }
    if (count == 0)
        (void)template_source_say_unknown(removing->source, removing->name, removing->language);
    return count == 0 ? -1 : count;
}

static int
run(const struct template_options *options, const char *name, const char *language, bool dry_run)
{
    struct template_source source;
    if (options->store.redis == NULL && !options->store.dev) {
        struct redis_address address;
        (void)cli_store_address(&options->store, verb_name, &address); /* says what is missing */
        return EXIT_USAGE;
    }
    if (!template_options_reason(options, verb_name))
        return EXIT_USAGE;
    int code = template_source_open(options, verb_name, &source);
    if (code >= 0)
        return code;
    struct removing removing = {
        .source = &source, .name = span_of(name), .language = span_of(language)};
    const struct template_change change = {.options = options,
                                           .verb = verb_name,
                                           .dry_run = dry_run,
                                           .plan = plan,
                                           .context = &removing};
    code = template_change_do(&change);
    template_source_close(&source);
    return code;
}

int
cli_template_remove(int argc, char **argv)
{
    struct template_options options;
    const char *language = NULL;
    bool dry_run = false;
    template_options_init(&options);
    const struct option_row rows[] = {
        TEMPLATE_STORE_ROWS(&options),
        {"lang", OPTION_TEXT, &language, "LANG", "only in this language; default: in all", NULL},
        TEMPLATE_CHANGE_ROWS(&options),
        TEMPLATE_FOLDER_ROW(&options),
        {"dry-run", OPTION_FLAG, &dry_run, NULL, "say what would go, write nothing", NULL},
        TEMPLATE_JSON_ROW(&options),
    };
    const struct verb verb = {
        verb_name,
        "takes a template out of a business's catalogue",
        "NAME --reason TEXT [options]",
        "Messages that name it are refused from within a second on, and kept in dead. A default\n"
        "template of the files is hidden likewise. template add brings it back.\n"
        "\nexample:\n"
        "  facteur template remove order_shipped --lang fr --account acme/fr --reason 'wrong link'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest != 1) {
        fprintf(stderr, "facteur template remove: give one NAME; see facteur template remove "
                        "--help\n");
        return EXIT_USAGE;
    }
    return run(&options, argv[0], language, dry_run);
}
