#include "sender/base/random.h"
#include "tests/unit/queue/call_fixture.h"

/* ---- claim -------------------------------------------------------------------------------- */

static void
writes_claim(void)
{
    open_call(4096);
    struct claim_request request = {.holder = HOLDER,
                                    .claim = SPAN("0123456789abcdef.7"),
                                    .members_max = 500,
                                    .bytes_max = 65536};
    expect(call_claim(&call, &request));
    expect_sent("FCALL;facteur_claim;2;" AB ";0123456789abcdef;0123456789abcdef.7;500;65536");
    close_call();
}

static void
reads_claim(void)
{
    struct claim_reply claim;
    struct claim_part part;
    struct claim_entry entry;
    const struct reply *reply = reply_of(
        "[\"ok\" 1732377600000 1732377601000 \"5-0\" \"6-0\""
        " [\"h.1\" \"urgent\" [[\"u5-0\" [\"to\" \"+1\" \"lang\" \"fr\"]] [\"u5-1\" nil]] []]"
        " [\"h.1b\" \"later\" [[\"4-0/2\" \"record\"]] []]"
        " [\"h.1c\" \"queue\" [[\"6-0\" [\"bulk\" \"x\"]] [\"7-0\" []]]"
        "  [\"6-0\" \"00000000000000ff\" \"9-9\" \"ffffffffffffffff\"]]]");
    expect(claim_read(reply, &claim));
    expect(!claim.fenced);
    expect_u64(claim.now_ms, 1732377600000);
    expect_u64(claim.next_due_ms, 1732377601000);
    expect_span(claim.cursor_urgent, SPAN("5-0"));
    expect_span(claim.cursor_queue, SPAN("6-0"));
    expect_u64(claim.part_count, 3);

    expect(claim_read_part(&claim, 0, &part));
    expect_span(part.claim, SPAN("h.1"));
    expect_u64(part.source, SOURCE_URGENT);
    expect_u64(part.entry_count, 2);
    expect(claim_read_entry(&part, 0, &entry));
    expect_span(entry.name, SPAN("u5-0"));
    struct field fields[4];
    size_t count;
    expect(claim_entry_fields(&entry, fields, 4, &count));
    expect_u64(count, 2);
    expect_span(fields[1].name, SPAN("lang"));
    expect_span(fields[1].value, SPAN("fr"));
    expect(!claim_entry_fields(&entry, fields, 1, &count));
    expect_u64(count, 1);
    expect(claim_read_entry(&part, 1, &entry));
    expect(entry.too_large);
    expect(claim_entry_fields(&entry, fields, 4, &count));
    expect_u64(count, 0);

    expect(claim_read_part(&claim, 1, &part));
    expect_u64(part.source, SOURCE_LATER);
    expect(claim_read_entry(&part, 0, &entry));
    expect_span(entry.name, SPAN("4-0/2"));
    expect_span(entry.record, SPAN("record"));
    expect(entry.fields == NULL && !entry.too_large);

    expect(claim_read_part(&claim, 2, &part));
    expect(claim_read_entry(&part, 0, &entry));
    expect_u64(entry.mask, 255);
    expect(claim_read_entry(&part, 1, &entry));
    expect_u64(entry.mask, 0);
    expect_abort(claim_read_entry(&part, 2, &entry));
    expect_abort(claim_read_part(&claim, 3, &part));
}

static void
reads_an_empty_claim(void)
{
    struct claim_reply claim;
    expect(claim_read(reply_of("[+ok \"17\" -1 nil nil]"), &claim));
    expect_u64(claim.now_ms, 17);
    expect(claim.next_due_ms == -1);
    expect_u64(claim.cursor_urgent.size + claim.cursor_queue.size + claim.part_count, 0);
    expect(claim_read(reply_of("[\"paused\"]"), &claim));
    expect(claim.paused && !claim.fenced);
    expect(claim_read(reply_of("[\"fenced\"]"), &claim));
    expect(claim.fenced && !claim.paused && !claim.stopped && !claim.declare && !claim.wait);
    expect(claim_read(reply_of("[\"stopped\"]"), &claim));
    expect(claim.stopped && !claim.paused && !claim.fenced);
    expect(claim_read(reply_of("[\"declare\"]"), &claim));
    expect(claim.declare && !claim.wait);
    expect(claim_read(reply_of("[\"wait\"]"), &claim));
    expect(claim.wait && !claim.declare);
    expect_u64(claim.part_count, 0);
}

