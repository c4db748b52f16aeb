#include "templates/policy/fold.h"
#include "sender/base/check.h"
#include "templates/policy/folder.h"
#include "templates/policy/terms.h"

#include <string.h>

enum {
    WORD_MAX = 48, /* characters; longer ones are cut, no rule has such a word */
    VARIABLE_MAX = 64,
};

/* A word as it stands, before it is known what its digits mean: `raw` holds letters, digits and
 * the signs that may stand for letters. */
struct word {
    uint32_t first; /* its first symbol in the fold; the others follow */
    uint32_t size;
    uint32_t digits;
    uint32_t signs;
    uint32_t capitals;
    uint8_t raw[WORD_MAX + 4];
};

void
fold_push(struct folder *folder, uint8_t symbol, uint32_t start, uint32_t end)
{
    struct fold *fold = folder->fold;
    check(fold->size < FOLD_SIZE);
    fold->symbols[fold->size] = symbol;
    fold->marks[fold->size] = 0;
    fold->starts[fold->size] = (uint16_t)start;
    fold->ends[fold->size] = (uint16_t)end;
    fold->size++;
}

void
fold_push_space(struct folder *folder, uint32_t start, uint32_t end)
{
    uint8_t last = last_symbol(folder->fold);
    if (last != FOLD_SPACE && last != FOLD_BREAK)
        fold_push(folder, FOLD_SPACE, start, end);
}

void
fold_push_apart(struct folder *folder, uint8_t symbol, uint32_t start, uint32_t end)
{
    fold_push_space(folder, start, start);
    fold_push(folder, symbol, start, end);
}

static void
push_line(struct folder *folder, uint32_t start, uint32_t end)
{
    fold_push_space(folder, start, end);
    if (folder->fold->size > 0)
        folder->fold->marks[folder->fold->size - 1] |= FOLD_LINE;
}

static void
push_break(struct folder *folder, uint32_t start, uint32_t end)
{
    uint8_t last = last_symbol(folder->fold);
    if (last == FOLD_SPACE)
        folder->fold->symbols[folder->fold->size - 1] = FOLD_BREAK;
    else if (last != FOLD_BREAK)
        fold_push(folder, FOLD_BREAK, start, end);
}

static bool
is_amount(uint8_t symbol)
{
    return symbol >= FOLD_PERCENT && symbol <= FOLD_N_FOR_M;
}

/* Is the word, with digits read as letters, one that a rule knows? Then it is written so. */
static bool
repair_word(struct folder *folder, const struct word *word, char one)
{
    struct fold *fold = folder->fold;
    uint8_t letters[WORD_MAX + 4];
    for (uint32_t i = 0; i < word->size; i++) {
        uint8_t letter = fold_letter_for(word->raw[i], one);
        if (letter == 0)
            return false;
        letters[i] = (uint8_t)(letter - 'a');
    }
    if (word->size < 3 || terms_longest_word(letters, word->size) != word->size)
        return false;
    memcpy(fold->symbols + word->first, letters, word->size);
    for (uint32_t i = 0; i < word->size; i++)
        fold->marks[word->first + i] |= FOLD_HIDDEN;
    fold->size = word->first + word->size;
    return true;
}

/* "50off", "v2", "name@host": letters and numbers apart. */
static void
split_word(struct folder *folder, const struct word *word)
{
    struct fold *fold = folder->fold;
    uint16_t starts[WORD_MAX + 4];
    uint16_t ends[WORD_MAX + 4];
    uint8_t symbols[WORD_MAX + 4];
    uint8_t marks[WORD_MAX + 4];
    memcpy(starts, fold->starts + word->first, word->size * sizeof(starts[0]));
    memcpy(ends, fold->ends + word->first, word->size * sizeof(ends[0]));
    memcpy(symbols, fold->symbols + word->first, word->size);
    memcpy(marks, fold->marks + word->first, word->size);
    uint32_t after = folder->at;
    fold->size = word->first;
    for (uint32_t i = 0; i < word->size; i++) {
        if (character_is_digit(word->raw[i])) {
            uint32_t first = i;
            while (i + 1 < word->size && character_is_digit(word->raw[i + 1]))
                i++;
            fold_take_number(folder, starts[first], ends[i]);
            if (folder->at > after)
                return;
        } else if (symbols[i] < FOLD_SPACE || symbols[i] == FOLD_OTHER) {
            if (is_amount(last_symbol(fold)))
                fold_push_space(folder, starts[i], starts[i]);
            fold_push(folder, symbols[i], starts[i], ends[i]);
            fold->marks[fold->size - 1] = marks[i];
        } else {
            fold_push_space(folder, starts[i], ends[i]);
        }
    }
    folder->at = after;
}

