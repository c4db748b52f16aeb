#include "loadtest/emulator_log.h"
#include "loadtest/emulator_wamid.h"
#include "tests/unit/test.h"

#include <string.h>

static void
tells_members_apart(void)
{
    static const struct {
        const char *callback, *member;
    } cases[] = {
        {"f1;acme/fr;1-0/1;2;h.1;0;30000;USD;2026-11-23;cell;v;", "acme/fr;1-0/1"},
        {"f1;acme/fr;1-0/1;", "acme/fr;1-0/1"},
        {"f1;acme/fr;1-0/1", "f1;acme/fr;1-0/1"}, /* not that format: compared whole */
        {"f1;acme/fr", "f1;acme/fr"},
        {"f1;", "f1;"},
        {"f2;acme/fr;1-0;3;", "f2;acme/fr;1-0;3;"},
        {"job:42", "job:42"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        expect_span(emulator_log_member(span_of(cases[i].callback)), span_of(cases[i].member));
}

static bool
append(struct emulator_log *log, const char *callback)
{
    struct emulator_accepted accepted = {.callback = span_of(callback),
                                         .to = SPAN("+33612345678"),
                                         .wa_id = SPAN("33612345678"),
                                         .text = SPAN("Claire"),
                                         .country = 3,
                                         .template = 5,
                                         .millionths = 30000};
    return emulator_log_append(log, &accepted);
}

static void
counts_duplicates(void)
{
    struct emulator_log *log = emulator_log_open();
    expect(!append(log, "f1;acme/fr;1-0/1;1;"));
    expect(!append(log, "f1;acme/fr;1-0/2;1;"));
    expect(!append(log, "f1;acme/de;1-0/1;1;"));
    expect(append(log, "f1;acme/fr;1-0/1;2;")); /* another attempt of the same member */
    expect(!append(log, "other"));
    expect(append(log, "other"));
    expect(!append(log, "")); /* nobody can tell */
    expect(!append(log, ""));
    expect_u64(emulator_log_count(log), 8);
    emulator_log_reset(log);
    expect_u64(emulator_log_count(log), 0);
    expect(!append(log, "other"));
    emulator_log_close(log);
}

/* Enough for many chunks and several doublings of the index. */
static void
keeps_a_hundred_thousand(void)
{
    enum { MESSAGES = 100000 };
    char callback[128];
    struct emulator_log *log = emulator_log_open();
    for (int i = 0; i < MESSAGES; i++) {
        snprintf(callback, sizeof callback, "f1;acme/fr;1732377600000-%d;1;grant;0;30000;USD", i);
        expect(!append(log, callback));
    }
    static const uint64_t starts[] = {0, 1, 777, 50000, MESSAGES - 1, MESSAGES, MESSAGES + 5};
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++) {
        struct emulator_log_reader reader;
        struct emulator_accepted accepted;
        uint64_t number = starts[i];
        emulator_log_seek(log, number, &reader);
        for (; emulator_log_read(&reader, &accepted); number++) {
            snprintf(callback, sizeof callback, "f1;acme/fr;1732377600000-%d;1;grant;0;30000;USD",
                     (int)number);
            if (accepted.number != number || !span_equal(accepted.callback, span_of(callback)))
                break;
        }
        expect_u64(number, starts[i] < MESSAGES ? MESSAGES : starts[i]);
    }
    struct emulator_log_reader reader;
    struct emulator_accepted accepted = {0};
    emulator_log_seek(log, 99, &reader);
    expect(emulator_log_read(&reader, &accepted));
    expect_span(accepted.to, SPAN("+33612345678"));
    expect_span(accepted.wa_id, SPAN("33612345678"));
    expect_span(accepted.text, SPAN("Claire"));
    expect_u64(accepted.country, 3);
    expect_u64(accepted.template, 5);
    expect_u64(accepted.millionths, 30000);
    for (int i = 0; i < MESSAGES; i += 1000) {
        snprintf(callback, sizeof callback, "f1;acme/fr;1732377600000-%d;2;", i);
        expect(append(log, callback));
    }
    emulator_log_close(log);
}

static void
cuts_long_texts_between_characters(void)
{
    char text[100];
    struct emulator_log *log = emulator_log_open();
    struct emulator_log_reader reader;
    struct emulator_accepted accepted = {.text = {text, sizeof text}}, read = {0};
    memset(text, 'x', sizeof text);
    text[EMULATOR_LOG_TEXT_MAX - 1] = '\xe2';
    text[EMULATOR_LOG_TEXT_MAX] = '\x82';
    text[EMULATOR_LOG_TEXT_MAX + 1] = '\xac';
    (void)emulator_log_append(log, &accepted);
    emulator_log_seek(log, 0, &reader);
    expect(emulator_log_read(&reader, &read));
    expect_u64(read.text.size, EMULATOR_LOG_TEXT_MAX - 1);
    emulator_log_close(log);
}

/* Undoes base64. */
static size_t
decode(struct span text, unsigned char *out)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t size = 0;
    uint32_t bits = 0;
    int held = 0;
    for (size_t i = 0; i < text.size && text.data[i] != '='; i++) {
        bits = bits << 6 | (uint32_t)(strchr(alphabet, text.data[i]) - alphabet);
        held += 6;
        if (held >= 8)
            out[size++] = (unsigned char)(bits >> (held -= 8));
    }
    return size;
}

static void
writes_wamids_in_metas_layout(void)
{
    char memory[EMULATOR_WAMID_MAX];
    unsigned char bytes[256] = {0};
    struct buffer wamid;
    buffer_init(&wamid, memory, sizeof memory);
    emulator_wamid_write(SPAN("16503879439"), 1, 42, &wamid);
    struct span text = buffer_span(&wamid);
    expect(span_starts(text, SPAN("wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI"))); /* as Meta's example */
    expect_u64(text.size, strlen("wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBJBRkJENzExMTRFRjk2NTI1OTEA"));
    size_t size = decode((struct span){text.data + 6, text.size - 6}, bytes);
    expect_u64(size, 3 + 11 + 6 + 18 + 1);
    expect_u64(bytes[0], 0x1c);
    expect_u64(bytes[1], 0x18);
    expect_u64(bytes[2], 11);
    expect(memcmp(bytes + 3, "16503879439\x15\x02\x00\x11\x18\x12", 17) == 0);
    for (size_t i = 20; i < 38; i++)
        expect(strchr("0123456789ABCDEF", bytes[i]) != NULL && bytes[i] != 0);
    expect_u64(bytes[38], 0);

    char again_memory[EMULATOR_WAMID_MAX];
    struct buffer again;
    buffer_init(&again, again_memory, sizeof again_memory);
    emulator_wamid_write(SPAN("16503879439"), 1, 42, &again);
    expect_span(buffer_span(&again), text);
    buffer_reset(&again);
    emulator_wamid_write(SPAN("16503879439"), 1, 43, &again);
    expect(!span_equal(buffer_span(&again), text));
    buffer_reset(&again);
    emulator_wamid_write(SPAN("16503879439"), 2, 42, &again);
    expect(!span_equal(buffer_span(&again), text));
}

int
main(void)
{
    TEST(tells_members_apart);
    TEST(counts_duplicates);
    TEST(keeps_a_hundred_thousand);
    TEST(cuts_long_texts_between_characters);
    TEST(writes_wamids_in_metas_layout);
    return test_end();
}
