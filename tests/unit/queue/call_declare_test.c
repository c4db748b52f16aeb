#include "tests/unit/queue/call_fixture.h"

static struct declare_request
declare_of(const struct declare_grant *grants, uint32_t count)
{
    return (struct declare_request){.holder = HOLDER,
                                    .claim = SPAN("0123456789abcdef.12"),
                                    .uncertain_until_ms = 1732377600000,
                                    .events_keep = 100000,
                                    .dedupe_ttl_ms = 604800000,
                                    .grants = grants,
                                    .grant_count = count};
}

#define BEGIN                                                                                      \
    "FCALL;facteur_declare;2;" AB                                                                  \
    ";0123456789abcdef;0123456789abcdef.12;1732377600000;100000;604800000;"

static void
writes_declare(void)
{
    static const uint64_t accepted[] = {0x3};
    static const uint64_t uncertain[] = {0x10};
    static const uint64_t open[] = {0x2c};
    const struct declare_grant grants[] = {
        {.name = SPAN("h.1"),
         .record = SPAN("a record"),
         .accepted = accepted,
         .uncertain = uncertain,
         .open = open,
         .member_count = 6},
        {.name = SPAN("h.2"), .record = SPAN("one in doubt"), .member_count = 500},
    };
    open_call(4096);
    struct declare_request request = declare_of(grants, 2);
    expect(call_declare(&call, &request));
    expect_sent(BEGIN "2;h.1;a record;30;01;c2;h.2;one in doubt;;;");
    request.grant_count = 0;
    expect(call_declare(&call, &request));
    expect_sent(BEGIN "0");
    expect(call_declared(&call, HOLDER));
    expect_sent("FCALL;facteur_declared;1;facteur:{acme};0123456789abcdef");
    close_call();
}

static void
writes_the_largest_bitmap(void)
{
    static uint64_t open[CALLS_GRANT_MEMBERS_MAX / 64];
    const struct declare_grant grant = {.name = SPAN("h.1"),
                                        .record = SPAN("r"),
                                        .open = open,
                                        .member_count = CALLS_GRANT_MEMBERS_MAX};
    static char wanted[2048] = BEGIN "1;h.1;r;;;";
    open_call(8192);
    open[0] = 1;
    open[CALLS_GRANT_MEMBERS_MAX / 64 - 1] = 1ULL << 63;
    memset(wanted + strlen(wanted), '0', CALLS_GRANT_MEMBERS_MAX / 4);
    wanted[strlen(BEGIN "1;h.1;r;;;")] = '1';
    wanted[strlen(wanted) - 1] = '8';
    struct declare_request request = declare_of(&grant, 1);
    expect(call_declare(&call, &request));
    expect_sent(wanted);
    close_call();
}

static void
a_declare_of_nonsense_is_a_mistake(void)
{
    static struct declare_grant many[CALLS_DECLARE_GRANTS_MAX + 1];
    static const uint64_t bits[] = {1};
    static const uint64_t beyond[] = {4};
    struct declare_grant grant = {.name = SPAN("h.1"),
                                  .record = SPAN("r"),
                                  .accepted = bits,
                                  .open = bits,
                                  .member_count = 2};
    struct declare_request request = declare_of(&grant, 1);
    open_call(65536);
    expect_abort(call_declare(&call, &request)); /* open and accepted */
    grant.accepted = NULL;
    grant.uncertain = bits;
    expect_abort(call_declare(&call, &request)); /* open and uncertain */
    grant.open = NULL;
    grant.accepted = bits;
    expect_abort(call_declare(&call, &request)); /* accepted and uncertain */
    grant.uncertain = NULL;
    expect(call_declare(&call, &request));
    grant.accepted = beyond;
    expect_abort(call_declare(&call, &request)); /* a bit beyond its members */
    grant.accepted = bits;
    grant.member_count = 0;
    expect_abort(call_declare(&call, &request));
    grant.member_count = CALLS_GRANT_MEMBERS_MAX + 1;
    expect_abort(call_declare(&call, &request));
    for (size_t i = 0; i <= CALLS_DECLARE_GRANTS_MAX; i++)
        many[i] =
            (struct declare_grant){.name = SPAN("h.1"), .record = SPAN("r"), .member_count = 1};
    request = declare_of(many, CALLS_DECLARE_GRANTS_MAX + 1);
    expect_abort(call_declare(&call, &request));
    request.grant_count = CALLS_DECLARE_GRANTS_MAX;
    expect(call_declare(&call, &request));
    many[0].member_count = CALLS_DECLARE_MEMBERS_MAX / 2;
    many[1].member_count = CALLS_DECLARE_MEMBERS_MAX / 2;
    expect_abort(call_declare(&call, &request)); /* too many members in all */
    close_call();
}

static void
reads_declare(void)
{
    struct declare_reply declare;
    bool fenced;
    expect(declare_read(reply_of("[\"ok\" \"24\" \"\"]"), 2, &declare));
    expect(!declare.fenced);
    expect(settle_bit(declare_read_open(&declare, 0), 1));
    expect(!settle_bit(declare_read_open(&declare, 0), 2));
    expect(settle_bit(declare_read_open(&declare, 0), 6));
    expect(!settle_bit(declare_read_open(&declare, 1), 0));
    expect(declare_read(reply_of("[\"ok\"]"), 0, &declare));
    expect(declare_read(reply_of("[\"fenced\"]"), 2, &declare) && declare.fenced);
    static const char *const bad[] = {
        "[\"ok\" \"24\"]",     "[\"ok\" \"24\" \"2\" \"2\"]", "[\"ok\" \"24\" 5]",
        "[\"ok\" \"24\" nil]", "[\"ok\" \"2G\" \"\"]",        "[\"ok\" \"2A\" \"\"]",
        "[\"no\" \"\" \"\"]",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect(!declare_read(reply_of(bad[i]), 2, &declare));
    expect(declared_read(reply_of("[\"ok\"]"), &fenced) && !fenced);
    expect(declared_read(reply_of("[\"fenced\"]"), &fenced) && fenced);
    expect(!declared_read(reply_of("[\"wait\"]"), &fenced));
    expect(settle_wants_declare(reply_of("[\"declare\"]")));
    expect(!settle_wants_declare(reply_of("[\"ok\"]")));
    expect(!settle_wants_declare(reply_of("[\"declare\" \"ok\"]")));
    static const char *const bad_for_one[] = {NULL,     "nil",  "5",  "+OK",
                                              "\"ok\"", "-ERR", "[]", "[nil]"};
    for (size_t i = 0; i < sizeof(bad_for_one) / sizeof(bad_for_one[0]); i++)
        expect(!declared_read(reply_of(bad_for_one[i]), &fenced));
    for (size_t i = 0; i < BAD_FOR_ALL; i++) {
        expect(!declare_read(reply_of(bad_for_all[i]), 1, &declare));
        expect(!settle_wants_declare(reply_of(bad_for_all[i])));
    }
}

int
main(void)
{
    arena_open(&arena, 65536);
    TEST(writes_declare);
    TEST(writes_the_largest_bitmap);
    TEST(a_declare_of_nonsense_is_a_mistake);
    TEST(reads_declare);
    arena_close(&arena);
    return test_end();
}
