/* facteur queue pause, queue resume: an account stops sending, and goes on. */
#include "sender/cli/operator.h"
#include "sender/cli/print.h"

#include <inttypes.h>
#include <stdio.h>

struct queue_pause {
    const char *name; /* of the verb */
    bool pause;
    bool json;
    struct cli_store store;
    struct operator_options person;
};

static uint64_t
number_at(const struct reply *reply, size_t index)
{
    uint64_t number = 0;
    struct span text;
    if (reply_text(reply_at(reply, index), &text))
        (void)span_to_u64(text, &number);
    return number;
}

static struct span
text_at(const struct reply *reply, size_t index)
{
    struct span text = {"", 0};
    (void)reply_text(reply_at(reply, index), &text);
    return text;
}

/* What Meta had stopped it for stands behind the rest. */
static bool
was_stopped(const struct reply *reply)
{
    return reply_at(reply, 4) != NULL;
}

static void
print_json(const struct queue_pause *verb, const struct account_keys *keys,
           const struct reply *reply, bool first)
{
    printf("%s{\"account\":\"%s/%s\",\"paused\":%s,\"changed\":%s,\"by\":", first ? "" : ",",
           keys->business_name, keys->account_name, verb->pause ? "true" : "false",
           reply_is_text(reply_at(reply, 0), "ok") ? "true" : "false");
    print_json_text(text_at(reply, 1));
    printf(",\"reason\":");
    print_json_text(text_at(reply, 2));
    printf(",\"at\":%" PRIu64, number_at(reply, 3));
    if (was_stopped(reply)) {
        printf(",\"stopped\":{\"code\":%" PRIu64 ",\"reason\":", number_at(reply, 4));
        print_json_text(text_at(reply, 5));
        printf(",\"at\":%" PRIu64 "}", number_at(reply, 6));
    }
    putchar('}');
}

/* An account that nobody ever stopped has no who and no when. */
static void
print_sentence(const struct queue_pause *verb, const struct account_keys *keys,
               const struct reply *reply)
{
    bool changed = reply_is_text(reply_at(reply, 0), "ok");
    printf("%s/%s: ", keys->business_name, keys->account_name);
    if (changed) {
        printf(verb->pause ? "paused; what is on the wire is finished, nothing else goes out"
                           : "goes on within a second");
        if (was_stopped(reply)) {
            printf("; it was stopped at ");
            print_time(number_at(reply, 6));
            printf(" because Meta refused it: ");
            print_plain(text_at(reply, 5));
        }
        putchar('\n');
        return;
    }
    printf(verb->pause ? "was paused already" : "was not paused");
    if (text_at(reply, 1).size > 0) {
        printf(verb->pause ? " by " : "; resumed by ");
        print_plain(text_at(reply, 1));
        printf(" at ");
        print_time(number_at(reply, 3));
        printf(": ");
        print_plain(text_at(reply, 2));
    }
    putchar('\n');
}

static int
change_all(const struct queue_pause *verb, struct redis_sync *sync)
{
    const struct span words[] = {SPAN("facteur_pause"), span_of(verb->pause ? "pause" : "resume"),
                                 span_of(verb->person.who), span_of(verb->person.why)};
    if (verb->json)
        printf("{\"accounts\":[");
    for (uint32_t i = 0; i < verb->store.accounts.count; i++) {
        struct account_keys keys;
        if (!operator_account(&verb->store, i, verb->name, &keys))
            return EXIT_USAGE;
        const struct reply *reply = operator_call(sync, &keys, verb->name, words, 4);
        if (reply == NULL)
            return EXIT_UNAVAILABLE;
        if (verb->json)
            print_json(verb, &keys, reply, i == 0);
        else
            print_sentence(verb, &keys, reply);
    }
    if (verb->json)
        printf("]}\n");
    return EXIT_GOOD;
}

/* All names are read before the first account is changed. */
static bool
accounts_are_good(const struct queue_pause *verb)
{
    struct account_keys keys;
    if (!cli_store_account(&verb->store, verb->name, &keys))
        return false;
    for (uint32_t i = 1; i < verb->store.accounts.count; i++)
        if (!operator_account(&verb->store, i, verb->name, &keys))
            return false;
    return true;
}

static int
run(struct queue_pause *verb, const struct verb *description, int argc, char **argv)
{
    int rest;
    int code = options_read(description, argc, argv, &rest);
    if (code >= 0)
        return code;
    if (rest > 0) {
        fprintf(stderr, "facteur %s: \"%s\" is too much; accounts are named with --account\n",
                verb->name, argv[0]);
        return EXIT_USAGE;
    }
    if (!accounts_are_good(verb) || !operator_is_known(&verb->person, verb->name))
        return EXIT_USAGE;
    struct redis_sync *sync = cli_store_open(&verb->store, verb->name);
    if (sync == NULL)
        return EXIT_UNAVAILABLE;
    code = change_all(verb, sync);
    redis_sync_close(sync);
    return code;
}

#define PAUSE_ROWS(verb)                                                                           \
    CLI_STORE_ROWS(&(verb)->store), CLI_ACCOUNT_ROW(&(verb)->store, "one or more"),                \
        OPERATOR_ROWS(&(verb)->person),                                                            \
    {                                                                                              \
        "json", OPTION_FLAG, &(verb)->json, NULL, "one JSON object for programs", NULL             \
    }

int
cli_queue_pause(int argc, char **argv)
{
    struct queue_pause verb = {.name = "queue pause", .pause = true};
    operator_init(&verb.person);
    const struct option_row rows[] = {PAUSE_ROWS(&verb)};
    const struct verb description = {
        verb.name,
        "an account stops sending",
        "--account BUSINESS/ACCOUNT --reason TEXT",
        "What is on the wire is finished; nothing else goes out, whatever the number of workers.\n"
        "Producers may go on: what they write waits. Time goes on, too: what expires meanwhile is\n"
        "dropped. facteur why names the pause, facteur queue stats --json has it.\n\nexample:\n"
        "  facteur queue pause --account acme/fr --reason 'wrong template, ticket 4711'\n"
        "  facteur queue resume --account acme/fr --reason 'template mended'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    return run(&verb, &description, argc, argv);
}

int
cli_queue_resume(int argc, char **argv)
{
    struct queue_pause verb = {.name = "queue resume", .pause = false};
    operator_init(&verb.person);
    const struct option_row rows[] = {PAUSE_ROWS(&verb)};
    const struct verb description = {
        verb.name,
        "a paused or stopped account goes on",
        "--account BUSINESS/ACCOUNT --reason TEXT",
        "Within a second, with what waited: urgent first, then what is due, then the queue. One "
        "that\n"
        "Meta refused (its token, a payment, its number) should be mended first: it is stopped "
        "again\n"
        "otherwise. With a new token in place and a SIGHUP to facteur run it goes on by itself.\n"
        "\nexample:\n"
        "  facteur queue resume --account acme/fr --reason 'template mended'",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    return run(&verb, &description, argc, argv);
}
