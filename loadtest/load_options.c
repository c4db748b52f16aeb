#include "loadtest/load_options.h"
#include "loadtest/chaos_house.h"
#include "loadtest/chaos_plan.h"
#include "sender/base/check.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum flag_kind { FLAG_TEXT, FLAG_COUNT, FLAG_SHARE, FLAG_ACCOUNT, FLAG_SWITCH };

struct flag {
    const char *name;
    enum flag_kind kind;
    uint32_t verbs;
    size_t offset;
    const char *value; /* what stands for its value in the help */
    const char *help;
};

#define AT(field) offsetof(struct load_options, field)
enum {
    OTHERS = LOAD_FILL | LOAD_AUDIT | LOAD_RUN, /* they work on what somebody else started */
    ALL = OTHERS | LOAD_CHAOS,
    WRITES = LOAD_FILL | LOAD_RUN,
    READS = LOAD_AUDIT | LOAD_RUN
};

static const struct flag flags[] = {
    {"redis", FLAG_TEXT, OTHERS, AT(redis), "WHERE", "unix:/path or tcp://host:port"},
    {"account", FLAG_ACCOUNT, OTHERS, 0, "B/A", "business/account, e.g. acme/fr; may be repeated"},
    {"messages", FLAG_COUNT, ALL, AT(messages), "N",
     "how many notifications (20000; chaos: 100000)"},
    {"seed", FLAG_COUNT, ALL, AT(seed), "S",
     "same seed, same notifications (fill: the next unused; audit: the last)"},
    {"promotional", FLAG_SHARE, ALL, AT(promotional), "0..1",
     "share with an offer smuggled in (0.02; chaos: 0.005)"},
    {"bad", FLAG_SHARE, ALL, AT(bad), "0..1",
     "share that is malformed in some way (0.01; chaos: 0.005)"},
    {"urgent", FLAG_SHARE, ALL, AT(urgent), "0..1", "share written to the urgent stream (0.01)"},
    {"duplicates", FLAG_SHARE, ALL, AT(duplicates), "0..1",
     "share that repeats an earlier id (0; chaos: 0.005)"},
    {"countries", FLAG_COUNT, ALL, AT(countries), "N", "recipients of how many countries (60)"},
    {"bulk", FLAG_COUNT, ALL, AT(bulk), "N", "members in one entry, 1 to 64 (1: plain entries)"},
    {"templates", FLAG_TEXT, ALL, AT(templates), "FOLDER", "the catalogue's JSON files"},
    {"again", FLAG_SWITCH, WRITES, AT(again), NULL, "write a seed again that was written before"},
    {"emulator", FLAG_TEXT, READS, AT(emulator), "URL",
     "https://host:port of facteur-emulator, for its bill"},
    {"ca-file", FLAG_TEXT, READS, AT(ca_file), "FILE",
     "who signed the emulator's certificate (PEM)"},
    {"sender-pid", FLAG_COUNT, READS, AT(sender_pid), "PID",
     "measure this process' CPU as the sender's"},
    {"redis-pid", FLAG_COUNT, READS, AT(redis_pid), "PID", "the same for redis-server"},
    {"emulator-pid", FLAG_COUNT, READS, AT(emulator_pid), "PID", "the same for facteur-emulator"},
    {"show-refused", FLAG_COUNT, READS, AT(show_refused), "N",
     "show N refused texts with the offending words (0)"},
    {"timeout", FLAG_COUNT, LOAD_RUN | LOAD_CHAOS, AT(timeout_s), "SECONDS",
     "give up waiting for outcomes after (120; chaos: 600)"},
    {"kills", FLAG_COUNT, LOAD_CHAOS, AT(kills), "N", "how many faults, of all kinds (200)"},
    {"only", FLAG_TEXT, LOAD_CHAOS, AT(only), "KINDS",
     "only these, with commas between; see below"},
    {"senders", FLAG_COUNT, LOAD_CHAOS, AT(senders), "N", "how many at once, 1 to 8 (2)"},
    {"accounts", FLAG_COUNT, LOAD_CHAOS, AT(own_accounts), "N", "how many, 1 to 8 (3)"},
    {"aof", FLAG_TEXT, LOAD_CHAOS, AT(aof), "WHEN", "appendfsync of Redis (always)"},
    {"policy", FLAG_TEXT, LOAD_CHAOS, AT(policy), "POLICY",
     "of what is uncertain: park, drop or resend (park)"},
    {"early-receipts", FLAG_SHARE, LOAD_CHAOS, AT(early), "0..1",
     "share of the receipts that come while faults go on (0.2)"},
    {"failover", FLAG_SWITCH, LOAD_CHAOS, AT(failover), NULL,
     "Redis has a replica, and dies for good"},
    {"keep", FLAG_SWITCH, LOAD_CHAOS, AT(keep), NULL,
     "keep logs and Redis' files also if all is well"},
    {"live", FLAG_SWITCH, LOAD_RUN | LOAD_CHAOS, AT(live), NULL,
     "print the live line also when not on a terminal"},
    {"json", FLAG_SWITCH, ALL, AT(json), NULL, "the last line of the output is one JSON object"},
    {"quiet", FLAG_SWITCH, ALL, AT(quiet), NULL, "no progress"},
};

