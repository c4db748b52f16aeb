/*
 * worker - one thread: its loop, its Redis links, its channel, its pools. Nothing is shared.
 *
 * A turn: the loop waits, completions run (replies, answers), and at the end of the turn the
 * worker writes what they made ready: grants, requests, settles, claims, in one write a link.
 */
#ifndef FACTEUR_SENDER_WORKER_H
#define FACTEUR_SENDER_WORKER_H

#include "sender/delivery.h"
#include "sender/declaration.h"
#include "sender/receipts.h"
#include "sender/recent.h"
#include "sender/redis_info.h"
#include "sender/redis_library.h"
#include "sender/rules/allowance.h"
#include "sender/rules/beat.h"
#include "sender/rules/floor.h"
#include "sender/rules/pairs.h"
#include "sender/rules/share.h"
#include "sender/sender.h"
#include "sender/trouble.h"

enum { WORKER_MAGIC = 0x776f726b };

enum pause_cause {
    PAUSE_THROTTLED,   /* Meta has too much of it */
    PAUSE_BY_OPERATOR, /* facteur queue pause */
    PAUSE_STOPPED,     /* Meta takes nothing of it until it is mended: stop.h */
};

/* What a worker knows of an account that must not send: stop.h. */
struct account_stop {
    bool noticed;       /* it is stopped, as far as this worker knows */
    bool token_refused; /* Meta refused the token that this worker has */
    bool wanted;        /* Redis is to be told: in the worker's list */
    bool telling;       /* that call waits for its reply */
    bool asking;        /* so does the one that offers our token */
    uint32_t in_row;    /* Meta's stops since it accepted something */
    int32_t code;       /* of the last one */
    uint32_t words_size;
    char words[160];      /* why: Meta's, or ours */
    struct account *next; /* of the list */
};

struct account {
    const struct account_settings *settings;
    struct worker *worker;
    struct delivery_list ready[SOURCE_COUNT]; /* quoted, waiting for a grant */
    struct delivery_list sending;             /* granted, waiting for the channel */
    struct delivery_list settling;            /* with an outcome, waiting for a settle */
    struct claim_hold *finished;              /* claims without deliveries, to be closed */
    uint32_t ready_count;
    uint32_t granted;   /* of it, being granted or granted, and not settled */
    struct floor floor; /* what its sources are owed */
    struct share_turn claim_turn, grant_turn, send_turn, settle_turn; /* turns.h */
    struct timer wake;            /* of the first time it waits for: turns_wait() */
    uint64_t catalogue_serial;    /* of the feed, when what is ready was last looked through */
    uint64_t rates_serial;        /* likewise */
    char ready_day[DAY_SIZE + 1]; /* likewise: the account's day then */
    bool claiming;                /* a claim waits for its reply */
    uint32_t claim_holder;        /* which of the worker's names asked it */
    uint64_t asked_us;            /* when the last claim was asked */
    uint64_t looked_us;           /* when it was last looked at without having rung */
    bool claim_sent;              /* false: its reply was lost, to be asked again */
    bool claim_in_doubt;          /* a reply to it was lost: it may have been done */
    bool has_more;                /* Redis may hold something for us: turns_want_claim() */
    bool wanted_again;            /* ... which the claim under way may have come too early for */
    bool settling_now;            /* a settle waits for its reply */
    uint64_t claim_number;        /* of the claim that waits */
    uint32_t slots_reserved;      /* for it */
    uint64_t due_us;            /* when something in later comes due, monotonic; 0: nothing known */
    uint64_t paused_until_us;   /* throttled or stopped: no claims before */
    enum pause_cause paused_by; /* the last pause's */
    struct account_stop stop;
    uint64_t overdue_us; /* when to look at its uncertain members: overdue.h */
    bool overdue_asking; /* that call waits for its reply */
    bool overdue_rung;   /* the bell rang meanwhile */
    struct pace_bucket pace;
    struct allowance allowance;       /* of what is granted, after a throttle */
    uint32_t throttles;               /* in a row */
    uint64_t ask_after_us;            /* Redis refused a claim or a grant: none before */
    uint64_t settle_after_us;         /* Redis refused a settle: not before */
    bool recover_wanted;              /* somebody died: until a recover finds nothing more */
    bool recovering;                  /* it waits for its reply */
    bool settle_refused;              /* the last one was: nothing new until one is taken */
    bool left_out;                    /* its declaration was refused: it waits for the next */
    struct trouble_said said;         /* of what Redis refuses for it */
    uint32_t settle_most;             /* outcomes of the next settle: halved by a refusal */
    char cursor[2][QUEUE_MEMBER_MAX]; /* of urgent and queue, as the last claim saw them */
};

