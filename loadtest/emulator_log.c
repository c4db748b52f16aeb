#include "loadtest/emulator_log.h"

#include "sender/base/check.h"

#include <stdlib.h>
#include <string.h>

enum {
    CHUNK_SIZE = 1 << 21, /* bytes: one huge page, where the kernel gives those */
    CHUNKS_MAX = 1 << 16, /* 128 GiB: memory ends sooner */
    SLOTS_AT_START = 1 << 16,
};

struct record {
    uint64_t millionths;
    uint16_t callback_size;
    uint16_t to_size;
    uint16_t wa_id_size;
    uint16_t text_size;
    uint16_t country;
    uint16_t template;
    uint32_t size; /* of the record with its bytes, a multiple of 8 */
    char bytes[];  /* callback, to, wa_id, text */
};

/* Of the index. The hash is kept so that doubling need not read the log. */
struct slot {
    uint64_t hash;
    uint64_t place; /* chunk and offset, + 1; 0: free */
};

struct chunk {
    char *data;     /* owned */
    uint32_t size;  /* bytes used */
    uint64_t first; /* number of its first record */
};

struct emulator_log {
    struct chunk *chunks; /* owned, CHUNKS_MAX */
    uint32_t chunk_count;
    uint64_t count;
    struct slot *slots;  /* owned */
    uint64_t slot_count; /* a power of two */
    uint64_t slots_used;
};

struct span
emulator_log_member(struct span callback)
{
    struct span rest = callback;
    if (!span_starts(callback, SPAN("f1;")))
        return callback;
    (void)span_split(&rest, ';');
    const char *start = rest.data;
    (void)span_split(&rest, ';');
    struct span member = rest.data == NULL ? rest : span_split(&rest, ';');
    if (rest.data == NULL)
        return callback;
    return (struct span){.data = start, .size = (size_t)(member.data + member.size - start)};
}

struct emulator_log *
emulator_log_open(void)
{
    struct emulator_log *log = check_alloc(1, sizeof *log);
    log->chunks = check_alloc(CHUNKS_MAX, sizeof *log->chunks);
    log->slot_count = SLOTS_AT_START;
    log->slots = check_alloc(log->slot_count, sizeof *log->slots);
    return log;
}

static void
release(struct emulator_log *log)
{
    for (uint32_t i = 0; i < log->chunk_count; i++)
        free(log->chunks[i].data);
    free(log->chunks);
    free(log->slots);
}

void
emulator_log_close(struct emulator_log *log)
{
    if (log == NULL)
        return;
    release(log);
    free(log);
}

void
emulator_log_reset(struct emulator_log *log)
{
    struct emulator_log *fresh = emulator_log_open();
    release(log);
    *log = *fresh;
    free(fresh);
}

static const struct record *
record_at(const struct emulator_log *log, uint32_t chunk, uint32_t offset)
{
    check(chunk < log->chunk_count && offset < log->chunks[chunk].size);
    return (const struct record *)(const void *)(log->chunks[chunk].data + offset);
}

static struct record *
take_record(struct emulator_log *log, size_t size, uint64_t *place)
{
    check(size <= CHUNK_SIZE);
    if (log->chunk_count == 0 || CHUNK_SIZE - log->chunks[log->chunk_count - 1].size < size) {
        check(log->chunk_count < CHUNKS_MAX);
        struct chunk *chunk = &log->chunks[log->chunk_count++];
        *chunk = (struct chunk){.data = aligned_alloc(CHUNK_SIZE, CHUNK_SIZE), .first = log->count};
        check(chunk->data != NULL);
    }
    struct chunk *chunk = &log->chunks[log->chunk_count - 1];
    *place = (uint64_t)(log->chunk_count - 1) * CHUNK_SIZE + chunk->size + 1;
    struct record *record = (struct record *)(void *)(chunk->data + chunk->size);
    chunk->size += (uint32_t)size;
    return record;
}

/* At most `size_max` bytes, ending with a whole character. */
static struct span
cut(struct span span, size_t size_max)
{
    if (span.size <= size_max)
        return span;
    span.size = size_max;
    while (span.size > 0 && ((unsigned char)span.data[span.size] & 0xc0) == 0x80)
        span.size--;
    return span;
}

static char *
put(char *at, struct span span)
{
    if (span.size > 0)
        memcpy(at, span.data, span.size);
    return at + span.size;
}

