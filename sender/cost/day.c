#include "sender/cost/day.h"
#include "sender/base/check.h"

#include <string.h>

enum { MS_PER_DAY = 86400000, DAYS_PER_ERA = 146097, DAYS_TO_1970 = 719468 };

static void
put_digits(char *text, uint32_t value, uint32_t count)
{
    for (uint32_t i = count; i > 0; i--) {
        text[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Counts years from 1 March, so that a leap day is the last of its year, in eras of 400 years. */
void
day_of_unix_ms(uint64_t unix_ms, char day[DAY_SIZE + 1])
{
    uint64_t days = unix_ms / MS_PER_DAY + DAYS_TO_1970;
    check(days < (uint64_t)10000 * 366);
    uint32_t era = (uint32_t)(days / DAYS_PER_ERA);
    uint32_t of_era = (uint32_t)(days % DAYS_PER_ERA);
    uint32_t year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    uint32_t of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    uint32_t month_from_march = (5 * of_year + 2) / 153;
    uint32_t month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
    uint32_t year = era * 400 + year_of_era + (month <= 2 ? 1 : 0);
    check(year < 10000);
    put_digits(day, year, 4);
    day[4] = '-';
    put_digits(day + 5, month, 2);
    day[7] = '-';
    put_digits(day + 8, of_year - (153 * month_from_march + 2) / 5 + 1, 2);
    day[DAY_SIZE] = '\0';
}

static bool
read_digits(struct span text, size_t start, size_t count, uint32_t *value)
{
    uint64_t number;
    if (!span_to_u64((struct span){.data = text.data + start, .size = count}, &number))
        return false;
    *value = (uint32_t)number;
    return true;
}

bool
day_is_valid(struct span text)
{
    static const uint8_t month_days[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    uint32_t year;
    uint32_t month;
    uint32_t day;
    if (text.size != DAY_SIZE || text.data[4] != '-' || text.data[7] != '-')
        return false;
    if (!read_digits(text, 0, 4, &year) || !read_digits(text, 5, 2, &month) ||
        !read_digits(text, 8, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > month_days[month - 1])
        return false;
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return month != 2 || day < 29 || leap;
}
