/*
 * chaos_report - what a run of chaos came to, for eyes and for scripts, and whether it kept the
 * promises.
 */
#ifndef FACTEUR_LOADTEST_CHAOS_REPORT_H
#define FACTEUR_LOADTEST_CHAOS_REPORT_H

#include "loadtest/chaos.h"

/* Prints to standard output, with --json the object of facteur-load run and more as its last line.
 * True: every promise is kept. */
bool chaos_report(const struct chaos *chaos);

/* What of the promises is broken, as a sentence each into `out`, which is empty if none is. */
void chaos_judge(const struct chaos *chaos, struct buffer *out);

#endif
