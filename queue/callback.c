#include "queue/callback.h"

void
callback_put(const struct callback *callback, struct buffer *out)
{
    buffer_put_text(out, "f1;");
    buffer_put_span(out, callback->business);
    buffer_put_char(out, '/');
    buffer_put_span(out, callback->account);
    buffer_put_char(out, ';');
    buffer_put_span(out, callback->member);
    buffer_put_char(out, ';');
    buffer_put_u64(out, callback->attempt);
    buffer_put_char(out, ';');
    buffer_put_span(out, callback->grant);
    buffer_put_char(out, ';');
    buffer_put_u64(out, callback->index);
    buffer_put_char(out, ';');
    buffer_put_u64(out, callback->millionths);
    buffer_put_char(out, ';');
    buffer_put_span(out, callback->currency);
    buffer_put_char(out, ';');
    buffer_put_span(out, callback->day);
    buffer_put_char(out, ';');
    buffer_put_span(out, callback->cell);
    buffer_printf(out, ";%016llx;", (unsigned long long)callback->template_version);
    buffer_put_span(out, callback->budgets);
}

/* The next part. False: there is none. */
static bool
take(struct span *rest, struct span *part)
{
    if (rest->data == NULL)
        return false;
    *part = span_split(rest, ';');
    return true;
}

static bool
take_number(struct span *rest, uint32_t *number)
{
    struct span digits;
    uint64_t value;
    if (!take(rest, &digits) || !span_to_u64(digits, &value) || value > UINT32_MAX)
        return false;
    *number = (uint32_t)value;
    return true;
}

static bool
take_version(struct span *rest, uint64_t *version)
{
    struct span digits;
    if (!take(rest, &digits) || digits.size != 16)
        return false;
    *version = 0;
    for (size_t i = 0; i < digits.size; i++) {
        char c = digits.data[i];
        if (c >= '0' && c <= '9')
            *version = *version << 4 | (uint64_t)(c - '0');
        else if (c >= 'a' && c <= 'f')
            *version = *version << 4 | (uint64_t)(c - 'a' + 10);
        else
            return false;
    }
    return true;
}

static bool
take_account(struct span *rest, struct callback *callback)
{
    if (!take(rest, &callback->account))
        return false;
    callback->business = span_split(&callback->account, '/');
    return callback->account.data != NULL && keys_name_is_good(callback->business) &&
           keys_name_is_good(callback->account);
}

static bool
is_plain(struct span text)
{
    for (size_t i = 0; i < text.size; i++)
        if ((unsigned char)text.data[i] < ' ' || text.data[i] == 127)
            return false;
    return span_is_utf8(text);
}

bool
callback_read(struct span text, struct callback *callback)
{
    struct span rest = text;
    struct span part;
    *callback = (struct callback){0};
    if (text.size == 0 || text.size > CALLBACK_SIZE_MAX || !take(&rest, &part) ||
        !span_equal(part, SPAN("f1")) || !take_account(&rest, callback) ||
        !take(&rest, &callback->member) || !take_number(&rest, &callback->attempt) ||
        !take(&rest, &callback->grant) || !take_number(&rest, &callback->index) ||
        !take(&rest, &part) || !span_to_u64(part, &callback->millionths) ||
        !take(&rest, &callback->currency) || !take(&rest, &callback->day) ||
        !take(&rest, &callback->cell) || !take_version(&rest, &callback->template_version))
        return false;
    callback->budgets = rest;
    struct receipt receipt = callback_receipt(callback);
    return rest.data != NULL && is_plain(rest) && receipt_is_good(&receipt);
}

struct receipt
callback_receipt(const struct callback *callback)
{
    return (struct receipt){
        .member = callback->member,
        .attempt = callback->attempt,
        .grant = callback->grant,
        .index = callback->index,
        .day = callback->day,
        .cell = callback->cell,
        .currency = callback->currency,
        .millionths = callback->millionths,
    };
}
