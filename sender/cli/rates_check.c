/* facteur rates check: what is wrong with rate cards, before they are used. */
#include "sender/base/clock.h"
#include "sender/base/json.h"
#include "sender/cli/cli.h"
#include "sender/cost/rate_holes.h"

#include <stdio.h>
#include <string.h>

static const char verb_name[] = "rates check";

enum { LINE_MAX_SIZE = 6 * (480 + 240 + 4096) + 256 }; /* a finding, every byte of it escaped */

struct rates_options {
    const char *markets;
    const char *day;
    bool json;
};

/* ---- printing ----------------------------------------------------------------------------------
 */

static void
print_finding_json(const struct rate_finding *finding, bool first)
{
    static char memory[LINE_MAX_SIZE];
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    buffer_put_text(&out, first ? "{\"level\":\"" : ",{\"level\":\"");
    buffer_put_text(&out, rate_level_text(finding->level));
    buffer_put_text(&out, "\",\"file\":");
    json_put_string(&out, span_of(finding->file));
    buffer_put_text(&out, ",\"line\":");
    buffer_put_u64(&out, finding->line);
    buffer_put_text(&out, ",\"what\":");
    json_put_string(&out, span_of(finding->what));
    buffer_put_text(&out, ",\"remedy\":");
    json_put_string(&out, span_of(finding->remedy));
    buffer_put_char(&out, '}');
    fwrite(out.data, 1, out.size, stdout);
}

static void
print_json(const struct rate_book *book, const struct rate_findings *findings)
{
    bool first = true;
    uint32_t all = findings->count + findings->left_out;
    printf("{\"errors\":%u,\"warnings\":%u,\"findings\":[", findings->errors,
           all - findings->errors);
    for (uint32_t i = 0; i < findings->count; i++)
        print_finding_json(&findings->items[i], i == 0);
    printf("],\"left_out\":%u,\"cards\":[", findings->left_out);
    for (uint32_t i = 0; i < rate_book_count(book); i++) {
        const struct rate_card *card = rate_book_at(book, i);
        for (uint32_t k = 0; k < rate_card_date_count(card); k++) {
            struct rate_date date;
            rate_card_date(card, k, &date);
            printf("%s{\"currency\":\"%s\",\"effective_from\":\"%s\",\"rows\":%u}",
                   first ? "" : ",", rate_card_currency(card), date.first_day, date.rows);
            first = false;
        }
    }
    printf("]}\n");
}

static void
print_text(const struct rate_book *book, const struct rate_findings *findings)
{
    uint32_t cards = 0;
    for (uint32_t i = 0; i < findings->count; i++) {
        const struct rate_finding *finding = &findings->items[i];
        printf("%s:", finding->file);
        if (finding->line > 0)
            printf("%u:", finding->line);
        printf(" %s: %s: %s\n", rate_level_text(finding->level), finding->what, finding->remedy);
    }
    if (findings->left_out > 0)
        printf("and %u findings more\n", findings->left_out);
    for (uint32_t i = 0; i < rate_book_count(book); i++)
        cards += rate_card_date_count(rate_book_at(book, i));
    uint32_t warnings = findings->count + findings->left_out - findings->errors;
    printf("%u card%s in %u currenc%s: %u error%s, %u warning%s\n", cards, cards == 1 ? "" : "s",
           rate_book_count(book), rate_book_count(book) == 1 ? "y" : "ies", findings->errors,
           findings->errors == 1 ? "" : "s", warnings, warnings == 1 ? "" : "s");
}

/* ---- checking ----------------------------------------------------------------------------------
 */

static int
check_paths(const struct rates_options *options, int count, char **paths)
{
    struct error_text error;
    struct rate_findings findings = {0};
    struct markets *markets = markets_open(options->markets, &error);
    if (markets == NULL) {
        fprintf(stderr, "facteur rates check: %s\n", error.text);
        return EXIT_DATA;
    }
    struct rate_book *book = rate_book_new(markets);
    for (int i = 0; i < count; i++)
        rate_book_add(book, paths[i], &findings);
    rate_holes_find(book, NULL, options->day, &findings);
    if (options->json)
        print_json(book, &findings);
    else
        print_text(book, &findings);
    int code = findings.errors > 0 ? EXIT_NO : EXIT_GOOD;
    rate_findings_close(&findings);
    rate_book_close(book);
    markets_close(markets);
    return code;
}

static const char help[] =
    "Reads rate cards as facteur run does and names all that is wrong: file, line, what, and what\n"
    "to do. Missing markets, days without a price (Meta makes new markets while a card is in\n"
    "force), two prices for one thing, wrong decimals, unknown categories, markets and "
    "currencies.\n"
    "\n"
    "An error is what facteur refuses, or cannot send by today or later; a warning is what you\n"
    "should know. Exit 1 if there is an error. Several files and folders are read as one: a card\n"
    "may be spread over them.\n"
    "\n"
    "example:\n"
    "  $ facteur rates check rates.csv && cp rates.csv /etc/facteur/rates/2027-01-01.csv\n"
    "  rates.csv:17: error: \"0,0550\" is not a price ...: write digits and one point, like 0.0550";

int
cli_rates_check(int argc, char **argv)
{
    char today[DAY_SIZE + 1];
    static char shipped[] = FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv";
    char *by_default[] = {shipped};
    struct rates_options options = {.markets = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv",
                                    .day = today};
    const struct option_row rows[] = {
        {"markets", OPTION_TEXT, &options.markets, "FILE", "countries and markets, CSV", NULL},
        {"day", OPTION_TEXT, &options.day, "DAY",
         "from when on a missing price is an error; default: today (UTC)", NULL},
        {"json", OPTION_FLAG, &options.json, NULL, "one JSON object for programs", NULL},
    };
    const struct verb verb = {
        verb_name, "what is wrong with rate cards", "[options] [FILE|FOLDER...]", help,
        rows,      sizeof(rows) / sizeof(rows[0])};
    int count;
    day_of_unix_ms(clock_unix_ms(), today);
    int code = options_read(&verb, argc, argv, &count);
    if (code >= 0)
        return code;
    if (!day_is_valid(span_of(options.day))) {
        fprintf(stderr, "facteur rates check: --day %s is not a day: write YYYY-MM-DD\n",
                options.day);
        return EXIT_USAGE;
    }
    return check_paths(&options, count > 0 ? count : 1, count > 0 ? argv : by_default);
}
