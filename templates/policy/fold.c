#include "templates/policy/fold.h"
#include "sender/base/check.h"
#include "templates/policy/terms.h"

#include <string.h>

/* Codes of fold_table.inc besides letters, digits and (from 0x80) expansions. */
enum code {
    CODE_SOFT,   /* parts words */
    CODE_HIDDEN, /* has no width: dropped, a sign of hiding within a word */
    CODE_MARK,   /* combines with the letter before: dropped */
    CODE_BREAK,
    CODE_EXCLAIM,
    CODE_PERCENT,
    CODE_MONEY,
    CODE_MINUS,
    CODE_POINT,
    CODE_COMMA,
    CODE_LINE,
    CODE_OTHER,
    CODE_EXPANSION = 0x80,
};

#include "templates/policy/fold_table.inc"

enum {
    WORD_MAX = 48, /* characters; longer ones are cut, no rule has such a word */
    RUN_MAX = 32,  /* letters drawn apart */
    VARIABLE_MAX = 64,
};

/* One character of the text. */
struct unit {
    uint8_t code;
    uint8_t size; /* bytes, at least 1 */
    bool foreign; /* a look-alike from another alphabet */
};

struct folder {
    const uint8_t *data;
    uint32_t size;
    uint32_t at;
    uint32_t no_run; /* no letters drawn apart start before this byte: looked already */
    struct fold *fold;
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

static uint8_t
fold_beyond(uint32_t code)
{
    if (code >= 0xe0000)
        return CODE_HIDDEN;
    if ((code >= 0x590 && code < 0x2000) || (code >= 0x2e80 && code < 0xfb00) ||
        (code >= 0x10000 && code < 0x1f000) || code >= 0x20000)
        return CODE_OTHER;
    return CODE_SOFT;
}

static uint8_t
code_of(uint32_t code)
{
    uint8_t block = code < 0x20000 ? fold_index[code >> 8] : 255;
    return block == 255 ? fold_beyond(code) : fold_blocks[block][code & 255];
}

/* The character of more than one byte at `at`; a byte that is not UTF-8 is a space. */
static struct unit
look_wide(const struct folder *folder, uint32_t at)
{
    static const struct unit bad = {.code = CODE_SOFT, .size = 1};
    const uint8_t *p = folder->data + at;
    uint32_t size = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t code = p[0] & (0x7fu >> size);
    if (p[0] < 0xc2 || p[0] > 0xf4 || size > folder->size - at)
        return bad;
    for (uint32_t i = 1; i < size; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return bad;
        code = code << 6 | (p[i] & 0x3fu);
    }
    return (struct unit){
        .code = code_of(code), .size = (uint8_t)size, .foreign = code >= 0x370 && code < 0x590};
}

static inline struct unit
look(const struct folder *folder, uint32_t at)
{
    uint8_t byte = folder->data[at];
    if (byte < 0x80)
        return (struct unit){.code = fold_blocks[0][byte], .size = 1};
    return look_wide(folder, at);
}

static bool
is_digit(uint8_t code)
{
    return code >= '0' && code <= '9';
}

static bool
is_word_code(uint8_t code)
{
    return code >= '0' || code == CODE_OTHER; /* letters, digits and expansions */
}

/* The code of the character at `at`, or of a space where the text ends. */
static uint8_t
code_at(const struct folder *folder, uint32_t at)
{
    return at < folder->size ? look(folder, at).code : CODE_SOFT;
}

static void
push(struct folder *folder, uint8_t symbol, uint32_t start, uint32_t end)
{
    struct fold *fold = folder->fold;
    check(fold->size < FOLD_SIZE);
    fold->symbols[fold->size] = symbol;
    fold->marks[fold->size] = 0;
    fold->starts[fold->size] = (uint16_t)start;
    fold->ends[fold->size] = (uint16_t)end;
    fold->size++;
}

static uint8_t
last_symbol(const struct fold *fold)
{
    return fold->size == 0 ? FOLD_BREAK : fold->symbols[fold->size - 1];
}

static void
push_space(struct folder *folder, uint32_t start, uint32_t end)
{
    uint8_t last = last_symbol(folder->fold);
    if (last != FOLD_SPACE && last != FOLD_BREAK)
        push(folder, FOLD_SPACE, start, end);
}

static void
push_line(struct folder *folder, uint32_t start, uint32_t end)
{
    push_space(folder, start, end);
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
        push(folder, FOLD_BREAK, start, end);
}

/* Numbers stand apart from what they touch: "50off" is "50 off". */
static void
push_apart(struct folder *folder, uint8_t symbol, uint32_t start, uint32_t end)
{
    push_space(folder, start, start);
    push(folder, symbol, start, end);
}

static bool
is_amount(uint8_t symbol)
{
    return symbol >= FOLD_PERCENT && symbol <= FOLD_N_FOR_M;
}

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

static uint32_t
skip_hidden(const struct folder *folder, uint32_t at)
{
    while (at < folder->size) {
        struct unit unit = look(folder, at);
        if (unit.code != CODE_HIDDEN && unit.code != CODE_MARK)
            return at;
        at += unit.size;
    }
    return at;
}

/* The end of a number that starts with digits at `at`: "1,299.00", "1 250", "06/05" is two. */
static uint32_t
number_end(const struct folder *folder, uint32_t at)
{
    while (at < folder->size) {
        struct unit unit = look(folder, at);
        uint32_t next = at + unit.size;
        if (is_digit(unit.code)) {
            at = next;
            continue;
        }
        if ((unit.code == CODE_POINT || unit.code == CODE_COMMA) &&
            is_digit(code_at(folder, next))) {
            at = next;
            continue;
        }
        bool group = unit.code == CODE_SOFT && folder->size - next >= 3 &&
                     is_digit(folder->data[next]) && is_digit(folder->data[next + 1]) &&
                     is_digit(folder->data[next + 2]) && !is_digit(code_at(folder, next + 3));
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
    return before >= 0x80 || !is_word_code(fold_blocks[0][before]);
}

/* A number from `start`, whose digits so far end at `end`, with the percent sign or the currency
 * beside it. Goes on after it. */
static void
take_number(struct folder *folder, uint32_t start, uint32_t end)
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
    } else if (code == CODE_MONEY && !is_word_code(code_at(folder, next + 1))) {
        symbol = FOLD_AMOUNT;
        end = next + look(folder, next).size;
    }
    push_apart(folder, symbol, start, end);
    folder->at = end;
}

