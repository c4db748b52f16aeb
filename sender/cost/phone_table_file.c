/*
 * A table from a file. All numbers are little-endian and nothing is aligned:
 *
 *   magic "facteurP", u32 format (1), u32 size of the whole, u64 FNV-1a of all that follows;
 *   u16 states, leaves, codes, countries; text of 32, 16, 16, 72 bytes, NUL-padded: source,
 *   version, date, sha256; u16 root[1000]; u8 root_code[1000]; per state u16 next[10];
 *   u8 accept[states]; u8 hint[states]; per leaf u16 lengths, u8 label; per code u16 calling code,
 *   u16 lengths, u16 first country, u8 count; per country two letters.
 *
 * A state leads only to states before it, so a walk ends and one pass over them proves what every
 * calling code can reach.
 */
#include "sender/base/check.h"
#include "sender/cost/phone_table_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    FORMAT = 1,
    HEAD_SIZE = 24,
    FIXED_SIZE = HEAD_SIZE + 8 + 32 + 16 + 16 + 72 + 3 * PHONE_ROOTS,
    STATE_SIZE = 22,
    LEAF_SIZE = 3,
    CODE_SIZE = 7,
    FILE_SIZE_MAX = 2 * 1024 * 1024, /* 30,000 states are 0.7 MB; those of 2026 are 0.1 MB */
    NODES_MAX = UINT16_MAX,
    CODES_MAX = 255,
};

/* What phone_table_open() owns: the table, and everything its pointers lead to. */
struct opened_table {
    struct phone_table table; /* first: what callers hold */
    char source[33];
    char version[17];
    char date[17];
    char sha256[73];
    uint16_t root[PHONE_ROOTS];
    uint8_t root_code[PHONE_ROOTS];
    uint16_t (*next)[10];
    uint8_t *accept;
    uint8_t *hint;
    struct phone_leaf *leaves;
    struct phone_code *codes;
    char (*countries)[3];
    uint8_t *reach; /* a state's highest place of a country below it, + 1; only for the proof */
};

struct reader {
    const unsigned char *at; /* the size has been proved before anything is read */
    const char *name;
    struct error_text *error;
};

static bool
refuse(const struct reader *reader, const char *why)
{
    error_set(reader->error,
              "%s: %s: make it again with sender/cost/generate/phone_automaton.py --table",
              reader->name, why);
    return false;
}

static uint64_t
take_number(struct reader *reader, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)reader->at[i] << (8 * i);
    reader->at += bytes;
    return value;
}

static uint16_t
take_u16(struct reader *reader)
{
    return (uint16_t)take_number(reader, 2);
}

static uint8_t
take_u8(struct reader *reader)
{
    return *reader->at++;
}

/* `size` bytes of text, which go into reports and JSON: printable ASCII without quotes and
 * backslashes, then NULs. `to` has one more. */
static bool
take_text(struct reader *reader, char *to, size_t size)
{
    memcpy(to, reader->at, size);
    to[size] = '\0';
    reader->at += size;
    for (const char *c = to; *c != '\0'; c++)
        if (*c <= ' ' || *c > '~' || *c == '"' || *c == '\\')
            return refuse(reader, "its texts are damaged");
    return true;
}

/* ---- head: what it is, and that it is whole ---------------------------------------------------
 */

static bool
read_head(struct reader *reader, struct span bytes)
{
    if (bytes.size < 8 || memcmp(bytes.data, "facteurP", 8) != 0)
        return refuse(reader, "is no phone table");
    if (bytes.size < FIXED_SIZE)
        return refuse(reader, "is cut short");
    reader->at += 8;
    if (take_number(reader, 4) != FORMAT)
        return refuse(reader, "is a phone table of another format than this facteur reads");
    uint64_t size = take_number(reader, 4);
    if (size != bytes.size)
        return refuse(reader, size > bytes.size ? "is cut short" : "is longer than it says");
    uint64_t sum = take_number(reader, 8);
    if (sum != span_hash((struct span){bytes.data + HEAD_SIZE, bytes.size - HEAD_SIZE}))
        return refuse(reader, "is damaged (its checksum does not fit)");
    return true;
}

