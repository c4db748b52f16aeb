#include "sender/cost/report.h"
#include "sender/base/check.h"
#include "sender/cost/day.h"
#include "sender/cost/ledger_field.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CURRENCY_SIZE = 3, TABLE_SIZE_FIRST = 1024 };

struct purse { /* a currency */
    char name[CURRENCY_SIZE + 1];
    int64_t count;
    int64_t millionths;
};

struct line {              /* a row and whose it is */
    struct report_row row; /* first: rows are given out as they lie here */
    char *key;             /* owned: the currency and the cells, each ended by '\n' */
    size_t key_size;
    uint32_t purse;
};

struct report {
    struct report_columns columns;
    struct purse purses[REPORT_CURRENCIES_MAX];
    uint32_t purse_count;
    struct line **lines; /* owned, in the order met; after report_choose() sorted, chosen first */
    uint32_t line_count;
    uint32_t line_capacity;
    uint32_t *table; /* open addressing over the keys: index into lines + 1; 0: free */
    uint32_t table_size;
    uint64_t malformed;
    char example[LEDGER_FIELD_MAX + 1];
    const struct purse *chosen; /* NULL before report_choose(), or if nothing is there */
    char chosen_name[CURRENCY_SIZE + 1];
    uint32_t chosen_count; /* lines of the chosen currency */
};

/* ---- columns ------------------------------------------------------------------------------- */

const char *
report_column_text(enum report_column column)
{
    switch (column) {
    case REPORT_COUNTRY:
        return "country";
    case REPORT_MARKET:
        return "market";
    case REPORT_CATEGORY:
        return "category";
    case REPORT_TEMPLATE:
        return "template";
    case REPORT_ACCOUNT:
        return "account";
    case REPORT_DAY:
        return "day";
    case REPORT_COLUMNS:
        break;
    }
    return "unknown";
}

static bool
has_column(const struct report_columns *columns, enum report_column column)
{
    for (uint32_t i = 0; i < columns->count; i++)
        if (columns->by[i] == column)
            return true;
    return false;
}

static bool
read_column(struct span word, struct report_columns *columns, struct error_text *error)
{
    for (uint32_t i = 0; i < REPORT_COLUMNS; i++) {
        enum report_column column = (enum report_column)i;
        if (!span_equal(word, span_of(report_column_text(column))))
            continue;
        if (has_column(columns, column)) {
            error_set(error, "\"%.*s\" is asked for twice", SPAN_ARG(word));
            return false;
        }
        columns->by[columns->count++] = column;
        return true;
    }
    error_set(error,
              "\"%.*s\" is nothing to group by: country, market, category, template, account, day",
              (int)(word.size < 40 ? word.size : 40), word.data == NULL ? "" : word.data);
    return false;
}

bool
report_columns_read(struct span text, struct report_columns *columns, struct error_text *error)
{
    *columns = (struct report_columns){.count = 0};
    struct span rest = span_trim(text);
    if (rest.size == 0)
        return true;
    do {
        if (!read_column(span_trim(span_split(&rest, ',')), columns, error))
            return false;
    } while (rest.data != NULL);
    return true;
}

/* ---- rows ---------------------------------------------------------------------------------- */

static struct span
cell_of(const struct ledger_field *field, struct span day, enum report_column column)
{
    switch (column) {
    case REPORT_ACCOUNT:
        return field->account;
    case REPORT_COUNTRY:
        return field->country;
    case REPORT_MARKET:
        return field->market;
    case REPORT_CATEGORY:
        return field->category;
    case REPORT_TEMPLATE:
        return field->template;
    case REPORT_DAY:
        return day;
    case REPORT_COLUMNS:
        break;
    }
    check(!"a column");
    return (struct span){0};
}

static uint32_t *
find_slot(const struct report *report, struct span key)
{
    uint32_t at = (uint32_t)span_hash(key) & (report->table_size - 1);
    while (report->table[at] != 0) {
        const struct line *line = report->lines[report->table[at] - 1];
        if (span_equal(key, (struct span){.data = line->key, .size = line->key_size}))
            break;
        at = (at + 1) & (report->table_size - 1);
    }
    return &report->table[at];
}