/* The letter that a digit or sign may stand for; `one`: what 1 and ! stand for. */
static uint8_t
letter_for(uint8_t raw, char one)
{
    static const char from[] = "034567890@$|+";
    static const char to[] = "oeasgtbgoaslt";
    if (raw >= 'a' && raw <= 'z')
        return raw;
    if (raw == '1' || raw == '!')
        return (uint8_t)one;
    const char *place = raw == 0 ? NULL : strchr(from, raw);
    return place == NULL ? 0 : (uint8_t)to[place - from];
}

/* Is the word, with digits read as letters, one that a rule knows? Then it is written so. */
static bool
repair_word(struct folder *folder, const struct word *word, char one)
{
    struct fold *fold = folder->fold;
    uint8_t letters[WORD_MAX + 4];
    for (uint32_t i = 0; i < word->size; i++) {
        uint8_t letter = letter_for(word->raw[i], one);
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
        if (is_digit(word->raw[i])) {
            uint32_t first = i;
            while (i + 1 < word->size && is_digit(word->raw[i + 1]))
                i++;
            take_number(folder, starts[first], ends[i]);
            if (folder->at > after)
                return;
        } else if (symbols[i] < FOLD_SPACE || symbols[i] == FOLD_OTHER) {
            if (is_amount(last_symbol(fold)))
                push_space(folder, starts[i], starts[i]);
            push(folder, symbols[i], starts[i], ends[i]);
            fold->marks[fold->size - 1] = marks[i];
        } else {
            push_space(folder, starts[i], ends[i]);
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
        take_number(folder, start, folder->at);
    } else if (is_n_for_m(word)) {
        fold->symbols[word->first] = FOLD_N_FOR_M;
        fold->ends[word->first] = fold->ends[word->first + 2];
        fold->size = word->first + 1;
    } else if (!repair_word(folder, word, 'i') && !repair_word(folder, word, 'l')) {
        split_word(folder, word);
    }
}

/* "12 euros", "50 percent". */
static void
join_unit(struct folder *folder, const struct word *word)
{
    static const uint8_t percent[] = {15, 4, 17, 2, 4, 13, 19};
    struct fold *fold = folder->fold;
    if (word->first < 2 || fold->symbols[word->first - 1] != FOLD_SPACE ||
        fold->symbols[word->first - 2] != FOLD_NUMBER)
        return;
    uint8_t symbol = 0;
    if (is_currency(fold, word->first, word->size))
        symbol = FOLD_AMOUNT;
    else if (word->size == 7 && memcmp(fold->symbols + word->first, percent, 7) == 0)
        symbol = FOLD_PERCENT;
    if (symbol == 0)
        return;
    fold->ends[word->first - 2] = fold->ends[word->first + word->size - 1];
    fold->symbols[word->first - 2] = symbol;
    fold->size = word->first - 1;
}

/* Collects letters drawn apart by one same separator, the first being at `at`; returns how many. */
static uint32_t
collect_run(const struct folder *folder, uint32_t at, uint8_t *letters, uint16_t *places)
{
    uint32_t count = 0;
    uint8_t separator = 0;
    while (count < RUN_MAX && at < folder->size) {
        struct unit unit = look(folder, at);
        uint32_t next = at + unit.size;
        uint8_t raw = folder->data[at] == '@' ? '@' : unit.code;
        uint8_t letter = letter_for(raw, 'i');
        next = skip_hidden(folder, next);
        if (letter == 0 || is_word_code(code_at(folder, next)))
            break;
        letters[count] = (uint8_t)(letter - 'a');
        places[count++] = (uint16_t)at;
        if (next >= folder->size || folder->data[next] == '\n')
            break;
        if (separator != 0 && folder->data[next] != separator)
            break;
        separator = folder->data[next];
        at = next + look(folder, next).size;
    }
    return count;
}

/* How many of these letters are words that rules know, one after the other. What follows them may
 * be anything if the words are long enough to be no accident. */
static uint32_t
cover_run(const uint8_t *letters, uint32_t count, uint32_t *sizes, uint32_t *words)
{
    uint32_t covered = 0;
    *words = 0;
    while (covered < count) {
        uint32_t size = terms_longest_word(letters + covered, count - covered);
        if (size < 3)
            break;
        sizes[(*words)++] = size;
        covered += size;
    }
    return covered == count || covered > 3 ? covered : 0;
}

static void
push_run(struct folder *folder, const uint8_t *letters, const uint16_t *places, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        push(folder, letters[i], places[i], places[i] + look(folder, places[i]).size);
        folder->fold->marks[folder->fold->size - 1] = FOLD_HIDDEN;
    }
}

