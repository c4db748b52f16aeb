#include "templates/policy/train/measure.h"

#include "sender/base/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const languages[] = {"en", "fr", "es", "pt", "de", "it",
                                        "nl", "id", "hi", "ar", "tr", "ru"};
enum { LANGUAGES = sizeof(languages) / sizeof(languages[0]), ROWS_MAX = 40000 };

struct scores {
    uint32_t count;
    double margins[ROWS_MAX];
};

struct measuring {
    struct reading reading;
    struct features features;
    struct scores all[2]; /* notifications, promotional; the twelve languages */
    struct scores by_language[LANGUAGES + 1][2];
    struct scores chat;
};

static int
compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static void
take(struct scores *scores, double margin)
{
    if (scores->count < ROWS_MAX)
        scores->margins[scores->count++] = margin;
}

/* The chance that a promotional text has the higher margin: the area under the curve. */
static double
area(struct scores *fine, const struct scores *promotional)
{
    double sum = 0;
    qsort(fine->margins, fine->count, sizeof(double), compare);
    for (uint32_t i = 0; i < promotional->count; i++) {
        uint32_t below = 0;
        uint32_t high = fine->count;
        while (below < high) {
            uint32_t middle = (below + high) / 2;
            if (fine->margins[middle] < promotional->margins[i])
                below = middle + 1;
            else
                high = middle;
        }
        sum += below;
    }
    return sum / ((double)fine->count * promotional->count);
}

static double
caught_above(const struct scores *promotional, double threshold)
{
    uint32_t caught = 0;
    for (uint32_t i = 0; i < promotional->count; i++)
        caught += promotional->margins[i] > threshold;
    return (double)caught / promotional->count;
}

static void
take_row(struct measuring *measuring, const struct learner *learner, char *row)
{
    char *label = strsep(&row, "\t");
    char *language = strsep(&row, "\t");
    (void)strsep(&row, "\t");
    if (row == NULL)
        return;
    struct span text = span_of(row);
    if (text.size > READING_CHUNK)
        text.size = READING_CHUNK;
    reading_take(text, &measuring->reading);
    features_take(&measuring->reading, 0, measuring->reading.count, true, &measuring->features);
    if (measuring->features.count == 0)
        return;
    double margin = learner_margin(learner, measuring->features.index, measuring->features.count);
    uint32_t number = 0;
    while (number < LANGUAGES && strcmp(languages[number], language) != 0)
        number++;
    int promotional = strcmp(label, "promo") == 0;
    if (strcmp(label, "ham") == 0)
        take(&measuring->chat, margin);
    if (!promotional && strcmp(label, "trans") != 0)
        return;
    take(&measuring->by_language[number][promotional], margin);
    if (number < LANGUAGES)
        take(&measuring->all[promotional], margin);
}

static void
print(struct measuring *measuring, const char *path)
{
    static const double shares[] = {0.005, 0.01, 0.02};
    struct scores *fine = &measuring->all[0];
    printf("%s: %u promotional, %u notifications, AUC %.4f", path, measuring->all[1].count,
           fine->count, area(fine, &measuring->all[1]));
    for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
        double threshold = fine->margins[(uint32_t)((double)fine->count * (1 - shares[i]))];
        printf("  R@%g%% %.3f (margin %.2f, chat %.4f)", shares[i] * 100,
               caught_above(&measuring->all[1], threshold), threshold,
               measuring->chat.count > 0 ? caught_above(&measuring->chat, threshold) : 0);
    }
    printf("\n");
    for (uint32_t i = 0; i <= LANGUAGES; i++) {
        struct scores *both = measuring->by_language[i];
        if (both[0].count > 0 && both[1].count > 0)
            printf("  %s %.3f", i < LANGUAGES ? languages[i] : "others", area(&both[0], &both[1]));
    }
    printf("\n");
}

bool
measure_file(const struct learner *learner, const char *path)
{
    FILE *file = fopen(path, "r");
    char *row = NULL;
    size_t size = 0;
    ssize_t length;
    if (file == NULL) {
        fprintf(stderr, "%s: cannot be read\n", path);
        return false;
    }
    struct measuring *measuring = check_alloc(1, sizeof(*measuring));
    while ((length = getline(&row, &size, file)) > 0) {
        row[strcspn(row, "\n")] = '\0';
        take_row(measuring, learner, row);
    }
    if (measuring->all[0].count > 0 && measuring->all[1].count > 0)
        print(measuring, path);
    free(measuring);
    free(row);
    fclose(file);
    return true;
}
