#include "loadtest/emulator_options.h"

#include "sender/base/check.h"

#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum option_code {
    OPTION_HELP = 'h',
    OPTION_VERSION = 'V',
    OPTION_LISTEN = 256,
    OPTION_CERTIFICATE,
    OPTION_KEY,
    OPTION_MAKE_CERTIFICATE,
    OPTION_TOKEN,
    OPTION_TOKEN_FILE,
    OPTION_PHONE_ID,
    OPTION_TEMPLATES,
    OPTION_RATES,
    OPTION_MARKETS,
    OPTION_PREFIXES,
    OPTION_CURRENCY,
    OPTION_DATE,
    OPTION_STREAMS,
    OPTION_IDLE,
    OPTION_LATENCY,
    OPTION_LIMIT_RATE,
    OPTION_FAULT,
    OPTION_SEED,
    OPTION_TALLY,
    OPTION_QUIET,
};

#define TEXT(member) offsetof(struct emulator_options, member)
static const struct option_row {
    const char *name;
    int code;
    const char *argument; /* NULL: takes none */
    const char *help;
    size_t text; /* where a plain text goes, in struct emulator_options; 0: it is none */
} table[] = {
    {"listen", OPTION_LISTEN, "HOST:PORT", "where to listen (127.0.0.1:8443); port 0: any free one",
     0},
    {"certificate", OPTION_CERTIFICATE, "FILE", "PEM certificate to show", TEXT(certificate)},
    {"key", OPTION_KEY, "FILE", "its key", TEXT(key)},
    {"make-certificate", OPTION_MAKE_CERTIFICATE, "FOLDER",
     "use emulator.crt and emulator.key of FOLDER, made if absent", TEXT(certificate_folder)},
    {"token", OPTION_TOKEN, "TEXT", "the bearer token to ask for (none: any token will do)",
     TEXT(token)},
    {"token-file", OPTION_TOKEN_FILE, "FILE", "the same, from the first line of a file",
     TEXT(token_file)},
    {"phone-id", OPTION_PHONE_ID, "ID[:CODE]",
     "a phone number id that exists, and its calling code (1); repeatable", 0},
    {"templates", OPTION_TEMPLATES, "FOLDER", "template files in Meta's JSON", TEXT(templates)},
    {"prefixes", OPTION_PREFIXES, "FILE", "CSV: phone prefix and lengths -> country",
     TEXT(prefixes)},
    {"markets", OPTION_MARKETS, "FILE", "CSV: country -> market", TEXT(markets)},
    {"rates", OPTION_RATES, "FILE", "CSV: the rate card", TEXT(rates)},
    {"currency", OPTION_CURRENCY, "CODE", "which card (USD)", TEXT(currency)},
    {"date", OPTION_DATE, "DAY", "the billing day, as 2026-10-01 (today, UTC)", 0},
    {"streams", OPTION_STREAMS, "N", "SETTINGS_MAX_CONCURRENT_STREAMS (100)", 0},
    {"idle", OPTION_IDLE, "TIME", "GOAWAY after so long without a request (60s; 0: never)", 0},
    {"latency", OPTION_LATENCY, "TIME", "0, 50ms, 25ms-75ms, or median:350ms (log-normal)", 0},
    {"limit-rate", OPTION_LIMIT_RATE, "N",
     "messages a second and phone id, 130429 above (no limit)", 0},
    {"fault", OPTION_FAULT, "NAME=RATE", "a share of requests goes wrong, see below; repeatable",
     0},
    {"seed", OPTION_SEED, "N", "replays the same faults, latencies and message ids (1)", 0},
    {"tally", OPTION_TALLY, "FILE", "write the tally there at SIGTERM", TEXT(tally)},
    {"quiet", OPTION_QUIET, NULL, "say nothing but the address", 0},
    {"help", OPTION_HELP, NULL, "this text", 0},
    {"version", OPTION_VERSION, NULL, "the version", 0},
};
#undef TEXT
enum { OPTIONS = sizeof table / sizeof table[0] };

