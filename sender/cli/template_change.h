/*
 * template_change - what template add and template remove share: one change of the catalogue.
 */
#ifndef FACTEUR_SENDER_CLI_TEMPLATE_CHANGE_H
#define FACTEUR_SENDER_CLI_TEMPLATE_CHANGE_H

#include "sender/cli/template_source.h"

enum { TEMPLATE_CHANGE_TRIES = 10 /* others may change the catalogue at the same time */ };

struct template_change {
    const struct template_options *options;
    const char *verb;
    bool dry_run;
    /*
     * Fills `changes` (room for STORE_CHANGES_MAX; who, why and time are there) from what stands in
     * Redis now, and returns how many; or -1 after saying why nothing can be changed. Called again
     * when somebody else was quicker.
     */
    int (*plan)(void *context, const struct template_store *store, struct stored_template *changes);
    void *context;
};

/* Changes, and prints what was changed. Returns the exit code. */
int template_change_do(const struct template_change *change);

#endif
