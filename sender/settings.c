#include "sender/settings.h"

#include "sender/access_token.h"
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/graph/channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
settings_defaults(struct settings_input *input)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    *input = (struct settings_input){
        .graph = "https://graph.facebook.com/v26.0",
        .templates = FACTEUR_SOURCE_DIR "/templates/catalogue",
        .rates = FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv",
        .markets = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv",
        .currency = "USD",
        .time_zone = "UTC",
        .retry = "5s, 30s, 2m, 10m*3, 1h*6",
        .uncertain = "park",
        .uncertain_codes = "drop",
        .workers = cores > 0 && cores <= WORKERS_MAX ? (uint64_t)cores : 1,
        .connections = 8,
        .streams = 100,
        .lease_ms = 10 * 1000,
        .request_timeout_ms = 30 * 1000,
        .uncertain_wait_ms = 10 * 60 * 1000,
        .max_age_ms = 24 * 3600 * 1000,
        .dedupe_ttl_ms = SETTINGS_DEDUPE_TTL_MS,
        .events_keep = 100000,
        .drain_ms = 40 * 1000,
        .numbers = "lenient",
        .recipients = "hashed",
    };
}

/* ---- secrets ----------------------------------------------------------------------------------
 */

bool
settings_read_secret(const char *path, char *text, size_t size, struct error_text *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        error_set(error, "cannot read %s: %s", path, strerror(errno));
        return false;
    }
    size_t got = fread(text, 1, size, file);
    fclose(file);
    struct span whole = span_trim((struct span){text, got});
    if (got == size || whole.size == 0 || memchr(whole.data, '\n', whole.size) != NULL) {
        error_set(error, "%s must hold one line of 1 to %zu bytes", path, size - 1);
        return false;
    }
    memmove(text, whole.data, whole.size);
    text[whole.size] = '\0';
    return true;
}

/* ---- the Graph API's address -------------------------------------------------------------------
 */

bool
settings_read_graph(const char *text, struct graph_address *graph, struct error_text *error)
{
    struct span rest = span_of(text);
    struct span scheme = SPAN("https://");
    memset(graph, 0, sizeof(*graph));
    if (!span_starts(rest, scheme)) {
        error_set(error, "graph %s: write https://HOST[:PORT][/VERSION]", text);
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
        error_set(error, "graph %s: write https://HOST[:PORT][/VERSION], such as %s", text,
                  "https://graph.facebook.com/v26.0");
        return false;
    }
    memcpy(graph->host, host.data, host.size);
    memcpy(graph->version, version.data, version.size);
    graph->port = (uint16_t)number;
    snprintf(graph->authority, sizeof(graph->authority), "%.*s", SPAN_ARG(authority));
    return true;
}

/* ---- accounts ----------------------------------------------------------------------------------
 */

