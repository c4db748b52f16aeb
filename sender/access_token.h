/*
 * access_token - an account's access token: where it is read from, and what is told of it.
 *
 * A token in the command line would be seen by everybody in ps, so there is no option for one: it
 * is in a file or a variable. It is never logged and never put into Redis; what tells one from
 * another there is its mark, a keyed hash.
 */
#ifndef FACTEUR_SENDER_ACCESS_TOKEN_H
#define FACTEUR_SENDER_ACCESS_TOKEN_H

#include "sender/sender.h"

enum { ACCESS_TOKEN_MARK_SIZE = 16 };

/* Reads the token from the file, or from the environment's variable if `file` is NULL, into the
 * account's authorization. False: see error, which never holds any of it. */
bool access_token_read(struct account_settings *account, const char *file, const char *variable,
                       struct error_text *error);

/* Would the sender take this account's token from here? `file` or `variable` may be NULL. */
bool access_token_is_good(const struct account_keys *keys, const char *file, const char *variable,
                          struct error_text *error);

/* 16 hex digits that differ for another token, under the installation's secret. */
void access_token_mark(const struct account_settings *account, const struct digest_key *key,
                       char mark[ACCESS_TOKEN_MARK_SIZE + 1]);

#endif
