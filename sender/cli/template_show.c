/* facteur template show: a template's text, in each of its languages. */
#include "sender/cli/template_source.h"

#include <stdio.h>

static const char verb_name[] = "template show";

static void
print_object(const struct template_source *source, const struct template *template, bool first)
{
    const struct stored_template *stored = template_source_stored(source, template);
    printf("%s{\"name\":\"%.*s\",\"lang\":\"%.*s\",\"version\":\"%016llx\",\"from\":\"%s\"",
           first ? "" : ",", SPAN_ARG(template->name), SPAN_ARG(template->language),
           (unsigned long long)template->version, stored != NULL ? "redis" : "file");
    if (stored != NULL) {
        printf(",\"who\":");
        print_json_text(stored->who);
        printf(",\"at\":%llu,\"why\":", (unsigned long long)stored->at_ms);
        print_json_text(stored->why);
    }
    struct span json = catalogue_json(source->catalogue, template->index);
    printf(",\"template\":%.*s}", SPAN_ARG(json));
}

static void
print_words(const struct template_source *source, const struct template *template)
{
    const struct stored_template *stored = template_source_stored(source, template);
    struct span json = catalogue_json(source->catalogue, template->index);
    printf("# %.*s in %.*s, %s, version %016llx\n", SPAN_ARG(template->name),
           SPAN_ARG(template->language), template_category_text(template->category),
           (unsigned long long)template->version);
    if (stored != NULL) {
        printf("# since ");
        print_time(stored->at_ms);
        printf(" by %.*s: %.*s\n", SPAN_ARG(stored->who), SPAN_ARG(stored->why));
    } else {
        printf("# from %s\n", catalogue_source(source->catalogue, template->index));
    }
    printf("%.*s\n", SPAN_ARG(span_trim(json)));
}

static int
show(const struct template_source *source, const char *name, const char *language, bool json)
{
    bool found = false;
    for (uint32_t i = 0; i < catalogue_count(source->catalogue); i++) {
        const struct template *template = catalogue_at(source->catalogue, i);
        if (!span_equal(template->name, span_of(name)) ||
            (language != NULL && !span_equal(template->language, span_of(language))))
            continue;
        if (json && !found)
            printf("{\"templates\":[");
        if (json)
            print_object(source, template, !found);
        else
            print_words(source, template);
        found = true;
    }
    if (!found)
        return template_source_say_unknown(source, span_of(name), span_of(language));
    if (json)
        printf("]}\n");
    return EXIT_GOOD;
}

int
cli_template_show(int argc, char **argv)
{
    struct template_options options;
    const char *language = NULL;
    template_options_init(&options);
    const struct option_row rows[] = {
        TEMPLATE_STORE_ROWS(&options),
        TEMPLATE_FOLDER_ROW(&options),
        {"lang", OPTION_TEXT, &language, "LANG", "only in this language; default: in all", NULL},
        TEMPLATE_JSON_ROW(&options),
    };
    const struct verb verb = {
        verb_name,
        "a template as it is in force",
        "NAME [options]",
        "Its JSON, with its version, and who put it there, when and why.\n\nexample:\n"
        "  facteur template show order_shipped --lang fr",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest != 1) {
        fprintf(stderr, "facteur template show: give one NAME; facteur template list names them\n");
        return EXIT_USAGE;
    }
    struct template_source source;
    code = template_source_open(&options, verb_name, &source);
    if (code >= 0)
        return code;
    code = show(&source, argv[0], language, options.json);
    template_source_close(&source);
    return code;
}