static void
judges_claims(void)
{
    static const char *const bad[] = {
        "[\"ok\" 1 -1 nil]",         "[\"ok\" -1 -1 nil nil]", "[\"ok\" \"x\" -1 nil nil]",
        "[\"ok\" 1 -2 nil nil]",     "[\"ok\" 1 nil nil nil]", "[\"ok\" 1 -1 5 nil]",
        "[\"ok\" 1 -1 nil [\"a\"]]", "[\"no\" 1 -1 nil nil]",
    };
    struct claim_reply claim;
    for (size_t i = 0; i < BAD_FOR_ALL; i++)
        expect(!claim_read(reply_of(bad_for_all[i]), &claim));
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect(!claim_read(reply_of(bad[i]), &claim));
}

#define CLAIM_OF(part) "[\"ok\" 1 -1 nil nil " part "]"

static void
judges_parts(void)
{
    static const char *const bad[] = {
        CLAIM_OF("nil"),
        CLAIM_OF("\"x\""),
        CLAIM_OF("[]"),
        CLAIM_OF("[\"h.1\" \"queue\"]"),
        CLAIM_OF("[\"h.1\" \"queue\" nil []]"),
        CLAIM_OF("[\"h.1\" \"queue\" \"x\" []]"),
        CLAIM_OF("[\"h.1\" \"replies\" [] []]"),
        CLAIM_OF("[\"h.1\" nil [] []]"),
        CLAIM_OF("[\"\" \"queue\" [] []]"),
        CLAIM_OF("[5 \"queue\" [] []]"),
        CLAIM_OF("[\"01234567890123456789012345678901234567890\" \"queue\" [] []]"),
        CLAIM_OF("[\"h.1\" \"queue\" [] [\"1-1\"]]"),
    };
    struct claim_reply claim;
    struct claim_part part;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect(claim_read(reply_of(bad[i]), &claim));
        expect(!claim_read_part(&claim, 0, &part));
    }
    expect(claim_read(reply_of(CLAIM_OF("[\"h.1\" \"queue\" []]")), &claim));
    expect(claim_read_part(&claim, 0, &part));
}

static void
judges_entries(void)
{
    static const char *const bad[] = {
        CLAIM_OF("[\"h\" \"queue\" [nil] []]"),
        CLAIM_OF("[\"h\" \"queue\" [5] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[]] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\"]] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"\" []]] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[5 []]] []]"),
        CLAIM_OF(
            "[\"h\" \"queue\" [[\"1234567890123456789012345678901234567890123456789\" []]] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" \"x\"]] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" [\"a\"]]] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" [\"a\" 5]]] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" [\"a\" nil]]] []]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" []]] [5 \"00\"]]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" []]] [\"1-1\" 5]]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" []]] [\"1-1\" \"\"]]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" []]] [\"1-1\" \"xyz\"]]"),
        CLAIM_OF("[\"h\" \"queue\" [[\"1-1\" []]] [\"1-1\" \"00000000000000000\"]]"),
        CLAIM_OF("[\"h\" \"later\" [[\"1-1\" nil]] []]"),
        CLAIM_OF("[\"h\" \"later\" [[\"1-1\" []]] []]"),
        CLAIM_OF("[\"h\" \"later\" [[\"1-1\"]] []]"),
    };
    struct claim_reply claim;
    struct claim_part part;
    struct claim_entry entry;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        expect(claim_read(reply_of(bad[i]), &claim));
        expect(claim_read_part(&claim, 0, &part));
        if (claim_read_entry(&part, 0, &entry)) {
            printf("%s\n", bad[i]);
            expect(!"refused");
        }
    }
}

/* ---- grant -------------------------------------------------------------------------------- */

static const struct grant_cell cells[] = {
    {.day = "2026-11-23",
     .cell = SPAN("fr|FR|France|utility|order_shipped|2018"),
     .currency = "USD",
     .millionths = 42500},
    {.day = "2026-11-24",
     .cell = SPAN("fr|CI|Rest of Africa|utility|t|2018"),
     .currency = "EUR",
     .millionths = 0},
};

static struct grant_member members[] = {
    {.name = SPAN("1732377600000-0"), .attempt = 1, .cell = 0, .recipient = SPAN("+33612345678")},
    {.name = SPAN("1732377600000-1/2"), .attempt = 1, .cell = 1, .id = SPAN("order 7")},
    {.name = SPAN("1732377600000-1/3"),
     .attempt = 12,
     .cell = 0,
     .id = SPAN("x/8"),
     .recipient = SPAN("+5215512345678,+525512345678")},
};

