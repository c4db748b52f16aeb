#include "templates/policy/reading.h"

#include "templates/policy/letter.h"
#include "templates/policy/links.h"

struct reader {
    const uint8_t *data;
    uint32_t size;
    uint32_t at;
    struct reading *reading;
    uint32_t word;         /* first symbol of the word that is being read */
    uint32_t word_letters; /* of the text: capitals are counted against them */
    uint32_t word_capitals;
    bool word_native;     /* it has a Latin letter of its own … */
    bool word_look_alike; /* … and one that only looks like it */
    bool word_repaired;
};

bool
reading_is_ideograph(uint32_t symbol)
{
    return (symbol >= 0x0e00 && symbol < 0x1100) || (symbol >= 0x1780 && symbol < 0x1800) ||
           (symbol >= 0x3040 && symbol < 0xa000) || (symbol >= 0x20000 && symbol < 0x40000);
}

static void
push(struct reader *reader, uint32_t symbol, uint32_t start, uint32_t end)
{
    struct reading *reading = reader->reading;
    if (reading->count == READING_SIZE)
        return;
    reading->symbols[reading->count] = symbol;
    reading->starts[reading->count] = (uint16_t)start;
    reading->ends[reading->count] = (uint16_t)end;
    reading->count++;
}

static uint32_t
last_symbol(const struct reader *reader)
{
    const struct reading *reading = reader->reading;
    return reading->count == 0 ? READING_BREAK : reading->symbols[reading->count - 1];
}

static void
end_word(struct reader *reader)
{
    struct reading *reading = reader->reading;
    if (reading->count > reader->word) {
        reading->words++;
        reading->capitals +=
            reader->word_letters >= 3 && reader->word_capitals == reader->word_letters;
        reading->repairs +=
            reader->word_repaired || (reader->word_native && reader->word_look_alike);
    }
    reader->word = reading->count;
    reader->word_letters = reader->word_capitals = 0;
    reader->word_native = reader->word_look_alike = reader->word_repaired = false;
}

/* One space, or the end of a sentence in its place. */
static void
part(struct reader *reader, uint32_t symbol, uint32_t start, uint32_t end)
{
    end_word(reader);
    uint32_t last = last_symbol(reader);
    if (last == READING_SPACE && symbol == READING_BREAK)
        reader->reading->symbols[reader->reading->count - 1] = symbol;
    else if (last != READING_SPACE && last != READING_BREAK)
        push(reader, symbol, start, end);
    reader->word = reader->reading->count;
}

/* A symbol that is a word of its own. */
static void
push_apart(struct reader *reader, uint32_t symbol, uint32_t start, uint32_t end)
{
    part(reader, READING_SPACE, start, start);
    push(reader, symbol, start, end);
    reader->word = reader->reading->count;
    part(reader, READING_SPACE, end, end);
}

static bool
letter_follows(const struct reader *reader, uint32_t at)
{
    struct letter letter;
    if (at >= reader->size)
        return false;
    letter_at(reader->data, reader->size, at, &letter);
    return letter.class == LETTER_WORD;
}

/* What a digit or sign between letters stands for, or 0. */
static uint32_t
disguised(uint32_t byte)
{
    switch (byte) {
    case '0':
        return 'o';
    case '1':
    case '!':
    case '|':
        return 'i';
    case '3':
        return 'e';
    case '4':
    case '@':
        return 'a';
    case '5':
    case '$':
        return 's';
    case '7':
        return 't';
    default:
        return 0;
    }
}

/* A digit or sign inside of a word, or "$ale": taken for the letter that it stands for. */
static bool
take_disguised(struct reader *reader, const struct letter *letter)
{
    uint8_t byte = reader->data[reader->at];
    uint32_t stands_for =
        letter->class == LETTER_DIGIT ? disguised(letter->folded[0]) : disguised(byte);
    bool inside = reader->reading->count > reader->word;
    bool goes_on = letter_follows(reader, reader->at + letter->size);
    if (stands_for == 0 || (!goes_on && !reader->word_repaired) ||
        (!inside && byte != '$' && byte != '@'))
        return false;
    push(reader, stands_for, reader->at, reader->at + letter->size);
    reader->word_repaired = true;
    return true;
}

