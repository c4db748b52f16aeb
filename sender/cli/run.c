/* facteur run: the sender. */
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/cli/cli.h"
#include "sender/dev_redis.h"
#include "sender/page.h"
#include "sender/redis_setup.h"
#include "sender/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char verb_name[] = "run";

/* Everything that one reading of file, environment and flags gives. SIGHUP reads anew. */
struct run {
    int argc;
    char **argv; /* as it came; each reading gets a copy, for reading moves the words */
    struct cli_store store;
    const char *config_path;
    bool check_config;
    struct settings_input input;
    struct config_file *config;
    struct redis_address redis;
};

static const char help[] =
    "Takes notifications from Redis, refuses what is promotional, sends the rest to the Graph API\n"
    "over HTTP/2, and books what each country cost. SIGTERM drains: what is on the wire is\n"
    "finished, the rest goes back; a second SIGTERM ends at once.\n"
    "\n"
    "example:\n"
    "  export FACTEUR_REDIS=unix:/run/redis/redis.sock\n"
    "  facteur run --account acme/fr=106540352242922 --token-file /etc/facteur/token\n"
    "\n"
    "or with a file (businesses, accounts, everything below; SIGHUP reads it again):\n"
    "  facteur run --config /etc/facteur/facteur.yaml --check-config\n"
    "\n"
    "To try it without Meta, see sender/quickstart.sh: it starts an emulator of the Graph API.";

/* ---- file, environment, flags -------------------------------------------------------------------
 */

/* The file's texts become the options' values; the environment and the flags are read over them. */
static bool
set_from_config(struct run *run, const struct verb *verb, struct error_text *error)
{
    const struct config *config = config_of(run->config);
    const struct {
        const char *key;
        const char *value;
    } texts[] = {
#define CONFIG_TEXT(name, help) {#name, config->name},
#include "sender/config.inc"
#undef CONFIG_TEXT
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        if (texts[i].value == NULL)
            continue;
        if (!options_set(verb, texts[i].key, texts[i].value)) {
            error_set(error, "%s:%u: %s: \"%s\" must be %s", run->config_path,
                      config_line(run->config, texts[i].key, texts[i].value), texts[i].key,
                      texts[i].value, options_kind(verb, texts[i].key));
            return false;
        }
    }
    return true;
}

/* --config must be known before anything else is read; help does not ask for it. */
static const char *
find_config(const struct run *run)
{
    enum page_form form;
    const char *path = getenv("FACTEUR_CONFIG");
    if (run->argc > 0 && page_is_help(run->argv[0], &form))
        return NULL;
    for (int i = 0; i < run->argc; i++) {
        if (strncmp(run->argv[i], "--config=", 9) == 0)
            path = run->argv[i] + 9;
        else if (strcmp(run->argv[i], "--config") == 0 && i + 1 < run->argc)
            path = run->argv[i + 1];
    }
    return path != NULL && path[0] != '\0' ? path : NULL;
}

/* What becomes of attempts that failed or had no answer. */
#define ATTEMPT_ROWS(input)                                                                        \
    {"retry",                                                                                      \
     OPTION_TEXT,                                                                                  \
     &input->retry,                                                                                \
     "WAITS",                                                                                      \
     "waits between attempts; default \"5s, 30s, 2m, 10m*3, 1h*6\"",                               \
     NULL},                                                                                        \
        {"retry-classes",                                                                          \
         OPTION_TEXT,                                                                              \
         &input->retry_classes,                                                                    \
         "WAITS",                                                                                  \
         "by class of error, as in \"retry_limited=5s, 1m; unknown=none\"",                        \
         NULL},                                                                                    \
        {"uncertain",                                                                              \
         OPTION_TEXT,                                                                              \
         &input->uncertain,                                                                        \
         "POLICY",                                                                                 \
         "of what nobody knows whether it was sent: park (default), drop or resend",               \
         "FACTEUR_UNCERTAIN"},                                                                     \
        {"uncertain-codes",                                                                        \
         OPTION_TEXT,                                                                              \
         &input->uncertain_codes,                                                                  \
         "POLICY",                                                                                 \
         "the same of one-time codes; default drop",                                               \
         "FACTEUR_UNCERTAIN_CODES"},                                                               \
        {"request-timeout",                                                                        \
         OPTION_TIME,                                                                              \
         &input->request_timeout_ms,                                                               \
         "TIME",                                                                                   \
         "no answer for so long is uncertain; default 30s",                                        \
         NULL},                                                                                    \
    {                                                                                              \
        "uncertain-wait", OPTION_TIME, &input->uncertain_wait_ms, "TIME",                          \
            "how long a receipt is waited for; default 10m", NULL                                  \
    }