static bool
is_n_for_m(const struct word *word)
{
    return word->size == 3 && word->raw[1] == 'x' && word->raw[0] > '1' && word->raw[0] <= '9' &&
           word->raw[2] >= '1' && word->raw[2] < word->raw[0];
}

/* A word with digits or signs in it. */
static void
finish_mixed(struct folder *folder, const struct word *word)
{
    struct fold *fold = folder->fold;
    if (word->digits == word->size) {
        uint32_t start = fold->starts[word->first];
        fold->size = word->first;
        fold_take_number(folder, start, folder->at);
    } else if (is_n_for_m(word)) {
        fold->symbols[word->first] = FOLD_N_FOR_M;
        fold->ends[word->first] = fold->ends[word->first + 2];
        fold->size = word->first + 1;
    } else if (!repair_word(folder, word, 'i') && !repair_word(folder, word, 'l')) {
        split_word(folder, word);
    }
}

/* '@', '$' and '!' within a word may stand for letters: "s@le". */
static bool
is_sign_in_word(const struct folder *folder, uint32_t at)
{
    uint8_t c = folder->data[at];
    return (c == '@' || c == '$' || c == '!' || c == '|') && at + 1 < folder->size &&
           character_is_word(code_at(folder, at + 1)) && !character_is_digit(folder->data[at + 1]);
}

static void
push_expansion(struct folder *folder, struct word *word, uint8_t code, struct character unit)
{
    for (const char *p = character_expansion(code); *p != '\0'; p++) {
        word->raw[word->size++] = (uint8_t)*p;
        fold_push(folder, (uint8_t)(*p - 'a'), folder->at, folder->at + unit.size);
    }
}

/* The letters of plain ASCII that come next: most of every text. */
static void
gather_ascii(struct folder *folder, struct word *word)
{
    struct fold *fold = folder->fold;
    uint32_t at = folder->at;
    uint32_t size = word->size;
    uint32_t end = fold->size;
    uint32_t stop = folder->size - at > WORD_MAX - size ? at + WORD_MAX - size : folder->size;
    for (; at < stop; at++) {
        uint8_t byte = folder->data[at];
        uint8_t letter = (uint8_t)((byte | 0x20) - 'a');
        if (letter >= 26)
            break;
        word->capitals += byte < 'a';
        word->raw[size++] = (uint8_t)(letter + 'a');
        fold->symbols[end] = letter;
        fold->marks[end] = 0;
        fold->starts[end] = (uint16_t)at;
        fold->ends[end] = (uint16_t)(at + 1);
        end++;
    }
    check(end <= FOLD_SIZE);
    word->size = size;
    fold->size = end;
    folder->at = at;
}

/* Pushes the characters of one word as they are; digits and signs as FOLD_BREAK for the time
 * being. */
static void
gather_word(struct folder *folder, struct word *word)
{
    struct fold *fold = folder->fold;
    uint8_t mark = 0;
    gather_ascii(folder, word);
    while (folder->at < folder->size && word->size < WORD_MAX) {
        struct character unit = look(folder, folder->at);
        uint8_t code = unit.code;
        uint8_t raw = folder->data[folder->at];
        if (code >= 'a' && code <= 'z') {
            word->capitals += raw >= 'A' && raw <= 'Z';
            word->raw[word->size++] = code;
            fold_push(folder, (uint8_t)(code - 'a'), folder->at, folder->at + unit.size);
            fold->marks[fold->size - 1] = unit.foreign ? FOLD_HIDDEN : mark;
        } else if (character_is_digit(code)) {
            word->digits++;
            word->raw[word->size++] = code;
            fold_push(folder, FOLD_BREAK, folder->at, folder->at + unit.size);
        } else if (code >= CODE_EXPANSION) {
            push_expansion(folder, word, code, unit);
        } else if (code == CODE_OTHER) {
            word->raw[word->size++] = CODE_OTHER;
            fold_push(folder, FOLD_OTHER, folder->at, folder->at + unit.size);
        } else if (is_sign_in_word(folder, folder->at)) {
            word->signs++;
            word->raw[word->size++] = raw;
            fold_push(folder, FOLD_BREAK, folder->at, folder->at + unit.size);
        } else if (code != CODE_HIDDEN && code != CODE_MARK) {
            return;
        }
        mark = code == CODE_HIDDEN ? FOLD_HIDDEN : 0;
        folder->at += unit.size;
    }
}

