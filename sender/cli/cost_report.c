/* facteur cost report: what was spent, from the ledger. */
#include "sender/base/clock.h"
#include "sender/cli/cli.h"
#include "sender/cost/report.h"
#include "sender/cost/report_print.h"
#include "sender/cost/zone.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

static const char verb_name[] = "cost report";

enum { DAYS_MAX = 800 };

struct cost_options {
    struct cli_store store;
    const char *by;
    const char *from;
    const char *to;
    const char *month;
    const char *time_zone; /* whose today is the last day */
    time_t first;          /* days since 1970, from those texts */
    time_t last;
    const char *currency;
    const char *markets; /* for the countries' names */
    uint64_t top;        /* rows of the table; 0: all */
    bool json;
    bool csv;
};

/* ---- days ----------------------------------------------------------------------------------- */

/* "2026-11-23" as days since 1970. False if it is no day. */
static bool
read_day(const char *text, time_t *day)
{
    struct tm tm = {0};
    char again[16];
    const char *end = strptime(text, "%Y-%m-%d", &tm);
    if (end == NULL || *end != '\0')
        return false;
    time_t seconds = timegm(&tm);
    strftime(again, sizeof(again), "%Y-%m-%d", &tm);
    *day = seconds / 86400;
    return strcmp(again, text) == 0; /* 2026-02-30 is no day */
}

static void
write_day(time_t day, char text[16])
{
    struct tm tm;
    time_t seconds = day * 86400;
    gmtime_r(&seconds, &tm);
    strftime(text, 16, "%Y-%m-%d", &tm);
}

/* "2026-11": from its first day to its last. */
static bool
read_month(const char *text, time_t *from, time_t *to)
{
    char day[24];
    (void)snprintf(day, sizeof(day), "%.7s-01", text);
    bool good = strlen(text) == 7 && read_day(day, from);
    for (int last = 31; good && last >= 28; last--) {
        (void)snprintf(day, sizeof(day), "%.7s-%02d", text, last);
        if (read_day(day, to))
            return true;
    }
    fprintf(stderr, "facteur cost report: --month %s is not a month: write YYYY-MM\n", text);
    return false;
}

static bool
read_today(const struct cost_options *options, time_t *today)
{
    struct error_text error;
    char day[DAY_SIZE + 1];
    struct zone *zone = zone_open(options->time_zone, &error);
    if (zone == NULL) {
        fprintf(stderr, "facteur cost report: --time-zone: %s\n", error.text);
        return false;
    }
    zone_day(zone, clock_unix_ms(), day);
    zone_close(zone);
    return read_day(day, today);
}

static bool
read_span_of_days(const struct cost_options *options, time_t *from, time_t *to)
{
    if (options->month != NULL && (options->from != NULL || options->to != NULL)) {
        fprintf(stderr, "facteur cost report: give --month, or --from and --to, not both\n");
        return false;
    }
    if (options->month != NULL)
        return read_month(options->month, from, to);
    if (!read_today(options, to))
        return false;
    if (options->to != NULL && !read_day(options->to, to)) {
        fprintf(stderr, "facteur cost report: --to %s is not a day: write YYYY-MM-DD\n",
                options->to);
        return false;
    }
    *from = *to;
    if (options->from != NULL && !read_day(options->from, from)) {
        fprintf(stderr, "facteur cost report: --from %s is not a day: write YYYY-MM-DD\n",
                options->from);
        return false;
    }
    if (*from > *to || *to - *from >= DAYS_MAX) {
        fprintf(stderr,
                "facteur cost report: --from must not be after --to, and at most %d days "
                "before it\n",
                DAYS_MAX);
        return false;
    }
    return true;
}

/* ---- reading the ledger -----------------------------------------------------------------------
 */

/* With accounts given, only theirs: a cell begins with the account's name. */
static bool
is_asked_for(const struct cost_options *options, const struct account_keys *business,
             struct span cell)
{
    struct span account = span_split(&cell, '|');
    for (uint32_t i = 0; i < options->store.accounts.count; i++) {
        struct account_keys keys;
        struct error_text error;
        struct span name = span_of(options->store.accounts.items[i]);
        if (keys_read(span_split(&name, '='), &keys, &error) &&
            strcmp(keys.business, business->business) == 0 &&
            span_equal(span_of(keys.account_name), account))
            return true;
    }
    return false;
}

static bool
add_day(struct redis_sync *sync, const struct cost_options *options,
        const struct account_keys *business, time_t day, struct report *report)
{
    char text[16];
    char key[KEYS_BASE_MAX + 32];
    write_day(day, text);
    snprintf(key, sizeof(key), "%s:cost:%s", business->business, text);
    const struct reply *reply = redis_sync_words(sync, "HGETALL", key, NULL);
    if (reply == NULL || reply->type != REPLY_ARRAY) {
        fprintf(stderr, "facteur cost report: %s: %.*s\n", key,
                reply == NULL ? 0 : (int)reply->text.size, reply == NULL ? "" : reply->text.data);
        return false;
    }
    for (size_t i = 0; i + 1 < reply->count; i += 2)
        if (is_asked_for(options, business, reply->elements[i]->text))
            (void)report_add(report, span_of(text), reply->elements[i]->text,
                             reply->elements[i + 1]->text); /* malformed ones are counted */
    return true;
}

