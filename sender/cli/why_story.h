/*
 * why_story - one notification's story in a sentence: where it is, what it waits for, until when,
 * and what can be done.
 */
#ifndef FACTEUR_SENDER_CLI_WHY_STORY_H
#define FACTEUR_SENDER_CLI_WHY_STORY_H

#include "sender/cli/dead_filter.h"

struct why_story {
    const struct account_keys *keys;
    const char *name; /* as it was asked for */
    bool json;
};

/* From the library's answer (facteur_why), whose place is not `none`. */
void why_story_place(const struct why_story *story, const struct reply *facts);
void why_story_dead(const struct why_story *story, const struct dead_entry *entry);
/* From an outcome as it stands in events: one line of JSON, which stays as it is. */
void why_story_outcome(const struct why_story *story, struct span line);
/* Nothing is known of it in this account. */
void why_story_none(const struct why_story *story);

#endif
