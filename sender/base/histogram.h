/*
 * histogram - how long things took: log-linear buckets, 1/32 relative error, fixed memory.
 */
#ifndef FACTEUR_SENDER_BASE_HISTOGRAM_H
#define FACTEUR_SENDER_BASE_HISTOGRAM_H

#include <stdint.h>

enum { HISTOGRAM_SUB = 32, HISTOGRAM_BUCKETS = 60 * HISTOGRAM_SUB };

struct histogram {
    uint64_t count;
    uint64_t max;
    uint64_t buckets[HISTOGRAM_BUCKETS];
};

void histogram_add(struct histogram *histogram, uint64_t value);
void histogram_merge(struct histogram *into, const struct histogram *from);
/* The value below which `share` of all lie, rounded up to its bucket's end; 0 if empty. A share
 * under 0 counts as 0 (the least), one over 1 as 1 (the greatest). */
uint64_t histogram_at(const struct histogram *histogram, double share);

#endif
