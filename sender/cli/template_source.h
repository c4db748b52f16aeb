/*
 * template_source - which templates a verb is about: those of Redis over those of files.
 *
 * What `facteur run` renders from, seen from the command line. Without a Redis only the files.
 */
#ifndef FACTEUR_SENDER_CLI_TEMPLATE_SOURCE_H
#define FACTEUR_SENDER_CLI_TEMPLATE_SOURCE_H

#include "sender/cli/cli.h"
#include "sender/cli/print.h"
#include "sender/template_store.h"
#include "templates/catalogue.h"

struct template_options {
    struct cli_store store;
    const char *business; /* or NULL: the business of the account */
    const char *folder;   /* of the default templates */
    const char *who;      /* who changes something */
    const char *why;
    bool json;
};

#define TEMPLATE_STORE_ROWS(options)                                                               \
    CLI_STORE_ROWS(&(options)->store), CLI_ACCOUNT_ROW(&(options)->store, "its business's"),       \
    {                                                                                              \
        "business", OPTION_TEXT, &(options)->business, "BUSINESS", "instead of an account",        \
            "FACTEUR_BUSINESS"                                                                     \
    }

#define TEMPLATE_FOLDER_ROW(options)                                                               \
    {                                                                                              \
        "templates", OPTION_TEXT, &(options)->folder, "FOLDER",                                    \
            "the default templates, under those of Redis", "FACTEUR_TEMPLATES"                     \
    }

#define TEMPLATE_CHANGE_ROWS(options)                                                              \
    {"reason", OPTION_TEXT, &(options)->why, "TEXT", "why: it stands in the log", NULL},           \
    {                                                                                              \
        "by", OPTION_TEXT, &(options)->who, "NAME", "who; default: your user name", "USER"         \
    }

#define TEMPLATE_JSON_ROW(options)                                                                 \
    {                                                                                              \
        "json", OPTION_FLAG, &(options)->json, NULL, "one JSON object for programs", NULL          \
    }

void template_options_init(struct template_options *options);

/* The business's keys. False after saying what is missing or wrong. */
bool template_options_keys(const struct template_options *options, const char *verb,
                           struct account_keys *keys);
/* Who and why, both given and short enough. False after saying what is missing. */
bool template_options_reason(const struct template_options *options, const char *verb);

/* A catalogue with what Redis says of it. */
struct template_source {
    struct catalogue *files;     /* the default templates */
    struct template_store store; /* empty without a Redis */
    bool has_store;
    struct catalogue *catalogue; /* in force */
    const char *verb;
};

/* -1: good; otherwise the exit code, and why has been said. */
int template_source_open(const struct template_options *options, const char *verb,
                         struct template_source *source);
void template_source_close(struct template_source *source);

/* What Redis says of a template of the catalogue; NULL: it is a file's. */
const struct stored_template *template_source_stored(const struct template_source *source,
                                                     const struct template *template);

/* Says that there is no such template, or not in that language (`language` may be empty), with what
 * there is. Returns EXIT_NO. */
int template_source_say_unknown(const struct template_source *source, struct span name,
                                struct span language);

const char *template_header_text(enum template_header header); /* "text", "image", …, "-" */

#endif
