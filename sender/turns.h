/*
 * turns - which accounts have something to do now, and when the others will.
 *
 * An account stands in up to four rings: it wants to claim, to be granted, to send, to settle. Each
 * is served by deficit round robin (sender/rules/share.h). What it has to wait for alone (a
 * throttle, its pace, a refusal of Redis') takes it out of the ring and starts its timer; what the
 * whole worker has to wait for leaves it in its place. So a turn costs what there is to do, however
 * many accounts sleep.
 *
 * Important: whatever ends a wait of its own without a time known before must call turns_stir(): a
 * reply, the lease that holds again, a grant's member that was settled.
 */
#ifndef FACTEUR_SENDER_TURNS_H
#define FACTEUR_SENDER_TURNS_H

#include "sender/worker.h"

/* The worker's rings, and each account's part in them. The accounts are asleep. */
void turns_open(struct worker *worker);

/* Redis may hold something for it: look. */
void turns_want_claim(struct account *account);
void turns_want_grant(struct account *account);  /* something is ready */
void turns_want_send(struct account *account);   /* something was granted */
void turns_want_settle(struct account *account); /* something has an outcome, or a claim ended */

/* What held it up may be over: it wants again whatever it has something for. */
void turns_stir(struct account *account);
/* The same for all accounts of a business, or of all if it is TURNS_ALL. */
enum { TURNS_ALL = UINT32_MAX };
void turns_stir_all(struct worker *worker, uint32_t business);

/* It was taken out of a ring: its timer stirs it at the first time it may wait for. */
void turns_wait(struct account *account);

/* The account whose turn it is; NULL: nobody wants. */
struct account *turns_first_claim(struct worker *worker);
struct account *turns_first_grant(struct worker *worker);
struct account *turns_first_send(struct worker *worker);
struct account *turns_first_settle(struct worker *worker);

#endif
