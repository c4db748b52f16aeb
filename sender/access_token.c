#include "sender/access_token.h"

#include "sender/base/check.h"
#include "sender/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
set_authorization(struct account_settings *account, const char *token, const char *source,
                  struct error_text *error)
{
    for (const char *p = token; *p != '\0'; p++) {
        if (*p <= ' ' || *p >= 127) {
            error_set(error, "%s: a character that no access token has: is it the right one?",
                      source);
            return false;
        }
    }
    int size = snprintf(account->authorization, sizeof(account->authorization), "Bearer %s", token);
    if (token[0] != '\0' && (size_t)size < sizeof(account->authorization))
        return true;
    error_set(error, "%s: an access token has 1 to %zu characters", source,
              sizeof(account->authorization) - 8);
    return false;
}

bool
access_token_read(struct account_settings *account, const char *file, const char *variable,
                  struct error_text *error)
{
    char token[sizeof(account->authorization)];
    const char *value = variable != NULL ? getenv(variable) : NULL;
    bool good;
    if (file != NULL) {
        good = settings_read_secret(file, token, sizeof(token), error) &&
               set_authorization(account, token, file, error);
        memset(token, 0, sizeof(token));
        return good;
    }
    if (value != NULL)
        return set_authorization(account, value, variable, error);
    error_set(error,
              "no access token for %s/%s: put it into a file and name it (--token-file, or "
              "token_file in the configuration), or set %s",
              account->keys.business_name, account->keys.account_name,
              variable != NULL ? variable : "FACTEUR_TOKEN");
    return false;
}

bool
access_token_is_good(const struct account_keys *keys, const char *file, const char *variable,
                     struct error_text *error)
{
    struct account_settings *account = check_alloc(1, sizeof(*account));
    account->keys = *keys;
    bool good =
        access_token_read(account, file, variable != NULL ? variable : "FACTEUR_TOKEN", error);
    memset(account, 0, sizeof(*account));
    free(account);
    return good;
}
