#include "templates/policy/character.h"

#include "templates/policy/character_table.inc"

static uint8_t
beyond(uint32_t code)
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
    uint8_t block = code < 0x20000 ? character_index[code >> 8] : 255;
    return block == 255 ? beyond(code) : character_blocks[block][code & 255];
}

struct character
character_wide(const uint8_t *data, uint32_t size, uint32_t at)
{
    static const struct character bad = {.code = CODE_SOFT, .size = 1};
    const uint8_t *p = data + at;
    uint32_t bytes = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
    uint32_t code = p[0] & (0x7fu >> bytes);
    if (p[0] < 0xc2 || p[0] > 0xf4 || bytes > size - at)
        return bad;
    for (uint32_t i = 1; i < bytes; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return bad;
        code = code << 6 | (p[i] & 0x3fu);
    }
    return (struct character){
        .code = code_of(code), .size = (uint8_t)bytes, .foreign = code >= 0x370 && code < 0x590};
}

const char *
character_expansion(uint8_t code)
{
    return character_expansions[code - CODE_EXPANSION];
}
