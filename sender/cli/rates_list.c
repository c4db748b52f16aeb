/* facteur rates list: which rate cards there are, and which one is in force where. */
#include "sender/base/check.h"
#include "sender/base/clock.h"
#include "sender/base/json.h"
#include "sender/cli/cli.h"
#include "sender/cost/rate_book.h"
#include "sender/cost/zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char verb_name[] = "rates list";

enum { LINE_SIZE = 64 * 1024 };

struct rates_list {
    const char *rates;
    const char *markets_path;
    const char *at;
    const char *currency;
    struct option_list zone_names;
    bool json;

    uint64_t now_ms;
    struct zone_table zones;
    struct markets *markets;
    struct rate_book *book;
};

/* ---- what is known of one card -----------------------------------------------------------------
 */

static bool
is_in_force(const struct rates_list *list, const struct rate_card *card, uint32_t index,
            uint32_t zone)
{
    char day[DAY_SIZE + 1];
    uint32_t in_force;
    zone_day(list->zones.zones[zone], list->now_ms, day);
    return rate_card_in_force(card, day, &in_force) && in_force == index;
}

/* How many markets lack a price: on its first day, or where it is in force, if that are more. */
static uint32_t
count_lacking(const struct rates_list *list, const struct rate_card *card, uint32_t index)
{
    struct rate_date date;
    struct rate_hole hole;
    uint32_t most = 0;
    rate_card_date(card, index, &date);
    if (rate_card_find_hole(card, date.first_day, &hole) == RATE_HAS_HOLE)
        most = hole.markets;
    for (uint32_t i = 0; i < list->zones.count; i++) {
        char day[DAY_SIZE + 1];
        zone_day(list->zones.zones[i], list->now_ms, day);
        if (is_in_force(list, card, index, i) &&
            rate_card_find_hole(card, day, &hole) == RATE_HAS_HOLE && hole.markets > most)
            most = hole.markets;
    }
    return most;
}

/* ---- printing ----------------------------------------------------------------------------------
 */

static void
put_card_json(const struct rates_list *list, const struct rate_card *card, uint32_t index,
              struct buffer *out)
{
    struct rate_date date;
    bool first = true;
    rate_card_date(card, index, &date);
    buffer_printf(out, "{\"currency\":\"%s\",\"effective_from\":\"%s\",\"next_from\":",
                  rate_card_currency(card), date.first_day);
    if (date.end_day[0] == '\0')
        buffer_put_text(out, "null");
    else
        json_put_string(out, span_of(date.end_day));
    buffer_printf(out, ",\"rows\":%u,\"markets\":%u,\"lacking\":%u,\"categories\":[", date.rows,
                  date.markets, count_lacking(list, card, index));
    for (uint32_t i = 0; i < RATE_CATEGORIES; i++) {
        if (!date.has[i])
            continue;
        buffer_put_text(out, first ? "" : ",");
        json_put_string(out, span_of(rate_category_text((enum rate_category)i)));
        first = false;
    }
    buffer_put_text(out, "],\"in_force\":[");
    first = true;
    for (uint32_t i = 0; i < list->zones.count; i++) {
        if (!is_in_force(list, card, index, i))
            continue;
        buffer_put_text(out, first ? "" : ",");
        json_put_string(out, span_of(zone_name(list->zones.zones[i])));
        first = false;
    }
    buffer_put_text(out, "],\"file\":");
    json_put_string(out, span_of(date.file));
    buffer_put_text(out, ",\"line\":");
    buffer_put_u64(out, date.line);
    buffer_put_text(out, ",\"source\":");
    json_put_string(out, span_of(date.source));
    buffer_put_char(out, '}');
}

static void
put_card_text(const struct rates_list *list, const struct rate_card *card, uint32_t index,
              struct buffer *out)
{
    struct rate_date date;
    uint32_t zones = 0;
    uint32_t lacking = count_lacking(list, card, index);
    rate_card_date(card, index, &date);
    buffer_printf(out, "%-9s %s  %-10s  %7u  ", rate_card_currency(card), date.first_day,
                  date.end_day[0] != '\0' ? date.end_day : "-", date.markets);
    for (uint32_t i = 0; i < list->zones.count; i++)
        if (is_in_force(list, card, index, i))
            buffer_printf(out, "%s%s", zones++ > 0 ? ", " : "", zone_name(list->zones.zones[i]));
    buffer_put_text(out, zones > 0 ? "\n          " : "-\n          ");
    for (uint32_t i = 0; i < RATE_CATEGORIES; i++)
        if (date.has[i])
            buffer_printf(out, "%s ", rate_category_text((enum rate_category)i));
    buffer_printf(out, "\n          %s:%u %s\n", date.file, date.line, date.source);
    if (lacking > 0)
        buffer_printf(out, "          lacks prices of %u markets: see facteur rates check\n",
                      lacking);
}

