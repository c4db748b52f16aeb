/*
 * print - what verbs write to standard output besides plain formats.
 */
#ifndef FACTEUR_SENDER_CLI_PRINT_H
#define FACTEUR_SENDER_CLI_PRINT_H

#include "sender/base/bytes.h"

void print_json_text(struct span text); /* as a JSON string */
void print_padded(struct span text, int width);
void print_time(uint64_t at_ms); /* "2026-11-24 10:15:02" in local time, or 19 spaces */

/* Words of a stranger, for a terminal: control characters become "?". */
void print_plain(struct span text);
bool print_is_plain(const char *text); /* no control characters */

#endif
