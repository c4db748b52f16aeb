/*
 * access_token - an account's access token: where it is read from.
 *
 * A token in the command line would be seen by everybody in ps, so there is no option for one: it
 * is in a file or a variable, never logged and never put into Redis.
 */
#ifndef FACTEUR_SENDER_ACCESS_TOKEN_H
#define FACTEUR_SENDER_ACCESS_TOKEN_H

#include "sender/sender.h"

/* Reads the token from the file, or from the environment's variable if `file` is NULL, into the
 * account's authorization. False: see error, which never holds any of it. */
bool access_token_read(struct account_settings *account, const char *file, const char *variable,
                       struct error_text *error);

/* Would the sender take this account's token from here? `file` or `variable` may be NULL. */
bool access_token_is_good(const struct account_keys *keys, const char *file, const char *variable,
                          struct error_text *error);

#endif
