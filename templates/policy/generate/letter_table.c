/*
 * letter_table - makes letter_table.inc from ICU's data, at build time: what each code point counts
 * as for the model (letter.h).
 *
 *   facteur_letter_table > letter_table.inc
 *
 * A letter is folded so: NFKC with case folding, canonical decomposition, accents dropped, then
 * ICU's confusables: where a letter's skeleton is one ASCII letter or digit, it is that letter.
 */
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/uspoof.h>
#include <unicode/ustring.h>
#include <unicode/uversion.h>

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "templates/policy/letter.h"

enum {
    BLOCK = 128,
    CODES = 0x20000, /* planes 0 and 1; beyond: ideographs and nothing else */
    BLOCKS_MAX = CODES / BLOCK,
    POOL_MAX = 65536,
};

/* class in bits 0-3, look_alike bit 4, upper bit 5, count bits 6-8, then the letter itself (one) or
 * its place in the pool. */
static uint32_t entries[CODES];
static uint32_t pool[POOL_MAX];
static uint32_t pool_size;
static const UNormalizer2 *casefold;
static const UNormalizer2 *decompose;
static USpoofChecker *spoof;

static void
need(UErrorCode code, const char *what)
{
    if (U_SUCCESS(code))
        return;
    fprintf(stderr, "letter_table: %s: %s\n", what, u_errorName(code));
    exit(1);
}

static bool
is_accent(UChar32 code)
{
    int8_t type = u_charType(code);
    if (type != U_NON_SPACING_MARK && type != U_ENCLOSING_MARK)
        return false;
    UErrorCode error = U_ZERO_ERROR;
    UScriptCode script = uscript_getScript(code, &error);
    return script == USCRIPT_INHERITED || script == USCRIPT_COMMON || script == USCRIPT_LATIN ||
           script == USCRIPT_GREEK || script == USCRIPT_CYRILLIC || script == USCRIPT_ARABIC ||
           script == USCRIPT_HEBREW;
}

/* Folds into `out`; how many code points, at most LETTER_FOLDED_MAX. */
static uint32_t
fold(UChar32 code, uint32_t *out, bool *look_alike)
{
    UErrorCode error = U_ZERO_ERROR;
    UChar source[4];
    UChar folded[64];
    UChar apart[128];
    int32_t size = 0;
    uint32_t count = 0;
    U16_APPEND_UNSAFE(source, size, code);
    int32_t folded_size = unorm2_normalize(casefold, source, size, folded, 64, &error);
    int32_t apart_size = unorm2_normalize(decompose, folded, folded_size, apart, 128, &error);
    need(error, "normalising");
    for (int32_t i = 0; i < apart_size && count < LETTER_FOLDED_MAX;) {
        UChar32 part;
        U16_NEXT(apart, i, apart_size, part);
        if (is_accent(part))
            continue;
        if (part >= 0x80 && u_isalpha(part)) {
            UChar one[2];
            UChar skeleton[32];
            int32_t one_size = 0;
            U16_APPEND_UNSAFE(one, one_size, part);
            int32_t skeleton_size =
                uspoof_getSkeleton(spoof, 0, one, one_size, skeleton, 32, &error);
            need(error, "a skeleton");
            if (skeleton_size == 1 && skeleton[0] < 0x80 && u_isalnum(skeleton[0])) {
                part = u_tolower(skeleton[0]);
                *look_alike = true;
            }
        }
        out[count++] = (uint32_t)part;
    }
    return count;
}

static bool
is_ideographic(UChar32 code)
{
    UErrorCode error = U_ZERO_ERROR;
    switch (uscript_getScript(code, &error)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
        return true;
    default:
        return false;
    }
}

static enum letter_class
class_of(UChar32 code)
{
    int8_t type = u_charType(code);
    if (code == '\n' || code == '\r' || code == 0x2028 || code == 0x2029 || code == '!' ||
        code == '?' || u_hasBinaryProperty(code, UCHAR_S_TERM))
        return code == '.' ? LETTER_SPACE : LETTER_BREAK;
    if (code == '%' || code == 0x66a || code == 0xff05 || code == 0xfe6a)
        return LETTER_PERCENT;
    if (type == U_CURRENCY_SYMBOL)
        return LETTER_MONEY;
    if (u_charDigitValue(code) >= 0)
        return LETTER_DIGIT;
    if (u_hasBinaryProperty(code, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) || type == U_FORMAT_CHAR)
        return LETTER_HIDDEN;
    if (is_accent(code))
        return LETTER_MARK;
    if (u_hasBinaryProperty(code, UCHAR_EXTENDED_PICTOGRAPHIC) && code > 0xff)
        return LETTER_PICTURE;
    if (u_isUAlphabetic(code) || type == U_NON_SPACING_MARK || type == U_COMBINING_SPACING_MARK)
        return is_ideographic(code) ? LETTER_IDEO : LETTER_WORD;
    return LETTER_SPACE;
}