static void
print_help(void)
{
    printf("facteur-emulator - a Graph API that behaves and bills like Meta's, for tests\n\n"
           "usage: facteur-emulator [options]\n\n");
    for (int i = 0; i < OPTIONS; i++) {
        char left[48];
        snprintf(left, sizeof left, "--%s%s%s", table[i].name, table[i].argument != NULL ? " " : "",
                 table[i].argument != NULL ? table[i].argument : "");
        printf("  %-27s %s\n", left, table[i].help);
    }
    printf("\nFaults (5xx shares its rate among the three 5xx_...):\n");
    for (int i = 0; i < EMULATOR_FAULT_KINDS; i++)
        printf("  %-17s %s\n", emulator_fault_text((enum emulator_fault)i),
               emulator_fault_help((enum emulator_fault)i));
    printf("\nExample: a day at Meta's, with one answer in a hundred lost\n\n"
           "  facteur-emulator --make-certificate /tmp/emulator --token secret --phone-id 1001 \\\n"
           "      --templates templates/catalogue --prefixes sender/cost/data/prefixes.csv \\\n"
           "      --markets sender/cost/data/markets.csv --rates sender/cost/data/rates.csv \\\n"
           "      --latency median:350ms --fault black_hole=0.01\n"
           "  curl --cacert /tmp/emulator/emulator.crt https://127.0.0.1:8443/emulator/tally\n\n"
           "While it runs: GET /emulator/tally, GET /emulator/accepted?from=0&limit=1000,\n"
           "POST /emulator/faults with {\"cut\":0.01}, POST /emulator/reset.\n"
           "SIGTERM or SIGINT ends it.\n");
}

static bool
complain(const char *option, const char *value, const char *remedy)
{
    fprintf(stderr, "facteur-emulator: --%s %s: %s\n", option, value, remedy);
    return false;
}

/* "127.0.0.1:8443", "[::1]:0", ":8443". */
static bool
read_address(struct emulator_options *options, const char *value)
{
    const char *colon = strrchr(value, ':');
    uint64_t port;
    if (colon == NULL || !span_to_u64(span_of(colon + 1), &port) || port > 65535)
        return complain("listen", value, "say HOST:PORT, as in 127.0.0.1:8443");
    struct span host = {.data = value, .size = (size_t)(colon - value)};
    if (host.size >= 2 && host.data[0] == '[' && host.data[host.size - 1] == ']')
        host = (struct span){.data = host.data + 1, .size = host.size - 2};
    if (host.size >= sizeof options->host)
        return complain("listen", value, "the host is too long");
    memcpy(options->host, host.data, host.size);
    options->host[host.size] = '\0';
    options->port = (uint16_t)port;
    return true;
}

static bool
read_phone(struct emulator_options *options, const char *value)
{
    struct span code = span_of(value), id = span_split(&code, ':');
    uint64_t number;
    if (options->phone_count == EMULATOR_PHONES_MAX)
        return complain("phone-id", value, "at most 64");
    if (code.data == NULL)
        code = SPAN("1");
    if (id.size == 0 || id.size > 32 || !span_to_u64(code, &number) || code.size > 4)
        return complain("phone-id", value, "say 1001, or 1001:33 with its calling code");
    options->phones[options->phone_count++] =
        (struct emulator_phone){.id = id, .calling_code = code};
    return true;
}

static bool
read_number(const char *option, const char *value, uint64_t max, uint64_t *number)
{
    if (span_to_u64(span_of(value), number) && *number <= max)
        return true;
    return complain(option, value, "a whole number is needed, and not so large a one");
}

static bool
read_fault(struct emulator_options *options, const char *value)
{
    struct error_text error;
    struct span rate = span_of(value), name = span_split(&rate, '=');
    return emulator_faults_set(&options->faults, name, rate, &error) ||
           complain("fault", value, error.text);
}

static bool
read_time(struct emulator_latency *latency, const char *option, const char *value)
{
    struct error_text error;
    return emulator_latency_read(span_of(value), latency, &error) ||
           complain(option, value, error.text);
}

static bool
read_day(struct emulator_options *options, const char *value)
{
    struct tm day = {0};
    const char *end = strptime(value, "%Y-%m-%d", &day);
    if (strlen(value) != 10 || end == NULL || *end != '\0')
        return complain("date", value, "say a day as 2026-10-01");
    memcpy(options->day, value, sizeof options->day);
    return true;
}

