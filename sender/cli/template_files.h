/*
 * template_files - template files named on the command line, read and looked at.
 */
#ifndef FACTEUR_SENDER_CLI_TEMPLATE_FILES_H
#define FACTEUR_SENDER_CLI_TEMPLATE_FILES_H

#include "templates/lint.h"

struct template_file {
    char *path; /* owned; "-": standard input */
    char *text; /* owned */
    size_t size;
    struct lint_report report;
    struct template *template; /* NULL if it has an error */
};

struct template_files {
    struct template_file *files;
    uint32_t count;
    uint32_t errors; /* findings, of all files */
    uint32_t warnings;
};

/*
 * Reads every file and folder (its *.json) of `paths`, "-" as standard input, and looks at each.
 * False after saying which one cannot be read. A second file for one name and language is an error.
 */
bool template_files_open(const char *verb, char *const *paths, int count,
                         struct template_files *files);
void template_files_close(struct template_files *files);

/* Every finding: "FILE:LINE:COLUMN: error: PATH: what (rule)", and how to mend it. */
void template_files_print(const struct template_files *files, bool json);

#endif
