#include "templates/policy/train/learner.h"

#include "sender/base/check.h"

#include <math.h>
#include <stdlib.h>

enum { WEIGHTS = 1 << FEATURES_BITS };

void
learner_open(struct learner *learner)
{
    *learner = (struct learner){0};
    learner->weights = check_alloc(WEIGHTS, sizeof(*learner->weights));
    learner->squares = check_alloc(WEIGHTS, sizeof(*learner->squares));
}

void
learner_close(struct learner *learner)
{
    free(learner->weights);
    free(learner->squares);
}

double
learner_margin(const struct learner *learner, const uint32_t *indexes, uint32_t count)
{
    double sum = 0;
    for (uint32_t i = 0; i < count; i++)
        sum += (double)learner->weights[indexes[i]];
    return sum / sqrt((double)count) + learner->bias;
}

static void
learn_one(struct learner *learner, const uint32_t *indexes, const struct example *example,
          const struct learner_settings *settings)
{
    double margin = learner_margin(learner, indexes, example->count);
    double wanted = example->promotional ? 1 : 0;
    double error = (1 / (1 + exp(-margin)) - wanted) * (double)example->weight;
    float step = (float)(error / sqrt((double)example->count));
    for (uint32_t i = 0; i < example->count; i++) {
        float *weight = &learner->weights[indexes[i]];
        float *squares = &learner->squares[indexes[i]];
        float gradient = step + settings->decay * *weight;
        *squares += gradient * gradient;
        *weight -= settings->rate * gradient / (sqrtf(*squares) + 1e-6f);
    }
    learner->bias_squares += error * error;
    learner->bias -= (double)settings->rate * error / (sqrt(learner->bias_squares) + 1e-6);
}

void
learner_run(struct learner *learner, const struct examples *examples,
            const struct learner_settings *settings, struct random *random)
{
    uint32_t *order = check_alloc(examples->count, sizeof(*order));
    for (uint32_t i = 0; i < examples->count; i++)
        order[i] = i;
    for (uint32_t round = 0; round < settings->rounds; round++) {
        for (uint32_t i = examples->count; i > 1; i--) {
            uint32_t other = (uint32_t)random_below(random, i);
            uint32_t kept = order[i - 1];
            order[i - 1] = order[other];
            order[other] = kept;
        }
        for (uint32_t i = 0; i < examples->count; i++) {
            const struct example *example = &examples->list[order[i]];
            learn_one(learner, examples->indexes + example->first, example, settings);
        }
    }
    free(order);
}