static void
take_word_letter(struct reader *reader, const struct letter *letter)
{
    for (uint32_t i = 0; i < letter->count; i++)
        push(reader, letter->folded[i], reader->at, reader->at + letter->size);
    reader->word_letters++;
    reader->word_capitals += letter->upper;
    if (letter->look_alike)
        reader->word_look_alike = true;
    else if (letter->folded[0] < 0x80)
        reader->word_native = true;
}

static bool
is_joint(uint8_t byte)
{
    return byte == '.' || byte == ',' || byte == ':' || byte == '/' || byte == '-' || byte == ' ';
}

/* Past the digits at `at`, with what joins them: "1 299,00", "12/05/2026", "14:30". */
static uint32_t
number_end(const struct reader *reader, uint32_t at)
{
    struct letter letter;
    while (at < reader->size) {
        letter_at(reader->data, reader->size, at, &letter);
        if (letter.class == LETTER_DIGIT) {
            at += letter.size;
            continue;
        }
        if (!is_joint(reader->data[at]) || at + 1 >= reader->size)
            break;
        letter_at(reader->data, reader->size, at + 1, &letter);
        if (letter.class != LETTER_DIGIT)
            break;
        at++;
    }
    return at;
}

/* The symbols of a number: with the percent sign or the currency beside it. */
static void
take_number(struct reader *reader)
{
    struct letter letter;
    uint32_t start = reader->at;
    uint32_t end = number_end(reader, start);
    uint32_t next = end < reader->size && reader->data[end] == ' ' ? end + 1 : end;
    uint32_t symbol = READING_NUMBER;
    uint32_t last = last_symbol(reader);
    if (next < reader->size) {
        letter_at(reader->data, reader->size, next, &letter);
        if (letter.class == LETTER_PERCENT)
            symbol = READING_PERCENT;
        else if (letter.class == LETTER_MONEY)
            symbol = READING_MONEY;
        if (symbol != READING_NUMBER)
            end = next + letter.size;
    }
    uint32_t count = reader->reading->count;
    if (symbol == READING_NUMBER &&
        (last == READING_MONEY || (last == READING_SPACE && count > 1 &&
                                   reader->reading->symbols[count - 2] == READING_MONEY))) {
        reader->at = end; /* "€ 12": the sign stands for it */
        return;
    }
    push_apart(reader, symbol, start, end);
    reader->at = end;
}

/* A full stop ends a sentence where a space follows it. */
static void
take_sign(struct reader *reader, const struct letter *letter)
{
    uint32_t next = reader->at + letter->size;
    uint8_t byte = reader->data[reader->at];
    bool stop = (byte == '.' || byte == ';') &&
                (next >= reader->size || reader->data[next] == ' ' || reader->data[next] == '\n');
    part(reader, stop ? READING_BREAK : READING_SPACE, reader->at, next);
    reader->at = next;
}

static void
take_break(struct reader *reader, const struct letter *letter)
{
    uint32_t start = reader->at;
    uint32_t run = 0;
    while (reader->at < reader->size && reader->data[reader->at] == '!') {
        run++;
        reader->at++;
    }
    if (run == 0) {
        reader->at += letter->size;
    } else {
        push_apart(reader, READING_EXCLAIM, start, reader->at);
        if (run > reader->reading->exclamations)
            reader->reading->exclamations = run;
    }
    part(reader, READING_BREAK, start, reader->at);
}

/* Most letters of most texts. */
static bool
take_ascii_letter(struct reader *reader)
{
    uint8_t byte = reader->data[reader->at];
    uint8_t lower = byte | 0x20;
    if (lower < 'a' || lower > 'z')
        return false;
    push(reader, lower, reader->at, reader->at + 1);
    reader->word_letters++;
    reader->word_capitals += byte != lower;
    reader->word_native = true;
    reader->at++;
    return true;
}

