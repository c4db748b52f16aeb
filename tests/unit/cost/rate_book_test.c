#include "sender/cost/rate_book.h"
#include "tests/unit/cost/rates.h"

#include <sys/stat.h>

static struct rate_book *
read_text(const char *text, const struct markets *markets, struct rate_findings *findings)
{
    struct rate_book *book = rate_book_new(markets);
    rate_book_add_text(book, span_of(text), "cards", findings);
    return book;
}

/* What an operator may write, and what is said about it: line, what, what to do. */
static const struct {
    const char *text;
    uint32_t line;
    enum rate_level level;
    const char *what;
    const char *remedy;
} mistakes[] = {
    {"", 0, RATE_ERROR, "the file is empty: it needs a header line", "give a CSV file"},
    {"\xef\xbb\xbf", 0, RATE_ERROR, "the file is empty", ""},
    {"\n\n", 0, RATE_ERROR, "no header line", "market,category,price,currency"},
    {HEADER, 0, RATE_ERROR, "no prices, only a header line", "add the rows"},
    {"a\xff", 0, RATE_ERROR, "not a text in UTF-8", ""},
    {"market,category,price,currency\n", 1, RATE_ERROR, "no column \"effective_from\"",
     "must name the columns"},
    {"market;category;price;currency;effective_from\n", 1, RATE_ERROR, "no column \"market\"",
     "semicolons: save it with commas"},
    {HEADER "Nord,utility,1,USD,2026-10-01,\n", 2, RATE_ERROR,
     "\"Nord\" is no market of the list of markets", "correct the name"},
    {HEADER "north,utility,1,USD,2026-10-01,\n", 2, RATE_ERROR,
     "\"north\" is no market, but \"North\" is", "capitals count"},
    {HEADER "North,utilities,1,USD,2026-10-01,\n", 2, RATE_ERROR, "\"utilities\" is no category",
     "write marketing, utility"},
    {HEADER "North,utility,\"0,1\",USD,2026-10-01,\n", 2, RATE_ERROR,
     "\"0,1\" is not a price: write digits and a point", "like 0.0550"},
    {HEADER "North,utility,0,0550,USD,2026-10-01,\n", 2, RATE_ERROR,
     "7 fields, but the header has 6", "a price has a point"},
    {HEADER "North,utility,0.01.2,USD,2026-10-01,\n", 2, RATE_ERROR, "\"0.01.2\" is not a price",
     "one point"},
    {HEADER "North,utility,-0.1,USD,2026-10-01,\n", 2, RATE_ERROR, "is not a price", ""},
    {HEADER "North,utility,1e2,USD,2026-10-01,\n", 2, RATE_ERROR, "is not a price", ""},
    {HEADER "North,utility,$0.1,USD,2026-10-01,\n", 2, RATE_ERROR, "is not a price", ""},
    {HEADER "North,utility,,USD,2026-10-01,\n", 2, RATE_ERROR, "\"\" is not a price", ""},
    {HEADER "North,utility,n/a,USD,2026-10-01,\n", 2, RATE_ERROR, "is not a price", ""},
    {HEADER "North,utility,0.0000001,USD,2026-10-01,\n", 2, RATE_ERROR, "more than six decimals",
     ""},
    {HEADER "North,utility,1234567890123,USD,2026-10-01,\n", 2, RATE_ERROR,
     "more than twelve digits", ""},
    {HEADER "North,utility,1,USD,2026-10-1,\n", 2, RATE_ERROR, "\"2026-10-1\" is no day",
     "YYYY-MM-DD"},
    {HEADER "North,utility,1,USD,01.10.2026,\n", 2, RATE_ERROR, "is no day", ""},
    {HEADER "North,utility,1,USD,2026-02-30,\n", 2, RATE_ERROR, "is no day", ""},
    {HEADER "North,utility,1,US,2026-10-01,\n", 2, RATE_ERROR, "\"US\" is no currency",
     "three capital letters"},
    {HEADER "North,utility,1,usd,2026-10-01,\n", 2, RATE_ERROR, "\"usd\" is no currency", ""},
    {HEADER "North,utility,1,US$,2026-10-01,\n", 2, RATE_ERROR, "\"US$\" is no currency", ""},
    {HEADER "North,utility,1,USB,2026-10-01,\n", 2, RATE_WARNING,
     "\"USB\" is none of the currencies that Meta is known to bill in", "slip of the pen"},
    {HEADER FULL("0.1", "2026-10-01") "North,utility,0.2,USD,2026-10-01,\n", 8, RATE_ERROR,
     "\"North\" has two utility prices in the USD card of 2026-10-01, the other one is at "
     "cards:2",
     "keep one row"},
    {HEADER "North,\"utility,0.1,USD\n", 2, RATE_ERROR, "a quote is opened", "in quotes"},
    {"\xef\xbb\xbf" HEADER FULL("0.1", "2026-10-01"), 1, RATE_WARNING, "a byte order mark",
     "without BOM"},
    {HEADER "North,conversation_utility,1,USD,2024-10-23,\n"
            "Other,conversation_utility,1,USD,2024-10-23,\n",
     2, RATE_WARNING, "2 prices of conversations", "nothing to do"},
};

