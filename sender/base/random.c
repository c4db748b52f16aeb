#include "sender/base/random.h"
#include "sender/base/check.h"

static uint64_t
rotate(uint64_t x, int k)
{
    return x << k | x >> (64 - k);
}

void
random_seed(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++) {
        uint64_t z = (seed += 0x9e3779b97f4a7c15u);
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        random->state[i] = z ^ z >> 31;
    }
}

uint64_t
random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate(s[3], 45);
    return result;
}

uint64_t
random_below(struct random *random, uint64_t limit)
{
    check(limit > 0);
    return (uint64_t)(((unsigned __int128)random_next(random) * limit) >> 64);
}

double
random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1.0p-53;
}

bool
random_chance(struct random *random, double probability)
{
    return random_unit(random) < probability;
}