static void
take_letter(struct reader *reader)
{
    struct letter letter;
    if (take_ascii_letter(reader))
        return;
    letter_at(reader->data, reader->size, reader->at, &letter);
    if ((letter.class == LETTER_DIGIT || letter.class == LETTER_MONEY ||
         letter.class == LETTER_SPACE || letter.class == LETTER_BREAK) &&
        take_disguised(reader, &letter)) {
        reader->at += letter.size;
        return;
    }
    switch ((enum letter_class)letter.class) {
    case LETTER_SPACE:
        take_sign(reader, &letter);
        return;
    case LETTER_BREAK:
        take_break(reader, &letter);
        return;
    case LETTER_HIDDEN:
        reader->word_repaired |= reader->reading->count > reader->word &&
                                 letter_follows(reader, reader->at + letter.size) &&
                                 reader->reading->symbols[reader->reading->count - 1] < 0x250;
        break;
    case LETTER_MARK:
        break;
    case LETTER_WORD:
    case LETTER_IDEO:
        take_word_letter(reader, &letter);
        break;
    case LETTER_DIGIT:
        take_number(reader);
        return;
    case LETTER_MONEY:
        push_apart(reader, READING_MONEY, reader->at, reader->at + letter.size);
        break;
    case LETTER_PERCENT:
        push_apart(reader, READING_PERCENT, reader->at, reader->at + letter.size);
        break;
    case LETTER_PICTURE:
        reader->reading->pictures++;
        push_apart(reader, letter.folded[0], reader->at, reader->at + letter.size);
        break;
    }
    reader->at += letter.size;
}

/* "{{1}}" in a template's fixed text: a word that may be anything. */
static bool
take_variable(struct reader *reader)
{
    uint32_t at = reader->at;
    if (reader->size - at < 5 || reader->data[at] != '{' || reader->data[at + 1] != '{')
        return false;
    for (uint32_t end = at + 2; end + 1 < reader->size && end < at + 64; end++) {
        if (reader->data[end] == '}' && reader->data[end + 1] == '}') {
            push_apart(reader, READING_NUMBER, at, end + 2);
            reader->at = end + 2;
            return true;
        }
    }
    return false;
}

/* The letters of one word drawn apart, from symbol `at` on: "f r e e". How many letters, or 0. */
static uint32_t
drawn_apart(const struct reading *reading, uint32_t at)
{
    uint32_t letters = 0;
    if (at > 0 && reading->symbols[at - 1] != READING_SPACE &&
        reading->symbols[at - 1] != READING_BREAK)
        return 0;
    while (at < reading->count && reading_is_letter(reading->symbols[at]) &&
           !reading_is_ideograph(reading->symbols[at])) {
        letters++;
        if (at + 1 == reading->count)
            break;
        if (reading->symbols[at + 1] != READING_SPACE && reading->symbols[at + 1] != READING_BREAK)
            return letters >= 5 ? letters - 1 : 0; /* the last one begins a word */
        at += 2;
    }
    return letters >= 4 ? letters : 0;
}

/* Puts drawn letters together, in place. */
static void
join_letters(struct reading *reading)
{
    uint32_t to = 0;
    for (uint32_t at = 0; at < reading->count;) {
        uint32_t letters = drawn_apart(reading, at);
        uint32_t step = letters > 0 ? 2 : 1;
        reading->repairs += letters > 0;
        for (uint32_t i = 0; i < (letters > 0 ? letters : 1); i++) {
            uint32_t from = at + i * step;
            reading->symbols[to] = reading->symbols[from];
            reading->starts[to] = reading->starts[from];
            reading->ends[to++] = reading->ends[from];
        }
        at += letters > 0 ? 2 * letters - 1 : 1;
    }
    reading->count = to;
}

void
reading_take(struct span text, struct reading *reading)
{
    struct reader reader = {.data = (const uint8_t *)text.data,
                            .size =
                                (uint32_t)(text.size < READING_CHUNK ? text.size : READING_CHUNK),
                            .reading = reading};
    struct link link;
    uint32_t after = 0;
    bool is_link = links_next(text, &after, &link);
    reading->count = reading->words = reading->capitals = 0;
    reading->exclamations = reading->pictures = reading->repairs = 0;
    while (reader.at < reader.size) {
        if (is_link && reader.at >= link.start) {
            push_apart(&reader, link.is_short ? READING_SHORT_LINK : READING_LINK, link.start,
                       link.end < reader.size ? link.end : reader.size);
            reader.at = link.end > reader.at ? link.end : reader.at + 1;
            is_link = links_next(text, &after, &link);
            continue;
        }
        if (reader.data[reader.at] != '{' || !take_variable(&reader))
            take_letter(&reader);
    }
    end_word(&reader);
    join_letters(reading);
}
