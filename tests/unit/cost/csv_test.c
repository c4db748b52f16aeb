#include "sender/cost/csv.h"
#include "tests/unit/test.h"

#include <string.h>

/* Reads everything; writes what was read as "[a][b]\n" rows, or the error. */
static const char *
dump(struct span text, struct buffer *out)
{
    struct csv csv;
    struct error_text error = {{0}};
    buffer_reset(out);
    if (csv_open_text(&csv, text, "t.csv", &error)) {
        while (csv_next(&csv, &error) == CSV_ROW) {
            for (size_t i = 0; i < csv.field_count; i++)
                buffer_printf(out, "[%.*s]", SPAN_ARG(csv.fields[i]));
            buffer_put_char(out, '\n');
        }
    }
    buffer_put_text(out, error.text);
    csv_close(&csv);
    return buffer_text(out);
}

static void
reads_rows(void)
{
    static const struct {
        const char *text;
        const char *expected;
    } cases[] = {
        {"a,b\n1,2\n", "[a][b]\n[1][2]\n"},
        {"a,b\r\n1,2\r\n", "[a][b]\n[1][2]\n"},
        {"a,b\n1,2", "[a][b]\n[1][2]\n"},
        {"\xef\xbb\xbf"
         "a,b\n1,2\n",
         "[a][b]\n[1][2]\n"},
        {"\n\na\n\n1\n\n", "[a]\n[1]\n"},
        {"a,b\n,\n", "[a][b]\n[][]\n"},
        {"a,b\n\"1,5\",\"say \"\"hi\"\"\"\n", "[a][b]\n[1,5][say \"hi\"]\n"},
        {"a\n\"two\nlines\"\n", "[a]\n[two\nlines]\n"},
        {"a\n\"\"\n", "[a]\n[]\n"},
        {"a,b\n\"\",\"\"\"\"", "[a][b]\n[][\"]\n"},
        {"a,b\n\xc3\xa9,\xe2\x82\xac\n", "[a][b]\n[\xc3\xa9][\xe2\x82\xac]\n"},
        {"a,b\n1,", "[a][b]\n[1][]\n"},
        {"a\rb\n1\n", "[a\rb]\n[1]\n"},
    };
    char memory[1024];
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        expect_text(dump(span_of(cases[i].text), &out), cases[i].expected);
}

static void
refuses_with_place(void)
{
    static const struct {
        const char *text;
        const char *words;
    } cases[] = {
        {"", "t.csv: the file is empty"},
        {"\xef\xbb\xbf", "t.csv: the file is empty"},
        {"a,b\n1\n", "t.csv:2: 1 fields, but the header has 2"},
        {"a,b\n1,2\n1,2,3\n", "t.csv:3: 3 fields"},
        {"a\n\"open\n", "t.csv:2: a quote is opened and never closed"},
        {"a\n\"x\"y\n", "t.csv:2: text after a closing quote"},
        {"a\nx\"y\n", "t.csv:2: a quote inside a field"},
        {"a,b\n\"1\n2\n3\",4\n5\n", "t.csv:5: 1 fields"},
        {"a\n\xff\n", "t.csv: not a text in UTF-8"},
        {",,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\n", "t.csv:1: more than 32 fields"},
    };
    char memory[1024];
    struct buffer out;
    buffer_init(&out, memory, sizeof(memory));
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *text = dump(span_of(cases[i].text), &out);
        if (strstr(text, cases[i].words) == NULL) {
            expect_text(text, cases[i].words);
        }
    }
    expect(strstr(dump(SPAN("a\n\0\n"), &out), "not a text") != NULL);
}

static void
is_bounded(void)
{
    char *text = malloc(CSV_FIELD_MAX + 16);
    struct buffer out;
    char *memory = malloc(3 * CSV_FIELD_MAX);
    buffer_init(&out, memory, 3 * CSV_FIELD_MAX);
    size_t size = (size_t)sprintf(text, "a\n");
    memset(text + size, 'x', CSV_FIELD_MAX);
    struct span whole = {.data = text, .size = size + CSV_FIELD_MAX};
    expect(strstr(dump(whole, &out), "longer") == NULL);
    text[whole.size++] = 'x';
    expect(strstr(dump(whole, &out), "t.csv:2: a field is longer than 4096") != NULL);

    struct csv csv;
    struct error_text error;
    struct span huge = {.data = text, .size = (size_t)CSV_SIZE_MAX + 1};
    expect(!csv_open_text(&csv, huge, "t.csv", &error));
    csv_close(&csv);
    free(text);
    free(memory);
}

static void
says_what_file(void)
{
    struct csv csv;
    struct error_text error;
    expect(!csv_open(&csv, "/nonexistent/rates.csv", &error));
    expect(strstr(error.text, "/nonexistent/rates.csv") != NULL);
    csv_close(&csv);
    expect(!csv_open(&csv, "/tmp", &error));
    expect(strstr(error.text, "/tmp: ") != NULL);
    csv_close(&csv);
    expect(!csv_open(&csv, "/dev/zero", &error)); /* has no end */
    expect(strstr(error.text, "/dev/zero: larger") != NULL);
    csv_close(&csv);
}

static void
finds_columns(void)
{
    struct csv csv;
    struct error_text error;
    size_t index = 9;
    expect(csv_open_text(&csv, SPAN("market, price ,x\n1,2,3\n"), "t.csv", &error));
    expect_u64(csv_next(&csv, &error), CSV_ROW);
    expect(csv_need_column(&csv, "price", &index, &error));
    expect_u64(index, 1);
    expect(!csv_need_column(&csv, "currency", &index, &error));
    expect_text(error.text, "t.csv:1: the header line has no column \"currency\"");
    csv_close(&csv);
}

int
main(void)
{
    TEST(reads_rows);
    TEST(refuses_with_place);
    TEST(is_bounded);
    TEST(says_what_file);
    TEST(finds_columns);
    return test_end();
}
