/*
 * load_fill - writes the generator's notifications into the streams, pipelined.
 *
 * Entries are written as any producer would write them: XADD with plain fields, or bulk entries
 * with JSON lines, one stream each for what is urgent and what is not.
 */
#ifndef FACTEUR_LOADTEST_LOAD_FILL_H
#define FACTEUR_LOADTEST_LOAD_FILL_H

#include "loadtest/load_options.h"
#include "loadtest/progress.h"

struct load_fill; /* its memory: bulk entries in the making, and writes without a reply */

struct load_fill_settings {
    const struct load_options *options;
    const struct generator *generator; /* with templates */
    struct load_redis *redis;          /* connected */
    struct audit *audit;               /* told which member each became; or NULL */
    struct progress *progress;
    void (*put_note)(void *context, struct buffer *note); /* beside the bar; or NULL */
    void *note_context;
};

struct load_fill_result {
    uint64_t written; /* notifications that Redis has confirmed */
    uint64_t entries;
    uint64_t elapsed_us;
};

/* Writes all of them. False with a sentence in `error`: Redis was lost or refused an entry. */
bool load_fill(const struct load_fill_settings *settings, struct load_fill_result *result,
               struct error_text *error);

#endif
