#include "sender/cli/cli.h"

#include "sender/dev_redis.h"
#include "sender/settings.h"

#include <stdio.h>
#include <string.h>

bool
cli_read_secret(const char *verb, const char *path, char *text, size_t size)
{
    struct error_text error;
    bool good = settings_read_secret(path, text, size, &error);
    if (!good)
        fprintf(stderr, "facteur %s: %s\n", verb, error.text);
    return good;
}

static bool
read_dev_address(const struct cli_store *store, const char *verb, struct redis_address *address)
{
    char folder[80];
    struct error_text error;
    if (!dev_redis_folder(store->state, folder, sizeof(folder), &error)) {
        fprintf(stderr, "facteur %s: %s\n", verb, error.text);
        return false;
    }
    dev_redis_address(folder, address);
    return true;
}

bool
cli_store_address(const struct cli_store *store, const char *verb, struct redis_address *address)
{
    struct error_text error;
    memset(address, 0, sizeof(*address));
    if (store->dev)
        return read_dev_address(store, verb, address);
    if (store->redis == NULL) {
        fprintf(stderr,
                "facteur %s: which Redis? Give --redis unix:/PATH or tcp://HOST:PORT (or set "
                "FACTEUR_REDIS), or --dev\n",
                verb);
        return false;
    }
    if (!redis_address_read(store->redis, address, &error)) {
        fprintf(stderr, "facteur %s: %s\n", verb, error.text);
        return false;
    }
    if (store->user != NULL)
        snprintf(address->user, sizeof(address->user), "%s", store->user);
    if (store->redis_ca_file != NULL)
        snprintf(address->ca_file, sizeof(address->ca_file), "%s", store->redis_ca_file);
    return store->password_file == NULL ||
           cli_read_secret(verb, store->password_file, address->password,
                           sizeof(address->password));
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
