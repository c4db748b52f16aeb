#include "templates/policy/learnt.h"

#include "templates/policy/model.h"

enum { OVERLAP = 256 }; /* bytes that two chunks share */

/* Where a chunk that starts at `at` ends: never within a character. */
static uint32_t
chunk_end(struct span text, uint32_t at)
{
    if (text.size - at <= READING_CHUNK)
        return (uint32_t)text.size;
    uint32_t end = at + READING_CHUNK;
    while (end > at + READING_CHUNK - 4 && ((unsigned char)text.data[end] & 0xc0) == 0x80)
        end--;
    return end;
}

static void
judge_chunk(struct span chunk, uint32_t base, float explain, struct learnt *learnt)
{
    struct reading reading;
    struct features features;
    uint32_t first;
    uint32_t last;
    reading_take(chunk, &reading);
    features_take(&reading, 0, reading.count, true, &features);
    float margin = model_margin(&features);
    if (base > 0 && margin <= learnt->margin)
        return;
    *learnt = (struct learnt){.margin = margin, .words = reading.words};
    if (margin >= explain && model_find_words(&reading, &features, &first, &last)) {
        learnt->start = base + reading.starts[first];
        learnt->end = base + reading.ends[last];
    }
}

void
learnt_judge(struct span text, float explain, struct learnt *learnt)
{
    uint32_t at = 0;
    *learnt = (struct learnt){0};
    while (at < text.size) {
        uint32_t end = chunk_end(text, at);
        judge_chunk((struct span){text.data + at, end - at}, at, explain, learnt);
        at = end == text.size ? end : end - OVERLAP;
        while (at < text.size && ((unsigned char)text.data[at] & 0xc0) == 0x80)
            at++;
    }
}