static void
print_cards(const struct rates_list *list)
{
    bool first = true;
    char *memory = check_alloc(1, LINE_SIZE);
    printf("%s",
           list->json ? "{\"cards\":[" : "currency  from        next        markets  in force\n");
    for (uint32_t i = 0; i < rate_book_count(list->book); i++) {
        const struct rate_card *card = rate_book_at(list->book, i);
        if (list->currency != NULL && strcmp(rate_card_currency(card), list->currency) != 0)
            continue;
        for (uint32_t k = 0; k < rate_card_date_count(card); k++) {
            struct buffer out;
            buffer_init(&out, memory, LINE_SIZE);
            if (list->json && !first)
                buffer_put_char(&out, ',');
            if (list->json)
                put_card_json(list, card, k, &out);
            else
                put_card_text(list, card, k, &out);
            fwrite(out.data, 1, out.size, stdout);
            first = false;
        }
    }
    printf("%s", list->json ? "]}\n" : "");
    free(memory);
}

/* ---- reading -----------------------------------------------------------------------------------
 */

/* "2026-09-30T22:00:00Z" */
static bool
read_moment(const char *text, uint64_t *unix_ms)
{
    struct tm tm = {0};
    const char *end = strptime(text, "%Y-%m-%dT%H:%M:%SZ", &tm);
    time_t seconds = end != NULL && *end == '\0' ? timegm(&tm) : -1;
    *unix_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
    return seconds > 0;
}

static bool
open_list(struct rates_list *list, struct error_text *error)
{
    if (list->zone_names.count == 0)
        list->zone_names.items[list->zone_names.count++] = "UTC";
    for (uint32_t i = 0; i < list->zone_names.count; i++)
        if (zone_table_take(&list->zones, list->zone_names.items[i], error) == NULL)
            return false;
    list->markets = markets_open(list->markets_path, error);
    if (list->markets == NULL)
        return false;
    list->book = rate_book_open(list->rates, list->markets, error);
    return list->book != NULL;
}

static int
list_rates(struct rates_list *list)
{
    struct error_text error;
    int code = EXIT_DATA;
    if (open_list(list, &error)) {
        print_cards(list);
        code = EXIT_GOOD;
    } else {
        fprintf(stderr, "facteur rates list: %s\n", error.text);
    }
    rate_book_close(list->book);
    if (list->markets != NULL)
        markets_close(list->markets);
    zone_table_close(&list->zones);
    return code;
}

static const char help[] =
    "Every card: its currency, from which day on, the next one's day, how many markets it prices,\n"
    "and where it is in force now. Days begin at midnight of the account's time zone, so two\n"
    "accounts may be a card apart for some hours.\n"
    "\n"
    "example:\n"
    "  $ facteur rates list --time-zone Europe/Paris --time-zone America/Sao_Paulo \\\n"
    "        --at 2026-09-30T22:30:00Z";

int
cli_rates_list(int argc, char **argv)
{
    static struct rates_list list = {
        .rates = FACTEUR_SOURCE_DIR "/sender/cost/data/rates.csv",
        .markets_path = FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv",
    };
    const struct option_row rows[] = {
        {"rates", OPTION_TEXT, &list.rates, "PATH", "rate cards: a CSV file or a folder of them",
         "FACTEUR_RATES"},
        {"time-zone", OPTION_LIST, &list.zone_names, "ZONE",
         "whose day it is, as Europe/Paris; may be given again; default UTC", "FACTEUR_TIME_ZONE"},
        {"at", OPTION_TEXT, &list.at, "MOMENT", "instead of now, as 2026-09-30T22:00:00Z", NULL},
        {"currency", OPTION_TEXT, &list.currency, "CUR", "only this one", NULL},
        {"markets", OPTION_TEXT, &list.markets_path, "FILE", "countries and markets, CSV", NULL},
        {"json", OPTION_FLAG, &list.json, NULL, "one JSON object for programs", NULL},
    };
    const struct verb verb = {verb_name,   "which rate cards there are, and which is in force",
                              "[options]", help,
                              rows,        sizeof(rows) / sizeof(rows[0])};
    int count;
    int code = options_read(&verb, argc, argv, &count);
    if (code >= 0)
        return code;
    if (count > 0 || (list.at != NULL && !read_moment(list.at, &list.now_ms))) {
        fprintf(stderr, "facteur rates list: %s%s\n", count > 0 ? argv[0] : list.at,
                count > 0 ? " is not an option; see facteur rates list --help"
                          : " is not a moment: write it as 2026-09-30T22:00:00Z");
        return EXIT_USAGE;
    }
    if (list.at == NULL)
        list.now_ms = clock_unix_ms();
    return list_rates(&list);
}
