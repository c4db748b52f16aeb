/*
 * redis_info - what INFO says of the Redis at the other end: who it is, and is it of use.
 *
 * Pure: texts in, facts out.
 */
#ifndef FACTEUR_SENDER_REDIS_INFO_H
#define FACTEUR_SENDER_REDIS_INFO_H

#include "sender/base/bytes.h"

enum { REDIS_IDENTITY_SIZE = 96 }; /* two ids of 40 hex digits and a slash, with room */

struct redis_info {
    /*
     * RUN_ID/REPLICATION_ID, or "" if it does not say. The first changes when the process starts,
     * the second when it becomes a master: while both are as they were, it has forgotten nothing.
     */
    char identity[REDIS_IDENTITY_SIZE];
    bool replica;     /* it follows another */
    bool loading;     /* it reads its files */
    char master[300]; /* of a replica: "HOST port PORT", or "" */
};

/* The value of a line "name:value" of INFO, borrowed from it; empty if there is none. */
struct span redis_info_value(struct span info, struct span name);

/* From the sections server, replication and persistence. What is missing is taken as good. */
void redis_info_read(struct span text, struct redis_info *info);

#endif
