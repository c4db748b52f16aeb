/*
 * load_process - CPU time of another process, from /proc/PID/stat.
 */
#ifndef FACTEUR_LOADTEST_LOAD_PROCESS_H
#define FACTEUR_LOADTEST_LOAD_PROCESS_H

#include "sender/base/bytes.h"

/* User and system time of all its threads, ended ones too, in microseconds (the kernel counts in
 * hundredths of a second). False if there is no such process. */
bool load_process_cpu_us(uint64_t pid, uint64_t *cpu_us);

/* The same from the text of a stat file; the name in it may hold spaces and parentheses. */
bool load_process_read_stat(struct span stat, uint64_t ticks_per_second, uint64_t *cpu_us);

#endif
