/*
 * emulator_error - Meta's error answers, as Graph writes them.
 *
 * Codes, HTTP status, titles and details are those of Meta's error pages of September 2026; only
 * what the emulator can answer is here. It is no copy of the sender's table: each side has read
 * the pages for itself.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_ERROR_H
#define FACTEUR_LOADTEST_EMULATOR_ERROR_H

#include "sender/base/bytes.h"

#define EMULATOR_ERRORS(X)                                                                         \
    X(AUTH, 0, 401, "AuthException", "We were unable to authenticate the app user.")               \
    X(DOWN, 2, 503, "API Service", "Temporary due to downtime or due to being overloaded.")        \
    X(PHONE_GONE, 33, 400, "Parameter value is not valid",                                         \
      "The business phone number has been deleted.")                                               \
    X(PARAMETER, 100, 400, "Invalid parameter",                                                    \
      "The request included one or more unsupported or misspelled parameters.")                    \
    X(TOKEN, 190, 401, "Access token has expired", "Your access token has expired.")               \
    X(THROTTLED, 130429, 400, "Rate limit hit", "Cloud API message throughput has been reached.")  \
    X(WRONG, 131000, 500, "Something went wrong",                                                  \
      "Message failed to send due to an unknown error.")                                           \
    X(MISSING, 131008, 400, "Required parameter is missing",                                       \
      "The request is missing a required parameter.")                                              \
    X(VALUE, 131009, 400, "Parameter value is not valid",                                          \
      "One or more parameter values are invalid.")                                                 \
    X(UNAVAILABLE, 131016, 500, "Service unavailable", "A service is temporarily unavailable.")    \
    X(UNDELIVERABLE, 131026, 400, "Message undeliverable", "Unable to deliver message.")           \
    X(WINDOW_CLOSED, 131047, 400, "Re-engagement message",                                         \
      "More than 24 hours have passed since the recipient last replied to the sender number.")     \
    X(TYPE, 131051, 400, "Unsupported message type", "Unsupported message type.")                  \
    X(PAIR, 131056, 400, "(Business Account, Consumer Account) pair rate limit hit",               \
      "Too many messages sent from the sender phone number to the same recipient phone number "    \
      "in a short period of time.")                                                                \
    X(COUNT, 132000, 400, "Template Param Count Mismatch",                                         \
      "The number of variable parameter values included in the request did not match the number "  \
      "of variable parameters defined in the template.")                                           \
    X(NO_TEMPLATE, 132001, 404, "Template does not exist",                                         \
      "The template does not exist in the specified language or the template has not been "        \
      "approved.")                                                                                 \
    X(TOO_LONG, 132005, 400, "Template Hydrated Text Too Long", "Translated text is too long.")    \
    X(FORMAT, 132012, 400, "Template Parameter Format Mismatch",                                   \
      "Variable parameter values formatted incorrectly.")                                          \
    X(PAUSED, 132015, 400, "Template is Paused",                                                   \
      "Template is paused due to low quality so it cannot be sent in a template message.")         \
    X(DISABLED, 132016, 400, "Template is Disabled",                                               \
      "Template has been paused too many times due to low quality and is now permanently "         \
      "disabled.")                                                                                 \
    X(CHARACTERS, 132018, 400, "Template validation error",                                        \
      "There's an issue with the parameters in your template.")

enum emulator_error {
#define EMULATOR_ERROR(name, code, status, title, details) EMULATOR_ERROR_##name,
    EMULATOR_ERRORS(EMULATOR_ERROR)
#undef EMULATOR_ERROR
        EMULATOR_ERROR_KINDS,
};

int32_t emulator_error_code(enum emulator_error error); /* Meta's */
int emulator_error_status(enum emulator_error error);   /* HTTP */

/* Writes Graph's body. `details` replaces the table's if it is not empty; `trace` makes
 * fbtrace_id, which differs from answer to answer. */
void emulator_error_write(enum emulator_error error, struct span details, uint64_t trace,
                          struct buffer *out);

#endif
