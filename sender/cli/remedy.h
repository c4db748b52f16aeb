/*
 * remedy - what can be done about a dead entry: mended elsewhere and requeued, enqueued anew
 * because what is wrong stands in the entry itself, or decided by somebody because nobody knows.
 *
 * Read from its type and the words of its reason, which begin with the field's name.
 */
#ifndef FACTEUR_SENDER_CLI_REMEDY_H
#define FACTEUR_SENDER_CLI_REMEDY_H

#include "sender/base/bytes.h"

enum remedy {
    REMEDY_REQUEUE, /* its cause can be mended elsewhere */
    REMEDY_ANEW,    /* as it stands it would be refused again */
    REMEDY_DECIDE,  /* it may have been sent: a receipt tells, or somebody decides */
};

/* `*advice`: a sentence without its end, as "add the template"; static. */
enum remedy remedy_find(struct span type, struct span reason, const char **advice);

const char *remedy_text(enum remedy remedy); /* "requeue", "anew", "decide" */
bool remedy_is_word(const char *text);       /* one of these */

#endif
