/*
 * load_templates - which parameters the catalogue's templates ask for, read with our own eyes.
 *
 * Reads Meta's JSON files and keeps what a producer must know: name, language, how many variables
 * the body has and what they are called. Templates that need more than body parameters (media, a
 * variable in header or button) are passed over.
 */
#ifndef FACTEUR_LOADTEST_LOAD_TEMPLATES_H
#define FACTEUR_LOADTEST_LOAD_TEMPLATES_H

#include "loadtest/load_words.h"

enum {
    LOAD_TEMPLATES_MAX = 64,
    LOAD_PARAMETERS_MAX = 16,
    LOAD_NAME_MAX = 64, /* bytes of a template's or a parameter's name */
};

struct load_parameter {
    char name[LOAD_NAME_MAX + 1]; /* "1" … or a name, without "p." */
    enum load_word word;
};

struct load_template {
    char name[LOAD_NAME_MAX + 1];
    char code[8]; /* the language as the template has it, "fr" or "pt_BR" */
    enum load_language language;
    bool named;
    uint32_t parameter_count;
    struct load_parameter parameters[LOAD_PARAMETERS_MAX];
};

struct load_templates {
    uint32_t count;
    struct load_template list[LOAD_TEMPLATES_MAX]; /* by name, then language: the same everywhere */
};

/*
 * Reads every *.json of `folder` and keeps those whose name is in `names` (NULL ends it). False
 * with a sentence in `error`: the folder or a file cannot be read, or nothing usable was found.
 */
bool load_templates_read(struct load_templates *templates, const char *folder,
                         const char *const *names, struct error_text *error);

/* One template from its JSON text, for tests: false if it is not one that we use. */
bool load_template_read(struct load_template *template, struct span json);

#endif
