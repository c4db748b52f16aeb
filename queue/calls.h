/*
 * calls - the function library's calls, written and read: claim, grant, settle and the rest.
 *
 * The shapes are those of queue/README.md, "Functions". Each writer puts one FCALL into a session
 * and gives the reply to the caller's callback, who reads it with the reader beside it.
 * A writer returns false when the session has no room: nothing was written. Arguments are only
 * read during the call. Nothing is allocated.
 *
 * A reader takes whatever Redis sent, NULL (connection lost) and error replies too, and returns
 * false when the shape is not as agreed. What it gives borrows from the reply.
 */
#ifndef FACTEUR_QUEUE_CALLS_H
#define FACTEUR_QUEUE_CALLS_H

#include "queue/keys.h"
#include "queue/session.h"

extern const char library_version[]; /* "1.2.0": of library.lua, made by the build */
extern const char library_text[];    /* the whole of library.lua, NUL-terminated */
extern const size_t library_size;

enum {
    /* The library refuses more: a call must not hold Redis up for long. */
    CALLS_GRANT_MEMBERS_MAX = 4096,   /* of one grant */
    CALLS_SETTLE_GROUPS_MAX = 4096,   /* of one settle */
    CALLS_SETTLE_CELLS_MAX = 800,     /* of all its groups */
    CALLS_RECEIPTS_MAX = 512,         /* of one call */
    CALLS_DECLARE_GRANTS_MAX = 512,   /* of one declare */
    CALLS_DECLARE_MEMBERS_MAX = 4096, /* of all its records */
    CALLS_TOKEN_MAX = 64,             /* bytes of a token's fingerprint */
};

enum source { SOURCE_QUEUE, SOURCE_URGENT, SOURCE_LATER, SOURCE_COUNT };
const char *source_text(enum source source); /* "queue", … */

struct call {
    struct session *session;
    const struct account_keys *keys;
    session_reply_f *on_reply;
    void *context;
};

/* ---- claim -------------------------------------------------------------------------------- */

struct claim_request {
    struct span holder;
    struct span claim;
    uint32_t members_max;
    uint32_t bytes_max;
};

struct claim_reply {
    bool fenced;
    bool paused;         /* an operator paused the account: ask again in a while */
    bool stopped;        /* call_stop() stopped it: likewise */
    bool declare;        /* this Redis does not know what the holder has: see call_declare() */
    bool wait;           /* another worker has not declared yet: ask again in a quarter second */
    uint64_t now_ms;     /* Redis' clock */
    int64_t next_due_ms; /* -1: nothing is waiting in later */
    struct span cursor_urgent;
    struct span cursor_queue;
    const struct reply *const *parts;
    size_t part_count;
};

struct claim_part {
    struct span claim;
    enum source source;
    const struct reply *entries; /* see claim_part_entry() */
    size_t entry_count;
    const struct reply *masks;
};

/* One entry of a part. */
struct claim_entry {
    struct span name;           /* ENTRY, or the member's name for SOURCE_LATER */
    const struct reply *fields; /* flat array of names and values; NULL: too large, or from later */
    struct span record;         /* of SOURCE_LATER: the waiting record */
    uint64_t mask;              /* members of a bulk entry that have left already */
    bool too_large;             /* the library did not give the fields: settle it as dead */
};

bool call_claim(const struct call *call, const struct claim_request *request);
bool claim_read(const struct reply *reply, struct claim_reply *claim); /* false: not as agreed */
bool claim_read_part(const struct claim_reply *claim, size_t index, struct claim_part *part);
bool claim_read_entry(const struct claim_part *part, size_t index, struct claim_entry *entry);
/*
 * The entry's fields as pairs. False: more than `capacity`; then `fields` holds the first ones and
 * `*count` is `capacity`. None when `entry->fields` is NULL.
 */
bool claim_entry_fields(const struct claim_entry *entry, struct field *fields, size_t capacity,
                        size_t *count);

/* A waiting record taken apart: attempt, and the fields into `fields` (memory from `arena`). */
struct waiting_record {
    uint32_t attempt;        /* attempts made so far that count */
    uint32_t throttles;      /* times in a row that the limit of its pair put it off */
    bool possible_duplicate; /* an earlier attempt may have reached the customer */
    bool is_member;          /* a bulk member: `line` is its JSON */
    struct field *fields;
    size_t field_count;
    struct span line; /* in the arena, may be changed in place */
};
/*
 * Values may be any bytes, as a producer wrote them. False: not as agreed, or the arena overflowed
 * (arena->overflow tells which); it needs the record's size, and 32 bytes a field.
 */
bool waiting_record_read(struct span record, struct arena *arena, struct waiting_record *waiting);

/* ---- grant -------------------------------------------------------------------------------- */