/* A worker of this business seen by its beats: dead when its beat stands still for a lease. */
struct other_worker {
    char holder[QUEUE_HOLDER_SIZE + 1];
    struct beat_watch watch;
    bool seen; /* in the reply being read */
};

enum { OTHERS_MAX = 256 };

struct business {
    struct worker *worker;
    uint32_t account; /* index of one of its accounts: for the keys */
    uint64_t beat;
    uint64_t asked_us;     /* when the beat under way was asked for; 0: none is */
    uint64_t confirmed_us; /* before which asking the last confirmed beat was: the lease's start */
    uint32_t beats_stale;  /* replies still to come for a name that was fenced since */
    bool is_new;           /* the holder has not been announced yet */
    char bell[QUEUE_MEMBER_MAX]; /* the last of B:bell that was heard; "": from its start */
    bool bell_reading;           /* the rest of it is being read */
    struct other_worker others[OTHERS_MAX];
    uint32_t other_count;
};

struct grant_call {
    struct worker *worker;
    struct account *account;
    struct grant_hold *grant;
    struct delivery *deliveries[GRANT_MEMBERS_MAX];
    uint32_t count;
    uint32_t holder; /* which of the worker's names asked it */
    bool sent;       /* false: lost with the connection, to be written again */
    bool in_doubt;   /* a reply to it was lost: it may have been done */
    bool used;
};

struct settle_call {
    struct worker *worker;
    struct account *account;
    struct delivery *deliveries[SETTLE_MEMBERS_MAX]; /* by group */
    uint32_t group_start[SETTLE_MEMBERS_MAX + 1];
    uint32_t group_count;
    struct claim_hold *finished;
    bool used;
};

struct worker {
    uint32_t magic;
    uint32_t number;
    struct sender *sender;
    struct loop *loop;
    struct random random;
    struct tls_context *graph_tls;
    struct tls_context *redis_tls;
    struct redis_client *redis; /* commands */
    struct redis_client *bell;  /* blocks in XREAD until something comes */
    struct channel *channel;

    char holder_text[QUEUE_HOLDER_SIZE + 1];
    struct span holder;
    uint32_t holders; /* names taken so far */
    uint64_t names;   /* claims and grants named so far under this holder */
    struct business *businesses;
    struct editions *editions; /* what it renders from */
    struct rate_use rates;     /* what it quotes by, in this turn */
    struct timer beat_timer;
    struct timer wake_timer; /* ask_again_us */

    struct account *accounts;
    uint32_t account_count;
    struct share claims, grants_wanted, sends, settles; /* whose turn it is: turns.h */
    uint64_t stale_look_us; /* what was granted is looked through for what is too old */
    bool claims_lost;       /* some claim is to be asked again */

    struct account *stops;   /* accounts whose stop Redis has not been told yet */
    uint64_t stop_after_us;  /* Redis refused that: not before */
    struct timer stop_timer; /* of that */
    struct timer overdue_timer;
    struct receipts receipts; /* answers whose settle came too late */
    struct pairs pairs;       /* of account and recipient that Meta put off */

