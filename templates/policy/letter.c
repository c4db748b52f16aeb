#include "templates/policy/letter.h"

#include "templates/policy/letter_table.inc" /* made by the build */

#include <stdbool.h>

/* The code point at data[at] and its size in bytes; size 0: not UTF-8. */
static uint32_t
decode(const uint8_t *data, uint32_t left, uint8_t *size)
{
    uint8_t first = data[0];
    *size = 0;
    if (first < 0x80) {
        *size = 1;
        return first;
    }
    uint8_t need = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
    if (need == 0 || left < need)
        return 0;
    uint32_t code = first & (0x7fu >> need);
    for (uint8_t i = 1; i < need; i++) {
        if ((data[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (data[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (code < least[need] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
        return 0;
    *size = need;
    return code;
}

void
letter_at(const uint8_t *data, uint32_t size, uint32_t at, struct letter *letter)
{
    uint8_t bytes;
    uint32_t code = decode(data + at, size - at, &bytes);
    letter->size = bytes == 0 ? 1 : bytes;
    letter->count = letter->look_alike = letter->upper = 0;
    letter->class = LETTER_SPACE;
    if (bytes == 0)
        return;
    if (code >= LETTER_CODES) { /* ideographs beyond the basic ones; tags and the like are hidden */
        letter->class = code < 0x40000 ? LETTER_IDEO : LETTER_HIDDEN;
        letter->count = letter->class == LETTER_IDEO;
        letter->folded[0] = code;
        return;
    }
    uint32_t entry =
        letter_blocks[letter_index[code / LETTER_BLOCK] * LETTER_BLOCK + code % LETTER_BLOCK];
    letter->class = entry & 15;
    letter->look_alike = entry >> 4 & 1;
    letter->upper = entry >> 5 & 1;
    letter->count = entry >> 6 & 7;
    letter->folded[0] = entry >> 9;
    for (uint32_t i = 0; letter->count > 1 && i < letter->count; i++)
        letter->folded[i] = letter_pool[(entry >> 9) + i];
}
