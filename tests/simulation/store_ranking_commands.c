/* Commands of sorted sets. */
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

struct zadd_options {
    bool only_new;    /* NX */
    bool only_known;  /* XX */
    bool tells_moved; /* CH */
    size_t first;     /* word of the first score */
};

/* False: an error was answered. GT, LT and INCR are not known. */
static bool
read_zadd_options(const struct store_request *request, struct zadd_options *options)
{
    *options = (struct zadd_options){.first = 2};
    for (;; options->first++) {
        if (store_request_is(request, options->first, "NX"))
            options->only_new = true;
        else if (store_request_is(request, options->first, "XX"))
            options->only_known = true;
        else if (store_request_is(request, options->first, "CH"))
            options->tells_moved = true;
        else
            break;
    }
    size_t rest = request->count - options->first;
    if (rest == 0 || rest % 2 == 1) {
        store_request_syntax(request);
        return false;
    }
    if (options->only_new && options->only_known) {
        store_reply_error(request->reply,
                          "ERR XX and NX options at the same time are not compatible");
        return false;
    }
    double score;
    for (size_t i = options->first; i < request->count; i += 2)
        if (!store_request_double(request, i, &score))
            return false;
    return true;
}

void
store_zadd(struct store_request *request)
{
    struct zadd_options options;
    struct store_value *value;
    int64_t added = 0;
    int64_t moved = 0;
    if (!read_zadd_options(request, &options) ||
        !store_request_find(request, 1, STORE_RANKING, &value))
        return;
    if (value == NULL && options.only_known) {
        store_reply_i64(request->reply, 0);
        return;
    }
    (void)store_request_open(request, 1, STORE_RANKING, &value);
    for (size_t i = options.first; i < request->count; i += 2) {
        double score = 0;
        double before = 0;
        (void)store_read_double(request->words[i], &score);
        struct span member = request->words[i + 1];
        bool is_known = store_ranking_score(&value->ranking, member, &before);
        if ((is_known && options.only_new) || (!is_known && options.only_known) ||
            (is_known && before == score))
            continue;
        (void)store_ranking_set(&value->ranking, member, score);
        added += is_known ? 0 : 1;
        moved += is_known ? 1 : 0;
    }
    if (added + moved > 0)
        store_request_changed(request, 1);
    store_reply_i64(request->reply, options.tells_moved ? added + moved : added);
}

void
store_zrem(struct store_request *request)
{
    struct store_value *value;
    int64_t removed = 0;
    if (!store_request_edit(request, 1, STORE_RANKING, &value))
        return;
    for (size_t i = 2; i < request->count && value != NULL; i++)
        removed += store_ranking_remove(&value->ranking, request->words[i]) ? 1 : 0;
    if (removed > 0)
        store_request_changed(request, 1);
    store_reply_i64(request->reply, removed);
}

void
store_zcard(struct store_request *request)
{
    struct store_value *value;
    if (store_request_find(request, 1, STORE_RANKING, &value))
        store_reply_i64(request->reply, value == NULL ? 0 : store_ranking_count(&value->ranking));
}

void
store_zscore(struct store_request *request)
{
    struct store_value *value;
    double score;
    if (!store_request_find(request, 1, STORE_RANKING, &value))
        return;
    if (value != NULL && store_ranking_score(&value->ranking, request->words[2], &score))
        store_reply_double(request->reply, score);
    else
        store_reply_nil(request->reply);
}

void
store_zmscore(struct store_request *request)
{
    struct store_value *value;
    double score;
    if (!store_request_find(request, 1, STORE_RANKING, &value))
        return;
    store_reply_array(request->reply, request->count - 2);
    for (size_t i = 2; i < request->count; i++) {
        if (value != NULL && store_ranking_score(&value->ranking, request->words[i], &score))
            store_reply_double(request->reply, score);
        else
            store_reply_nil(request->reply);
    }
}

/* ---- ranges --------------------------------------------------------------------------------- */

struct range {
    bool with_scores;
    int64_t offset;
    int64_t limit; /* below zero: no limit */
};

/* WITHSCORES and LIMIT offset count. REV and the other kinds of ranges are not known. */
static bool
read_range_options(const struct store_request *request, bool may_limit, struct range *range)
{
    *range = (struct range){.limit = -1};
    for (size_t i = 4; i < request->count; i++) {
        if (store_request_is(request, i, "WITHSCORES")) {
            range->with_scores = true;
        } else if (may_limit && store_request_is(request, i, "LIMIT") && i + 2 < request->count) {
            if (!store_request_i64(request, i + 1, &range->offset) ||
                !store_request_i64(request, i + 2, &range->limit))
                return false;
            i += 2;
        } else {
            store_request_syntax(request);
            return false;
        }
    }
    return true;
}

