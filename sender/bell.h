/*
 * bell - how an idle worker learns that something came, without polling.
 *
 * A second Redis link blocks in XREAD on the streams of the accounts that had nothing; when the set
 * of these accounts changes, CLIENT UNBLOCK lets it ask anew.
 */
#ifndef FACTEUR_SENDER_BELL_H
#define FACTEUR_SENDER_BELL_H

#include "sender/worker.h"

void bell_open(struct worker *worker, const struct redis_client_settings *settings);
/* At the end of a turn: makes the bell watch exactly the accounts that are idle now. */
void bell_watch(struct worker *worker);

#endif
