/*
 * bell - how an idle worker learns that something came, without polling.
 *
 * A second Redis link blocks in XREAD on the streams of the accounts that had nothing, and on each
 * business's bell (queue/README.md, B:bell), which tells what no stream shows: an account that was
 * resumed, what was requeued or scheduled. When the set of idle accounts changes, CLIENT UNBLOCK
 * lets it ask anew; with many accounts not at once, for each of them costs Redis a microsecond.
 */
#ifndef FACTEUR_SENDER_BELL_H
#define FACTEUR_SENDER_BELL_H

#include "sender/worker.h"

void bell_open(struct worker *worker, const struct redis_client_settings *settings);
void bell_close(struct worker *worker); /* the link must be closed */
/* At the end of a turn: makes the bell watch exactly the accounts that are idle now. */
void bell_watch(struct worker *worker);

#endif
