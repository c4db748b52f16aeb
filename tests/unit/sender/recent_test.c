/* What a worker remembers of its grants: bits, ages, and a ring that never forgets what is open. */
#include "sender/recent.h"
#include "sender/base/check.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

enum { SECOND = 1000 * 1000, RING_SIZE = 4 * RECENT_RECORD_MAX };

static const char cell[] = "fr|FR|Rest of Western Europe|utility|order_shipped|2018";

/* A request of `count` members, whose ids have `id_size` bytes. */
struct asked {
    struct grant_request request;
    struct grant_member members[GRANT_MEMBERS_MAX];
    struct grant_cell cells[1];
    char names[GRANT_MEMBERS_MAX][QUEUE_MEMBER_MAX];
    char id[QUEUE_ID_MAX];
    char grant[QUEUE_GRANT_MAX];
};

static const struct grant_request *
request_of(struct asked *asked, uint32_t number, uint32_t count, uint32_t id_size)
{
    snprintf(asked->grant, sizeof(asked->grant), "0123456789abcdef.%u", number);
    memset(asked->id, 'i', sizeof(asked->id));
    asked->cells[0] = (struct grant_cell){"2026-10-01", span_of(cell), "USD", 30000};
    for (uint32_t i = 0; i < count; i++) {
        snprintf(asked->names[i], QUEUE_MEMBER_MAX, "1732377600000-%u/%u", number, i + 1);
        asked->members[i] = (struct grant_member){.name = span_of(asked->names[i]),
                                                  .attempt = 1,
                                                  .id = {asked->id, id_size},
                                                  .recipient = SPAN("+33612345678")};
    }
    asked->request = (struct grant_request){.holder = SPAN("0123456789abcdef"),
                                            .grant = span_of(asked->grant),
                                            .at_ms = 1000,
                                            .source = SOURCE_QUEUE,
                                            .cells = asked->cells,
                                            .cell_count = 1,
                                            .members = asked->members,
                                            .member_count = count};
    return &asked->request;
}

static struct asked asked;

static struct recent_record *
grant(struct recent *recent, uint32_t number, uint32_t count, struct recent_record **owner,
      uint64_t now_us)
{
    char marks[GRANT_MEMBERS_MAX];
    const struct grant_request *request = request_of(&asked, number, count, 8);
    memset(marks, 'g', count);
    recent_ask(recent, 0, request, owner);
    recent_granted(*owner, request, (struct span){marks, count}, now_us);
    return *owner;
}

static uint32_t
count_records(struct recent *recent, uint64_t now_us)
{
    uint32_t count = 0;
    struct recent_record *record = NULL;
    while ((record = recent_next(recent, record)) != NULL)
        count += recent_matters(record, now_us) ? 1 : 0;
    return count;
}

static void
a_record_is_what_the_library_wrote_with_three_kinds_of_bits(void)
{
    struct recent *recent = recent_new(RING_SIZE);
    struct recent_record *owner = NULL;
    expect(recent_make_room(recent, 1));
    struct recent_record *record = grant(recent, 7, 70, &owner, SECOND);
    recent_settle(record, 0, RECENT_ACCEPTED, SECOND);
    recent_settle(record, 65, RECENT_ACCEPTED, SECOND);
    recent_settle(record, 1, RECENT_UNCERTAIN, SECOND);
    recent_settle(record, 2, RECENT_OTHER, SECOND);
    struct declare_grant declared = recent_as_grant(record);
    expect_span(declared.name, SPAN("0123456789abcdef.7"));
    expect_u64(declared.member_count, 70);
    expect_u64(declared.accepted[0], 1);
    expect_u64(declared.accepted[1], 2);
    expect_u64(declared.uncertain[0], 2);
    expect_u64(declared.open[0], UINT64_MAX - 7);
    expect_u64(declared.open[1], 63 - 2);
    expect_u64(record->open_count, 66);
    char text[8192];
    struct buffer whole;
    char marks[70];
    memset(marks, 'g', sizeof(marks));
    buffer_init(&whole, text, sizeof(text));
    grant_record_put(&whole, request_of(&asked, 7, 70, 8), (struct span){marks, 70});
    expect_span(declared.record, buffer_span(&whole));
    recent_free(recent);
}