/* Options that are a number or a time. */
static bool
read_quantity(struct emulator_options *options, int code, const char *value)
{
    struct emulator_latency idle;
    uint64_t number;
    if (code == OPTION_LATENCY)
        return read_time(&options->latency, "latency", value);
    if (code == OPTION_IDLE) {
        if (!read_time(&idle, "idle", value))
            return false;
        options->idle_us = idle.low_us;
        return true;
    }
    if (code == OPTION_SEED)
        return read_number("seed", value, UINT64_MAX, &options->seed);
    if (code == OPTION_STREAMS) {
        if (!read_number("streams", value, 100000, &number))
            return false;
        options->streams = number == 0 ? 1 : (uint32_t)number;
        return true;
    }
    if (!read_number("limit-rate", value, 1000000, &number))
        return false;
    options->limit_per_s = (uint32_t)number;
    return true;
}

static const struct option_row *
row_of(int code)
{
    for (int i = 0; i < OPTIONS; i++) {
        if (table[i].code == code)
            return &table[i];
    }
    check(false); /* getopt_long() gives codes of the table only */
}

static bool
read_option(struct emulator_options *options, int code, const char *value)
{
    size_t text = row_of(code)->text;
    if (text != 0) {
        *(const char **)(void *)((char *)options + text) = value;
        return true;
    }
    if (code == OPTION_LISTEN)
        return read_address(options, value);
    if (code == OPTION_PHONE_ID)
        return read_phone(options, value);
    if (code == OPTION_FAULT)
        return read_fault(options, value);
    if (code == OPTION_DATE)
        return read_day(options, value);
    if (code == OPTION_QUIET)
        return options->quiet = true;
    return read_quantity(options, code, value);
}

/* What only makes sense together. */
static bool
check_whole(const struct emulator_options *options)
{
    const char *problem = NULL;
    int files = (options->rates != NULL) + (options->markets != NULL) + (options->prefixes != NULL);
    if (options->certificate_folder == NULL &&
        (options->certificate == NULL || options->key == NULL))
        problem = "name --certificate and --key, or let --make-certificate FOLDER make them";
    else if (options->phone_count == 0)
        problem = "at least one --phone-id is needed: messages are posted to it";
    else if (options->templates == NULL)
        problem = "--templates FOLDER is needed: messages name one of them";
    else if (files != 0 && files != 3)
        problem = "--prefixes, --markets and --rates are needed together for a bill";
    if (problem != NULL)
        fprintf(stderr, "facteur-emulator: %s (--help shows an example)\n", problem);
    return problem == NULL;
}

static void
set_defaults(struct emulator_options *options, uint64_t today_ms)
{
    time_t seconds = (time_t)(today_ms / 1000);
    struct tm day;
    *options = (struct emulator_options){.host = "127.0.0.1",
                                         .port = 8443,
                                         .currency = "USD",
                                         .streams = 100,
                                         .idle_us = 60 * 1000 * 1000,
                                         .seed = 1};
    gmtime_r(&seconds, &day);
    strftime(options->day, sizeof options->day, "%Y-%m-%d", &day);
}

enum emulator_options_result
emulator_options_read(struct emulator_options *options, int count, char **arguments,
                      uint64_t today_ms)
{
    struct option list[OPTIONS + 1] = {0};
    int code;
    for (int i = 0; i < OPTIONS; i++)
        list[i] = (struct option){
            .name = table[i].name, .has_arg = table[i].argument != NULL, .val = table[i].code};
    set_defaults(options, today_ms);
    optind = 1;
    while ((code = getopt_long(count, arguments, "hV", list, NULL)) != -1) {
        if (code == OPTION_HELP) {
            print_help();
            return EMULATOR_OPTIONS_HELP;
        }
        if (code == OPTION_VERSION) {
            printf("facteur-emulator %s\n", FACTEUR_VERSION);
            return EMULATOR_OPTIONS_HELP;
        }
        if (code == '?' || !read_option(options, code, optarg))
            return EMULATOR_OPTIONS_BAD;
    }
    if (optind < count) {
        fprintf(stderr, "facteur-emulator: \"%s\" is no option (--help lists them)\n",
                arguments[optind]);
        return EMULATOR_OPTIONS_BAD;
    }
    return check_whole(options) ? EMULATOR_OPTIONS_GOOD : EMULATOR_OPTIONS_BAD;
}