/* Room for one line more: the table stays at most half full. */
static void
grow(struct report *report)
{
    if (report->line_count < report->line_capacity)
        return;
    uint32_t capacity = report->line_capacity * 2;
    struct line **lines = check_alloc(capacity, sizeof(struct line *));
    memcpy(lines, report->lines, report->line_count * sizeof(struct line *));
    free(report->lines);
    report->lines = lines;
    report->line_capacity = capacity;
    free(report->table);
    report->table_size = capacity * 2;
    report->table = check_alloc(report->table_size, sizeof(*report->table));
    for (uint32_t i = 0; i < report->line_count; i++) {
        const struct line *line = lines[i];
        *find_slot(report, (struct span){.data = line->key, .size = line->key_size}) = i + 1;
    }
}

static struct line *
make_line(const struct report *report, struct span key, uint32_t purse)
{
    struct line *line = check_alloc(1, sizeof(*line));
    line->purse = purse;
    line->key_size = key.size;
    line->key = check_alloc(1, key.size);
    memcpy(line->key, key.data, key.size);
    struct span rest = {.data = line->key, .size = key.size};
    (void)span_split(&rest, '\n'); /* the currency */
    for (uint32_t i = 0; i < report->columns.count; i++)
        line->row.cells[i] = span_split(&rest, '\n');
    return line;
}

/* The line of a key, made if it is new; NULL if there are too many. */
static struct line *
take_line(struct report *report, struct span key, uint32_t purse)
{
    uint32_t *slot = find_slot(report, key);
    if (*slot != 0)
        return report->lines[*slot - 1];
    if (report->line_count == REPORT_ROWS_MAX)
        return NULL;
    grow(report);
    struct line *line = make_line(report, key, purse);
    report->lines[report->line_count++] = line;
    *find_slot(report, key) = report->line_count;
    return line;
}

static bool
take_purse(struct report *report, struct span currency, uint32_t *index)
{
    for (*index = 0; *index < report->purse_count; (*index)++)
        if (span_equal(currency, span_of(report->purses[*index].name)))
            return true;
    if (report->purse_count == REPORT_CURRENCIES_MAX)
        return false;
    memcpy(report->purses[report->purse_count++].name, currency.data, CURRENCY_SIZE);
    return true;
}

/* Adds to the row and to its currency's total, or to neither. */
static bool
add_amount(int64_t *of_row, int64_t *of_purse, int64_t amount)
{
    int64_t row;
    int64_t purse;
    if (__builtin_add_overflow(*of_row, amount, &row) ||
        __builtin_add_overflow(*of_purse, amount, &purse))
        return false;
    *of_row = row;
    *of_purse = purse;
    return true;
}

static bool
add_field(struct report *report, struct span day, const struct ledger_field *field, int64_t amount)
{
    char memory[REPORT_KEY_MAX];
    struct buffer key;
    uint32_t purse;
    buffer_init(&key, memory, sizeof(memory));
    buffer_put_span(&key, field->currency);
    buffer_put_char(&key, '\n');
    for (uint32_t i = 0; i < report->columns.count; i++) {
        buffer_put_span(&key, cell_of(field, day, report->columns.by[i]));
        buffer_put_char(&key, '\n');
    }
    check(!key.overflow); /* a field and a day have less, and no column comes twice */
    if (!take_purse(report, field->currency, &purse))
        return false;
    struct line *line = take_line(report, buffer_span(&key), purse);
    if (line == NULL)
        return false;
    struct purse *total = &report->purses[purse];
    return field->is_count ? add_amount(&line->row.count, &total->count, amount)
                           : add_amount(&line->row.millionths, &total->millionths, amount);
}

bool
report_add(struct report *report, struct span day, struct span field, struct span value)
{
    struct ledger_field parts;
    int64_t amount;
    check(report->chosen_name[0] == '\0' && report->chosen == NULL);
    if (day_is_valid(day) && ledger_field_read(field, &parts) &&
        ledger_amount_read(value, &amount) && add_field(report, day, &parts, amount))
        return true;
    if (report->malformed++ == 0) {
        size_t size = field.size < LEDGER_FIELD_MAX ? field.size : LEDGER_FIELD_MAX;
        for (size_t i = 0; i < size; i++)
            report->example[i] = field.data[i] < ' ' || field.data[i] > '~' ? '?' : field.data[i];
    }
    return false;
}