static void
members_that_were_not_granted_do_not_stand_in_it(void)
{
    struct recent *recent = recent_new(RING_SIZE);
    struct recent_record *owner = NULL;
    char marks[200];
    memset(marks, 'd', sizeof(marks));
    marks[3] = marks[199] = 'g';
    expect(recent_make_room(recent, 1));
    const struct grant_request *request = request_of(&asked, 1, 200, 256);
    recent_ask(recent, 0, request, &owner);
    recent_granted(owner, request, (struct span){marks, 200}, 1);
    struct declare_grant declared = recent_as_grant(owner);
    expect_u64(declared.member_count, 2);
    expect_u64(declared.open[0], 3);
    expect_u64(declared.accepted[0], 0);
    expect_u64(declared.uncertain[0], 0);
    size_t at;
    expect(span_find(declared.record, '\n', &at));
    expect(memmem(declared.record.data, declared.record.size, "-1/4\t", 5) != NULL);
    expect(memmem(declared.record.data, declared.record.size, "-1/200\t", 7) != NULL);
    expect(memmem(declared.record.data, declared.record.size, "-1/5\t", 5) == NULL);
    recent_free(recent);
}

static void
nothing_granted_is_no_grant(void)
{
    struct recent *recent = recent_new(RING_SIZE);
    struct recent_record *owner = NULL;
    expect(recent_make_room(recent, 1));
    const struct grant_request *request = request_of(&asked, 1, 2, 8);
    recent_ask(recent, 0, request, &owner);
    recent_granted(owner, request, SPAN("do"), 1);
    expect(owner == NULL);
    expect_u64(count_records(recent, 1), 0);
    recent_ask(recent, 0, request, &owner);
    recent_undo(owner);
    expect(owner == NULL);
    expect_u64(count_records(recent, 1), 0);
    recent_free(recent);
}

static void
a_grant_in_doubt_is_told_without_a_bit(void)
{
    struct recent *recent = recent_new(RING_SIZE);
    struct recent_record *owner = NULL;
    expect(recent_make_room(recent, 1));
    recent_ask(recent, 3, request_of(&asked, 1, 2, 8), &owner);
    struct recent_record *record = owner;
    expect(recent_matters(record, 99 * SECOND)); /* as long as it is asked */
    recent_doubt(record, 99 * SECOND);
    expect(owner == NULL);
    struct declare_grant declared = recent_as_grant(record);
    expect_u64(record->account, 3);
    expect_u64(declared.member_count, 2);
    expect_u64(declared.open[0] | declared.accepted[0] | declared.uncertain[0], 0);
    expect(recent_matters(record, 108 * SECOND));
    expect(!recent_matters(record, 109 * SECOND));
    recent_free(recent);
}

static void
what_is_settled_is_kept_ten_seconds_and_what_is_open_for_ever(void)
{
    struct recent *recent = recent_new(RING_SIZE);
    struct recent_record *owners[2] = {NULL, NULL};
    expect(recent_make_room(recent, 1));
    grant(recent, 1, 1, &owners[0], 1 * SECOND);
    grant(recent, 2, 1, &owners[1], 1 * SECOND);
    recent_settle(owners[0], 0, RECENT_ACCEPTED, 5 * SECOND);
    expect(owners[0] == NULL); /* nobody points to it: it may go */
    expect_u64(count_records(recent, 14 * SECOND), 2);
    expect_u64(count_records(recent, 15 * SECOND), 1);
    expect_u64(count_records(recent, 999 * SECOND), 1);
    expect(recent_make_room(recent, 999 * SECOND));
    expect_u64(count_records(recent, 1), 1); /* the other is gone from the ring */
    expect_u64(recent_covers_us(recent, 999 * SECOND), RECENT_KEEP_US);
    expect_abort(recent_settle(owners[1], 1, RECENT_OTHER, 1));
    recent_free(recent);
}

