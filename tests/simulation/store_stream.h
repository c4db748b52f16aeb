/*
 * store_stream - entries in the order of their ids: Redis' stream, without groups.
 *
 * An entry's fields are kept as the RESP array in which they are told.
 */
#ifndef FACTEUR_TESTS_SIMULATION_STORE_STREAM_H
#define FACTEUR_TESTS_SIMULATION_STORE_STREAM_H

#include "tests/simulation/store_bytes.h"

struct store_id {
    uint64_t ms;
    uint64_t sequence;
};

#define STORE_ID_MIN                                                                               \
    (struct store_id)                                                                              \
    {                                                                                              \
        0, 0                                                                                       \
    }
#define STORE_ID_MAX                                                                               \
    (struct store_id)                                                                              \
    {                                                                                              \
        UINT64_MAX, UINT64_MAX                                                                     \
    }

int store_id_compare(struct store_id a, struct store_id b);
bool store_id_next(struct store_id *id);     /* false: it was the last one there can be */
bool store_id_previous(struct store_id *id); /* false: it was the first one */
/* MS, MS-SEQUENCE, and with `seq_given` MS-*, as Redis takes them; no - and +. A missing sequence
 * becomes `missing`. False: malformed. */
bool store_id_read(struct span text, uint64_t missing, struct store_id *id, bool *seq_given);

struct store_stream_entry {
    struct store_id id;
    struct store_text *fields; /* held; NULL: was deleted */
};

struct store_stream {
    struct store_stream_entry *entries; /* owned, with gaps */
    uint32_t first;                     /* before it are only gaps */
    uint32_t used;                      /* entries, gaps included */
    uint32_t capacity;
    uint32_t count;       /* without gaps */
    struct store_id last; /* the highest id that was ever given */
};

void store_stream_free(struct store_stream *stream);
struct store_stream store_stream_copy(const struct store_stream *stream); /* shares the fields */
/* The id must be higher than `last`. Takes over the reference to the fields. */
void store_stream_add(struct store_stream *stream, struct store_id id, struct store_text *fields);
bool store_stream_delete(struct store_stream *stream, struct store_id id); /* false: not there */
/* Deletes what is lower than `id`, or all but the newest `keep`. How many were deleted. */
uint32_t store_stream_trim_before(struct store_stream *stream, struct store_id id);
uint32_t store_stream_trim_to(struct store_stream *stream, uint64_t keep);

/* The first entry with at least this id, or the last one with at most this id; NULL: none. Valid
 * until the stream changes, likewise what next and previous give. */
const struct store_stream_entry *store_stream_from(const struct store_stream *stream,
                                                   struct store_id id);
const struct store_stream_entry *store_stream_until(const struct store_stream *stream,
                                                    struct store_id id);
const struct store_stream_entry *store_stream_next(const struct store_stream *stream,
                                                   const struct store_stream_entry *entry);
const struct store_stream_entry *store_stream_previous(const struct store_stream *stream,
                                                       const struct store_stream_entry *entry);

struct store_stream_range {
    struct store_id first;
    struct store_id last;
    bool backwards;   /* from last to first */
    uint64_t at_most; /* entries */
};
/* [[ID, [field, value, …]], …] in RESP. */
void store_stream_tell(const struct store_stream *stream, const struct store_stream_range *range,
                       struct store_bytes *reply);

#endif
