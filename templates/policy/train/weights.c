#include "templates/policy/train/weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WEIGHTS = 1 << FEATURES_BITS, ROW = 64, STEPS = 127 };

static int
compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;
    return (x > y) - (x < y);
}

/* A step such that one weight in two thousand is cut off: a few are very large. */
static double
step_of(const struct learner *learner)
{
    float *sizes = malloc(WEIGHTS * sizeof(*sizes));
    uint32_t count = 0;
    if (sizes == NULL)
        return 0;
    for (uint32_t i = 0; i < WEIGHTS; i++)
        if (learner->weights[i] != 0)
            sizes[count++] = fabsf(learner->weights[i]);
    qsort(sizes, count, sizeof(*sizes), compare);
    double step = count == 0 ? 1 : (double)sizes[count - 1 - count / 2000] / STEPS;
    free(sizes);
    return step;
}

static int
quantised(float weight, double step)
{
    double steps = nearbyint((double)weight / step);
    return steps > STEPS ? STEPS : steps < -STEPS ? -STEPS : (int)steps;
}

static void
write_row(FILE *file, const struct learner *learner, uint32_t first, double step)
{
    char hex[2 * ROW + 1];
    bool some = false;
    for (uint32_t i = 0; i < ROW; i++) {
        int weight = quantised(learner->weights[first + i], step);
        some = some || weight != 0;
        snprintf(hex + (size_t)2 * i, 3, "%02x", (unsigned)weight & 0xff);
    }
    if (some)
        fprintf(file, "%u %s\n", first, hex);
}

bool
weights_write(const struct learner *learner, const struct corpus *corpus, const char *path)
{
    FILE *file = fopen(path, "w");
    double step = step_of(learner);
    if (file == NULL || step == 0) {
        fprintf(stderr, "%s: cannot be written\n", path);
        return false;
    }
    fprintf(file,
            "# Made by facteur-policy-train from templates/policy/corpus (%u lines); see "
            "README.md there.\n",
            corpus->line_count);
    fprintf(file, "bits %d\nbias %.0f\nunit %.0f\n", FEATURES_BITS, nearbyint(learner->bias * 1e6),
            nearbyint(step * 1e9));
    for (uint32_t i = 0; i < WEIGHTS; i += ROW)
        write_row(file, learner, i, step);
    return fclose(file) == 0;
}
