#include "sender/cost/phone_table_state.h"

#include <string.h>

#include "sender/cost/phone_table.inc"

const struct phone_table *
phone_table_builtin(void)
{
    static const struct phone_table table = {
        .about =
            {
                .source = builtin_source,
                .version = builtin_version,
                .date = builtin_date,
                .sha256 = builtin_sha256,
                .states = BUILTIN_STATES,
                .leaves = BUILTIN_LEAVES,
                .codes = BUILTIN_CODES,
                .countries = BUILTIN_COUNTRIES,
            },
        .root = builtin_root,
        .root_code = builtin_root_code,
        .next = builtin_next,
        .accept = builtin_accept,
        .hint = builtin_hint,
        .leaves = builtin_leaves,
        .codes = builtin_codes,
        .countries = builtin_countries,
    };
    return &table;
}

void
phone_table_tell(const struct phone_table *table, struct phone_table_about *about)
{
    *about = table->about;
}

static uint32_t
root_of(const char *digits)
{
    return (uint32_t)(digits[0] - '0') * 100 + (uint32_t)(digits[1] - '0') * 10 +
           (uint32_t)(digits[2] - '0');
}

/* The label of a number of three digits or more. */
static uint8_t
walk(const struct phone_table *table, uint32_t node, const char *digits, size_t count)
{
    uint32_t leaves = table->about.leaves;
    size_t i = 3;
    while (node >= leaves) {
        if (i == count)
            return table->accept[node - leaves];
        node = table->next[node - leaves][digits[i++] - '0'];
    }
    const struct phone_leaf *leaf = &table->leaves[node];
    return (leaf->lengths >> (count - i) & 1) != 0 ? leaf->label : 0;
}

/* Of a number that does not exist: the place of the country that has those which begin like it, as
 * far as they exist. */
static uint8_t
nearest(const struct phone_table *table, uint32_t node, const char *digits, size_t count)
{
    uint32_t leaves = table->about.leaves;
    uint8_t place = 0;
    for (size_t i = 3; node >= leaves; i++) {
        place = table->hint[node - leaves];
        if (i >= count)
            return place;
        node = table->next[node - leaves][digits[i] - '0'];
    }
    uint8_t label = table->leaves[node].label;
    return label != 0 ? (uint8_t)((label - 1) / 2) : place;
}

static void
set_country(const struct phone_table *table, const struct phone_code *code, uint8_t place,
            struct phone *phone)
{
    memcpy(phone->country, table->countries[code->first_country + place], sizeof(phone->country));
    phone->calling_code = code->calling_code;
}

static enum phone_reason
judge_length(uint16_t lengths, size_t count)
{
    if ((lengths >> count & 1) != 0)
        return PHONE_UNASSIGNED;
    if (lengths >> count == 0)
        return PHONE_TOO_LONG;
    return (lengths & ((1u << count) - 1)) == 0 ? PHONE_TOO_SHORT : PHONE_BAD_LENGTH;
}

void
phone_table_find(const struct phone_table *table, const char *digits, size_t count,
                 struct phone *phone)
{
    phone->status = PHONE_INVALID;
    phone->reason = PHONE_TOO_SHORT;
    if (count < 3)
        return;
    uint32_t root = root_of(digits);
    if (table->root_code[root] == 0) {
        phone->reason = PHONE_UNKNOWN_CODE;
        return;
    }
    const struct phone_code *code = &table->codes[table->root_code[root] - 1];
    uint8_t label = walk(table, table->root[root], digits, count);
    if (label != 0) {
        phone->status = (label - 1) % 2 == 0 ? PHONE_VALID : PHONE_LEGACY;
        phone->reason = PHONE_GOOD;
        set_country(table, code, (uint8_t)((label - 1) / 2), phone);
        return;
    }
    if (code->country_count == 0) {
        phone->reason = PHONE_NO_COUNTRY;
        return;
    }
    phone->reason = judge_length(code->lengths, count);
    phone->status = phone->reason == PHONE_UNASSIGNED ? PHONE_UNLISTED : PHONE_INVALID;
    set_country(table, code, nearest(table, table->root[root], digits, count), phone);
}
