#include "templates/policy/folder.h"
#include "templates/policy/terms.h"

#include <string.h>

enum { RUN_MAX = 32 /* letters drawn apart */ };

uint8_t
fold_letter_for(uint8_t raw, char one)
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

/* Collects letters drawn apart by one same separator, the first being at `at`; returns how many. */
static uint32_t
collect_run(const struct folder *folder, uint32_t at, uint8_t *letters, uint16_t *places)
{
    uint32_t count = 0;
    uint8_t separator = 0;
    while (count < RUN_MAX && at < folder->size) {
        struct character unit = look(folder, at);
        uint32_t next = at + unit.size;
        uint8_t raw = folder->data[at] == '@' ? '@' : unit.code;
        uint8_t letter = fold_letter_for(raw, 'i');
        next = skip_hidden(folder, next);
        if (letter == 0 || character_is_word(code_at(folder, next)))
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
        fold_push(folder, letters[i], places[i], places[i] + look(folder, places[i]).size);
        folder->fold->marks[folder->fold->size - 1] = FOLD_HIDDEN;
    }
}

bool
fold_take_run(struct folder *folder, uint32_t at)
{
    uint8_t letters[RUN_MAX] = {0};
    uint16_t places[RUN_MAX] = {0};
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
            fold_push_space(folder, places[i], places[i]);
        push_run(folder, letters + i, places + i, sizes[word]);
    }
    folder->at = places[covered - 1] + look(folder, places[covered - 1]).size;
    return true;
}