    struct delivery *deliveries;
    struct delivery_list free_deliveries;
    struct batch *free_batches;
    struct batch *batches;
    uint32_t batches_free;
    uint32_t exchanges_free;
    uint32_t holds_free;
    uint32_t claims_under_way;
    uint32_t granted;        /* of all accounts */
    uint32_t slots_reserved; /* free slots that claims under way may fill */
    struct claim_hold *free_holds;
    struct claim_hold *holds;
    struct grant_hold *free_grants;
    struct grant_hold *grants;
    struct exchange_memory *free_exchanges;
    struct exchange_memory *exchanges;
    struct large_body *free_large;
    struct large_body *large;
    struct grant_call grant_calls[GRANT_CALLS_MAX];
    struct settle_call settle_calls[SETTLE_CALLS_MAX];

    struct recent *recent;          /* what it granted or had accepted lately */
    struct declaration declaration; /* of it, to a Redis that may have forgotten */
    struct trouble trouble;         /* what the whole of Redis refuses */
    struct trouble_said said;       /* of calls that concern no account */
    enum redis_library library;     /* in the Redis it is connected to */
    bool library_newer;             /* than ours: said once */
    bool library_contested;         /* another of its name was there without answering */
    bool claims_wait;               /* others have not declared: said once */
    uint64_t redis_lost_us;         /* when it was last heard, while it is not ready; 0: it is */
    uint64_t ask_again_us;          /* lost claims and grants are not asked again before */
    struct loop_flush work;         /* the end-of-turn work */
    int64_t redis_id; /* Redis' client id of `redis`, also after it was lost; 0: unknown */
    char redis_identity[REDIS_IDENTITY_SIZE]; /* of the Redis it was a number of */
    char redis_trouble[256];                  /* why it is not ready, as it was said; "" */
    int64_t bell_id;                          /* Redis' client id of the bell; 0: unknown */
    bool redis_known;        /* the connection before is ended: lost calls may be repeated */
    bool fenced;             /* declared dead: take a new name before anything else */
    bool bell_ringing;       /* XREAD under way */
    bool bell_stale;         /* its streams are not the idle ones any more */
    struct timer bell_timer; /* it is not asked anew all the time */
    uint64_t bell_after_us;  /* ... not before this */
    uint16_t *account_index; /* by the hash of its keys' base: number + 1 */
    uint32_t look_next;      /* the account that is looked at with the next beat */
    bool draining;
    bool leaving;           /* everything is settled; saying goodbye */
    uint32_t leave_replies; /* businesses that have answered the goodbye */
    bool done;
    bool failed; /* could not start */

    char *text;    /* TEXT_SIZE: what the customer will read */
    char *scratch; /* bodies; outcomes while a settle is written */
    size_t scratch_size;
    struct writing *writing; /* settlement.c: a settle being written */
};

void *worker_main(void *worker); /* the thread: open, turns, close */

/* The same by hand, for who has no threads. `number` and `sender` are set. False: see error; the
 * worker is of no use. */
bool worker_open(struct worker *worker, struct error_text *error);
bool worker_turn(struct worker *worker); /* false: it is over, and to be closed */
/* Ends it as it stands; what it had claimed or granted is left to the lease. */
void worker_close(struct worker *worker);

/* For the steps and the calls. */
void worker_ask_again(struct worker *worker); /* Redis answered an error: lost calls, in a while */
void worker_wake_at(struct worker *worker, uint64_t due_us); /* its work, then at the latest */
void worker_work_later(struct worker *worker);     /* run the end-of-turn work this turn */
bool worker_may_call(const struct worker *worker); /* Redis is there, has the library, was told */
bool worker_may_send(const struct worker *worker, const struct account *account); /* lease holds */
bool worker_may_ask(const struct worker *worker, const struct account *account);  /* claim, grant */
void
worker_refuse(struct account *account); /* Redis answered an error: no more of them for a second */
void worker_wait_for_others(struct account *account); /* they have not declared: a quarter second */
#endif