static bool
set_phone_number_id(struct account_settings *account, const struct graph_address *graph,
                    struct span id, struct error_text *error)
{
    bool digits = id.size > 0 && id.size < sizeof(account->phone_number_id);
    for (size_t i = 0; digits && i < id.size; i++)
        digits = id.data[i] >= '0' && id.data[i] <= '9';
    if (!digits) {
        error_set(error,
                  "account %s/%s: its Graph phone_number_id is missing or not digits, as in "
                  "--account %s/%s=106540352242922",
                  account->keys.business_name, account->keys.account_name,
                  account->keys.business_name, account->keys.account_name);
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
            error_set(error, "account %s/%s is given twice", account->keys.business_name,
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

/* "strict" or "lenient"; NULL leaves what all accounts have. */
static bool
read_numbers(const char *text, bool *strict, struct error_text *error)
{
    if (text == NULL)
        return true;
    *strict = strcmp(text, "strict") == 0;
    if (*strict || strcmp(text, "lenient") == 0)
        return true;
    error_set(error, "numbers: \"%s\" is neither strict nor lenient", text);
    return false;
}

static bool
read_pace(const char *text, struct pace *pace, struct error_text *error)
{
    return text == NULL || pace_read(span_of(text), pace, error);
}

/* What the account's bill is in, and whose midnight ends its days; NULL: as all accounts have. */
static bool
read_billing(const struct settings_input *input, const char *currency, const char *time_zone,
             struct sender *sender, struct error_text *error)
{
    struct account_settings *account = &sender->accounts[sender->account_count - 1];
    if (currency == NULL)
        currency = input->currency;
    bool good = strlen(currency) == RATE_CURRENCY_SIZE;
    for (size_t i = 0; good && currency[i] != '\0'; i++)
        good = currency[i] >= 'A' && currency[i] <= 'Z';
    if (!good) {
        error_set(error, "currency: \"%.20s\" is not three capital letters, like USD", currency);
        return false;
    }
    memcpy(account->currency, currency, RATE_CURRENCY_SIZE + 1);
    account->zone =
        zone_table_take(&sender->zones, time_zone != NULL ? time_zone : input->time_zone, error);
    return account->zone != NULL;
}

static struct account_settings *
next_account(const struct settings_input *input, struct sender *sender)
{
    struct account_settings *account = &sender->accounts[sender->account_count++];
    account->strict_numbers = strcmp(input->numbers, "strict") == 0;
    account->attempts = sender->attempts;
    return account;
}

/* An account's own chains replace those of all; NULL: it has none. */
static bool
read_fallback(const char *own, const char *of_all, struct fallback *fallback,
              struct error_text *error)
{
    const char *text = own != NULL ? own : of_all;
    return text == NULL || fallback_add(fallback, span_of(text), error);
}

static bool
read_option_accounts(const struct settings_input *input, struct sender *sender,
                     struct error_text *error)
{
    sender->accounts = check_alloc(input->accounts->count, sizeof(*sender->accounts));
    for (uint32_t i = 0; i < input->accounts->count; i++) {
        struct account_settings *account = next_account(input, sender);
        struct span id = span_of(input->accounts->items[i]);
        struct span name = span_split(&id, '=');
        if (!keys_read(name, &account->keys, error) ||
            !set_phone_number_id(account, &sender->settings.graph, id, error) ||
            !number_business(sender, i, error) ||
            !read_fallback(NULL, input->fallback, &account->fallback, error) ||
            !read_billing(input, NULL, NULL, sender, error) ||
            !access_token_read(account, input->token_file, "FACTEUR_TOKEN", error))
            return false;
    }
    return true;
}

static bool
read_config_account(const struct settings_input *input, struct sender *sender,
                    const struct config_business *business, const struct config_account *from,
                    struct error_text *error)
{
    char name[2 * KEYS_NAME_MAX + 8];
    struct account_settings *account = next_account(input, sender);
    snprintf(name, sizeof(name), "%s/%s", business->name, from->name);
    const char *token_file = from->token_file;
    if (token_file == NULL && from->token_environment == NULL)
        token_file = input->token_file;
    return keys_read(span_of(name), &account->keys, error) &&
           set_phone_number_id(account, &sender->settings.graph, span_of(from->phone_number_id),
                               error) &&
           number_business(sender, sender->account_count - 1, error) &&
           read_numbers(from->numbers, &account->strict_numbers, error) &&
           read_pace(from->pace, &account->pace, error) &&
           read_fallback(from->fallback, input->fallback, &account->fallback, error) &&
           attempt_settings_own(&account->attempts, from, error) &&
           read_billing(input, from->currency, from->time_zone, sender, error) &&
           access_token_read(
               account, token_file,
               from->token_environment != NULL ? from->token_environment : "FACTEUR_TOKEN", error);
}

/* An error found in an account's values is told with the file and the line of its name. */
static void
place_error(const struct settings_input *input, const struct config_account *account,
            struct error_text *error)
{
    struct error_text whole;
    error_set(&whole, "%s:%u: %.400s", input->config_path,
              config_line(input->config, "name", account->name), error->text);
    *error = whole;
}

static bool
read_config_accounts(const struct settings_input *input, struct sender *sender,
                     struct error_text *error)
{
    const struct config *config = config_of(input->config);
    uint32_t count = 0;
    for (unsigned i = 0; i < config->businesses_count; i++)
        count += config->businesses[i].accounts_count;
    if (count > ACCOUNTS_MAX) {
        error_set(error, "%s: more than %d accounts", input->config_path, ACCOUNTS_MAX);
        return false;
    }
    sender->accounts = check_alloc(count, sizeof(*sender->accounts));
    for (unsigned i = 0; i < config->businesses_count; i++) {
        const struct config_business *business = &config->businesses[i];
        for (unsigned k = 0; k < business->accounts_count; k++) {
            if (!read_config_account(input, sender, business, &business->accounts[k], error)) {
                place_error(input, &business->accounts[k], error);
                return false;
            }
        }
    }
    return true;
}

static bool
read_accounts(const struct settings_input *input, struct sender *sender, struct error_text *error)
{
    if (input->accounts->count > 0)
        return read_option_accounts(input, sender, error);
    if (input->config != NULL && config_of(input->config)->businesses_count > 0)
        return read_config_accounts(input, sender, error);
    error_set(error, "which accounts? Give --account BUSINESS/ACCOUNT=PHONE_NUMBER_ID, once or "
                     "more, or businesses in a configuration file (--config)");
    return false;
}

/* ---- limits ------------------------------------------------------------------------------------
 */

static bool
in_range(const char *option, uint64_t value, uint64_t most, struct error_text *error)
{
    if (value >= 1 && value <= most)
        return true;
    error_set(error, "%s %llu: must be from 1 to %llu", option, (unsigned long long)value,
              (unsigned long long)most);
    return false;
}

static double
seconds(uint64_t ms)
{
    return (double)ms / 1000;
}

static bool
check_times(const struct settings_input *input, struct error_text *error)
{
    if (input->lease_ms < 500 || input->lease_ms > 600 * 1000) {
        error_set(error, "lease: must be from 500ms to 10m");
        return false;
    }
    if (input->dedupe_ttl_ms == 0) {
        error_set(error, "dedupe-ttl: must be at least 1ms; a day is usual");
        return false;
    }
    if (input->uncertain_wait_ms < input->lease_ms + input->request_timeout_ms) {
        error_set(
            error,
            "uncertain-wait %.3gs is shorter than lease + request-timeout (%.3gs + %.3gs): an "
            "answer or a receipt may still come then. Set uncertain-wait to %.3gs or more",
            seconds(input->uncertain_wait_ms), seconds(input->lease_ms),
            seconds(input->request_timeout_ms),
            seconds(input->lease_ms + input->request_timeout_ms));
        return false;
    }
    return true;
}

static bool
read_limits(const struct settings_input *input, struct sender_settings *settings,
            struct error_text *error)
{
    if (!in_range("workers", input->workers, WORKERS_MAX, error) ||
        !in_range("connections", input->connections, CHANNEL_CONNECTIONS_MAX, error) ||
        !in_range("streams", input->streams, EXCHANGES_MAX / input->connections, error) ||
        !in_range("events-keep", input->events_keep, UINT32_MAX, error) ||
        !check_times(input, error))
        return false;
    settings->workers = (uint32_t)input->workers;
    settings->connections_max = (uint32_t)input->connections;
    settings->exchanges_max = (uint32_t)input->streams;
    settings->lease_ms = input->lease_ms;
    settings->request_timeout_ms = input->request_timeout_ms;
    settings->uncertain_wait_ms = input->uncertain_wait_ms;
    settings->max_age_ms = input->max_age_ms;
    settings->max_age_codes_ms = 10 * 60 * 1000;
    settings->dedupe_ttl_ms = input->dedupe_ttl_ms;
    settings->events_keep = input->events_keep;
    settings->drain_ms = input->drain_ms;
    bool strict;
    settings->clear_recipients = strcmp(input->recipients, "clear") == 0;
    if (!settings->clear_recipients && strcmp(input->recipients, "hashed") != 0) {
        error_set(error, "recipients: \"%s\" is neither hashed nor clear", input->recipients);
        return false;
    }
    return read_numbers(input->numbers, &strict, error);
}

/* ---- files -------------------------------------------------------------------------------------
 */

/* The default templates and the markets: read once, shared, unchanged. The rate cards are read
 * again when their files change. */
static bool
read_files(const struct settings_input *input, struct sender *sender, struct error_text *error)
{
    sender->files = catalogue_open_folder(input->templates, error);
    if (sender->files == NULL)
        return false;
    sender->phones = input->phone_table != NULL ? phone_table_open(input->phone_table, error)
                                                : phone_table_builtin();
    if (sender->phones == NULL)
        return false;
    sender->markets = markets_open(input->markets, error);
    if (sender->markets == NULL)
        return false;
    const struct rate_feed_settings rates = {
        .path = input->rates,
        .markets = sender->markets,
        .accounts = sender->accounts,
        .account_count = sender->account_count,
        .workers = sender->settings.workers,
    };
    sender->rates = rate_feed_open(&rates, clock_unix_ms(), error);
    return sender->rates != NULL;
}

struct sender *
settings_build(const struct settings_input *input, struct error_text *error)
{
    struct sender *sender = check_alloc(1, sizeof(*sender));
    struct sender_settings *settings = &sender->settings;
    if (input->ca_file != NULL)
        snprintf(settings->ca_file, sizeof(settings->ca_file), "%s", input->ca_file);
    if (settings_read_graph(input->graph, &settings->graph, error) &&
        read_limits(input, settings, error) &&
        attempt_settings_read(&sender->attempts, input, error) &&
        read_accounts(input, sender, error) && read_files(input, sender, error))
        return sender;
    settings_free(sender);
    return NULL;
}

void
settings_free(struct sender *sender)
{
    if (sender == NULL)
        return;
    catalogue_feed_close(sender->feed);
    rate_feed_close(sender->rates);
    if (sender->markets != NULL)
        markets_close(sender->markets);
    phone_table_close(sender->phones);
    catalogue_close(sender->files);
    if (sender->accounts != NULL)
        memset(sender->accounts, 0, sender->account_count * sizeof(*sender->accounts));
    free(sender->accounts);
    zone_table_close(&sender->zones);
    memset(&sender->settings, 0, sizeof(sender->settings));
    free(sender);
}
