#include "sender/rules/allowance.h"

enum { ACCEPTED_PART = 8 };

uint32_t
allowance_size(const struct allowance *allowance)
{
    return allowance->size > 0 ? allowance->size : UINT32_MAX;
}

void
allowance_grow(struct allowance *allowance)
{
    if (allowance->size == 0)
        return;
    if (allowance->accepted < UINT32_MAX)
        allowance->accepted++;
    if (allowance->size < allowance->goal) {
        allowance->size++;
    } else if (++allowance->progress >= allowance->size) {
        allowance->progress = 0;
        allowance->size++;
    }
    if (allowance->size >= ALLOWANCE_MOST)
        allowance->size = 0;
}

void
allowance_cut(struct allowance *allowance, uint32_t under_way)
{
    uint32_t size = allowance->accepted / ACCEPTED_PART;
    allowance->goal = under_way / 2;
    if (size > allowance->goal)
        size = allowance->goal;
    allowance->size = size > ALLOWANCE_LEAST ? size : ALLOWANCE_LEAST;
    allowance->progress = allowance->accepted = 0;
}
