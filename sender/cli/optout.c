/* facteur optout add, remove, list: who said stop. */
#include "sender/cli/operator.h"
#include "sender/cli/print.h"
#include "sender/cost/phone.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LINE_MAX_SIZE = 512 };

struct optout {
    const char *name; /* of the verb */
    bool add;
    bool json;
    const char *business;
    struct cli_store store;

    struct account_keys keys;
    char key[KEYS_BASE_MAX + 8]; /* B:optout */
    struct redis_sync *sync;
    uint64_t changed;
    uint64_t known; /* it was so before */
    uint64_t bad;
};

/* ---- one recipient ----------------------------------------------------------------------------
 */

struct recipient {
    struct phone phone;
    struct span name;                  /* as it is sent to: "+…", or a business-scoped id */
    char folded[PHONE_FOLDED_MAX + 2]; /* "+…" of people with two forms of a number; or "" */
};

static bool
read_recipient(struct span text, struct recipient *recipient, const char **why)
{
    char digits[PHONE_FOLDED_MAX + 1];
    recipient->folded[0] = '\0';
    if (phone_read_scoped_id(text, &recipient->phone)) {
        recipient->name = text;
        return true;
    }
    phone_read(text, &recipient->phone);
    *why = phone_reason_text(recipient->phone.reason);
    if (recipient->phone.status == PHONE_INVALID)
        return false;
    recipient->name = (struct span){recipient->phone.e164, recipient->phone.e164_size};
    if (phone_fold(&recipient->phone, digits) > 0 && strcmp(digits, recipient->phone.e164 + 1) != 0)
        snprintf(recipient->folded, sizeof(recipient->folded), "+%s", digits);
    return true;
}

static void
tell(const struct optout *optout, struct span text, const char *status, const char *why)
{
    if (!optout->json) {
        printf("%.*s: %s%s%s\n", SPAN_ARG(text), status, why != NULL ? ": " : "",
               why != NULL ? why : "");
        return;
    }
    printf("{\"recipient\":");
    print_json_text(text);
    printf(",\"status\":\"%s\",\"reason\":", status);
    print_json_text(span_of(why));
    printf("}\n");
}

/* False when Redis is gone or says no. */
static bool
change_one(struct optout *optout, struct span text)
{
    struct recipient recipient;
    const char *why = NULL;
    if (!read_recipient(text, &recipient, &why)) {
        optout->bad++;
        tell(optout, text, "bad", why);
        return true;
    }
    struct span words[4] = {optout->add ? SPAN("SADD") : SPAN("SREM"), span_of(optout->key),
                            recipient.name, span_of(recipient.folded)};
    const struct reply *reply =
        redis_sync_command(optout->sync, words, recipient.folded[0] != '\0' ? 4 : 3);
    if (reply == NULL || reply->type != REPLY_INTEGER) {
        (void)operator_say_trouble(optout->sync, reply, optout->name);
        return false;
    }
    if (reply->integer > 0)
        optout->changed++;
    else
        optout->known++;
    tell(optout, recipient.name,
         reply->integer == 0 ? (optout->add ? "known" : "unknown")
         : optout->add       ? "added"
                             : "removed",
         NULL);
    return true;
}

/* ---- all of them ------------------------------------------------------------------------------
 */

static bool
change_lines(struct optout *optout)
{
    char line[LINE_MAX_SIZE];
    while (fgets(line, sizeof(line), stdin) != NULL) {
        size_t size = strlen(line);
        bool whole = size < sizeof(line) - 1 || line[size - 1] == '\n';
        struct span text = span_trim((struct span){line, size});
        if (text.size == 0)
            continue;
        if (!whole) {
            optout->bad++;
            tell(optout, (struct span){line, 32}, "bad", "the line is too long for a number");
            for (int c = getchar(); c != EOF && c != '\n';)
                c = getchar();
        } else if (!change_one(optout, text)) {
            return false;
        }
    }
    return true;
}

static bool
read_keys(struct optout *optout)
{
    char account[2 * KEYS_NAME_MAX + 8];
    struct error_text error;
    if (optout->business == NULL) {
        if (!cli_store_account(&optout->store, optout->name, &optout->keys))
            return false;
    } else {
        (void)snprintf(account, sizeof(account), "%.40s/x", optout->business);
        if (strchr(optout->business, '/') != NULL ||
            !keys_read(span_of(account), &optout->keys, &error)) {
            fprintf(stderr, "facteur %s: --business %s: a business is named with a-z, 0-9 and -\n",
                    optout->name, optout->business);
            return false;
        }
    }
    (void)snprintf(optout->key, sizeof(optout->key), "%s:optout", optout->keys.business);
    return true;
}

