#include "sender/rules/share.h"

#include "sender/base/random.h"
#include "tests/unit/test.h"

enum { QUANTUM = 64, MANY = 1000 };

static struct share share;
static struct share_turn turns[MANY];

static void
start(void)
{
    share_init(&share, QUANTUM);
    for (int i = 0; i < MANY; i++)
        turns[i] = (struct share_turn){0};
}

static int
number_of(const struct share_turn *turn)
{
    return (int)(turn - turns);
}

/* The first takes what it may, at most `units`. Returns who it was. */
static int
take(uint32_t units)
{
    struct share_turn *turn = share_first(&share);
    uint32_t credit = share_credit(&share);
    share_pay(&share, turn, credit < units ? credit : units);
    return number_of(turn);
}

static void
nobody_wants_anything(void)
{
    start();
    expect(share_first(&share) == NULL);
    share_leave(&share, &turns[0]); /* allowed */
    share_join(&share, &turns[0]);
    share_join(&share, &turns[0]); /* stands there already */
    expect_u64(share.count, 1);
    share_leave(&share, &turns[0]);
    expect(share_first(&share) == NULL);
    expect(!share_has(&turns[0]));
}

static void
alone_it_takes_all(void)
{
    start();
    share_join(&share, &turns[0]);
    for (int i = 0; i < 10; i++) {
        expect(share_first(&share) == &turns[0]);
        expect_u64(share_credit(&share), UINT32_MAX);
        share_pay(&share, &turns[0], 100000);
    }
    expect_u64(turns[0].credit, 0); /* and owes nobody for it */
    share_join(&share, &turns[1]);
    expect(share_first(&share) == &turns[0]);
    expect_u64(share_credit(&share), QUANTUM);
}

static void
turns_go_round(void)
{
    start();
    for (int i = 0; i < 3; i++)
        share_join(&share, &turns[i]);
    for (int round = 0; round < 5; round++)
        for (int i = 0; i < 3; i++)
            expect(take(1000) == i);
}

/* There was no room for the rest of its turn: it goes on when there is. */
static void
a_turn_may_come_in_pieces(void)
{
    start();
    share_join(&share, &turns[0]);
    share_join(&share, &turns[1]);
    expect(take(60) == 0);
    expect(share_first(&share) == &turns[0]);
    expect_u64(share_credit(&share), 4);
    expect(take(1000) == 0);
    expect(share_first(&share) == &turns[1]);
    expect_u64(share_credit(&share), QUANTUM);
}

static void
a_debt_is_made_up_for(void)
{
    start();
    share_join(&share, &turns[0]);
    share_join(&share, &turns[1]);
    share_pay(&share, share_first(&share), 3 * QUANTUM); /* a bulk entry is taken whole */
    int others = 0;
    while (take(1000) == 1)
        others++;
    expect_u64(others, 3);
}

/* A debt is paid late, when it is known, and is not got rid of by leaving. */
static void
who_leaves_still_owes(void)
{
    start();
    share_join(&share, &turns[0]);
    share_join(&share, &turns[1]);
    expect(share_first(&share) == &turns[0]);
    share_leave(&share, &turns[0]);
    share_pay(&share, &turns[0], 3 * QUANTUM); /* a turn, and two that it did not have */
    share_join(&share, &turns[0]);
    expect(take(1000) == 1);
    expect(take(1000) == 1);
    expect(take(1000) == 1);
    expect(take(1000) == 0);
}

static void
a_debt_has_an_end(void)
{
    start();
    share_join(&share, &turns[0]);
    share_join(&share, &turns[1]);
    share_pay(&share, share_first(&share), UINT32_MAX);
    int others = 0;
    while (take(1000) == 1 && others < 1000)
        others++;
    expect(others < 100);
}