static void
tell_range(const struct store_request *request, const struct store_value *value, int64_t first,
           int64_t count, bool with_scores)
{
    count = count < 0 ? 0 : count;
    store_reply_array(request->reply, (size_t)count * (with_scores ? 2 : 1));
    for (int64_t i = first; i < first + count; i++) {
        store_reply_text(request->reply, store_text_span(value->ranking.sorted[i].member));
        if (with_scores)
            store_reply_double(request->reply, value->ranking.sorted[i].score);
    }
}

void
store_zrange(struct store_request *request)
{
    struct store_value *value;
    struct range range;
    int64_t first;
    int64_t last;
    if (!read_range_options(request, false, &range) || !store_request_i64(request, 2, &first) ||
        !store_request_i64(request, 3, &last) ||
        !store_request_find(request, 1, STORE_RANKING, &value))
        return;
    int64_t count = value == NULL ? 0 : store_ranking_count(&value->ranking);
    first = first < 0 ? first + count : first;
    last = last < 0 ? last + count : last;
    first = first < 0 ? 0 : first;
    last = last >= count ? count - 1 : last;
    tell_range(request, value, first, first > last ? 0 : last - first + 1, range.with_scores);
}

/* SCORE or (SCORE. Here Redis takes spaces before it, and nothing for 0. */
static bool
read_bound(const struct store_request *request, size_t index, double *score, bool *is_open)
{
    char copy[256];
    struct span text = request->words[index];
    *is_open = text.size > 0 && text.data[0] == '(';
    if (*is_open)
        text = (struct span){.data = text.data + 1, .size = text.size - 1};
    size_t size = text.size < sizeof(copy) ? text.size : sizeof(copy) - 1;
    memcpy(copy, text.data, size);
    copy[size] = '\0';
    char *end;
    *score = strtod(copy, &end);
    if (*end == '\0' && !isnan(*score))
        return true;
    store_reply_error(request->reply, "ERR min or max is not a float");
    return false;
}

void
store_zcount(struct store_request *request)
{
    struct store_value *value;
    double low;
    double high;
    bool low_open;
    bool high_open;
    if (!read_bound(request, 2, &low, &low_open) || !read_bound(request, 3, &high, &high_open) ||
        !store_request_find(request, 1, STORE_RANKING, &value))
        return;
    int64_t count = 0;
    if (value != NULL)
        count = (int64_t)store_ranking_place(&value->ranking, high, !high_open) -
                (int64_t)store_ranking_place(&value->ranking, low, low_open);
    store_reply_i64(request->reply, count < 0 ? 0 : count);
}

void
store_zrangebyscore(struct store_request *request)
{
    struct store_value *value;
    struct range range;
    double low;
    double high;
    bool low_open;
    bool high_open;
    if (!read_range_options(request, true, &range) || !read_bound(request, 2, &low, &low_open) ||
        !read_bound(request, 3, &high, &high_open) ||
        !store_request_find(request, 1, STORE_RANKING, &value))
        return;
    if (value == NULL || range.offset < 0) {
        store_reply_array(request->reply, 0);
        return;
    }
    int64_t first = store_ranking_place(&value->ranking, low, low_open);
    int64_t end = store_ranking_place(&value->ranking, high, !high_open);
    first = range.offset > end - first ? end : first + range.offset;
    int64_t count = end - first;
    if (range.limit >= 0 && count > range.limit)
        count = range.limit;
    tell_range(request, value, first, count, range.with_scores);
}

/* One source, which may be the destination, and one weight: how checks make all scores 0. */
void
store_zunionstore(struct store_request *request)
{
    struct store_value *value;
    double weight = 1;
    bool has_weight = request->count == 6 && store_request_is(request, 4, "WEIGHTS");
    if (!store_request_is(request, 2, "1") || (request->count != 4 && !has_weight)) {
        store_request_syntax(request);
        return;
    }
    if (has_weight && !store_read_double(request->words[5], &weight)) {
        store_reply_error(request->reply, "ERR weight value is not a float");
        return;
    }
    if (!store_request_find(request, 3, STORE_RANKING, &value))
        return;
    struct store_value *made = store_value_new(STORE_RANKING);
    for (uint32_t i = 0; value != NULL && i < store_ranking_count(&value->ranking); i++) {
        double score = weight * value->ranking.sorted[i].score;
        (void)store_ranking_set(&made->ranking, store_text_span(value->ranking.sorted[i].member),
                                isnan(score) ? 0 : score);
    }
    int64_t count = store_ranking_count(&made->ranking);
    store_keys_put(&request->store->keys, request->words[1], made);
    store_request_changed(request, 1);
    store_reply_i64(request->reply, count);
}