static void
finds_what_is_wrong(void)
{
    struct markets *markets = open_small_markets();
    for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
        struct rate_findings findings = {0};
        struct rate_book *book = read_text(mistakes[i].text, markets, &findings);
        expect_u64(findings.count, 1);
        expect_u64(findings.errors, mistakes[i].level == RATE_ERROR);
        if (findings.count > 0) {
            const struct rate_finding *finding = &findings.items[0];
            if (strstr(finding->what, mistakes[i].what) == NULL)
                expect_text(finding->what, mistakes[i].what);
            if (strstr(finding->remedy, mistakes[i].remedy) == NULL)
                expect_text(finding->remedy, mistakes[i].remedy);
            expect(finding->remedy[0] != '\0');
            expect_text(finding->file, "cards");
            expect_u64(finding->level, mistakes[i].level);
            if (finding->line != mistakes[i].line)
                printf("case %zu: %s\n", i, finding->what);
            expect_u64(finding->line, mistakes[i].line);
        }
        rate_findings_close(&findings);
        rate_book_close(book);
    }
    markets_close(markets);
}

/* One look is enough to mend a file: every broken field of every broken row is named. */
static void
goes_on_after_a_broken_row(void)
{
    static const char text[] = HEADER "Nord,utilities,x,EURO,yesterday,\n"
                                      "North,utility,0,5,USD,2026-10-01,\n"
                                      "North,uti\"lity,1,USD,2026-10-01,\n"
                                      "North,utility,1,USD,2026-10-01,good\n"
                                      "North,authentication,1 USD,USD,2026-10-01,\n";
    static const uint32_t lines[] = {2, 2, 2, 2, 2, 3, 4, 6};
    struct markets *markets = open_small_markets();
    struct rate_findings findings = {0};
    struct rate_book *book = read_text(text, markets, &findings);
    uint64_t millionths;
    expect_u64(findings.count, sizeof(lines) / sizeof(lines[0]));
    for (uint32_t i = 0; i < findings.count && i < 8; i++)
        expect_u64(findings.items[i].line, lines[i]);
    expect(
        rate_card_price(rate_book_card(book, "USD"), 0, RATE_UTILITY, "2026-10-01", &millionths));
    rate_findings_close(&findings);
    rate_book_close(book);
    markets_close(markets);
}

static void
refuses_what_is_malformed(void)
{
    char path[32];
    struct error_text error = {{0}};
    struct markets *markets = open_small_markets();
    write_file(HEADER FULL("0.1", "2026-10-01") "North,marketing,\"0,1\",USD,2026-10-01,\n"
                                                "North,marketing,0.1.2,EUR,2026-10-01,\n",
               path);
    expect(rate_book_open(path, markets, &error) == NULL);
    expect(strstr(error.text, path) == error.text);
    expect(strstr(error.text, ":8: \"0,1\" is not a price") != NULL);
    expect(strstr(error.text, "(and 1 more: facteur rates check)") != NULL);
    unlink(path);
    expect(rate_book_open("/nonexistent.csv", markets, &error) == NULL);
    expect(strstr(error.text, "/nonexistent.csv: cannot be opened") != NULL);
    /* A hole is no reason: other accounts may be billed in what is whole. */
    write_file(HEADER "North,utility,1,EUR,2026-10-01,\n" FULL("0.1", "2026-10-01"), path);
    struct rate_book *book = rate_book_open(path, markets, &error);
    expect(book != NULL && rate_book_count(book) == 2);
    rate_book_close(book);
    rate_book_close(NULL);
    unlink(path);
    markets_close(markets);
}

struct folder {
    char path[32];
    char files[3][64];
};

