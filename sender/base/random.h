/*
 * random - chance as an argument: everything that rolls dice takes a struct random, so a seed
 * replays a run. xoshiro256** seeded through splitmix64; not for secrets (random_secret is).
 */
#ifndef FACTEUR_SENDER_BASE_RANDOM_H
#define FACTEUR_SENDER_BASE_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_next(struct random *random);
uint64_t random_below(struct random *random, uint64_t limit); /* 0 .. limit - 1; limit > 0 */
double random_unit(struct random *random);                    /* 0 <= x < 1 */
bool random_chance(struct random *random, double probability);

/* `size` bytes from the kernel, for keys and names that must never repeat. Aborts if refused. */
void random_secret(void *data, size_t size);

#endif