enum { FLAG_COUNT_ALL = sizeof flags / sizeof flags[0] };

struct verb {
    const char *name;
    enum load_verb verb;
    const char *does;
    const char *example;
};

static const struct verb verbs[] = {
    {"fill", LOAD_FILL, "writes seeded notifications into an account's streams",
     "facteur-load fill --redis unix:/run/redis.sock --account acme/fr --messages 20000 --bulk 32"},
    {"audit", LOAD_AUDIT, "reads Redis and the emulator's bill: is everything there, exactly once?",
     "facteur-load audit --redis unix:/run/redis.sock --account acme/fr \\\n"
     "      --emulator https://127.0.0.1:8443 --ca-file ca.pem"},
    {"run", LOAD_RUN, "fill, follow until everything has an outcome, audit, and measure",
     "facteur-load run --redis unix:/run/redis.sock --account acme/fr --messages 20000 \\\n"
     "      --emulator https://127.0.0.1:8443 --ca-file ca.pem --show-refused 3"},
    {"chaos", LOAD_CHAOS,
     "kills senders and Redis of its own in mid-flight: is anything lost or sent twice?",
     "facteur-load chaos --messages 3000 --kills 10 --seed 1\n"
     "  facteur-load chaos --messages 100000 --kills 200 --bulk 50 --json\n"
     "  facteur-load chaos --only kill-sender,restart-redis --kills 20 --messages 5000 --keep"},
};

/* ---- help ----------------------------------------------------------------------------------- */

static void
print_verbs(void)
{
    printf("facteur-load - generates notifications for facteur, follows them, and audits the "
           "books\n\n");
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        printf("  facteur-load %-6s %s\n", verbs[i].name, verbs[i].does);
    printf("\nfacteur-load VERB --help says more. Exit: 0 good, 1 the audit says no, 64 usage, "
           "69 a service is not there.\n");
}

static void
print_chaos(void)
{
    printf("\nIt starts a redis-server, a facteur-emulator and senders of its own in a folder of\n"
           "their own, and leaves nothing behind. Between two faults producers write a part of\n"
           "the messages, so that each fault hits in mid-flight; killed senders are started\n"
           "again. At the end the queue is drained, the senders are asked to stop, and the audit\n"
           "compares Redis' books with what the emulator truly accepted. Before that its receipts\n"
           "are played, all of them twice and in random order, as Meta's webhooks would come: so\n"
           "what was uncertain and had arrived is found and charged.\n\n"
           "It is good if nothing is lost, nothing is sent twice (with --policy resend: nothing\n"
           "but what is flagged), the books agree with the bill to the millionth, and 95 %% are\n"
           "accepted. A Redis that forgets (--aof everysec, where a killed one comes back without\n"
           "the end of its log; --failover, to a replica that lags) may lose and double what was\n"
           "confirmed in its last moments: that is counted, and must be no more.\n\n"
           "Kinds of fault, drawn by the seed:\n");
    for (uint32_t i = 0; i < CHAOS_KIND_COUNT; i++)
        printf("  %-14s %s\n", chaos_kind_text((enum chaos_kind)i),
               chaos_kind_help((enum chaos_kind)i));
}

static void
print_verb(const struct verb *verb)
{
    printf("facteur-load %s - %s\n\n", verb->name, verb->does);
    for (size_t i = 0; i < FLAG_COUNT_ALL; i++) {
        if ((flags[i].verbs & verb->verb) == 0)
            continue;
        char left[40];
        (void)snprintf(left, sizeof left, "--%s %s", flags[i].name,
                       flags[i].value == NULL ? "" : flags[i].value);
        printf("  %-24s %s\n", left, flags[i].help);
    }
    if (verb->verb == LOAD_CHAOS)
        print_chaos();
    printf("\nFor example:\n\n  %s\n", verb->example);
    if ((verb->verb & READS) != 0)
        printf("\nWhat fill wrote is remembered in Redis by its seed, so audit needs no shares.\n");
    printf("Exit: 0 good, 1 %s, 64 usage, 69 a service is not there.\n",
           verb->verb == LOAD_CHAOS ? "a promise is broken" : "the audit says no");
}