static void
who_cannot_passes(void)
{
    start();
    for (int i = 0; i < 3; i++)
        share_join(&share, &turns[i]);
    expect(share_first(&share) == &turns[0]);
    share_pass(&share);
    expect(share_first(&share) == &turns[1]);
    share_pass(&share);
    expect(take(1000) == 2);
    expect(take(1000) == 0); /* no double turn for having passed */
    expect(take(1000) == 1);
}

/* The promise: beside one with a million, a newcomer waits for one quantum, not for the million. */
static void
a_newcomer_waits_for_one_turn(void)
{
    start();
    share_join(&share, &turns[0]);
    struct random random;
    random_seed(&random, 1);
    uint64_t million = 1000000;
    while (million > 100000) {
        share_first(&share);
        share_pay(&share, &turns[0], 512); /* alone: batches as large as it likes */
        million -= 512;
        if (!random_chance(&random, 0.3))
            continue;
        share_join(&share, &turns[1]);
        uint32_t before = 0;
        for (struct share_turn *turn; (turn = share_first(&share)) != &turns[1];) {
            uint32_t credit = share_credit(&share);
            before += credit;
            million -= credit;
            share_pay(&share, turn, credit);
        }
        expect(before <= QUANTUM);
        share_pay(&share, &turns[1], 1);
        share_leave(&share, &turns[1]);
    }
}

/* Whatever comes and goes: who stays is never behind another by more than two turns and one bulk,
 * and the ring holds exactly those who want something. */
static void
shares_are_fair_at_random(void)
{
    struct random random;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t taken[20] = {0};
        uint32_t in_ring = 2;
        start();
        random_seed(&random, seed);
        share_join(&share, &turns[0]); /* these two stay */
        share_join(&share, &turns[1]);
        for (int step = 0; step < 5000; step++) {
            struct share_turn *other = &turns[2 + random_below(&random, 18)];
            if (random_chance(&random, 0.2) && !share_has(other)) {
                share_join(&share, other);
                in_ring++;
            } else if (random_chance(&random, 0.2) && share_has(other)) {
                share_leave(&share, other);
                in_ring--;
            }
            struct share_turn *turn = share_first(&share);
            uint32_t credit = share_credit(&share);
            uint32_t units = 1 + (uint32_t)random_below(&random, 2 * QUANTUM);
            if (units > credit + QUANTUM - 1) /* a bulk of 64 may pass the limit */
                units = credit + QUANTUM - 1;
            share_pay(&share, turn, units);
            taken[number_of(turn)] += units;
            uint64_t more = taken[0] > taken[1] ? taken[0] - taken[1] : taken[1] - taken[0];
            expect(more <= 3 * QUANTUM);
            expect_u64(share.count, in_ring);
        }
    }
}

/* What a thousand of whom one wants something cost: as much as that one. */
static void
who_wants_nothing_is_not_met(void)
{
    start();
    for (int i = 0; i < MANY; i++)
        share_join(&share, &turns[i]);
    for (int i = 0; i < MANY; i++)
        if (i != 500)
            share_leave(&share, &turns[i]);
    expect_u64(share.count, 1);
    expect(turns[500].next == &turns[500] && turns[500].previous == &turns[500]);
    expect(share_first(&share) == &turns[500]);
}

static void
mistakes_abort(void)
{
    start();
    expect_abort(share_init(&share, 0));
    expect_abort(share_credit(&share));
    expect_abort(share_pass(&share));
}

int
main(void)
{
    TEST(nobody_wants_anything);
    TEST(alone_it_takes_all);
    TEST(turns_go_round);
    TEST(a_turn_may_come_in_pieces);
    TEST(a_debt_is_made_up_for);
    TEST(who_leaves_still_owes);
    TEST(a_debt_has_an_end);
    TEST(who_cannot_passes);
    TEST(a_newcomer_waits_for_one_turn);
    TEST(shares_are_fair_at_random);
    TEST(who_wants_nothing_is_not_met);
    TEST(mistakes_abort);
    return test_end();
}
