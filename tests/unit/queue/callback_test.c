#include "queue/callback.h"
#include "sender/base/random.h"
#include "tests/unit/test.h"

#include <string.h>

#define GOOD                                                                                       \
    "f1;acme/fr;u1732377600000-0/64;2;0123456789abcdef.17;4095;75000;USD;2026-11-23;"              \
    "fr|FR|Rest of Western Europe|utility|order_shipped|2018;00c0ffee00c0ffee;"

static void
what_is_written_is_read(void)
{
    const struct callback written = {
        .business = SPAN("acme"),
        .account = SPAN("fr"),
        .member = SPAN("u1732377600000-0/64"),
        .attempt = 2,
        .grant = SPAN("0123456789abcdef.17"),
        .index = 4095,
        .millionths = 75000,
        .currency = SPAN("USD"),
        .day = SPAN("2026-11-23"),
        .cell = SPAN("fr|FR|Rest of Western Europe|utility|order_shipped|2018"),
        .template_version = 0x00c0ffee00c0ffee,
    };
    char memory[CALLBACK_SIZE_MAX];
    struct buffer out;
    struct callback read;
    buffer_init(&out, memory, sizeof(memory));
    callback_put(&written, &out);
    expect(!out.overflow);
    expect_span(buffer_span(&out), SPAN(GOOD));
    expect(callback_read(buffer_span(&out), &read));
    expect_span(read.business, written.business);
    expect_span(read.account, written.account);
    expect_span(read.member, written.member);
    expect_u64(read.attempt, 2);
    expect_span(read.grant, written.grant);
    expect_u64(read.index, 4095);
    expect_u64(read.millionths, 75000);
    expect_span(read.currency, written.currency);
    expect_span(read.day, written.day);
    expect_span(read.cell, written.cell);
    expect_u64(read.template_version, written.template_version);
    expect_u64(read.budgets.size, 0);
}

static void
budgets_are_the_rest(void)
{
    struct callback callback;
    expect(callback_read(SPAN(GOOD "day|fr,month;x"), &callback));
    expect_span(callback.budgets, SPAN("day|fr,month;x"));
}

static void
what_does_not_fit_is_said(void)
{
    struct callback callback;
    char memory[64];
    struct buffer out;
    expect(callback_read(SPAN(GOOD), &callback));
    buffer_init(&out, memory, sizeof(memory));
    callback_put(&callback, &out);
    expect(out.overflow);
}

/* One part of the good text replaced by another. */
static void
nothing_else_is_read(void)
{
    static const struct {
        const char *from;
        const char *to;
    } cases[] = {
        {"f1;", "f2;"},
        {"f1;", ""},
        {"acme/fr", "acme"},
        {"acme/fr", "Acme/fr"},
        {"acme/fr", "acme/"},
        {"acme/fr", "acme/f r"},
        {"u1732377600000-0/64", ""},
        {"u1732377600000-0/64", "x1-0"},
        {"u1732377600000-0/64", "1732377600000"},
        {"u1732377600000-0/64", "1-0/0"},
        {"u1732377600000-0/64", "1-0/65"},
        {"u1732377600000-0/64", "1-0/01"},
        {"u1732377600000-0/64", "1-0/"},
        {"u1732377600000-0/64", "-0"},
        {"u1732377600000-0/64", "18446744073709551616-0"},
        {"u1732377600000-0/64", "1-0\t"},
        {";2;0", ";0;0"},
        {";2;0", ";;0"},
        {";2;0", ";-2;0"},
        {";2;0", ";4294967296;0"},
        {"0123456789abcdef.17", "0123456789abcdef"},
        {"0123456789abcdef.17", "0123456789abcdef."},
        {"0123456789abcdef.17", "0123456789abcdeF.17"},
        {"0123456789abcdef.17", "0123456789abcdef.1b"},
        {"0123456789abcdef.17", "0123456789abcdef.111111111111111111111111"},
        {"4095", "4096"},
        {"75000", "10000000000000000"},
        {"75000", "7.5"},
        {"75000", "-75000"},
        {"USD", "US"},
        {"USD", "usd"},
        {"2026-11-23", "2026-11-2"},
        {"2026-11-23", "2026/11/23"},
        {"2026-11-23", "2026-11-2x"},
        {"fr|FR|Rest", "\xff|FR|Rest"},
        {"fr|FR|Rest", "fr\n|FR|Rest"},
        {"fr|FR|Rest of Western Europe|utility|order_shipped|2018", ""},
        {"00c0ffee00c0ffee", "00C0ffee00c0ffee"},
        {"00c0ffee00c0ffee", "0c0ffee00c0ffee"},
        {"00c0ffee00c0ffee;", "00c0ffee00c0ffee"},
        {"00c0ffee00c0ffee;", "00c0ffee00c0ffee;\x01"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char text[CALLBACK_SIZE_MAX];
        struct callback callback;
        const char *at = strstr(GOOD, cases[i].from);
        expect(at != NULL);
        int size = snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - GOOD), GOOD, cases[i].to,
                            at + strlen(cases[i].from));
        if (callback_read((struct span){text, (size_t)size}, &callback)) {
            printf("read: %s\n", text);
            expect(!"refused");
        }
    }
}

static void
every_beginning_is_refused(void)
{
    struct callback callback;
    for (size_t size = 0; size < strlen(GOOD); size++)
        expect(!callback_read((struct span){GOOD, size}, &callback));
    expect(callback_read(SPAN(GOOD), &callback));
}

static void
it_is_bounded(void)
{
    char text[CALLBACK_SIZE_MAX + 1];
    struct callback callback;
    memcpy(text, GOOD, strlen(GOOD));
    memset(text + strlen(GOOD), 'b', sizeof(text) - strlen(GOOD));
    expect(callback_read((struct span){text, CALLBACK_SIZE_MAX}, &callback));
    expect(!callback_read((struct span){text, CALLBACK_SIZE_MAX + 1}, &callback));
}

static void
random_changes_are_judged(void)
{
    struct random random;
    random_seed(&random, 4);
    for (int round = 0; round < 20000; round++) {
        char text[] = GOOD;
        char again[CALLBACK_SIZE_MAX];
        struct callback callback;
        struct buffer out;
        for (uint64_t i = 0; i < 1 + random_below(&random, 3); i++)
            text[random_below(&random, strlen(text))] = (char)random_below(&random, 256);
        struct span changed = {text, sizeof(text) - 1};
        if (!callback_read(changed, &callback))
            continue;
        struct receipt receipt = callback_receipt(&callback);
        expect(receipt_is_good(&receipt));
        buffer_init(&out, again, sizeof(again));
        callback_put(&callback, &out);
        expect(!out.overflow);
    }
}

int
main(void)
{
    TEST(what_is_written_is_read);
    TEST(budgets_are_the_rest);
    TEST(what_does_not_fit_is_said);
    TEST(nothing_else_is_read);
    TEST(every_beginning_is_refused);
    TEST(it_is_bounded);
    TEST(random_changes_are_judged);
    return test_end();
}
