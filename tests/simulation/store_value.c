#include "tests/simulation/store_value.h"

#include "sender/base/check.h"

#include <stdlib.h>

/* Redis' defaults: larger hashes are told in no order. */
enum { ORDERED_FIELDS_MAX = 512, ORDERED_SIZE_MAX = 64 };

struct store_value *
store_value_new(enum store_type type)
{
    struct store_value *value = check_alloc(1, sizeof(*value));
    value->references = 1;
    value->type = type;
    return value;
}

struct store_value *
store_value_hold(struct store_value *value)
{
    check(value->references > 0);
    value->references++;
    return value;
}

static void
drop_texts(struct store_dict *dict)
{
    uint32_t position = 0;
    for (struct store_entry *entry; (entry = store_dict_next(dict, &position, 0)) != NULL;)
        store_text_drop(entry->text);
}

void
store_value_drop(struct store_value *value)
{
    check(value->references > 0);
    if (--value->references > 0)
        return;
    switch (value->type) {
    case STORE_STRING:
        store_text_drop(value->text);
        break;
    case STORE_LIST:
        store_list_free(&value->list);
        break;
    case STORE_HASH:
        drop_texts(&value->dict);
        store_dict_free(&value->dict);
        break;
    case STORE_SET:
        store_dict_free(&value->dict);
        break;
    case STORE_RANKING:
        store_ranking_free(&value->ranking);
        break;
    case STORE_STREAM:
        store_stream_free(&value->stream);
        break;
    }
    free(value);
}

struct store_value *
store_value_copy(const struct store_value *value)
{
    struct store_value *copy = store_value_new(value->type);
    uint32_t position = 0;
    copy->expires_ms = value->expires_ms;
    copy->is_scattered = value->is_scattered;
    switch (value->type) {
    case STORE_STRING:
        copy->text = store_text_hold(value->text);
        break;
    case STORE_LIST:
        copy->list = store_list_copy(&value->list);
        break;
    case STORE_HASH:
        copy->dict = store_dict_copy(&value->dict);
        for (struct store_entry *e; (e = store_dict_next(&copy->dict, &position, 0)) != NULL;)
            store_text_hold(e->text);
        break;
    case STORE_SET:
        copy->dict = store_dict_copy(&value->dict);
        break;
    case STORE_RANKING:
        copy->ranking = store_ranking_copy(&value->ranking);
        break;
    case STORE_STREAM:
        copy->stream = store_stream_copy(&value->stream);
        break;
    }
    return copy;
}

const char *
store_type_name(enum store_type type)
{
    static const char *const names[] = {"string", "list", "hash", "set", "zset", "stream"};
    return names[type];
}

bool
store_value_is_empty(const struct store_value *value)
{
    switch (value->type) {
    case STORE_STRING:
    case STORE_STREAM:
        return false;
    case STORE_LIST:
        return value->list.count == 0;
    case STORE_HASH:
    case STORE_SET:
        return value->dict.count == 0;
    case STORE_RANKING:
        return store_ranking_count(&value->ranking) == 0;
    }
    return false;
}

bool
store_value_set_field(struct store_value *hash, struct span field, struct span value)
{
    struct store_entry *entry = store_dict_find(&hash->dict, field);
    bool is_new = entry == NULL;
    if (is_new)
        entry = store_dict_add(&hash->dict, field);
    store_text_drop(entry->text);
    entry->text = store_text_new(value);
    if (field.size > ORDERED_SIZE_MAX || value.size > ORDERED_SIZE_MAX ||
        hash->dict.count > ORDERED_FIELDS_MAX)
        hash->is_scattered = true;
    return is_new;
}

void
store_value_remove_field(struct store_value *value, struct store_entry *entry)
{
    if (value->type == STORE_HASH)
        store_text_drop(entry->text);
    entry->text = NULL;
    store_dict_remove(&value->dict, entry);
}
