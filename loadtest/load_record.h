/*
 * load_record - what was filled, remembered in Redis by its seed, so that an audit needs no shares
 * repeated on its command line and a seed is not written twice by mistake.
 *
 * Hash `facteur:{business}:load` of the first account's business: seed → JSON. A key of this tool's
 * own; facteur never looks at it.
 */
#ifndef FACTEUR_LOADTEST_LOAD_RECORD_H
#define FACTEUR_LOADTEST_LOAD_RECORD_H

#include "loadtest/load_options.h"

enum load_record {
    LOAD_RECORD_NONE,
    LOAD_RECORD_FOUND,
    LOAD_RECORD_UNLIKE, /* another number of accounts was filled than is named now; see the error */
    LOAD_RECORD_LOST,   /* Redis; see the error */
};

/* Takes what was remembered of options->seed for everything that was not given on the line.
 * Without --seed the last seed that was filled. */
enum load_record load_record_read(struct load_redis *redis, struct load_options *options,
                                  struct error_text *error);

/*
 * Before filling: without --seed the first that was not used yet. False with a sentence in `error`
 * if a given one was used before (and --again is not said), or Redis is lost.
 */
bool load_record_choose(struct load_redis *redis, struct load_options *options,
                        struct error_text *error);

bool load_record_write(struct load_redis *redis, const struct load_options *options,
                       struct error_text *error);

/* The record's text, and back: only what was not given on the command line is taken. */
void load_record_put(const struct load_options *options, struct buffer *json);
bool load_record_take(struct load_options *options, struct span json);

#endif
