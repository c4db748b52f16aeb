#include "tests/simulation/fairness.h"

void
fairness_open(struct fairness *fairness, struct world *world, struct notices *notices)
{
    *fairness = (struct fairness){.world = world, .notices = notices};
}

void
fairness_written(struct fairness *fairness, struct notice *notice)
{
    /* One that finds others of its own account before it waits for them, too. */
    notice->measured = notice->account > 0 && fairness->waiting[notice->account]++ == 0;
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
    fairness->waiting[account]--;
    if (!notice->measured)
        return;
    fairness->measured++;
    uint32_t passed = fairness->big - notice->big_before;
    if (passed <= fairness->longest)
        return;
    fairness->longest = passed;
    fairness->number = number;
}

void
fairness_judge(const struct fairness *fairness, uint32_t capacity)
{
    uint32_t batch = 2 * capacity < FAIR_TURN ? FAIR_TURN : 2 * capacity;
    world_tell(fairness->world, "audit",
               "at most %u exchanges of the large account passed, at N-%u, of %u",
               fairness->longest, fairness->number, fairness->measured);
    if (fairness->world->weather.fair && fairness->longest > batch)
        world_fault(fairness->world,
                    "N-%u waited while %u messages of the account with the backlog went, more than "
                    "one batch of %u",
                    fairness->number, fairness->longest, batch);
}
