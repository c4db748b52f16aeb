/*
 * config - the YAML file of `facteur run`: read with line numbers, nothing guessed.
 *
 * The file comes first, the environment over it, flags over both. Every value is kept as its text,
 * because whoever uses it knows how to judge it; config_line() then tells where it stood, so that
 * an error names file and line. Secrets are never in the file: it names files or variables.
 */
#ifndef FACTEUR_SENDER_CONFIG_H
#define FACTEUR_SENDER_CONFIG_H

#include "sender/base/bytes.h"
#include "sender/graph/retries.h"

/* Waits between attempts, of classes of Meta's errors: see RETRY_CLASSES. */
struct config_classes {
#define RETRY_CLASS(class, name, help) char *name;
    RETRY_CLASSES(RETRY_CLASS)
#undef RETRY_CLASS
};

struct config_account {
    char *name;
    char *phone_number_id;
    char *token_file;        /* or: */
    char *token_environment; /* the name of a variable */
    char *currency;          /* USD */
    char *time_zone;         /* Europe/Paris */
    char *numbers;           /* strict, lenient */
    char *pace;              /* 80/s */
    char *fallback;          /* fr_CA>fr>en */
    char *retry;             /* 5s, 30s, 1h*6 */
    char *uncertain;         /* park, drop, resend */
    char *uncertain_codes;   /* likewise */
    struct config_classes *retry_classes;
};

struct config_business {
    char *name;
    struct config_account *accounts;
    unsigned accounts_count;
};

/* NULL: not said. The names are the file's keys, see config.inc. */
struct config {
#define CONFIG_TEXT(name, help) char *name;
#include "sender/config.inc"
#undef CONFIG_TEXT
    struct config_classes *retry_classes;
    struct config_business *businesses;
    unsigned businesses_count;
};

struct config_file;

/*
 * Reads the file. NULL on failure with file, line, what is wrong and what to do in `error`: a tab,
 * an unknown key (with the nearest known one), a key twice, a missing name, a value that is no
 * text.
 */
struct config_file *config_open(const char *path, struct error_text *error);
void config_close(struct config_file *file); /* NULL is allowed */
const struct config *config_of(const struct config_file *file);

/* The line on which `key: value` stands, the first such; 0 if it is not found. */
uint32_t config_line(const struct config_file *file, const char *key, const char *value);

#endif
