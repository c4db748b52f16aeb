#include "templates/policy/model.h"

#include "templates/policy/model_table.inc" /* made by the build */

#include <assert.h>
#include <math.h>
#include <string.h>

static_assert((int)MODEL_BITS == (int)FEATURES_BITS,
              "model.txt was made for features of another size: make it anew");

float
model_margin(const struct features *features)
{
    int32_t sum = 0;
    if (features->count == 0)
        return 0;
    for (uint32_t i = 0; i < features->count; i++)
        sum += model_weights[features->index[i]];
    return (float)(sum * model_unit / sqrt(features->count) + model_bias);
}

static bool
is_space(uint32_t symbol)
{
    return symbol == READING_SPACE || symbol == READING_BREAK;
}

/* From symbol `at`, that is part of a word, to the word's ends. */
static void
word_around(const struct reading *reading, uint32_t at, uint32_t *first, uint32_t *last)
{
    *first = *last = at;
    while (*first > 0 && !is_space(reading->symbols[*first - 1]))
        (*first)--;
    while (*last + 1 < reading->count && !is_space(reading->symbols[*last + 1]))
        (*last)++;
}

bool
model_find_words(const struct reading *reading, const struct features *features, uint32_t *first,
                 uint32_t *last)
{
    float weights[READING_SIZE];
    memset(weights, 0, reading->count * sizeof(*weights));
    for (uint32_t i = 0; i < features->count; i++) {
        uint32_t size = features->last[i] - features->first[i] + 1u;
        float share = (float)model_weights[features->index[i]] / (float)size;
        if (size == reading->count)
            continue; /* a fact about the whole */
        for (uint32_t at = features->first[i]; at <= features->last[i]; at++)
            weights[at] += share;
    }
    float best = 0;
    uint32_t place = reading->count;
    for (uint32_t at = 0; at < reading->count; at++) {
        float sum = 0; /* of the dozen symbols that begin here: about two words */
        for (uint32_t i = at; i < at + 12 && i < reading->count; i++)
            sum += weights[i];
        if (!is_space(reading->symbols[at]) && sum > best) {
            best = sum;
            place = at;
        }
    }
    if (place == reading->count)
        return false;
    uint32_t ignored;
    uint32_t end = place + 11 < reading->count ? place + 11 : reading->count - 1;
    while (is_space(reading->symbols[end]))
        end--;
    word_around(reading, place, first, &ignored);
    word_around(reading, end, &ignored, last);
    return true;
}
