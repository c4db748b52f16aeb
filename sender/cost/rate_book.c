#include "sender/cost/rate_book.h"
#include "sender/base/check.h"
#include "sender/cost/csv.h"
#include "sender/cost/money.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

struct rate_book {
    const struct markets *markets;                /* borrowed */
    struct rate_card *cards[RATE_CURRENCIES_MAX]; /* owned, by name */
    uint32_t card_count;
    char *files[RATE_FILES_MAX]; /* owned: the paths that places name */
    uint32_t file_count;
};

/* One file while it is read. */
struct reading {
    struct csv csv;
    struct rate_book *book;
    struct rate_findings *findings;
    size_t market;
    size_t category;
    size_t price;
    size_t currency;
    size_t first_day;
    size_t source;
    bool has_source;
    uint32_t rows;
    uint32_t conversations; /* prices of the years when Meta billed conversations */
    uint32_t conversation_line;
};

/* ---- the book ----------------------------------------------------------------------------------
 */

struct rate_book *
rate_book_new(const struct markets *markets)
{
    struct rate_book *book = check_alloc(1, sizeof(*book));
    book->markets = markets;
    return book;
}

void
rate_book_close(struct rate_book *book)
{
    if (book == NULL)
        return;
    for (uint32_t i = 0; i < book->card_count; i++)
        rate_card_close(book->cards[i]);
    for (uint32_t i = 0; i < book->file_count; i++)
        free(book->files[i]);
    free(book);
}

const struct rate_card *
rate_book_card(const struct rate_book *book, const char *currency)
{
    for (uint32_t i = 0; i < book->card_count; i++)
        if (strcmp(rate_card_currency(book->cards[i]), currency) == 0)
            return book->cards[i];
    return NULL;
}

uint32_t
rate_book_count(const struct rate_book *book)
{
    return book->card_count;
}

const struct rate_card *
rate_book_at(const struct rate_book *book, uint32_t index)
{
    check(index < book->card_count);
    return book->cards[index];
}

const struct markets *
rate_book_markets(const struct rate_book *book)
{
    return book->markets;
}

/* The currency's cards, made if they are its first; NULL if there are too many currencies. */
static struct rate_card *
take_card(struct rate_book *book, struct span currency)
{
    uint32_t at = book->card_count;
    while (at > 0 &&
           memcmp(rate_card_currency(book->cards[at - 1]), currency.data, RATE_CURRENCY_SIZE) > 0)
        at--;
    if (at > 0 &&
        memcmp(rate_card_currency(book->cards[at - 1]), currency.data, RATE_CURRENCY_SIZE) == 0)
        return book->cards[at - 1];
    if (book->card_count == RATE_CURRENCIES_MAX)
        return NULL;
    memmove(&book->cards[at + 1], &book->cards[at],
            (book->card_count - at) * sizeof(struct rate_card *));
    book->card_count++;
    book->cards[at] = rate_card_new(currency, book->markets);
    return book->cards[at];
}

/* ---- one row -----------------------------------------------------------------------------------
 */

#define SAY(reading, level, remedy, ...)                                                           \
    rate_findings_add((reading)->findings, level,                                                  \
                      (struct rate_site){(reading)->csv.source, (reading)->csv.line}, remedy,      \
                      __VA_ARGS__)
/* A field that is quoted in a finding: not longer than a line. */
#define QUOTED(span) (int)((span).size < 80 ? (span).size : 80), (span).data

/* What Meta bills in; another is not refused, for Meta adds some. */
static bool
is_known_currency(struct span currency)
{
    static const char known[] = "USD AED ARS AUD BRL CLP COP EUR GBP IDR INR MXN MYR PEN SAR SGD";
    for (size_t i = 0; i + RATE_CURRENCY_SIZE < sizeof(known); i += RATE_CURRENCY_SIZE + 1)
        if (memcmp(known + i, currency.data, RATE_CURRENCY_SIZE) == 0)
            return true;
    return false;
}

static bool
read_currency(struct reading *reading, struct span currency)
{
    bool good = currency.size == RATE_CURRENCY_SIZE;
    for (size_t i = 0; good && i < currency.size; i++)
        good = currency.data[i] >= 'A' && currency.data[i] <= 'Z';
    if (!good)
        SAY(reading, RATE_ERROR, "write three capital letters, like USD", "\"%.*s\" is no currency",
            QUOTED(currency));
    return good;
}

