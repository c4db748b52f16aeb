#include "sender/cli/template_files.h"

#include "sender/base/check.h"
#include "sender/cli/template_source.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MAX = CATALOGUE_TEMPLATES_MAX };

/* ---- reading -------------------------------------------------------------------------------- */

/* At most one byte more than a template may have: what is larger is told by the lint. */
static bool
read_file(const char *verb, struct template_file *file)
{
    bool standard = strcmp(file->path, "-") == 0;
    FILE *from = standard ? stdin : fopen(file->path, "re");
    struct stat status;
    if (from != NULL && fstat(fileno(from), &status) == 0 && S_ISDIR(status.st_mode)) {
        fclose(from);
        from = NULL;
        errno = EISDIR;
    }
    if (from == NULL) {
        fprintf(stderr, "facteur %s: %s: cannot be read: %s\n", verb, file->path, strerror(errno));
        return false;
    }
    file->text = check_alloc(1, TEMPLATE_FILE_MAX + 1);
    file->size = fread(file->text, 1, TEMPLATE_FILE_MAX + 1, from);
    bool good = ferror(from) == 0;
    if (!good)
        fprintf(stderr, "facteur %s: %s: cannot be read: %s\n", verb, file->path, strerror(errno));
    if (!standard)
        fclose(from);
    return good;
}

static void
say_twice(struct template_files *files, struct template_file *file)
{
    for (const struct template_file *other = files->files; other < file; other++) {
        if (other->template == NULL || file->template == NULL ||
            !span_equal(other->template->name, file->template->name) ||
            !span_equal(other->template->language, file->template->language))
            continue;
        struct lint_finding *finding = &file->report.findings[0];
        *finding = (struct lint_finding){.rule = LINT_TWICE, .line = 1, .column = 1};
        (void)snprintf(finding->text, sizeof(finding->text), "%.*s in %.*s is in %.100s already",
                       file->template->name.size > 100 ? 100 : (int)file->template->name.size,
                       file->template->name.data, SPAN_ARG(file->template->language), other->path);
        file->report.count = 1;
        file->report.errors = 1;
        template_close(file->template);
        file->template = NULL;
    }
}

static bool
add_file(const char *verb, const char *path, struct template_files *files)
{
    if (files->count == FILES_MAX) {
        fprintf(stderr, "facteur %s: more than %d files\n", verb, FILES_MAX);
        return false;
    }
    struct template_file *file = &files->files[files->count++];
    file->path = strdup(path);
    check(file->path != NULL);
    if (!read_file(verb, file))
        return false;
    file->template = lint_read((struct span){file->text, file->size}, &file->report);
    say_twice(files, file);
    files->errors += file->report.errors;
    for (uint32_t i = 0; i < file->report.count; i++)
        files->warnings += lint_rule_is_error(file->report.findings[i].rule) ? 0 : 1;
    return true;
}

static int
is_template_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return size > 5 && entry->d_name[0] != '.' && strcmp(entry->d_name + size - 5, ".json") == 0;
}

static int
by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool
add_folder(const char *verb, const char *folder, struct template_files *files)
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_template_file, by_bytes);
    bool good = count >= 0;
    if (!good)
        fprintf(stderr, "facteur %s: %s: cannot be read: %s\n", verb, folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *path = NULL;
        check(asprintf(&path, "%s/%s", folder, entries[i]->d_name) >= 0);
        good = good && add_file(verb, path, files);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return good;
}

bool
template_files_open(const char *verb, char *const *paths, int count, struct template_files *files)
{
    *files = (struct template_files){.files = check_alloc(FILES_MAX, sizeof(*files->files))};
    for (int i = 0; i < count; i++) {
        struct stat status;
        bool folder = stat(paths[i], &status) == 0 && S_ISDIR(status.st_mode);
        if (!(folder ? add_folder(verb, paths[i], files) : add_file(verb, paths[i], files))) {
            template_files_close(files);
            return false;
        }
    }
    return true;
}

void
template_files_close(struct template_files *files)
{
    for (uint32_t i = 0; i < files->count; i++) {
        template_close(files->files[i].template);
        free(files->files[i].text);
        free(files->files[i].path);
    }
    free(files->files);
    *files = (struct template_files){0};
}

/* ---- printing ------------------------------------------------------------------------------- */

static const char *
severity(const struct lint_finding *finding)
{
    return lint_rule_is_error(finding->rule) ? "error" : "warning";
}

static void
print_words(const struct template_file *file)
{
    for (uint32_t i = 0; i < file->report.count; i++) {
        const struct lint_finding *finding = &file->report.findings[i];
        printf("%s:%u:%u: %s: %s%s%s [%s]\n    %s\n", file->path, finding->line, finding->column,
               severity(finding), finding->path, finding->path[0] != '\0' ? ": " : "",
               finding->text, lint_rule_word(finding->rule), lint_rule_fix(finding->rule));
    }
    if (file->report.more)
        printf("%s: and more: correct these first\n", file->path);
}

static void
print_finding(const struct lint_finding *finding, bool first)
{
    printf("%s{\"line\":%u,\"column\":%u,\"path\":", first ? "" : ",", finding->line,
           finding->column);
    print_json_text(span_of(finding->path));
    printf(",\"rule\":\"%s\",\"severity\":\"%s\",\"problem\":", lint_rule_word(finding->rule),
           severity(finding));
    print_json_text(span_of(finding->text));
    printf(",\"fix\":");
    print_json_text(span_of(lint_rule_fix(finding->rule)));
    printf("}");
}

static void
print_json(const struct template_file *file, bool first)
{
    const struct template *template = file->template;
    printf("%s{\"file\":", first ? "" : ",");
    print_json_text(span_of(file->path));
    printf(",\"good\":%s", template != NULL ? "true" : "false");
    if (template != NULL)
        printf(",\"name\":\"%.*s\",\"lang\":\"%.*s\",\"version\":\"%016llx\"",
               SPAN_ARG(template->name), SPAN_ARG(template->language),
               (unsigned long long)template->version);
    printf(",\"findings\":[");
    for (uint32_t i = 0; i < file->report.count; i++)
        print_finding(&file->report.findings[i], i == 0);
    printf("]}");
}

void
template_files_print(const struct template_files *files, bool json)
{
    if (json)
        printf("{\"files\":[");
    for (uint32_t i = 0; i < files->count; i++) {
        if (json)
            print_json(&files->files[i], i == 0);
        else
            print_words(&files->files[i]);
    }
    if (json)
        printf("],\"errors\":%u,\"warnings\":%u}\n", files->errors, files->warnings);
    else
        printf("%u %s: %u errors, %u warnings\n", files->count,
               files->count == 1 ? "file" : "files", files->errors, files->warnings);
}
