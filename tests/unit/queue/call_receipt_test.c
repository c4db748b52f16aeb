#include "queue/calls.h"
#include "tests/unit/test.h"

#include <string.h>

static struct account_keys keys;
static struct session *session;
static struct call call;

static void
on_reply(void *context, const struct reply *reply)
{
    (void)context;
    (void)reply;
}

static void
open_call(size_t output_size)
{
    struct session_settings settings = {
        .output_size = output_size, .arena_size = 4096, .waiting_max = 8};
    struct error_text error;
    expect(keys_read(SPAN("acme/fr"), &keys, &error));
    session = session_open(&settings);
    session_connected(session);
    call = (struct call){.session = session, .keys = &keys, .on_reply = on_reply};
}

/* The parts of the one command that was written, as `PART;PART;…`. */
static void
expect_sent(const char *wanted)
{
    static char memory[16384];
    static char parts[16384];
    struct buffer out;
    struct buffer found;
    buffer_init(&out, memory, sizeof(memory));
    buffer_init(&found, parts, sizeof(parts));
    session_output(session, &out);
    struct span rest = buffer_span(&out);
    (void)span_split(&rest, '\n'); /* how many */
    while (rest.size > 0) {
        struct span size = span_trim(span_split(&rest, '\n'));
        uint64_t count = 0;
        size.data++;
        size.size--;
        expect(span_to_u64(size, &count) && count + 2 <= rest.size);
        if (found.size > 0)
            buffer_put_char(&found, ';');
        buffer_put(&found, rest.data, count);
        rest.data += count + 2;
        rest.size -= count + 2;
    }
    expect_span(buffer_span(&found), span_of(wanted));
}

#define AB "facteur:{acme}:fr;facteur:{acme}"

static const struct receipt good = {
    .accepted = true,
    .member = SPAN("1732377600000-0/3"),
    .attempt = 1,
    .grant = SPAN("0123456789abcdef.7"),
    .index = 12,
    .day = SPAN("2026-11-23"),
    .cell = SPAN("fr|FR|Rest of Western Europe|utility|t|2018"),
    .currency = SPAN("USD"),
    .millionths = 75000,
    .wamid = SPAN("wamid.HB"),
    .to = SPAN("00ff"),
};

#define LINE                                                                                       \
    "1732377600000-0/3\t1\t0123456789abcdef.7\t12\t2026-11-23\t"                                   \
    "fr|FR|Rest of Western Europe|utility|t|2018\tUSD\t75000\t"

static void
writes_receipts(void)
{
    struct receipt receipts[2] = {good, good};
    receipts[1].accepted = false;
    receipts[1].wamid = receipts[1].to = (struct span){0};
    receipts[1].reason = SPAN("131026: undeliverable");
    open_call(4096);
    expect(call_receipt(&call, 100000, 600000, receipts, 2));
    expect_sent("FCALL;facteur_receipt;2;" AB ";100000;600000;2;accepted\t" LINE
                "wamid.HB\t00ff\t;failed\t" LINE "\t\t131026: undeliverable");
    session_close(session);
}

static void
words_from_outside_stay_one_line(void)
{
    struct receipt receipt = good;
    receipt.wamid = SPAN("a\tb\nc\x7f");
    receipt.to = SPAN("caf\xc3\xa9");
    receipt.reason = SPAN("caf\xe9");
    open_call(4096);
    expect(call_receipt(&call, 1, 2, &receipt, 1));
    expect_sent("FCALL;facteur_receipt;2;" AB ";1;2;1;accepted\t" LINE "a b c \tcaf\xc3\xa9\tcaf ");
    session_close(session);
}

static void
long_words_are_cut_between_characters(void)
{
    static char words[2000];
    static char wanted[4096];
    struct receipt receipt = good;
    memset(words, 'x', sizeof(words));
    memcpy(words + 511, "\xc3\xa9", 2);
    receipt.wamid = receipt.to = receipt.reason = (struct span){words, sizeof(words)};
    snprintf(wanted, sizeof(wanted),
             "FCALL;facteur_receipt;2;" AB ";1;2;1;accepted\t" LINE "%.511s\t%.511s\t%.511s", words,
             words, words);
    open_call(4096);
    expect(call_receipt(&call, 1, 2, &receipt, 1));
    expect_sent(wanted);
    session_close(session);
}

static void
the_largest_receipts_fit(void)
{
    static char words[2000];
    static char cell[400];
    static struct receipt receipts[CALLS_RECEIPTS_MAX];
    memset(words, 'x', sizeof(words));
    memset(cell, 'c', sizeof(cell));
    for (uint32_t i = 0; i < CALLS_RECEIPTS_MAX; i++) {
        receipts[i] = good;
        receipts[i].member = SPAN("u1844674407370955161-18446744073709551615/64");
        receipts[i].attempt = UINT32_MAX;
        receipts[i].grant = SPAN("0123456789abcdef.12345678901234567890123");
        receipts[i].index = 4095;
        receipts[i].cell = (struct span){cell, sizeof(cell)};
        receipts[i].millionths = 9999999999999999;
        receipts[i].wamid = receipts[i].to = receipts[i].reason = (struct span){words, 2000};
    }
    open_call((size_t)CALLS_RECEIPTS_MAX * 3072);
    expect(call_receipt(&call, 1, 2, receipts, CALLS_RECEIPTS_MAX));
    session_close(session);
}

