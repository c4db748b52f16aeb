#include "loadtest/emulator_country.h"

#include "loadtest/emulator_csv.h"
#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    NODES_MAX = 16384,
    ENTRIES_MAX = 4096, /* rows of the file */
    CODE_MAX = 3,       /* "FR", and "001" of what belongs to no country */
    CALLING_CODE_MAX = 4,
};

/* One row of the file: of a prefix there may be several, for different lengths. */
struct entry {
    uint32_t lengths; /* bit n: n digits in all are possible */
    uint16_t country;
    uint16_t next; /* of the same prefix, + 1; 0: the last */
};

struct node {
    uint16_t children[10]; /* 0: none */
    uint16_t entry;        /* + 1; 0: no prefix ends here */
};

struct country {
    char code[CODE_MAX + 1];
    char calling_code[CALLING_CODE_MAX + 1];
};

struct emulator_countries {
    struct node nodes[NODES_MAX]; /* 0 is the root */
    struct entry entries[ENTRIES_MAX];
    struct country countries[EMULATOR_COUNTRIES_MAX];
    uint32_t node_count;
    uint32_t entry_count;
    uint16_t country_count;
};

bool
emulator_country_of_code(const struct emulator_countries *countries, struct span code,
                         uint16_t *country)
{
    for (uint16_t i = 0; i < countries->country_count; i++) {
        if (span_equal(span_of(countries->countries[i].code), code)) {
            *country = i;
            return true;
        }
    }
    return false;
}

static bool
copy_short(struct span from, char *to, size_t size_max)
{
    if (from.size == 0 || from.size > size_max)
        return false;
    memcpy(to, from.data, from.size);
    return true;
}

/* The country of this row, made if it is new. */
static bool
add_country(struct emulator_countries *countries, struct span code, struct span calling_code,
            uint16_t *index)
{
    if (emulator_country_of_code(countries, code, index))
        return true;
    if (countries->country_count == EMULATOR_COUNTRIES_MAX)
        return false;
    *index = countries->country_count++;
    struct country *country = &countries->countries[*index];
    return copy_short(code, country->code, CODE_MAX) &&
           copy_short(calling_code, country->calling_code, CALLING_CODE_MAX);
}

/* "10|11" → bits 10 and 11. */
static bool
read_lengths(struct span text, uint32_t *lengths)
{
    uint64_t length;
    *lengths = 0;
    do {
        if (!span_to_u64(span_split(&text, '|'), &length) || length == 0 ||
            length > EMULATOR_COUNTRY_DIGITS_MAX)
            return false;
        *lengths |= UINT32_C(1) << length;
    } while (text.data != NULL);
    return true;
}

/* The node of a prefix, made if it is new; NULL if it is not digits or there is no room. */
static struct node *
make_node(struct emulator_countries *countries, struct span prefix)
{
    struct node *node = &countries->nodes[0];
    if (prefix.size == 0 || prefix.size > EMULATOR_COUNTRY_DIGITS_MAX)
        return NULL;
    for (size_t i = 0; i < prefix.size; i++) {
        unsigned digit = (unsigned)(prefix.data[i] - '0');
        if (digit > 9)
            return NULL;
        if (node->children[digit] == 0) {
            if (countries->node_count == NODES_MAX)
                return NULL;
            node->children[digit] = (uint16_t)countries->node_count++;
        }
        node = &countries->nodes[node->children[digit]];
    }
    return node;
}

static void
read_rows(struct emulator_countries *countries, struct emulator_csv *csv)
{
    uint32_t prefix, country, calling_code, lengths;
    if (!emulator_csv_column(csv, "prefix", &prefix) ||
        !emulator_csv_column(csv, "country", &country) ||
        !emulator_csv_column(csv, "calling_code", &calling_code) ||
        !emulator_csv_column(csv, "total_lengths", &lengths))
        return;
    while (emulator_csv_next(csv)) {
        struct entry entry = {0};
        struct node *node = make_node(countries, csv->row[prefix]);
        if (node == NULL || countries->entry_count == ENTRIES_MAX ||
            !read_lengths(csv->row[lengths], &entry.lengths) ||
            !add_country(countries, csv->row[country], csv->row[calling_code], &entry.country)) {
            emulator_csv_fail(csv, "not a prefix with its country, calling code and lengths");
            return;
        }
        entry.next = node->entry;
        countries->entries[countries->entry_count++] = entry;
        node->entry = (uint16_t)countries->entry_count;
    }
    if (!csv->failed && countries->entry_count == 0)
        emulator_csv_fail(csv, "no prefix at all");
}

struct emulator_countries *
emulator_countries_open(const char *prefixes_path, struct error_text *error)
{
    struct emulator_csv csv;
    if (!emulator_csv_open(&csv, prefixes_path)) {
        *error = csv.error;
        return NULL;
    }
    struct emulator_countries *countries = check_alloc(1, sizeof *countries);
    countries->node_count = 1;
    read_rows(countries, &csv);
    emulator_csv_close(&csv);
    if (!csv.failed)
        return countries;
    *error = csv.error;
    emulator_countries_close(countries);
    return NULL;
}

void
emulator_countries_close(struct emulator_countries *countries)
{
    free(countries);
}

bool
emulator_country_of_number(const struct emulator_countries *countries, struct span digits,
                           uint16_t *country)
{
    const struct node *node = &countries->nodes[0];
    const struct entry *fits = NULL, *longest = NULL;
    uint32_t bit = digits.size <= EMULATOR_COUNTRY_DIGITS_MAX ? UINT32_C(1) << digits.size : 0;
    for (size_t i = 0; i < digits.size; i++) {
        unsigned digit = (unsigned)(digits.data[i] - '0');
        if (digit > 9 || node->children[digit] == 0)
            break;
        node = &countries->nodes[node->children[digit]];
        for (uint16_t next = node->entry; next != 0;) {
            const struct entry *entry = &countries->entries[next - 1];
            if ((entry->lengths & bit) != 0)
                fits = entry;
            if (next == node->entry)
                longest = entry;
            next = entry->next;
        }
    }
    if (fits == NULL)
        fits = longest;
    if (fits == NULL)
        return false;
    *country = fits->country;
    return true;
}

uint16_t
emulator_countries_count(const struct emulator_countries *countries)
{
    return countries->country_count;
}

const char *
emulator_country_code(const struct emulator_countries *countries, uint16_t country)
{
    check(country < countries->country_count);
    return countries->countries[country].code;
}

struct span
emulator_country_calling_code(const struct emulator_countries *countries, uint16_t country)
{
    check(country < countries->country_count);
    return span_of(countries->countries[country].calling_code);
}
