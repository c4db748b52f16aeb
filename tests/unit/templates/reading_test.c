#include "templates/policy/reading.h"
#include "templates/policy/model.h"
#include "tests/unit/test.h"

#include <string.h>

/* A reading in print: letters as UTF-8 where they are ASCII, '_' space, '.' a sentence's end, L and
 * S links, ? any other letter, * a pictogram. */
static const char *
shown(const struct reading *reading, char *text)
{
    uint32_t i = 0;
    for (; i < reading->count; i++) {
        uint32_t symbol = reading->symbols[i];
        text[i] = symbol == READING_SPACE        ? '_'
                  : symbol == READING_BREAK      ? '.'
                  : symbol == READING_LINK       ? 'L'
                  : symbol == READING_SHORT_LINK ? 'S'
                  : symbol < 0x80                ? (char)symbol
                  : symbol >= 0x2190             ? '*'
                                                 : '?';
    }
    text[i] = '\0';
    return text;
}

static void
reads(void)
{
    static const struct {
        const char *text;
        const char *read;
    } cases[] = {
        {"", ""},
        {"Hello, World", "hello_world"},
        {"ÉCONOMISEZ Straße", "economisez_strasse"},
        {"e\xcc\x81te\xcc\x81", "ete"},
        {"ｇｒａｔｕｉｔ 𝗙𝗥𝗘𝗘", "gratuit_free"},
        {"рrоmо", "promo"},
        {"fr\xe2\x80\x8b"
         "ee",
         "free"},
        {"pr0m0 d1scount s@le $ale", "promo_discount_sale_sale"},
        {"f r e e now", "free_now"},
        {"S.A.L.E", "sale"},
        {"a b c", "a_b_c"},
        {"CMD-1042", "cmd_0_"},
        {"50% 12,50 € € 12 $5.00", "%_$_$_$_"},
        {"12/05/2026 14:30", "0_"},
        {"{{1}} {{name}}", "0_0_"},
        {"{{ {1}", "0_"},
        {"End. Start! Why?", "end.start_!.why."},
        {"see https://shop.example/x or bit.ly/a", "see_L_or_S_"},
        {"\xff\xfe"
         "a\x80"
         "b",
         "a_b"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct reading reading;
        char text[READING_SIZE + 1];
        reading_take(span_of(cases[i].text), &reading);
        const char *read = shown(&reading, text);
        if (read[0] == '_' || read[0] == '.') /* a text may begin with what parts words */
            read++;
        const char *expected = cases[i].read;
        if (expected[0] == '.' || expected[0] == '_')
            expected++;
        expect_text(read, expected);
    }
}

static void
keeps_other_scripts(void)
{
    struct reading reading;
    reading_take(SPAN("скидка خصم छूट"), &reading);
    expect_u64(reading.words, 3);
    reading_take(SPAN("優惠大減價"), &reading);
    expect_u64(reading.count, 5);
    expect(reading_is_ideograph(reading.symbols[0]));
}

static void
leads_back_to_the_bytes(void)
{
    static const char text[] = "Été: f\xe2\x80\x8bree \xf0\x9f\x8e\x81 50 %";
    struct reading reading;
    reading_take(SPAN("Été: f\xe2\x80\x8bree \xf0\x9f\x8e\x81 50 %"), &reading);
    uint32_t before = 0;
    for (uint32_t i = 0; i < reading.count; i++) {
        expect(reading.starts[i] >= before && reading.ends[i] >= reading.starts[i]);
        expect(reading.ends[i] <= sizeof(text) - 1);
        before = reading.starts[i];
    }
    expect_u64(reading.repairs, 1);
    expect_u64(reading.pictures, 1);
}

static void
counts_what_shouts(void)
{
    struct reading reading;
    reading_take(SPAN("BUY NOW AND SAVE!!! ok"), &reading);
    expect_u64(reading.capitals, 4);
    expect_u64(reading.exclamations, 3);
}

static void
takes_a_chunk_and_no_more(void)
{
    static char text[2 * READING_CHUNK];
    struct reading reading;
    struct features features;
    memset(text, 'x', sizeof(text));
    for (size_t i = 0; i + 3 < sizeof(text); i += 3)
        memcpy(text + i, "\xef\xac\x83", 3); /* one character, three letters */
    reading_take((struct span){text, sizeof(text)}, &reading);
    expect(reading.count <= READING_SIZE);
    features_take(&reading, 0, reading.count, true, &features);
    expect(features.count <= FEATURES_MAX && features.count > 0);
}

static void
sees_each_feature_once(void)
{
    struct reading reading;
    struct features once;
    struct features twice;
    reading_take(SPAN("sale"), &reading);
    features_take(&reading, 0, reading.count, true, &once);
    reading_take(SPAN("sale sale sale sale"), &reading);
    features_take(&reading, 0, reading.count, true, &twice);
    expect_u64(once.count, 2); /* the word, one piece */
    expect_u64(twice.count, 2 + 1 + 4);
    for (uint32_t i = 0; i < twice.count; i++)
        for (uint32_t k = i + 1; k < twice.count; k++)
            expect(twice.index[i] != twice.index[k]);
}

static float
margin_of(struct span text)
{
    struct reading reading;
    struct features features;
    reading_take(text, &reading);
    features_take(&reading, 0, reading.count, true, &features);
    return model_margin(&features);
}

static void
weighs_advertising_more(void)
{
    expect(margin_of(SPAN("")) == 0);
    expect(margin_of(SPAN("Nur heute: 20 % Rabatt auf alle Schuhe, jetzt sichern!")) >
           margin_of(SPAN("Ihr Paket kommt heute zwischen 14 und 16 Uhr.")) + 3);
    expect(margin_of(SPAN("Скидка 50 % только сегодня, успейте купить!")) >
           margin_of(SPAN("Ваш заказ доставлен сегодня в 14:30.")) + 3);
}

static void
finds_the_words_that_say_so(void)
{
    static const char text[] =
        "Your order 1042 is on its way. Flash sale: 50% off everything today!";
    struct reading reading;
    struct features features;
    uint32_t first;
    uint32_t last;
    reading_take(SPAN("Your order 1042 is on its way. Flash sale: 50% off everything today!"),
                 &reading);
    features_take(&reading, 0, reading.count, true, &features);
    expect(model_find_words(&reading, &features, &first, &last));
    expect(reading.starts[first] >= strlen("Your order 1042 is on its way."));
    expect(reading.ends[last] <= sizeof(text) - 1);
}

int
main(void)
{
    TEST(reads);
    TEST(keeps_other_scripts);
    TEST(leads_back_to_the_bytes);
    TEST(counts_what_shouts);
    TEST(takes_a_chunk_and_no_more);
    TEST(sees_each_feature_once);
    TEST(weighs_advertising_more);
    TEST(finds_the_words_that_say_so);
    return test_end();
}