static void
writes_grant(void)
{
    open_call(4096);
    struct grant_request request = {.holder = HOLDER,
                                    .grant = SPAN("0123456789abcdef.9"),
                                    .at_ms = 1732377600123,
                                    .source = SOURCE_QUEUE,
                                    .cells = cells,
                                    .cell_count = 2,
                                    .members = members,
                                    .member_count = 3};
    expect(call_grant(&call, &request));
    expect_sent("FCALL;facteur_grant;2;" AB
                ";0123456789abcdef;0123456789abcdef.9;1732377600123;queue;"
                "2;2026-11-23\tfr|FR|France|utility|order_shipped|2018\tUSD\t42500;"
                "2026-11-24\tfr|CI|Rest of Africa|utility|t|2018\tEUR\t0;"
                "3;1732377600000-0\t1\t0\t;1732377600000-1/2\t1\t1\torder 7;"
                "1732377600000-1/3\t12\t0\tx/8;2;1;order 7;2;x/8;"
                "+33612345678  +5215512345678,+525512345678");
    request.source = SOURCE_LATER;
    request.member_count = 1;
    request.cell_count = 1;
    expect(call_grant(&call, &request));
    expect_sent("FCALL;facteur_grant;2;" AB
                ";0123456789abcdef;0123456789abcdef.9;1732377600123;later;"
                "1;2026-11-23\tfr|FR|France|utility|order_shipped|2018\tUSD\t42500;"
                "1;1732377600000-0\t1\t0\t;0;+33612345678");
    close_call();
}

/* As the library would write it: queue/README.md, "Grant record". */
static void
keeps_the_record_of_a_grant(void)
{
    char text[512];
    struct buffer buffer;
    struct grant_request request = {.holder = HOLDER,
                                    .grant = SPAN("0123456789abcdef.9"),
                                    .at_ms = 1732377600123,
                                    .source = SOURCE_QUEUE,
                                    .cells = cells,
                                    .cell_count = 2,
                                    .members = members,
                                    .member_count = 3};
    buffer_init(&buffer, text, sizeof(text));
    grant_record_put(&buffer, &request, SPAN("ggg"));
    expect_span(buffer_span(&buffer),
                SPAN("0123456789abcdef\t1732377600123\tqueue\t3\n"
                     "c\t2026-11-23\tfr|FR|France|utility|order_shipped|2018\tUSD\t42500\n"
                     "c\t2026-11-24\tfr|CI|Rest of Africa|utility|t|2018\tEUR\t0\n"
                     "1732377600000-0\t1\t0\t\n"
                     "1732377600000-1/2\t1\t1\torder 7\n"
                     "1732377600000-1/3\t12\t0\tx/8"));
    request.cell_count = 1;
    buffer_reset(&buffer);
    grant_record_put(&buffer, &request, SPAN("gdo"));
    expect_span(buffer_span(&buffer),
                SPAN("0123456789abcdef\t1732377600123\tqueue\t1\n"
                     "c\t2026-11-23\tfr|FR|France|utility|order_shipped|2018\tUSD\t42500\n"
                     "1732377600000-0\t1\t0\t"));
    buffer_init(&buffer, text, 40);
    grant_record_put(&buffer, &request, SPAN("ggg"));
    expect(buffer.overflow);
    expect_abort(grant_record_put(&buffer, &request, SPAN("gg")));
}

static void
a_grant_of_nonsense_is_a_mistake(void)
{
    open_call(4096);
    struct grant_member wrong = {.name = SPAN("1-1"), .attempt = 1, .cell = 2};
    struct grant_request request = {.holder = HOLDER,
                                    .grant = SPAN("g"),
                                    .cells = cells,
                                    .cell_count = 2,
                                    .members = &wrong,
                                    .member_count = 1};
    expect_abort(call_grant(&call, &request)); /* no such cell */
    wrong.cell = 0;
    wrong.id = SPAN("a\tb");
    expect_abort(call_grant(&call, &request));
    wrong.id = SPAN("a\nb");
    expect_abort(call_grant(&call, &request));
    wrong.id = SPAN("a");
    wrong.recipient = SPAN("+33 6");
    expect_abort(call_grant(&call, &request));
    request.member_count = 0;
    expect_abort(call_grant(&call, &request));
    request.member_count = CALLS_GRANT_MEMBERS_MAX + 1;
    expect_abort(call_grant(&call, &request));
    close_call();
}

