/*
 * zone_rule - what a zone's clock does in years to come: the TZ string at the end of its file.
 *
 * "CET-1CEST,M3.5.0,M10.5.0/3": POSIX, with RFC 8536's names in <> and hours from -167 to 167.
 */
#ifndef FACTEUR_SENDER_COST_ZONE_RULE_H
#define FACTEUR_SENDER_COST_ZONE_RULE_H

#include "sender/base/bytes.h"

enum zone_date_kind {
    ZONE_DATE_WEEKDAY,  /* M month.week.day: the week-th such weekday, 5 the last */
    ZONE_DATE_NO_LEAP,  /* Jn: day 1 to 365, 29 February is not counted */
    ZONE_DATE_ORDINARY, /* n: day 0 to 365, 29 February is counted */
};

/* A moment of every year on the clock before it. */
struct zone_date {
    enum zone_date_kind kind;
    int32_t month;   /* 1 to 12 */
    int32_t week;    /* 1 to 5 */
    int32_t day;     /* of the week, 0 is Sunday; or of the year */
    int32_t clock_s; /* seconds after midnight, may be negative or beyond the day */
};

struct zone_rule {
    int32_t standard_s; /* to add to UTC */
    int32_t summer_s;
    bool has_summer;
    struct zone_date begin; /* of summer time, on the standard clock */
    struct zone_date end;   /* on the summer clock */
};

/* False: not such a string. Bounded by the text; nothing is kept of it. */
bool zone_rule_read(struct span text, struct zone_rule *rule);

/* Seconds to add to UTC, at a moment from year 1 to 9999 (Unix seconds). */
int32_t zone_rule_offset_s(const struct zone_rule *rule, int64_t unix_s);

#endif
