#include "sender/cost/zone_rule.h"
#include "sender/base/check.h"

enum {
    SECONDS_PER_DAY = 86400,
    HOUR_MAX = 24,        /* of an offset */
    RULE_HOUR_MAX = 167,  /* of a date's clock: a week less an hour, RFC 8536 */
    NAME_SIZE_MIN = 3,    /* of "CET" */
    DATE_CLOCK_S = 7200,  /* a change without a time is at 02:00:00 */
    SUMMER_EXTRA_S = 3600 /* summer time without an offset */
};

/* ---- reading -----------------------------------------------------------------------------------
 */

static bool
take_char(struct span *text, char c)
{
    if (text->size == 0 || text->data[0] != c)
        return false;
    *text = (struct span){.data = text->data + 1, .size = text->size - 1};
    return true;
}

/* Decimal digits, at most three of them. */
static bool
take_number(struct span *text, int32_t least, int32_t most, int32_t *number)
{
    size_t size = 0;
    *number = 0;
    while (size < text->size && size < 3 && text->data[size] >= '0' && text->data[size] <= '9')
        *number = *number * 10 + (text->data[size++] - '0');
    *text = (struct span){.data = text->data + size, .size = text->size - size};
    return size > 0 && *number >= least && *number <= most;
}

/* "CET" or "<+0330>": only that it is there matters. */
static bool
take_name(struct span *text)
{
    bool quoted = take_char(text, '<');
    size_t size = 0;
    while (size < text->size) {
        char c = text->data[size];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-')))
            break;
        size++;
    }
    *text = (struct span){.data = text->data + size, .size = text->size - size};
    return size >= NAME_SIZE_MIN && (!quoted || take_char(text, '>'));
}

/* "-3", "5:30", "+1:02:03" as seconds. */
static bool
take_clock(struct span *text, int32_t hours_max, int32_t *seconds)
{
    int32_t hours;
    int32_t minutes = 0;
    int32_t rest = 0;
    bool negative = take_char(text, '-');
    if (!negative)
        (void)take_char(text, '+');
    if (!take_number(text, 0, hours_max, &hours))
        return false;
    if (take_char(text, ':')) {
        if (!take_number(text, 0, 59, &minutes))
            return false;
        if (take_char(text, ':') && !take_number(text, 0, 59, &rest))
            return false;
    }
    *seconds = hours * 3600 + minutes * 60 + rest;
    if (negative)
        *seconds = -*seconds;
    return true;
}

/* POSIX counts west as positive. */
static bool
take_offset(struct span *text, int32_t *offset_s)
{
    if (!take_clock(text, HOUR_MAX, offset_s))
        return false;
    *offset_s = -*offset_s;
    return true;
}

static bool
take_date(struct span *text, struct zone_date *date)
{
    *date = (struct zone_date){.kind = ZONE_DATE_ORDINARY, .clock_s = DATE_CLOCK_S};
    bool good;
    if (take_char(text, 'M')) {
        date->kind = ZONE_DATE_WEEKDAY;
        good = take_number(text, 1, 12, &date->month) && take_char(text, '.') &&
               take_number(text, 1, 5, &date->week) && take_char(text, '.') &&
               take_number(text, 0, 6, &date->day);
    } else if (take_char(text, 'J')) {
        date->kind = ZONE_DATE_NO_LEAP;
        good = take_number(text, 1, 365, &date->day);
    } else {
        good = take_number(text, 0, 365, &date->day);
    }
    if (good && take_char(text, '/'))
        good = take_clock(text, RULE_HOUR_MAX, &date->clock_s);
    return good;
}

bool
zone_rule_read(struct span text, struct zone_rule *rule)
{
    *rule = (struct zone_rule){.has_summer = false};
    if (!take_name(&text) || !take_offset(&text, &rule->standard_s))
        return false;
    if (text.size == 0)
        return true;
    rule->has_summer = true;
    rule->summer_s = rule->standard_s + SUMMER_EXTRA_S;
    if (!take_name(&text))
        return false;
    if (text.size > 0 && text.data[0] != ',' && !take_offset(&text, &rule->summer_s))
        return false;
    return take_char(&text, ',') && take_date(&text, &rule->begin) && take_char(&text, ',') &&
           take_date(&text, &rule->end) && text.size == 0;
}

/* ---- years -------------------------------------------------------------------------------------
 */

static bool
is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days from 1970-01-01 to 1 January of a year from 1 on. */
static int64_t
days_to_year(int64_t year)
{
    int64_t before = year - 1;
    return before * 365 + before / 4 - before / 100 + before / 400 - 719162;
}

/* Days from 1 January to the first of a month. */
static int32_t
days_to_month(int64_t year, int32_t month)
{
    static const int16_t days[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    return days[month - 1] + (month > 2 && is_leap(year) ? 1 : 0);
}

/* The day of the year, from 0, of "the week-th such weekday of the month". */
static int32_t
weekday_of_month(const struct zone_date *date, int64_t year)
{
    int32_t first = days_to_month(year, date->month);
    int32_t next =
        date->month == 12 ? (is_leap(year) ? 366 : 365) : days_to_month(year, date->month + 1);
    int64_t weekday = (days_to_year(year) + first + 4) % 7; /* 1970-01-01 was a Thursday */
    if (weekday < 0)
        weekday += 7;
    int32_t day = first + (int32_t)((date->day - weekday + 7) % 7) + (date->week - 1) * 7;
    while (day >= next)
        day -= 7;
    return day;
}

/* The moment in Unix seconds, on a clock that is `offset_s` from UTC. */
static int64_t
moment_of(const struct zone_date *date, int64_t year, int32_t offset_s)
{
    int32_t day = date->day;
    switch (date->kind) {
    case ZONE_DATE_WEEKDAY:
        day = weekday_of_month(date, year);
        break;
    case ZONE_DATE_NO_LEAP:
        day = date->day - 1 + (date->day > 59 && is_leap(year) ? 1 : 0);
        break;
    case ZONE_DATE_ORDINARY:
        break;
    }
    return (days_to_year(year) + day) * SECONDS_PER_DAY + date->clock_s - offset_s;
}

/*
 * The last change before the moment decides. A rule's clock may reach a week into another year, so
 * the years beside are asked as well; where one year's summer ends as the next one's begins, it is
 * summer all the time.
 */
int32_t
zone_rule_offset_s(const struct zone_rule *rule, int64_t unix_s)
{
    if (!rule->has_summer)
        return rule->standard_s;
    int64_t year = 1970 + unix_s / 31556952; /* right, or one beside it */
    int64_t latest = INT64_MIN;
    int32_t offset_s = rule->standard_s;
    for (int64_t y = year > 2 ? year - 2 : 1; y <= year + 1; y++) {
        int64_t begin = moment_of(&rule->begin, y, rule->standard_s);
        int64_t end = moment_of(&rule->end, y, rule->summer_s);
        if (end <= unix_s && end > latest) {
            latest = end;
            offset_s = rule->standard_s;
        }
        if (begin <= unix_s && begin >= latest) {
            latest = begin;
            offset_s = rule->summer_s;
        }
    }
    check(latest != INT64_MIN || year <= 3);
    return offset_s;
}
