#include "templates/policy/fold.h"
#include "tests/unit/test.h"

#include <string.h>

/* The fold in print: letters, '_' space, '%', '$', '#', '-' (-50 %), '&' (2x1), '.' the end of a
 * sentence, '?' a letter of another alphabet. */
static const char *
shown(const struct fold *fold, char *text)
{
    for (uint32_t i = 0; i < fold->size; i++)
        text[i] = fold->symbols[i] < 26 ? (char)('a' + fold->symbols[i])
                                        : "_%$#-&.?"[fold->symbols[i] - 26];
    text[fold->size] = '\0';
    return text;
}

static void
folds(void)
{
    static const struct {
        const char *text;
        const char *folded;
    } cases[] = {
        {"", ""},
        {"Hello, World", "hello_world"},
        {"ÉCONOMISEZ Œuvre Straße", "economisez_oeuvre_strasse"},
        {"e\xcc\x81te\xcc\x81", "ete"},
        {"ｇｒａｔｕｉｔ", "gratuit"},
        {"𝗙𝗥𝗘𝗘 𝓈𝒶𝓁ℯ", "free_sale"},
        {"Ⓕⓡⓔⓔ 🅵🆁🅴🅴", "free_free"},
        {"🆓 🆕", "free_new"},
        {"рrоmо", "promo"},
        {"Εxclusive", "exclusive"},
        {"fr\xe2\x80\x8b"
         "ee f\xc2\xad"
         "ree",
         "free_free"},
        {"pr0m0 d1scount s@le $ale", "promo_discount_sale_sale"},
        {"f r e e", "free"},
        {"S.A.L.E", "sale"},
        {"p-r-o-m-o p_r_o_m_o", "promo_promo"},
        {"s o l d e s", "soldes"},
        {"f r e e   a b c", "free_a_b_c"},
        {"a f r e e", "a_free"},
        {"I.B.A.N", "i_b_a_n"},
        {"CMD-1042 AB12 A-5521 W19", "cmd_#_ab_#_a_#_w_#"},
        {"50%", "%"},
        {"50 % 50\xc2\xa0% 50\xe2\x80\xaf% 12,5 %", "%_%_%_%"},
        {"-50 % –20% 10-20 %", "-_-_#_%"},
        {"50off 50%off", "#_off_%_off"},
        {"50 percent", "%"},
        {"€12.50 12,50 € 12€ $ 5 Rs.500, 500 euros PHP 300", "$_$_$_$_$_$_$"},
        {"1 250 € 1,299.00 1 25", "$_#_#_#"},
        {"2x1 3x2 2x3 4x4 2 x 1", "&_&_#_x_#_#_x_#_#_x_#"},
        {"14:30 +33 6 12", "#_#_#_#_#"},
        {"{{1}} % off {{name}} x", "%_off_#_x"},
        {"{{ {1}", "#_"},
        {"End. Start! Why? bit.ly", "end.start.why.bit_ly"},
        {"a...b!!!", "a.b."},
        {"one\ntwo", "one_two"},
        {"a\xff"
         "b \xe2\x82 c",
         "a_b_c"},
        {"жизнь 日本", "??zhb_??"},
        {"aujourd'hui l’offre", "aujourd_hui_l_offre"},
        {"name@host", "name_host"},
        {"100 $ale", "#_sale"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fold fold;
        char text[FOLD_SIZE + 1];
        fold_text(span_of(cases[i].text), &fold);
        if (strcmp(shown(&fold, text), cases[i].folded) != 0)
            printf("of \"%s\":\n", cases[i].text);
        expect_text(text, cases[i].folded);
    }
}

/* Every symbol knows the bytes it stands for. */
static void
keeps_the_way_back(void)
{
    static const struct {
        const char *text;
        uint32_t symbol;
        const char *bytes;
    } cases[] = {
        {"été", 0, "é"},
        {"été", 2, "é"},
        {"a 1 250 € b", 2, "1 250 €"},
        {"x -50 %!", 2, "50 %"},
        {"Œuf", 1, "Œ"},
        {"f.r.e.e", 3, "e"},
        {"pr0mo", 2, "0"},
        {"Rs 500 ok", 0, "Rs 500"},
        {"12 euros", 0, "12 euros"},
        {"{{1}} a", 0, "{{1}}"},
        {"3x2", 0, "3x2"},
        {"ａｂ", 1, "ｂ"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fold fold;
        fold_text(span_of(cases[i].text), &fold);
        expect(cases[i].symbol < fold.size);
        uint32_t start = fold.starts[cases[i].symbol];
        uint32_t end = fold.ends[cases[i].symbol];
        expect_span(((struct span){cases[i].text + start, end - start}), span_of(cases[i].bytes));
    }
}

static void
marks_what_was_hidden(void)
{
    static const struct {
        const char *text;
        bool hidden;
    } cases[] = {
        {"promo", false},    {"pr0mo", true}, {"рromo", true},     {"pro\xe2\x80\x8bmo", true},
        {"p r o m o", true}, {"été", false},  {"CMD-1042", false}, {"\xe2\x80\x8bpromo", false},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct fold fold;
        uint8_t marks = 0;
        fold_text(span_of(cases[i].text), &fold);
        for (uint32_t j = 0; j < fold.size; j++)
            marks |= fold.marks[j];
        expect(((marks & FOLD_HIDDEN) != 0) == cases[i].hidden);
    }
}

static void
counts_shouting(void)
{
    struct fold fold;
    fold_text(SPAN("BUY NOW!! Great THINGS, NOW!!!"), &fold);
    expect_u64(fold.exclamations, 3);
    expect_u64(fold.words, 5);
    expect_u64(fold.capital_words, 1);
}

/* Whatever comes, symbols stay in order and within the text. */
static void
survives_garbage(void)
{
    static const char parts[][5] = {"a",  "1",  "$", "%",    "-",    " ",    ".",  "!",
                                    "{{", "}}", "é", "\xff", "ﬃ",    "🆓",    "@",  "x",
                                    ",",  "€",  "о", "\n",   "\xf0", "\xe2", "ｅ", "​"};
    uint64_t seed = 2463534242u;
    for (int round = 0; round < 20000; round++) {
        char text[FOLD_CHUNK];
        struct buffer buffer;
        struct fold fold;
        buffer_init(&buffer, text, round % 10 == 0 ? FOLD_CHUNK : 40);
        while (!buffer.overflow) {
            seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
            buffer_put_text(&buffer, parts[(seed >> 20) % (sizeof(parts) / sizeof(parts[0]))]);
        }
        fold_text(buffer_span(&buffer), &fold);
        uint32_t last = 0;
        bool good = fold.size <= FOLD_SIZE;
        for (uint32_t i = 0; i < fold.size; i++) {
            good = good && fold.starts[i] >= last && fold.starts[i] <= fold.ends[i] &&
                   fold.ends[i] <= buffer.size && fold.symbols[i] <= FOLD_OTHER;
            last = fold.starts[i];
        }
        expect(good);
    }
    expect_abort({
        static char large[FOLD_CHUNK + 1];
        struct fold fold;
        fold_text((struct span){large, sizeof(large)}, &fold);
    });
}

int
main(void)
{
    TEST(folds);
    TEST(keeps_the_way_back);
    TEST(marks_what_was_hidden);
    TEST(counts_shouting);
    TEST(survives_garbage);
    return test_end();
}
