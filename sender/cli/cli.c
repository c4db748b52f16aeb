#include "sender/cli/cli.h"

#include "sender/dev_redis.h"
#include "sender/settings.h"

#include <stdio.h>
#include <string.h>

static bool
find_dev_address(const struct cli_store *store, struct redis_address *address,
                 struct error_text *error)
{
    char folder[80];
    if (!dev_redis_folder(store->state, folder, sizeof(folder), error))
        return false;
    dev_redis_address(folder, address);
    return true;
}

bool
cli_store_find(const struct cli_store *store, struct redis_address *address,
               struct error_text *error)
{
    memset(address, 0, sizeof(*address));
    if (store->dev)
        return find_dev_address(store, address, error);
    if (store->redis == NULL) {
        error_set(error, "which Redis? Give --redis unix:/PATH or tcp://HOST:PORT (or set "
                         "FACTEUR_REDIS), or --dev");
        return false;
    }
    if (!redis_address_read(store->redis, address, error))
        return false;
    if (store->user != NULL)
        snprintf(address->user, sizeof(address->user), "%s", store->user);
    if (store->redis_ca_file != NULL)
        snprintf(address->ca_file, sizeof(address->ca_file), "%s", store->redis_ca_file);
    return store->password_file == NULL ||
           settings_read_secret(store->password_file, address->password, sizeof(address->password),
                                error);
}

bool
cli_store_address(const struct cli_store *store, const char *verb, struct redis_address *address)
{
    struct error_text error;
    bool found = cli_store_find(store, address, &error);
    if (!found)
        fprintf(stderr, "facteur %s: %s\n", verb, error.text);
    return found;
}

struct redis_sync *
cli_store_open(const struct cli_store *store, const char *verb)
{
    struct redis_address address;
    struct error_text error;
    if (!cli_store_address(store, verb, &address))
        return NULL;
    struct redis_sync *sync = redis_sync_open(&address, &error);
    memset(address.password, 0, sizeof(address.password));
    if (sync == NULL)
        fprintf(stderr, "facteur %s: %s\n", verb, error.text);
    return sync;
}

bool
cli_store_account(const struct cli_store *store, const char *verb, struct account_keys *keys)
{
    struct error_text error;
    if (store->accounts.count == 0) {
        fprintf(stderr,
                "facteur %s: which account? Give --account BUSINESS/ACCOUNT (or set "
                "FACTEUR_ACCOUNT)\n",
                verb);
        return false;
    }
    struct span name = span_of(store->accounts.items[0]);
    if (!keys_read(span_split(&name, '='), keys, &error)) {
        fprintf(stderr, "facteur %s: %s\n", verb, error.text);
        return false;
    }
    return true;
}
