/*
 * clock - the only place that reads a clock. Rules take the time as an argument.
 */
#ifndef FACTEUR_SENDER_BASE_CLOCK_H
#define FACTEUR_SENDER_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_unix_ms(void);      /* milliseconds since 1970, may jump */
uint64_t clock_monotonic_us(void); /* microseconds, never goes back; not from 1970 */
uint64_t clock_cpu_us(void);       /* user + system time of this process */

#endif