static void
reads_grant(void)
{
    struct grant_reply grant;
    expect(grant_read(reply_of("[\"ok\" \"gdgd\" \"1-1\" \"2-2/3\"]"), 4, &grant));
    expect_span(grant.marks, SPAN("gdgd"));
    expect_u64(grant.owner_count, 2);
    expect_span(grant.owners[1]->text, SPAN("2-2/3"));
    expect(grant_read(reply_of("[\"ok\" \"g\"]"), 1, &grant));
    expect(grant_read(reply_of("[\"ok\" \"odg\" \"1-1\"]"), 3, &grant));
    expect_u64(grant.owner_count, 1);
    expect(grant_read(reply_of("[\"ok\" \"gop\"]"), 3, &grant));
    expect(grant_read(reply_of("[\"fenced\"]"), 4, &grant));
    expect(grant.fenced && !grant.paused);
    expect(grant_read(reply_of("[\"paused\"]"), 4, &grant));
    expect(grant.paused && !grant.fenced && !grant.stopped && !grant.declare && !grant.wait);
    expect(grant_read(reply_of("[\"stopped\"]"), 4, &grant));
    expect(grant.stopped && !grant.paused);
    expect(grant_read(reply_of("[\"declare\"]"), 4, &grant));
    expect(grant.declare && !grant.wait);
    expect(grant_read(reply_of("[\"wait\"]"), 4, &grant));
    expect(grant.wait && !grant.declare);
    static const char *const bad[] = {
        "[\"ok\" \"gg\"]",      "[\"ok\" \"gggg\"]",
        "[\"ok\" \"ggd\"]",     "[\"ok\" \"ggg\" \"x\"]",
        "[\"ok\" \"ggx\"]",     "[\"ok\" \"ggd\" 5]",
        "[\"ok\" 3]",           "[\"ok\" \"gdd\" \"1-1\"]",
        "[\"ok\" \"ggd\" nil]",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect(!grant_read(reply_of(bad[i]), 3, &grant));
    for (size_t i = 0; i < BAD_FOR_ALL; i++)
        expect(!grant_read(reply_of(bad_for_all[i]), 0, &grant));
}

/* ---- settle ------------------------------------------------------------------------------- */

static struct settle_request
settle_of(const struct settle_group *groups, uint32_t count)
{
    return (struct settle_request){.holder = HOLDER,
                                   .events_keep = 100000,
                                   .dedupe_ttl_ms = 604800000,
                                   .groups = groups,
                                   .group_count = count};
}

#define SETTLE "FCALL;facteur_settle;2;" AB ";0123456789abcdef;100000;604800000;"

static void
writes_settle_accept(void)
{
    static const uint32_t indexes[] = {0, 5, 6, 7, 12};
    static const struct settle_cell charges[] = {{0, 3, 127500},
                                                 {7, 2, UINT64_C(9999999999999999)}};
    static const struct span singles[] = {SPAN("1-0"), SPAN("1-1")};
    static const struct settle_bulk bulks[] = {{SPAN("1-2"), 6, 3}, {SPAN("1-3"), 1ull << 63, 64}};
    static const struct span outcomes[] = {SPAN("{\"a\":1}"), SPAN("{}")};
    static const struct span ids[] = {SPAN("id 1")};
    static const struct span claims[] = {SPAN("h.1"), SPAN("h.1u")};
    struct settle_group group = {.token = SPAN("h.9"),
                                 .source = SOURCE_QUEUE,
                                 .action = SETTLE_ACCEPT,
                                 .indexes = indexes,
                                 .member_count = 5,
                                 .cells = charges,
                                 .cell_count = 2,
                                 .singles = singles,
                                 .single_count = 2,
                                 .bulks = bulks,
                                 .bulk_count = 2,
                                 .outcomes = outcomes,
                                 .outcome_count = 2,
                                 .ids = ids,
                                 .id_count = 1};
    struct settle_request request = settle_of(&group, 1);
    request.claims = claims;
    request.claim_count = 2;
    open_call(4096);
    expect(call_settle(&call, &request));
    expect_sent(SETTLE "1;h.9;queue;accept;1e01;2;0;3;127500;7;2;9999999999999999;2;1-0;1-1;"
                       "2;1-2;0000000000000006;3;1-3;8000000000000000;64;0;=2;{\"a\":1}\n{};1;id 1;"
                       "2;h.1;h.1u");
    close_call();
}

static void
writes_every_action(void)
{
    static const uint32_t two = 2;
    static const struct span single = SPAN("1-0");
    static const struct span member = SPAN("1-0/4");
    static const struct {
        struct settle_group group;
        const char *sent;
    } cases[] = {
        {{.token = SPAN("h.1"), .before_grant = true, .action = SETTLE_DROP, .single_count = 1},
         "claim:h.1;queue;drop;-;0;1;1-0;0;0;0;0"},
        {{.token = SPAN("h.2"), .action = SETTLE_FREE, .single_count = 1, .source = SOURCE_URGENT},
         "h.2;urgent;free;4;0;1;1-0;0;0;0;0"},
        {{.token = SPAN("h.3"),
          .before_grant = true,
          .action = SETTLE_DEAD,
          .source = SOURCE_LATER,
          .attempt = 3,
          .type = SPAN("dead"),
          .reason = SPAN("retries used up"),
          .release_id = true,
          .name_count = 1},
         "claim:h.3;later;dead;dead;retries used up;3;1;-;0;0;0;1;1-0/4;0;0"},
        {{.token = SPAN("h.4"),
          .action = SETTLE_DEAD,
          .type = SPAN("refused"),
          .reason = SPAN(""),
          .single_count = 1},
         "h.4;queue;dead;refused;;0;0;4;0;1;1-0;0;0;0;0"},
        {{.token = SPAN("h.5"),
          .action = SETTLE_LATER,
          .time_ms = 1732377600000,
          .attempt = 2,
          .reason = SPAN("131026"),
          .throttles = 3,
          .source = SOURCE_LATER,
          .name_count = 1},
         "h.5;later;later;1732377600000;2;131026;3;4;0;0;0;1;1-0/4;0;0"},
        {{.token = SPAN("h.6"),
          .action = SETTLE_UNCERTAIN,
          .time_ms = 1732377600001,
          .attempt = 1,
          .reason = SPAN("reset"),
          .single_count = 1},
         "h.6;queue;uncertain;1732377600001;1;reset;4;0;1;1-0;0;0;0;0"},
    };
    open_call(4096);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char sent[512];
        struct settle_group group = cases[i].group;
        group.singles = &single;
        group.names = &member;
        group.indexes = &two;
        group.member_count = !group.before_grant;
        struct settle_request request = settle_of(&group, 1);
        expect(call_settle(&call, &request));
        (void)snprintf(sent, sizeof(sent), SETTLE "1;%s;0", cases[i].sent);
        expect_sent(sent);
    }
    close_call();
}