struct grant_cell {
    const char *day;      /* "2026-11-23": of the ledger */
    struct span cell;     /* account|country|market|category|template|rule */
    const char *currency; /* "USD" */
    uint64_t millionths;  /* price of one member */
};

struct grant_member {
    struct span name; /* ENTRY or ENTRY/n */
    uint32_t attempt; /* this attempt's number, from 1 */
    uint32_t cell;    /* index into cells */
    struct span id;   /* producer's id, or empty; no control characters (notification.h) */
    /* As it would be sent to, for the opt-outs: "+33612345678" or "FR.1349…"; forms of one person
     * with a comma between them. Without spaces. */
    struct span recipient;
};

struct grant_request {
    struct span holder;
    struct span grant;
    uint64_t at_ms;
    enum source source;
    const struct grant_cell *cells;
    uint32_t cell_count;
    const struct grant_member *members;
    uint32_t member_count; /* at most CALLS_GRANT_MEMBERS_MAX */
};

struct grant_reply {
    bool fenced;
    bool paused;  /* nothing was granted: an operator paused the account */
    bool stopped; /* nothing was granted: call_stop() stopped it */
    bool declare; /* nothing was granted, and what was may be forgotten: see call_declare() */
    bool wait;    /* nothing was granted: another worker has not declared yet */
    /* For each member, in order: granted, duplicate, opted out, or proven: an earlier attempt was
     * accepted after all. A proven one is settled by its claim as FREE, and the library tells its
     * outcome. */
    struct span marks;
    const struct reply *const *owners; /* one for each 'd', in order */
    size_t owner_count;
};

bool call_grant(const struct call *call, const struct grant_request *request);
bool grant_read(const struct reply *reply, uint32_t member_count, struct grant_reply *grant);

/*
 * The record that the library keeps of this grant when it gave these marks (one a member): only
 * what was granted stands in it, and is counted from 0 there. What a worker keeps to declare it
 * again. `buffer->overflow` when it does not fit; at most as many bytes as the call itself.
 */
void grant_record_put(struct buffer *buffer, const struct grant_request *request,
                      struct span marks);

/* ---- settle ------------------------------------------------------------------------------- */

enum settle_action {
    SETTLE_ACCEPT,
    SETTLE_DROP,
    SETTLE_FREE,
    SETTLE_DEAD,
    SETTLE_LATER,
    SETTLE_UNCERTAIN,
};

struct settle_cell {
    uint32_t cell; /* number in the grant record */
    uint32_t count;
    uint64_t millionths; /* of all of them */
};

struct settle_bulk {
    struct span entry;
    uint64_t mask;  /* of the members that leave now */
    uint32_t total; /* members in the entry */
};

struct settle_group {
    struct span token;  /* a grant, or a claim with `before_grant` */
    struct span type;   /* DEAD: the outcome's word */
    struct span reason; /* DEAD, LATER, UNCERTAIN */
    enum source source;
    enum settle_action action;
    uint64_t time_ms;   /* LATER: due; UNCERTAIN: until */
    uint32_t attempt;   /* LATER, UNCERTAIN, DEAD */
    uint32_t throttles; /* LATER: times in a row that the limit of its pair put it off, now too */
    bool before_grant;
    bool release_id; /* DEAD: nothing left, so the id may be used again */
    /* Places among the grant's granted members (duplicates do not count), not before_grant. */
    const uint32_t *indexes;
    const struct settle_cell *cells;
    const struct span *singles;
    const struct settle_bulk *bulks;
    const struct span *names;    /* SOURCE_LATER */
    const struct span *outcomes; /* JSON objects, without newline */
    const struct span *ids;
    uint32_t member_count; /* of indexes */
    uint32_t cell_count;
    uint32_t single_count;
    uint32_t bulk_count;
    uint32_t name_count;
    uint32_t outcome_count;
    uint32_t id_count;
};

struct settle_request {
    struct span holder;
    uint64_t events_keep;
    uint64_t dedupe_ttl_ms;
    const struct settle_group *groups;
    uint32_t group_count;
    const struct span *claims; /* finished: nothing of them is left as far as the caller knows */
    uint32_t claim_count;
};

bool call_settle(const struct call *call, const struct settle_request *request);
/* True if this is an answer for `group_count` groups, each `ok` or `already`. Ask this first: a
 * settle whose answer is of another shape may or may not have been done, and is repeated. */
bool settle_is_read(const struct reply *reply, uint32_t group_count);
/* True if group `index` was done. `*already` (may be NULL) gets the answer's bits as hex, or empty.
 */
bool settle_read(const struct reply *reply, uint32_t index, struct span *already);
/* True if bit `index` (a member's place in the grant) is set in hex bits as settle_read() gives. */
bool settle_bit(struct span bits, uint32_t index);
/* True if nothing was settled because the holder has to declare first: see call_declare(). */
bool settle_wants_declare(const struct reply *reply);

