#include "loadtest/emulator_error.h"

#include "sender/base/check.h"
#include "sender/base/json.h"

static const struct error_row {
    int32_t code;
    int status;
    struct span title;
    struct span details;
} table[] = {
#define EMULATOR_ERROR(name, number, http, words, more)                                            \
    {.code = (number),                                                                             \
     .status = (http),                                                                             \
     .title = {words, sizeof(words) - 1},                                                          \
     .details = {more, sizeof(more) - 1}},
    EMULATOR_ERRORS(EMULATOR_ERROR)
#undef EMULATOR_ERROR
};

int32_t
emulator_error_code(enum emulator_error error)
{
    check(error < EMULATOR_ERROR_KINDS);
    return table[error].code;
}

int
emulator_error_status(enum emulator_error error)
{
    check(error < EMULATOR_ERROR_KINDS);
    return table[error].status;
}

/* 23 characters, as Meta's have: an A and 22 of the URL-safe alphabet. */
static void
put_trace(struct buffer *out, uint64_t trace)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    buffer_put_char(out, 'A');
    for (int i = 0; i < 22; i++) {
        buffer_put_char(out, alphabet[trace >> 58]);
        trace = trace * 0xd1342543de82ef95u + 0x9e3779b97f4a7c15u;
    }
}

void
emulator_error_write(enum emulator_error error, struct span details, uint64_t trace,
                     struct buffer *out)
{
    check(error < EMULATOR_ERROR_KINDS);
    const struct error_row *row = &table[error];
    buffer_put_text(out, "{\"error\":{\"message\":\"(#");
    buffer_put_i64(out, row->code);
    buffer_put_text(out, ") ");
    json_put_escaped(out, row->title);
    buffer_put_text(out, "\",\"type\":\"OAuthException\",\"code\":");
    buffer_put_i64(out, row->code);
    buffer_put_text(out, ",\"error_data\":{\"messaging_product\":\"whatsapp\",\"details\":");
    json_put_string(out, details.size > 0 ? details : row->details);
    buffer_put_text(out, "},\"fbtrace_id\":\"");
    put_trace(out, trace);
    buffer_put_text(out, "\"}}");
    check(!out->overflow);
}
