/* facteur template list: the templates in force. */
#include "sender/cli/template_source.h"

#include <stdio.h>
#include <stdlib.h>

static const char verb_name[] = "template list";

struct listing {
    const struct template_source *source;
    const struct template **templates; /* by name and language */
    uint32_t count;
    int name_width;
    bool json;
};

static int
compare(struct span a, struct span b)
{
    for (size_t i = 0; i < a.size && i < b.size; i++)
        if (a.data[i] != b.data[i])
            return (unsigned char)a.data[i] < (unsigned char)b.data[i] ? -1 : 1;
    return a.size < b.size ? -1 : a.size > b.size ? 1 : 0;
}

static int
by_name(const void *a, const void *b)
{
    const struct template *x = *(const struct template *const *)a;
    const struct template *y = *(const struct template *const *)b;
    int order = compare(x->name, y->name);
    return order != 0 ? order : compare(x->language, y->language);
}

static void
print_row(const struct listing *listing, const struct template *template)
{
    const struct stored_template *stored = template_source_stored(listing->source, template);
    print_padded(template->name, listing->name_width);
    printf("  ");
    print_padded(template->language, 6);
    printf("  %-14s  %-8s  %10u  %7u  %016llx  ", template_category_text(template->category),
           template_header_text(template->header), template->parameter_count,
           template->button_count, (unsigned long long)template->version);
    if (stored == NULL) {
        printf("file\n");
        return;
    }
    print_time(stored->at_ms);
    printf("  %.*s\n", SPAN_ARG(stored->who));
}

static void
print_object(const struct listing *listing, const struct template *template, bool first)
{
    const struct stored_template *stored = template_source_stored(listing->source, template);
    printf("%s{\"name\":\"%.*s\",\"lang\":\"%.*s\",\"category\":\"%s\",\"header\":\"%s\","
           "\"parameters\":[",
           first ? "" : ",", SPAN_ARG(template->name), SPAN_ARG(template->language),
           template_category_text(template->category),
           template->header == TEMPLATE_HEADER_NONE ? "none"
                                                    : template_header_text(template->header));
    for (uint32_t i = 0; i < template->parameter_count; i++)
        printf("%s\"%.*s\"", i == 0 ? "" : ",", SPAN_ARG(template->parameter_names[i]));
    printf("],\"buttons\":%u,\"version\":\"%016llx\",\"from\":\"%s\"", template->button_count,
           (unsigned long long)template->version, stored != NULL ? "redis" : "file");
    if (stored != NULL) {
        printf(",\"who\":");
        print_json_text(stored->who);
        printf(",\"at\":%llu,\"why\":", (unsigned long long)stored->at_ms);
        print_json_text(stored->why);
    }
    printf("}");
}

static void
print_all(const struct listing *listing)
{
    const struct template_source *source = listing->source;
    if (listing->json)
        printf("{\"number\":%llu,\"templates\":[", (unsigned long long)source->store.number);
    else
        printf("%-*s  %-6s  %-14s  %-8s  %10s  %7s  %-16s  %-19s  who\n", listing->name_width,
               "template", "lang", "category", "header", "parameters", "buttons", "version",
               "since");
    for (uint32_t i = 0; i < listing->count; i++) {
        if (listing->json)
            print_object(listing, listing->templates[i], i == 0);
        else
            print_row(listing, listing->templates[i]);
    }
    if (listing->json)
        printf("]}\n");
    else
        printf("%u templates; catalogue %llu of Redis\n", listing->count,
               (unsigned long long)source->store.number);
}

static int
list(const struct template_source *source, const char *name, bool json)
{
    uint32_t all = catalogue_count(source->catalogue);
    struct listing listing = {.source = source,
                              .templates = calloc((size_t)all + 1, sizeof(struct template *)),
                              .name_width = 8,
                              .json = json};
    if (listing.templates == NULL)
        return EXIT_TRY_AGAIN;
    for (uint32_t i = 0; i < all; i++) {
        const struct template *template = catalogue_at(source->catalogue, i);
        if (name != NULL && !span_equal(template->name, span_of(name)))
            continue;
        listing.templates[listing.count++] = template;
        if ((int)template->name.size > listing.name_width)
            listing.name_width = (int)template->name.size;
    }
    qsort(listing.templates, listing.count, sizeof(struct template *), by_name);
    int code = EXIT_GOOD;
    if (listing.count == 0 && name != NULL)
        code = template_source_say_unknown(source, span_of(name), (struct span){0});
    else
        print_all(&listing);
    free(listing.templates);
    return code;
}

int
cli_template_list(int argc, char **argv)
{
    struct template_options options;
    template_options_init(&options);
    const struct option_row rows[] = {
        TEMPLATE_STORE_ROWS(&options),
        TEMPLATE_FOLDER_ROW(&options),
        TEMPLATE_JSON_ROW(&options),
    };
    const struct verb verb = {
        verb_name,
        "the templates in force",
        "[NAME] [options]",
        "Those of Redis over those of files; \"since\" and \"who\" are of Redis' log. Without a\n"
        "Redis only the files.\n\nexample:\n  facteur template list --account acme/fr",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    struct template_source source;
    code = template_source_open(&options, verb_name, &source);
    if (code >= 0)
        return code;
    code = list(&source, rest > 0 ? argv[0] : NULL, options.json);
    template_source_close(&source);
    return code;
}