/* ---- declare ------------------------------------------------------------------------------ */

/*
 * A Redis that was started anew, or was a replica a moment ago, may have forgotten the last claims,
 * grants and settles. So the library knows, in the memory of that very process, who has told it
 * what may be on the wire; of whoever has not, claims, grants and settles are answered `declare`
 * and nothing is done. The others' claims are answered `wait` until all living have declared, for
 * ten seconds at most.
 *
 * A worker declares as soon as it is connected to another Redis (its run_id or role changed),
 * before it renews its beat, or when an answer says so:
 *
 * 1. It drops what is claimed and not granted, and asks no claim and no grant again whose reply was
 *    lost: what they took is given back by the first declare.
 * 2. For each account one or more call_declare(), which together name every grant it has and those
 *    that it settled a member of in the last ten seconds; one without grants if there are none. A
 *    grant whose reply was lost is named without any bit: then it is undone.
 * 3. call_declared(), on the same connection.
 *
 * All of it may be repeated. Of what is open each declare answers what is still the holder's: that
 * goes on, as member of source `later`, under the same grant and index, in claim `claim`. What is
 * not (it had its outcome, or is another's by now) is not settled any more: when its answer
 * comes, it is told as a receipt.
 */
struct declare_grant {
    struct span name;   /* HOLDER.NUMBER */
    struct span record; /* as grant_record_put() wrote it */
    /* Bit i % 64 of word i / 64 is member i of the record. NULL: none. No two share a bit; members
     * in none were settled otherwise, or never left: they are free. */
    const uint64_t *accepted;  /* settled as accepted: charged and gone, if that was forgotten */
    const uint64_t *uncertain; /* settled as uncertain: parked, if that was forgotten */
    /* Granted, and no settle of them was answered yet. Not what is to be settled as `later`: that
     * is not on the wire, and if it was settled, another may have been granted it since. */
    const uint64_t *open;
    uint32_t member_count; /* of the record, at most CALLS_GRANT_MEMBERS_MAX */
};

struct declare_request {
    struct span holder;
    struct span claim; /* HOLDER.NUMBER, a new one each call: holds what is open from now on */
    uint64_t uncertain_until_ms; /* of what is parked */
    uint64_t events_keep;
    uint64_t dedupe_ttl_ms;
    const struct declare_grant *grants;
    uint32_t grant_count; /* at most CALLS_DECLARE_GRANTS_MAX; their members in all likewise */
};

struct declare_reply {
    bool fenced; /* the holder was declared dead: take a new name */
    const struct reply *const *open;
};

bool call_declare(const struct call *call, const struct declare_request *request);
/* False: not as agreed; it may or may not have been done, and is repeated. */
bool declare_read(const struct reply *reply, uint32_t grant_count, struct declare_reply *declare);
/* Which members of grant `index` are the holder's and open: for settle_bit(). */
struct span declare_read_open(const struct declare_reply *declare, uint32_t index);

/* Everything is declared in all accounts of the business of `call->keys`. */
bool call_declared(const struct call *call, struct span holder);
bool declared_read(const struct reply *reply, bool *fenced);

/* ---- an account that must not send -------------------------------------------------------- */

struct stop_request {
    int64_t code;       /* Meta's error code, or the HTTP status; not negative */
    struct span reason; /* words for people: cut to 512 bytes, control characters become spaces */
    struct span token;  /* what tells one token from another and gives nothing of it away */
    uint64_t events_keep;
};

/* Stops the account for all workers, until an operator resumes it or another token comes. */
bool call_stop(const struct call *call, const struct stop_request *request);
/* `*first`: it was not stopped before, and an event says so now. */
bool stop_read(const struct reply *reply, bool *first);

/* Says under which token this worker sends: an account that was stopped under another starts. */
bool call_token(const struct call *call, struct span token);
enum token_answer {
    TOKEN_GOOD,    /* the account is not stopped */
    TOKEN_STARTED, /* it was, under another token: it sends again */
    TOKEN_STOPPED, /* it is, under this very token */
};
bool token_read(const struct reply *reply, enum token_answer *answer);

/* ---- receipts, and what waits for one ----------------------------------------------------- */

/*
 * What a webhook said of one attempt, or an answer whose settle came too late. All but the status
 * is from the attempt's callback data (callback.h), so it explains itself.
 */
struct receipt {
    bool accepted;      /* else it failed: Meta had taken it and could not deliver */
    struct span member; /* ENTRY or ENTRY/n */
    uint32_t attempt;   /* from 1 */
    struct span grant;
    uint32_t index; /* the member's place in the grant */
    struct span day;
    struct span cell;
    struct span currency;
    uint64_t millionths;
    struct span wamid;  /* or empty; of these three only what fits is written, and no control */
    struct span to;     /* as events have it, or empty                                        */
    struct span reason; /* words of a failure, or empty                                       */
};

