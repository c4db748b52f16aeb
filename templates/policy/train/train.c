/*
 * facteur-policy-train - makes templates/policy/model.txt from our own corpus, the same to the bit
 * from the same files.
 *
 *   facteur-policy-train --corpus templates/policy/corpus --out templates/policy/model.txt
 *   facteur-policy-train --corpus … --measure FILE.tsv        label<TAB>lang<TAB>source<TAB>text
 */
#include "sender/base/check.h"
#include "templates/policy/train/corpus.h"
#include "templates/policy/train/learner.h"
#include "templates/policy/train/measure.h"
#include "templates/policy/train/variants.h"
#include "templates/policy/train/weights.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* How often a line is expanded, and what one of its texts weighs. */
static const struct {
    uint32_t expansions;
    float weight;
} shares[CORPUS_LABELS] = {
    [CORPUS_TRANS] = {6, 1.0f}, [CORPUS_NEAR] = {8, 1.5f},  [CORPUS_HAM] = {6, 1.0f},
    [CORPUS_VALUE] = {4, 0.7f}, [CORPUS_PROMO] = {6, 1.0f}, [CORPUS_BAIT] = {5, 0.7f},
    [CORPUS_MIXED] = {5, 1.0f},
};

struct training {
    struct corpus corpus;
    struct examples examples;
    struct random random;
    struct error_text error;
    uint32_t by_label[CORPUS_LABELS];
};

enum { OTHER_TEXT = 2 * CORPUS_TEXT_MAX + 16 };

/* Another line of the same language with this label, expanded; false if there is none. */
static bool
take_other(struct training *training, const struct corpus_line *line, enum corpus_label label,
           struct buffer *out)
{
    const struct corpus *corpus = &training->corpus;
    const struct corpus_line *chosen = NULL;
    for (uint32_t tries = 0; tries < 400 && chosen == NULL; tries++) {
        const struct corpus_line *one =
            &corpus->lines[random_below(&training->random, corpus->line_count)];
        if (one->label == label &&
            strcmp(corpus->languages[one->language], corpus->languages[line->language]) == 0)
            chosen = one;
    }
    return chosen != NULL &&
           corpus_expand(corpus, chosen, &training->random, out, &training->error);
}

static void
add_variants(struct training *training, const struct corpus_line *line, struct span text)
{
    char other_memory[CORPUS_TEXT_MAX];
    char memory[4 * OTHER_TEXT];
    struct buffer other;
    struct buffer out;
    struct random *random = &training->random;
    bool promotional = corpus_is_promotional(line->label);
    buffer_init(&other, other_memory, sizeof(other_memory));
    buffer_init(&out, memory, sizeof(memory));
    if (line->label == CORPUS_TRANS && random_chance(random, 0.4) &&
        take_other(training, line, random_chance(random, 0.5) ? CORPUS_PROMO : CORPUS_BAIT,
                   &other)) {
        if (random_chance(random, 0.75))
            variants_join(text, buffer_span(&other), random, &out);
        else
            variants_join(buffer_span(&other), text, random, &out);
        examples_add(&training->examples, buffer_span(&out), true, 0.6f);
    }
    if (line->label == CORPUS_TRANS && random_chance(random, 0.3) &&
        take_other(training, line, random_chance(random, 0.7) ? CORPUS_TRANS : CORPUS_NEAR,
                   &other)) {
        variants_join(text, buffer_span(&other), random, &out);
        examples_add(&training->examples, buffer_span(&out), false, 0.6f);
    }
    if (random_chance(random, promotional ? 0.35 : 0.05)) {
        variants_disguise(text, random, &out);
        examples_add(&training->examples, buffer_span(&out), promotional, 0.5f);
    }
    if (random_chance(random, 0.08)) {
        variants_shout(text, &out);
        examples_add(&training->examples, buffer_span(&out), promotional, 0.5f);
    }
}

static bool
add_line(struct training *training, const struct corpus_line *line)
{
    char memory[CORPUS_TEXT_MAX];
    struct buffer text;
    buffer_init(&text, memory, sizeof(memory));
    bool varies = memchr(line->text.data, '[', line->text.size) != NULL ||
                  memchr(line->text.data, '{', line->text.size) != NULL;
    uint32_t count = varies ? shares[line->label].expansions : 2;
    float weight = shares[line->label].weight * (varies ? 1.0f : 1.5f);
    training->by_label[line->label]++;
    for (uint32_t i = 0; i < count; i++) {
        if (!corpus_expand(&training->corpus, line, &training->random, &text, &training->error))
            return false;
        examples_add(&training->examples, buffer_span(&text), corpus_is_promotional(line->label),
                     weight);
        add_variants(training, line, buffer_span(&text));
    }
    return true;
}

static int
usage(void)
{
    fprintf(stderr, "usage: facteur-policy-train --corpus FOLDER [--out FILE] [--seed N] "
                    "[--rounds N] [--measure FILE.tsv]...\n");
    return 64;
}

static void
tell(const struct training *training)
{
    fprintf(stderr, "%u lines:", training->corpus.line_count);
    for (int i = 0; i < CORPUS_LABELS; i++)
        fprintf(stderr, " %u %s", training->by_label[i], corpus_label_text((enum corpus_label)i));
    fprintf(stderr, "; %u examples, %zu features\n", training->examples.count,
            training->examples.index_count);
}

int
main(int argc, char **argv)
{
    static struct training training;
    struct learner learner;
    struct learner_settings settings = {.rounds = 8, .rate = 0.4f, .decay = 1e-3f};
    const char *corpus = NULL;
    const char *out = NULL;
    uint64_t seed = 1;
    for (int i = 1; i < argc; i += 2) {
        if (i + 1 == argc)
            return usage();
        if (strcmp(argv[i], "--corpus") == 0)
            corpus = argv[i + 1];
        else if (strcmp(argv[i], "--out") == 0)
            out = argv[i + 1];
        else if (strcmp(argv[i], "--seed") == 0)
            seed = strtoull(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--rounds") == 0)
            settings.rounds = (uint32_t)strtoul(argv[i + 1], NULL, 10);
        else if (strcmp(argv[i], "--measure") != 0)
            return usage();
    }
    if (corpus == NULL)
        return usage();
    random_seed(&training.random, seed);
    examples_open(&training.examples);
    bool good = corpus_open(&training.corpus, corpus, &training.error);
    for (uint32_t i = 0; good && i < training.corpus.line_count; i++)
        good = add_line(&training, &training.corpus.lines[i]);
    if (!good) {
        fprintf(stderr, "%s\n", training.error.text);
        return 65;
    }
    tell(&training);
    learner_open(&learner);
    learner_run(&learner, &training.examples, &settings, &training.random);
    for (int i = 1; i < argc; i += 2)
        if (strcmp(argv[i], "--measure") == 0 && !measure_file(&learner, argv[i + 1]))
            return 65;
    good = out == NULL || weights_write(&learner, &training.corpus, out);
    learner_close(&learner);
    examples_close(&training.examples);
    corpus_close(&training.corpus);
    return good ? 0 : 74;
}