static void
write_in(struct folder *folder, size_t index, const char *name, const char *text)
{
    char path[64];
    snprintf(path, sizeof(path), "%.31s/%s", folder->path, name);
    memcpy(folder->files[index], path, sizeof(path));
    FILE *file = fopen(path, "wb");
    expect(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void
reads_a_folder(void)
{
    struct folder folder = {.path = "/tmp/rates_test_XXXXXX"};
    struct markets *markets = open_small_markets();
    struct error_text error = {{0}};
    struct rate_date date;
    expect(mkdtemp(folder.path) != NULL);
    expect(rate_book_open(folder.path, markets, &error) == NULL);
    expect(strstr(error.text, "a folder without a *.csv") != NULL);

    write_in(&folder, 0, "2026-10.csv", HEADER FULL("0.3", "2026-10-01"));
    write_in(&folder, 1, "2026-04.csv", HEADER FULL("0.1", "2026-04-01"));
    write_in(&folder, 2, "notes.txt", "not read");
    struct rate_book *book = open_book(folder.path, markets);
    const struct rate_card *card = rate_book_card(book, "USD");
    expect_u64(rate_card_date_count(card), 2);
    rate_card_date(card, 0, &date);
    expect_text(date.file, folder.files[1]);
    rate_card_date(card, 1, &date);
    expect_text(date.file, folder.files[0]);
    rate_book_close(book);

    /* The same price in two files is there twice: the second file is the one that is named. */
    write_in(&folder, 1, "2026-04.csv", HEADER FULL("0.1", "2026-10-01"));
    expect(rate_book_open(folder.path, markets, &error) == NULL);
    expect(strstr(error.text, "2026-10.csv:2: \"North\" has two utility prices") != NULL);
    expect(strstr(error.text, "2026-04.csv:2") != NULL);
    for (size_t i = 0; i < 3; i++)
        unlink(folder.files[i]);
    rmdir(folder.path);
    markets_close(markets);
}

static void
sees_changes(void)
{
    struct folder folder = {.path = "/tmp/rates_test_XXXXXX"};
    uint64_t seen[6];
    expect(mkdtemp(folder.path) != NULL);
    seen[0] = rate_book_fingerprint(folder.path);
    write_in(&folder, 0, "a.csv", "one");
    seen[1] = rate_book_fingerprint(folder.path);
    expect_u64(rate_book_fingerprint(folder.path), seen[1]);
    write_in(&folder, 1, "b.csv", "two");
    seen[2] = rate_book_fingerprint(folder.path);
    write_in(&folder, 0, "a.csv", "three");
    seen[3] = rate_book_fingerprint(folder.path);
    unlink(folder.files[1]);
    seen[4] = rate_book_fingerprint(folder.path);
    seen[5] = rate_book_fingerprint(folder.files[0]);
    write_in(&folder, 0, "a.csv", "threes");
    expect(rate_book_fingerprint(folder.files[0]) != seen[5]);
    for (size_t i = 0; i < 5; i++)
        for (size_t k = 0; k < i; k++)
            expect(seen[i] != seen[k]);
    unlink(folder.files[0]);
    rmdir(folder.path);
    (void)rate_book_fingerprint(folder.path); /* gone: it is another number, and no crash */
}

static void
holds_64_cards_of_32_currencies(void)
{
    struct markets *markets = open_small_markets();
    char *text = malloc(200 * 40 + sizeof(HEADER));
    size_t size = (size_t)sprintf(text, "%s", HEADER);
    struct rate_findings findings = {0};
    for (int i = 0; i < 65; i++)
        size += (size_t)sprintf(text + size, "North,utility,1,USD,20%02d-01-01,\n", i);
    for (int i = 0; i < 32; i++)
        size += (size_t)sprintf(text + size, "North,utility,1,X%c%c,2026-01-01,\n", 'A' + i / 26,
                                'A' + i % 26);
    struct rate_book *book = read_text(text, markets, &findings);
    expect_u64(findings.errors, 2);
    expect_u64(findings.items[0].line, 66);
    expect(strstr(findings.items[0].what, "\"2064-01-01\" is one card too many") != NULL);
    expect(strstr(findings.items[findings.count - 1].what, "one currency too many") != NULL);
    expect_u64(findings.items[findings.count - 1].line, 98);
    expect_u64(rate_book_count(book), RATE_CURRENCIES_MAX);
    expect_u64(rate_card_date_count(rate_book_card(book, "USD")), RATE_DATES_MAX);
    rate_findings_close(&findings);
    rate_book_close(book);
    free(text);
    markets_close(markets);
}

/* A file of nonsense fills no memory: what is beyond the most is counted. */
static void
counts_what_it_leaves_out(void)
{
    enum { ROWS = 3000 };
    struct markets *markets = open_small_markets();
    char *text = malloc(ROWS * 40 + sizeof(HEADER));
    size_t size = (size_t)sprintf(text, "%s", HEADER);
    struct rate_findings findings = {0};
    for (int i = 0; i < ROWS; i++)
        size += (size_t)sprintf(text + size, "North,utility,x,USD,2026-01-01,\n");
    struct rate_book *book = read_text(text, markets, &findings);
    expect_u64(findings.count, RATE_FINDINGS_MAX);
    expect_u64(findings.left_out, ROWS - RATE_FINDINGS_MAX);
    expect_u64(findings.errors, ROWS);
    rate_findings_close(&findings);
    expect_u64(findings.count, 0);
    rate_book_close(book);
    free(text);
    markets_close(markets);
}

int
main(void)
{
    TEST(finds_what_is_wrong);
    TEST(goes_on_after_a_broken_row);
    TEST(refuses_what_is_malformed);
    TEST(reads_a_folder);
    TEST(sees_changes);
    TEST(holds_64_cards_of_32_currencies);
    TEST(counts_what_it_leaves_out);
    return test_end();
}