uint64_t
report_malformed(const struct report *report)
{
    return report->malformed;
}

const char *
report_example(const struct report *report)
{
    return report->example;
}

/* ---- the whole ----------------------------------------------------------------------------- */

struct report *
report_open(const struct report_columns *columns)
{
    check(columns->count <= REPORT_COLUMNS);
    struct report *report = check_alloc(1, sizeof(*report));
    report->columns = *columns;
    report->line_capacity = TABLE_SIZE_FIRST / 2;
    report->lines = check_alloc(report->line_capacity, sizeof(struct line *));
    report->table_size = TABLE_SIZE_FIRST;
    report->table = check_alloc(report->table_size, sizeof(*report->table));
    return report;
}

void
report_close(struct report *report)
{
    if (report == NULL)
        return;
    for (uint32_t i = 0; i < report->line_count; i++) {
        free(report->lines[i]->key);
        free(report->lines[i]);
    }
    free(report->lines);
    free(report->table);
    free(report);
}

uint32_t
report_currency_count(const struct report *report)
{
    return report->purse_count;
}

/* There are few: the one with exactly `index` smaller ones. */
const char *
report_currency_at(const struct report *report, uint32_t index)
{
    check(index < report->purse_count);
    for (uint32_t i = 0; i < report->purse_count; i++) {
        uint32_t smaller = 0;
        for (uint32_t other = 0; other < report->purse_count; other++)
            smaller += strcmp(report->purses[other].name, report->purses[i].name) < 0;
        if (smaller == index)
            return report->purses[i].name;
    }
    return "";
}

struct sorting {
    uint32_t purse;
};

static int
compare_lines(const void *left, const void *right, void *context)
{
    const struct line *a = *(struct line *const *)left;
    const struct line *b = *(struct line *const *)right;
    uint32_t chosen = ((const struct sorting *)context)->purse;
    if ((a->purse == chosen) != (b->purse == chosen))
        return a->purse == chosen ? -1 : 1;
    if (a->row.millionths != b->row.millionths)
        return a->row.millionths > b->row.millionths ? -1 : 1;
    size_t common = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = memcmp(a->key, b->key, common);
    return order != 0 ? order : (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

/* The currency with the most messages, the first by name of equals. */
static uint32_t
busiest_purse(const struct report *report)
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < report->purse_count; i++) {
        const struct purse *purse = &report->purses[i];
        const struct purse *ahead = &report->purses[best];
        if (purse->count > ahead->count ||
            (purse->count == ahead->count && strcmp(purse->name, ahead->name) < 0))
            best = i;
    }
    return best;
}

void
report_choose(struct report *report, const char *currency)
{
    struct sorting sorting = {.purse = UINT32_MAX};
    if (currency == NULL && report->purse_count > 0)
        sorting.purse = busiest_purse(report);
    for (uint32_t i = 0; currency != NULL && i < report->purse_count; i++)
        if (strcmp(report->purses[i].name, currency) == 0)
            sorting.purse = i;
    report->chosen = sorting.purse == UINT32_MAX ? NULL : &report->purses[sorting.purse];
    const char *name = report->chosen != NULL ? report->chosen->name : currency;
    (void)snprintf(report->chosen_name, sizeof(report->chosen_name), "%.3s",
                   name == NULL ? "" : name);
    qsort_r(report->lines, report->line_count, sizeof(struct line *), compare_lines, &sorting);
    report->chosen_count = 0;
    while (report->chosen_count < report->line_count &&
           report->lines[report->chosen_count]->purse == sorting.purse)
        report->chosen_count++;
}

const char *
report_currency(const struct report *report)
{
    return report->chosen_name;
}

const struct report_columns *
report_columns(const struct report *report)
{
    return &report->columns;
}

uint32_t
report_row_count(const struct report *report)
{
    return report->chosen_count;
}

const struct report_row *
report_row(const struct report *report, uint32_t index)
{
    check(index < report->chosen_count);
    return &report->lines[index]->row;
}

struct report_row
report_total(const struct report *report)
{
    struct report_row total = {.count = 0};
    if (report->chosen != NULL) {
        total.count = report->chosen->count;
        total.millionths = report->chosen->millionths;
    }
    return total;
}
