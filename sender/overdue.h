/*
 * overdue - looks whether the wait of what is uncertain is over, and has its policy carried out:
 * kept in dead, given up, or sent again at the risk of a second message.
 *
 * An account is looked at when the first of its uncertain members is due, at most once a second
 * (while there is more to do than a call does, at once), and after an uncertain_wait or a minute at
 * the latest: what becomes uncertain meanwhile cannot be due before. One that has none is not
 * looked at until the bell rings for its first. The first worker of a process looks; several
 * processes may, for a member is taken by one of them.
 */
#ifndef FACTEUR_SENDER_OVERDUE_H
#define FACTEUR_SENDER_OVERDUE_H

#include "sender/worker.h"

/* Looks for the first time in the first seconds; never, if the worker is not the first. */
void overdue_open(struct worker *worker);
void overdue_close(struct worker *worker);

/* It may have something uncertain: the bell rang for that, or it is its turn to be looked at. */
void overdue_wake(struct account *account);

#endif
