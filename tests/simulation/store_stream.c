#include "tests/simulation/store_stream.h"

#include "sender/base/check.h"
#include "tests/simulation/store_reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
store_id_compare(struct store_id a, struct store_id b)
{
    if (a.ms != b.ms)
        return a.ms < b.ms ? -1 : 1;
    return (a.sequence > b.sequence) - (a.sequence < b.sequence);
}

bool
store_id_next(struct store_id *id)
{
    if (++id->sequence != 0)
        return true;
    return ++id->ms != 0;
}

bool
store_id_previous(struct store_id *id)
{
    if (id->sequence-- != 0)
        return true;
    return id->ms-- != 0;
}

/* Up to 64 bits; Redis reads a number without sign as strtoull() does, but for spaces. */
static bool
read_half(struct span text, uint64_t *number)
{
    uint64_t sum = 0;
    if (text.size == 0)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || __builtin_mul_overflow(sum, 10, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(text.data[i] - '0'), &sum))
            return false;
    }
    *number = sum;
    return true;
}

bool
store_id_read(struct span text, uint64_t missing, struct store_id *id, bool *seq_given)
{
    struct span rest = text;
    struct span ms = span_split(&rest, '-');
    if (text.size > 127 || !read_half(ms, &id->ms))
        return false;
    if (seq_given != NULL)
        *seq_given = true;
    if (rest.data == NULL) {
        id->sequence = missing;
        return true;
    }
    if (seq_given != NULL && span_equal(rest, SPAN("*"))) {
        *seq_given = false;
        id->sequence = 0;
        return true;
    }
    return read_half(rest, &id->sequence);
}

void
store_stream_free(struct store_stream *stream)
{
    for (uint32_t i = stream->first; i < stream->used; i++)
        store_text_drop(stream->entries[i].fields);
    free(stream->entries);
    *stream = (struct store_stream){0};
}

struct store_stream
store_stream_copy(const struct store_stream *stream)
{
    struct store_stream copy = {.capacity = stream->count, .last = stream->last};
    copy.entries = store_grown(NULL, (stream->count + 1) * sizeof(*copy.entries));
    for (uint32_t i = stream->first; i < stream->used; i++) {
        if (stream->entries[i].fields == NULL)
            continue;
        copy.entries[copy.used++] = stream->entries[i];
        store_text_hold(stream->entries[i].fields);
    }
    copy.count = copy.used;
    check(copy.count == stream->count);
    return copy;
}

/* Closes the gaps, if they are half of it. */
static void
close_gaps(struct store_stream *stream)
{
    uint32_t kept = 0;
    if (stream->used < 2 * stream->count)
        return;
    for (uint32_t i = stream->first; i < stream->used; i++)
        if (stream->entries[i].fields != NULL)
            stream->entries[kept++] = stream->entries[i];
    stream->first = 0;
    stream->used = kept;
}

void
store_stream_add(struct store_stream *stream, struct store_id id, struct store_text *fields)
{
    check(store_id_compare(id, stream->last) > 0);
    if (stream->used == stream->capacity)
        close_gaps(stream);
    STORE_GROW(stream->entries, stream->used, stream->capacity);
    stream->entries[stream->used++] = (struct store_stream_entry){.id = id, .fields = fields};
    stream->count++;
    stream->last = id;
}

/* The place of the first entry or gap with at least this id. */
static uint32_t
place_of(const struct store_stream *stream, struct store_id id)
{
    uint32_t low = stream->first;
    uint32_t high = stream->used;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (store_id_compare(stream->entries[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void
delete_at(struct store_stream *stream, uint32_t place)
{
    store_text_drop(stream->entries[place].fields);
    stream->entries[place].fields = NULL;
    stream->count--;
    while (stream->first < stream->used && stream->entries[stream->first].fields == NULL)
        stream->first++;
}

bool
store_stream_delete(struct store_stream *stream, struct store_id id)
{
    uint32_t place = place_of(stream, id);
    if (place == stream->used || stream->entries[place].fields == NULL ||
        store_id_compare(stream->entries[place].id, id) != 0)
        return false;
    delete_at(stream, place);
    return true;
}

uint32_t
store_stream_trim_before(struct store_stream *stream, struct store_id id)
{
    uint32_t before = stream->count;
    while (stream->count > 0 && store_id_compare(stream->entries[stream->first].id, id) < 0)
        delete_at(stream, stream->first);
    return before - stream->count;
}

uint32_t
store_stream_trim_to(struct store_stream *stream, uint64_t keep)
{
    uint32_t before = stream->count;
    while (stream->count > keep)
        delete_at(stream, stream->first);
    return before - stream->count;
}

static const struct store_stream_entry *
skip_gaps(const struct store_stream *stream, uint32_t place)
{
    while (place < stream->used && stream->entries[place].fields == NULL)
        place++;
    return place < stream->used ? &stream->entries[place] : NULL;
}

/* Backwards, from the entry before `place`. */
static const struct store_stream_entry *
skip_gaps_back(const struct store_stream *stream, uint32_t place)
{
    while (place > stream->first && stream->entries[place - 1].fields == NULL)
        place--;
    return place > stream->first ? &stream->entries[place - 1] : NULL;
}

const struct store_stream_entry *
store_stream_from(const struct store_stream *stream, struct store_id id)
{
    return skip_gaps(stream, place_of(stream, id));
}

const struct store_stream_entry *
store_stream_until(const struct store_stream *stream, struct store_id id)
{
    uint32_t place = place_of(stream, id);
    if (place < stream->used && store_id_compare(stream->entries[place].id, id) == 0)
        place++;
    return skip_gaps_back(stream, place);
}

const struct store_stream_entry *
store_stream_next(const struct store_stream *stream, const struct store_stream_entry *entry)
{
    return skip_gaps(stream, (uint32_t)(entry - stream->entries) + 1);
}

const struct store_stream_entry *
store_stream_previous(const struct store_stream *stream, const struct store_stream_entry *entry)
{
    return skip_gaps_back(stream, (uint32_t)(entry - stream->entries));
}

static bool
is_inside(const struct store_stream_entry *entry, const struct store_stream_range *range)
{
    return entry != NULL && store_id_compare(entry->id, range->first) >= 0 &&
           store_id_compare(entry->id, range->last) <= 0;
}

static const struct store_stream_entry *
step(const struct store_stream *stream, const struct store_stream_entry *entry, bool backwards)
{
    return backwards ? store_stream_previous(stream, entry) : store_stream_next(stream, entry);
}

void
store_stream_tell(const struct store_stream *stream, const struct store_stream_range *range,
                  struct store_bytes *reply)
{
    const struct store_stream_entry *begin = range->backwards
                                                 ? store_stream_until(stream, range->last)
                                                 : store_stream_from(stream, range->first);
    uint64_t count = 0;
    for (const struct store_stream_entry *entry = begin;
         count < range->at_most && is_inside(entry, range);
         entry = step(stream, entry, range->backwards))
        count++;
    store_reply_array(reply, count);
    for (const struct store_stream_entry *entry = begin; count > 0; count--) {
        char text[48];
        int size =
            snprintf(text, sizeof(text), "%" PRIu64 "-%" PRIu64, entry->id.ms, entry->id.sequence);
        store_reply_array(reply, 2);
        store_reply_text(reply, (struct span){.data = text, .size = (size_t)size});
        store_bytes_put(reply, entry->fields->data, entry->fields->size);
        entry = step(stream, entry, range->backwards);
    }
}
