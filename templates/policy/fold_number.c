#include "templates/policy/folder.h"

#include <string.h>

/* "rs", "eur", "dollars": the letters of the symbols `first` … `first + size`. */
static bool
is_currency(const struct fold *fold, uint32_t first, uint32_t size)
{
    static const char *const words[] = {
        "rs",    "inr",   "php",   "eur",    "usd",    "gbp",    "mxn",     "cop",
        "ars",   "chf",   "mad",   "xof",    "euro",   "fcfa",   "peso",    "euros",
        "pesos", "pound", "soles", "pounds", "rupees", "dollar", "dollars", "dolares"};
    char text[8];
    if (size < 2 || size > 7)
        return false;
    for (uint32_t i = 0; i < size; i++) {
        if (fold->symbols[first + i] >= FOLD_SPACE)
            return false;
        text[i] = (char)('a' + fold->symbols[first + i]);
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strlen(words[i]) == size && memcmp(words[i], text, size) == 0)
            return true;
    return false;
}

/* The first symbol of a currency just before the end of the fold ("€ ", "rs "), if one is there. */
static bool
currency_before(const struct fold *fold, uint32_t *first)
{
    uint32_t end = fold->size;
    if (end > 0 && fold->symbols[end - 1] == FOLD_SPACE && (fold->marks[end - 1] & FOLD_LINE) == 0)
        end--;
    if (end == 0)
        return false;
    if (fold->symbols[end - 1] == FOLD_AMOUNT && fold->ends[end - 1] - fold->starts[end - 1] <= 3) {
        *first = end - 1;
        return true;
    }
    uint32_t start = end;
    while (start > 0 && end - start < 8 && fold->symbols[start - 1] < FOLD_SPACE)
        start--;
    *first = start;
    return is_currency(fold, start, end - start);
}

/* The end of a number that starts with digits at `at`: "1,299.00", "1 250", "06/05" is two. */
static uint32_t
number_end(const struct folder *folder, uint32_t at)
{
    while (at < folder->size) {
        struct character unit = look(folder, at);
        uint32_t next = at + unit.size;
        if (character_is_digit(unit.code)) {
            at = next;
            continue;
        }
        if ((unit.code == CODE_POINT || unit.code == CODE_COMMA) &&
            character_is_digit(code_at(folder, next))) {
            at = next;
            continue;
        }
        bool group = unit.code == CODE_SOFT && folder->size - next >= 3 &&
                     character_is_digit(folder->data[next]) &&
                     character_is_digit(folder->data[next + 1]) &&
                     character_is_digit(folder->data[next + 2]) &&
                     !character_is_digit(code_at(folder, next + 3));
        bool space = folder->data[at] == ' ' || folder->data[at] >= 0x80; /* or a no-break one */
        if (!group || !space)
            return at;
        at = next;
    }
    return at;
}

static bool
minus_before(const struct folder *folder, uint32_t start)
{
    static const char dash[] = "\xe2\x80\x93";  /* en dash */
    static const char minus[] = "\xe2\x88\x92"; /* minus sign */
    static const char wide[] = "\xef\xbc\x8d";  /* full-width hyphen */
    const uint8_t *end = folder->data + start;
    uint32_t size = 0;
    if (start >= 1 && end[-1] == '-')
        size = 1;
    else if (start >= 3 && (memcmp(end - 3, dash, 3) == 0 || memcmp(end - 3, minus, 3) == 0 ||
                            memcmp(end - 3, wide, 3) == 0))
        size = 3;
    if (size == 0 || start == size)
        return size > 0;
    uint8_t before = end[-(int)size - 1]; /* "10-20 %" is a range */
    return before >= 0x80 || !character_is_word(character_ascii[before]);
}

void
fold_take_number(struct folder *folder, uint32_t start, uint32_t end)
{
    struct fold *fold = folder->fold;
    uint8_t symbol = FOLD_NUMBER;
    uint32_t first;
    end = number_end(folder, end);
    uint32_t next = skip_hidden(folder, end);
    uint8_t code = code_at(folder, next);
    if (code == CODE_SOFT && next < folder->size && folder->data[next] != '/') {
        next = skip_hidden(folder, next + look(folder, next).size);
        code = code_at(folder, next);
    }
    if (code == CODE_PERCENT) {
        symbol = minus_before(folder, start) ? FOLD_MINUS_PERCENT : FOLD_PERCENT;
        end = next + look(folder, next).size;
    } else if (currency_before(fold, &first)) {
        symbol = FOLD_AMOUNT;
        start = fold->starts[first];
        fold->size = first;
    } else if (code == CODE_MONEY && !character_is_word(code_at(folder, next + 1))) {
        symbol = FOLD_AMOUNT;
        end = next + look(folder, next).size;
    }
    fold_push_apart(folder, symbol, start, end);
    folder->at = end;
}

/* "12 euros", "50 percent". */
void
fold_join_unit(struct folder *folder, uint32_t first, uint32_t size)
{
    static const uint8_t percent[] = {15, 4, 17, 2, 4, 13, 19};
    struct fold *fold = folder->fold;
    if (first < 2 || fold->symbols[first - 1] != FOLD_SPACE ||
        fold->symbols[first - 2] != FOLD_NUMBER)
        return;
    uint8_t symbol = 0;
    if (is_currency(fold, first, size))
        symbol = FOLD_AMOUNT;
    else if (size == 7 && memcmp(fold->symbols + first, percent, 7) == 0)
        symbol = FOLD_PERCENT;
    if (symbol == 0)
        return;
    fold->ends[first - 2] = fold->ends[first + size - 1];
    fold->symbols[first - 2] = symbol;
    fold->size = first - 1;
}
