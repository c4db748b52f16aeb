/* facteur doctor: can this machine, this Redis and this token carry a sender? */
#include "sender/access_token.h"
#include "sender/cli/checkup.h"
#include "sender/settings.h"

#include <stdio.h>
#include <sys/stat.h>

static const char verb_name[] = "doctor";

/* ---- the configuration file, under the environment and the flags -------------------------------
 */

static void
take(const char **option, const char *from_file)
{
    if (*option == NULL)
        *option = from_file;
}

static void
look_at_config(struct doctor *doctor)
{
    struct error_text error;
    if (doctor->config_path == NULL)
        return;
    doctor->config = config_open(doctor->config_path, &error);
    if (doctor->config == NULL) {
        checkup_bad(&doctor->checkup, "config", "%s", error.text);
        return;
    }
    const struct config *config = config_of(doctor->config);
    checkup_good(&doctor->checkup, "config",
                 "%s can be read (facteur run --check-config judges every value)",
                 doctor->config_path);
    take(&doctor->store.redis, config->redis);
    take(&doctor->store.user, config->redis_user);
    take(&doctor->store.password_file, config->redis_password_file);
    take(&doctor->store.redis_ca_file, config->redis_ca_file);
    take(&doctor->graph, config->graph);
    take(&doctor->ca_file, config->ca_file);
    take(&doctor->token_file, config->token_file);
}

/* ---- tokens -----------------------------------------------------------------------------------
 */

/* A token that others can read is nobody's secret. */
static bool
is_private(struct doctor *doctor, const struct account_keys *keys, const char *path)
{
    struct stat file;
    if (path == NULL || stat(path, &file) != 0 || (file.st_mode & (S_IRWXG | S_IRWXO)) == 0)
        return true;
    checkup_bad(&doctor->checkup, "token", "%s/%s: others can read %s: chmod 600 %s",
                keys->business_name, keys->account_name, path, path);
    return false;
}

static void
look_at_token(struct doctor *doctor, const struct account_keys *keys, const char *file,
              const char *variable)
{
    struct error_text error;
    if (!access_token_is_good(keys, file, variable, &error))
        checkup_bad(&doctor->checkup, "token", "%s/%s: %s", keys->business_name, keys->account_name,
                    error.text);
    else if (is_private(doctor, keys, file))
        checkup_good(&doctor->checkup, "token", "%s/%s: there, one line, no odd characters",
                     keys->business_name, keys->account_name);
}

static void
look_at_config_token(struct doctor *doctor, const struct config_business *business,
                     const struct config_account *account)
{
    char name[2 * KEYS_NAME_MAX + 8];
    struct account_keys keys;
    struct error_text error;
    snprintf(name, sizeof(name), "%.33s/%.33s", business->name, account->name);
    if (!keys_read(span_of(name), &keys, &error)) {
        checkup_bad(&doctor->checkup, "token", "%s", error.text);
        return;
    }
    const char *file = account->token_file;
    if (file == NULL && account->token_environment == NULL)
        file = doctor->token_file;
    look_at_token(doctor, &keys, file, account->token_environment);
}

static void
look_at_tokens(struct doctor *doctor)
{
    const struct config *config = doctor->config != NULL ? config_of(doctor->config) : NULL;
    struct error_text error;
    for (uint32_t i = 0; i < doctor->store.accounts.count; i++) {
        struct account_keys keys;
        struct span name = span_of(doctor->store.accounts.items[i]);
        if (keys_read(span_split(&name, '='), &keys, &error))
            look_at_token(doctor, &keys, doctor->token_file, NULL);
        else
            checkup_bad(&doctor->checkup, "token", "%s", error.text);
    }
    if (doctor->store.accounts.count > 0)
        return;
    for (unsigned i = 0; config != NULL && i < config->businesses_count; i++)
        for (unsigned k = 0; k < config->businesses[i].accounts_count; k++)
            look_at_config_token(doctor, &config->businesses[i],
                                 &config->businesses[i].accounts[k]);
    if (config == NULL || config->businesses_count == 0)
        checkup_bad(&doctor->checkup, "token",
                    "which account? Give --account BUSINESS/ACCOUNT (or set FACTEUR_ACCOUNT), or "
                    "--config FILE");
}

/* ---- the verb ---------------------------------------------------------------------------------
 */

static int
look_at_all(struct doctor *doctor)
{
    checkup_begin(&doctor->checkup, doctor->json);
    look_at_config(doctor);
    take(&doctor->graph, "https://graph.facebook.com/v26.0");
    if (doctor_look_at_machine(doctor)) { /* else there is nothing to connect with */
        doctor_look_at_redis(doctor);
        doctor_look_at_graph(doctor);
    }
    look_at_tokens(doctor);
    config_close(doctor->config);
    return checkup_end(&doctor->checkup);
}

int
cli_doctor(int argc, char **argv)
{
    struct doctor doctor = {0};
    const struct option_row rows[] = {
        {"config", OPTION_TEXT, &doctor.config_path, "FILE", "the configuration of facteur run",
         "FACTEUR_CONFIG"},
        CLI_STORE_ROWS(&doctor.store),
        CLI_ACCOUNT_ROW(&doctor.store, "whose token; one or more"),
        {"graph", OPTION_TEXT, &doctor.graph, "URL",
         "the Graph API; default https://graph.facebook.com/v26.0", "FACTEUR_GRAPH"},
        {"ca-file", OPTION_TEXT, &doctor.ca_file, "FILE",
         "CA of the Graph API; default: the system's", "FACTEUR_CA_FILE"},
        {"token-file", OPTION_TEXT, &doctor.token_file, "FILE",
         "access token; or set FACTEUR_TOKEN", "FACTEUR_TOKEN_FILE"},
        {"json", OPTION_FLAG, &doctor.json, NULL, "one JSON object for programs", NULL},
    };
    const struct verb verb = {
        verb_name,
        "can this machine, this Redis and this token carry a sender?",
        "[options]",
        "Looks at the kernel, io_uring, limits and memory; at Redis: version, role, persistence,\n"
        "eviction, functions, clock; at the Graph API: name, certificate, HTTP/2; at tokens. Each\n"
        "line is good, or says what to do. Changes nothing, and sends nothing to Meta but a\n"
        "greeting. The options are those of facteur run. Exit 1 if one is bad.\n"
        "\nexample:\n"
        "  facteur doctor --config /etc/facteur/facteur.yaml\n"
        "  facteur doctor --redis unix:/run/redis/redis.sock --account acme/fr \\\n"
        "      --token-file /etc/facteur/token",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest > 0) {
        fprintf(stderr, "facteur doctor: \"%s\" is too much; see facteur doctor --help\n", argv[0]);
        return EXIT_USAGE;
    }
    return look_at_all(&doctor);
}
