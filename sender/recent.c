#include "sender/recent.h"

#include "sender/base/check.h"
#include "sender/cost/quote.h"

#include <stdlib.h>
#include <string.h>

static_assert(sizeof(struct recent_record) + 3 * ((GRANT_MEMBERS_MAX + 63) / 64) * 8 + 64 +
                      GRANT_MEMBERS_MAX * (DAY_SIZE + QUOTE_CELL_MAX + 32 /* c, CUR, price */) +
                      GRANT_MEMBERS_MAX *
                          (QUEUE_MEMBER_MAX + QUEUE_ID_MAX + 24 /* two numbers */) <=
                  RECENT_RECORD_MAX,
              "a grant's record fits, whatever its producers write");

struct recent {
    char *data;
    size_t capacity;
    size_t tail; /* where the oldest record stands */
    size_t head; /* where the next one goes */
    size_t end;  /* where the older ones end, while the head is in front of them; else 0 */
    uint32_t count;
    uint64_t cut_us; /* when the youngest that was forgotten too early had changed; 0: none was */
    char *spare;     /* one record, while it moves */
};

/* ---- one record ------------------------------------------------------------------------------ */

static uint32_t
words_of(uint32_t member_count)
{
    return (member_count + 63) / 64;
}

static uint64_t *
accepted_of(struct recent_record *record)
{
    return record->words;
}

static uint64_t *
uncertain_of(struct recent_record *record)
{
    return record->words + words_of(record->member_count);
}

static uint64_t *
open_of(struct recent_record *record)
{
    return record->words + 2 * (size_t)words_of(record->member_count);
}

static size_t
size_without_text(uint32_t member_count)
{
    return sizeof(struct recent_record) + 3 * words_of(member_count) * sizeof(uint64_t);
}

static char *
text_of(struct recent_record *record)
{
    return (char *)record + size_without_text(record->member_count);
}

static bool
has_bit(const uint64_t *words, uint32_t index)
{
    return (words[index / 64] >> index % 64 & 1) != 0;
}

static void
set_bit(uint64_t *words, uint32_t index)
{
    words[index / 64] |= (uint64_t)1 << index % 64;
}

/* Nobody needs to point to it any more. */
static void
let_go(struct recent_record *record)
{
    if (record->owner != NULL)
        *record->owner = NULL;
    record->owner = NULL;
}

static bool
is_settled(const struct recent_record *record)
{
    return record->undone || (!record->asked && record->open_count == 0);
}

bool
recent_matters(const struct recent_record *record, uint64_t as_of_us)
{
    if (record->undone)
        return false;
    return !is_settled(record) || record->changed_us + RECENT_KEEP_US > as_of_us;
}

/* ---- the ring -------------------------------------------------------------------------------- */

struct recent *
recent_new(size_t size)
{
    struct recent *recent = check_alloc(1, sizeof(*recent));
    check(size >= 2 * RECENT_RECORD_MAX && size % sizeof(uint64_t) == 0);
    recent->data = check_alloc(1, size);
    recent->spare = check_alloc(1, RECENT_RECORD_MAX);
    recent->capacity = size;
    return recent;
}

void
recent_free(struct recent *recent)
{
    if (recent == NULL)
        return;
    free(recent->data);
    free(recent->spare);
    free(recent);
}

/* Is there room for `size` bytes in one piece? The head may go to the front for it. */
static bool
find_room(struct recent *recent, size_t size)
{
    if (recent->count == 0)
        recent->head = recent->tail = recent->end = 0;
    if (recent->end != 0)
        return recent->tail - recent->head >= size;
    if (recent->capacity - recent->head >= size)
        return true;
    if (recent->tail < size)
        return false;
    recent->end = recent->head;
    recent->head = 0;
    return true;
}

static struct recent_record *
record_at(const struct recent *recent, size_t place)
{
    return (struct recent_record *)(void *)(recent->data + place);
}

static void
drop_oldest(struct recent *recent)
{
    struct recent_record *record = record_at(recent, recent->tail);
    check(recent->count > 0);
    recent->tail += record->size;
    recent->count--;
    if (recent->tail == recent->end)
        recent->tail = recent->end = 0;
}

/* What is open goes to the head, so that what is not comes out behind it. It always fits: its own
 * bytes are free now, in one piece with the gap or with the front. */
static void
move_oldest(struct recent *recent)
{
    const struct recent_record *record = record_at(recent, recent->tail);
    size_t size = record->size;
    check(size <= RECENT_RECORD_MAX);
    memcpy(recent->spare, record, size);
    drop_oldest(recent);
    check(find_room(recent, size));
    struct recent_record *moved = record_at(recent, recent->head);
    memcpy(moved, recent->spare, size);
    if (moved->owner != NULL)
        *moved->owner = moved;
    recent->head += size;
    recent->count++;
}

static void
forget_oldest(struct recent *recent, uint64_t now_us)
{
    struct recent_record *record = record_at(recent, recent->tail);
    if (recent_matters(record, now_us) && record->changed_us > recent->cut_us)
        recent->cut_us = record->changed_us;
    let_go(record);
    drop_oldest(recent);
}

