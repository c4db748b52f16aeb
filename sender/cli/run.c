/* facteur run: the sender. */
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/log.h"
#include "sender/cli/cli.h"
#include "sender/cost/market.h"
#include "sender/dev_redis.h"
#include "sender/graph/channel.h"
#include "sender/redis_setup.h"
#include "sender/sender.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char verb_name[] = "run";

struct run_options {
    struct cli_store store;
    const char *graph;
    const char *token_file;
    const char *ca_file;
    const char *templates;
    const char *rates;
    const char *markets;
    const char *currency;
    const char *retry;
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
    bool strict;
    bool clear_recipients;
    bool check_config;
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
    "To try it without Meta, see sender/quickstart.sh: it starts an emulator of the Graph API.";

/* ---- from options to a sender ---------------------------------------------------------------- */

static bool
read_graph(const char *text, struct graph_address *graph, struct error_text *error)
{
    struct span rest = span_of(text);
    struct span scheme = SPAN("https://");
    memset(graph, 0, sizeof(*graph));
    if (!span_starts(rest, scheme)) {
        error_set(error, "--graph %s: write https://HOST[:PORT][/VERSION]", text);
        return false;
    }
    rest = (struct span){rest.data + scheme.size, rest.size - scheme.size};
    struct span authority = span_split(&rest, '/');
    struct span version = rest.size > 0 ? rest : SPAN("v26.0");
    struct span port = authority;
    struct span host = span_split(&port, ':');
    uint64_t number = 443;
    if (host.size == 0 || host.size >= sizeof(graph->host) ||
        version.size >= sizeof(graph->version) ||
        (port.data != NULL && (!span_to_u64(port, &number) || number == 0 || number > 65535))) {
        error_set(error, "--graph %s: write https://HOST[:PORT][/VERSION], such as %s", text,
                  "https://graph.facebook.com/v26.0");
        return false;
    }
    memcpy(graph->host, host.data, host.size);
    memcpy(graph->version, version.data, version.size);
    graph->port = (uint16_t)number;
    snprintf(graph->authority, sizeof(graph->authority), "%.*s", SPAN_ARG(authority));
    return true;
}

static bool
is_phone_number_id(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
    return text.size > 0 && text.size < sizeof(((struct account_settings *)0)->phone_number_id);
}

/* "acme/fr=106540352242922" */
static bool
read_account(const char *text, const struct graph_address *graph, struct account_settings *account,
             struct error_text *error)
{
    struct span id = span_of(text);
    struct span name = span_split(&id, '=');
    if (!keys_read(name, &account->keys, error))
        return false;
    if (!is_phone_number_id(id)) {
        error_set(
            error,
            "--account %s: add the Graph phone_number_id, as in --account %.*s=106540352242922",
            text, SPAN_ARG(name));
        return false;
    }
    memcpy(account->phone_number_id, id.data, id.size);
    snprintf(account->path, sizeof(account->path), "/%s/%s/messages", graph->version,
             account->phone_number_id);
    return true;
}

/* Accounts of one business share what is kept under its name. */
static bool
number_business(struct sender *sender, uint32_t index, struct error_text *error)
{
    struct account_settings *account = &sender->accounts[index];
    for (uint32_t i = 0; i < index; i++) {
        if (strcmp(sender->accounts[i].keys.account, account->keys.account) == 0) {
            error_set(error, "--account %s/%s is given twice", account->keys.business_name,
                      account->keys.account_name);
            return false;
        }
    }
    for (uint32_t i = 0; i < sender->business_count; i++) {
        account->business = i;
        if (strcmp(sender->accounts[sender->businesses[i]].keys.business, account->keys.business) ==
            0)
            return true;
    }
    if (sender->business_count == BUSINESSES_MAX) {
        error_set(error, "more than %d businesses in one process", BUSINESSES_MAX);
        return false;
    }
    account->business = sender->business_count;
    sender->businesses[sender->business_count++] = index;
    return true;
}

static bool
read_accounts(const struct option_list *list, struct sender *sender, struct error_text *error)
{
    if (list->count == 0) {
        error_set(error, "which accounts? Give --account BUSINESS/ACCOUNT=PHONE_NUMBER_ID, once or "
                         "more");
        return false;
    }
    sender->accounts = check_alloc(list->count, sizeof(*sender->accounts));
    for (uint32_t i = 0; i < list->count; i++) {
        sender->account_count = i + 1;
        if (!read_account(list->items[i], &sender->settings.graph, &sender->accounts[i], error) ||
            !number_business(sender, i, error))
            return false;
    }
    return true;
}

static bool
in_range(const char *option, uint64_t value, uint64_t most, struct error_text *error)
{
    if (value >= 1 && value <= most)
        return true;
    error_set(error, "--%s %llu: must be from 1 to %llu", option, (unsigned long long)value,
              (unsigned long long)most);
    return false;
}

static bool
read_limits(const struct run_options *options, struct sender_settings *settings,
            struct error_text *error)
{
    if (!in_range("workers", options->workers, WORKERS_MAX, error) ||
        !in_range("connections", options->connections, CHANNEL_CONNECTIONS_MAX, error) ||
        !in_range("streams", options->streams, EXCHANGES_MAX / options->connections, error) ||
        !in_range("events-keep", options->events_keep, UINT32_MAX, error))
        return false;
    if (options->lease_ms < 500 || options->lease_ms > 600 * 1000) {
        error_set(error, "--lease must be from 500ms to 10m");
        return false;
    }
    if (options->uncertain_wait_ms < options->lease_ms + options->request_timeout_ms) {
        error_set(error, "--uncertain-wait must be at least --lease + --request-timeout: a receipt "
                         "must have had time to come");
        return false;
    }
    settings->workers = (uint32_t)options->workers;
    settings->connections_max = (uint32_t)options->connections;
    settings->exchanges_max = (uint32_t)options->streams;
    settings->lease_ms = options->lease_ms;
    settings->request_timeout_ms = options->request_timeout_ms;
    settings->uncertain_wait_ms = options->uncertain_wait_ms;
    settings->max_age_ms = options->max_age_ms;
    settings->max_age_codes_ms = 10 * 60 * 1000;
    settings->dedupe_ttl_ms = options->dedupe_ttl_ms;
    settings->events_keep = options->events_keep;
    settings->drain_ms = options->drain_ms;
    settings->strict_numbers = options->strict;
    settings->clear_recipients = options->clear_recipients;
    return retry_schedule_read(span_of(options->retry), &settings->retry, error);
}

/* A token in the command line would be seen by everybody in ps. */
static bool
read_token(const struct run_options *options, struct sender_settings *settings,
           struct error_text *error)
{
    char token[sizeof(settings->authorization) - 8];
    const char *from_environment = getenv("FACTEUR_TOKEN");
    if (options->token_file != NULL) {
        if (!cli_read_secret(verb_name, options->token_file, token, sizeof(token))) {
            error_set(error, "no token: see above");
            return false;
        }
    } else if (from_environment != NULL && strlen(from_environment) < sizeof(token)) {
        snprintf(token, sizeof(token), "%s", from_environment);
    } else {
        error_set(error, "no access token: put it into a file and give --token-file FILE, or set "
                         "FACTEUR_TOKEN");
        return false;
    }
    for (const char *p = token; *p != '\0'; p++) {
        if (*p <= ' ' || *p >= 127) {
            error_set(error, "the access token has a character that no token has: is it the right "
                             "file?");
            return false;
        }
    }
    snprintf(settings->authorization, sizeof(settings->authorization), "Bearer %s", token);
    memset(token, 0, sizeof(token));
    return true;
}

static bool
need_card_today(const struct sender *sender, struct error_text *error)
{
    struct phone phone;
    struct template template = {.name = SPAN("x"), .category = TEMPLATE_UTILITY};
    struct quote quote;
    phone_read(SPAN("+33612345678"), &phone);
    const struct quote_input input = {sender->markets, sender->card, &phone,
                                      &template,       SPAN("x"),    clock_unix_ms()};
    if (quote_make(&input, &quote))
        return true;
    error_set(error, "no rate card in %s is in force today", sender->settings.currency);
    return false;
}

/* The catalogue, its request forms, the markets and the rate card: read once, shared, unchanged. */
static bool
read_files(const struct run_options *options, struct sender *sender, struct error_text *error)
{
    snprintf(sender->settings.currency, sizeof(sender->settings.currency), "%s", options->currency);
    sender->catalogue = catalogue_open_folder(options->templates, error);
    if (sender->catalogue == NULL)
        return false;
    uint32_t count = catalogue_count(sender->catalogue);
    sender->forms = check_alloc(count + 1, sizeof(*sender->forms));
    for (uint32_t i = 0; i < count; i++)
        sender->forms[i] = request_form_open(catalogue_at(sender->catalogue, i));
    sender->markets = markets_open(options->markets, error);
    if (sender->markets == NULL)
        return false;
    sender->card =
        rate_card_open(options->rates, sender->settings.currency, sender->markets, error);
    return sender->card != NULL && need_card_today(sender, error);
}

static bool
read_settings(const struct run_options *options, struct sender *sender, struct error_text *error)
{
    struct sender_settings *settings = &sender->settings;
    if (options->ca_file != NULL)
        snprintf(settings->ca_file, sizeof(settings->ca_file), "%s", options->ca_file);
    return read_graph(options->graph, &settings->graph, error) &&
           read_limits(options, settings, error) &&
           read_accounts(&options->store.accounts, sender, error) &&
           read_token(options, settings, error) && read_files(options, sender, error);
}

static void
close_sender(struct sender *sender)
{
    uint32_t count = sender->catalogue != NULL ? catalogue_count(sender->catalogue) : 0;
    for (uint32_t i = 0; sender->forms != NULL && i < count; i++)
        request_form_close(sender->forms[i]);
    free(sender->forms);
    if (sender->card != NULL)
        rate_card_close(sender->card);
    if (sender->markets != NULL)
        markets_close(sender->markets);
    if (sender->catalogue != NULL)
        catalogue_close(sender->catalogue);
    free(sender->accounts);
    memset(&sender->settings, 0, sizeof(sender->settings)); /* the token and the password */
    free(sender);
}

/* ---- running --------------------------------------------------------------------------------- */

static bool
prepare_redis(struct sender *sender, struct error_text *error)
{
    struct redis_sync *sync = redis_sync_open(&sender->settings.redis, error);
    if (sync == NULL)
        return false;
    bool good = redis_setup_library(sync, error) && redis_setup_secrets(sync, sender, error);
    if (good)
        redis_setup_warn(sync);
    redis_sync_close(sync);
    return good;
}

static void
say_started(const struct sender *sender)
{
    const struct sender_settings *settings = &sender->settings;
    log_line(LOG_INFO, "started",
             "version=%s accounts=%u templates=%u workers=%u graph=%s currency=%s pid=%d",
             FACTEUR_VERSION, sender->account_count, catalogue_count(sender->catalogue),
             settings->workers, settings->graph.authority, settings->currency, (int)getpid());
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

static int
run_with_redis(const struct run_options *options, struct sender *sender)
{
    struct error_text error;
    if (!cli_store_address(&options->store, verb_name, &sender->settings.redis))
        return EXIT_CONFIGURATION;
    if (!prepare_redis(sender, &error)) {
        fprintf(stderr, "facteur run: %s\n", error.text);
        return EXIT_UNAVAILABLE;
    }
    say_started(sender);
    bool good = sender_run(sender);
    say_ended(sender);
    return good ? EXIT_GOOD : EXIT_UNAVAILABLE;
}

static int
run_dev(const struct run_options *options, struct sender *sender)
{
    struct error_text error;
    struct dev_redis redis = {0};
    char folder[80];
    if (!dev_redis_folder(options->store.state, folder, sizeof(folder), &error) ||
        !dev_redis_start(&redis, folder, &error)) {
        fprintf(stderr, "facteur run: %s\n", error.text);
        return EXIT_UNAVAILABLE;
    }
    int code = run_with_redis(options, sender);
    dev_redis_stop(&redis);
    return code;
}

/* Signals wait from here on, so that one that comes early still drains. */
static void
block_signals(void)
{
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
}

static int
run_sender(const struct run_options *options)
{
    struct error_text error;
    struct sender *sender = check_alloc(1, sizeof(*sender));
    int code = EXIT_CONFIGURATION;
    if (!read_settings(options, sender, &error))
        fprintf(stderr, "facteur run: %s\n", error.text);
    else if (options->check_config)
        code = EXIT_GOOD;
    else
        code = options->store.dev ? run_dev(options, sender) : run_with_redis(options, sender);
    close_sender(sender);
    return code;
}

int
cli_run(int argc, char **argv)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    struct run_options options = {
        .graph = "https://graph.facebook.com/v26.0",
        .templates = FACTEUR_SOURCE_DIR "/templates/catalogue",
        .rates = FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv",
        .markets = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv",
        .currency = "USD",
        .retry = "5s, 30s, 2m, 10m*3, 1h*6",
        .workers = cores > 0 && cores <= WORKERS_MAX ? (uint64_t)cores : 1,
        .connections = 8,
        .streams = 100,
        .lease_ms = 10 * 1000,
        .request_timeout_ms = 30 * 1000,
        .uncertain_wait_ms = 10 * 60 * 1000,
        .max_age_ms = 24 * 3600 * 1000,
        .dedupe_ttl_ms = 24 * 3600 * 1000,
        .events_keep = 100000,
        .drain_ms = 40 * 1000,
    };
    const struct option_row rows[] = {
        CLI_STORE_ROWS(&options.store),
        CLI_ACCOUNT_ROW(&options.store, "…=PHONE_NUMBER_ID; one for each account"),
        {"graph", OPTION_TEXT, &options.graph, "URL",
         "the Graph API; default https://graph.facebook.com/v26.0", "FACTEUR_GRAPH"},
        {"token-file", OPTION_TEXT, &options.token_file, "FILE",
         "access token; or set FACTEUR_TOKEN", "FACTEUR_TOKEN_FILE"},
        {"ca-file", OPTION_TEXT, &options.ca_file, "FILE",
         "CA of the Graph API; default: the system's", "FACTEUR_CA_FILE"},
        {"templates", OPTION_TEXT, &options.templates, "FOLDER", "the catalogue: Meta's JSON files",
         "FACTEUR_TEMPLATES"},
        {"rates", OPTION_TEXT, &options.rates, "FILE", "rate cards, CSV", "FACTEUR_RATES"},
        {"markets", OPTION_TEXT, &options.markets, "FILE", "countries and markets, CSV", NULL},
        {"currency", OPTION_TEXT, &options.currency, "CUR", "of the rate card; default USD",
         "FACTEUR_CURRENCY"},
        {"workers", OPTION_NUMBER, &options.workers, "N", "threads; default: one a core", NULL},
        {"connections", OPTION_NUMBER, &options.connections, "N",
         "to the Graph API, most a worker; default 8", NULL},
        {"streams", OPTION_NUMBER, &options.streams, "N",
         "requests at once on one connection, most; default 100", NULL},
        {"retry", OPTION_TEXT, &options.retry, "WAITS",
         "waits between attempts; default \"5s, 30s, 2m, 10m*3, 1h*6\"", NULL},
        {"lease", OPTION_TIME, &options.lease_ms, "TIME",
         "a worker silent for so long is dead; default 10s", NULL},
        {"request-timeout", OPTION_TIME, &options.request_timeout_ms, "TIME",
         "no answer for so long is uncertain; default 30s", NULL},
        {"uncertain-wait", OPTION_TIME, &options.uncertain_wait_ms, "TIME",
         "how long a receipt is waited for; default 10m", NULL},
        {"max-age", OPTION_TIME, &options.max_age_ms, "TIME",
         "a notification without expires is dropped after; default 24h", NULL},
        {"dedupe-ttl", OPTION_TIME, &options.dedupe_ttl_ms, "TIME",
         "how long an id is kept after its outcome; default 24h", NULL},
        {"events-keep", OPTION_NUMBER, &options.events_keep, "N",
         "outcomes kept in an account's events; default 100000", NULL},
        {"drain", OPTION_TIME, &options.drain_ms, "TIME",
         "after SIGTERM, the longest wait; default 40s", NULL},
        {"strict", OPTION_FLAG, &options.strict, NULL,
         "refuse numbers that no numbering plan lists", NULL},
        {"clear-recipients", OPTION_FLAG, &options.clear_recipients, NULL,
         "write recipients into events as they are, not as an HMAC", NULL},
        {"check-config", OPTION_FLAG, &options.check_config, NULL,
         "read and check everything, then stop", NULL},
    };
    const struct verb verb = {
        verb_name, "the sender", "--account BUSINESS/ACCOUNT=PHONE_NUMBER_ID [options]",
        help,      rows,         sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest > 0) {
        fprintf(stderr, "facteur run: \"%s\" is not an option; see facteur run --help\n", argv[0]);
        return EXIT_USAGE;
    }
    block_signals();
    return run_sender(&options);
}
