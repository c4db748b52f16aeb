#include "queue/call_parts.h"
#include "queue/callback.h"
#include "sender/base/check.h"

enum {
    WORDS_MAX = 512,        /* bytes of wamid, to, reason */
    AMOUNT_DIGITS_MAX = 16, /* as in library.lua */
    REST_MAX = 128,         /* status, numbers, day, currency and tabs */
    LINE_SIZE = 3 * WORDS_MAX + QUEUE_MEMBER_MAX + QUEUE_GRANT_MAX + CALLBACK_CELL_MAX + REST_MAX,
};

/* ---- judging ------------------------------------------------------------------------------ */

static bool
is_day(struct span day)
{
    if (day.size != 10)
        return false;
    for (size_t i = 0; i < day.size; i++) {
        bool is_dash = i == 4 || i == 7;
        if (is_dash ? day.data[i] != '-' : day.data[i] < '0' || day.data[i] > '9')
            return false;
    }
    return true;
}

static bool
is_currency(struct span currency)
{
    if (currency.size != 3)
        return false;
    for (size_t i = 0; i < currency.size; i++)
        if (currency.data[i] < 'A' || currency.data[i] > 'Z')
            return false;
    return true;
}

/* Any words without control characters: it becomes a field of the ledger and a line of a call. */
static bool
is_cell(struct span cell)
{
    if (cell.size == 0 || cell.size > CALLBACK_CELL_MAX)
        return false;
    for (size_t i = 0; i < cell.size; i++)
        if ((unsigned char)cell.data[i] < ' ' || cell.data[i] == 127)
            return false;
    return span_is_utf8(cell);
}

bool
receipt_is_good(const struct receipt *receipt)
{
    uint64_t amount_end = 1;
    for (int i = 0; i < AMOUNT_DIGITS_MAX; i++)
        amount_end *= 10;
    return keys_member_is_good(receipt->member) && receipt->attempt > 0 &&
           keys_grant_is_good(receipt->grant) && receipt->index < CALLS_GRANT_MEMBERS_MAX &&
           is_day(receipt->day) && is_cell(receipt->cell) && is_currency(receipt->currency) &&
           receipt->millionths < amount_end;
}

/* ---- writing ------------------------------------------------------------------------------ */

/* The beginning that fits, at the end of a character. */
static struct span
cut(struct span text)
{
    if (text.size <= WORDS_MAX)
        return text;
    text.size = WORDS_MAX;
    while (text.size > 0 && ((unsigned char)text.data[text.size] & 0xc0) == 0x80)
        text.size--;
    return text;
}

/* Words from outside: they end in JSON lines of events, so they are UTF-8 and without controls. */
static void
put_words(struct buffer *line, struct span words)
{
    words = cut(words);
    bool is_utf8 = span_is_utf8(words);
    for (size_t i = 0; i < words.size; i++) {
        unsigned char c = (unsigned char)words.data[i];
        bool is_bad = c < ' ' || c == 127 || (c > 127 && !is_utf8);
        buffer_put_char(line, is_bad ? ' ' : words.data[i]);
    }
}

static void
put_receipt(const struct call *call, const struct receipt *receipt)
{
    char memory[LINE_SIZE];
    struct buffer line;
    check(receipt_is_good(receipt));
    buffer_init(&line, memory, sizeof(memory));
    buffer_put_text(&line, receipt->accepted ? "accepted\t" : "failed\t");
    buffer_put_span(&line, receipt->member);
    buffer_put_char(&line, '\t');
    buffer_put_u64(&line, receipt->attempt);
    buffer_put_char(&line, '\t');
    buffer_put_span(&line, receipt->grant);
    buffer_put_char(&line, '\t');
    buffer_put_u64(&line, receipt->index);
    buffer_put_char(&line, '\t');
    buffer_put_span(&line, receipt->day);
    buffer_put_char(&line, '\t');
    buffer_put_span(&line, receipt->cell);
    buffer_put_char(&line, '\t');
    buffer_put_span(&line, receipt->currency);
    buffer_put_char(&line, '\t');
    buffer_put_u64(&line, receipt->millionths);
    buffer_put_char(&line, '\t');
    put_words(&line, receipt->wamid);
    buffer_put_char(&line, '\t');
    put_words(&line, receipt->to);
    buffer_put_char(&line, '\t');
    put_words(&line, receipt->reason);
    check(!line.overflow);
    session_part(call->session, buffer_span(&line));
}

bool
call_receipt(const struct call *call, uint64_t events_keep, uint64_t dedupe_ttl_ms,
             const struct receipt *receipts, uint32_t count)
{
    check(count > 0 && count <= CALLS_RECEIPTS_MAX);
    call_begin(call, "facteur_receipt", 3 + (size_t)count);
    session_part_u64(call->session, events_keep);
    session_part_u64(call->session, dedupe_ttl_ms);
    session_part_u64(call->session, count);
    for (uint32_t i = 0; i < count; i++)
        put_receipt(call, &receipts[i]);
    return call_end(call);
}

/* ---- reading ------------------------------------------------------------------------------ */

/* "ok PLACE". */
static bool
read_ok(const struct reply *answer, struct span *place)
{
    if (!reply_text(answer, place))
        return false;
    return span_equal(span_split(place, ' '), SPAN("ok")) && place->size > 0;
}

bool
receipts_are_read(const struct reply *reply, uint32_t count)
{
    if (reply == NULL || reply->type != REPLY_ARRAY || reply->count != count)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        struct span place;
        if (!reply_is_text(reply->elements[i], "known") && !read_ok(reply->elements[i], &place))
            return false;
    }
    return true;
}

bool
receipt_read(const struct reply *reply, uint32_t index, struct span *place)
{
    struct span found;
    bool is_ok = read_ok(reply_at(reply, index), &found);
    if (place != NULL)
        *place = is_ok ? found : (struct span){0};
    return is_ok;
}

/* ---- what waits for a receipt ------------------------------------------------------------- */

const char *
uncertain_policy_text(enum uncertain_policy policy)
{
    switch (policy) {
    case UNCERTAIN_PARK:
        return "park";
    case UNCERTAIN_DROP:
        return "drop";
    case UNCERTAIN_RESEND:
        return "resend";
    }
    check(!"a policy");
    return "";
}

bool
call_overdue(const struct call *call, const struct overdue_request *request)
{
    check(request->members_max > 0);
    call_begin(call, "facteur_overdue", 5);
    call_text(call, uncertain_policy_text(request->policy));
    call_text(call, uncertain_policy_text(request->codes_policy));
    session_part_u64(call->session, request->events_keep);
    session_part_u64(call->session, request->dedupe_ttl_ms);
    session_part_u64(call->session, request->members_max);
    return call_end(call);
}

bool
overdue_read(const struct reply *reply, struct overdue_reply *overdue)
{
    enum { NUMBERS = 4 };
    int64_t numbers[NUMBERS];
    *overdue = (struct overdue_reply){.next_until_ms = -1};
    if (!call_is_ok(reply, 1 + NUMBERS))
        return false;
    for (size_t i = 0; i < NUMBERS; i++)
        if (!reply_i64(reply_at(reply, 1 + i), &numbers[i]) || numbers[i] < (i == 3 ? -1 : 0))
            return false;
    *overdue = (struct overdue_reply){.parked = (uint64_t)numbers[0],
                                      .dropped = (uint64_t)numbers[1],
                                      .resent = (uint64_t)numbers[2],
                                      .next_until_ms = numbers[3]};
    return true;
}