/* Each business once, whatever number of its accounts was given. */
static bool
is_first_of_business(const struct cost_options *options, uint32_t index, struct account_keys *keys)
{
    struct error_text error;
    struct span name = span_of(options->store.accounts.items[index]);
    if (!keys_read(span_split(&name, '='), keys, &error))
        return false;
    for (uint32_t i = 0; i < index; i++) {
        struct account_keys earlier;
        struct span other = span_of(options->store.accounts.items[i]);
        if (keys_read(span_split(&other, '='), &earlier, &error) &&
            strcmp(earlier.business, keys->business) == 0)
            return false;
    }
    return true;
}

static bool
add_days(struct redis_sync *sync, const struct cost_options *options, struct report *report)
{
    for (uint32_t i = 0; i < options->store.accounts.count; i++) {
        struct account_keys keys;
        if (!is_first_of_business(options, i, &keys))
            continue;
        for (time_t day = options->first; day <= options->last; day++)
            if (!add_day(sync, options, &keys, day, report))
                return false;
    }
    return true;
}

/* ---- printing ---------------------------------------------------------------------------------
 */

static void
warn(const struct report *report)
{
    if (report_malformed(report) > 0)
        fprintf(stderr,
                "facteur cost report: %llu ledger fields could not be read and are not counted, "
                "such as \"%s\"\n",
                (unsigned long long)report_malformed(report), report_example(report));
    for (uint32_t i = 0; i < report_currency_count(report); i++)
        if (strcmp(report_currency_at(report, i), report_currency(report)) != 0)
            fprintf(stderr, "facteur cost report: there is money in %s, too: --currency %s\n",
                    report_currency_at(report, i), report_currency_at(report, i));
}

static void
print_table(const struct cost_options *options, const struct report *report)
{
    struct error_text error;
    struct markets *markets = markets_open(options->markets, &error);
    const struct report_table table = {.markets = markets, .rows_max = (uint32_t)options->top};
    report_print_table(report, &table, stdout); /* without the file: codes instead of names */
    if (markets != NULL)
        markets_close(markets);
}

static void
print_report(const struct cost_options *options, struct report *report)
{
    report_choose(report, options->currency);
    if (options->json)
        report_print_json(report, stdout);
    else if (options->csv)
        report_print_csv(report, stdout);
    else
        print_table(options, report);
    warn(report);
}

int
cli_cost_report(int argc, char **argv)
{
    struct cost_options options = {
        .by = "country",
        .time_zone = "UTC",
        .markets = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv",
    };
    const struct option_row rows[] = {
        CLI_STORE_ROWS(&options.store),
        CLI_ACCOUNT_ROW(&options.store, "one or more"),
        {"by", OPTION_TEXT, &options.by, "COLUMNS",
         "country,market,category,template,account,day; default country", NULL},
        {"from", OPTION_TEXT, &options.from, "DAY", "first day, YYYY-MM-DD; default: the last",
         NULL},
        {"to", OPTION_TEXT, &options.to, "DAY", "last day; default: today", NULL},
        {"month", OPTION_TEXT, &options.month, "MONTH", "a whole month, YYYY-MM", NULL},
        {"time-zone", OPTION_TEXT, &options.time_zone, "ZONE",
         "whose today that is, as Europe/Paris; default UTC", "FACTEUR_TIME_ZONE"},
        {"currency", OPTION_TEXT, &options.currency, "CUR",
         "when there are several; default: the most used", NULL},
        {"top", OPTION_NUMBER, &options.top, "N", "only the N dearest rows of the table", NULL},
        {"markets", OPTION_TEXT, &options.markets, "FILE", "countries' names, CSV", NULL},
        {"json", OPTION_FLAG, &options.json, NULL, "one JSON object for programs", NULL},
        {"csv", OPTION_FLAG, &options.csv, NULL, "for a spreadsheet", NULL},
    };
    const struct verb verb = {
        verb_name,
        "what was spent",
        "--account BUSINESS/ACCOUNT [options]",
        "Money is counted once for each message that Meta accepted, in millionths of the rate\n"
        "card's currency. A day is the account's: from midnight to midnight in its time zone, as\n"
        "Meta bills it.\n\nexample:\n"
        "  facteur cost report --account acme/fr --by country,category --month 2026-11",
        rows,
        sizeof(rows) / sizeof(rows[0])};
    int rest;
    int code = options_read(&verb, argc, argv, &rest);
    if (code >= 0)
        return code;
    struct report_columns columns;
    struct error_text error;
    struct account_keys keys;
    if (!report_columns_read(span_of(options.by), &columns, &error)) {
        fprintf(stderr, "facteur cost report: --by: %s\n", error.text);
        return EXIT_USAGE;
    }
    if (rest > 0) {
        fprintf(stderr, "facteur cost report: \"%s\" is not an option; see --help\n", argv[0]);
        return EXIT_USAGE;
    }
    if (!read_span_of_days(&options, &options.first, &options.last) ||
        !cli_store_account(&options.store, verb_name, &keys))
        return EXIT_USAGE;
    struct redis_sync *sync = cli_store_open(&options.store, verb_name);
    if (sync == NULL)
        return EXIT_UNAVAILABLE;
    struct report *report = report_open(&columns);
    code = EXIT_DATA;
    if (add_days(sync, &options, report)) {
        print_report(&options, report);
        code = EXIT_GOOD;
    }
    report_close(report);
    redis_sync_close(sync);
    return code;
}
