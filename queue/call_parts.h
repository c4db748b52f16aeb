/*
 * call_parts - how every call begins and ends. For the calls' own files.
 */
#ifndef FACTEUR_QUEUE_CALL_PARTS_H
#define FACTEUR_QUEUE_CALL_PARTS_H

#include "queue/calls.h"

enum { CALL_DIGITS_MAX = 20 };

/* FCALL `function` with the keys A B, and `argument_count` arguments that the caller writes next.
 */
void call_begin(const struct call *call, const char *function, size_t argument_count);
/* The same with the key B alone. */
void call_begin_business(const struct call *call, const char *function, size_t argument_count);
bool call_end(const struct call *call);

void call_text(const struct call *call, const char *text); /* one argument */

/* Decimal into `digits`; the span borrows it. */
struct span call_digits(uint64_t number, char digits[CALL_DIGITS_MAX]);

/* True for an array that begins with this word: `fenced`, `paused`, `stopped` … */
bool call_says(const struct reply *reply, const char *word);
/* True for an array of at least `count` elements that begins with `ok`. */
bool call_is_ok(const struct reply *reply, size_t count);

#endif