/* Four thousand members in a random order: digit by digit as the format says. */
static void
the_bitmap_may_be_as_large_as_a_grant(void)
{
    enum { COUNT = CALLS_GRANT_MEMBERS_MAX };
    static uint32_t indexes[COUNT];
    static struct span singles[COUNT];
    static struct settle_cell charge = {.cell = 0, .count = 0, .millionths = 0};
    struct random random;
    random_seed(&random, 9);
    uint32_t count = 0;
    uint8_t expected[COUNT / 4] = {0};
    for (uint32_t i = 0; i < COUNT; i++) {
        if (i == COUNT - 1 || random_chance(&random, 0.5)) {
            expected[i / 4] |= (uint8_t)(1u << i % 4);
            indexes[count] = i;
            singles[count++] = SPAN("1-0");
        }
    }
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other = (uint32_t)random_below(&random, i + 1);
        uint32_t index = indexes[i];
        indexes[i] = indexes[other];
        indexes[other] = index;
    }
    charge.count = count;
    struct settle_group group = {.token = SPAN("h.9"),
                                 .indexes = indexes,
                                 .member_count = count,
                                 .cells = &charge,
                                 .cell_count = 1,
                                 .singles = singles,
                                 .single_count = count};
    struct settle_request request = settle_of(&group, 1);
    struct buffer out;
    open_call(sizeof(memory));
    expect(call_settle(&call, &request));
    buffer_init(&out, memory, sizeof(memory));
    session_output(session, &out);
    const char *bits = memmem(out.data, out.size, "$1024\r\n", 7);
    expect(bits != NULL);
    for (size_t i = 0; bits != NULL && i < sizeof(expected); i++)
        expect_u64(bits[7 + i], "0123456789abcdef"[expected[i]]);
    if (bits != NULL) {
        struct span hex = {.data = bits + 7, .size = 1024};
        for (uint32_t i = 0; i < COUNT + 8; i++)
            expect(settle_bit(hex, i) == (i < COUNT && (expected[i / 4] & 1u << i % 4) != 0));
    }
    close_call();
}

