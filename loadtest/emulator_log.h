/*
 * emulator_log - the truth of the audit: every message that was accepted, in order, and which
 * members were accepted twice.
 *
 * Append-only memory in large chunks, about 250 bytes a message with the sender's callback data;
 * nothing is ever moved, only the index of members is made anew when it doubles.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_LOG_H
#define FACTEUR_LOADTEST_EMULATOR_LOG_H

#include "sender/base/bytes.h"

enum {
    EMULATOR_LOG_TO_MAX = 160,  /* bytes; a business-scoped user id is the longest */
    EMULATOR_LOG_TEXT_MAX = 64, /* bytes kept of the first body parameter */
};
#define EMULATOR_LOG_NO_COUNTRY UINT16_MAX

struct emulator_accepted {
    uint64_t number;      /* from 0, in the order of acceptance */
    struct span callback; /* biz_opaque_callback_data, may be empty; at most 512 bytes */
    struct span to;       /* as the request had it, cut at EMULATOR_LOG_TO_MAX */
    struct span wa_id;    /* likewise */
    struct span text;     /* the first body parameter, cut at EMULATOR_LOG_TEXT_MAX */
    uint16_t country;     /* or EMULATOR_LOG_NO_COUNTRY */
    uint16_t template;    /* its index */
    uint64_t millionths;
};

struct emulator_log;

struct emulator_log *emulator_log_open(void);
void emulator_log_close(struct emulator_log *log); /* NULL is allowed */
void emulator_log_reset(struct emulator_log *log);

/* Appends a copy and numbers it. True if its member had been accepted before. */
bool emulator_log_append(struct emulator_log *log, struct emulator_accepted *accepted);

uint64_t emulator_log_count(const struct emulator_log *log);

/* What comes at or after `number`; false at the end. Spans are valid until reset or close.
 * Reading in order is fast, a jump costs a walk through one chunk. */
struct emulator_log_reader {
    const struct emulator_log *log;
    uint64_t number; /* of the next */
    uint32_t chunk;
    uint32_t offset;
};
void emulator_log_seek(const struct emulator_log *log, uint64_t number,
                       struct emulator_log_reader *reader);
bool emulator_log_read(struct emulator_log_reader *reader, struct emulator_accepted *accepted);

/* What tells one member from another: of "f1;BUSINESS/ACCOUNT;MEMBER;ATTEMPT;…" its second and
 * third part, of any other form the whole. */
struct span emulator_log_member(struct span callback);

#endif
