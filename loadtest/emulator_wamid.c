#include "loadtest/emulator_wamid.h"

#include "sender/base/check.h"

#include <string.h>

/* The finalizer of splitmix64: a bijection, so different numbers stay different. */
static uint64_t
mix(uint64_t z)
{
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Returns the end of what was written. */
static char *
write_base64(char *out, const unsigned char *data, size_t size)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t triple = (uint32_t)data[i] << 16 | (left > 1 ? (uint32_t)data[i + 1] << 8 : 0) |
                          (left > 2 ? data[i + 2] : 0);
        *out++ = alphabet[triple >> 18];
        *out++ = alphabet[triple >> 12 & 63];
        *out++ = left > 1 ? alphabet[triple >> 6 & 63] : '=';
        *out++ = left > 2 ? alphabet[triple & 63] : '=';
    }
    return out;
}

void
emulator_wamid_write(struct span wa_id, uint64_t seed, uint64_t number, struct buffer *out)
{
    static const char hex[] = "0123456789ABCDEF";
    static const unsigned char middle[] = {0x15, 0x02, 0x00, 0x11, 0x18, 18};
    unsigned char bytes[3 + 255 + sizeof middle + 18 + 1];
    check(wa_id.size > 0 && wa_id.size <= 255);

    unsigned char *at = bytes;
    *at++ = 0x1c;
    *at++ = 0x18;
    *at++ = (unsigned char)wa_id.size;
    memcpy(at, wa_id.data, wa_id.size);
    at += wa_id.size;
    memcpy(at, middle, sizeof middle);
    at += sizeof middle;
    uint64_t base = mix(seed ^ 0x77616d6964u), id = mix(base + number);
    for (int shift = 60; shift >= 0; shift -= 4)
        *at++ = (unsigned char)hex[id >> shift & 15];
    *at++ = (unsigned char)hex[base >> 4 & 15];
    *at++ = (unsigned char)hex[base & 15];
    *at++ = 0;
    char text[EMULATOR_WAMID_MAX];
    char *end = write_base64(text, bytes, (size_t)(at - bytes));
    buffer_put_span(out, SPAN("wamid."));
    buffer_put(out, text, (size_t)(end - text));
}
