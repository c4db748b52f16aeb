/*
 * outcome - what became of a delivery: decided by a step, told in an event, done by a settle.
 *
 * The deciders below set the delivery's outcome and its state to settling; the worker's next settle
 * carries it to Redis. Reasons are copied into the slot, so they may be composed on the stack.
 */
#ifndef FACTEUR_SENDER_OUTCOME_H
#define FACTEUR_SENDER_OUTCOME_H

#include "sender/delivery.h"
#include "sender/io/digest.h"
#include "templates/policy/policy.h"

/* Refused, for something that can be mended: the entry is kept in dead. Releases its id, unless an
 * earlier attempt may have reached the customer. */
enum step_next outcome_refuse(struct delivery *delivery, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Kept in dead under another word ("dead", "failed"), with `release_id` as given. */
enum step_next outcome_dead(struct delivery *delivery, const char *type, bool release_id,
                            struct span reason);
/* Leaves with an event: "expired" (which releases its id likewise), "duplicate", "failed". */
enum step_next outcome_drop(struct delivery *delivery, const char *type, struct span reason);
/* An earlier attempt was accepted after all: it leaves, and the library tells that outcome. */
enum step_next outcome_proven(struct delivery *delivery);
/* Back to later, due at `due_ms` (Unix), after `attempts` attempts that count. No event. */
enum step_next outcome_later(struct delivery *delivery, uint64_t due_ms, uint32_t attempts,
                             struct span reason);
enum step_next outcome_uncertain(struct delivery *delivery, uint64_t until_ms, struct span reason);
enum step_next outcome_accept(struct delivery *delivery, struct span wamid);

/* Adds the findings of the content policy to a refusal: words from `text`. */
void outcome_add_findings(struct delivery *delivery, const struct judgement *judgement,
                          struct span text);

/* How events name its recipient: a keyed hash in hex, or as it is if the settings say so; empty if
 * it has none. In `memory`, or borrowed from the delivery. */
enum { OUTCOME_RECIPIENT_MAX = 2 * DIGEST_SIZE };
struct span outcome_recipient(const struct delivery *delivery, char memory[OUTCOME_RECIPIENT_MAX]);

/* The most bytes that outcome_put_json() can write for it, at most OUTCOME_SIZE_MAX. */
size_t outcome_json_size_max(const struct delivery *delivery);
/* Appends the event's JSON (DESIGN 1.5), without a newline. Nothing if the outcome has no event. */
void outcome_put_json(const struct delivery *delivery, uint64_t at_ms, struct buffer *out);

#endif
