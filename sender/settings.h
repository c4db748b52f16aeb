/*
 * settings - from what an operator said to a sender that is ready to run, or to a clear error.
 *
 * The configuration file, the environment and the flags have been merged into struct
 * settings_input; here every value is judged, the files are read and the tables are built.
 */
#ifndef FACTEUR_SENDER_SETTINGS_H
#define FACTEUR_SENDER_SETTINGS_H

#include "sender/config.h"
#include "sender/options.h"
#include "sender/sender.h"

enum { SETTINGS_DEDUPE_TTL_MS = 24 * 3600 * 1000 }; /* how long an id is kept after its outcome */

/* All texts are borrowed. Times are milliseconds. */
struct settings_input {
    const char *graph;
    const char *token_file;
    const char *ca_file;
    const char *templates;
    const char *fallback; /* NULL: a template has the language that is asked for, or none */
    const char *rates;
    const char *markets;
    const char *phone_table;     /* NULL: the built-in numbering plans */
    const char *currency;        /* of accounts that name none */
    const char *time_zone;       /* likewise */
    const char *retry;           /* of accounts that say nothing else, as are the next three */
    const char *retry_classes;   /* "CLASS=SCHEDULE; …", laid over the file's; NULL: none */
    const char *uncertain;       /* park, drop or resend */
    const char *uncertain_codes; /* likewise, of one-time codes */
    uint64_t workers;
    uint64_t connections;
    uint64_t streams;
    uint64_t lease_ms;
    uint64_t request_timeout_ms;
    uint64_t uncertain_wait_ms;
    uint64_t max_age_ms;
    uint64_t dedupe_ttl_ms;
    uint64_t events_keep;
    uint64_t drain_ms;
    const char *numbers;                /* "strict" or "lenient" */
    const char *recipients;             /* "hashed" or "clear" */
    const struct option_list *accounts; /* "acme/fr=PHONE_NUMBER_ID"; empty: those of the file */
    const char *config_path;            /* for messages; NULL: there is no file */
    const struct config_file *config;   /* NULL: there is none */
};

void settings_defaults(struct settings_input *input);

/* NULL on failure, with what is wrong, where (option, file, line) and what to do in `error`. */
struct sender *settings_build(const struct settings_input *input, struct error_text *error);

/* Ends a sender whose workers have ended; wipes its secrets. NULL is allowed. */
void settings_free(struct sender *sender);

/* One line of a file without white space around it: a token, a password. False: see error. */
bool settings_read_secret(const char *path, char *text, size_t size, struct error_text *error);

/* "https://graph.facebook.com/v26.0". */
bool settings_read_graph(const char *text, struct graph_address *graph, struct error_text *error);

#endif
