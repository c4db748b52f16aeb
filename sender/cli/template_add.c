/* facteur template add: puts templates into a business's catalogue in Redis. */
#include "sender/cli/template_change.h"
#include "sender/cli/template_files.h"

#include <stdio.h>

static const char verb_name[] = "template add";

struct adding {
    const struct template_files *files;
    char (*versions)[17];
};

static int
plan(void *context, const struct template_store *store, struct stored_template *changes)
{
    const struct adding *adding = context;
    (void)store;
    for (uint32_t i = 0; i < adding->files->count; i++) {
        const struct template_file *file = &adding->files->files[i];
        (void)snprintf(adding->versions[i], sizeof(adding->versions[i]), "%016llx",
                       (unsigned long long)file->template->version);
        changes[i].name = file->template->name;
        changes[i].language = file->template->language;
        changes[i].version = span_of(adding->versions[i]);
        changes[i].json = span_trim((struct span){file->text, file->size});
    }
    return (int)adding->files->count;
}

/* What is stored must be read again as it was: the record's reader is another one than the file's.
 */
static bool
can_be_stored(const struct template_file *file)
{
    static char memory[STORED_VALUE_MAX];
    struct stored_template stored;
    struct error_text error;
    struct buffer value;
    char field[STORED_FIELD_MAX];
    struct buffer name;
    buffer_init(&value, memory, sizeof(memory));
    buffer_init(&name, field, sizeof(field));
    const struct stored_template whole = {
        .name = file->template->name,
        .language = file->template->language,
        .json = span_trim((struct span){file->text, file->size}),
    };
    stored_put_value(&whole, &value);
    stored_put_field(&whole, &name);
    if (!value.overflow && !name.overflow &&
        stored_read(buffer_span(&name), buffer_span(&value), &stored, &error) &&
        span_equal(stored.json, whole.json))
        return true;
    fprintf(stderr, "facteur template add: %s: is nested too deeply to be kept\n", file->path);
    return false;
}

static int
add(const struct template_options *options, const struct template_files *files, bool dry_run)
{
    static char versions[STORE_CHANGES_MAX][17];
    struct adding adding = {.files = files, .versions = versions};
    if (files->count > STORE_CHANGES_MAX) {
        fprintf(stderr, "facteur template add: more than %d files: add them in several calls\n",
                STORE_CHANGES_MAX);
        return EXIT_USAGE;
    }
    for (uint32_t i = 0; i < files->count; i++)
        if (!can_be_stored(&files->files[i]))
            return EXIT_DATA;
    const struct template_change change = {.options = options,
                                           .verb = verb_name,
                                           .dry_run = dry_run,
                                           .plan = plan,
                                           .context = &adding};
    return template_change_do(&change);
}

static int
run(const struct template_options *options, char *const *paths, int count, bool dry_run)
{
    struct template_files files;
    if (count == 0) {
        fprintf(stderr, "facteur template add: which files? See facteur template add --help\n");
        return EXIT_USAGE;
    }
    if (!template_options_reason(options, verb_name))
        return EXIT_USAGE;
    if (!template_files_open(verb_name, paths, count, &files))
        return EXIT_DATA;
    int code = EXIT_NO;
    if (files.errors > 0) {
        template_files_print(&files, options->json);
        fprintf(stderr, "facteur template add: nothing was added: correct the errors first\n");
    } else {
        code = add(options, &files, dry_run);
    }
    template_files_close(&files);
    return code;
}

int
cli_template_add(int argc, char **argv)
{
    struct template_options options;
    bool dry_run = false;
    template_options_init(&options);
    const struct option_row rows[] = {
        TEMPLATE_STORE_ROWS(&options),
        TEMPLATE_CHANGE_ROWS(&options),
        {"dry-run", OPTION_FLAG, &dry_run, NULL, "look at everything, write nothing", NULL},
        TEMPLATE_JSON_ROW(&options),
    };
    const struct verb verb = {
        verb_name,
        "puts templates into a business's catalogue",
        "--reason TEXT [options] FILE…",
        "Looks at each file as template lint does; marketing and promotional ones are refused. If\n"
        "all are good they come into force together: running senders take them in within a "
        "second,\n"
        "and each message is of one version, which its event names. What was there before is in\n"
        "template log. The template must be approved at Meta under the same name and language.\n"
        "\nexample:\n"
        "  facteur template add --account acme/fr --reason 'new wording' order_shipped.fr.json",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    return code >= 0 ? code : run(&options, argv, rest, dry_run);
}
