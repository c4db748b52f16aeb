/*
 * A table from a file answers like the built-in one, and whatever is done to the file, it is either
 * refused in words or safe to walk.
 */
#include "sender/base/random.h"
#include "sender/cost/phone_table_state.h"
#include "tests/unit/test.h"

#include <string.h>

enum { FILE_MAX = 256 * 1024, HEAD_SIZE = 24, COUNTS_AT = 24, ROOT_AT = HEAD_SIZE + 144 };

static unsigned char good_memory[FILE_MAX];
static size_t good_size;

/* ---- the built-in table as a file, written by what the format says ----------------------------
 */

static void
put_number(uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        good_memory[good_size++] = (unsigned char)(value >> (8 * i));
}

static void
put_padded(const char *text, size_t size)
{
    strncpy((char *)good_memory + good_size, text, size);
    good_size += size;
}

static void
seal(unsigned char *memory, size_t size)
{
    uint64_t sum = span_hash((struct span){(char *)memory + HEAD_SIZE, size - HEAD_SIZE});
    for (unsigned i = 0; i < 4; i++)
        memory[12 + i] = (unsigned char)(size >> (8 * i));
    for (unsigned i = 0; i < 8; i++)
        memory[16 + i] = (unsigned char)(sum >> (8 * i));
}

static void
put_tables(const struct phone_table *table)
{
    for (int i = 0; i < PHONE_ROOTS; i++)
        put_number(table->root[i], 2);
    for (int i = 0; i < PHONE_ROOTS; i++)
        put_number(table->root_code[i], 1);
    for (int i = 0; i < table->about.states; i++)
        for (int digit = 0; digit < 10; digit++)
            put_number(table->next[i][digit], 2);
    for (int i = 0; i < table->about.states; i++)
        put_number(table->accept[i], 1);
    for (int i = 0; i < table->about.states; i++)
        put_number(table->hint[i], 1);
    for (int i = 0; i < table->about.leaves; i++) {
        put_number(table->leaves[i].lengths, 2);
        put_number(table->leaves[i].label, 1);
    }
    for (int i = 0; i < table->about.codes; i++) {
        put_number(table->codes[i].calling_code, 2);
        put_number(table->codes[i].lengths, 2);
        put_number(table->codes[i].first_country, 2);
        put_number(table->codes[i].country_count, 1);
    }
    for (int i = 0; i < table->about.countries; i++)
        put_padded(table->countries[i], 2);
}

static void
write_good(void)
{
    const struct phone_table *table = phone_table_builtin();
    put_padded("facteurP", 8);
    put_number(1, 4);
    put_number(0, 4); /* size and sum: seal() */
    put_number(0, 8);
    put_number(table->about.states, 2);
    put_number(table->about.leaves, 2);
    put_number(table->about.codes, 2);
    put_number(table->about.countries, 2);
    put_padded(table->about.source, 32);
    put_padded(table->about.version, 16);
    put_padded(table->about.date, 16);
    put_padded(table->about.sha256, 72);
    expect_u64(good_size, ROOT_AT);
    put_tables(table);
    seal(good_memory, good_size);
    expect(good_size < FILE_MAX);
}

static const struct phone_table *
open_bytes(const void *bytes, size_t size, struct error_text *error)
{
    error->text[0] = '\0';
    return phone_table_open_bytes((struct span){bytes, size}, "t.phones", error);
}

static struct span
random_number(struct random *random, char text[24])
{
    size_t size = 3 + random_below(random, 14);
    text[0] = '+';
    for (size_t i = 1; i < size; i++)
        text[i] = (char)('0' + random_below(random, 10));
    return (struct span){text, size};
}

/* ---- tests ------------------------------------------------------------------------------------
 */

static void
reads_what_was_written(void)
{
    struct error_text error;
    const struct phone_table *table = open_bytes(good_memory, good_size, &error);
    expect_text(error.text, "");
    expect(table != NULL);
    if (table == NULL)
        return;
    struct phone_table_about about;
    struct phone_table_about builtin;
    phone_table_tell(table, &about);
    phone_table_tell(phone_table_builtin(), &builtin);
    expect_text(about.version, builtin.version);
    expect_text(about.date, builtin.date);
    expect_text(about.source, builtin.source);
    expect_text(about.sha256, builtin.sha256);
    expect_u64(about.states, builtin.states);
    struct random random;
    random_seed(&random, 7);
    uint64_t good = 0;
    for (int i = 0; i < 300000; i++) {
        char text[24];
        struct phone a;
        struct phone b;
        struct span number = random_number(&random, text);
        phone_read_by(table, number, &a);
        phone_read(number, &b);
        good += a.status == PHONE_VALID;
        if (a.status != b.status || a.reason != b.reason || a.calling_code != b.calling_code ||
            strcmp(a.country, b.country) != 0 || strcmp(a.e164, b.e164) != 0)
            expect_span(number, SPAN("the same answer"));
    }
    expect(good > 1000);
    phone_table_close(table);
}

