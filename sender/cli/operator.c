#include "sender/cli/operator.h"

#include "sender/base/check.h"
#include "sender/cli/print.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { FIXED_WORDS = 5, WORDS_MAX = 1024 };

void
operator_init(struct operator_options *person)
{
    const struct passwd *user = getpwuid(geteuid()); /* cron and containers set no USER */
    *person = (struct operator_options){.who = user != NULL ? user->pw_name : ""};
}

static bool
is_good(const char *text, size_t size_max)
{
    return strlen(text) <= size_max && print_is_plain(text) && span_is_utf8(span_of(text));
}

bool
operator_is_known(const struct operator_options *person, const char *verb)
{
    if (person->why == NULL || span_trim(span_of(person->why)).size == 0)
        fprintf(stderr, "facteur %s: why? Give --reason TEXT: it stands in the log\n", verb);
    else if (span_trim(span_of(person->who)).size == 0)
        fprintf(stderr, "facteur %s: who are you? Give --by NAME\n", verb);
    else if (!is_good(person->why, OPERATOR_WHY_MAX))
        fprintf(stderr, "facteur %s: --reason: one line of at most %d bytes of UTF-8\n", verb,
                OPERATOR_WHY_MAX);
    else if (!is_good(person->who, OPERATOR_WHO_MAX))
        fprintf(stderr, "facteur %s: --by: one line of at most %d bytes of UTF-8\n", verb,
                OPERATOR_WHO_MAX);
    else
        return true;
    return false;
}

bool
operator_account(const struct cli_store *store, uint32_t index, const char *verb,
                 struct account_keys *keys)
{
    struct error_text error;
    struct span name = span_of(store->accounts.items[index]);
    if (keys_read(span_split(&name, '='), keys, &error))
        return true;
    fprintf(stderr, "facteur %s: %s\n", verb, error.text);
    return false;
}

int
operator_say_trouble(struct redis_sync *sync, const struct reply *reply, const char *verb)
{
    enum session_trouble trouble = session_trouble_of(reply);
    if (reply == NULL)
        fprintf(stderr, "facteur %s: %s\n", verb, redis_sync_trouble(sync));
    else if (trouble == SESSION_TROUBLE_NO_FUNCTION)
        fprintf(stderr,
                "facteur %s: this Redis does not have our functions yet, or older ones: facteur "
                "run loads them when it starts\n",
                verb);
    else if (trouble != SESSION_TROUBLE_NONE && trouble != SESSION_TROUBLE_OTHER)
        fprintf(stderr, "facteur %s: %s\n", verb, session_trouble_text(trouble));
    else
        fprintf(stderr, "facteur %s: Redis answered: %.*s\n", verb, SPAN_ARG(reply->text));
    return EXIT_UNAVAILABLE;
}

const struct reply *
operator_call(struct redis_sync *sync, const struct account_keys *keys, const char *verb,
              const struct span *words, size_t count)
{
    struct span parts[FIXED_WORDS + WORDS_MAX];
    check(count >= 1 && count <= WORDS_MAX);
    parts[0] = SPAN("FCALL");
    parts[1] = words[0];
    parts[2] = SPAN("2");
    parts[3] = span_of(keys->account);
    parts[4] = span_of(keys->business);
    memcpy(parts + FIXED_WORDS, words + 1, (count - 1) * sizeof(*words));
    const struct reply *reply = redis_sync_command(sync, parts, FIXED_WORDS + count - 1);
    if (reply != NULL && reply->type == REPLY_ARRAY)
        return reply;
    (void)operator_say_trouble(sync, reply, verb);
    return NULL;
}

struct span
operator_value(const struct reply *flat, const char *name)
{
    struct span text = {0};
    for (size_t i = 0; flat != NULL && i + 1 < flat->count; i += 2)
        if (reply_is_text(flat->elements[i], name) && reply_text(flat->elements[i + 1], &text))
            return text;
    return (struct span){0};
}

uint64_t
operator_number(const struct reply *flat, const char *name)
{
    uint64_t number = 0;
    (void)span_to_u64(operator_value(flat, name), &number);
    return number;
}