/* Says what is wrong with a market's name, and which one it may be. */
static bool
read_market(struct reading *reading, struct span name, uint16_t *market)
{
    const struct markets *markets = reading->book->markets;
    if (markets_by_name(markets, name, market))
        return true;
    for (uint16_t i = 0; i < markets_count(markets); i++) {
        struct span known = markets_name(markets, i);
        if (known.size != name.size || strncasecmp(known.data, name.data, name.size) != 0)
            continue;
        SAY(reading, RATE_ERROR, "capitals count: write it as the list of markets does",
            "\"%.*s\" is no market, but \"%.*s\" is", QUOTED(name), SPAN_ARG(known));
        return false;
    }
    SAY(reading, RATE_ERROR, "correct the name, or add the market to the list of markets first",
        "\"%.*s\" is no market of the list of markets", QUOTED(name));
    return false;
}

/* Meta billed conversations of 24 hours until 2025-07-01: such rows are no prices of messages. */
static bool
is_conversation(struct span category)
{
    return span_starts(category, SPAN("conversation"));
}

static void
add_price(struct reading *reading, struct span currency, const struct rate_row *row)
{
    struct rate_place earlier;
    struct rate_card *card = take_card(reading->book, currency);
    if (card == NULL) {
        SAY(reading, RATE_ERROR, "split the cards and give facteur those that it needs",
            "\"%.*s\" is one currency too many: %d are the most", SPAN_ARG(currency),
            RATE_CURRENCIES_MAX);
        return;
    }
    if (rate_card_date_count(card) == 0 && !is_known_currency(currency))
        SAY(reading, RATE_WARNING, "correct it if it is a slip of the pen",
            "\"%.*s\" is none of the currencies that Meta is known to bill in", SPAN_ARG(currency));
    switch (rate_card_add(card, row, &earlier)) {
    case RATE_ADDED:
        return;
    case RATE_TWICE:
        SAY(reading, RATE_ERROR, "keep one row",
            "\"%.*s\" has two %s prices in the %.*s card of %.*s, the other one is at %s:%u",
            SPAN_ARG(markets_name(reading->book->markets, row->market)),
            rate_category_text(row->category), SPAN_ARG(currency), SPAN_ARG(row->first_day),
            earlier.file, earlier.line);
        return;
    case RATE_TOO_MANY:
        SAY(reading, RATE_ERROR, "drop the oldest cards",
            "\"%.*s\" is one card too many: %d of a currency are the most",
            SPAN_ARG(row->first_day), RATE_DATES_MAX);
        return;
    }
}

/* Judges every field, so that one look at the findings is enough to mend the row. */
static void
read_row(struct reading *reading)
{
    const struct span *fields = reading->csv.fields;
    struct span currency = span_trim(fields[reading->currency]);
    struct span category = span_trim(fields[reading->category]);
    struct span price = span_trim(fields[reading->price]);
    struct rate_row row = {.first_day = span_trim(fields[reading->first_day]),
                           .file = reading->csv.source,
                           .line = reading->csv.line};
    if (reading->has_source)
        row.source = span_trim(fields[reading->source]);
    if (is_conversation(category)) {
        if (reading->conversations++ == 0)
            reading->conversation_line = reading->csv.line;
        return;
    }
    bool good = read_currency(reading, currency);
    if (!day_is_valid(row.first_day)) {
        SAY(reading, RATE_ERROR, "write the first day of the card as YYYY-MM-DD",
            "\"%.*s\" is no day", QUOTED(row.first_day));
        good = false;
    }
    good = read_market(reading, span_trim(fields[reading->market]), &row.market) && good;
    if (!rate_category_read(category, &row.category)) {
        SAY(reading, RATE_ERROR,
            "write marketing, utility, authentication, authentication-international or service",
            "\"%.*s\" is no category", QUOTED(category));
        good = false;
    }
    enum money_error money = money_read(price, &row.millionths);
    if (money != MONEY_OK) {
        SAY(reading, RATE_ERROR, "write digits and one point, like 0.0550", "\"%.*s\" %s",
            QUOTED(price), money_error_text(money));
        good = false;
    }
    if (good)
        add_price(reading, currency, &row);
}