static void
take_word(struct folder *folder)
{
    struct fold *fold = folder->fold;
    uint32_t start = folder->at;
    struct word word;
    if (is_amount(last_symbol(fold)))
        fold_push_space(folder, start, start);
    word.first = fold->size;
    word.size = word.digits = word.signs = word.capitals = 0;
    gather_word(folder, &word);
    if (word.size == 1 && word.digits == 0 && word.signs == 0 && folder->at < folder->size) {
        uint32_t after = folder->at;
        fold->size = word.first;
        if (!fold_take_run(folder, start)) {
            fold->size = word.first + 1;
            folder->at = after;
        }
        return;
    }
    if (word.size == 0)
        return;
    fold->words += word.size > 1 && word.digits == 0;
    fold->capital_words += word.capitals > 3 && word.capitals == word.size;
    if (word.digits > 0 || word.signs > 0)
        finish_mixed(folder, &word);
    else
        fold_join_unit(folder, word.first, word.size);
}

/* "$ale": a currency sign before letters, if that makes a word which a rule knows. */
static bool
take_signed_word(struct folder *folder)
{
    struct fold *fold = folder->fold;
    uint32_t start = folder->at;
    if (!is_sign_in_word(folder, start))
        return false;
    struct word word = {.first = fold->size};
    gather_word(folder, &word);
    if (word.size > 0 && (repair_word(folder, &word, 'i') || repair_word(folder, &word, 'l')))
        return true;
    fold->size = word.first;
    folder->at = start;
    return false;
}

/* {{…}} of a template's fixed text: some value, which may well be a number. */
static bool
take_variable(struct folder *folder)
{
    const uint8_t *p = folder->data + folder->at;
    uint32_t left = folder->size - folder->at;
    uint32_t size = left < VARIABLE_MAX ? left : VARIABLE_MAX;
    if (size < 4 || p[0] != '{' || p[1] != '{')
        return false;
    const uint8_t *close = memmem(p, size, "}}", 2);
    if (close == NULL)
        return false;
    fold_take_number(folder, folder->at, folder->at + (uint32_t)(close - p) + 2);
    return true;
}

static void
take_exclamations(struct folder *folder)
{
    uint32_t start = folder->at;
    uint32_t count = 0;
    while (folder->at < folder->size) {
        struct character unit = look(folder, folder->at);
        if (unit.code != CODE_EXCLAIM)
            break;
        count++;
        folder->at += unit.size;
    }
    if (count > folder->fold->exclamations)
        folder->fold->exclamations = count;
    push_break(folder, start, folder->at);
}

/* What is no letter and no digit. */
static void
take_sign(struct folder *folder, struct character unit)
{
    uint32_t start = folder->at;
    uint32_t end = start + unit.size;
    if (unit.code == CODE_EXCLAIM) {
        take_exclamations(folder);
        return;
    }
    folder->at = end;
    switch (unit.code) {
    case CODE_HIDDEN:
    case CODE_MARK:
        return;
    case CODE_PERCENT:
        fold_push_apart(folder, FOLD_PERCENT, start, end);
        return;
    case CODE_MONEY:
        fold_push_apart(folder, FOLD_AMOUNT, start, end);
        return;
    case CODE_LINE:
        push_line(folder, start, end);
        return;
    case CODE_BREAK:
        push_break(folder, start, end);
        return;
    case CODE_POINT: /* "bit.ly" is no end of a sentence */
        if (!character_is_word(code_at(folder, end)))
            push_break(folder, start, end);
        else
            fold_push_space(folder, start, end);
        return;
    default:
        fold_push_space(folder, start, end);
    }
}

void
fold_text(struct span text, struct fold *fold)
{
    check(text.size <= FOLD_CHUNK);
    struct folder folder = {
        .data = (const uint8_t *)text.data, .size = (uint32_t)text.size, .fold = fold};
    fold->size = fold->words = fold->capital_words = fold->exclamations = 0;
    while (folder.at < folder.size) {
        struct character unit = look(&folder, folder.at);
        if (character_is_word(unit.code))
            take_word(&folder);
        else if (!(unit.code == CODE_SOFT && take_variable(&folder)) && !take_signed_word(&folder))
            take_sign(&folder, unit);
    }
}
