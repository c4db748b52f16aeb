#include "tests/simulation/fairness.h"

void
fairness_open(struct fairness *fairness, struct world *world, struct notices *notices)
{
    *fairness = (struct fairness){.world = world, .notices = notices};
}

void
fairness_written(struct fairness *fairness, struct notice *notice)
{
    notice->big_before = fairness->big;
}

void
fairness_read(struct fairness *fairness, uint32_t account, uint32_t number)
{
    if (account == 0) {
        fairness->big++;
        return;
    }
    struct notice *notice = &fairness->notices->notices[number];
    if (notice->read)
        return;
    notice->read = true;
    uint32_t passed = fairness->big - notice->big_before;
    if (passed <= fairness->longest)
        return;
    fairness->longest = passed;
    fairness->number = number;
}

void
fairness_judge(const struct fairness *fairness, uint32_t batch)
{
    world_tell(fairness->world, "audit", "at most %u exchanges of the large account passed, N-%u",
               fairness->longest, fairness->number);
    if (fairness->world->weather.fair && fairness->longest > batch)
        world_fault(fairness->world,
                    "N-%u waited while %u messages of the account with the backlog went, more than "
                    "one batch of %u",
                    fairness->number, fairness->longest, batch);
}