/* ---- one file ----------------------------------------------------------------------------------
 */

/* A sentence of the CSV reader begins with its place; a finding has that of its own. */
static void
say_csv_error(const struct reading *reading, enum rate_level level, const char *remedy,
              const struct error_text *error)
{
    char place[512];
    uint32_t line = reading->csv.line;
    const char *what = error->text;
    (void)snprintf(place, sizeof(place), "%.400s:%u: ", reading->csv.source, line);
    if (strncmp(what, place, strlen(place)) != 0) {
        (void)snprintf(place, sizeof(place), "%.400s: ", reading->csv.source);
        line = 0;
    }
    if (strncmp(what, place, strlen(place)) == 0)
        what += strlen(place);
    rate_findings_add(reading->findings, level, (struct rate_site){reading->csv.source, line},
                      remedy, "%s", what);
}

static bool
read_header(struct reading *reading)
{
    static const char remedy[] = "its first line must name the columns, with commas between them: "
                                 "market,category,price,currency,effective_from";
    const struct csv *csv = &reading->csv;
    struct error_text error = {{0}};
    enum csv_next next = csv_next(&reading->csv, &error);
    if (next == CSV_END)
        error_set(&error, "%s: no header line", csv->source);
    if (next == CSV_ROW && csv_need_column(csv, "market", &reading->market, &error) &&
        csv_need_column(csv, "category", &reading->category, &error) &&
        csv_need_column(csv, "price", &reading->price, &error) &&
        csv_need_column(csv, "currency", &reading->currency, &error) &&
        csv_need_column(csv, "effective_from", &reading->first_day, &error)) {
        reading->has_source = csv_find_column(csv, SPAN("source"), &reading->source);
        return true;
    }
    bool semicolons = next == CSV_ROW && csv->field_count == 1 &&
                      memchr(csv->fields[0].data, ';', csv->fields[0].size) != NULL;
    say_csv_error(reading, RATE_ERROR,
                  semicolons ? "its columns are separated by semicolons: save it with commas"
                             : remedy,
                  &error);
    return false;
}

static void
read_rows(struct reading *reading)
{
    struct error_text error = {{0}};
    enum csv_next next;
    while ((next = csv_next(&reading->csv, &error)) != CSV_END) {
        reading->rows++;
        if (next == CSV_ROW)
            read_row(reading);
        else
            say_csv_error(reading, RATE_ERROR,
                          "mend the line; a price has a point, and a field with a comma in it "
                          "stands in quotes",
                          &error);
    }
    reading->csv.line = reading->conversation_line;
    if (reading->conversations > 0)
        SAY(reading, RATE_WARNING, "nothing to do: facteur sends messages and steps over them",
            "%u prices of conversations, which Meta billed until 2025-06-30",
            reading->conversations);
    if (reading->rows == 0)
        rate_findings_add(reading->findings, RATE_ERROR, (struct rate_site){reading->csv.source, 0},
                          "add the rows of a card", "no prices, only a header line");
}

static void
read_opened(struct reading *reading, bool opened, const struct error_text *error)
{
    if (!opened) {
        say_csv_error(reading, RATE_ERROR, "give a CSV file of rate cards in UTF-8", error);
        return;
    }
    if (span_starts((struct span){reading->csv.data, reading->csv.size}, SPAN("\xef\xbb\xbf")))
        rate_findings_add(reading->findings, RATE_WARNING,
                          (struct rate_site){reading->csv.source, 1},
                          "save it as UTF-8 without BOM: other programs may stumble over it",
                          "a byte order mark before the header, which facteur steps over");
    if (read_header(reading))
        read_rows(reading);
}

/* The path as the book keeps it, for the places of prices; NULL if there are too many files. */
static const char *
keep_path(struct rate_book *book, const char *path, struct rate_findings *findings)
{
    if (book->file_count == RATE_FILES_MAX) {
        rate_findings_add(findings, RATE_ERROR, (struct rate_site){path, 0},
                          "put several cards into one file", "more than %d files", RATE_FILES_MAX);
        return NULL;
    }
    size_t size = strlen(path) + 1;
    char *copy = memcpy(check_alloc(1, size), path, size);
    book->files[book->file_count++] = copy;
    return copy;
}

