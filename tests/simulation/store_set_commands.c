/* Commands of sets. */
#include "tests/simulation/store_commands.h"
#include "tests/simulation/store_state.h"

void
store_sadd(struct store_request *request)
{
    struct store_value *set;
    int64_t added = 0;
    if (!store_request_open(request, 1, STORE_SET, &set))
        return;
    for (size_t i = 2; i < request->count; i++) {
        if (store_dict_find(&set->dict, request->words[i]) == NULL) {
            (void)store_dict_add(&set->dict, request->words[i]);
            added++;
        }
    }
    if (added > 0)
        store_request_changed(request, 1);
    store_reply_i64(request->reply, added);
}

void
store_srem(struct store_request *request)
{
    struct store_value *set;
    int64_t removed = 0;
    if (!store_request_edit(request, 1, STORE_SET, &set))
        return;
    for (size_t i = 2; i < request->count && set != NULL; i++) {
        struct store_entry *entry = store_dict_find(&set->dict, request->words[i]);
        if (entry != NULL) {
            store_value_remove_field(set, entry);
            removed++;
        }
    }
    if (removed > 0)
        store_request_changed(request, 1);
    store_reply_i64(request->reply, removed);
}

void
store_smembers(struct store_request *request)
{
    struct store_value *set;
    uint32_t position = 0;
    if (!store_request_find(request, 1, STORE_SET, &set))
        return;
    store_reply_array(request->reply, set == NULL ? 0 : set->dict.count);
    for (const struct store_entry *entry;
         set != NULL &&
         (entry = store_dict_next(&set->dict, &position, request->store->shuffle)) != NULL;)
        store_reply_text(request->reply, store_text_span(entry->name));
}

static int64_t
has_member(const struct store_value *set, struct span member)
{
    return set != NULL && store_dict_find(&set->dict, member) != NULL ? 1 : 0;
}

void
store_sismember(struct store_request *request)
{
    struct store_value *set;
    if (store_request_find(request, 1, STORE_SET, &set))
        store_reply_i64(request->reply, has_member(set, request->words[2]));
}

void
store_smismember(struct store_request *request)
{
    struct store_value *set;
    if (!store_request_find(request, 1, STORE_SET, &set))
        return;
    store_reply_array(request->reply, request->count - 2);
    for (size_t i = 2; i < request->count; i++)
        store_reply_i64(request->reply, has_member(set, request->words[i]));
}

void
store_scard(struct store_request *request)
{
    struct store_value *set;
    if (store_request_find(request, 1, STORE_SET, &set))
        store_reply_i64(request->reply, set == NULL ? 0 : set->dict.count);
}

void
store_sscan(struct store_request *request)
{
    struct store_value *set;
    uint32_t position = 0;
    struct span pattern;
    if (!store_request_cursor(request, 2) || !store_request_find(request, 1, STORE_SET, &set) ||
        (set != NULL && !store_request_scan(request, 3, &pattern)))
        return;
    struct store_bytes found = {0};
    size_t count = 0;
    for (const struct store_entry *entry;
         set != NULL && (entry = store_dict_next(&set->dict, &position, 0)) != NULL;) {
        if (!store_is_match(pattern, store_text_span(entry->name)))
            continue;
        store_reply_text(&found, store_text_span(entry->name));
        count++;
    }
    store_request_scanned(request, &found, count);
}