static void
without_room_nothing_is_written(void)
{
    open_call(128);
    expect(!call_receipt(&call, 1, 2, &good, 1));
    expect(!session_wants_output(session));
    session_close(session);
}

static void
a_receipt_is_judged(void)
{
    struct receipt bad[9];
    expect(receipt_is_good(&good));
    for (size_t i = 0; i < 9; i++)
        bad[i] = good;
    bad[0].member = SPAN("1732377600000");
    bad[1].attempt = 0;
    bad[2].grant = SPAN("0123456789abcdef");
    bad[3].index = 4096;
    bad[4].day = SPAN("23.11.2026");
    bad[5].cell = SPAN("a\tb");
    bad[6].cell = (struct span){0};
    bad[7].currency = SPAN("usd");
    bad[8].millionths = 10000000000000000;
    for (size_t i = 0; i < 9; i++) {
        expect(!receipt_is_good(&bad[i]));
        open_call(4096);
        expect_abort(call_receipt(&call, 1, 2, &bad[i], 1));
        session_close(session);
    }
    open_call(4096);
    expect_abort(call_receipt(&call, 1, 2, &good, 0));
    session_close(session);
}

static struct reply
text_reply(const char *text)
{
    return (struct reply){.type = REPLY_STRING, .text = span_of(text)};
}

static void
reads_receipts(void)
{
    struct reply answers[3] = {text_reply("ok uncertain"), text_reply("known"),
                               text_reply("ok gone")};
    struct reply *elements[3] = {&answers[0], &answers[1], &answers[2]};
    struct reply reply = {.type = REPLY_ARRAY, .elements = elements, .count = 3};
    struct span place;
    expect(receipts_are_read(&reply, 3));
    expect(receipt_read(&reply, 0, &place));
    expect_span(place, SPAN("uncertain"));
    expect(!receipt_read(&reply, 1, &place));
    expect_u64(place.size, 0);
    expect(receipt_read(&reply, 2, NULL));
    expect(!receipts_are_read(&reply, 2));
    expect(!receipts_are_read(NULL, 3));
    answers[1] = text_reply("ok");
    expect(!receipts_are_read(&reply, 3));
    answers[1] = text_reply("ok ");
    expect(!receipts_are_read(&reply, 3));
    answers[1] = (struct reply){.type = REPLY_INTEGER, .integer = 1};
    expect(!receipts_are_read(&reply, 3));
    struct reply error = {.type = REPLY_ERROR, .text = SPAN("FACTEUR no")};
    expect(!receipts_are_read(&error, 0));
}

static void
writes_overdue(void)
{
    const struct overdue_request request = {.policy = UNCERTAIN_RESEND,
                                            .codes_policy = UNCERTAIN_DROP,
                                            .events_keep = 5,
                                            .dedupe_ttl_ms = 6,
                                            .members_max = 7};
    open_call(4096);
    expect(call_overdue(&call, &request));
    expect_sent("FCALL;facteur_overdue;2;" AB ";resend;drop;5;6;7");
    session_close(session);
    expect_text(uncertain_policy_text(UNCERTAIN_PARK), "park");
}

static void
reads_overdue(void)
{
    struct reply ok = text_reply("ok");
    struct reply numbers[4] = {{.type = REPLY_INTEGER, .integer = 1},
                               {.type = REPLY_INTEGER, .integer = 2},
                               {.type = REPLY_INTEGER, .integer = 3},
                               {.type = REPLY_INTEGER, .integer = -1}};
    struct reply *elements[5] = {&ok, &numbers[0], &numbers[1], &numbers[2], &numbers[3]};
    struct reply reply = {.type = REPLY_ARRAY, .elements = elements, .count = 5};
    struct overdue_reply overdue;
    expect(overdue_read(&reply, &overdue));
    expect_u64(overdue.parked, 1);
    expect_u64(overdue.dropped, 2);
    expect_u64(overdue.resent, 3);
    expect(overdue.next_until_ms == -1);
    numbers[3].integer = 1732377600000;
    expect(overdue_read(&reply, &overdue));
    expect(overdue.next_until_ms == 1732377600000);
    numbers[3].integer = -2;
    expect(!overdue_read(&reply, &overdue));
    numbers[3].integer = -1;
    numbers[0].integer = -1;
    expect(!overdue_read(&reply, &overdue));
    reply.count = 4;
    expect(!overdue_read(&reply, &overdue));
    expect(!overdue_read(NULL, &overdue));
}

int
main(void)
{
    TEST(writes_receipts);
    TEST(words_from_outside_stay_one_line);
    TEST(long_words_are_cut_between_characters);
    TEST(the_largest_receipts_fit);
    TEST(without_room_nothing_is_written);
    TEST(a_receipt_is_judged);
    TEST(reads_receipts);
    TEST(writes_overdue);
    TEST(reads_overdue);
    return test_end();
}
