#include "sender/rules/floor.h"

#include "tests/unit/test.h"

enum { URGENT, LATER, QUEUE };

/* Everything that may go does, and is paid. */
static void
go(struct floor *floor, uint32_t room, const uint32_t waiting[3], uint32_t split[3])
{
    floor_split(floor, room, waiting, split);
    floor_pay(floor, waiting, split);
}

static void
rooms_are_split(void)
{
    static const struct {
        uint32_t room, waiting[3], split[3];
    } cases[] = {
        {0, {5, 5, 5}, {0, 0, 0}},
        {10, {0, 0, 0}, {0, 0, 0}},
        {10, {3, 2, 1}, {3, 2, 1}},        /* there is room for all */
        {64, {100, 100, 100}, {48, 8, 8}}, /* an eighth each */
        {64, {100, 0, 100}, {56, 0, 8}},   /* who does not wait has no floor */
        {64, {10, 100, 100}, {10, 46, 8}}, /* precedence with what is left over */
        {64, {100, 3, 100}, {53, 3, 8}},   /* less waits than its floor */
        {64, {0, 0, 100}, {0, 0, 64}},
        {7, {100, 100, 100}, {7, 0, 0}}, /* an eighth of seven is none yet */
        {UINT32_MAX,
         {UINT32_MAX, 1, UINT32_MAX},
         {UINT32_MAX - 1 - UINT32_MAX / 8, 1, UINT32_MAX / 8}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct floor floor = {0};
        uint32_t split[3];
        floor_split(&floor, cases[i].room, cases[i].waiting, split);
        for (int k = 0; k < 3; k++)
            expect_u64(split[k], cases[i].split[k]);
    }
}

/* A pace of one message at a time: an eighth is the eighth one. */
static void
one_at_a_time_none_starves(void)
{
    struct floor floor = {0};
    const uint32_t waiting[3] = {1000, 1000, 1000};
    uint32_t gone[3] = {0};
    for (int i = 0; i < 17; i++) {
        uint32_t split[3];
        go(&floor, 1, waiting, split);
        expect_u64(split[0] + split[1] + split[2], 1);
        for (int k = 0; k < 3; k++)
            gone[k] += split[k];
    }
    expect_u64(gone[URGENT], 13);
    expect_u64(gone[LATER], 2);
    expect_u64(gone[QUEUE], 2);
}

static void
what_had_more_than_its_floor_is_owed_nothing(void)
{
    struct floor floor = {0};
    const uint32_t quiet[3] = {0, 0, 100};
    const uint32_t busy[3] = {100, 0, 100};
    uint32_t split[3];
    for (int i = 0; i < 10; i++)
        go(&floor, 50, quiet, split);
    expect_u64(split[QUEUE], 50);
    go(&floor, 7, busy, split);
    expect_u64(split[URGENT], 7); /* at once, and only then is the queue's turn */
    go(&floor, 1, busy, split);
    expect_u64(split[QUEUE], 1);
}

static void
who_did_not_wait_is_owed_nothing(void)
{
    struct floor floor = {0};
    const uint32_t alone[3] = {1000, 0, 0};
    const uint32_t both[3] = {1000, 0, 1};
    uint32_t split[3];
    for (int i = 0; i < 100; i++)
        go(&floor, 64, alone, split);
    go(&floor, 1, both, split);
    expect_u64(split[URGENT], 1);
}

/* What was to go did not (it had expired, no call was free): it is still owed. */
static void
what_did_not_go_is_owed_on(void)
{
    struct floor floor = {0};
    const uint32_t waiting[3] = {1000, 0, 1000};
    const uint32_t gone[3] = {64, 0, 0};
    uint32_t split[3];
    floor_pay(&floor, waiting, gone);
    floor_split(&floor, 8, waiting, split);
    expect_u64(split[QUEUE], 8);
    for (int i = 0; i < 1000000; i++)
        floor_pay(&floor, waiting, gone); /* without end */
    floor_split(&floor, 10000, waiting, split);
    expect(split[QUEUE] <= 1000 && split[URGENT] == 1000);
}

int
main(void)
{
    TEST(rooms_are_split);
    TEST(one_at_a_time_none_starves);
    TEST(what_had_more_than_its_floor_is_owed_nothing);
    TEST(who_did_not_wait_is_owed_nothing);
    TEST(what_did_not_go_is_owed_on);
    return test_end();
}