static void
add_file(struct rate_book *book, const char *path, struct rate_findings *findings)
{
    struct reading reading = {.book = book, .findings = findings};
    struct error_text error = {{0}};
    const char *kept = keep_path(book, path, findings);
    if (kept == NULL)
        return;
    bool opened = csv_open(&reading.csv, kept, &error);
    read_opened(&reading, opened, &error);
    csv_close(&reading.csv);
}

void
rate_book_add_text(struct rate_book *book, struct span text, const char *name,
                   struct rate_findings *findings)
{
    struct reading reading = {.book = book, .findings = findings};
    struct error_text error = {{0}};
    const char *kept = keep_path(book, name, findings);
    if (kept == NULL)
        return;
    bool opened = csv_open_text(&reading.csv, text, kept, &error);
    read_opened(&reading, opened, &error);
    csv_close(&reading.csv);
}

/* ---- folders -----------------------------------------------------------------------------------
 */

static int
is_rate_file(const struct dirent *entry)
{
    size_t size = strlen(entry->d_name);
    return entry->d_name[0] != '.' && size > 4 && strcmp(entry->d_name + size - 4, ".csv") == 0;
}

static int
compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool
is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

/* The paths of a folder's *.csv by name, or the path itself. Returns how many, -1: see errno. */
static int
list_files(const char *path, char ***paths)
{
    struct dirent **entries = NULL;
    if (!is_folder(path)) {
        *paths = check_alloc(1, sizeof(char *));
        (*paths)[0] = check_alloc(1, strlen(path) + 1);
        memcpy((*paths)[0], path, strlen(path));
        return 1;
    }
    int count = scandir(path, &entries, is_rate_file, compare_names);
    if (count < 0)
        return -1;
    *paths = check_alloc((uint64_t)count + 1, sizeof(char *));
    for (int i = 0; i < count; i++) {
        size_t size = strlen(path) + strlen(entries[i]->d_name) + 2;
        (*paths)[i] = check_alloc(1, size);
        (void)snprintf((*paths)[i], size, "%s/%s", path, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return count;
}

static void
free_paths(char **paths, int count)
{
    for (int i = 0; i < count; i++)
        free(paths[i]);
    free(paths);
}

void
rate_book_add(struct rate_book *book, const char *path, struct rate_findings *findings)
{
    char **paths;
    struct rate_site site = {path, 0};
    int count = list_files(path, &paths);
    if (count < 0) {
        rate_findings_add(findings, RATE_ERROR, site, "give a folder that can be read",
                          "cannot be listed: %s", strerror(errno));
        return;
    }
    if (count == 0)
        rate_findings_add(findings, RATE_ERROR, site, "put rate cards into it, as NAME.csv",
                          "a folder without a *.csv");
    for (int i = 0; i < count; i++)
        add_file(book, paths[i], findings);
    free_paths(paths, count);
}

struct rate_book *
rate_book_open(const char *path, const struct markets *markets, struct error_text *error)
{
    struct rate_findings findings = {0};
    struct rate_book *book = rate_book_new(markets);
    rate_book_add(book, path, &findings);
    if (findings.errors > 0) {
        rate_findings_first_error(&findings, error);
        rate_book_close(book);
        book = NULL;
    }
    rate_findings_close(&findings);
    return book;
}

uint64_t
rate_book_fingerprint(const char *path)
{
    char **paths;
    uint64_t sum = 0;
    int count = list_files(path, &paths);
    if (count < 0)
        return 0;
    for (int i = 0; i < count; i++) {
        struct stat status;
        uint64_t parts[7] = {sum, span_hash(span_of(paths[i]))};
        if (stat(paths[i], &status) == 0) {
            parts[2] = (uint64_t)status.st_size;
            parts[3] = (uint64_t)status.st_ino;
            parts[4] = (uint64_t)status.st_mtim.tv_sec;
            parts[5] = (uint64_t)status.st_mtim.tv_nsec;
            parts[6] =
                (uint64_t)status.st_ctim.tv_sec * 1000000000u + (uint64_t)status.st_ctim.tv_nsec;
        }
        sum = span_hash((struct span){.data = (const char *)parts, .size = sizeof(parts)});
    }
    free_paths(paths, count);
    return sum;
}
