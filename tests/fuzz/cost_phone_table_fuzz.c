/*
 * phone_table: any bytes as they are, and any bytes as the tables of a file whose size, counts and
 * checksum are right, so that only the proof stands between them and the walk.
 */
#include "sender/base/check.h"
#include "sender/cost/phone.h"
#include "sender/cost/phone_table.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_SIZE = 24, ROOT_AT = 168, ROOTS = 1000, FILE_MAX = 8192 };

static void
put_number(uint8_t *to, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        to[i] = (uint8_t)(value >> (8 * i));
}

static void
walk(struct span bytes, const uint8_t *data, size_t size)
{
    struct error_text error = {{0}};
    const struct phone_table *table = phone_table_open_bytes(bytes, "fuzz", &error);
    check((table == NULL) == (error.text[0] != '\0'));
    for (uint32_t root = 0; table != NULL && root < ROOTS; root++) {
        char digits[15];
        struct phone phone;
        digits[0] = (char)('1' + root / 100 % 9);
        digits[1] = (char)('0' + root / 10 % 10);
        digits[2] = (char)('0' + root % 10);
        for (size_t i = 3; i < sizeof(digits); i++)
            digits[i] = (char)('0' + data[(root + i) % size] % 10);
        for (size_t count = 3; count <= sizeof(digits); count++) {
            phone_read_plain(table, (struct span){digits, count}, &phone);
            check(phone.status == PHONE_INVALID || strlen(phone.country) == 2);
        }
    }
    phone_table_close(table);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t file[FILE_MAX];
    if (size < 8)
        return 0;
    walk((struct span){(const char *)data, size}, data, size);
    unsigned states = data[0] % 32;
    unsigned leaves = 1 + data[1] % 8;
    unsigned codes = data[2] % 8;
    unsigned countries = data[3] % 16;
    size_t whole = ROOT_AT + 3 * ROOTS + 22 * states + 3 * leaves + 7 * codes + 2 * countries;
    check(whole <= sizeof(file));
    memset(file, 0, sizeof(file));
    memcpy(file, "facteurP", 8);
    put_number(file + 8, 1, 4);
    put_number(file + 12, whole, 4);
    put_number(file + 24, states, 2);
    put_number(file + 26, leaves, 2);
    put_number(file + 28, codes, 2);
    put_number(file + 30, countries, 2);
    for (size_t i = 4; i < size; i++) { /* the roots last: most of what matters is behind them */
        size_t at = ROOT_AT + (i - 4 + 3 * ROOTS) % (whole - ROOT_AT);
        file[at] = data[i];
    }
    struct span body = {(const char *)file + HEAD_SIZE, whole - HEAD_SIZE};
    put_number(file + 16, span_hash(body), 8);
    walk((struct span){(const char *)file, whole}, data, size);
    return 0;
}
