/* facteur template lint: what is against a template file, with its line and how to mend it. */
#include "sender/cli/template_files.h"
#include "sender/cli/template_source.h"

#include <stdio.h>

static const char verb_name[] = "template lint";

int
cli_template_lint(int argc, char **argv)
{
    bool json = false;
    bool strict = false;
    const struct option_row rows[] = {
        {"strict", OPTION_FLAG, &strict, NULL, "a warning is a no, too", NULL},
        {"json", OPTION_FLAG, &json, NULL, "one JSON object for programs", NULL},
    };
    const struct verb verb = {
        verb_name,
        "what is against a template file?",
        "[options] FILE…",
        "Reads template files in Meta's JSON (a folder: its *.json; -: standard input) and names\n"
        "every finding with file, line and column, its rule, and how to mend it. Errors: the file\n"
        "cannot be used, is marketing, or promotional. Warnings: Meta is known to reject it. Exit\n"
        "1 if there is an error.\n\nexample:\n"
        "  facteur template lint templates/catalogue/order_shipped.fr.json",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest == 0) {
        fprintf(stderr, "facteur template lint: which files? See facteur template lint --help\n");
        return EXIT_USAGE;
    }
    struct template_files files;
    if (!template_files_open(verb_name, argv, rest, &files))
        return EXIT_DATA;
    template_files_print(&files, json);
    code = files.errors > 0 || (strict && files.warnings > 0) ? EXIT_NO : EXIT_GOOD;
    template_files_close(&files);
    return code;
}
