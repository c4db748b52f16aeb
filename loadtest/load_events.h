/*
 * load_events - the sender's events, read with our own eyes and given to the audit.
 *
 * Events are a bounded stream: what is trimmed before it was read is counted as missed, from the
 * number `upto` that each entry carries.
 */
#ifndef FACTEUR_LOADTEST_LOAD_EVENTS_H
#define FACTEUR_LOADTEST_LOAD_EVENTS_H

#include "loadtest/audit.h"
#include "loadtest/load_redis.h"
#include "queue/keys.h"

enum {
    LOAD_ACCOUNTS_MAX = 16,
    LOAD_STREAM_ID_MAX = 48,
    LOAD_EVENT_MAX = 16384, /* bytes of one outcome */
    LOAD_REFUSED_MAX = 20,  /* texts that can be shown */
};

struct load_refused {
    uint64_t n;
    char reason[160];
    char findings[512]; /* JSON, as in the event */
};

struct load_events {
    struct audit *audit;               /* borrowed */
    const struct generator *generator; /* borrowed */
    uint32_t account_count;
    struct load_event_stream {
        char key[KEYS_BASE_MAX + 8];   /* "facteur:{acme}:fr:events" */
        char last[LOAD_STREAM_ID_MAX]; /* read up to here */
        uint64_t upto;                 /* outcomes that were ever written, up to here */
    } streams[LOAD_ACCOUNTS_MAX];
    uint64_t missed;     /* outcomes that were trimmed before they were read */
    uint64_t unreadable; /* lines that are not as agreed */
    uint64_t others;     /* receipts and the like: no outcomes */
    uint32_t refused_count;
    struct load_refused refused[LOAD_REFUSED_MAX]; /* the first ones refused for what they say */
    char currency[8];
    char line[LOAD_EVENT_MAX];
};

void load_events_init(struct load_events *events, struct audit *audit,
                      const struct generator *generator, const struct account_keys *accounts,
                      uint32_t account_count);

/* One entry of account's stream: its id and fields. */
void load_events_entry(struct load_events *events, uint32_t account, const struct reply *entry);
/* One outcome, a JSON object. */
void load_events_outcome(struct load_events *events, uint32_t account, struct span json);

/* Reads all that is there now, from where it stopped before. */
bool load_events_read(struct load_events *events, struct load_redis *redis,
                      struct error_text *error);

/* The value of a field in a flat array of names and values; empty if absent. */
struct span load_field(const struct reply *fields, const char *name);

#endif
