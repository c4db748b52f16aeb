#include "tests/simulation/truth.h"

#include "sender/base/check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What stands between `before` and the next quote. */
static struct span
find_text(struct span body, const char *before)
{
    const char *at = memmem(body.data, body.size, before, strlen(before));
    if (at == NULL)
        return (struct span){0};
    at += strlen(before);
    const char *end = memchr(at, '"', (size_t)(body.data + body.size - at));
    if (end == NULL)
        return (struct span){0};
    return (struct span){at, (size_t)(end - at)};
}

uint32_t
truth_number(struct span text)
{
    const char *at = memmem(text.data, text.size, "N-", 2);
    uint32_t number = 0;
    if (at == NULL)
        return UINT32_MAX;
    for (at += 2; at < text.data + text.size && *at >= '0' && *at <= '9'; at++)
        number = 10 * number + (uint32_t)(*at - '0');
    return number;
}

struct span
truth_recipient(struct span body)
{
    return find_text(body, "\"to\":\"");
}

static bool
copy(char *to, size_t size, struct span from)
{
    return snprintf(to, size, "%.*s", SPAN_ARG(from)) < (int)size && from.size > 0;
}

/* f1;BUSINESS/ACCOUNT;MEMBER;ATTEMPT;GRANT;INDEX;MILLIONTHS;CURRENCY;DAY;CELL;VERSION;BUDGETS */
static bool
read_callback(struct span callback, struct attempt *attempt)
{
    struct span rest = callback;
    if (!span_equal(span_split(&rest, ';'), SPAN("f1")))
        return false;
    (void)span_split(&rest, ';'); /* the account, which the path says too */
    return copy(attempt->member, sizeof(attempt->member), span_split(&rest, ';')) &&
           span_to_u64(span_split(&rest, ';'), &attempt->attempt) &&
           copy(attempt->grant, sizeof(attempt->grant), span_split(&rest, ';')) &&
           span_to_u64(span_split(&rest, ';'), &attempt->index) &&
           span_to_u64(span_split(&rest, ';'), &attempt->millionths) &&
           copy(attempt->currency, sizeof(attempt->currency), span_split(&rest, ';')) &&
           copy(attempt->day, sizeof(attempt->day), span_split(&rest, ';')) &&
           copy(attempt->cell, sizeof(attempt->cell), span_split(&rest, ';'));
}

static void
count_accepted(struct truth *truth, uint32_t number)
{
    if (number >= truth->accepted_capacity) {
        uint32_t capacity = 2 * number + 256;
        truth->accepted = realloc(truth->accepted, capacity * sizeof(*truth->accepted));
        check(truth->accepted != NULL);
        memset(truth->accepted + truth->accepted_capacity, 0,
               (capacity - truth->accepted_capacity) * sizeof(*truth->accepted));
        truth->accepted_capacity = capacity;
    }
    truth->accepted[number]++;
}

uint32_t
truth_add(struct truth *truth, uint32_t account, struct span body, bool fails)
{
    struct attempt attempt = {.account = account, .failed = fails};
    attempt.number = truth_number(body);
    if (attempt.number == UINT32_MAX ||
        !read_callback(find_text(body, "\"biz_opaque_callback_data\":\""), &attempt) ||
        !copy(attempt.to, sizeof(attempt.to), truth_recipient(body)))
        return UINT32_MAX;
    if (!fails)
        count_accepted(truth, attempt.number);
    snprintf(attempt.wamid, sizeof(attempt.wamid), "wamid.S%u", truth->count);
    if (truth->count == truth->capacity) {
        truth->capacity = truth->capacity == 0 ? 256 : 2 * truth->capacity;
        truth->attempts = realloc(truth->attempts, truth->capacity * sizeof(*truth->attempts));
        check(truth->attempts != NULL);
    }
    truth->attempts[truth->count] = attempt;
    return truth->count++;
}

void
truth_close(struct truth *truth)
{
    free(truth->attempts);
    free(truth->accepted);
    *truth = (struct truth){0};
}

bool
truth_knows(const struct truth *truth, struct span token)
{
    for (uint32_t i = 0; i < truth->count; i++) {
        char own[96];
        snprintf(own, sizeof(own), "%s/%" PRIu64, truth->attempts[i].grant,
                 truth->attempts[i].index);
        if (span_equal(token, span_of(own)))
            return true;
    }
    return false;
}

uint32_t
truth_accepted(const struct truth *truth, uint32_t number)
{
    return number < truth->accepted_capacity ? truth->accepted[number] : 0;
}
