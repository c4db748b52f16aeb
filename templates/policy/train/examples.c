#include "templates/policy/train/examples.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

void
examples_open(struct examples *examples)
{
    *examples = (struct examples){.capacity = 1024, .index_capacity = 1 << 20};
    examples->list = check_alloc(examples->capacity, sizeof(*examples->list));
    examples->indexes = check_alloc(examples->index_capacity, sizeof(*examples->indexes));
    examples->reading = check_alloc(1, sizeof(*examples->reading));
    examples->features = check_alloc(1, sizeof(*examples->features));
}

void
examples_close(struct examples *examples)
{
    free(examples->list);
    free(examples->indexes);
    free(examples->reading);
    free(examples->features);
}

static void *
grown(void *memory, size_t count, size_t size)
{
    void *larger = realloc(memory, count * size);
    check(larger != NULL);
    return larger;
}

void
examples_add(struct examples *examples, struct span text, bool promotional, float weight)
{
    struct features *features = examples->features;
    if (text.size > READING_CHUNK)
        text.size = READING_CHUNK;
    reading_take(text, examples->reading);
    features_take(examples->reading, 0, examples->reading->count, true, features);
    if (features->count == 0)
        return;
    if (examples->count == examples->capacity) {
        examples->capacity *= 2;
        examples->list = grown(examples->list, examples->capacity, sizeof(*examples->list));
    }
    while (examples->index_count + features->count > examples->index_capacity) {
        examples->index_capacity *= 2;
        examples->indexes =
            grown(examples->indexes, examples->index_capacity, sizeof(*examples->indexes));
    }
    examples->list[examples->count++] = (struct example){.first = examples->index_count,
                                                         .count = features->count,
                                                         .weight = weight,
                                                         .promotional = promotional};
    memcpy(examples->indexes + examples->index_count, features->index,
           features->count * sizeof(*features->index));
    examples->index_count += features->count;
}
