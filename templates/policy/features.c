#include "templates/policy/features.h"

#include <string.h>

/* Kinds of features: a word and a piece of the same letters are two. */
enum { KIND_WORD = 1, KIND_PAIR, KIND_PIECE, KIND_IDEOGRAPHS, KIND_FACT };
enum { FACT_REPAIRED, FACT_CAPITALS, FACT_EXCLAIMED, FACT_PICTURE, FACT_PICTURES, FACT_LINE };

static uint64_t
mix(uint64_t hash, uint64_t value)
{
    hash = (hash ^ value) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

static void
add(struct features *features, uint64_t hash, uint32_t first, uint32_t last)
{
    hash *= 0xbf58476d1ce4e5b9u;
    uint32_t index = (uint32_t)(hash >> (64 - FEATURES_BITS));
    uint32_t mask = features->table_size - 1;
    uint32_t place = index & mask;
    while (features->table[place] != 0) {
        if (features->table[place] == index + 1)
            return;
        place = (place + 1) & mask;
    }
    if (features->count == FEATURES_MAX || features->count + 1 >= features->table_size)
        return;
    features->table[place] = index + 1;
    features->index[features->count] = index;
    features->first[features->count] = (uint16_t)first;
    features->last[features->count] = (uint16_t)last;
    features->count++;
}

static bool
is_space(uint32_t symbol)
{
    return symbol == READING_SPACE || symbol == READING_BREAK;
}

static void
add_words(const struct reading *reading, uint32_t from, uint32_t to, struct features *features)
{
    uint64_t before = 0;
    uint32_t before_at = from;
    uint32_t at = from;
    while (at < to) {
        if (is_space(reading->symbols[at])) {
            if (reading->symbols[at] == READING_BREAK)
                before = 0;
            at++;
            continue;
        }
        uint64_t hash = KIND_WORD;
        uint32_t start = at;
        while (at < to && !is_space(reading->symbols[at]))
            hash = mix(hash, reading->symbols[at++]);
        add(features, hash, start, at - 1);
        if (before != 0)
            add(features, mix(mix(KIND_PAIR, before), hash), before_at, at - 1);
        before = hash;
        before_at = start;
    }
}

/* A sum of products instead of a chain: the processor does them side by side. */
static uint64_t
piece(const uint32_t *symbols)
{
    static const uint64_t factors[] = {0x9e3779b97f4a7c15u, 0xc2b2ae3d27d4eb4fu,
                                       0x165667b19e3779f9u, 0xd6e8feb86659fd93u};
    uint64_t sum = KIND_PIECE;
    for (uint32_t i = 0; i < 4; i++)
        sum += (symbols[i] == READING_BREAK ? READING_SPACE : symbols[i]) * factors[i];
    return sum ^ sum >> 29;
}

/* Four symbols in a row, a space counting as one; two of a script that does not part words. */
static void
add_pieces(const struct reading *reading, uint32_t from, uint32_t to, struct features *features)
{
    const uint32_t *symbols = reading->symbols;
    for (uint32_t at = from; at < to; at++) {
        if (reading_is_ideograph(symbols[at]) && at + 1 < to && !is_space(symbols[at + 1]))
            add(features, mix(mix(KIND_IDEOGRAPHS, symbols[at]), symbols[at + 1]), at, at + 1);
        if (at + 4 > to)
            continue;
        add(features, piece(symbols + at), at, at + 3);
    }
}

static void
add_facts(const struct reading *reading, struct features *features)
{
    const bool facts[] = {
        [FACT_REPAIRED] = reading->repairs > 0,
        [FACT_CAPITALS] = reading->capitals > 2 && reading->capitals * 3 > reading->words,
        [FACT_EXCLAIMED] = reading->exclamations > 1,
        [FACT_PICTURE] = reading->pictures > 0,
        [FACT_PICTURES] = reading->pictures > 2,
    };
    for (uint32_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++)
        if (facts[i])
            add(features, mix(KIND_FACT, i), 0, reading->count > 0 ? reading->count - 1 : 0);
}

void
features_take(const struct reading *reading, uint32_t from, uint32_t to, bool whole,
              struct features *features)
{
    uint32_t need = 4 * (to - from) + 64;
    features->table_size = 256;
    while (features->table_size < need && features->table_size < FEATURES_TABLE)
        features->table_size *= 2;
    memset(features->table, 0, features->table_size * sizeof(*features->table));
    features->count = 0;
    add_words(reading, from, to, features);
    add_pieces(reading, from, to, features);
    if (whole)
        add_facts(reading, features);
}
