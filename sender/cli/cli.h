/*
 * cli - the verbs of the command line: one file a verb, and what they share.
 */
#ifndef FACTEUR_SENDER_CLI_CLI_H
#define FACTEUR_SENDER_CLI_CLI_H

#include "queue/keys.h"
#include "sender/options.h"
#include "sender/redis_client.h"
#include "sender/redis_sync.h"

/* argv without the program's name and the verb. Returns the exit code. */
int cli_run(int argc, char **argv);
int cli_enqueue(int argc, char **argv);
int cli_events(int argc, char **argv);
int cli_template_lint(int argc, char **argv);
int cli_template_add(int argc, char **argv);
int cli_template_list(int argc, char **argv);
int cli_template_show(int argc, char **argv);
int cli_template_preview(int argc, char **argv);
int cli_template_remove(int argc, char **argv);
int cli_template_log(int argc, char **argv);
int cli_policy_check(int argc, char **argv);
int cli_phone(int argc, char **argv);
int cli_cost_report(int argc, char **argv);
int cli_rates_check(int argc, char **argv);
int cli_rates_list(int argc, char **argv);
int cli_queue_stats(int argc, char **argv);
int cli_queue_pause(int argc, char **argv);
int cli_queue_resume(int argc, char **argv);
int cli_dead_list(int argc, char **argv);
int cli_dead_requeue(int argc, char **argv);
int cli_dead_purge(int argc, char **argv);
int cli_dead_log(int argc, char **argv);
int cli_why(int argc, char **argv);
int cli_optout_add(int argc, char **argv);
int cli_optout_remove(int argc, char **argv);
int cli_optout_list(int argc, char **argv);
int cli_doctor(int argc, char **argv);
int cli_completion(int argc, char **argv);
int cli_man(int argc, char **argv);

/* The verbs, ended by a row of NULLs. main.c has the table. */
struct cli_verb {
    const char *first;
    const char *second; /* NULL: the verb is one word */
    int (*run)(int argc, char **argv);
    const char *summary;
};

enum { CLI_VERBS_MAX = 64 };

extern const struct cli_verb cli_verbs[];

/* The verb that `words` begin with, and in `*taken` how many words it takes; NULL if there is none.
 */
const struct cli_verb *cli_find_verb(int count, char **words, int *taken);
/* Says that `words` (at least one) are no verb, and which is near. Returns EXIT_USAGE. `asker`
 * stands in front: "facteur man". */
int cli_say_unknown(const char *asker, int count, char **words);

/* The words behind a verb. */
struct cli_words {
    int count;
    char **words;
};

/* Where Redis is, and whose queue it is: the same options for every verb that reads it. */
struct cli_store {
    const char *redis;
    const char *user;
    const char *password_file;
    const char *redis_ca_file;
    bool dev;
    const char *state;
    struct option_list accounts;
};

#define CLI_STORE_ROWS(store)                                                                       \
    {"redis",                                                                                       \
     OPTION_TEXT,                                                                                   \
     &(store)->redis,                                                                               \
     "ADDRESS",                                                                                     \
     "unix:/PATH, tcp:// or rediss://HOST:PORT; several with commas: the master is taken",          \
     "FACTEUR_REDIS"},                                                                              \
        {"redis-user", OPTION_TEXT, &(store)->user, "NAME", "user of Redis", "FACTEUR_REDIS_USER"}, \
        {"redis-password-file",    OPTION_TEXT, &(store)->password_file, "FILE",                    \
         "file with its password", NULL},                                                           \
        {"redis-ca-file",                                                                           \
         OPTION_TEXT,                                                                               \
         &(store)->redis_ca_file,                                                                   \
         "FILE",                                                                                    \
         "CA of a rediss:// server; default: the system's",                                         \
         NULL},                                                                                     \
        {"dev", OPTION_FLAG, &(store)->dev, NULL, "the private Redis of facteur run --dev", NULL},  \
    {                                                                                               \
        "state", OPTION_TEXT, &(store)->state, "FOLDER",                                            \
            "its folder; default ~/.local/state/facteur", "FACTEUR_STATE"                           \
    }

#define CLI_ACCOUNT_ROW(store, text)                                                               \
    {                                                                                              \
        "account", OPTION_LIST, &(store)->accounts, "BUSINESS/ACCOUNT", text, "FACTEUR_ACCOUNT"    \
    }

/* The address from the options. False with what is missing or wrong in `error`; or said. */
bool cli_store_find(const struct cli_store *store, struct redis_address *address,
                    struct error_text *error);
bool cli_store_address(const struct cli_store *store, const char *verb,
                       struct redis_address *address);
/* Connects; NULL after saying why not. */
struct redis_sync *cli_store_open(const struct cli_store *store, const char *verb);
/* The first (or only) account. False after saying what is missing or wrong. */
bool cli_store_account(const struct cli_store *store, const char *verb, struct account_keys *keys);

#endif