static uint64_t
append_record(struct emulator_log *log, const struct emulator_accepted *accepted)
{
    struct span to = cut(accepted->to, EMULATOR_LOG_TO_MAX);
    struct span wa_id = cut(accepted->wa_id, EMULATOR_LOG_TO_MAX);
    struct span text = cut(accepted->text, EMULATOR_LOG_TEXT_MAX);
    size_t size =
        sizeof(struct record) + accepted->callback.size + to.size + wa_id.size + text.size;
    uint64_t place;
    size = (size + 7) & ~(size_t)7;
    struct record *record = take_record(log, size, &place);
    *record = (struct record){.millionths = accepted->millionths,
                              .callback_size = (uint16_t)accepted->callback.size,
                              .to_size = (uint16_t)to.size,
                              .wa_id_size = (uint16_t)wa_id.size,
                              .text_size = (uint16_t)text.size,
                              .country = accepted->country,
                              .template = accepted->template,
                              .size = (uint32_t)size};
    char *at = put(record->bytes, accepted->callback);
    at = put(at, to);
    at = put(at, wa_id);
    put(at, text);
    return place;
}

static struct span
member_at(const struct emulator_log *log, uint64_t place)
{
    const struct record *record =
        record_at(log, (uint32_t)((place - 1) / CHUNK_SIZE), (uint32_t)((place - 1) % CHUNK_SIZE));
    return emulator_log_member((struct span){record->bytes, record->callback_size});
}

/* The slot of this member, or the free one where it would go. */
static struct slot *
slot_of(const struct emulator_log *log, uint64_t hash, struct span member)
{
    uint64_t mask = log->slot_count - 1;
    for (uint64_t i = hash & mask;; i = (i + 1) & mask) {
        struct slot *slot = &log->slots[i];
        if (slot->place == 0 ||
            (slot->hash == hash && span_equal(member_at(log, slot->place), member)))
            return slot;
    }
}

static void
double_slots(struct emulator_log *log)
{
    struct slot *old = log->slots;
    uint64_t old_count = log->slot_count, mask = old_count * 2 - 1;
    log->slot_count = old_count * 2;
    log->slots = check_alloc(log->slot_count, sizeof *log->slots);
    for (uint64_t i = 0; i < old_count; i++) {
        if (old[i].place == 0)
            continue;
        uint64_t to = old[i].hash & mask;
        while (log->slots[to].place != 0)
            to = (to + 1) & mask;
        log->slots[to] = old[i];
    }
    free(old);
}

/* FNV's low bits are good, but a last mixing costs little and the index is large. */
static uint64_t
hash_of(struct span member)
{
    uint64_t hash = span_hash(member);
    return (hash ^ hash >> 32) * 0x9e3779b97f4a7c15u;
}

bool
emulator_log_append(struct emulator_log *log, struct emulator_accepted *accepted)
{
    check(accepted->callback.size <= 512);
    accepted->number = log->count;
    uint64_t place = append_record(log, accepted);
    log->count++;
    struct span member = emulator_log_member(accepted->callback);
    if (member.size == 0)
        return false; /* without callback data nobody can tell */
    uint64_t hash = hash_of(member);
    struct slot *slot = slot_of(log, hash, member);
    if (slot->place != 0)
        return true;
    *slot = (struct slot){.hash = hash, .place = place};
    if (++log->slots_used * 2 > log->slot_count)
        double_slots(log);
    return false;
}

uint64_t
emulator_log_count(const struct emulator_log *log)
{
    return log->count;
}

void
emulator_log_seek(const struct emulator_log *log, uint64_t number,
                  struct emulator_log_reader *reader)
{
    uint32_t low = 0, high = log->chunk_count;
    struct emulator_accepted skipped;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (log->chunks[middle].first <= number)
            low = middle;
        else
            high = middle;
    }
    *reader = (struct emulator_log_reader){
        .log = log, .chunk = low, .number = log->chunk_count == 0 ? 0 : log->chunks[low].first};
    while (reader->number < number && emulator_log_read(reader, &skipped))
        ;
}

bool
emulator_log_read(struct emulator_log_reader *reader, struct emulator_accepted *accepted)
{
    const struct emulator_log *log = reader->log;
    if (reader->number >= log->count)
        return false;
    if (reader->offset == log->chunks[reader->chunk].size) {
        reader->chunk++;
        reader->offset = 0;
    }
    const struct record *record = record_at(log, reader->chunk, reader->offset);
    const char *at = record->bytes;
    *accepted = (struct emulator_accepted){.number = reader->number++,
                                           .country = record->country,
                                           .template = record->template,
                                           .millionths = record->millionths};
    accepted->callback = (struct span){at, record->callback_size};
    accepted->to = (struct span){at += record->callback_size, record->to_size};
    accepted->wa_id = (struct span){at += record->to_size, record->wa_id_size};
    accepted->text = (struct span){at + record->wa_id_size, record->text_size};
    reader->offset += record->size;
    return true;
}