static bool
read_counts(struct reader *reader, struct opened_table *opened, size_t size)
{
    struct phone_table_about *about = &opened->table.about;
    about->states = take_u16(reader);
    about->leaves = take_u16(reader);
    about->codes = take_u16(reader);
    about->countries = take_u16(reader);
    if (about->leaves == 0 || about->codes > CODES_MAX ||
        (uint32_t)about->states + about->leaves > NODES_MAX ||
        size != FIXED_SIZE + (size_t)STATE_SIZE * about->states +
                    (size_t)LEAF_SIZE * about->leaves + (size_t)CODE_SIZE * about->codes +
                    (size_t)2 * about->countries)
        return refuse(reader, "its counts are damaged");
    about->source = opened->source;
    about->version = opened->version;
    about->date = opened->date;
    about->sha256 = opened->sha256;
    return take_text(reader, opened->source, 32) && take_text(reader, opened->version, 16) &&
           take_text(reader, opened->date, 16) && take_text(reader, opened->sha256, 72);
}

/* ---- body -------------------------------------------------------------------------------------
 */

static void
take_memory(struct opened_table *opened)
{
    const struct phone_table_about *about = &opened->table.about;
    opened->next = check_alloc(about->states + 1u, sizeof(*opened->next));
    opened->accept = check_alloc(about->states + 1u, sizeof(*opened->accept));
    opened->hint = check_alloc(about->states + 1u, sizeof(*opened->hint));
    opened->reach = check_alloc(about->states + 1u, sizeof(*opened->reach));
    opened->leaves = check_alloc(about->leaves, sizeof(*opened->leaves));
    opened->codes = check_alloc(about->codes + 1u, sizeof(*opened->codes));
    opened->countries = check_alloc(about->countries + 1u, sizeof(*opened->countries));
    struct phone_table *table = &opened->table;
    table->root = opened->root;
    table->root_code = opened->root_code;
    table->next = (const uint16_t(*)[10])opened->next;
    table->accept = opened->accept;
    table->hint = opened->hint;
    table->leaves = opened->leaves;
    table->codes = opened->codes;
    table->countries = (const char(*)[3])opened->countries;
}

static void
read_body(struct reader *reader, struct opened_table *opened)
{
    const struct phone_table_about *about = &opened->table.about;
    for (uint32_t i = 0; i < PHONE_ROOTS; i++)
        opened->root[i] = take_u16(reader);
    for (uint32_t i = 0; i < PHONE_ROOTS; i++)
        opened->root_code[i] = take_u8(reader);
    for (uint32_t i = 0; i < about->states; i++)
        for (uint32_t digit = 0; digit < 10; digit++)
            opened->next[i][digit] = take_u16(reader);
    for (uint32_t i = 0; i < about->states; i++)
        opened->accept[i] = take_u8(reader);
    for (uint32_t i = 0; i < about->states; i++)
        opened->hint[i] = take_u8(reader);
    for (uint32_t i = 0; i < about->leaves; i++) {
        opened->leaves[i].lengths = take_u16(reader);
        opened->leaves[i].label = take_u8(reader);
    }
    for (uint32_t i = 0; i < about->codes; i++) {
        opened->codes[i].calling_code = take_u16(reader);
        opened->codes[i].lengths = take_u16(reader);
        opened->codes[i].first_country = take_u16(reader);
        opened->codes[i].country_count = take_u8(reader);
    }
    for (uint32_t i = 0; i < about->countries; i++) {
        opened->countries[i][0] = (char)take_u8(reader);
        opened->countries[i][1] = (char)take_u8(reader);
    }
}

/* ---- proof: nothing in it leads outside -------------------------------------------------------
 */

/* How many countries a calling code must have for this label, or for this place. */
static uint8_t
countries_for(uint8_t label)
{
    return label == 0 ? 0 : (uint8_t)((label - 1) / 2 + 1);
}

static uint8_t
node_reach(const struct opened_table *opened, uint32_t node)
{
    uint32_t leaves = opened->table.about.leaves;
    return node < leaves ? countries_for(opened->leaves[node].label) : opened->reach[node - leaves];
}

