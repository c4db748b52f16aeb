#include "sender/cost/ledger_field.h"

#include <string.h>

enum { CURRENCY_SIZE = 3 };

/* Cuts what stands behind the last `separator` off `*rest`. */
static bool
split_last(struct span *rest, char separator, struct span *last)
{
    const char *found = rest->size == 0 ? NULL : memrchr(rest->data, separator, rest->size);
    if (found == NULL)
        return false;
    size_t size = (size_t)(found - rest->data);
    *last = (struct span){.data = found + 1, .size = rest->size - size - 1};
    rest->size = size;
    return true;
}

static bool
is_currency(struct span text)
{
    if (text.size != CURRENCY_SIZE)
        return false;
    for (size_t i = 0; i < CURRENCY_SIZE; i++)
        if (text.data[i] < 'A' || text.data[i] > 'Z')
            return false;
    return true;
}

static bool
is_printable(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return span_is_utf8(text);
}

bool
ledger_field_read(struct span text, struct ledger_field *field)
{
    struct span *const parts[] = {&field->account,  &field->country,  &field->market,
                                  &field->category, &field->template, &field->rule};
    struct span rest = text;
    struct span kind;
    if (text.size > LEDGER_FIELD_MAX || !is_printable(text) || !split_last(&rest, '.', &kind) ||
        !split_last(&rest, '#', &field->currency) || !is_currency(field->currency))
        return false;
    field->is_count = span_equal(kind, SPAN("count"));
    if (!field->is_count && !span_equal(kind, SPAN("millionths")))
        return false;
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        if (rest.data == NULL)
            return false;
        *parts[i] = span_split(&rest, '|');
    }
    return rest.data == NULL; /* no seventh part */
}

bool
ledger_amount_read(struct span text, int64_t *amount)
{
    uint64_t number;
    bool negative = text.size > 0 && text.data[0] == '-';
    struct span digits = text;
    if (negative)
        digits = (struct span){.data = text.data + 1, .size = text.size - 1};
    if (!span_to_u64(digits, &number))
        return false;
    *amount = negative ? -(int64_t)number : (int64_t)number;
    return true;
}