static uint32_t
pool_place(const uint32_t *folded, uint32_t count)
{
    for (uint32_t i = 0; i + count <= pool_size; i++)
        if (memcmp(pool + i, folded, count * sizeof(*folded)) == 0)
            return i;
    if (pool_size + count > POOL_MAX) {
        fprintf(stderr, "letter_table: the pool is too small\n");
        exit(1);
    }
    memcpy(pool + pool_size, folded, count * sizeof(*folded));
    pool_size += count;
    return pool_size - count;
}

static uint32_t
entry_of(UChar32 code)
{
    uint32_t folded[LETTER_FOLDED_MAX];
    bool look_alike = false;
    enum letter_class class = class_of(code);
    uint32_t upper = u_isUUppercase(code) || u_istitle(code);
    uint32_t count = 0;
    if (class == LETTER_DIGIT) {
        folded[0] = '0' + (uint32_t)u_charDigitValue(code) % 10;
        count = 1;
    } else if (class == LETTER_PICTURE) {
        folded[0] = (uint32_t)code;
        count = 1;
    } else if (class == LETTER_WORD || class == LETTER_IDEO || class == LETTER_SPACE ||
               class == LETTER_PERCENT) {
        /* Some signs are words by their compatibility form: (a), TM, kg. */
        count = fold(code, folded, &look_alike);
        bool letters = count > 0;
        for (uint32_t i = 0; i < count; i++)
            letters = letters && u_isUAlphabetic((UChar32)folded[i]);
        if (class == LETTER_SPACE && letters)
            class = LETTER_WORD;
        else if (class == LETTER_SPACE && count == 1 && folded[0] == '.')
            class = LETTER_SPACE;
        else if (class == LETTER_SPACE || class == LETTER_PERCENT)
            count = 0;
        if (class == LETTER_WORD && count == 0)
            class = LETTER_MARK;
    }
    uint32_t value = count == 1 ? folded[0] : count > 1 ? pool_place(folded, count) : 0;
    return (uint32_t) class | (uint32_t)look_alike << 4 | upper << 5 | count << 6 | value << 9;
}

static void
print_array(const char *type, const char *name, const uint32_t *values, uint32_t count)
{
    printf("static const %s %s[%u] = {", type, name, (unsigned)count);
    for (uint32_t i = 0; i < count; i++)
        printf("%s%u,", i % 16 == 0 ? "\n" : "", (unsigned)values[i]);
    printf("\n};\n");
}

int
main(void)
{
    static uint32_t index[BLOCKS_MAX];
    static uint32_t blocks[CODES];
    uint32_t block_count = 0;
    UErrorCode error = U_ZERO_ERROR;
    casefold = unorm2_getNFKCCasefoldInstance(&error);
    decompose = unorm2_getNFDInstance(&error);
    spoof = uspoof_open(&error);
    need(error, "opening ICU");
    for (UChar32 code = 0; code < CODES; code++)
        entries[code] = U_IS_SURROGATE(code) ? (uint32_t)LETTER_SPACE : entry_of(code);
    for (uint32_t i = 0; i < BLOCKS_MAX; i++) {
        uint32_t found = 0;
        while (found < block_count &&
               memcmp(blocks + found * BLOCK, entries + i * BLOCK, BLOCK * sizeof(*blocks)) != 0)
            found++;
        if (found == block_count)
            memcpy(blocks + block_count++ * BLOCK, entries + i * BLOCK, BLOCK * sizeof(*blocks));
        index[i] = found;
    }
    printf("/* Made by letter_table from ICU %s, Unicode %s. */\n", U_ICU_VERSION,
           U_UNICODE_VERSION);
    printf("enum { LETTER_BLOCK = %d, LETTER_CODES = %d };\n", BLOCK, CODES);
    print_array("uint16_t", "letter_index", index, BLOCKS_MAX);
    print_array("uint32_t", "letter_blocks", blocks, block_count * BLOCK);
    print_array("uint32_t", "letter_pool", pool, pool_size > 0 ? pool_size : 1);
    uspoof_close(spoof);
    return 0;
}