/* Letters drawn apart that make words which rules know: "f r e e". */
static bool
take_run(struct folder *folder, uint32_t at)
{
    uint8_t letters[RUN_MAX];
    uint16_t places[RUN_MAX];
    uint32_t sizes[RUN_MAX];
    uint32_t words;
    if (at < folder->no_run)
        return false;
    uint32_t count = collect_run(folder, at, letters, places);
    if (count < 3)
        return false;
    uint32_t covered = cover_run(letters, count, sizes, &words);
    if (covered == 0) { /* perhaps from a later letter on; if not, not before the run's end */
        folder->no_run = places[count - 1] + 1u;
        for (uint32_t i = 1; i + 3 <= count; i++) {
            if (cover_run(letters + i, count - i, sizes, &words) > 0) {
                folder->no_run = places[i];
                break;
            }
        }
        return false;
    }
    for (uint32_t i = 0, word = 0; word < words; i += sizes[word++]) {
        if (word > 0)
            push_space(folder, places[i], places[i]);
        push_run(folder, letters + i, places + i, sizes[word]);
    }
    folder->at = places[covered - 1] + look(folder, places[covered - 1]).size;
    return true;
}

/* '@', '$' and '!' within a word may stand for letters: "s@le". */
static bool
is_sign_in_word(const struct folder *folder, uint32_t at)
{
    uint8_t c = folder->data[at];
    return (c == '@' || c == '$' || c == '!' || c == '|') && at + 1 < folder->size &&
           is_word_code(code_at(folder, at + 1)) && !is_digit(folder->data[at + 1]);
}

