/*
 * 5,000 numbers on which two libraries and an independent reading agree (tests/data). What facteur
 * answers otherwise is a policy of its own, and each such row is named and counted here:
 *
 *   policy:wa-legacy alt=XX   legacy, with the country: WhatsApp's own form
 *   001                       invalid, "no country": nobody there has a price
 *   syntax …                  invalid for phone_read_plain(); phone_read() drops what people and
 *                             contact cards put between digits first, as the contract says
 */
#include "sender/cost/day.h"
#include "sender/cost/market.h"
#include "sender/cost/phone_table.h"
#include "sender/cost/phone.h"
#include "tests/unit/test.h"

#include <string.h>

enum { VECTORS_MAX = 6000, FILE_MAX = 512 * 1024 };

struct vector {
    struct span text;
    struct span expected;
    struct span note;
};

static struct vector vectors[VECTORS_MAX];
static size_t vector_count;
static char file_text[FILE_MAX];

static bool
note_has(const struct vector *vector, const char *words)
{
    return memmem(vector->note.data, vector->note.size, words, strlen(words)) != NULL;
}

static void
read_vectors(void)
{
    FILE *file = fopen(FACTEUR_SOURCE_DIR "/tests/data/phone_vectors.tsv", "re");
    expect(file != NULL);
    if (file == NULL)
        return;
    struct span rest = {file_text, fread(file_text, 1, sizeof(file_text), file)};
    fclose(file);
    bool header = true;
    while (rest.size > 0 && vector_count < VECTORS_MAX) {
        struct span line = span_split(&rest, '\n');
        if (line.size == 0 || span_starts(line, SPAN("# ")))
            continue;
        struct vector *vector = &vectors[vector_count];
        vector->text = span_split(&line, '\t');
        vector->expected = span_split(&line, '\t');
        (void)span_split(&line, '\t'); /* type: mobile, fixed … */
        vector->note = line;
        vector_count += !header;
        header = false;
    }
    expect_u64(vector_count, 5000);
}

/* Does the answer differ from what the row says? */
static bool
disagrees(const struct vector *vector, const struct phone *phone)
{
    struct span country = span_of(phone->country);
    if (note_has(vector, "policy:wa-legacy alt=")) {
        const char *alt = (const char *)memmem(vector->note.data, vector->note.size, "alt=", 4) + 4;
        return phone->status != PHONE_LEGACY || !span_equal(country, (struct span){alt, 2});
    }
    if (span_equal(vector->expected, SPAN("001")))
        return phone->status != PHONE_INVALID || phone->reason != PHONE_NO_COUNTRY;
    if (span_equal(vector->expected, SPAN("INVALID")))
        return phone->status != PHONE_INVALID && phone->status != PHONE_UNLISTED;
    return phone->status != PHONE_VALID || !span_equal(country, vector->expected);
}

static void
agrees_with_the_libraries(void)
{
    uint64_t by_status[4] = {0};
    uint64_t legacy_rows = 0;
    uint64_t no_country_rows = 0;
    uint64_t disagreements = 0;
    for (size_t i = 0; i < vector_count; i++) {
        const struct vector *vector = &vectors[i];
        struct phone phone;
        phone_read_plain(phone_table_builtin(), vector->text, &phone);
        by_status[phone.status]++;
        legacy_rows += note_has(vector, "policy:wa-legacy alt=");
        no_country_rows += span_equal(vector->expected, SPAN("001"));
        if (disagrees(vector, &phone)) {
            disagreements++;
            printf("%.*s: %s %s (%s), expected %.*s: %.*s\n", SPAN_ARG(vector->text),
                   phone_status_text(phone.status), phone.country, phone_reason_text(phone.reason),
                   SPAN_ARG(vector->expected), SPAN_ARG(vector->note));
        }
    }
    expect_u64(disagreements, 0);
    expect_u64(by_status[PHONE_LEGACY], legacy_rows); /* and no other row is */
    printf("%zu vectors, %" PRIu64 " disagreements: %" PRIu64 " valid, %" PRIu64 " legacy, %" PRIu64
           " unlisted, %" PRIu64 " invalid (of these %" PRIu64 " without a country)\n",
           vector_count, disagreements, by_status[PHONE_VALID], by_status[PHONE_LEGACY],
           by_status[PHONE_UNLISTED], by_status[PHONE_INVALID], no_country_rows);
}

/* The lenient reader agrees too, but for rows whose only fault is what it drops. */
static void
drops_only_fillers(void)
{
    uint64_t dropped = 0;
    for (size_t i = 0; i < vector_count; i++) {
        const struct vector *vector = &vectors[i];
        struct phone plain;
        struct phone phone;
        phone_read_plain(phone_table_builtin(), vector->text, &plain);
        phone_read(vector->text, &phone);
        if (plain.reason != PHONE_BAD_CHARACTER || phone.status == PHONE_INVALID) {
            expect_u64(phone.status, plain.status);
            expect_text(phone.country,
                        phone.reason == plain.reason ? plain.country : phone.country);
            continue;
        }
        static const char *const fillers[] = {
            "syntax parentheses",    "syntax minus",          "syntax space",
            "syntax leading space",  "syntax trailing space", "syntax dot inside",
            "syntax hyphen",         "syntax bidi marks",     "syntax zero-width space",
            "syntax no-break space", "syntax non-breaking",   "syntax national format",
            "syntax formatted",
        };
        bool known = false;
        for (size_t n = 0; n < sizeof(fillers) / sizeof(fillers[0]); n++)
            known = known || note_has(vector, fillers[n]);
        if (!known)
            printf("%.*s: %.*s\n", SPAN_ARG(vector->text), SPAN_ARG(vector->note));
        expect(known);
        dropped++;
    }
    printf("%" PRIu64 " rows are read once spaces, dots, dashes and marks are dropped\n", dropped);
    expect(dropped > 100);
}

/* By country, then by calling code, then Other: every number that can be sent has a market. */
static void
every_country_has_a_market(void)
{
    struct error_text error;
    struct markets *markets =
        markets_open(FACTEUR_SOURCE_DIR "/sender/cost/data/markets.csv", &error);
    expect(markets != NULL);
    uint64_t found = 0;
    for (size_t i = 0; markets != NULL && i < vector_count; i++) {
        struct phone phone;
        phone_read(vectors[i].text, &phone);
        uint16_t market = markets_find(markets, phone.country, phone.calling_code, "2026-11-23");
        expect(market < markets_count(markets));
        expect(markets_name(markets, market).size > 0);
        found += phone.status != PHONE_INVALID &&
                 !span_equal(markets_name(markets, market), SPAN("Other"));
    }
    expect(found > 2000);
    markets_close(markets);
}

int
main(void)
{
    TEST(read_vectors);
    TEST(agrees_with_the_libraries);
    TEST(drops_only_fillers);
    TEST(every_country_has_a_market);
    return test_end();
}
