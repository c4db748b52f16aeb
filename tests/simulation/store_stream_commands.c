/* Commands of streams, but for XREAD. */
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

#include <inttypes.h>
#include <stdio.h>

static bool
refuse_id(const struct store_request *request)
{
    store_reply_error(request->reply, "ERR Invalid stream ID specified as stream command argument");
    return false;
}

static void
answer_id(const struct store_request *request, struct store_id id)
{
    char text[48];
    snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64, id.ms, id.sequence);
    store_reply_text(request->reply, span_of(text));
}

/* ---- XADD and XTRIM ------------------------------------------------------------------------- */

struct trim {
    enum { TRIM_NONE, TRIM_MAXLEN, TRIM_MINID } kind;
    int64_t keep;
    struct store_id before;
};

/* MAXLEN|MINID [=] WORD at words[*at], which is moved to its last word. `~` is not known. */
static bool
read_trim(const struct store_request *request, size_t *at, struct trim *trim)
{
    bool is_maxlen = store_request_is(request, *at, "MAXLEN");
    size_t value = *at + 1;
    if (trim->kind != TRIM_NONE) {
        store_reply_error(request->reply, "ERR syntax error, MAXLEN and MINID options at the same "
                                          "time are not compatible");
        return false;
    }
    if (value + 1 < request->count && store_request_is(request, value, "="))
        value++;
    *at = value;
    trim->kind = is_maxlen ? TRIM_MAXLEN : TRIM_MINID;
    if (!is_maxlen)
        return store_id_read(request->words[value], 0, &trim->before, NULL) || refuse_id(request);
    if (!store_request_i64(request, value, &trim->keep))
        return false;
    if (trim->keep < 0)
        store_reply_error(request->reply, "ERR The MAXLEN argument must be >= 0.");
    return trim->keep >= 0;
}

static bool
is_trim(const struct store_request *request, size_t at)
{
    return at + 1 < request->count &&
           (store_request_is(request, at, "MAXLEN") || store_request_is(request, at, "MINID"));
}

static uint32_t
trim_stream(struct store_stream *stream, const struct trim *trim)
{
    switch (trim->kind) {
    case TRIM_NONE:
        return 0;
    case TRIM_MAXLEN:
        return store_stream_trim_to(stream, (uint64_t)trim->keep);
    case TRIM_MINID:
        return store_stream_trim_before(stream, trim->before);
    }
    return 0;
}

struct xadd {
    struct trim trim;
    bool no_make;      /* NOMKSTREAM */
    bool has_id;       /* not * */
    bool has_sequence; /* not MS-* */
    struct store_id id;
    size_t first; /* word of the first field */
};

static bool
read_xadd(const struct store_request *request, struct xadd *xadd)
{
    size_t at = 2;
    *xadd = (struct xadd){.has_sequence = true};
    for (; at < request->count; at++) {
        if (is_trim(request, at)) {
            if (!read_trim(request, &at, &xadd->trim))
                return false;
        } else if (store_request_is(request, at, "NOMKSTREAM")) {
            xadd->no_make = true;
        } else {
            break;
        }
    }
    xadd->first = at + 1;
    if (at < request->count && !store_request_is(request, at, "*")) {
        xadd->has_id = true;
        if (!store_id_read(request->words[at], 0, &xadd->id, &xadd->has_sequence))
            return refuse_id(request);
    }
    if (xadd->first >= request->count || (request->count - xadd->first) % 2 == 1) {
        store_request_arity(request);
        return false;
    }
    if (xadd->has_id && xadd->has_sequence && xadd->id.ms == 0 && xadd->id.sequence == 0) {
        store_reply_error(request->reply, "ERR The ID specified in XADD must be greater than 0-0");
        return false;
    }
    return true;
}

/* The id of the new entry. False: the one that was given is too low. */
static bool
choose_id(const struct xadd *xadd, struct store_id last, uint64_t now_ms, struct store_id *id)
{
    *id = xadd->id;
    if (xadd->has_id && xadd->has_sequence)
        return store_id_compare(*id, last) > 0;
    if (!xadd->has_id)
        id->ms = now_ms > last.ms ? now_ms : last.ms;
    if (id->ms < last.ms)
        return false;
    id->sequence = 0;
    if (id->ms > last.ms)
        return true;
    *id = last;
    if (!xadd->has_id)
        return store_id_next(id);
    return ++id->sequence != 0;
}

static struct store_text *
make_fields(const struct store_request *request, size_t first)
{
    struct store_bytes fields = {0};
    store_reply_array(&fields, request->count - first);
    for (size_t i = first; i < request->count; i++)
        store_reply_text(&fields, request->words[i]);
    struct store_text *text = store_text_new(store_bytes_span(&fields));
    store_bytes_free(&fields);
    return text;
}

void
store_xadd(struct store_request *request)
{
    struct store *store = request->store;
    struct store_value *value;
    struct xadd xadd;
    struct store_id id;
    if (!read_xadd(request, &xadd) || !store_request_find(request, 1, STORE_STREAM, &value))
        return;
    if (value == NULL && xadd.no_make) {
        store_reply_nil(request->reply);
        return;
    }
    struct store_id last = value == NULL ? STORE_ID_MIN : value->stream.last;
    if (store_id_compare(last, STORE_ID_MAX) == 0) {
        store_reply_error(request->reply, "ERR The stream has exhausted the last possible ID, "
                                          "unable to add more items");
        return;
    }
    if (!choose_id(&xadd, last, store_now_ms(store), &id)) {
        store_reply_error(request->reply, "ERR The ID specified in XADD is equal or smaller than "
                                          "the target stream top item");
        return;
    }
    (void)store_request_open(request, 1, STORE_STREAM, &value);
    store_stream_add(&value->stream, id, make_fields(request, xadd.first));
    (void)trim_stream(&value->stream, &xadd.trim);
    answer_id(request, id);
    store_request_changed(request, 1);
    store_client_stream_grew(store, request->words[1]);
}