static void
push_expansion(struct folder *folder, struct word *word, uint8_t code, struct unit unit)
{
    for (const char *p = fold_expansions[code - CODE_EXPANSION]; *p != '\0'; p++) {
        word->raw[word->size++] = (uint8_t)*p;
        push(folder, (uint8_t)(*p - 'a'), folder->at, folder->at + unit.size);
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
        struct unit unit = look(folder, folder->at);
        uint8_t code = unit.code;
        uint8_t raw = folder->data[folder->at];
        if (code >= 'a' && code <= 'z') {
            word->capitals += raw >= 'A' && raw <= 'Z';
            word->raw[word->size++] = code;
            push(folder, (uint8_t)(code - 'a'), folder->at, folder->at + unit.size);
            fold->marks[fold->size - 1] = unit.foreign ? FOLD_HIDDEN : mark;
        } else if (is_digit(code)) {
            word->digits++;
            word->raw[word->size++] = code;
            push(folder, FOLD_BREAK, folder->at, folder->at + unit.size);
        } else if (code >= CODE_EXPANSION) {
            push_expansion(folder, word, code, unit);
        } else if (code == CODE_OTHER) {
            word->raw[word->size++] = CODE_OTHER;
            push(folder, FOLD_OTHER, folder->at, folder->at + unit.size);
        } else if (is_sign_in_word(folder, folder->at)) {
            word->signs++;
            word->raw[word->size++] = raw;
            push(folder, FOLD_BREAK, folder->at, folder->at + unit.size);
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
        push_space(folder, start, start);
    word.first = fold->size;
    word.size = word.digits = word.signs = word.capitals = 0;
    gather_word(folder, &word);
    if (word.size == 1 && word.digits == 0 && word.signs == 0 && folder->at < folder->size) {
        uint32_t after = folder->at;
        fold->size = word.first;
        if (!take_run(folder, start)) {
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
        join_unit(folder, &word);
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
    take_number(folder, folder->at, folder->at + (uint32_t)(close - p) + 2);
    return true;
}

static void
take_exclamations(struct folder *folder)
{
    uint32_t start = folder->at;
    uint32_t count = 0;
    while (folder->at < folder->size) {
        struct unit unit = look(folder, folder->at);
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
take_sign(struct folder *folder, struct unit unit)
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
        push_apart(folder, FOLD_PERCENT, start, end);
        return;
    case CODE_MONEY:
        push_apart(folder, FOLD_AMOUNT, start, end);
        return;
    case CODE_LINE:
        push_line(folder, start, end);
        return;
    case CODE_BREAK:
        push_break(folder, start, end);
        return;
    case CODE_POINT: /* "bit.ly" is no end of a sentence */
        if (!is_word_code(code_at(folder, end)))
            push_break(folder, start, end);
        else
            push_space(folder, start, end);
        return;
    default:
        push_space(folder, start, end);
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
        struct unit unit = look(&folder, folder.at);
        if (is_word_code(unit.code))
            take_word(&folder);
        else if (!(unit.code == CODE_SOFT && take_variable(&folder)) && !take_signed_word(&folder))
            take_sign(&folder, unit);
    }
}