/* Reads everything. -1: go on; otherwise the exit code, and why has been said. */
static int
read_run(struct run *run)
{
    struct error_text error;
    struct settings_input *input = &run->input;
    settings_defaults(input);
    memset(&run->store, 0, sizeof(run->store));
    run->config_path = find_config(run);
    input->accounts = &run->store.accounts;
    const struct option_row rows[] = {
        {"config", OPTION_TEXT, &run->config_path, "FILE", "configuration, YAML", "FACTEUR_CONFIG"},
        CLI_STORE_ROWS(&run->store),
        CLI_ACCOUNT_ROW(&run->store, "…=PHONE_NUMBER_ID; one for each account"),
        {"graph", OPTION_TEXT, &input->graph, "URL",
         "the Graph API; default https://graph.facebook.com/v26.0", "FACTEUR_GRAPH"},
        {"token-file", OPTION_TEXT, &input->token_file, "FILE",
         "access token; or set FACTEUR_TOKEN", "FACTEUR_TOKEN_FILE"},
        {"ca-file", OPTION_TEXT, &input->ca_file, "FILE",
         "CA of the Graph API; default: the system's", "FACTEUR_CA_FILE"},
        {"templates", OPTION_TEXT, &input->templates, "FOLDER", "the catalogue: Meta's JSON files",
         "FACTEUR_TEMPLATES"},
        {"fallback", OPTION_TEXT, &input->fallback, "CHAINS",
         "languages to try, as in \"fr_CA>fr>en, *>en\"; default: only the one asked for",
         "FACTEUR_FALLBACK"},
        {"rates", OPTION_TEXT, &input->rates, "PATH", "rate cards: a CSV file or a folder of them",
         "FACTEUR_RATES"},
        {"markets", OPTION_TEXT, &input->markets, "FILE", "countries and markets, CSV", NULL},
        {"phone-table", OPTION_TEXT, &input->phone_table, "FILE",
         "numbering plans newer than those built in", "FACTEUR_PHONE_TABLE"},
        {"currency", OPTION_TEXT, &input->currency, "CUR",
         "of the rate card, for accounts that name none; default USD", "FACTEUR_CURRENCY"},
        {"time-zone", OPTION_TEXT, &input->time_zone, "ZONE",
         "whose midnight ends a day, as Europe/Paris; default UTC", "FACTEUR_TIME_ZONE"},
        {"workers", OPTION_NUMBER, &input->workers, "N", "threads; default: one a core", NULL},
        {"connections", OPTION_NUMBER, &input->connections, "N",
         "to the Graph API, most a worker; default 8", NULL},
        {"streams", OPTION_NUMBER, &input->streams, "N",
         "requests at once on one connection, most; default 100", NULL},
        ATTEMPT_ROWS(input),
        {"lease", OPTION_TIME, &input->lease_ms, "TIME",
         "a worker silent for so long is dead; default 10s", NULL},
        {"max-age", OPTION_TIME, &input->max_age_ms, "TIME",
         "a notification without expires is dropped after; default 24h", NULL},
        {"dedupe-ttl", OPTION_TIME, &input->dedupe_ttl_ms, "TIME",
         "how long an id is kept after its outcome; default 24h", NULL},
        {"events-keep", OPTION_NUMBER, &input->events_keep, "N",
         "outcomes kept in an account's events; default 100000", NULL},
        {"drain", OPTION_TIME, &input->drain_ms, "TIME",
         "after SIGTERM, the longest wait; default 40s", NULL},
        {"numbers", OPTION_TEXT, &input->numbers, "RULE",
         "strict: refuse numbers that no plan lists; lenient (default): send", NULL},
        {"recipients", OPTION_TEXT, &input->recipients, "RULE",
         "how events name them: hashed (HMAC, default) or clear", NULL},
        {"check-config", OPTION_FLAG, &run->check_config, NULL,
         "read and check everything, then stop", NULL},
    };
    const struct verb verb = {
        verb_name, "the sender", "--account BUSINESS/ACCOUNT=PHONE_NUMBER_ID [options]",
        help,      rows,         sizeof(rows) / sizeof(rows[0])};
    if (run->config_path != NULL) {
        run->config = config_open(run->config_path, &error);
        if (run->config == NULL || !set_from_config(run, &verb, &error)) {
            fprintf(stderr, "facteur run: %s\n", error.text);
            return EXIT_CONFIGURATION;
        }
    }
    input->config = run->config;
    input->config_path = run->config_path;
    char **words = check_alloc((uint64_t)run->argc + 1, sizeof(char *));
    memcpy(words, run->argv, (size_t)run->argc * sizeof(char *));
    int rest;
    int code = options_read(&verb, run->argc, words, &rest);
    if (code < 0 && rest > 0) {
        fprintf(stderr, "facteur run: \"%s\" is not an option; see facteur run --help\n", words[0]);
        code = EXIT_USAGE;
    }
    free(words);
    return code;
}

/* A sender from the settings as they are now. NULL after saying why not. */
static struct sender *
build_sender(struct run *run)
{
    struct error_text error;
    struct sender *sender = settings_build(&run->input, &error);
    if (sender == NULL) {
        fprintf(stderr, "facteur run: %s\n", error.text);
        return NULL;
    }
    sender->settings.redis = run->redis;
    return sender;
}

/* ---- running --------------------------------------------------------------------------------- */