/* -1: go on; otherwise the exit code. */
static int
begin(struct optout *optout, const struct verb *verb, const struct cli_words *words, int *rest)
{
    int code = options_read(verb, words->count, words->words, rest);
    if (code >= 0)
        return code;
    if (!read_keys(optout))
        return EXIT_USAGE;
    optout->sync = cli_store_open(&optout->store, optout->name);
    return optout->sync != NULL ? -1 : EXIT_UNAVAILABLE;
}

static int
change_all(struct optout *optout, const struct verb *verb, const struct cli_words *words)
{
    int rest;
    int code = begin(optout, verb, words, &rest);
    if (code >= 0)
        return code;
    bool good = true;
    if (rest == 0 || (rest == 1 && strcmp(words->words[0], "-") == 0))
        good = change_lines(optout);
    for (int i = 0; good && i < rest && strcmp(words->words[i], "-") != 0; i++)
        good = change_one(optout, span_of(words->words[i]));
    redis_sync_close(optout->sync);
    if (!good)
        return EXIT_UNAVAILABLE;
    if (optout->bad > 0)
        fprintf(stderr, "facteur %s: %" PRIu64 " cannot be read and %s left out\n", optout->name,
                optout->bad, optout->bad == 1 ? "was" : "were");
    return optout->bad > 0 ? EXIT_DATA : EXIT_GOOD;
}

/* ---- the verbs --------------------------------------------------------------------------------
 */

#define OPTOUT_ROWS(optout)                                                                        \
    CLI_STORE_ROWS(&(optout)->store), CLI_ACCOUNT_ROW(&(optout)->store, "its business's"),         \
        {"business",        OPTION_TEXT, &(optout)->business, "BUSINESS", "instead of an account", \
         "FACTEUR_BUSINESS"},                                                                      \
    {                                                                                              \
        "json", OPTION_FLAG, &(optout)->json, NULL, "JSON lines for programs", NULL                \
    }

int
cli_optout_add(int argc, char **argv)
{
    struct optout optout = {.name = "optout add", .add = true};
    const struct option_row rows[] = {OPTOUT_ROWS(&optout)};
    const struct verb verb = {
        optout.name,
        "nothing more to this recipient",
        "--business BUSINESS [NUMBER|ID...]",
        "Numbers as a producer writes them, or business-scoped ids (FR.1349...), from the\n"
        "arguments or one a line on standard input. For all accounts of the business, from the\n"
        "next message on: it is refused, and kept in dead. Of people with two forms of one number\n"
        "(Mexico, Argentina, Brazil) both are meant. Exit 65 if one cannot be read; the others\n"
        "are added.\n\nexample:\n"
        "  facteur optout add --business acme '+33 6 12 34 56 78'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    return change_all(&optout, &verb, &(struct cli_words){argc, argv});
}

int
cli_optout_remove(int argc, char **argv)
{
    struct optout optout = {.name = "optout remove", .add = false};
    const struct option_row rows[] = {OPTOUT_ROWS(&optout)};
    const struct verb verb = {
        optout.name,
        "this recipient may be written to again",
        "--business BUSINESS [NUMBER|ID...]",
        "Only when the person asked for it. What was refused meanwhile stays in dead: facteur\n"
        "dead requeue --because 'opted out' sends it, if it still should go.\n\nexample:\n"
        "  facteur optout remove --business acme '+33 6 12 34 56 78'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    return change_all(&optout, &verb, &(struct cli_words){argc, argv});
}

static int
list_all(struct optout *optout)
{
    char cursor[24] = "0";
    do {
        const struct reply *page =
            redis_sync_words(optout->sync, "SSCAN", optout->key, cursor, "COUNT", "1000", NULL);
        const struct reply *names = reply_at(page, 1);
        struct span next;
        if (names == NULL || names->type != REPLY_ARRAY || !reply_text(reply_at(page, 0), &next) ||
            next.size >= sizeof(cursor))
            return operator_say_trouble(optout->sync, page, optout->name);
        snprintf(cursor, sizeof(cursor), "%.*s", SPAN_ARG(next));
        for (size_t i = 0; i < names->count; i++) {
            if (optout->json)
                printf("{\"recipient\":");
            if (optout->json)
                print_json_text(names->elements[i]->text);
            else
                print_plain(names->elements[i]->text);
            printf(optout->json ? "}\n" : "\n");
        }
    } while (strcmp(cursor, "0") != 0);
    return EXIT_GOOD;
}

int
cli_optout_list(int argc, char **argv)
{
    struct optout optout = {.name = "optout list"};
    const struct option_row rows[] = {OPTOUT_ROWS(&optout)};
    const struct verb verb = {
        optout.name,
        "who said stop",
        "--business BUSINESS",
        "One a line, in no order. Of a number with two forms both may stand there.\n\nexample:\n"
        "  facteur optout list --business acme | sort",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = begin(&optout, &verb, &(struct cli_words){argc, argv}, &rest);
    if (code >= 0)
        return code;
    code = list_all(&optout);
    redis_sync_close(optout.sync);
    return code;
}
