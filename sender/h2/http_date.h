/*
 * http_date - the time in a header such as Retry-After: "Wed, 21 Oct 2026 07:28:00 GMT".
 *
 * Only the form that servers must write (IMF-fixdate, RFC 9110) is read; the two obsolete ones
 * count as no date.
 */
#ifndef FACTEUR_SENDER_H2_HTTP_DATE_H
#define FACTEUR_SENDER_H2_HTTP_DATE_H

#include "sender/base/bytes.h"

/* Unix seconds. False: not such a date, or one before 1970 or after 9999. The name of the weekday
 * is not compared with the date: it says nothing new. */
bool http_date_read(struct span text, uint64_t *unix_s);

#endif