/* ---- values --------------------------------------------------------------------------------- */

static bool
read_share(const char *text, double *share)
{
    char *end = NULL;
    *share = strtod(text, &end);
    return end != text && *end == '\0' && *share >= 0 && *share <= 1;
}

static bool
read_value(struct load_options *options, const struct flag *flag, const char *text,
           struct error_text *error)
{
    void *at = (char *)options + flag->offset;
    switch (flag->kind) {
    case FLAG_TEXT:
        *(const char **)at = text;
        return true;
    case FLAG_COUNT:
        if (span_to_u64(span_of(text), at))
            return true;
        error_set(error, "--%s %s: write a whole number", flag->name, text);
        return false;
    case FLAG_SHARE:
        if (read_share(text, at))
            return true;
        error_set(error, "--%s %s: write a share from 0 to 1, such as 0.02", flag->name, text);
        return false;
    case FLAG_ACCOUNT:
        if (options->account_count == LOAD_ACCOUNTS_MAX) {
            error_set(error, "--account %s: %d accounts are the most", text, LOAD_ACCOUNTS_MAX);
            return false;
        }
        if (!keys_read(span_of(text), &options->accounts[options->account_count], error))
            return false;
        options->account_count++;
        return true;
    case FLAG_SWITCH:
        *(bool *)at = true;
        return true;
    }
    return false;
}

static const struct flag *
find_flag(struct span name, enum load_verb verb)
{
    for (size_t i = 0; i < FLAG_COUNT_ALL; i++)
        if (span_equal(name, span_of(flags[i].name)) && (flags[i].verbs & verb) != 0)
            return &flags[i];
    return NULL;
}

/* Takes one flag, with its value if it has one; returns how many arguments that were, 0: error. */
static int
read_flag(struct load_options *options, int count, char **arguments, struct error_text *error)
{
    struct span rest = span_of(arguments[0]);
    if (!span_starts(rest, SPAN("--"))) {
        error_set(error, "%s: every option begins with --; see --help", arguments[0]);
        return 0;
    }
    rest = (struct span){rest.data + 2, rest.size - 2};
    struct span name = span_split(&rest, '=');
    const struct flag *flag = find_flag(name, options->verb);
    if (flag == NULL) {
        error_set(error, "%s: no such option of this verb; see --help", arguments[0]);
        return 0;
    }
    options->given |= (uint64_t)1 << (flag - flags);
    if (flag->kind == FLAG_SWITCH)
        return read_value(options, flag, "", error) ? 1 : 0;
    if (rest.data != NULL)
        return read_value(options, flag, rest.data, error) ? 1 : 0;
    if (count < 2) {
        error_set(error, "--%s wants a value: %s", flag->name, flag->help);
        return 0;
    }
    return read_value(options, flag, arguments[1], error) ? 2 : 0;
}

/* ---- the whole ------------------------------------------------------------------------------ */

static bool
judge_place(const struct load_options *options, struct error_text *error)
{
    struct link_address address;
    char host[128];
    if (options->redis == NULL || !load_redis_read_address(options->redis, &address, host))
        error_set(error, "say where Redis is: --redis unix:/path/of/socket or tcp://host:port");
    else if (options->account_count == 0)
        error_set(error, "say whose streams: --account business/account, such as acme/fr");
    else
        return true;
    return false;
}

static bool
read_policy(struct load_options *options)
{
    for (int i = UNCERTAIN_PARK; i <= UNCERTAIN_RESEND; i++) {
        options->uncertain = (enum uncertain_policy)i;
        if (strcmp(options->policy, uncertain_policy_text(options->uncertain)) == 0)
            return true;
    }
    return false;
}

