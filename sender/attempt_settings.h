/*
 * attempt_settings - what becomes of attempts that failed or had no answer, as an account has it:
 * when they are made again, and what is done when nobody knows.
 */
#ifndef FACTEUR_SENDER_ATTEMPT_SETTINGS_H
#define FACTEUR_SENDER_ATTEMPT_SETTINGS_H

#include "queue/calls.h"
#include "sender/graph/retries.h"

struct settings_input; /* settings.h */
struct config_account; /* config.h */

struct attempt_settings {
    struct retries retries;
    enum uncertain_policy uncertain;       /* when no receipt came in time */
    enum uncertain_policy uncertain_codes; /* the same of one-time codes */
};

/* As all accounts have it: the file's, and what a flag or the environment said over it. False: what
 * is wrong, with file and line if it stands there, in `error`. */
bool attempt_settings_read(struct attempt_settings *settings, const struct settings_input *input,
                           struct error_text *error);

/* Lays what an account says of its own over what it has. False: likewise, without a place. */
bool attempt_settings_own(struct attempt_settings *settings, const struct config_account *account,
                          struct error_text *error);

#endif