bool
recent_make_room(struct recent *recent, uint64_t now_us)
{
    while (recent->count > 0 && !recent_matters(record_at(recent, recent->tail), now_us))
        forget_oldest(recent, now_us);
    for (uint32_t looks = recent->count; !find_room(recent, RECENT_RECORD_MAX); looks--) {
        if (looks == 0)
            return false;
        if (is_settled(record_at(recent, recent->tail)))
            forget_oldest(recent, now_us);
        else
            move_oldest(recent);
    }
    return true;
}

uint64_t
recent_covers_us(const struct recent *recent, uint64_t as_of_us)
{
    if (recent->cut_us == 0 || recent->cut_us + RECENT_KEEP_US <= as_of_us)
        return RECENT_KEEP_US;
    return recent->cut_us < as_of_us ? as_of_us - recent->cut_us : 0;
}

struct recent_record *
recent_next(struct recent *recent, struct recent_record *record)
{
    size_t place = recent->tail;
    if (recent->count == 0)
        return NULL;
    if (record != NULL) {
        place = (size_t)((char *)record - recent->data) + record->size;
        if (recent->end != 0 && place == recent->end)
            place = 0;
        if (place == recent->head)
            return NULL;
    }
    return record_at(recent, place);
}

/* ---- a grant's life -------------------------------------------------------------------------- */

static void
write_text(struct recent_record *record, const struct grant_request *request, struct span marks,
           size_t room)
{
    struct buffer text;
    buffer_init(&text, text_of(record), room);
    grant_record_put(&text, request, marks);
    check(!text.overflow);
    record->record_size = (uint32_t)text.size;
}

void
recent_ask(struct recent *recent, uint32_t account, const struct grant_request *request,
           struct recent_record **owner)
{
    char marks[GRANT_MEMBERS_MAX];
    uint32_t count = request->member_count;
    check(count > 0 && count <= GRANT_MEMBERS_MAX && request->grant.size <= QUEUE_GRANT_MAX);
    check(find_room(recent, RECENT_RECORD_MAX));
    struct recent_record *record = record_at(recent, recent->head);
    memset(record, 0, size_without_text(count));
    record->account = account;
    record->member_count = count;
    record->asked = true;
    record->owner = owner;
    record->name_size = (uint32_t)request->grant.size;
    memcpy(record->name, request->grant.data, request->grant.size);
    memset(marks, 'g', count);
    write_text(record, request, (struct span){marks, count},
               RECENT_RECORD_MAX - size_without_text(count));
    size_t size = size_without_text(count) + record->record_size;
    record->size = (uint32_t)((size + sizeof(uint64_t) - 1) / sizeof(uint64_t) * sizeof(uint64_t));
    recent->head += record->size;
    recent->count++;
    *owner = record;
}

void
recent_granted(struct recent_record *record, const struct grant_request *request, struct span marks,
               uint64_t now_us)
{
    uint32_t granted = 0;
    check(record->asked && marks.size == record->member_count);
    for (size_t i = 0; i < marks.size; i++)
        granted += marks.data[i] == 'g' ? 1 : 0;
    record->asked = false;
    record->changed_us = now_us;
    if (granted == 0) {
        recent_undo(record);
        return;
    }
    if (granted < marks.size) { /* fewer words, fewer lines: it fits where the longer one stood */
        record->member_count = granted;
        write_text(record, request, marks, record->size - size_without_text(granted));
        memset(record->words, 0, 3 * words_of(granted) * sizeof(uint64_t));
    }
    for (uint32_t i = 0; i < granted; i++)
        set_bit(open_of(record), i);
    record->open_count = granted;
}

void
recent_undo(struct recent_record *record)
{
    record->asked = false;
    record->undone = true;
    let_go(record);
}

void
recent_doubt(struct recent_record *record, uint64_t now_us)
{
    check(record->asked);
    record->asked = false;
    record->changed_us = now_us;
    let_go(record);
}

void
recent_settle(struct recent_record *record, uint32_t index, enum recent_end end, uint64_t now_us)
{
    check(index < record->member_count && has_bit(open_of(record), index));
    open_of(record)[index / 64] &= ~((uint64_t)1 << index % 64);
    if (end == RECENT_ACCEPTED)
        set_bit(accepted_of(record), index);
    else if (end == RECENT_UNCERTAIN)
        set_bit(uncertain_of(record), index);
    record->changed_us = now_us;
    check(record->open_count > 0);
    if (--record->open_count == 0)
        let_go(record);
}

struct declare_grant
recent_as_grant(struct recent_record *record)
{
    return (struct declare_grant){
        .name = {record->name, record->name_size},
        .record = {text_of(record), record->record_size},
        .accepted = accepted_of(record),
        .uncertain = uncertain_of(record),
        .open = open_of(record),
        .member_count = record->member_count,
    };
}