static bool
judge_chaos(struct load_options *options, struct error_text *error)
{
    options->fault_kinds = chaos_kinds_of_house(options->failover);
    if (options->only != NULL &&
        !chaos_read_kinds(span_of(options->only), &options->fault_kinds, error))
        return false;
    if ((options->fault_kinds & ~chaos_kinds_of_house(options->failover)) != 0)
        error_set(error, options->failover ? "--only: with --failover Redis does not come back"
                                           : "--only failover: say --failover, too");
    else if (options->senders == 0 || options->senders > CHAOS_SENDERS_MAX)
        error_set(error, "--senders: from 1 to %d", CHAOS_SENDERS_MAX);
    else if (strcmp(options->aof, "always") != 0 && strcmp(options->aof, "everysec") != 0)
        error_set(error, "--aof %s: always or everysec", options->aof);
    else if (!read_policy(options))
        error_set(error, "--policy %s: park, drop or resend", options->policy);
    else
        return chaos_house_accounts(options, options->own_accounts, error);
    return false;
}

static bool
judge(struct load_options *options, struct error_text *error)
{
    if (options->verb == LOAD_CHAOS ? !judge_chaos(options, error) : !judge_place(options, error))
        return false;
    if (options->messages == 0 || options->messages > AUDIT_MESSAGES_MAX)
        error_set(error, "--messages: from 1 to %d", AUDIT_MESSAGES_MAX);
    else if (options->bulk == 0 || options->bulk > QUEUE_BULK_MAX)
        error_set(error, "--bulk: from 1 to %d members in an entry", QUEUE_BULK_MAX);
    else if (options->countries == 0 || options->countries > load_country_count())
        error_set(error, "--countries: from 1 to %u", load_country_count());
    else if (options->promotional + options->bad > 1)
        error_set(error,
                  "--promotional and --bad are shares of the same whole: together at most 1");
    else
        return true;
    return false;
}

static void
set_defaults(struct load_options *options)
{
    *options = (struct load_options){.messages = 20000,
                                     .seed = 1,
                                     .bulk = 1,
                                     .countries = 60,
                                     .promotional = 0.02,
                                     .bad = 0.01,
                                     .urgent = 0.01,
                                     .timeout_s = 120,
                                     .templates = FACTEUR_SOURCE_DIR "/templates/catalogue"};
}

/* Most of it must come to be accepted: that is what is promised. */
static void
set_chaos_defaults(struct load_options *options)
{
    options->messages = 100000;
    options->promotional = options->bad = options->duplicates = 0.005;
    options->kills = 200;
    options->senders = 2;
    options->own_accounts = 3;
    options->aof = "always";
    options->timeout_s = 600;
    options->policy = uncertain_policy_text(UNCERTAIN_PARK);
    options->early = 0.2;
}

enum load_parse
load_options_read(struct load_options *options, int count, char **arguments,
                  struct error_text *error)
{
    set_defaults(options);
    if (count == 0 || strcmp(arguments[0], "--help") == 0 || strcmp(arguments[0], "-h") == 0 ||
        strcmp(arguments[0], "help") == 0) {
        print_verbs();
        error_set(error, "no verb");
        return count == 0 ? LOAD_PARSE_ERROR : LOAD_PARSE_HELP;
    }
    const struct verb *verb = NULL;
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(arguments[0], verbs[i].name) == 0)
            verb = &verbs[i];
    if (verb == NULL) {
        error_set(error, "%s: no such verb; there are fill, audit, run and chaos", arguments[0]);
        return LOAD_PARSE_ERROR;
    }
    options->verb = verb->verb;
    if (options->verb == LOAD_CHAOS)
        set_chaos_defaults(options);
    for (int i = 1; i < count;) {
        if (strcmp(arguments[i], "--help") == 0 || strcmp(arguments[i], "-h") == 0) {
            print_verb(verb);
            return LOAD_PARSE_HELP;
        }
        int taken = read_flag(options, count - i, arguments + i, error);
        if (taken == 0)
            return LOAD_PARSE_ERROR;
        i += taken;
    }
    return judge(options, error) ? LOAD_PARSE_OK : LOAD_PARSE_ERROR;
}

bool
load_options_given(const struct load_options *options, const char *name)
{
    for (size_t i = 0; i < FLAG_COUNT_ALL; i++)
        if (strcmp(flags[i].name, name) == 0)
            return (options->given >> i & 1) != 0;
    check(!"a flag's name");
    return false;
}

void
load_options_generator(const struct load_options *options, const struct load_templates *templates,
                       struct generator *generator)
{
    *generator = (struct generator){.seed = options->seed,
                                    .messages = options->messages,
                                    .accounts = options->account_count,
                                    .countries = (uint32_t)options->countries,
                                    .bulk = options->bulk > 1,
                                    .promotional = options->promotional,
                                    .bad = options->bad,
                                    .urgent = options->urgent,
                                    .duplicates = options->duplicates,
                                    .templates = templates};
}