static void
a_settle_of_nonsense_is_a_mistake(void)
{
    static const uint32_t indexes[] = {1, 1, CALLS_GRANT_MEMBERS_MAX};
    static const struct span singles[] = {SPAN("1-0"), SPAN("1-1")};
    static const struct settle_cell charge = {0, 2, 10};
    static const struct settle_bulk bulk = {SPAN("1-0"), 8, 3};
    const struct settle_group good = {.token = SPAN("h.9"),
                                      .action = SETTLE_DROP,
                                      .indexes = indexes,
                                      .member_count = 1,
                                      .singles = singles,
                                      .single_count = 1};
    struct settle_group group = good;
    struct settle_request request = settle_of(&group, 1);
    open_call(8192);
    expect(call_settle(&call, &request));
    group.single_count = 0;
    expect_abort(call_settle(&call, &request)); /* nobody */
    group = good;
    group.member_count = 2;
    expect_abort(call_settle(&call, &request)); /* two places, one member */
    group.single_count = 2;
    expect_abort(call_settle(&call, &request)); /* the same place twice */
    group = good;
    group.indexes = indexes + 2;
    expect_abort(call_settle(&call, &request)); /* beyond any grant */
    group = good;
    group.action = SETTLE_ACCEPT;
    expect_abort(call_settle(&call, &request)); /* accepted, not charged */
    group.cells = &charge;
    group.cell_count = 1;
    expect_abort(call_settle(&call, &request)); /* charged for two */
    group = good;
    group.cells = &charge;
    group.cell_count = 1;
    expect_abort(call_settle(&call, &request)); /* charged, not accepted */
    group = good;
    group.source = SOURCE_LATER;
    expect_abort(call_settle(&call, &request)); /* later has names */
    group = good;
    group.names = singles;
    group.name_count = 1;
    expect_abort(call_settle(&call, &request)); /* and queue has none */
    group = good;
    group.before_grant = true;
    group.action = SETTLE_UNCERTAIN;
    expect_abort(call_settle(&call, &request)); /* was never sent */
    group = good;
    group.single_count = 0;
    group.bulks = &bulk;
    group.bulk_count = 1;
    expect_abort(call_settle(&call, &request)); /* member 4 of 3 */
    group = good;
    group.action = SETTLE_DEAD;
    group.before_grant = true;
    group.single_count = 2;
    expect_abort(call_settle(&call, &request)); /* one member a group */
    request.group_count = CALLS_SETTLE_GROUPS_MAX + 1;
    expect_abort(call_settle(&call, &request));
    close_call();
}

static void
reads_settle(void)
{
    struct span bits;
    const struct reply *reply = reply_of("[\"ok\" \"already 1e0\" \"already\" +ok \"alreadyx\"]");
    expect(!settle_is_read(reply, 5)); /* the last is none */
    expect(!settle_is_read(reply, 4));
    expect(settle_read(reply, 0, &bits));
    expect_u64(bits.size, 0);
    expect(!settle_read(reply, 1, &bits));
    expect_span(bits, SPAN("1e0"));
    expect(settle_bit(bits, 0) && !settle_bit(bits, 1));
    expect(!settle_bit(bits, 4) && settle_bit(bits, 5) && settle_bit(bits, 7));
    expect(!settle_bit(bits, 8) && !settle_bit(bits, 12));
    expect(!settle_read(reply, 2, &bits));
    expect_u64(bits.size, 0);
    expect(settle_read(reply, 3, NULL));
    expect(!settle_read(reply, 4, &bits));
    expect_u64(bits.size, 0);
    expect(!settle_read(reply, 5, &bits));
    expect(settle_is_read(reply_of("[\"ok\" \"already 1e0\" \"already\" +ok]"), 4));
    expect(settle_is_read(reply_of("[]"), 0));
    expect(!settle_is_read(reply_of("[\"already xyz\"]"), 1));
    expect(!settle_is_read(reply_of("[\"already 1E\"]"), 1));
    for (size_t i = 0; i < BAD_FOR_ALL; i++) {
        expect(!settle_is_read(reply_of(bad_for_all[i]), 2));
        if (i + 2 < BAD_FOR_ALL) /* the last but one begins with ok */
            expect(!settle_read(reply_of(bad_for_all[i]), 0, &bits));
    }
}

/* ---- the rest ----------------------------------------------------------------------------- */

