#include "sender/cost/report_print.h"
#include "sender/base/check.h"
#include "sender/base/json.h"
#include "sender/cost/ledger_field.h"
#include "sender/cost/money.h"

#include <string.h>

enum {
    TEXT_MAX = 6 * LEDGER_FIELD_MAX + 64, /* bytes: a cell whose every byte is escaped */
    BAR_WIDTH = 20,
    DECIMALS_LEAST = 4,
};

/* ---- table --------------------------------------------------------------------------------- */

struct widths {
    uint32_t cells[REPORT_COLUMNS]; /* characters */
    uint32_t count;
    uint32_t money;    /* with decimals */
    uint32_t decimals; /* the most that any row shows */
};

struct printing {
    const struct report *report;
    const struct report_table *table;
    FILE *out;
    uint32_t rows; /* printed one by one */
    struct report_row rest;
    struct widths widths;
};

/* Characters, which are columns of a terminal for the names that Meta uses. */
static uint32_t
count_characters(struct span text)
{
    uint32_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

static void
pad(FILE *out, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        fputc(' ', out);
}

/* "FR France" */
static void
put_cell(const struct printing *printing, const struct report_row *row, uint32_t column,
         struct buffer *text)
{
    struct span cell = row->cells[column];
    const struct markets *markets = printing->table->markets;
    buffer_put_span(text, cell);
    if (report_columns(printing->report)->by[column] != REPORT_COUNTRY || markets == NULL ||
        cell.size != 2)
        return;
    char country[3] = {cell.data[0], cell.data[1], '\0'};
    struct span name = markets_country_name(markets, country);
    if (name.size > 0) {
        buffer_put_char(text, ' ');
        buffer_put_span(text, name);
    }
}

/* The money and how many decimals it has. */
static uint32_t
put_money(struct buffer *text, int64_t millionths)
{
    size_t point = 0;
    buffer_reset(text);
    money_put(text, millionths);
    check(span_find(buffer_span(text), '.', &point));
    return (uint32_t)(text->size - point - 1);
}

static void
widen(uint32_t *width, uint32_t to)
{
    if (*width < to)
        *width = to;
}

static void
measure_row(struct printing *printing, const struct report_row *row)
{
    char memory[TEXT_MAX];
    struct buffer text;
    struct widths *widths = &printing->widths;
    buffer_init(&text, memory, sizeof(memory));
    uint32_t decimals = put_money(&text, row->millionths);
    uint32_t whole = (uint32_t)text.size - decimals;
    widen(&widths->decimals, decimals);
    widen(&widths->money, whole); /* without decimals as yet */
    buffer_reset(&text);
    buffer_put_i64(&text, row->count);
    widen(&widths->count, (uint32_t)text.size);
}

static void
measure_cells(struct printing *printing, const struct report_row *row)
{
    for (uint32_t i = 0; i < report_columns(printing->report)->count; i++) {
        char memory[TEXT_MAX];
        struct buffer text;
        buffer_init(&text, memory, sizeof(memory));
        put_cell(printing, row, i, &text);
        widen(&printing->widths.cells[i], count_characters(buffer_span(&text)));
    }
}

/* Measures all that will be printed, and sums up what will not. */
static void
measure(struct printing *printing)
{
    const struct report *report = printing->report;
    const struct report_columns *columns = report_columns(report);
    struct report_row total = report_total(report);
    printing->widths = (struct widths){.count = strlen("messages"), .decimals = DECIMALS_LEAST};
    for (uint32_t i = 0; i < columns->count; i++)
        widen(&printing->widths.cells[i], (uint32_t)strlen(report_column_text(columns->by[i])));
    widen(&printing->widths.cells[0], (uint32_t)strlen("total"));
    if (printing->rows < report_row_count(report))
        widen(&printing->widths.cells[0], (uint32_t)strlen("1000000 more"));
    for (uint32_t i = 0; i < report_row_count(report); i++) {
        const struct report_row *row = report_row(report, i);
        if (i < printing->rows) {
            measure_cells(printing, row);
            measure_row(printing, row);
        } else { /* their sum is a part of the total, which did not overflow, but may on its way */
            printing->rest.count = (int64_t)((uint64_t)printing->rest.count + (uint64_t)row->count);
            printing->rest.millionths =
                (int64_t)((uint64_t)printing->rest.millionths + (uint64_t)row->millionths);
        }
    }
    measure_row(printing, &printing->rest);
    measure_row(printing, &total);
    printing->widths.money += printing->widths.decimals;
    widen(&printing->widths.money, (uint32_t)strlen(report_currency(report)));
}

/* Count and money, aligned at the point. Returns how many characters of decimals are missing. */
static uint32_t
print_numbers(const struct printing *printing, const struct report_row *row)
{
    char memory[32];
    struct buffer text;
    const struct widths *widths = &printing->widths;
    buffer_init(&text, memory, sizeof(memory));
    buffer_put_i64(&text, row->count);
    pad(printing->out, (uint32_t)text.size, widths->count);
    fwrite(text.data, 1, text.size, printing->out);
    uint32_t decimals = put_money(&text, row->millionths);
    pad(printing->out, (uint32_t)text.size + widths->decimals - decimals, widths->money + 2);
    fwrite(text.data, 1, text.size, printing->out);
    return widths->decimals - decimals;
}

/* "  45.2 %  █████████" */
static void
print_share(const struct printing *printing, const struct report_row *row, uint32_t missing)
{
    struct report_row total = report_total(printing->report);
    if (total.millionths <= 0 || row->millionths < 0)
        return;
    double share = (double)row->millionths / (double)total.millionths;
    uint32_t bar = (uint32_t)((share > 1 ? 1 : share) * BAR_WIDTH + 0.5);
    pad(printing->out, 0, missing);
    fprintf(printing->out, "  %5.1f %%", share * 100);
    for (uint32_t i = 0; i < bar; i++)
        fputs(i == 0 ? "  \u2588" : "\u2588", printing->out);
}

static void
print_row(const struct printing *printing, const struct report_row *row)
{
    for (uint32_t i = 0; i < report_columns(printing->report)->count; i++) {
        char memory[TEXT_MAX];
        struct buffer text;
        buffer_init(&text, memory, sizeof(memory));
        put_cell(printing, row, i, &text);
        fwrite(text.data, 1, text.size, printing->out);
        pad(printing->out, count_characters(buffer_span(&text)), printing->widths.cells[i] + 2);
    }
    uint32_t missing = print_numbers(printing, row);
    print_share(printing, row, missing);
    fputc('\n', printing->out);
}

/* A line that is no row: a word where the first cell stands. */
static void
print_sum(const struct printing *printing, const char *word, const struct report_row *row)
{
    const struct report_columns *columns = report_columns(printing->report);
    uint32_t width = 0;
    for (uint32_t i = 0; i < columns->count; i++)
        width += printing->widths.cells[i] + 2;
    if (width > 0) {
        fputs(word, printing->out);
        pad(printing->out, (uint32_t)strlen(word), width);
    }
    (void)print_numbers(printing, row);
    fputc('\n', printing->out);
}

static void
print_header(const struct printing *printing)
{
    const struct report_columns *columns = report_columns(printing->report);
    const struct widths *widths = &printing->widths;
    for (uint32_t i = 0; i < columns->count; i++)
        fprintf(printing->out, "%-*s", (int)widths->cells[i] + 2,
                report_column_text(columns->by[i]));
    fprintf(printing->out, "%*s%*s", (int)widths->count, "messages", (int)widths->money + 2,
            report_currency(printing->report));
    fputs(columns->count > 0 ? "    share\n" : "\n", printing->out);
}

bool
report_print_table(const struct report *report, const struct report_table *table, FILE *out)
{
    uint32_t rows = report_row_count(report);
    struct printing printing = {.report = report, .table = table, .out = out, .rows = rows};
    struct report_row total = report_total(report);
    if (table->rows_max > 0 && table->rows_max < rows)
        printing.rows = table->rows_max;
    if (report_columns(report)->count == 0)
        printing.rows = 0; /* the total says it all */
    measure(&printing);
    print_header(&printing);
    for (uint32_t i = 0; i < printing.rows; i++)
        print_row(&printing, report_row(report, i));
    if (printing.rows < rows && report_columns(report)->count > 0) {
        char more[32];
        snprintf(more, sizeof(more), "%u more", rows - printing.rows);
        print_sum(&printing, more, &printing.rest);
    }
    print_sum(&printing, "total", &total);
    return fflush(out) == 0 && !ferror(out);
}

/* ---- JSON and CSV -------------------------------------------------------------------------- */

static void
put_json_numbers(struct buffer *text, const struct report_row *row)
{
    buffer_put_text(text, "\"count\":");
    buffer_put_i64(text, row->count);
    buffer_put_text(text, ",\"millionths\":");
    buffer_put_i64(text, row->millionths);
    buffer_put_char(text, '}');
}

static void
print_json_row(const struct report *report, const struct report_row *row, FILE *out)
{
    char memory[TEXT_MAX + REPORT_COLUMNS * 16];
    struct buffer text;
    const struct report_columns *columns = report_columns(report);
    buffer_init(&text, memory, sizeof(memory));
    buffer_put_char(&text, '{');
    for (uint32_t i = 0; i < columns->count; i++) {
        json_put_string(&text, span_of(report_column_text(columns->by[i])));
        buffer_put_char(&text, ':');
        json_put_string(&text, row->cells[i]);
        buffer_put_char(&text, ',');
    }
    put_json_numbers(&text, row);
    check(!text.overflow); /* all cells together come from one field and a day */
    fwrite(text.data, 1, text.size, out);
}

bool
report_print_json(const struct report *report, FILE *out)
{
    char memory[128];
    struct buffer text;
    struct report_row total = report_total(report);
    buffer_init(&text, memory, sizeof(memory));
    buffer_put_text(&text, "{\"currency\":");
    json_put_string(&text, span_of(report_currency(report)));
    buffer_put_text(&text, ",\"rows\":[");
    fwrite(text.data, 1, text.size, out);
    for (uint32_t i = 0; i < report_row_count(report); i++) {
        if (i > 0)
            fputc(',', out);
        print_json_row(report, report_row(report, i), out);
    }
    buffer_reset(&text);
    buffer_put_text(&text, "],\"total\":{");
    put_json_numbers(&text, &total);
    buffer_put_text(&text, "}\n");
    fwrite(text.data, 1, text.size, out);
    return fflush(out) == 0 && !ferror(out);
}

static void
print_csv_cell(struct span cell, FILE *out)
{
    bool formula = cell.size > 0 && strchr("=+-@", cell.data[0]) != NULL;
    bool quoted = formula;
    for (size_t i = 0; i < cell.size; i++)
        quoted = quoted || cell.data[i] == ',' || cell.data[i] == '"';
    if (!quoted) {
        fwrite(cell.data, 1, cell.size, out);
        return;
    }
    fputs(formula ? "\"'" : "\"", out);
    for (size_t i = 0; i < cell.size; i++) {
        if (cell.data[i] == '"')
            fputc('"', out);
        fputc(cell.data[i], out);
    }
    fputc('"', out);
}

bool
report_print_csv(const struct report *report, FILE *out)
{
    const struct report_columns *columns = report_columns(report);
    for (uint32_t i = 0; i < columns->count; i++)
        fprintf(out, "%s,", report_column_text(columns->by[i]));
    fputs("count,millionths,amount,currency\n", out);
    for (uint32_t i = 0; i < report_row_count(report); i++) {
        char memory[96];
        struct buffer text;
        const struct report_row *row = report_row(report, i);
        for (uint32_t c = 0; c < columns->count; c++) {
            print_csv_cell(row->cells[c], out);
            fputc(',', out);
        }
        buffer_init(&text, memory, sizeof(memory));
        buffer_put_i64(&text, row->count);
        buffer_put_char(&text, ',');
        buffer_put_i64(&text, row->millionths);
        buffer_put_char(&text, ',');
        money_put(&text, row->millionths);
        buffer_printf(&text, ",%s\n", report_currency(report));
        fwrite(text.data, 1, text.size, out);
    }
    return fflush(out) == 0 && !ferror(out);
}
