#include "tests/simulation/store_list.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

void
store_list_free(struct store_list *list)
{
    for (uint32_t i = 0; i < list->count; i++)
        store_text_drop(list->items[list->first + i]);
    free(list->items);
    *list = (struct store_list){0};
}

struct store_list
store_list_copy(const struct store_list *list)
{
    struct store_list copy = {.count = list->count, .capacity = list->count};
    copy.items = store_grown(NULL, (list->count + 1) * sizeof(struct store_text *));
    for (uint32_t i = 0; i < list->count; i++)
        copy.items[i] = store_text_hold(list->items[list->first + i]);
    return copy;
}

struct span
store_list_at(const struct store_list *list, uint32_t place)
{
    check(place < list->count);
    return store_text_span(list->items[list->first + place]);
}

/* Room for one more before the first and one behind the last, the items in the middle. */
static void
make_room(struct store_list *list)
{
    uint32_t capacity = list->count * 3 + 8;
    uint32_t first = list->count + 4;
    struct store_text **items = store_grown(NULL, capacity * sizeof(struct store_text *));
    if (list->count > 0)
        memcpy(items + first, list->items + list->first, list->count * sizeof(struct store_text *));
    free(list->items);
    list->items = items;
    list->first = first;
    list->capacity = capacity;
}

void
store_list_insert(struct store_list *list, uint32_t place, struct span text)
{
    check(place <= list->count);
    if (list->capacity == 0 || list->first == 0 || list->first + list->count == list->capacity)
        make_room(list);
    struct store_text **at = list->items + list->first + place;
    if (place == 0) {
        list->first--;
        at--;
    } else {
        memmove(at + 1, at, (list->count - place) * sizeof(struct store_text *));
    }
    *at = store_text_new(text);
    list->count++;
}

void
store_list_remove(struct store_list *list, uint32_t place)
{
    check(place < list->count);
    struct store_text **at = list->items + list->first + place;
    store_text_drop(*at);
    list->count--;
    if (place == 0)
        list->first++;
    else
        memmove(at, at + 1, (list->count - place) * sizeof(struct store_text *));
}