static void
writes_the_rest(void)
{
    static const struct span claims[] = {SPAN("h.1"), SPAN("h.2u")};
    static const struct field fields[] = {{SPAN("to"), SPAN("+1")}, {SPAN("id"), SPAN("")}};
    struct account_keys accounts[2];
    struct error_text error;
    open_call(4096);
    expect(call_beat(&call, HOLDER, 17, true));
    expect_sent("FCALL;facteur_beat;1;facteur:{acme};0123456789abcdef;17;new");
    expect(call_beat(&call, HOLDER, 18, false));
    expect_sent("FCALL;facteur_beat;1;facteur:{acme};0123456789abcdef;18;renew");
    expect(call_fence(&call, HOLDER, 18));
    expect_sent("FCALL;facteur_fence;1;facteur:{acme};0123456789abcdef;18");
    expect(keys_read(SPAN("acme/fr"), &accounts[0], &error));
    expect(keys_read(SPAN("acme/de"), &accounts[1], &error));
    expect(call_leave(&call, HOLDER, accounts, 2));
    expect_sent("FCALL;facteur_leave;3;facteur:{acme}:fr;facteur:{acme}:de;facteur:{acme};"
                "0123456789abcdef");
    expect(call_leave(&call, HOLDER, accounts, 0));
    expect_sent("FCALL;facteur_leave;1;facteur:{acme};0123456789abcdef");
    expect(call_return(&call, HOLDER, claims, 2));
    expect_sent("FCALL;facteur_return;2;" AB ";0123456789abcdef;h.1;h.2u");
    expect(call_recover(&call, 1732377600000, 100));
    expect_sent("FCALL;facteur_recover;2;" AB ";1732377600000;100");
    expect(call_stats(&call));
    expect_sent("FCALL;facteur_stats;2;" AB);
    session_lost(session);
    session_connected(session);
    struct enqueue_request request = {.stream = "urgent", .fields = fields, .field_count = 2};
    expect(call_enqueue(&call, &request));
    expect_sent("FCALL;facteur_enqueue;2;" AB ";urgent;to;+1;id;");
    expect(call_version(session, on_reply, NULL));
    expect_sent("FCALL;facteur_version;0");
    expect(keys_read(SPAN("other/de"), &accounts[1], &error));
    expect_abort(call_leave(&call, HOLDER, accounts, 2)); /* another business is another slot */
    close_call();
}

static void
reads_the_rest(void)
{
    struct beat_reply beat;
    struct beat_worker worker;
    uint64_t claims;
    uint64_t uncertain;
    int64_t number;
    expect(beat_read(reply_of("[\"ok\" 17 \"h1\" \"5\" \"h2\" 6]"), &beat));
    expect(!beat.fenced);
    expect_u64(beat.now_ms, 17);
    expect_u64(beat.worker_count, 2);
    expect(beat_read_worker(&beat, 0, &worker));
    expect_span(worker.holder, SPAN("h1"));
    expect_u64(worker.beat, 5);
    expect(beat_read_worker(&beat, 1, &worker));
    expect_u64(worker.beat, 6);
    expect_abort(beat_read_worker(&beat, 2, &worker));
    expect(beat_read(reply_of("[\"fenced\"]"), &beat) && beat.fenced);
    expect(!beat_read(reply_of("[\"ok\" 17 \"h1\"]"), &beat));
    expect(!beat_read(reply_of("[\"ok\" -17]"), &beat));
    expect(beat_read(reply_of("[\"ok\" 17 5 5 \"h\" -1]"), &beat));
    expect(!beat_read_worker(&beat, 0, &worker));
    expect(!beat_read_worker(&beat, 1, &worker));

    expect(recover_read(reply_of("[3 17]"), &claims, &uncertain));
    expect_u64(claims, 3);
    expect_u64(uncertain, 17);
    expect(!recover_read(reply_of("[3]"), &claims, &uncertain));
    expect(!recover_read(reply_of("[-3 1]"), &claims, &uncertain));
    expect(!recover_read(reply_of("[3 -1]"), &claims, &uncertain));

    expect(stats_read(reply_of("[\"waiting\" 5 \"dead\" \"7\" \"odd\"]"), "dead", &number));
    expect(number == 7);
    expect(!stats_read(reply_of("[\"waiting\" 5 \"dead\" \"7\" \"odd\"]"), "odd", &number));
    expect(!stats_read(reply_of("[\"waiting\" nil]"), "waiting", &number));
    for (size_t i = 0; i < BAD_FOR_ALL; i++) {
        expect(!beat_read(reply_of(bad_for_all[i]), &beat));
        expect(!recover_read(reply_of(bad_for_all[i]), &claims, &uncertain));
        expect(!stats_read(reply_of(bad_for_all[i]), "ok", &number));
    }
}