static void
opens_files(void)
{
    struct error_text error;
    char path[] = "/tmp/phone_table_test_XXXXXX";
    int file = mkstemp(path);
    expect(file >= 0 && write(file, good_memory, good_size) == (ssize_t)good_size);
    const struct phone_table *table = phone_table_open(path, &error);
    expect(table != NULL);
    phone_table_close(table);
    expect(ftruncate(file, (off_t)good_size - 1) == 0);
    expect(phone_table_open(path, &error) == NULL);
    expect(strstr(error.text, path) != NULL && strstr(error.text, "is cut short") != NULL);
    expect(strstr(error.text, "phone_automaton.py --table") != NULL);
    expect(ftruncate(file, 3 * 1024 * 1024) == 0);
    expect(phone_table_open(path, &error) == NULL);
    expect(strstr(error.text, "larger than") != NULL);
    close(file);
    unlink(path);
    expect(phone_table_open(path, &error) == NULL);
    expect(strstr(error.text, "No such file") != NULL);
    expect(phone_table_open("/tmp", &error) == NULL);
    expect(strstr(error.text, "/tmp: cannot be read") != NULL);
    phone_table_close(NULL);
    phone_table_close(phone_table_builtin());
}

static void
expect_refusal(const unsigned char *bytes, size_t size, const char *words)
{
    struct error_text error;
    const struct phone_table *table = open_bytes(bytes, size, &error);
    expect(table == NULL);
    if (strstr(error.text, words) == NULL)
        expect_text(error.text, words);
    phone_table_close(table);
}

static void
refuses_what_is_cut_or_damaged(void)
{
    static unsigned char bytes[FILE_MAX];
    struct random random;
    random_seed(&random, 11);
    expect_refusal((const unsigned char *)"", 0, "is no phone table");
    expect_refusal((const unsigned char *)"prefix,country\n", 15, "is no phone table");
    for (size_t size = 8; size < good_size; size += 1 + random_below(&random, 200))
        expect_refusal(good_memory, size, "is cut short");
    memcpy(bytes, good_memory, good_size);
    expect_refusal(bytes, good_size + 1, "is longer than it says");
    for (int i = 0; i < 500; i++) { /* one bit anywhere */
        size_t at = random_below(&random, good_size);
        unsigned char bit = (unsigned char)(1u << random_below(&random, 8));
        bytes[at] ^= bit;
        expect_refusal(bytes, good_size, at < 8 ? "is no phone table" : "t.phones: is ");
        bytes[at] ^= bit;
    }
    bytes[8] = 2;
    expect_refusal(bytes, good_size, "another format");
}

/* Checksum and size are right, so only the proof stands between the file and the walk. */
static void
refuses_what_leads_outside(void)
{
    static unsigned char bytes[FILE_MAX];
    struct phone_table_about about;
    phone_table_tell(phone_table_builtin(), &about);
    size_t next_at = ROOT_AT + 3 * PHONE_ROOTS;
    size_t hint_at = next_at + 21u * about.states;
    size_t leaves_at = next_at + 22u * about.states;
    size_t codes_at = leaves_at + 3u * about.leaves;
    size_t countries_at = codes_at + 7u * about.codes;
    const struct {
        size_t at;
        unsigned char value;
        const char *words;
    } cases[] = {
        {COUNTS_AT, 0, "its counts are damaged"},
        {COUNTS_AT + 8, '\n', "its texts are damaged"},
        {ROOT_AT + 2 * 133 + 1, 0xff, "a calling code leads out of the table"},
        {ROOT_AT + 2 * PHONE_ROOTS + 133, 0xff, "a calling code leads out of the table"},
        {ROOT_AT + 2 * PHONE_ROOTS + 133, 2, "a calling code is not at its digits"},
        {next_at + 1, 0xff, "a state does not lead to one before it"},
        {hint_at, 0xff, "a state has a country out of range"},
        {hint_at, 0xfe, "a calling code has too few countries"},
        {leaves_at, 1, "its leaf of no numbers has some"},
        {codes_at + 5, 0xff, "a calling code has countries out of range"},
        {countries_at, 'u', "a country is not two capital letters"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        memcpy(bytes, good_memory, good_size);
        bytes[cases[i].at] = cases[i].value;
        seal(bytes, good_size);
        expect_refusal(bytes, good_size, cases[i].words);
    }
}

static void
is_safe_whatever_it_holds(void)
{
    static unsigned char bytes[FILE_MAX];
    struct random random;
    random_seed(&random, 13);
    uint64_t opened = 0;
    for (int round = 0; round < 300; round++) {
        memcpy(bytes, good_memory, good_size);
        for (uint64_t n = 1 + random_below(&random, 4); n > 0; n--)
            bytes[ROOT_AT + random_below(&random, good_size - ROOT_AT)] =
                (unsigned char)random_below(&random, 256);
        seal(bytes, good_size);
        struct error_text error;
        const struct phone_table *table = open_bytes(bytes, good_size, &error);
        expect((table == NULL) == (error.text[0] != '\0'));
        opened += table != NULL;
        for (int i = 0; table != NULL && i < 1000; i++) {
            char text[24];
            struct phone phone;
            phone_read_by(table, random_number(&random, text), &phone);
            expect(phone.status == PHONE_INVALID || strlen(phone.country) == 2);
        }
        phone_table_close(table);
    }
    printf("%" PRIu64 " of 300 damaged tables were still whole\n", opened);
    expect(opened > 0 && opened < 300);
}

int
main(void)
{
    TEST(write_good);
    TEST(reads_what_was_written);
    TEST(opens_files);
    TEST(refuses_what_is_cut_or_damaged);
    TEST(refuses_what_leads_outside);
    TEST(is_safe_whatever_it_holds);
    return test_end();
}