static bool
prove_states(const struct reader *reader, const struct opened_table *opened)
{
    const struct phone_table_about *about = &opened->table.about;
    if (opened->leaves[0].lengths != 0 || opened->leaves[0].label != 0)
        return refuse(reader, "its leaf of no numbers has some");
    for (uint32_t i = 0; i < about->states; i++) {
        uint8_t reach = countries_for(opened->accept[i]);
        if (opened->hint[i] == UINT8_MAX)
            return refuse(reader, "a state has a country out of range");
        if (opened->hint[i] + 1 > reach)
            reach = opened->hint[i] + 1;
        for (uint32_t digit = 0; digit < 10; digit++) {
            uint32_t node = opened->next[i][digit];
            if (node >= (uint32_t)about->leaves + i)
                return refuse(reader, "a state does not lead to one before it");
            uint8_t below = node_reach(opened, node);
            reach = below > reach ? below : reach;
        }
        opened->reach[i] = reach;
    }
    return true;
}

static bool
prove_codes(const struct reader *reader, const struct opened_table *opened)
{
    const struct phone_table_about *about = &opened->table.about;
    for (uint32_t i = 0; i < about->countries; i++)
        for (uint32_t n = 0; n < 2; n++)
            if (opened->countries[i][n] < 'A' || opened->countries[i][n] > 'Z')
                return refuse(reader, "a country is not two capital letters");
    for (uint32_t i = 0; i < about->codes; i++)
        if ((uint32_t)opened->codes[i].first_country + opened->codes[i].country_count >
            about->countries)
            return refuse(reader, "a calling code has countries out of range");
    return true;
}

static bool
prove_roots(const struct reader *reader, const struct opened_table *opened)
{
    const struct phone_table_about *about = &opened->table.about;
    for (uint32_t i = 0; i < PHONE_ROOTS; i++) {
        uint32_t node = opened->root[i];
        if (node >= (uint32_t)about->states + about->leaves || opened->root_code[i] > about->codes)
            return refuse(reader, "a calling code leads out of the table");
        if (opened->root_code[i] == 0)
            continue;
        const struct phone_code *code = &opened->codes[opened->root_code[i] - 1];
        uint32_t written = code->calling_code;
        if (written == 0 || (written != i && written != i / 10 && written != i / 100))
            return refuse(reader, "a calling code is not at its digits");
        if (node_reach(opened, node) > code->country_count)
            return refuse(reader, "a calling code has too few countries");
    }
    return true;
}

/* ---- opening and closing ----------------------------------------------------------------------
 */

const struct phone_table *
phone_table_open_bytes(struct span bytes, const char *name, struct error_text *error)
{
    struct reader reader = {(const unsigned char *)bytes.data, name, error};
    if (!read_head(&reader, bytes))
        return NULL;
    struct opened_table *opened = check_alloc(1, sizeof(*opened));
    bool good = read_counts(&reader, opened, bytes.size);
    if (good) {
        take_memory(opened);
        read_body(&reader, opened);
        check(reader.at == (const unsigned char *)bytes.data + bytes.size);
        good = prove_states(&reader, opened) && prove_codes(&reader, opened) &&
               prove_roots(&reader, opened);
    }
    if (good)
        return &opened->table;
    phone_table_close(&opened->table);
    return NULL;
}

const struct phone_table *
phone_table_open(const char *path, struct error_text *error)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        error_set(error, "%s: %s", path, strerror(errno));
        return NULL;
    }
    char *memory = check_alloc(1, FILE_SIZE_MAX);
    size_t size = fread(memory, 1, FILE_SIZE_MAX, file);
    const struct phone_table *table = NULL;
    if (ferror(file) != 0)
        error_set(error, "%s: cannot be read: %s", path, strerror(errno));
    else if (size == FILE_SIZE_MAX)
        error_set(error, "%s: larger than %d bytes: is it a phone table?", path, FILE_SIZE_MAX);
    else
        table = phone_table_open_bytes((struct span){memory, size}, path, error);
    fclose(file);
    free(memory);
    return table;
}

void
phone_table_close(const struct phone_table *table)
{
    if (table == NULL || table == phone_table_builtin())
        return;
    struct opened_table *opened = (struct opened_table *)table;
    free(opened->next);
    free(opened->accept);
    free(opened->hint);
    free(opened->reach);
    free(opened->leaves);
    free(opened->codes);
    free(opened->countries);
    free(opened);
}