static void
reads_enqueue(void)
{
    struct enqueue_reply enqueue;
    static const char *const bad[] = {
        "[\"queued\"]",
        "[\"queued\" 5]",
        "[\"queued\" \"\"]",
        "[\"scheduled\" \"1-1\"]",
        "[\"scheduled\" \"1-1\" -1]",
        "[\"duplicate\"]",
        "[\"full\" 1]",
        "[\"full\" 1 nil]",
        "[\"full\" -1 2]",
        "[\"lost\" \"1-1\"]",
    };
    expect(enqueue_read(reply_of("[\"queued\" \"1-1\"]"), &enqueue));
    expect_u64(enqueue.answer, ENQUEUE_QUEUED);
    expect_span(enqueue.entry, SPAN("1-1"));
    expect(enqueue_read(reply_of("[\"scheduled\" \"u1-1\" 1732377600000]"), &enqueue));
    expect_u64(enqueue.answer, ENQUEUE_SCHEDULED);
    expect_u64(enqueue.due_ms, 1732377600000);
    expect(enqueue_read(reply_of("[\"duplicate\" \"2-1/3\"]"), &enqueue));
    expect_u64(enqueue.answer, ENQUEUE_DUPLICATE);
    expect_span(enqueue.entry, SPAN("2-1/3"));
    expect(enqueue_read(reply_of("[\"full\" 900 \"850\"]"), &enqueue));
    expect_u64(enqueue.answer, ENQUEUE_FULL);
    expect_u64(enqueue.used, 900);
    expect_u64(enqueue.limit, 850);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        expect(!enqueue_read(reply_of(bad[i]), &enqueue));
    for (size_t i = 0; i < BAD_FOR_ALL; i++)
        expect(!enqueue_read(reply_of(bad_for_all[i]), &enqueue));
}

/* A call with many parts must leave nothing behind when there is no room for its last byte. */
static void
without_room_nothing_is_written(void)
{
    struct grant_request request = {.holder = HOLDER,
                                    .grant = SPAN("g"),
                                    .cells = cells,
                                    .cell_count = 2,
                                    .members = members,
                                    .member_count = 3};
    open_call(4096);
    expect(call_grant(&call, &request));
    size_t size = 4096 - session_room(session);
    close_call();
    open_call(size - 1);
    expect(!call_grant(&call, &request));
    expect_u64(session_room(session), size - 1);
    expect_u64(session_waiting(session), 0);
    expect(!session_wants_output(session));
    close_call();
    open_call(size);
    expect(call_grant(&call, &request));
    close_call();
}

static void
the_library_is_in_the_program(void)
{
    expect(strlen(library_version) >= 1);
    expect_u64(strlen(library_text), library_size);
    expect(strncmp(library_text, "#!lua name=facteur\n", 19) == 0);
    char line[64];
    (void)snprintf(line, sizeof(line), "\nlocal VERSION = '%s'\n", library_version);
    expect(strstr(library_text, line) != NULL);
    open_call(library_size + 64);
    expect(call_load(session, on_reply, NULL));
    close_call();
}

static void
sources_have_words(void)
{
    expect_text(source_text(SOURCE_QUEUE), "queue");
    expect_text(source_text(SOURCE_URGENT), "urgent");
    expect_text(source_text(SOURCE_LATER), "later");
    expect_abort(source_text(SOURCE_COUNT));
}

int
main(void)
{
    arena_open(&arena, 65536);
    TEST(writes_claim);
    TEST(reads_claim);
    TEST(reads_an_empty_claim);
    TEST(judges_claims);
    TEST(judges_parts);
    TEST(judges_entries);
    TEST(writes_grant);
    TEST(keeps_the_record_of_a_grant);
    TEST(a_grant_of_nonsense_is_a_mistake);
    TEST(reads_grant);
    TEST(writes_settle_accept);
    TEST(writes_every_action);
    TEST(the_bitmap_may_be_as_large_as_a_grant);
    TEST(a_settle_of_nonsense_is_a_mistake);
    TEST(reads_settle);
    TEST(writes_the_rest);
    TEST(reads_the_rest);
    TEST(reads_enqueue);
    TEST(without_room_nothing_is_written);
    TEST(the_library_is_in_the_program);
    TEST(sources_have_words);
    arena_close(&arena);
    return test_end();
}
