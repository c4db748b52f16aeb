/*
 * delivery - one notification's walk through a worker, in its slot.
 *
 * States, in the order of the walk (delivery_steps.c tells the story):
 *
 *   free → reading → checking → rendering → screening → quoting → granting → sending → judging →
 *   settling → (telling →) free
 *
 * Any step before granting may go straight to settling (refused, expired, not yet due). Granting
 * goes to sending or, for a duplicate, to settling, and back to rendering or quoting when its
 * template, the rate cards or the day changed before it was asked for. Sending goes back to sending
 * when the exchange was provably not processed. Nothing else.
 */
#ifndef FACTEUR_SENDER_DELIVERY_H
#define FACTEUR_SENDER_DELIVERY_H

#include "queue/calls.h"
#include "queue/notification.h"
#include "sender/cost/quote.h"
#include "sender/editions.h"
#include "sender/graph/channel.h"
#include "sender/graph/verdict.h"
#include "sender/limits.h"
#include "templates/values.h"

enum { DELIVERY_MAGIC = 0x64656c69 };

enum delivery_state {
    DELIVERY_FREE,
    DELIVERY_READING,
    DELIVERY_CHECKING,
    DELIVERY_RENDERING,
    DELIVERY_SCREENING,
    DELIVERY_QUOTING,
    DELIVERY_GRANTING,
    DELIVERY_SENDING,
    DELIVERY_JUDGING,
    DELIVERY_SETTLING,
    DELIVERY_TELLING,
};

/* A claim's reply: its arena, and how many deliveries still read from it. */
struct batch {
    struct arena arena;
    uint32_t pins;
    struct batch *next; /* free list */
};

/* A claim of ours: it is finished when the last of its deliveries is settled. */
struct claim_hold {
    char name_text[QUEUE_GRANT_MAX];
    struct span name;
    struct account *account;
    enum source source;
    uint32_t deliveries; /* not settled yet */
    struct claim_hold *next;
};

struct recent_record;

/* A grant of ours: what may be on the wire under one name. */
struct grant_hold {
    char name_text[QUEUE_GRANT_MAX];
    struct span name;
    enum source source;
    uint32_t unsettled;
    uint64_t granted_us;          /* monotonic, before it was asked for */
    struct recent_record *recent; /* what is remembered of it, while something is open */
    struct delivery *settling[2]; /* while a settle is written: accepted, dropped */
    struct grant_hold *next;
};

/* Memory of an exchange under way. */
struct exchange_memory {
    char body[BODY_SIZE];
    char response[RESPONSE_SIZE];
    struct exchange_memory *next;
};

struct large_body {
    char body[LARGE_BODY_SIZE];
    struct large_body *next;
};

/* What is to be told of a delivery, and done with its member. */
struct outcome {
    enum settle_action action;
    const char *type;     /* the event's word, DESIGN 1.5; NULL: no event (back to later) */
    struct span reason;   /* words; in the slot's memory, static, or empty */
    struct span findings; /* JSON array, or empty */
    struct span wamid;
    uint64_t time_ms;   /* later: due; uncertain: until (Unix) */
    uint32_t attempts;  /* made and counting */
    uint32_t throttles; /* later: in a row, by its pair's limit */
    bool release_id;
};

struct delivery {
    uint32_t magic;
    enum delivery_state state;
    struct delivery *next; /* of the one list it is in */
    struct worker *worker;
    struct account *account;
    struct claim_hold *hold;
    struct batch *batch; /* pinned, or NULL: the slot's memory holds all */

    /* The member. */
    char name_text[QUEUE_MEMBER_MAX];
    struct span name;    /* ENTRY or ENTRY/n */
    uint32_t entry_size; /* name's first bytes: ENTRY */
    uint32_t member;     /* 1 …; 0: a single notification */
    uint32_t total;      /* members of its bulk entry */
    enum source source;
    uint32_t attempts;       /* made before this walk */
    uint32_t throttles;      /* in a row, by its pair's limit */
    bool possible_duplicate; /* an earlier attempt may have reached the customer */

    /* The entry as it came, until step_read. */
    const struct field *raw_fields;
    uint32_t raw_count;
    struct span raw_line;   /* of a bulk member */
    const char *unreadable; /* why it cannot be taken apart; NULL: it can */

    struct notification notification;
    uint64_t end_ms;  /* Unix: of no use to its customer from then on; from the check on */
    uint8_t refusals; /* in a row: exchanges of this grant that were not processed */
    struct phone phone;
    struct edition_use *edition; /* what `template` belongs to; from the render on */
    const struct template *template;
    struct values values;
    struct quote quote;

    struct grant_hold *grant;
    uint32_t index; /* its place in the grant */
    uint32_t cell;  /* its cell's number in the grant */
    bool disowned;  /* a declaration told: it is not ours any more */

    struct channel_exchange exchange;
    struct exchange_memory *exchange_memory; /* while under way */
    struct large_body *large_body;
    enum h2_end end;

    struct outcome outcome;
    struct arena arena; /* over `memory` */
    char memory[SLOT_MEMORY];
};

struct delivery_list {
    struct delivery *first;
    struct delivery *last;
    uint32_t count;
};

enum step_next {
    STEP_MORE, /* the state changed: go on */
    STEP_WAIT, /* it is in a list of the worker and will be resumed */
    STEP_DONE, /* settled: the slot may be given back */
};

/* Goes on from the delivery's state until it waits or is done. */
void delivery_run(struct delivery *delivery);

/* Granted, but it must not be sent any more: its time is over, or its grant is old or of a name
 * that was fenced. delivery_run() then ends it, or gives it back. */
bool delivery_is_stale(const struct delivery *delivery, uint64_t now_ms);

/* Of one that waits for a grant and is in no list: if the catalogue has another version of its
 * template by now, it is rendered anew; else it is quoted anew and waits on, last of its source. */
void delivery_grant_again(struct delivery *delivery);

/* If its time is over it is settled as expired: true. Of one that is in no list. */
bool delivery_expire(struct delivery *delivery, uint64_t now_ms);
const char *delivery_state_text(enum delivery_state state);

#endif