static void
a_full_ring_forgets_what_is_settled_before_it_refuses(void)
{
    struct recent *recent = recent_new(RING_SIZE);
    struct recent_record *owner = NULL;
    uint32_t number = 0;
    while (recent_covers_us(recent, 2 * SECOND) == RECENT_KEEP_US) { /* all at one moment */
        expect(recent_make_room(recent, 2 * SECOND));
        grant(recent, ++number, 1, &owner, 2 * SECOND);
        recent_settle(owner, 0, RECENT_ACCEPTED, 2 * SECOND);
    }
    expect(number > 1000);
    expect_u64(recent_covers_us(recent, 5 * SECOND), 3 * SECOND);
    expect_u64(recent_covers_us(recent, 50 * SECOND), RECENT_KEEP_US);
    recent_free(recent);
}

static void
a_ring_full_of_what_is_open_refuses_and_recovers(void)
{
    static struct recent_record *owners[100000];
    struct recent *recent = recent_new(RING_SIZE);
    uint32_t count = 0;
    while (recent_make_room(recent, SECOND)) {
        grant(recent, count, 1, &owners[count], SECOND);
        count++;
    }
    expect(count > 1000);
    expect_u64(count_records(recent, SECOND), count);
    for (uint32_t i = 0; i < count; i++)
        expect(owners[i]->name_size > 17 && strtoul(owners[i]->name + 17, NULL, 10) == i);
    for (uint32_t i = 0; i < count; i += 2)
        recent_settle(owners[i], 0, RECENT_ACCEPTED, SECOND);
    expect(recent_make_room(recent, SECOND));
    for (uint32_t i = 1; i < count; i += 2)
        expect(owners[i] != NULL && strtoul(owners[i]->name + 17, NULL, 10) == i);
    recent_free(recent);
}

/* Any order of asking, settling and time: what is open is found again, whole, and its owner knows
 * where. */
static void
nothing_open_is_ever_lost(uint64_t seed)
{
    enum { OWNERS = 64 };
    static struct recent_record *owners[OWNERS];
    uint32_t numbers[OWNERS] = {0};
    struct random random;
    struct recent *recent = recent_new(2 * RECENT_RECORD_MAX);
    uint64_t now_us = SECOND;
    random_seed(&random, seed);
    memset(owners, 0, sizeof(owners));
    for (uint32_t step = 1; step < 20000; step++) {
        uint32_t one = (uint32_t)random_below(&random, OWNERS);
        now_us += random_below(&random, 20000);
        if (owners[one] == NULL && recent_make_room(recent, now_us)) {
            grant(recent, step, 1 + (uint32_t)random_below(&random, 90), &owners[one], now_us);
            numbers[one] = step;
        } else if (owners[one] != NULL) {
            struct recent_record *record = owners[one];
            expect_u64(strtoul(record->name + 17, NULL, 10), numbers[one]);
            uint32_t index = record->member_count - record->open_count;
            recent_settle(record, index, RECENT_ACCEPTED, now_us);
        }
    }
    uint32_t open = 0;
    uint32_t owned = 0;
    for (uint32_t i = 0; i < OWNERS; i++)
        owned += owners[i] != NULL ? 1 : 0;
    for (struct recent_record *record = recent_next(recent, NULL); record != NULL;
         record = recent_next(recent, record))
        open += record->open_count > 0 ? 1 : 0;
    expect_u64(open, owned);
    recent_free(recent);
}

static void
nothing_open_is_ever_lost_in_any_order(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++)
        nothing_open_is_ever_lost(seed);
}

int
main(void)
{
    TEST(a_record_is_what_the_library_wrote_with_three_kinds_of_bits);
    TEST(members_that_were_not_granted_do_not_stand_in_it);
    TEST(nothing_granted_is_no_grant);
    TEST(a_grant_in_doubt_is_told_without_a_bit);
    TEST(what_is_settled_is_kept_ten_seconds_and_what_is_open_for_ever);
    TEST(a_full_ring_forgets_what_is_settled_before_it_refuses);
    TEST(a_ring_full_of_what_is_open_refuses_and_recovers);
    TEST(nothing_open_is_ever_lost_in_any_order);
    return test_end();
}
