#include "sender/h2/http_date.h"

#include <string.h>

enum { DATE_SIZE = 29, SECONDS_PER_DAY = 86400, DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };

/* Where `pattern` has a 0, the text must have a digit; elsewhere what the pattern has, but for `?`,
 * where a letter must stand. */
static bool
is_shaped(const char *text, const char *pattern)
{
    for (size_t i = 0; pattern[i] != '\0'; i++) {
        char c = text[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool digit = c >= '0' && c <= '9';
        if (pattern[i] == '0' ? !digit : pattern[i] == '?' ? !letter : c != pattern[i])
            return false;
    }
    return true;
}

static uint32_t
number_at(const char *digits, size_t count)
{
    uint32_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number * 10 + (uint32_t)(digits[i] - '0');
    return number;
}

/* 1 …, or 0 for a word that is no month. */
static uint32_t
month_at(const char *name)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    for (uint32_t i = 0; i < 12; i++)
        if (memcmp(name, names + 3 * (size_t)i, 3) == 0)
            return i + 1;
    return 0;
}

static uint32_t
days_of_month(uint32_t year, uint32_t month)
{
    static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap ? 1u : 0u);
}

/* Years counted from 1 March, so that a leap day is the last of its year, in eras of 400 years. */
static uint64_t
days_since_1970(uint32_t year, uint32_t month, uint32_t day)
{
    uint32_t from_march = year - (month <= 2 ? 1 : 0);
    uint32_t of_era = from_march % 400;
    uint32_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    uint64_t days = (uint64_t)(from_march / 400) * DAYS_PER_ERA;
    return days + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_TO_1970;
}

bool
http_date_read(struct span text, uint64_t *unix_s)
{
    if (text.size != DATE_SIZE || !is_shaped(text.data, "???, 00 ??? 0000 00:00:00 GMT"))
        return false;
    uint32_t day = number_at(text.data + 5, 2);
    uint32_t month = month_at(text.data + 8);
    uint32_t year = number_at(text.data + 12, 4);
    uint32_t hour = number_at(text.data + 17, 2);
    uint32_t minute = number_at(text.data + 20, 2);
    uint32_t second = number_at(text.data + 23, 2);
    if (month == 0 || year < 1970 || day == 0 || day > days_of_month(year, month) || hour > 23 ||
        minute > 59 || second > 60) /* 60: a leap second */
        return false;
    *unix_s =
        days_since_1970(year, month, day) * SECONDS_PER_DAY + hour * 3600 + minute * 60 + second;
    return true;
}
