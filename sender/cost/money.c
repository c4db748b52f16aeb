#include "sender/cost/money.h"

enum { MONEY_DECIMALS = 6, MONEY_DECIMALS_SHOWN = 4, MONEY_DIGITS_MAX = 12 };

/* Reads decimal digits into `*value`, which is multiplied on; stops at the first other byte. */
static size_t
read_digits(struct span text, size_t at, uint64_t *value)
{
    size_t start = at;
    while (at < text.size && text.data[at] >= '0' && text.data[at] <= '9') {
        if (at - start < MONEY_DIGITS_MAX)
            *value = *value * 10 + (uint64_t)(text.data[at] - '0');
        at++;
    }
    return at - start;
}

enum money_error
money_read(struct span text, uint64_t *millionths)
{
    uint64_t units = 0;
    uint64_t fraction = 0;
    size_t whole_digits = read_digits(text, 0, &units);
    size_t decimals = 0;
    if (whole_digits == 0)
        return MONEY_SYNTAX;
    if (whole_digits < text.size) {
        if (text.data[whole_digits] != '.')
            return MONEY_SYNTAX;
        decimals = read_digits(text, whole_digits + 1, &fraction);
        if (decimals == 0 || whole_digits + 1 + decimals != text.size)
            return MONEY_SYNTAX;
    }
    if (whole_digits > MONEY_DIGITS_MAX)
        return MONEY_TOO_LARGE;
    if (decimals > MONEY_DECIMALS)
        return MONEY_TOO_FINE;
    for (size_t i = decimals; i < MONEY_DECIMALS; i++)
        fraction *= 10;
    *millionths = units * 1000000 + fraction;
    return MONEY_OK;
}

const char *
money_error_text(enum money_error error)
{
    switch (error) {
    case MONEY_OK:
        return "is a price";
    case MONEY_SYNTAX:
        return "is not a price: write digits and a point, like 0.0550, without sign, comma or "
               "exponent";
    case MONEY_TOO_FINE:
        return "has more than six decimals";
    case MONEY_TOO_LARGE:
        return "has more than twelve digits before the point";
    }
    return "is not a price";
}

void
money_put(struct buffer *buffer, int64_t millionths)
{
    uint64_t amount = millionths < 0 ? 0 - (uint64_t)millionths : (uint64_t)millionths;
    char decimals[MONEY_DECIMALS];
    uint64_t fraction = amount % 1000000;
    for (size_t i = MONEY_DECIMALS; i > 0; i--) {
        decimals[i - 1] = (char)('0' + fraction % 10);
        fraction /= 10;
    }
    size_t shown = MONEY_DECIMALS;
    while (shown > MONEY_DECIMALS_SHOWN && decimals[shown - 1] == '0')
        shown--;
    if (millionths < 0)
        buffer_put_char(buffer, '-');
    buffer_put_u64(buffer, amount / 1000000);
    buffer_put_char(buffer, '.');
    buffer_put(buffer, decimals, shown);
}