void
store_xtrim(struct store_request *request)
{
    struct store_value *value;
    struct trim trim = {0};
    for (size_t at = 2; at < request->count; at++) {
        if (!is_trim(request, at)) {
            store_request_syntax(request);
            return;
        }
        if (!read_trim(request, &at, &trim))
            return;
    }
    if (!store_request_edit(request, 1, STORE_STREAM, &value))
        return;
    uint32_t removed = value == NULL ? 0 : trim_stream(&value->stream, &trim);
    if (removed > 0)
        store_request_changed(request, 1);
    store_reply_i64(request->reply, removed);
}

/* ---- the others ----------------------------------------------------------------------------- */

void
store_xdel(struct store_request *request)
{
    struct store_value *value;
    struct store_id id;
    int64_t removed = 0;
    if (!store_request_edit(request, 1, STORE_STREAM, &value))
        return;
    if (value == NULL) {
        store_reply_i64(request->reply, 0);
        return;
    }
    for (size_t i = 2; i < request->count; i++) {
        if (!store_id_read(request->words[i], 0, &id, NULL)) {
            (void)refuse_id(request);
            return;
        }
    }
    for (size_t i = 2; i < request->count; i++) {
        (void)store_id_read(request->words[i], 0, &id, NULL);
        removed += store_stream_delete(&value->stream, id) ? 1 : 0;
    }
    if (removed > 0)
        store_request_changed(request, 1);
    store_reply_i64(request->reply, removed);
}

void
store_xlen(struct store_request *request)
{
    struct store_value *value;
    if (store_request_find(request, 1, STORE_STREAM, &value))
        store_reply_i64(request->reply, value == NULL ? 0 : value->stream.count);
}

void
store_xsetid(struct store_request *request)
{
    struct store_value *value;
    struct store_id id;
    if (!store_id_read(request->words[2], 0, &id, NULL)) {
        (void)refuse_id(request);
        return;
    }
    if (request->count != 3) {
        store_request_syntax(request);
        return;
    }
    if (!store_request_edit(request, 1, STORE_STREAM, &value))
        return;
    if (value == NULL) {
        store_reply_error(request->reply, "ERR no such key");
        return;
    }
    const struct store_stream_entry *top = store_stream_until(&value->stream, STORE_ID_MAX);
    if (top != NULL && store_id_compare(id, top->id) < 0) {
        store_reply_error(request->reply, "ERR The ID specified in XSETID is smaller than the "
                                          "target stream top item");
        return;
    }
    value->stream.last = id;
    store_request_changed(request, 1);
    store_reply_ok(request->reply);
}

/* ID, (ID, - or +. */
static bool
read_bound(const struct store_request *request, size_t index, bool is_end, struct store_id *id)
{
    struct span text = request->words[index];
    bool is_open = text.size > 1 && text.data[0] == '(';
    if (is_open)
        text = (struct span){.data = text.data + 1, .size = text.size - 1};
    if (span_equal(text, SPAN("-")) && !is_open)
        *id = STORE_ID_MIN;
    else if (span_equal(text, SPAN("+")) && !is_open)
        *id = STORE_ID_MAX;
    else if (!store_id_read(text, is_end ? UINT64_MAX : 0, id, NULL))
        return refuse_id(request);
    if (!is_open || (is_end ? store_id_previous(id) : store_id_next(id)))
        return true;
    store_reply_error(request->reply, "ERR invalid %s ID for the interval",
                      is_end ? "end" : "start");
    return false;
}

static bool
read_count(const struct store_request *request, int64_t *count)
{
    *count = -1;
    for (size_t i = 4; i < request->count; i += 2) {
        if (i + 1 == request->count || !store_request_is(request, i, "COUNT")) {
            store_request_syntax(request);
            return false;
        }
        if (!store_request_i64(request, i + 1, count))
            return false;
        *count = *count < 0 ? 0 : *count;
    }
    return true;
}

static void
tell_range(struct store_request *request, bool backwards)
{
    struct store_value *value;
    struct store_id first;
    struct store_id last;
    int64_t count;
    if (!read_bound(request, backwards ? 3 : 2, false, &first) ||
        !read_bound(request, backwards ? 2 : 3, true, &last) || !read_count(request, &count) ||
        !store_request_find(request, 1, STORE_STREAM, &value))
        return;
    if (value == NULL)
        store_reply_array(request->reply, 0);
    else if (count == 0)
        store_reply_nil_array(request->reply);
    else
        store_stream_tell(&value->stream,
                          &(struct store_stream_range){first, last, backwards,
                                                       count < 0 ? UINT64_MAX : (uint64_t)count},
                          request->reply);
}

void
store_xrange(struct store_request *request)
{
    tell_range(request, false);
}

void
store_xrevrange(struct store_request *request)
{
    tell_range(request, true);
}
