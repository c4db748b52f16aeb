/*
 * recent - what a worker granted, or had accepted, in the last ten seconds: its own memory of it.
 *
 * A Redis that was started anew with `everysec`, or was a replica a moment ago, may have forgotten
 * the last grants and settles. What a worker keeps here it declares again (declaration.h) before
 * anybody claims: the grants' records as the library wrote them, with who of their members was
 * accepted, became uncertain, or is still open.
 *
 * A ring of bytes, taken at start. What is open stays in it however old it is; what is not is kept
 * for RECENT_KEEP_US, or less when the ring is full: recent_covers_us() tells. Time is an argument.
 */
#ifndef FACTEUR_SENDER_RECENT_H
#define FACTEUR_SENDER_RECENT_H

#include "queue/calls.h"
#include "sender/limits.h"

enum { RECENT_KEEP_US = 10 * 1000 * 1000 };

/* One grant. It may move while it is open: its owner's pointer moves along. */
struct recent_record {
    uint32_t size; /* bytes in the ring, all in all */
    uint32_t account;
    uint32_t member_count; /* of the record */
    uint32_t record_size;
    uint32_t open_count;
    uint32_t chunk_index;         /* for its user: where it stands in a call being written */
    bool asked;                   /* its reply has not come */
    bool undone;                  /* it was never made */
    uint64_t changed_us;          /* granted, or a member settled */
    struct recent_record **owner; /* NULL: nobody points here any more */
    uint32_t name_size;
    char name[QUEUE_GRANT_MAX];
    uint64_t words[]; /* accepted, uncertain, open; then the record's text */
};

struct recent;

struct recent *recent_new(size_t size);
void recent_free(struct recent *recent); /* NULL is allowed */

/*
 * Makes room for one more grant of any size, by forgetting what is settled, oldest first. False:
 * everything in it is open; then nothing may be granted until something is settled.
 */
bool recent_make_room(struct recent *recent, uint64_t now_us);

/* A grant is about to be asked for; recent_make_room() said yes. `*owner` points to it until the
 * last of it is settled or it is undone. */
void recent_ask(struct recent *recent, uint32_t account, const struct grant_request *request,
                struct recent_record **owner);

/* It was granted with these marks: what was granted is open. `request` is the one of before. */
void recent_granted(struct recent_record *record, const struct grant_request *request,
                    struct span marks, uint64_t now_us);
/* Redis refused it: there is no such grant. */
void recent_undo(struct recent_record *record);
/* Whether it was made will not be known: nothing of it left. */
void recent_doubt(struct recent_record *record, uint64_t now_us);

enum recent_end { RECENT_ACCEPTED, RECENT_UNCERTAIN, RECENT_OTHER };
/* Member `index` of the grant was settled, or is not ours any more (OTHER). */
void recent_settle(struct recent_record *record, uint32_t index, enum recent_end end,
                   uint64_t now_us);

/* ---- reading it ------------------------------------------------------------------------------ */

/* The oldest record, then the one after it, then NULL. Good until the next recent_make_room(). */
struct recent_record *recent_next(struct recent *recent, struct recent_record *record);
/* Is it to be declared to a Redis that was last there at `as_of_us`? Not if it never was, or all of
 * it was settled long before. */
bool recent_matters(const struct recent_record *record, uint64_t as_of_us);
/* As call_declare() takes it; borrowed. */
struct declare_grant recent_as_grant(struct recent_record *record);
/* How far back from then it reaches at most: RECENT_KEEP_US, or less since it was full. */
uint64_t recent_covers_us(const struct recent *recent, uint64_t as_of_us);

#endif