/* The catalogue in force: the files of this sender, and Redis' over them. */
static bool
open_feed(struct sender *sender, struct error_text *error)
{
    struct account_keys *keys = check_alloc(sender->business_count, sizeof(*keys));
    for (uint32_t i = 0; i < sender->business_count; i++)
        keys[i] = sender->accounts[sender->businesses[i]].keys;
    const struct catalogue_feed_settings settings = {
        .redis = &sender->settings.redis,
        .businesses = keys,
        .business_count = sender->business_count,
        .files = sender->files,
    };
    sender->feed = catalogue_feed_open(&settings, error);
    free(keys);
    return sender->feed != NULL;
}

static bool
prepare_redis(struct sender *sender)
{
    struct error_text error;
    struct redis_sync *sync = redis_sync_open(&sender->settings.redis, &error);
    bool good = sync != NULL && redis_setup_library(sync, &error) &&
                redis_setup_secrets(sync, sender, &error) && open_feed(sender, &error);
    if (good)
        redis_setup_warn(sync);
    else
        fprintf(stderr, "facteur run: %s\n", error.text);
    redis_sync_close(sync);
    return good;
}

static void
say_started(const struct sender *sender)
{
    const struct sender_settings *settings = &sender->settings;
    log_line(LOG_INFO, "started", "version=%s accounts=%u templates=%u workers=%u graph=%s pid=%d",
             FACTEUR_VERSION, sender->account_count, catalogue_count(sender->files),
             settings->workers, settings->graph.authority, (int)getpid());
}

static void
say_ended(const struct sender *sender)
{
    const struct sender_counters *counters = &sender->counters;
    log_line(LOG_INFO, "ended",
             "claimed=%llu accepted=%llu refused=%llu failed=%llu later=%llu uncertain=%llu "
             "other=%llu late=%llu cpu_us=%llu",
             (unsigned long long)counters->claimed, (unsigned long long)counters->accepted,
             (unsigned long long)counters->refused, (unsigned long long)counters->failed,
             (unsigned long long)counters->later, (unsigned long long)counters->uncertain,
             (unsigned long long)counters->other, (unsigned long long)counters->late,
             (unsigned long long)clock_cpu_us());
}

static void
on_ended(void *context, struct sender *sender)
{
    (void)context;
    say_ended(sender);
    settings_free(sender);
}

/* SIGHUP. What the reading takes lives as long as the sender: texts are copied into its settings.
 */
static struct sender *
on_reload(void *context)
{
    struct run *old = context;
    struct run *fresh = check_alloc(1, sizeof(*fresh));
    struct sender *sender = NULL;
    fresh->argc = old->argc;
    fresh->argv = old->argv;
    fresh->redis = old->redis;
    if (read_run(fresh) == -1 &&
        (old->store.dev || cli_store_address(&fresh->store, verb_name, &fresh->redis)))
        sender = build_sender(fresh);
    if (sender != NULL && !prepare_redis(sender)) {
        settings_free(sender);
        sender = NULL;
    }
    config_close(fresh->config);
    memset(fresh, 0, sizeof(*fresh));
    free(fresh);
    if (sender != NULL)
        say_started(sender);
    return sender;
}

static int
run_with_redis(struct run *run)
{
    if (!cli_store_address(&run->store, verb_name, &run->redis))
        return EXIT_CONFIGURATION;
    struct sender *sender = build_sender(run);
    if (sender == NULL)
        return EXIT_CONFIGURATION;
    if (!prepare_redis(sender)) {
        settings_free(sender);
        return EXIT_UNAVAILABLE;
    }
    say_started(sender);
    const struct sender_events events = {.reload = on_reload, .ended = on_ended, .context = run};
    return sender_run(sender, &events) ? EXIT_GOOD : EXIT_UNAVAILABLE;
}

static int
run_dev(struct run *run)
{
    struct error_text error;
    struct dev_redis redis = {0};
    char folder[80];
    if (!dev_redis_folder(run->store.state, folder, sizeof(folder), &error) ||
        !dev_redis_start(&redis, folder, &error)) {
        fprintf(stderr, "facteur run: %s\n", error.text);
        return EXIT_UNAVAILABLE;
    }
    int code = run_with_redis(run);
    dev_redis_stop(&redis);
    return code;
}

static int
check_config(struct run *run)
{
    struct redis_address redis;
    if (!run->store.dev && !cli_store_address(&run->store, verb_name, &redis))
        return EXIT_CONFIGURATION;
    struct sender *sender = build_sender(run);
    if (sender == NULL)
        return EXIT_CONFIGURATION;
    printf("good: %u accounts of %u businesses, %u templates\n", sender->account_count,
           sender->business_count, catalogue_count(sender->files));
    settings_free(sender);
    return EXIT_GOOD;
}

int
cli_run(int argc, char **argv)
{
    struct run *run = check_alloc(1, sizeof(*run));
    run->argc = argc;
    run->argv = argv;
    int code = read_run(run);
    if (code == -1 && run->check_config) {
        code = check_config(run);
    } else if (code == -1) {
        sender_block_signals(); /* one that comes early still drains */
        code = run->store.dev ? run_dev(run) : run_with_redis(run);
    }
    config_close(run->config);
    memset(run, 0, sizeof(*run));
    free(run);
    return code;
}
