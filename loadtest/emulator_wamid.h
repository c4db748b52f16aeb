/*
 * emulator_wamid - a message's id in Meta's layout.
 *
 *   "wamid." + base64 of  1C 18 <size> <digits of the wa_id> 15 02 00 11 18 12 <18 hex digits> 00
 *
 * The 18 digits come from a seed and the message's number: no two numbers of a run share one, and
 * the id need not be kept to be told again.
 */
#ifndef FACTEUR_LOADTEST_EMULATOR_WAMID_H
#define FACTEUR_LOADTEST_EMULATOR_WAMID_H

#include "sender/base/bytes.h"

enum { EMULATOR_WAMID_MAX = 6 + 4 * ((3 + 255 + 6 + 18 + 1 + 2) / 3) };

/* `wa_id`: at most 255 bytes. */
void emulator_wamid_write(struct span wa_id, uint64_t seed, uint64_t number, struct buffer *out);

#endif
