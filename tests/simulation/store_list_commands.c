/* Commands of lists. */
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

static void
push(struct store_request *request, bool at_head)
{
    struct store_value *list;
    if (!store_request_open(request, 1, STORE_LIST, &list))
        return;
    for (size_t i = 2; i < request->count; i++)
        store_list_insert(&list->list, at_head ? 0 : list->list.count, request->words[i]);
    store_request_changed(request, 1);
    store_reply_i64(request->reply, list->list.count);
}

void
store_rpush(struct store_request *request)
{
    push(request, false);
}

void
store_lpush(struct store_request *request)
{
    push(request, true);
}

static void
pop(struct store_request *request, bool at_head)
{
    struct store_value *list;
    bool has_count = request->count == 3;
    int64_t count = 1;
    if (request->count > 3) {
        store_request_arity(request);
        return;
    }
    if (has_count && (!store_read_i64(request->words[2], &count) || count < 0)) {
        store_reply_error(request->reply, "ERR value is out of range, must be positive");
        return;
    }
    if (!store_request_edit(request, 1, STORE_LIST, &list))
        return;
    if (list == NULL) {
        (has_count ? store_reply_nil_array : store_reply_nil)(request->reply);
        return;
    }
    count = count < list->list.count ? count : list->list.count;
    if (has_count)
        store_reply_array(request->reply, (size_t)count);
    for (int64_t i = 0; i < count; i++) {
        uint32_t place = at_head ? 0 : list->list.count - 1;
        store_reply_text(request->reply, store_list_at(&list->list, place));
        store_list_remove(&list->list, place);
    }
    if (count > 0)
        store_request_changed(request, 1);
}

void
store_lpop(struct store_request *request)
{
    pop(request, true);
}

void
store_rpop(struct store_request *request)
{
    pop(request, false);
}

void
store_llen(struct store_request *request)
{
    struct store_value *list;
    if (store_request_find(request, 1, STORE_LIST, &list))
        store_reply_i64(request->reply, list == NULL ? 0 : list->list.count);
}

void
store_lrange(struct store_request *request)
{
    struct store_value *list;
    int64_t first;
    int64_t last;
    if (!store_request_i64(request, 2, &first) || !store_request_i64(request, 3, &last) ||
        !store_request_find(request, 1, STORE_LIST, &list))
        return;
    int64_t count = list == NULL ? 0 : list->list.count;
    first = first < 0 ? first + count : first;
    last = last < 0 ? last + count : last;
    first = first < 0 ? 0 : first;
    last = last >= count ? count - 1 : last;
    store_reply_array(request->reply, first > last ? 0 : (size_t)(last - first + 1));
    for (int64_t i = first; i <= last; i++)
        store_reply_text(request->reply, store_list_at(&list->list, (uint32_t)i));
}

void
store_lindex(struct store_request *request)
{
    struct store_value *list;
    int64_t place;
    if (!store_request_find(request, 1, STORE_LIST, &list))
        return;
    if (list == NULL) {
        store_reply_nil(request->reply);
        return;
    }
    if (!store_request_i64(request, 2, &place))
        return;
    place = place < 0 ? place + list->list.count : place;
    if (place < 0 || place >= list->list.count)
        store_reply_nil(request->reply);
    else
        store_reply_text(request->reply, store_list_at(&list->list, (uint32_t)place));
}

void
store_linsert(struct store_request *request)
{
    struct store_value *list;
    bool before = store_request_is(request, 2, "BEFORE");
    if (!before && !store_request_is(request, 2, "AFTER")) {
        store_request_syntax(request);
        return;
    }
    if (!store_request_edit(request, 1, STORE_LIST, &list))
        return;
    for (uint32_t i = 0; list != NULL && i < list->list.count; i++) {
        if (!span_equal(store_list_at(&list->list, i), request->words[3]))
            continue;
        store_list_insert(&list->list, before ? i : i + 1, request->words[4]);
        store_request_changed(request, 1);
        store_reply_i64(request->reply, list->list.count);
        return;
    }
    store_reply_i64(request->reply, list == NULL ? 0 : -1);
}

void
store_lrem(struct store_request *request)
{
    struct store_value *list;
    int64_t most;
    int64_t removed = 0;
    if (!store_request_i64(request, 2, &most) || !store_request_edit(request, 1, STORE_LIST, &list))
        return;
    bool backwards = most < 0;
    uint64_t left = most == 0 ? UINT64_MAX : backwards ? 0 - (uint64_t)most : (uint64_t)most;
    uint32_t count = list == NULL ? 0 : list->list.count;
    uint32_t gone = 0; /* before the place, going forwards */
    for (uint32_t i = 0; i < count && left > 0; i++) {
        uint32_t place = backwards ? count - 1 - i : i - gone;
        if (!span_equal(store_list_at(&list->list, place), request->words[3]))
            continue;
        store_list_remove(&list->list, place);
        gone++;
        removed++;
        left--;
    }
    if (removed > 0)
        store_request_changed(request, 1);
    store_reply_i64(request->reply, removed);
}