/* What the library takes: one bad receipt would make it refuse all others of the call. */
bool receipt_is_good(const struct receipt *receipt);

/* All must be good; at most CALLS_RECEIPTS_MAX. A repeated receipt changes nothing. */
bool call_receipt(const struct call *call, uint64_t events_keep, uint64_t dedupe_ttl_ms,
                  const struct receipt *receipts, uint32_t count);
/* True if this is an answer for `count` receipts. Ask this first: a call whose answer is of another
 * shape may or may not have been done, and is repeated. */
bool receipts_are_read(const struct reply *reply, uint32_t count);
/* True if receipt `index` settled its attempt: `*place` (may be NULL) then says where the member
 * was (granted, claimed, waiting, later, uncertain, dead, gone). False: it was known before. */
bool receipt_read(const struct reply *reply, uint32_t index, struct span *place);

/* What becomes of a member whose receipt did not come in time. */
enum uncertain_policy {
    UNCERTAIN_PARK,   /* into dead, for an operator to decide */
    UNCERTAIN_DROP,   /* given up: outcome `dropped` */
    UNCERTAIN_RESEND, /* sent again, flagged as a possible duplicate */
};
const char *uncertain_policy_text(enum uncertain_policy policy); /* "park", … */

struct overdue_request {
    enum uncertain_policy policy;
    enum uncertain_policy codes_policy; /* of the category authentication */
    uint64_t events_keep;
    uint64_t dedupe_ttl_ms;
    uint32_t members_max; /* at most so many a call, from 1: ask again while it did as many */
};

struct overdue_reply {
    uint64_t parked;
    uint64_t dropped;
    uint64_t resent;
    int64_t next_until_ms; /* Redis' clock: when the next is over; -1: none is uncertain */
};

bool call_overdue(const struct call *call, const struct overdue_request *request);
bool overdue_read(const struct reply *reply, struct overdue_reply *overdue);

/* ---- the rest ----------------------------------------------------------------------------- */

/* `call->keys` says the business; its account does not matter. */
bool call_beat(const struct call *call, struct span holder, uint64_t beat, bool is_new);

struct beat_reply {
    bool fenced;
    uint64_t now_ms;             /* Redis' clock */
    const struct reply *workers; /* for beat_read_worker() */
    size_t worker_count;
};

struct beat_worker {
    struct span holder;
    uint64_t beat;
};

bool beat_read(const struct reply *reply, struct beat_reply *beat);
bool beat_read_worker(const struct beat_reply *beat, size_t index, struct beat_worker *worker);

/* Reply of fence and leave: the integer 1 or 0; of leave also ["declare"], see call_declare(). */
bool call_fence(const struct call *call, struct span holder, uint64_t beat);
/* `accounts` are all of the holder's accounts, of the business in `call->keys`. */
bool call_leave(const struct call *call, struct span holder, const struct account_keys *accounts,
                uint32_t account_count);
/* Reply: how many were given back. */
bool call_return(const struct call *call, struct span holder, const struct span *claims,
                 uint32_t count);

bool call_recover(const struct call *call, uint64_t uncertain_until_ms, uint64_t events_keep);
bool recover_read(const struct reply *reply, uint64_t *claims_returned, uint64_t *made_uncertain);

bool call_stats(const struct call *call);
/* The number beside `name` in the reply of stats. */
bool stats_read(const struct reply *reply, const char *name, int64_t *number);

/* The slow way in, that says at once what it thinks: validates, dedupes, schedules. */
struct enqueue_request {
    const char *stream; /* "queue" or "urgent" */
    const struct field *fields;
    uint32_t field_count;
};
bool call_enqueue(const struct call *call, const struct enqueue_request *request);

enum enqueue_answer {
    ENQUEUE_QUEUED,
    ENQUEUE_SCHEDULED, /* it waits in later until `due_ms` */
    ENQUEUE_DUPLICATE, /* its id is `entry`'s */
    ENQUEUE_FULL,      /* Redis has used `used` bytes, more than `limit`: try again later */
};
struct enqueue_reply {
    enum enqueue_answer answer;
    struct span entry;
    uint64_t due_ms;
    uint64_t used;
    uint64_t limit;
};
/* False: not as agreed, or an error reply whose text names the field. */
bool enqueue_read(const struct reply *reply, struct enqueue_reply *enqueue);

/* What stands in this Redis: a string like library_version, or an error (NO_FUNCTION). */
bool call_version(struct session *session, session_reply_f *on_reply, void *context);
/* FUNCTION LOAD REPLACE with library_text, which needs room for library_size and 64 bytes. */
bool call_load(struct session *session, session_reply_f *on_reply, void *context);

#endif
